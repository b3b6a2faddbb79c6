//! The tables have exactly the keys and variables that are read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::{Config, EmailsCollector, Limits, Overrides, Series, oauth, operation_url};

/// A key that no section has and that resembles none of theirs, in every mapping.
const UNKNOWN: &str = "
zzzzzzzzzzzz: 1
accounts:
- zzzzzzzzzzzz: 1
  oauth: {zzzzzzzzzzzz: 1}
  operations: [{zzzzzzzzzzzz: 1}]
  operation_urls:
  - zzzzzzzzzzzz: 1
    basic_auth: {zzzzzzzzzzzz: 1}
    authorization: {zzzzzzzzzzzz: 1}
    tls_config: {zzzzzzzzzzzz: 1}
series: {zzzzzzzzzzzz: 1}
collectors: {zzzzzzzzzzzz: 1, emails: {zzzzzzzzzzzz: 1}}
storage: {zzzzzzzzzzzz: 1}
";

#[test]
fn the_table_has_the_keys_that_the_sections_accept() {
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for section in SECTIONS {
        for key in section.keys {
            let path = format!("{}.{}", section.path, key.name);
            let mut inside = String::new();
            for part in path.split('.') {
                let name = part.trim_end_matches("[]").to_owned();
                table.entry(inside.clone()).or_default().insert(name);
                if !inside.is_empty() {
                    inside.push('.');
                }
                inside.push_str(part);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    std::fs::write(&file, UNKNOWN).unwrap();
    let overrides = Overrides {
        config_file: Some(file),
        ..Overrides::default()
    };
    let error = Config::load(&overrides, &|_| None).unwrap_err();
    let mut accepted = BTreeMap::new();
    for problem in &error.problems {
        let text = problem.to_string().replace("[0]", "[]");
        if let Some((place, known)) = text.split_once("unknown key `zzzzzzzzzzzz`") {
            let (_, known) = known.split_once("known here: ").expect(&text);
            let known = known.split(", ").map(str::to_owned).collect();
            accepted.insert(place.trim_end_matches(": ").to_owned(), known);
        }
    }
    assert_eq!(accepted, table);
}

#[test]
fn the_table_has_the_variables_that_are_read() {
    let read = RefCell::new(BTreeSet::new());
    let environment = |name: &str| {
        read.borrow_mut().insert(name.to_owned());
        None
    };
    let error = Config::load(&Overrides::default(), &environment);
    assert!(error.is_err());
    let mut table: BTreeSet<String> = BTreeSet::from([TOKEN_URL.to_owned()]);
    for name in CREDENTIALS.iter().flat_map(|row| row.names) {
        table.extend([(*name).to_owned(), format!("{name}_FILE")]);
    }
    assert_eq!(read.into_inner(), table);
}

#[test]
fn the_defaults_are_those_that_apply() {
    let (series, limits) = (Series::default(), Limits::default());
    let emails = EmailsCollector::default();
    for (section, name, default) in [
        ("series", "min_size", series.min_size.to_string()),
        (
            "series",
            "max_label_values",
            series.max_label_values.to_string(),
        ),
        (
            "collectors",
            "emails.max_domains",
            emails.max_domains.to_string(),
        ),
        (
            "collectors",
            "emails.max_sender_domains",
            emails.max_sender_domains.to_string(),
        ),
        (
            "collectors",
            "emails.max_emails",
            emails.max_emails.to_string(),
        ),
        (
            "collectors",
            "emails.request_share",
            emails.request_share.to_string(),
        ),
        (
            "accounts[]",
            "max_requests_per_second",
            limits.requests_per_second.to_string(),
        ),
        (
            "accounts[]",
            "max_concurrent_requests",
            limits.concurrent_requests.to_string(),
        ),
        (
            "accounts[]",
            "request_timeout",
            format!("{}s", limits.request_timeout.as_secs()),
        ),
        (
            "accounts[].oauth",
            "token_url",
            oauth::DEFAULT_TOKEN_URL.to_owned(),
        ),
        (
            "accounts[].operation_urls[]",
            "refresh_interval",
            format!("{}m", operation_url::REFRESH.as_secs() / 60),
        ),
        (
            "accounts[].operation_urls[]",
            "timeout",
            format!("{}s", operation_url::TIMEOUT.as_secs()),
        ),
    ] {
        let section = SECTIONS.iter().find(|each| each.path == section).unwrap();
        let key = section.keys.iter().find(|key| key.name == name).unwrap();
        assert_eq!(key.default, format!("`{default}`"), "{name}");
    }
}
