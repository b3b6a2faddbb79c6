//! The runbooks: one for each alert, for a person who has five minutes.

use std::collections::BTreeSet;

use super::rules::alerts;
use super::{files, promql, read, root};

/// The sections of a runbook, in their order.
const SECTIONS: [&str; 6] = [
    "**In the next five minutes:** ",
    "## How bad is it?",
    "## Likely causes",
    "## What to do",
    "## Is it over?",
    "## When to ignore",
];

/// Alerts on lost emails. An email can be lost as long as Twilio retries, and the runbooks of these alerts explain that.
const OF_LOSSES: [&str; 7] = [
    "TwilioEmailBounceRate",
    "TwilioEmailBudgetBurn",
    "TwilioEmailLabelBudgetBurn",
    "TwilioEmailLossesUnusual",
    "TwilioEmailOperationFailing",
    "TwilioEmailOperationLateLosses",
    "TwilioEmailProviderFailing",
];

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let index = read(&root().join("docs/runbooks/README.md"));
    let mut pages: BTreeSet<String> = files("docs/runbooks", "md")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(pages.remove("README"));
    let names: BTreeSet<String> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(pages, names, "pages on the left, alerts on the right");
    for name in &names {
        let page = read(&root().join(format!("docs/runbooks/{name}.md")));
        let mut rest = page.strip_prefix(&format!("# {name}\n")).expect(name);
        for section in SECTIONS {
            let at = rest.find(section);
            rest = &rest[at.unwrap_or_else(|| panic!("{name}: no `{section}` in its place"))..];
        }
        let severities: BTreeSet<String> = alerts()
            .iter()
            .filter(|alert| alert.name == *name)
            .map(|alert| alert.label("severity").to_owned())
            .collect();
        let severities: Vec<String> = severities.into_iter().collect();
        let line = format!("| [{name}]({name}.md) | {} |", severities.join(", "));
        assert!(index.contains(&line), "the index has no `{line}`");
    }
}

#[test]
fn every_runbook_begins_with_what_to_do_and_shows_evidence_and_end_by_queries() {
    let pages = files("docs/runbooks", "md");
    let mut seen = 0;
    for path in pages.iter().filter(|path| !path.ends_with("README.md")) {
        seen += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let page = read(path);
        let first = page
            .lines()
            .find(|line| !line.starts_with('#') && !line.is_empty());
        let begins = first.is_some_and(|line| line.starts_with(SECTIONS[0]));
        assert!(begins, "{name} begins with {first:?}");
        for section in ["## How bad is it?", "## Is it over?"] {
            let text = page.split(section).nth(1).unwrap_or_default();
            let text = text.split("\n## ").next().unwrap_or_default();
            assert!(
                !promql::queries(text).is_empty(),
                "{name}: no query in `{section}`"
            );
        }
        let words: Vec<_> = page.split_whitespace().collect();
        let has_time = words
            .windows(2)
            .any(|pair| pair[0] == "72" && pair[1].starts_with("hours"));
        assert!(
            !OF_LOSSES.contains(&name) || has_time,
            "{name} does not say how long losses may follow"
        );
    }
    assert!(seen > 20, "only {seen} runbooks");
}
