//! The facts of the page `/`: one value, from which HTML and JSON are written. It is collected from the last collections and makes
//! no request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::account::AccountSummary;
use super::filter::Filter;
use super::selection::Selection;
use crate::diagnosis::{self, ExporterFacts, Finding, Severity};
use crate::timestamp::Timestamp;
use crate::web::service::Service;

/// Nobody scrapes at a longer interval: Prometheus treats samples older than 5 minutes as stale.
const LONGEST_SCRAPE_INTERVAL: Duration = Duration::from_mins(10);

/// Everything on the page.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    pub(super) version: &'static str,
    pub(super) now: String,
    /// When the metrics were last scraped; `null` if nobody has scraped since the start.
    pub(super) last_scrape: Option<String>,
    /// What is wrong, the worst first.
    pub(super) findings: Vec<ShownFinding>,
    pub(super) accounts: Vec<AccountSummary>,
    pub(super) operations: Selection,
    #[serde(skip)]
    pub(super) scraped: Option<Timestamp>,
    #[serde(skip)]
    pub(super) at: Timestamp,
}

/// A finding as JSON.
#[derive(Debug, Serialize)]
pub(super) struct ShownFinding {
    severity: &'static str,
    code: &'static str,
    account: Option<String>,
    what: String,
    cause: String,
    cure: String,
    since: Option<String>,
    #[serde(skip)]
    pub(super) finding: Finding,
}

/// What all pages have in common.
#[derive(Debug)]
pub(super) struct Site {
    /// The relative path from the page to the root. Links are relative, because a proxy may serve the exporter under another path.
    root: &'static str,
    pub(super) metrics: String,
    pub(super) api: bool,
    pub(super) grafana: Option<Url>,
    /// The scrape configuration to paste into `prometheus.yml`; only on the page `/`.
    pub(super) snippet: String,
    pub(super) now: Timestamp,
}

impl Site {
    /// For the page `/`.
    pub(super) fn new(service: &Service) -> Self {
        Self {
            root: "./",
            metrics: service.telemetry_path.clone(),
            api: service.api,
            grafana: service.grafana.clone(),
            snippet: String::new(),
            now: service.clock.now(),
        }
    }

    /// For a page below `/operations/`.
    pub(super) fn of_operations(service: &Service) -> Self {
        Self {
            root: "../",
            ..Self::new(service)
        }
    }

    /// `path`, which begins with a slash, as a link from this page.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}{}", self.root, path.trim_start_matches('/'))
    }
}

impl Overview {
    /// The worst severity of each account that has a finding.
    pub(super) fn severities(&self) -> BTreeMap<Arc<str>, Severity> {
        let mut severities = BTreeMap::new();
        for ShownFinding { finding, .. } in &self.findings {
            if let Some(account) = &finding.account {
                // The worst is first.
                severities
                    .entry(Arc::clone(account))
                    .or_insert(finding.severity);
            }
        }
        severities
    }
}

impl ShownFinding {
    fn new(finding: Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code,
            account: finding.account.as_ref().map(ToString::to_string),
            what: finding.what.clone(),
            cause: finding.cause.clone(),
            cure: finding.cure.clone(),
            since: finding.since.map(|since| since.to_string()),
            finding,
        }
    }
}

/// The page as of now.
pub(super) async fn overview(service: &Service, filter: &Filter) -> Overview {
    let accounts = service.collector.overview().await;
    let now = service.clock.now();
    let scraped = service.scraped.last();
    let state = service.instruments.state();
    let is_durable = accounts.iter().all(|account| account.facts.is_durable);
    let mut findings = diagnosis::exporter(&ExporterFacts {
        failed_reload: service.reload.as_ref().and_then(|reload| reload.failed()),
        rebuilt_since: state.rebuilt_since(),
        file_lost_since: state.lost_since(),
        memory_only_since: if is_durable {
            None
        } else {
            service.instruments.started()
        },
        not_scraped_since: scraped.filter(|at| now.since(*at) > LONGEST_SCRAPE_INTERVAL),
    });
    findings.extend(
        accounts
            .iter()
            .flat_map(|account| diagnosis::account(&account.facts)),
    );
    let mut findings = diagnosis::merged(findings);
    // Stable: the exporter first, then accounts in the order of the configuration.
    findings.sort_by_key(|finding| finding.severity);
    Overview {
        version: env!("CARGO_PKG_VERSION"),
        now: now.to_string(),
        last_scrape: scraped.map(|at| at.to_string()),
        findings: findings.into_iter().map(ShownFinding::new).collect(),
        accounts: accounts
            .iter()
            .map(|account| AccountSummary::new(account, now))
            .collect(),
        operations: Selection::new(&accounts, filter, now),
        scraped,
        at: now,
    }
}
