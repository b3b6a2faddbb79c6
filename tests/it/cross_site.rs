//! Requests that a page of another site makes a browser send, and what such a page can read of the responses.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Host, Overrides};

use crate::support::exporter::{Exporter, SID, TOKEN, one_account};
use crate::support::program::{Program, run};
use crate::support::twilio::Twilio;

const OPERATIONS: &str = "/api/v1/operations";
/// Markup that would run if a page contained it unescaped.
const HOSTILE: &str = "\"'><script>alert(1)</script>&<img src=x onerror=alert(2)>";

/// An exporter on which every path that changes something is enabled.
async fn writable(twilio: &Twilio, hosts: &[&str]) -> Exporter {
    let hosts = hosts.iter().map(|host| Host::from_option(host).unwrap());
    let options = Overrides {
        enable_api: Some(true),
        enable_lifecycle: Some(true),
        allowed_hosts: hosts.collect(),
        ..Overrides::default()
    };
    let yaml = one_account(twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
    exporter.settled().await
}

impl Exporter {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    fn register(&self, id: &str) -> RequestBuilder {
        let request = self.request(Method::POST, OPERATIONS);
        let request = request.header("content-type", "application/json");
        request.body(json!({"id": id}).to_string())
    }

    async fn is_registered(&self, id: &str) -> bool {
        self.get(&format!("{OPERATIONS}/{id}")).await.status() == 200
    }
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

fn header<'r>(response: &'r Response, name: &str) -> &'r str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let twilio = Twilio::empty().await;
    let exporter = writable(&twilio, &[]).await;
    let own = format!("http://{}", exporter.address);
    let other_port = "http://127.0.0.1:1".to_owned();
    let id = twilio.put(Duration::from_hours(1), json!({"total": 1}));
    let id = id.to_string();
    let operation = format!("{OPERATIONS}/{id}");
    assert_eq!(sent(exporter.register(&id)).await.status(), 201);
    exporter.files.write("config.yml", "not: valid");
    for (name, value) in [
        ("origin", "https://attacker.example"),
        ("origin", "null"),
        ("origin", &other_port),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for (method, path) in [
            (Method::POST, OPERATIONS),
            (Method::DELETE, &operation),
            (Method::PUT, &operation),
            (Method::PATCH, OPERATIONS),
            (Method::POST, "/-/reload"),
        ] {
            let request = exporter.request(method.clone(), path).header(name, value);
            let response = sent(request).await;
            let what = format!("{method} {path} with {name}: {value}");
            assert_eq!(response.status(), 403, "{what}");
            let media = header(&response, "content-type").to_owned();
            let text = response.text().await.unwrap();
            assert!(text.contains("another site"), "{what}: {text}");
            assert!(!text.contains("attacker"), "{what}: {text}");
            if path.starts_with("/api") {
                assert_eq!(media, "application/problem+json", "{what}");
                let problem: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(problem["status"], 403, "{what}");
            }
        }
        // Reading is not refused: the browser does not show the response to the page.
        let read = exporter
            .request(Method::GET, "/metrics")
            .header(name, value);
        assert_eq!(sent(read).await.status(), 200, "{name}: {value}");
        assert!(exporter.is_registered(&id).await, "{name}: {value}");
    }
    let seen = exporter.scrape().await;
    let reloaded = seen.value("twilio_email_exporter_config_last_reload_successful", &[]);
    assert_eq!(reloaded, Some(1.0), "a reload of the wrong file was tried");
    for (name, value) in [
        ("origin", own.as_str()),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        let request = exporter.register(&id).header(name, value);
        assert_eq!(sent(request).await.status(), 200, "{name}: {value}");
    }
    let delete = exporter
        .request(Method::DELETE, &operation)
        .header("origin", own);
    assert_eq!(sent(delete).await.status(), 200);
}

#[tokio::test]
async fn a_form_of_any_page_changes_nothing() {
    let twilio = Twilio::empty().await;
    let exporter = writable(&twilio, &[]).await;
    let id = twilio.put(Duration::from_hours(1), json!({"total": 1}));
    let id = id.to_string();
    // The types that a page can send without permission, and none.
    for media in [
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=a"),
        Some("text/plain"),
        Some("text/plain; application/json"),
        None,
    ] {
        let body = json!({"id": id}).to_string();
        for (method, path) in [
            (Method::POST, OPERATIONS.to_owned()),
            (Method::DELETE, format!("{OPERATIONS}/{id}")),
            (Method::POST, "/-/reload".to_owned()),
        ] {
            let mut request = exporter.request(method.clone(), &path).body(body.clone());
            if let Some(media) = media {
                request = request.header("content-type", media);
            }
            let response = sent(request).await;
            assert_eq!(response.status(), 415, "{method} {path} {media:?}");
            let text = response.text().await.unwrap();
            assert!(text.contains("Content-Type: application/json"), "{text}");
        }
    }
    assert!(!exporter.is_registered(&id).await);
    // As `curl -X POST` sends it.
    let reload = exporter.request(Method::POST, "/-/reload");
    assert_eq!(sent(reload).await.status(), 200);
}

#[tokio::test]
async fn no_other_site_gets_permission_to_send_or_to_read() {
    let twilio = Twilio::empty().await;
    let exporter = writable(&twilio, &[]).await;
    for path in ["/", "/metrics", "/sd", OPERATIONS, "/-/reload"] {
        for method in [Method::OPTIONS, Method::GET] {
            let request = exporter.request(method.clone(), path);
            let request = request.header("origin", "https://attacker.example");
            let request = request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type")
                .header("access-control-request-private-network", "true");
            let response = sent(request).await;
            let allows =
                |name: &&reqwest::header::HeaderName| name.as_str().starts_with("access-control-");
            let allowed = response.headers().keys().find(allows);
            assert_eq!(allowed, None, "{method} {path}");
            if method == Method::OPTIONS {
                assert_eq!(response.status(), 405, "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_for_an_unknown_host_name_is_refused() {
    let twilio = Twilio::empty().await;
    let exporter = writable(&twilio, &["exporter.example", "[2001:db8::1]:10202"]).await;
    let get = |path: &str, host: &str| exporter.request(Method::GET, path).header("host", host);
    for path in ["/", "/metrics", "/sd", "/probe", OPERATIONS, "/nothing"] {
        for host in [
            "attacker.example",
            "exporter.example.attacker.example",
            "xexporter.example",
            "127.0.0.1",
            "localhost:10202",
        ] {
            let response = sent(get(path, host)).await;
            assert_eq!(response.status(), 421, "{path} of {host}");
            let text = response.text().await.unwrap();
            assert!(text.contains("--web.allowed-host"), "{text}");
            assert!(!text.contains("attacker"), "{text}");
            assert_eq!(text.starts_with('{'), path.starts_with("/api"), "{text}");
        }
    }
    for host in [
        "exporter.example",
        "EXPORTER.example.:443",
        "[2001:DB8:0::1]",
        "[2001:db8::1]:1",
    ] {
        assert_eq!(sent(get("/metrics", host)).await.status(), 200, "{host}");
    }
    // A probe of an orchestrator uses the address of the container.
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(
            sent(get(path, "10.1.2.3:10202")).await.status(),
            200,
            "{path}"
        );
    }
    let reload = exporter.request(Method::POST, "/-/reload");
    assert_eq!(sent(reload).await.status(), 421, "by its address");
    let reload = exporter
        .request(Method::POST, "/-/reload")
        .header("host", "exporter.example");
    assert_eq!(sent(reload).await.status(), 200);
}

#[tokio::test]
async fn the_known_host_names_come_from_options_and_the_environment() {
    let account = [("TWILIO_ACCOUNT_SID", SID), ("TWILIO_AUTH_TOKEN", TOKEN)];
    let here = ("TWILIO_EMAIL_BASE_URL", "http://127.0.0.1:1/v1");
    let listed = ("TWILIO_EMAIL_WEB_ALLOWED_HOST", "exporter.example, ::1");
    let variables = [&account[..], &[here, listed]].concat();
    let client = crate::support::client::client();
    let status = async |program: &mut Program, host: &str| {
        let url = format!("http://{}/", program.address());
        sent(client.get(url).header("host", host)).await.status()
    };
    let mut program = Program::exporter(&[], &variables);
    assert_eq!(status(&mut program, "exporter.example").await, 200);
    assert_eq!(status(&mut program, "[::1]:10202").await, 200);
    assert_eq!(status(&mut program, "other.example").await, 421);
    let arguments = [
        "--web.allowed-host=a.example",
        "--web.allowed-host=other.example",
    ];
    let mut program = Program::exporter(&arguments, &variables);
    assert_eq!(status(&mut program, "other.example").await, 200);
    assert_eq!(status(&mut program, "exporter.example").await, 421);
    let refused = run(&["--web.allowed-host=http://a.example"], &variables);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("--web.allowed-host"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("expected a host's name"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let twilio = Twilio::empty().await;
    let exporter = writable(&twilio, &["127.0.0.1"]).await;
    let request = |method, path| exporter.request(method, path);
    let cases = [
        (request(Method::GET, "/"), 200),
        (request(Method::GET, "/metrics"), 200),
        (request(Method::HEAD, "/metrics"), 200),
        (request(Method::GET, "/sd"), 200),
        (request(Method::GET, OPERATIONS), 200),
        (request(Method::GET, "/-/healthy"), 200),
        (request(Method::GET, "/-/ready"), 200),
        (request(Method::GET, "/probe"), 400),
        (request(Method::GET, "/").header("host", "a/b"), 400),
        (
            request(Method::POST, "/-/reload").header("origin", "null"),
            403,
        ),
        (request(Method::GET, "/nothing"), 404),
        (request(Method::GET, "/api/nothing"), 404),
        (request(Method::PUT, "/metrics"), 405),
        (request(Method::POST, OPERATIONS), 415),
        (
            request(Method::GET, "/").header("host", "attacker.example"),
            421,
        ),
    ];
    for (request, status) in cases {
        let response = sent(request).await;
        assert_eq!(response.status(), status, "{}", response.url());
        let what = format!("{status} of {}", response.url().path());
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(header(&response, name), value, "{what}: {name}");
        }
        let policy = header(&response, "content-security-policy");
        for part in [
            "default-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            let has = policy.split(';').any(|each| each.trim() == part);
            assert!(has, "{what}: no {part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{what}: {policy}");
    }
}

#[tokio::test]
async fn hostile_labels_paths_and_queries_are_escaped_everywhere() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::from_hours(1), json!({"total": 1}));
    let labels = json!({"campaign": HOSTILE, "name": HOSTILE});
    let options = Overrides {
        enable_api: Some(true),
        ..Overrides::default()
    };
    let yaml = format!(
        "{}  operations:\n  - id: {id}\n    labels: {labels}\nseries: {{labels: [campaign, name], aggregate_by: [campaign]}}\n",
        one_account(&twilio, "")
    );
    let exporter = Exporter::start_with(&yaml, Clock::System, options)
        .await
        .settled()
        .await;
    let encoded: String = url_encoded(HOSTILE);
    let shown = ["/", "/metrics", "/sd", OPERATIONS].map(str::to_owned);
    let operation = format!("{OPERATIONS}/{id}");
    let probe = format!("/probe?target={id}&debug=true");
    let refused = [
        format!("/{encoded}"),
        format!("/-/{encoded}"),
        format!("/api/v1/{encoded}"),
        format!("{OPERATIONS}/{encoded}"),
        format!("{OPERATIONS}?{encoded}={encoded}"),
        format!("{OPERATIONS}?account={encoded}"),
        format!("{OPERATIONS}?after={encoded}"),
        format!("{OPERATIONS}?limit={encoded}"),
        format!("/sd?account={encoded}"),
        format!("/sd?{encoded}"),
        format!("/probe?target={encoded}"),
        format!("/probe?target={id}&account={encoded}"),
    ];
    for path in shown.iter().chain([&operation, &probe]).chain(&refused) {
        let response = exporter.get(path).await;
        let status = response.status();
        assert_eq!(
            status.is_client_error(),
            refused.contains(path),
            "{status} {path}"
        );
        let media = header(&response, "content-type").to_owned();
        assert_eq!(
            header(&response, "x-content-type-options"),
            "nosniff",
            "{path}"
        );
        let text = response.text().await.unwrap();
        match media.split(';').next().unwrap() {
            "text/html" => {
                assert!(!text.contains("<script>alert"), "{path}: {text}");
                assert!(!text.contains("<img"), "{path}: {text}");
            }
            "application/json" | "application/problem+json" => {
                serde_json::from_str::<Value>(&text).expect("JSON");
            }
            // A browser does not run it, because of `nosniff`; the scrape below shows that it is escaped.
            "text/plain" | "" => {}
            other => panic!("{path}: {other}"),
        }
        if refused.contains(path) {
            assert!(
                !text.contains("alert("),
                "{path} repeats the request: {text}"
            );
        }
    }
    let seen = exporter.scrape().await;
    let info = seen.samples("twilio_email_operation_info");
    assert!(
        info.iter()
            .any(|sample| sample.labels["campaign"] == HOSTILE),
        "{info:?}"
    );
}

/// Every character as an escape of a URL.
fn url_encoded(text: &str) -> String {
    let escapes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    escapes.concat()
}
