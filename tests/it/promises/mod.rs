//! Rules, dashboards and pages name only metrics and labels that exist, and every alert has a runbook, links and tests.

mod known;
mod promql;
mod recording;
mod rules;
mod runbooks;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use known::Known;
use rules::{alerts, rule_files};

/// Where links to runbooks lead.
const RUNBOOKS: &str =
    "https://github.com/twilio-email-exporter/twilio-email-exporter/blob/main/docs/runbooks/";
/// The dashboards that alerts may lead to.
const DASHBOARDS: [&str; 4] = [
    "twilio-email-overview",
    "twilio-email-operation",
    "twilio-email-exporter",
    "twilio-email-deliverability",
];
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` with this extension; none where there is no such folder.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All strings inside a JSON document.
fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, into)),
        _ => {}
    }
}

/// Every text that names metrics, with its file: rules and dashboards string by string, pages whole.
fn texts() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for (path, rules) in rule_files() {
        let mut inside = Vec::new();
        strings(&rules, &mut inside);
        found.extend(inside.into_iter().map(|text| (path.clone(), text)));
    }
    for path in files("grafana", "json") {
        let mut inside = Vec::new();
        strings(&serde_json::from_str(&read(&path)).unwrap(), &mut inside);
        found.extend(inside.into_iter().map(|text| (path.clone(), text)));
    }
    let pages = [
        files("docs", "md"),
        files("deploy", "md"),
        files("grafana", "md"),
    ]
    .concat();
    for path in pages.into_iter().chain([root().join("README.md")]) {
        found.push((path.clone(), read(&path)));
    }
    assert!(found.len() > 300, "only {} texts found", found.len());
    found
}

#[test]
fn every_metric_and_label_that_is_named_exists() {
    let known = Known::new();
    let mut wrong = BTreeSet::new();
    let mut named = 0;
    for (path, text) in texts() {
        for mention in promql::mentions(&text) {
            named += 1;
            let problem = known.problem_with(&mention);
            wrong.extend(problem.map(|problem| format!("{}: {problem}", path.display())));
        }
        for label in promql::grouped_labels(&text) {
            if !known.has_label(&label) {
                wrong.insert(format!("{}: there is no label `{label}`", path.display()));
            }
        }
    }
    assert!(named > 500, "only {named} names found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rates_are_of_counters_and_over_at_least_four_scrapes() {
    let known = Known::new();
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for (path, text) in texts() {
        for rate in promql::rates(&text) {
            seen += 1;
            if !known.only_rises(&rate.metric) {
                wrong.insert(format!("{}: {} is no counter", path.display(), rate.metric));
            }
            // Of the 30 s that the guides recommend.
            let least = if path.starts_with(root().join("deploy/prometheus")) {
                // Rules hold at any scrape interval up to 5 minutes.
                3 * 300
            } else {
                4 * 30
            };
            if rate.seconds.is_some_and(|seconds| seconds < least) {
                wrong.insert(format!("{}: too short for {}", path.display(), rate.metric));
            }
        }
    }
    assert!(seen > 50, "only {seen} rates found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_alert_has_severity_summary_description_and_links() {
    let alerts = alerts();
    assert!(alerts.len() > 15, "only {} alerts found", alerts.len());
    for alert in &alerts {
        let name = &alert.name;
        assert!(name.starts_with("TwilioEmail"), "{name}");
        assert!(alert.span.is_some(), "{name} has no `for`");
        let severity = alert.label("severity");
        assert!(
            ["critical", "warning", "info"].contains(&severity),
            "{name}: {severity}"
        );
        for text in ["summary", "description"] {
            assert!(!alert.annotation(text).is_empty(), "{name} has no {text}");
        }
        let page = format!("{RUNBOOKS}{name}.md");
        assert_eq!(alert.annotation("runbook_url"), page, "{name}");
        let link = alert.annotation("dashboard_url");
        let uid = link
            .split("/d/")
            .nth(1)
            .and_then(|rest| rest.split('?').next());
        assert!(
            uid.is_some_and(|uid| DASHBOARDS.contains(&uid)),
            "{name}: {link}"
        );
    }
    for path in files("grafana", "json") {
        let dashboard: Value = serde_json::from_str(&read(&path)).unwrap();
        let uid = dashboard["uid"].as_str().unwrap_or_default();
        assert!(DASHBOARDS.contains(&uid), "{}: {uid}", path.display());
    }
}

#[test]
fn every_alert_has_a_test_that_fires_and_one_that_does_not() {
    let (firing, silent) = rules::tested();
    for alert in alerts() {
        assert!(
            firing.contains(&alert.name),
            "{} is never fired",
            alert.name
        );
        assert!(
            silent.contains(&alert.name),
            "{} is never silent",
            alert.name
        );
    }
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_succeed() {
    let rules: Vec<PathBuf> = rule_files().into_iter().map(|(path, _)| path).collect();
    promtool(&["check", "rules"], &rules);
    let tests = files("tests/rules", "yml");
    assert!(tests.len() >= 5, "only {tests:?}");
    // In parallel: some simulate days.
    std::thread::scope(|scope| {
        for file in &tests {
            scope.spawn(|| promtool(&["test", "rules"], std::slice::from_ref(file)));
        }
    });
}

/// Each query of a page becomes a rule, and promtool checks the rules.
#[test]
fn prometheus_parses_every_query_in_a_page() {
    let pages = [
        files("docs", "md"),
        files("deploy", "md"),
        vec![root().join("README.md")],
    ]
    .concat();
    let queries = pages.iter().flat_map(|page| promql::queries(&read(page)));
    let rules: Vec<Value> = queries
        .map(|query| json!({"record": "page:query", "expr": query}))
        .collect();
    let count = rules.len();
    assert!(count > 40, "only {count} queries found");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pages.yml");
    // JSON is YAML.
    let groups = json!({"groups": [{"name": "pages", "rules": rules}]});
    fs::write(&file, groups.to_string()).unwrap();
    promtool(&["check", "rules"], &[file]);
}

/// Blocks of YAML in a page that begin with the comment `# kind`.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let start = format!("```yaml\n# {kind}\n");
    let blocks = page.split(&start).skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap_or_default());
    blocks.map(|block| format!("{block}\n")).collect()
}

#[test]
fn every_configuration_in_a_page_loads() {
    let page = read(&root().join("docs/scaling.md"));
    let directory = tempfile::tempdir().unwrap();
    let mut configurations = Vec::new();
    for (at, block) in blocks(&page, "prometheus.yml").iter().enumerate() {
        let file = directory.path().join(format!("{at}.yml"));
        fs::write(&file, block).unwrap();
        configurations.push(file);
    }
    assert_eq!(configurations.len(), 4);
    for file in &configurations {
        promtool(&["check", "config"], std::slice::from_ref(file));
    }
    let manifests = blocks(&page, "kubernetes");
    let kinds: Vec<String> = manifests
        .iter()
        .flat_map(|block| block.split("---\n"))
        .map(|document| {
            let manifest: Value = serde_saphyr::from_str(document).unwrap();
            assert!(manifest["apiVersion"].is_string(), "{manifest}");
            assert!(manifest["metadata"]["name"].is_string(), "{manifest}");
            manifest["kind"].as_str().unwrap().to_owned()
        })
        .collect();
    let expected = ["Service", "StatefulSet", "ServiceMonitor", "ScrapeConfig"];
    assert_eq!(kinds, expected);
}

fn promtool(arguments: &[&str], files: &[PathBuf]) {
    assert!(!files.is_empty(), "{arguments:?}: no files");
    let output = Command::new("promtool")
        .args(arguments)
        .args(files)
        .output()
        .unwrap_or_else(|error| panic!("promtool: {error}; tests/run installs it"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "promtool {arguments:?}:\n{said}");
}
