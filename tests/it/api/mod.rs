//! `/api/v1/operations`, as used by a sender.

mod description;
mod durable;
mod list;
mod register;

use reqwest::Method;
use serde_json::Value;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::exporter::Exporter;

/// The path of operations.
const OPERATIONS: &str = "/api/v1/operations";

/// A response.
#[derive(Debug)]
struct ApiResponse {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

async fn start(yaml: &str) -> Exporter {
    start_at(yaml, Clock::System).await
}

async fn start_at(yaml: &str, clock: Clock) -> Exporter {
    let options = Overrides {
        enable_api: Some(true),
        ..Overrides::default()
    };
    Exporter::start_with(yaml, clock, options).await
}

/// Makes one request; a body is sent as JSON. Every error must be a problem of RFC 9457.
async fn request(
    exporter: &Exporter,
    method: Method,
    path: &str,
    body: Option<String>,
) -> ApiResponse {
    let mut request = exporter.client.request(method, exporter.url(path));
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    if status >= 400 {
        assert_eq!(
            headers["content-type"], "application/problem+json",
            "{path}"
        );
        assert_eq!(body["status"], status, "{body}");
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{body}"
        );
    } else {
        assert_eq!(headers["content-type"], "application/json", "{path}");
    }
    ApiResponse {
        status,
        headers,
        body,
    }
}

async fn get(exporter: &Exporter, path: &str) -> ApiResponse {
    request(exporter, Method::GET, path, None).await
}

async fn post(exporter: &Exporter, body: &Value) -> ApiResponse {
    request(exporter, Method::POST, OPERATIONS, Some(body.to_string())).await
}

async fn delete(exporter: &Exporter, id: impl std::fmt::Display) -> ApiResponse {
    request(
        exporter,
        Method::DELETE,
        &format!("{OPERATIONS}/{id}"),
        None,
    )
    .await
}
