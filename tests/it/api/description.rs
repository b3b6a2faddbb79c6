//! The description of the API matches its paths and methods; `tests/api` checks the responses.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use twilio_email_exporter::simulator::operation_id;

use super::{get, request, start};
use crate::support::exporter::{account, one_account, operations};
use crate::support::twilio::Twilio;

#[tokio::test]
async fn the_description_has_exactly_the_paths_and_methods_of_the_api() {
    let twilio = Twilio::empty().await;
    let exporter = start(&one_account(&twilio, "")).await;
    let id = twilio.put(Duration::ZERO, json!({"total": 7})).to_string();
    let response = get(&exporter, "/api/v1/openapi.json").await;
    assert_eq!(response.body["openapi"], "3.1.0");
    let paths = response.body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 4);
    for (path, described) in paths {
        for name in ["get", "put", "post", "delete", "patch", "options"] {
            let method = Method::from_bytes(name.to_uppercase().as_bytes()).unwrap();
            let path = path.replace("{id}", &id);
            let status = if path == "/" {
                // A page: its errors are no problems of the API.
                let request = exporter.client.request(method, exporter.url("/"));
                request.send().await.unwrap().status().as_u16()
            } else {
                request(&exporter, method, &path, None).await.status
            };
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

/// Where `value` has another form than `schema`, whose references lead into `document`.
fn difference(value: &Value, schema: &Value, document: &Value, place: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.strip_prefix('#')?)?;
        return difference(value, schema, document, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let fits = |schema| difference(value, schema, document, place).is_none();
        let is_described = choices.iter().any(fits);
        return (!is_described).then(|| format!("{place}: {value} is none of {choices:?}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = schema["type"].as_array().cloned();
    let kinds = kinds.unwrap_or_else(|| vec![schema["type"].clone()]);
    let is_number = kind == "integer" && kinds.contains(&json!("number"));
    if !kinds.contains(&json!(kind)) && !is_number {
        return Some(format!("{place}: {value} is not of {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Some(format!("{place}: {value} is not one of {words:?}"));
    }
    match value {
        Value::Array(items) => {
            let mut items = items.iter();
            items.find_map(|item| difference(item, &schema["items"], document, place))
        }
        Value::Object(entries) => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let missing = required
                .iter()
                .find(|key| !entries.contains_key(key.as_str().unwrap_or_default()));
            if let Some(missing) = missing {
                return Some(format!("{place}: lacks {missing}"));
            }
            entries.iter().find_map(|(key, value)| {
                let place = format!("{place}.{key}");
                match schema["properties"].get(key) {
                    Some(schema) => difference(value, schema, document, &place),
                    None if schema["additionalProperties"].is_object() => None,
                    None => Some(format!("{place}: not described")),
                }
            })
        }
        _ => None,
    }
}

#[tokio::test]
async fn the_page_as_json_has_the_form_of_its_description() {
    let [twilio, refused] = [Twilio::empty().await, Twilio::empty().await];
    refused.fault("401");
    let hour = Duration::from_hours(1);
    twilio.put(hour, json!({"total": 7, "delivered": 6, "failed": 1}));
    let unknown = operation_id(twilio.handle.now() - hour, 9);
    let yaml = format!(
        "accounts:\n{}{}",
        account("fine", &twilio, &operations(&[unknown])),
        account("refused", &refused, "")
    );
    let exporter = start(&yaml).await.settled().await;
    let document = get(&exporter, "/api/v1/openapi.json").await.body;
    let path = &document["paths"]["/"]["get"];
    for (query, status) in [
        ("", "200"),
        ("?sort=worst&page=9", "200"),
        ("?sort=x", "400"),
    ] {
        let request = exporter.client.get(exporter.url(&format!("/{query}")));
        let response = request.header("Accept", "application/json").send().await;
        let response = response.unwrap();
        assert_eq!(response.status().as_str(), status);
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let schema = &path["responses"][status]["content"]["application/json"]["schema"];
        let found = difference(&body, schema, &document, "");
        assert_eq!(found, None, "{query}: {body:#}");
    }
    // The test itself notices what differs.
    let schema = json!({"$ref": "#/components/schemas/Finding"});
    let lacks = difference(&json!({"severity": "error"}), &schema, &document, "");
    assert!(lacks.is_some_and(|lacks| lacks.contains("lacks")));
}
