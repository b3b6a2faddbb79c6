//! The JSON of an operation in the API's responses. Its keys are a promise: `openapi.json` describes them, and tests compare both.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::operation::{Operation, Stat, Status};
use crate::registry::{Source, View};
use crate::timestamp::Timestamp;

/// One operation with its last known values.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: String,
    account: Arc<str>,
    /// All of the user's labels, including those that have no series.
    labels: BTreeMap<String, String>,
    /// The sources that list it; empty if it is known only from the account's list.
    sources: Vec<String>,
    /// `null` before the first successful read.
    state: Option<String>,
    /// `size`, `recipients`, `attempts`; each `null` until Twilio returns it.
    #[serde(flatten)]
    quantities: BTreeMap<&'static str, Option<u32>>,
    /// By status; `null` before the first successful read.
    emails: Option<BTreeMap<String, u32>>,
    created: Option<String>,
    updated: Option<String>,
    expires: Option<String>,
    /// Whether the last attempt to read it succeeded; `null` before the first attempt.
    up: Option<bool>,
    last_success: Option<String>,
}

impl Shown {
    pub(super) fn new(account: &Arc<str>, view: &View) -> Self {
        let seen = view.shown.seen.as_ref();
        let stats = seen.map(|seen| &seen.stats);
        Self {
            id: view.shown.id.to_string(),
            account: Arc::clone(account),
            labels: BTreeMap::clone(&view.labels),
            sources: view.sources.iter().map(name).collect(),
            state: seen.map(|seen| seen.state.as_str().to_owned()),
            quantities: Stat::QUANTITIES
                .into_iter()
                .map(|stat| (stat.field(), stats.and_then(|stats| stats.count(stat))))
                .collect(),
            emails: seen.map(emails),
            created: seen.map(|seen| seen.created.to_string()),
            updated: seen.and_then(|seen| seen.updated).map(text),
            expires: seen.map(|seen| seen.expires().to_string()),
            up: view.shown.up,
            last_success: view.shown.last_success.map(text),
        }
    }
}

/// A source's name in the API: its kind, then its path or name.
pub(super) fn name(source: &Source) -> String {
    match source {
        Source::Configuration => "configuration".to_owned(),
        Source::Api => "api".to_owned(),
        Source::File(path) => format!("file:{path}"),
        Source::Url(url) => format!("url:{url}"),
    }
}

fn text(time: Timestamp) -> String {
    time.to_string()
}

fn emails(seen: &Operation) -> BTreeMap<String, u32> {
    let known = Status::ALL.iter().zip(seen.stats.emails);
    let known = known.map(|(status, emails)| (status.as_str().to_owned(), emails));
    let unknown = seen.stats.unknown();
    let unknown = unknown
        .iter()
        .map(|(name, emails)| (name.as_str().to_owned(), *emails));
    known.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A quantity that is added to the table of stats is in every response immediately, so it needs a description.
    #[test]
    fn every_quantity_is_described_and_required() {
        let description: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let schema = &description["components"]["schemas"]["Operation"];
        for stat in Stat::QUANTITIES {
            let field = stat.field();
            assert!(schema["properties"][field].is_object(), "{field}");
            let required = schema["required"].as_array().unwrap();
            assert!(required.contains(&field.into()), "{field}");
        }
    }
}
