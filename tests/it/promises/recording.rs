//! Recording rules: all of them are used, and the table of `deploy/prometheus/README.md` says what each answers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::{recorded, rule_files};
use super::{files, promql, read, root, strings};

/// What a name is without its window: `1h` of `increase1h`.
fn without_window(name: &str) -> &str {
    let end = name.trim_end_matches(['m', 'h', 'd']);
    if end.len() == name.len() {
        return name;
    }
    let base = end.trim_end_matches(|c: char| c.is_ascii_digit());
    if base.len() == end.len() { name } else { base }
}

/// What alerts and other rules, dashboards and the queries of runbooks name.
fn used() -> BTreeSet<String> {
    let mut texts = Vec::new();
    for (_, file) in rule_files() {
        let groups = file["groups"].as_array().into_iter().flatten();
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()) {
            let mut inside = Vec::new();
            for part in ["expr", "annotations", "labels"] {
                strings(&rule[part], &mut inside);
            }
            // A rule that reads only itself is not used.
            let own = rule["record"].as_str().unwrap_or_default();
            let mentions = inside.iter().flat_map(|text| promql::mentions(text));
            texts.extend(
                mentions
                    .map(|mention| mention.name)
                    .filter(|name| name != own),
            );
        }
    }
    let dashboards = files("grafana", "json").into_iter().map(|path| read(&path));
    for text in dashboards {
        let mut inside = Vec::new();
        strings(&serde_json::from_str::<Value>(&text).unwrap(), &mut inside);
        let mentions = inside.iter().flat_map(|text| promql::mentions(text));
        texts.extend(mentions.map(|mention| mention.name));
    }
    for page in files("docs/runbooks", "md") {
        let queries = promql::queries(&read(&page));
        let mentions = queries.iter().flat_map(|query| promql::mentions(query));
        texts.extend(mentions.map(|mention| mention.name));
    }
    texts.into_iter().collect()
}

#[test]
fn nothing_is_recorded_that_nothing_uses() {
    let used = used();
    let recorded = recorded();
    assert!(recorded.len() > 50, "only {} names", recorded.len());
    let unused: Vec<&String> = recorded
        .iter()
        .filter(|name| !used.contains(*name))
        .collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn every_recording_rule_of_accounts_and_operations_is_in_the_table() {
    let page = read(&root().join("deploy/prometheus/README.md"));
    let table = page
        .split("## Recording rules for your own queries")
        .nth(1)
        .unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(without_window)
        .collect();
    let names = recorded();
    // The page says that those of labels are the same.
    let names: BTreeSet<&str> = names
        .iter()
        .filter(|name| !name.starts_with("account_label_value"))
        .map(|name| without_window(name))
        .collect();
    assert_eq!(rows, names, "the table on the left, the rules on the right");
}

#[test]
fn windows_are_found_at_the_end_of_names_alone() {
    assert_eq!(without_window("a:b:increase20m"), "a:b:increase");
    assert_eq!(without_window("a:b:ratio"), "a:b:ratio");
    assert_eq!(without_window("a:b:increase"), "a:b:increase");
    assert_eq!(without_window("a:b_3d:fast"), "a:b_3d:fast");
}
