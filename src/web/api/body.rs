//! Parses the body of a registration: one operation, a list of operations, or Twilio's response to a send request. The size, the
//! number of operations and the time are limited. Problems never repeat a value of the body.

use std::str::FromStr;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::Semaphore;

use super::problem::ProblemDetails;
use crate::document::walk::{Mapping, Value};
use crate::document::{Findings, json};
use crate::label;
use crate::operation::OperationId;
use crate::snapshot::Labels;
use crate::web::guard::is_json;

/// The largest body, in bytes: the maximum of operations, each with a few labels.
pub(super) const LARGEST: usize = 4 * 1024 * 1024;
/// The most operations in one body. A client with more sends several requests.
const MAX_OPERATIONS: usize = 10_000;
/// The most values and keys: the maximum of operations, each with the maximum of labels.
const MAX_NODES: usize = 1 + MAX_OPERATIONS * 40;
/// The most problems reported per operation.
const MAX_PROBLEMS: usize = 10;
/// The longest time for receiving a body.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The operations to register. A problem with one operation of a list does not affect the others.
pub(super) enum RegistrationBody {
    One(Result<RequestedOperation, ProblemDetails>),
    List(Vec<Result<RequestedOperation, ProblemDetails>>),
}

/// One operation that is to be registered.
#[derive(Debug)]
pub(super) struct RequestedOperation {
    pub(super) id: OperationId,
    pub(super) account: Option<String>,
    pub(super) labels: Labels,
}

/// Reads the body of a request, and parses it with a permit of `parsers`.
pub(super) async fn read(
    request: Request,
    parsers: &Semaphore,
) -> Result<RegistrationBody, ProblemDetails> {
    if !is_json(request.headers()) {
        let detail = "The body must be JSON, with the header Content-Type: application/json.";
        return Err(ProblemDetails::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            detail,
        ));
    }
    if request.body().size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    let arrived = tokio::time::timeout(RECEIVE_TIMEOUT, Bytes::from_request(request, &())).await;
    let bytes = arrived.map_err(|_| {
        let detail = format!(
            "The body took longer than {} s to arrive.",
            RECEIVE_TIMEOUT.as_secs()
        );
        ProblemDetails::new(StatusCode::REQUEST_TIMEOUT, detail)
    })?;
    let bytes = bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ProblemDetails::bad_request("The body did not arrive completely."),
    })?;
    let _permit = parsers.acquire().await;
    let parsed = tokio::task::spawn_blocking(move || parse(&bytes)).await;
    parsed.unwrap_or_else(|_| {
        let detail = "The exporter is stopping.";
        Err(ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail))
    })
}

fn too_large() -> ProblemDetails {
    let detail = format!("The body has more than {LARGEST} bytes; send several.");
    ProblemDetails::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

pub(super) fn parse(bytes: &[u8]) -> Result<RegistrationBody, ProblemDetails> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| ProblemDetails::bad_request("The body is not text in UTF-8."))?;
    let mut findings = Findings::default();
    let node = json::parse(text, MAX_NODES, &mut findings);
    let node = node.ok_or_else(|| ProblemDetails::malformed(&findings))?;
    let root = Value::root(&node);
    if !root.is_list() {
        return Ok(RegistrationBody::One(read_one(&root)));
    }
    if root.length() > MAX_OPERATIONS {
        let detail = format!("The list has more than {MAX_OPERATIONS} operations; send several.");
        return Err(ProblemDetails::bad_request(detail));
    }
    let items = root.list(&mut findings).unwrap_or_default();
    Ok(RegistrationBody::List(items.iter().map(read_one).collect()))
}

fn read_one(value: &Value) -> Result<RequestedOperation, ProblemDetails> {
    let mut findings = Findings::up_to(MAX_PROBLEMS);
    let requested = value
        .mapping(&mut findings)
        .and_then(|mapping| read_mapping(mapping, &mut findings));
    match requested {
        Some(requested) if findings.problems.is_empty() => Ok(requested),
        _ => Err(ProblemDetails::malformed(&findings)),
    }
}

fn read_mapping(mut mapping: Mapping, findings: &mut Findings) -> Option<RequestedOperation> {
    let account = mapping.take("account");
    let account = account.and_then(|account| account.text(findings).map(str::to_owned));
    let labels = mapping.take("labels");
    let labels = labels.map_or_else(Labels::default, |labels| read_labels(&labels, findings));
    // Twilio's response to a send may get new keys. In our own form an unknown key is a typing error.
    let id = if mapping.has("operationId") {
        if mapping.has("id") {
            findings.problem(
                &mapping.place_of("id"),
                "set together with operationId; remove one",
            );
        }
        mapping.take("operationId")
    } else {
        let id = mapping.require("id", findings);
        mapping.finish(findings);
        id
    }?;
    let text = id.text(findings)?;
    let id = findings.take(&id.place, OperationId::from_str(text))?;
    Some(RequestedOperation {
        id,
        account,
        labels,
    })
}

fn read_labels(value: &Value, findings: &mut Findings) -> Labels {
    let Some(mapping) = value.mapping(findings) else {
        return Labels::default();
    };
    let text = |value: &Value, findings: &mut Findings| value.text(findings).map(str::to_owned);
    label::read(mapping.entries(), &value.place, text, findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    fn one(text: &str) -> Result<RequestedOperation, String> {
        match parse(text.replace("$ID", ID).as_bytes()) {
            Ok(RegistrationBody::One(requested)) => requested.map_err(|problem| errors(&problem)),
            Ok(RegistrationBody::List(_)) => Err("a list".to_owned()),
            Err(problem) => Err(errors(&problem)),
        }
    }

    fn errors(problem: &ProblemDetails) -> String {
        serde_json::to_string(&problem.errors).unwrap()
    }

    #[test]
    fn the_apis_own_form_and_twilios_response_are_parsed() {
        let ours = r#"{"id": "$ID", "account": "a", "labels": {"campaign": "spring"}}"#;
        let requested = one(ours).unwrap();
        assert_eq!(requested.id.to_string(), ID);
        assert_eq!(requested.account.as_deref(), Some("a"));
        assert_eq!(requested.labels["campaign"], "spring");
        let twilios = r#"{"operationId": "$ID", "operationLocation": "https://example.com/x", "later": {"a": [1]}}"#;
        let requested = one(twilios).unwrap();
        assert_eq!(
            (requested.id.to_string().as_str(), requested.account),
            (ID, None)
        );
        let with_labels = r#"{"operationId": "$ID", "labels": {"a": "b"}, "account": null}"#;
        assert_eq!(one(with_labels).unwrap().labels["a"], "b");
    }

    #[test]
    fn a_problem_names_its_place_and_repeats_no_value() {
        for (text, place) in [
            ("", "line 1, column 0"),
            ("7", "\"\""),
            ("{}", "\"id\""),
            (r#"{"id": 7}"#, "\"id\""),
            (r#"{"id": "s3cret"}"#, "\"id\""),
            (r#"{"id": "$ID", "operationId": "$ID"}"#, "\"id\""),
            (r#"{"id": "$ID", "lables": {}}"#, "did you mean `labels`?"),
            (r#"{"id": "$ID", "labels": ["s3cret"]}"#, "\"labels\""),
            (r#"{"id": "$ID", "labels": {"a": 1}}"#, "\"labels.a\""),
            (
                r#"{"id": "$ID", "labels": {"account": "s3cret"}}"#,
                "\"labels.account\"",
            ),
            (
                r#"{"id": "$ID", "labels": {"__a": "s3cret"}}"#,
                "\"labels.__a\"",
            ),
            (r#"{"id": "$ID", "account": 7}"#, "\"account\""),
            (r#"{"id": "$ID", "id": "$ID"}"#, "given twice"),
        ] {
            let errors = one(text).expect_err(text);
            assert!(errors.contains(place), "{text}: {errors}");
            assert!(!errors.contains("s3cret"), "{text}: {errors}");
        }
    }

    #[test]
    fn a_list_is_limited_and_a_problem_affects_one_operation() {
        let list = format!("[{{\"id\": \"{ID}\"}}, null, {{\"id\": \"x\"}}]");
        let Ok(RegistrationBody::List(list)) = parse(list.as_bytes()) else {
            panic!("no list");
        };
        assert!(list[0].is_ok() && list.len() == 3);
        assert!(errors(list[1].as_ref().unwrap_err()).contains("\"[1]\""));
        assert!(errors(list[2].as_ref().unwrap_err()).contains("\"[2].id\""));
        let labels: Vec<_> = (0..16).map(|n| format!("\"l{n}\":\"\"")).collect();
        let full = format!(
            "{{\"id\":\"{ID}\",\"account\":\"a\",\"labels\":{{{}}}}}",
            labels.join(",")
        );
        let most = format!("[{}]", vec![full; MAX_OPERATIONS].join(","));
        assert!(
            matches!(parse(most.as_bytes()), Ok(RegistrationBody::List(list)) if list.iter().all(Result::is_ok))
        );
        let more = format!("[{}]", vec!["0"; MAX_OPERATIONS + 1].join(","));
        let problem = parse(more.as_bytes()).err().unwrap();
        assert!(
            problem.detail.contains("more than 10000"),
            "{}",
            problem.detail
        );
    }
}
