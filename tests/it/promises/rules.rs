//! The rule files and their tests, parsed from YAML.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{files, read};

/// One alerting rule.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: String,
    /// The value of `for`.
    pub(super) span: Option<String>,
    rule: Value,
}

impl Alert {
    /// A label; empty if there is none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.rule["labels"][name].as_str().unwrap_or_default()
    }

    /// An annotation; empty if there is none.
    pub(super) fn annotation(&self, name: &str) -> &str {
        self.rule["annotations"][name].as_str().unwrap_or_default()
    }
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every rule file that is shipped, with its content.
pub(super) fn rule_files() -> Vec<(PathBuf, Value)> {
    let found = files("deploy/prometheus/rules", "yml");
    assert!(found.len() >= 5, "only {found:?}");
    found
        .into_iter()
        .map(|path| (path.clone(), yaml(&path)))
        .collect()
}

fn rules() -> Vec<Value> {
    let items = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let groups = rule_files()
        .into_iter()
        .flat_map(|(_, file)| items(&file, "groups"));
    groups.flat_map(|group| items(&group, "rules")).collect()
}

/// The names that are recorded.
pub(super) fn recorded() -> Vec<String> {
    let rules = rules();
    let names = rules.iter().filter_map(|rule| rule["record"].as_str());
    names.map(str::to_owned).collect()
}

pub(super) fn alerts() -> Vec<Alert> {
    let named = rules().into_iter().filter_map(|rule| {
        Some(Alert {
            name: rule["alert"].as_str()?.to_owned(),
            span: rule["for"].as_str().map(str::to_owned),
            rule,
        })
    });
    named.collect()
}

/// The alerts that a test expects to fire, with their texts, and those that it expects not to fire.
pub(super) fn tested() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut firing, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for path in files("tests/rules", "yml") {
        for test in yaml(&path)["tests"].as_array().unwrap() {
            for expected in test["alert_rule_test"].as_array().into_iter().flatten() {
                let name = expected["alertname"].as_str().unwrap().to_owned();
                let alerts = expected["exp_alerts"].as_array();
                let alerts = alerts.unwrap_or_else(|| panic!("{}: {expected}", path.display()));
                let texts = |alert: &Value| alert["exp_annotations"]["description"].is_string();
                if alerts.is_empty() {
                    silent.insert(name);
                } else if alerts.iter().all(texts) {
                    firing.insert(name);
                }
            }
        }
    }
    (firing, silent)
}
