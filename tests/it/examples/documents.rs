//! Documents in pages: JSON and YAML can be parsed, and each kind of configuration is accepted by its own reader.

use std::process::Command;

use serde_json::{Value, json};
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::operation::OperationId;

use super::{Block, blocks, directory_with};

/// A made-up secret, for each file that an example names.
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The reader of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// The exporter's configuration file.
    Exporter,
    /// Prometheus' configuration file.
    Prometheus,
    /// A file of recording rules.
    Rules,
    /// A list of operations.
    Operations,
    /// Any other: Kubernetes, the chart, a web configuration with placeholders.
    Other,
}

fn reader_of(document: &Value) -> Reader {
    let has = |key: &str| document.get(key).is_some();
    let first_has = |key: &str| document.get(0).is_some_and(|item| item.get(key).is_some());
    if has("accounts") {
        Reader::Exporter
    } else if has("scrape_configs") || has("remote_write") {
        Reader::Prometheus
    } else if first_has("record") {
        Reader::Rules
    } else if first_has("targets") {
        Reader::Operations
    } else {
        Reader::Other
    }
}

/// The configuration file of `document`, whose secrets are in files beside it.
fn check_exporter(document: &Value, place: &str) {
    let mut document = document.clone();
    name_secrets(&mut document);
    let files = [
        ("secret".to_owned(), SECRET.to_owned()),
        ("config.yml".to_owned(), document.to_string()),
    ];
    let directory = directory_with(&files);
    let overrides = Overrides {
        config_file: Some(directory.path().join("config.yml")),
        ..Overrides::default()
    };
    let loaded = Config::load(&overrides, &|_| None);
    assert!(loaded.is_ok(), "{place}: {:?}", loaded.err());
}

/// Makes every key that names the file of a secret or of a certificate name the file `secret`.
fn name_secrets(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(name_secrets),
        Value::Object(fields) => {
            for (key, field) in fields {
                let is_read = [
                    "token_file",
                    "secret_file",
                    "password_file",
                    "credentials_file",
                    "ca_file",
                    "cert_file",
                    "key_file",
                ];
                if is_read.iter().any(|ending| key.ends_with(ending)) {
                    *field = json!("secret");
                } else {
                    name_secrets(field);
                }
            }
        }
        _ => {}
    }
}

fn check_by_promtool(arguments: &[&str], document: &Value, place: &str) {
    let directory = directory_with(&[("file.yml".to_owned(), document.to_string())]);
    let output = Command::new("promtool")
        .args(arguments)
        .arg(directory.path().join("file.yml"))
        .output();
    let output = output.expect("promtool is not installed here; run the tests with tests/run");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{place}: {text}");
}

fn check_operations(document: &Value, place: &str) {
    for group in document.as_array().unwrap() {
        for target in group["targets"].as_array().unwrap() {
            let id = target.as_str().unwrap().parse::<OperationId>();
            assert!(id.is_ok(), "{place}: {target}");
        }
    }
}

/// The documents of a block, which `---` separates.
fn documents(block: &Block) -> Vec<Value> {
    let texts = block.text.split("---\n");
    let parsed = texts.map(|text| {
        serde_saphyr::from_str(text)
            .unwrap_or_else(|error| panic!("{}: {error}\n{text}", block.place()))
    });
    parsed.collect()
}

#[test]
fn every_yaml_document_in_a_page_is_accepted_by_its_reader() {
    let mut readers = Vec::new();
    for block in blocks("yaml") {
        let place = block.place();
        for document in documents(&block) {
            let reader = reader_of(&document);
            readers.push(reader);
            match reader {
                Reader::Exporter => check_exporter(&document, &place),
                Reader::Prometheus => {
                    check_by_promtool(&["check", "config", "--syntax-only"], &document, &place);
                }
                Reader::Rules => {
                    let rules = json!({"groups": [{"name": "page", "rules": document}]});
                    check_by_promtool(&["check", "rules"], &rules, &place);
                }
                Reader::Operations => check_operations(&document, &place),
                Reader::Other => {}
            }
        }
    }
    let count = |wanted| readers.iter().filter(|reader| **reader == wanted).count();
    let counts = [
        Reader::Exporter,
        Reader::Prometheus,
        Reader::Rules,
        Reader::Operations,
    ]
    .map(count);
    let fewest = [2, 5, 1, 1];
    assert!(
        counts
            .iter()
            .zip(fewest)
            .all(|(count, fewest)| *count >= fewest),
        "{counts:?}"
    );
}

#[test]
fn every_json_document_in_a_page_can_be_parsed() {
    let found = blocks("json");
    assert!(found.len() >= 3, "only {} found", found.len());
    for block in found {
        let parsed = serde_json::from_str::<Value>(&block.text);
        assert!(parsed.is_ok(), "{}: {:?}", block.place(), parsed.err());
    }
}
