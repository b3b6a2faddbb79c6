//! Basic authentication, users that may only read, headers and the rate limit.

use twilio_email_exporter::config::Overrides;

use super::{ADMIN, SCRAPER, WebFiles, scrape, status, users};
use crate::support::exporter::Exporter;
use crate::support::twilio::Twilio;

const CHECKS: &str = "twilio_email_exporter_password_checks_total";
const REFUSED: &str = "twilio_email_exporter_http_requests_refused_total";
const ALL_PATHS: [&str; 7] = [
    "/",
    "/metrics",
    "/sd",
    "/probe",
    "/-/healthy",
    "/-/ready",
    "/no-such-page",
];

async fn get(exporter: &Exporter, path: &str, login: Option<(&str, &str)>) -> u16 {
    let mut request = exporter.client.get(exporter.url(path));
    if let Some((name, password)) = login {
        request = request.basic_auth(name, Some(password));
    }
    status(request).await
}

#[tokio::test]
async fn every_path_needs_the_password_of_a_user() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&users());
    let exporter = files.exporter(&twilio).await;
    for path in ALL_PATHS {
        for login in [
            None,
            Some(("scraper", "wrong")),
            Some(("scraper", "")),
            Some(("scraper", ADMIN)),
            Some(("nobody", SCRAPER)),
            Some(("", "")),
        ] {
            assert_eq!(get(&exporter, path, login).await, 401, "{path} {login:?}");
        }
        for login in [("scraper", SCRAPER), ("admin", ADMIN)] {
            assert_ne!(get(&exporter, path, Some(login)).await, 401, "{path}");
        }
    }
    let refused = exporter.get("/metrics").await;
    assert_eq!(refused.headers()["www-authenticate"], "Basic");
    for odd in ["Basic", "Basic =", "Bearer x", "Basic Og", "\u{e9}"] {
        let request = exporter.client.get(exporter.url("/metrics"));
        let request = request.header("Authorization", odd.as_bytes());
        assert_eq!(status(request).await, 401, "{odd}");
    }
    let seen = scrape(&exporter).await;
    let count = seen.value(REFUSED, &[("reason", "unauthenticated")]);
    assert!(count >= Some(40.0), "{count:?}");
}

#[tokio::test]
async fn health_needs_no_password_only_if_the_file_says_so() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&(users() + "health_without_auth: true\n"));
    let exporter = files.exporter(&twilio).await.settled().await;
    for path in ALL_PATHS {
        let expected = if path.starts_with("/-/") { 200 } else { 401 };
        assert_eq!(get(&exporter, path, None).await, expected, "{path}");
    }
    assert_eq!(get(&exporter, "/-/healthy/", None).await, 401);
    let reload = exporter.client.post(exporter.url("/-/reload"));
    assert_eq!(status(reload).await, 401);
}

#[tokio::test]
async fn a_read_only_user_changes_nothing() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&(users() + "read_only_users: [scraper]\n"));
    let options = Overrides {
        enable_api: Some(true),
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = files.exporter_with(&twilio, options).await;
    let id = twilio.put(
        std::time::Duration::from_hours(1),
        serde_json::json!({"total": 1}),
    );
    let one = format!("/api/v1/operations/{id}");
    let requests = [
        exporter.client.post(exporter.url("/-/reload")),
        exporter
            .client
            .post(exporter.url("/api/v1/operations"))
            .header("Content-Type", "application/json")
            .body(serde_json::json!({"id": id.to_string()}).to_string()),
        exporter
            .client
            .put(exporter.url(&one))
            .header("Content-Type", "application/json")
            .body("{}"),
        exporter.client.delete(exporter.url(&one)),
    ];
    for request in &requests {
        let request = || request.try_clone().unwrap();
        let refused = request().basic_auth("scraper", Some(SCRAPER));
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), 403);
        let text = refused.text().await.unwrap();
        assert!(text.contains("read_only_users"), "{text}");
        let allowed = status(request().basic_auth("admin", Some(ADMIN))).await;
        assert!(!matches!(allowed, 401 | 403), "{allowed}");
        assert_eq!(
            status(request().basic_auth("admin", Some("wrong"))).await,
            401
        );
    }
    for path in ["/", "/metrics", "/api/v1/operations", "/sd"] {
        assert_eq!(get(&exporter, path, Some(("scraper", SCRAPER))).await, 200);
    }
    let seen = scrape(&exporter).await;
    assert_eq!(seen.value(REFUSED, &[("reason", "read_only")]), Some(4.0));
}

/// So that response times do not reveal the names of users.
#[tokio::test]
async fn an_unknown_user_takes_as_many_password_checks_as_a_known_one() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&users());
    let exporter = files.exporter(&twilio).await;
    scrape(&exporter).await;
    let checks = || async { scrape(&exporter).await.value(CHECKS, &[]).unwrap() };
    let before = checks().await;
    assert!((before - 1.0).abs() < f64::EPSILON, "{before}");
    for (at, name) in ["scraper", "admin", "nobody", "Scraper", ""]
        .iter()
        .enumerate()
    {
        for attempt in 0..3 {
            let password = format!("wrong {attempt}");
            for _ in 0..2 {
                assert_eq!(get(&exporter, "/", Some((name, &password))).await, 401);
            }
        }
        let expected = before + 3.0 * (at + 1) as f64;
        let now = checks().await;
        assert!((now - expected).abs() < f64::EPSILON, "{name}: {now}");
    }
}

#[tokio::test]
async fn a_password_is_checked_once_however_many_scrapes_there_are() {
    let twilio = Twilio::empty().await;
    let files = WebFiles::new(&users());
    let exporter = files.exporter(&twilio).await;
    let scrapes = (0..30).map(|_| scrape(&exporter));
    futures_util::future::join_all(scrapes).await;
    assert_eq!(scrape(&exporter).await.value(CHECKS, &[]), Some(1.0));
    // The same for a wrong password, with more requests than places in the queue.
    let wrong = (0..30).map(|_| get(&exporter, "/", Some(("admin", "wrong"))));
    let statuses = futures_util::future::join_all(wrong).await;
    assert_eq!(statuses, [401; 30]);
    assert_eq!(scrape(&exporter).await.value(CHECKS, &[]), Some(2.0));
}

#[tokio::test]
async fn every_response_has_the_configured_headers() {
    let twilio = Twilio::empty().await;
    let yaml = users()
        + "rate_limit: {interval: 1h, burst: 4}\nhttp_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    X-XSS-Protection: 0\n    Strict-Transport-Security: max-age=60\n    X-Content-Type-Options: nosniff\n    Content-Security-Policy: default-src 'self'\n";
    let files = WebFiles::new(&yaml);
    let exporter = files.exporter(&twilio).await;
    for (path, password, expected) in [
        ("/", SCRAPER, 200),
        ("/metrics", SCRAPER, 200),
        ("/no-such-page", SCRAPER, 404),
        ("/", "wrong", 401),
        ("/", SCRAPER, 429),
    ] {
        let request = exporter.client.get(exporter.url(path));
        let response = request.basic_auth("scraper", Some(password)).send().await;
        let response = response.unwrap();
        assert_eq!(response.status(), expected, "{path}");
        for (name, value) in [
            ("x-frame-options", "sameorigin"),
            ("x-xss-protection", "0"),
            ("strict-transport-security", "max-age=60"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'self'"),
        ] {
            let values: Vec<_> = response.headers().get_all(name).iter().collect();
            assert_eq!(values, [value], "{path}: {name}");
        }
        if expected == 429 {
            let wait: u64 = response.headers()["retry-after"]
                .to_str()
                .unwrap()
                .parse()
                .unwrap();
            assert!((3590..=3600).contains(&wait), "{wait}");
        }
    }
}
