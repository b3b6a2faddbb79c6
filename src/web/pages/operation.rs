//! The facts about one operation, for the table on `/` and for its own page. The HTML and the JSON have the same facts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::grafana;
use crate::operation::{Breakdown, Sums};
use crate::operation::{CountingMode, OperationId};
use crate::registry::Source;
use crate::snapshot::ShownOperation;
use crate::timestamp::Timestamp;
use crate::web::account;
use crate::web::service::Service;

/// The labels that can be the title of an operation; the first one that it has counts.
const TITLES: [&str; 3] = ["name", "title", "campaign"];

/// One operation on a page.
#[derive(Debug, Serialize)]
pub(super) struct OperationSummary {
    pub(super) id: String,
    pub(super) account: Arc<str>,
    /// The user's labels.
    pub(super) labels: Arc<BTreeMap<String, String>>,
    /// `null` before the first successful read, as are all values of Twilio's.
    pub(super) state: Option<String>,
    pub(super) size: Option<u32>,
    pub(super) recipients: Option<u32>,
    pub(super) attempts: Option<u32>,
    pub(super) emails: Option<Breakdown>,
    #[serde(flatten)]
    pub(super) outcome: Option<Sums>,
    pub(super) created: String,
    pub(super) age_seconds: u64,
    pub(super) updated: Option<String>,
    pub(super) expires: Option<String>,
    /// Whether the last attempt to read it succeeded; `null` before the first attempt.
    pub(super) up: Option<bool>,
    pub(super) last_success: Option<String>,
    #[serde(skip)]
    pub(super) times: Times,
}

/// The same times, for sentences.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    pub(super) created: Timestamp,
    pub(super) updated: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    pub(super) last_success: Option<Timestamp>,
}

/// Everything about one operation, for its own page.
#[derive(Debug, Serialize)]
pub(super) struct OperationDetails {
    #[serde(flatten)]
    pub(super) summary: OperationSummary,
    /// By label: the source whose value counts.
    pub(super) label_sources: BTreeMap<String, String>,
    /// The sources that list it; empty if only discovery found it.
    pub(super) sources: Vec<String>,
    /// The path that reads it now.
    pub(super) probe: String,
    /// Its dashboard, if a Grafana is configured.
    pub(super) grafana: Option<String>,
}

impl OperationSummary {
    pub(super) fn new(
        account: &Arc<str>,
        operation: &ShownOperation,
        mode: CountingMode,
        now: Timestamp,
    ) -> Self {
        let seen = operation.seen.as_ref();
        let stats = seen.map(|seen| &seen.stats);
        let emails = stats.map(|stats| Breakdown::of_stats(stats, mode));
        let created = seen.map_or_else(|| operation.id.created(), |seen| seen.created);
        let times = Times {
            now,
            created,
            updated: seen.and_then(|seen| seen.updated),
            expires: seen.map(crate::operation::Operation::expires),
            last_success: operation.last_success,
        };
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: operation.id.to_string(),
            account: Arc::clone(account),
            labels: Arc::clone(&operation.labels),
            state: seen.map(|seen| seen.state.as_str().to_owned()),
            size: stats.and_then(|stats| stats.size),
            recipients: stats.and_then(|stats| stats.recipients),
            attempts: stats.and_then(|stats| stats.attempts),
            emails,
            outcome: emails.map(|emails| emails.sums()),
            created: created.to_string(),
            age_seconds: now.since(created).as_secs(),
            updated: text(times.updated),
            expires: text(times.expires),
            up: operation.up,
            last_success: text(times.last_success),
            times,
        }
    }

    /// The title for people: the value of the first title label that it has.
    pub(super) fn title(&self) -> Option<&str> {
        TITLES
            .iter()
            .find_map(|name| self.labels.get(*name))
            .map(String::as_str)
            .filter(|title| !title.trim().is_empty())
    }

    /// The address of its page.
    pub(super) fn link(&self) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("account", &self.account);
        format!("/operations/{}?{}", self.id, query.finish())
    }
}

/// The operation with this id, in the account of this name or in any. The error is a sentence.
pub(super) fn find(
    service: &Service,
    id: &str,
    account: Option<&str>,
) -> Result<OperationDetails, String> {
    let id: OperationId = id
        .parse()
        .map_err(|_| "This address names no operation. Its end must be an operation's id.")?;
    let accounts = account::all(service, account).map_err(|error| error.to_string())?;
    let found = accounts
        .into_iter()
        .find_map(|account| Some((account.view(id)?, account)));
    let (view, account) = found.ok_or(
        "The exporter does not know this operation. It has expired, it is not discovered yet, or it belongs to another account.",
    )?;
    let mut shown = view.shown;
    // Series have some of the labels; the page has all of them.
    shown.labels = Arc::clone(&view.labels);
    let mode = account.counting_mode();
    let summary = OperationSummary::new(account.name(), &shown, mode, service.clock.now());
    let listed = account.listed_labels(id);
    let origin = |label: &str| {
        let listing = listed.iter().find(|(_, labels)| labels.contains_key(label));
        // A label that no source lists is a tag of the emails.
        listing.map_or_else(
            || "a tag of its emails".to_owned(),
            |(source, _)| name(source),
        )
    };
    let label_sources = summary.labels.keys();
    let label_sources = label_sources
        .map(|label| (label.clone(), origin(label)))
        .collect();
    let mut probe = Serializer::new(String::new());
    probe.append_pair("target", &summary.id);
    probe.append_pair("account", &summary.account);
    let grafana = service.grafana.as_ref();
    Ok(OperationDetails {
        label_sources,
        sources: view.sources.iter().map(name).collect(),
        probe: format!("/probe?{}", probe.finish()),
        grafana: grafana.map(|base| grafana::operation(base, &summary.account, &summary.id)),
        summary,
    })
}

/// A source for people.
fn name(source: &Source) -> String {
    match source {
        Source::Configuration => "the configuration".to_owned(),
        Source::Api => "the HTTP API".to_owned(),
        Source::File(path) => format!("the file {path}"),
        Source::Url(url) => format!("the URL {url}"),
    }
}
