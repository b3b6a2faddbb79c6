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
    assert_eq!(all.len(), 3, "dashboards");
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
        // In the patterns of value mappings, `$` and `$1` mean something else.
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
