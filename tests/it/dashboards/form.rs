//! The structure of the dashboards: ids, descriptions, variables, links.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::dashboard::{Dashboard, array, text, variables_in};

/// Links lead here, or to another dashboard.
const RUNBOOKS: &str =
    "https://github.com/twilio-email-exporter/twilio-email-exporter/tree/main/docs/runbooks";

#[test]
fn the_dashboards_are_what_their_generator_writes() {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana/generate");
    let output = Command::new("python3").arg(program).arg("--check").output();
    let output = output.expect("python3; tests/run installs it");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{said}run: python3 grafana/generate"
    );
}

#[test]
fn the_dashboards_have_different_names_and_link_to_each_other() {
    let all = Dashboard::all();
    assert_eq!(all.len(), 4, "dashboards");
    for key in ["uid", "title"] {
        let values: BTreeSet<_> = all.iter().map(|it| text(&it.json[key])).collect();
        assert_eq!(values.len(), all.len(), "{key}s differ: {values:?}");
    }
    for dashboard in &all {
        let mut found = Vec::new();
        keyed("url", &dashboard.json, &mut found);
        let found: Vec<_> = found.into_iter().map(text).collect();
        let others = all.iter().filter(|other| other.file != dashboard.file);
        for other in others {
            let path = format!("/d/{}", text(&other.json["uid"]));
            assert!(
                found.contains(&path.as_str()),
                "{} to {path}",
                dashboard.file
            );
        }
        for link in &found {
            let known = |other: &Dashboard| {
                let path = format!("/d/{}", text(&other.json["uid"]));
                *link == path || link.starts_with(&format!("{path}?"))
            };
            let known = *link == RUNBOOKS || all.iter().any(known);
            assert!(known, "{}: {link} leads nowhere", dashboard.file);
        }
    }
}

#[test]
fn every_panel_has_a_description() {
    for dashboard in Dashboard::all() {
        let (mut titles, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for panel in dashboard.panels() {
            let at = format!("{}: {}", dashboard.file, text(&panel["title"]));
            assert!(titles.insert(text(&panel["title"])), "{at} is used twice");
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{at}: its id");
            assert!(text(&panel["description"]).len() > 20, "{at}: description");
            if panel["type"] == "text" {
                continue;
            }
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text(&defaults["unit"]).is_empty(), "{at}: unit");
            if ["stat", "gauge", "bargauge"].contains(&text(&panel["type"])) {
                let steps = array(&defaults["thresholds"]["steps"]);
                assert!(!steps.is_empty(), "{at}: thresholds");
            }
            assert!(!array(&panel["targets"]).is_empty(), "{at}: queries");
        }
    }
}

#[test]
fn variables_are_defined_and_used_and_there_is_one_data_source() {
    for dashboard in Dashboard::all() {
        let file = &dashboard.file;
        let defined = dashboard.variables().iter();
        let defined: BTreeSet<_> = defined.map(|it| text(&it["name"])).collect();
        let mut texts = Vec::new();
        strings(&dashboard.json, &mut texts);
        let used = texts.iter().flat_map(|text| variables_in(text));
        // In patterns, `$` and `$1` mean something else.
        let used = used.filter(|name| !name.starts_with("__") && !["", "1"].contains(name));
        let used: BTreeSet<_> = used.collect();
        assert_eq!(used, defined, "{file}: variables used, defined");
        let mut sources = Vec::new();
        keyed("datasource", &dashboard.json, &mut sources);
        let one = json!({"type": "prometheus", "uid": "${datasource}"});
        assert!(
            sources.iter().all(|source| **source == one),
            "{file}: {sources:?}"
        );
        for panel in dashboard.panels() {
            if panel["type"] == "text" {
                continue;
            }
            let askers = std::iter::once(panel).chain(array(&panel["targets"]));
            for asker in askers {
                assert_eq!(asker["datasource"], one, "{file}: {}", panel["title"]);
            }
        }
    }
}

#[test]
fn no_panel_overlaps_another() {
    for dashboard in Dashboard::all() {
        let mut taken = BTreeSet::new();
        for panel in array(&dashboard.json["panels"]) {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(
                at("x") + at("w") <= 24,
                "{}: {}",
                dashboard.file,
                panel["title"]
            );
            for (x, y) in (at("x")..at("x") + at("w"))
                .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
            {
                let free = taken.insert((x, y));
                assert!(free, "{}: {} at {x}, {y}", dashboard.file, panel["title"]);
            }
        }
    }
}

#[test]
fn every_query_is_about_the_chosen_jobs_and_accounts() {
    for dashboard in Dashboard::all() {
        let mut queries = Vec::new();
        keyed("expr", &dashboard.json, &mut queries);
        keyed("query", &dashboard.json["templating"], &mut queries);
        let queries = queries.iter().filter_map(|query| query.as_str());
        for query in
            queries.filter(|query| query.contains("twilio_email_") || query.contains("ALERTS"))
        {
            for (metric, matchers) in selectors(query) {
                let at = format!("{}: {metric}{{{matchers}}}", dashboard.file);
                // The list of jobs itself is about all of them.
                let lists_jobs = query == "label_values(twilio_email_exporter_build_info, job)";
                assert!(
                    lists_jobs || matchers.contains(r#"job=~"$job"#),
                    "{at}: $job"
                );
                let lists_accounts =
                    query == r#"label_values(twilio_email_up{job=~"$job"}, account)"#;
                let of_account = metric.starts_with("twilio_email_")
                    && !metric.starts_with("twilio_email_exporter_");
                if (of_account || metric == "ALERTS") && !lists_accounts {
                    assert!(matchers.contains(r#"account=~"$account"#), "{at}: $account");
                }
                if metric.ends_with("_by_label") || metric.ends_with("_by_label_total") {
                    let lists = matchers == r#"job=~"$job",account=~"$account""#
                        || matchers == r#"job=~"$job",account=~"$account",label="$label""#;
                    let chosen = matchers.contains(r#"label="$label",value=~"$value""#);
                    assert!(chosen || lists, "{at}: $label, $value");
                }
            }
        }
    }
}

/// The metrics that a query selects, each with what stands between its braces.
fn selectors(query: &str) -> Vec<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut found = Vec::new();
    let starts = ["twilio_email_", "ALERTS", "process_", "scrape_", "up{"];
    for start in starts {
        for (at, _) in query.match_indices(start) {
            // A part of a longer name, or the text of a matcher.
            if query[..at].ends_with(|c: char| is_name(c) || c == '"') {
                continue;
            }
            let rest = &query[at..];
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let matchers = rest[end..]
                .strip_prefix('{')
                .and_then(|rest| rest.split_once('}'));
            found.push((&rest[..end], matchers.map_or("", |(matchers, _)| matchers)));
        }
    }
    assert!(!found.is_empty(), "{query}");
    found
}

#[test]
fn a_link_to_an_operation_shows_its_whole_life() {
    let mut links = 0;
    for dashboard in Dashboard::all() {
        for panel in dashboard.panels() {
            let mut found = Vec::new();
            keyed("url", panel, &mut found);
            let of_operation = found
                .into_iter()
                .map(text)
                .filter(|url| url.contains("operation_id"));
            for url in of_operation {
                links += 1;
                let at = format!("{}: {}: {url}", dashboard.file, panel["title"]);
                assert!(url.contains("&to=now"), "{at}");
                if url.contains("from=${__value.numeric}") {
                    continue;
                }
                assert!(url.contains("from=${__data.fields.begun.numeric}"), "{at}");
                let mut names = Vec::new();
                strings(&panel["fieldConfig"]["overrides"], &mut names);
                assert!(names.contains(&"begun"), "{at}: a column `begun`");
            }
        }
    }
    assert!(links >= 4, "links to operations: {links}");
}

#[test]
fn axes_have_no_fixed_number_of_decimals() {
    // With one, the marks between 0 and 1 would all be called 0 or 1.
    for dashboard in Dashboard::all() {
        let graphs = dashboard.panels().into_iter();
        for graph in graphs.filter(|panel| panel["type"] == "timeseries") {
            let defaults = &graph["fieldConfig"]["defaults"];
            assert!(
                defaults.get("decimals").is_none(),
                "{}: {}",
                dashboard.file,
                graph["title"]
            );
        }
    }
}

#[test]
fn marks_of_alerts_read_only_labels_that_every_alert_fills() {
    // Where an alert's own label comes out empty, Prometheus keeps the text of its template in `ALERTS`.
    for dashboard in Dashboard::all() {
        let annotation = &dashboard.json["annotations"]["list"][0];
        let expr = text(&annotation["target"]["expr"]);
        let labels = expr
            .strip_prefix("max by (")
            .and_then(|rest| rest.split_once(')'));
        let labels: BTreeSet<_> = labels.expect(expr).0.split(", ").collect();
        assert!(!labels.contains("campaign"), "{}: {expr}", dashboard.file);
        let shown = [
            text(&annotation["titleFormat"]),
            text(&annotation["textFormat"]),
        ]
        .join(" ");
        for label in shown.split_whitespace() {
            let label = label.trim_start_matches("{{").trim_end_matches("}}");
            assert!(
                labels.contains(label),
                "{}: {label} of {labels:?}",
                dashboard.file
            );
        }
    }
}

#[test]
fn lost_shares_are_marked_where_providers_act() {
    let overview = Dashboard::named("overview.json");
    let mut panels = overview.panels().into_iter();
    let graph = panels
        .find(|panel| panel["title"] == "Lost, by ${label}")
        .unwrap();
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/dashboards.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let mut lines = Vec::new();
    for target in array(&graph["targets"]) {
        if let Some(share) = text(&target["expr"]).strip_prefix("vector(") {
            let share: f64 = share.trim_end_matches(')').parse().unwrap();
            let share = (share * 1000.0).round() / 10.0;
            let legend = text(&target["legendFormat"]);
            assert!(legend.starts_with(&format!("{share}%")), "{target}");
            let name = format!("{share}%");
            // With its source.
            let row = docs
                .lines()
                .find(|line| line.starts_with(&format!("| {name}")));
            assert!(
                row.is_some_and(|row| row.contains("](https://")),
                "docs/dashboards.md: {name}"
            );
            lines.push(name);
        }
    }
    assert_eq!(lines, ["2%", "5%", "10%", "0.3%"]);
}

/// All values of that key, however deep.
fn keyed<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| keyed(key, value, found)),
        Value::Object(object) => {
            found.extend(object.get(key));
            object.values().for_each(|value| keyed(key, value, found));
        }
        _ => {}
    }
}

/// All texts, however deep.
fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(object) => object.values().for_each(|value| strings(value, found)),
        Value::String(text) => found.push(text),
        _ => {}
    }
}
