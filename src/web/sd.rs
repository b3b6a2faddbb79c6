//! `/sd`: the operations that have series, as targets for Prometheus' HTTP service discovery
//! (<https://prometheus.io/docs/prometheus/latest/http_sd/>).
//!
//! Prometheus probes the targets (see `probe`); several servers can divide them by `hashmod`. A request for targets also collects, so
//! that they are current even if no Prometheus scrapes `/metrics` of this exporter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::account;
use super::query::Query;
use super::service::{Service, text_of};
use crate::deadline;
use crate::snapshot::{AccountSnapshot, ShownOperation};

/// The header with Prometheus' `refresh_interval`, in seconds.
const REFRESH: HeaderName = HeaderName::from_static("x-prometheus-refresh-interval-seconds");
/// Prometheus' default `refresh_interval`.
const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);
/// The prefix of every meta label.
const META: &str = "__meta_twilio_email_";

/// A target group with one target, because Prometheus has labels per group.
#[derive(Debug, Serialize)]
struct TargetGroup {
    targets: [String; 1],
    labels: BTreeMap<String, String>,
}

pub(super) async fn sd(
    State(service): State<Arc<Service>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let account = match read(&service, query.as_deref()) {
        Ok(account) => account,
        Err(problem) => return (StatusCode::BAD_REQUEST, problem + "\n").into_response(),
    };
    let _scrape = service.scrapes.token();
    let every = interval(text_of(&headers, REFRESH.as_str()));
    // Prometheus' timeout is the interval. Operations found later are in the next response.
    let budget = deadline::budget(None, service.timeout_offset).min(every / 2);
    let refresh = service.collector.refresh(every / 2, budget);
    let _ = service.stop.run_until_respond(refresh).await;
    let snapshot = service.collector.known().await;
    let accounts = snapshot.accounts.iter();
    let groups: Vec<TargetGroup> = accounts
        .filter(|each| account.as_ref().is_none_or(|name| *each.name == **name))
        .flat_map(|account| {
            account
                .operations
                .iter()
                .map(|operation| TargetGroup::new(account, operation))
        })
        .collect();
    if groups.is_empty() && !service.collector.has_collected() {
        // An empty list would remove all targets. After an error Prometheus keeps its targets.
        let problem = "Not known yet: no collection has finished.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, problem).into_response();
    }
    ([(REFRESH, every.as_secs_f64().to_string())], Json(groups)).into_response()
}

/// The name of the requested account. The error is a sentence for the author of the scrape configuration.
fn read(service: &Service, query: Option<&str>) -> Result<Option<String>, String> {
    let mut query = Query::read(query);
    let account = query.one("account")?;
    query.finish("account")?;
    // A mistyped name must not look like an account without operations.
    account::all(service, account.as_deref()).map_err(|error| error.to_string())?;
    Ok(account)
}

/// Prometheus' refresh interval. A header that is not a positive number counts as missing.
pub(super) fn interval(header: Option<&str>) -> Duration {
    let seconds = deadline::seconds(header);
    let given = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    given
        .filter(|given| !given.is_zero())
        .unwrap_or(DEFAULT_INTERVAL)
}

impl TargetGroup {
    fn new(account: &AccountSnapshot, operation: &ShownOperation) -> Self {
        let id = operation.id.to_string();
        let mut labels = BTreeMap::new();
        let mut add = |name: &str, value: String| labels.insert(format!("{META}{name}"), value);
        add("account", account.name.to_string());
        add("operation_id", id.clone());
        for (name, value) in &*operation.labels {
            add(&format!("label_{name}"), value.clone());
        }
        if let Some(seen) = &operation.seen {
            add("state", seen.state.as_str().to_owned());
            if let Some(size) = seen.stats.size {
                add("size", size.to_string());
            }
            add(
                "created_timestamp_seconds",
                seen.created.as_seconds().to_string(),
            );
            add(
                "expires_timestamp_seconds",
                seen.expires().as_seconds().to_string(),
            );
        }
        Self {
            targets: [id],
            labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_prometheus_interval_or_one_minute() {
        assert_eq!(interval(Some(" 30 ")), Duration::from_secs(30));
        assert_eq!(interval(Some("0.5")), Duration::from_millis(500));
        for odd in [
            None,
            Some(""),
            Some("0"),
            Some("-1"),
            Some("NaN"),
            Some("inf"),
            Some("1m"),
        ] {
            assert_eq!(interval(odd), DEFAULT_INTERVAL, "{odd:?}");
        }
    }
}
