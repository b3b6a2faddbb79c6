//! The description of the API matches its paths and methods; `tests/api` checks the responses.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{get, request, start};
use crate::support::exporter::one_account;
use crate::support::twilio::Twilio;

#[tokio::test]
async fn the_description_has_exactly_the_paths_and_methods_of_the_api() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7})).to_string();
    let response = get(&exporter, "/api/v1/openapi.json").await;
    assert_eq!(response.body["openapi"], "3.1.0");
    let paths = response.body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 3);
    for (path, described) in paths {
        for name in ["get", "put", "post", "delete", "patch", "options"] {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", &id);
            let status = request(&exporter, method, &path, None).await.status;
            let is_described = described.get(name).is_some();
            assert_eq!(status != 405, is_described, "{name} {path}");
            if is_described {
                let responses = described[name]["responses"].as_object().unwrap();
                assert!(
                    responses.contains_key(&status.to_string()),
                    "{name} {path}: {status}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_description_resolves() {
    fn references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
        match value {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value.as_str().filter(|_| key == "$ref") {
                        Some(reference) => found.push(reference),
                        None => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let described = get(&exporter, "/api/v1/openapi.json").await.body;
    let mut found = Vec::new();
    references(&described, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(described.pointer(pointer).is_some(), "{reference}");
    }
}
