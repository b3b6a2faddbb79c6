//! Failures of a token endpoint: each has a clear reason, costs one request per collection, and the exporter recovers by itself. `backoff`
//! tests a rejected client.

use std::time::Instant;

use twilio_email_exporter::simulator::ApiSettings;

use super::*;
use crate::support::exporter::account;
use crate::support::stub_server::{StubResponse, StubServer};

/// The fault, its reason, and the account's other metrics.
const CASES: &[(&str, &str, &str)] = &[
    ("token=400", "bad_request", ""),
    // A 404 is about the endpoint; operations are not polled less often.
    ("token=404", "bad_request", ""),
    ("token=500", "server_error", ""),
    ("token=html", "invalid_response", ""),
    ("token=wrong-json", "invalid_response", ""),
    ("token=cut", "invalid_response", ""),
    ("token=oversized", "too_large", ""),
    ("token=gzip-bomb", "too_large", ""),
    ("token=gzip-cut", "invalid_response", ""),
    ("token=encoding:br", "invalid_response", ""),
    ("token=hang", "timeout", "request_timeout: 200ms"),
    ("token=slow:3s", "timeout", "request_timeout: 200ms"),
];

#[tokio::test]
async fn a_failing_token_endpoint_has_a_reason_and_costs_one_request_per_collection() {
    for (fault, reason, more) in CASES {
        for discovery in ["discovery: true", "discovery: false"] {
            let more = format!("{more}\n{discovery}");
            let scene = Scene::prepared(ApiSettings::default(), more.trim(), |twilio| {
                twilio.fault(fault);
            })
            .await;
            // The first collection is the one at the exporter's start.
            for collections in 2..=4 {
                let seen = scene.next().await;
                let down = [("up", 0.0), ("collection_complete", 0.0)];
                seen.expect(fault, &down);
                assert_eq!(scene.requests(), (collections, 0), "{fault} {discovery}");
                let count = failed(&seen, "token", reason);
                assert!((count - collections as f64).abs() < 0.1, "{fault}: {count}");
                assert_eq!(seen.failures().len(), 1, "{fault}: {:?}", seen.failures());
                for id in &scene.ids {
                    let up = seen.of_operation(*id, "up");
                    assert_eq!(up, Some(0.0), "{fault} {discovery} {id}");
                }
            }
            scene.twilio.handle.clear_faults();
            let seen = scene.next().await;
            scene.assert_healthy(&seen, &format!("after {fault} {discovery}"));
        }
    }
}

#[tokio::test]
async fn a_pause_of_the_token_endpoint_stops_requests_for_tokens() {
    for (fault, reason) in [("429", "rate_limited"), ("503", "unavailable")] {
        let scene = Scene::prepared(ApiSettings::default(), "", |twilio| {
            twilio.fault(&format!("token={fault}:retry-after=60"));
        })
        .await;
        for _ in 0..3 {
            let seen = scene.next().await;
            seen.expect(fault, &[("up", 0.0), ("collection_complete", 0.0)]);
            let until = seen.of_account("api_paused_until_timestamp_seconds");
            assert!(until.unwrap() > scene.clock.now().as_seconds(), "{until:?}");
            assert_eq!(scene.requests(), (1, 0), "{fault}");
            assert!((failed(&seen, "token", reason) - 1.0).abs() < 0.1);
        }
        scene.twilio.handle.clear_faults();
        let seen = scene.after(Duration::from_secs(67)).await;
        scene.assert_healthy(&seen, fault);
    }
}

#[tokio::test]
async fn a_pause_of_the_token_endpoint_stops_no_other_requests_while_the_token_is_valid() {
    let settings = ApiSettings {
        token_life: Duration::from_mins(10),
        ..ApiSettings::default()
    };
    let scene = Scene::with(settings, "").await;
    scene.twilio.fault("token=429:retry-after=120");
    // The token is due to be renewed, and good for another minute.
    let seen = scene.after(Duration::from_secs(545)).await;
    scene.assert_healthy(&seen, "the token lasts");
    assert!((failed(&seen, "token", "rate_limited") - 1.0).abs() < 0.1);
    let (tokens, _) = scene.requests();
    let seen = scene.next().await;
    scene.assert_healthy(&seen, "during the pause");
    assert_eq!(
        scene.requests().0,
        tokens,
        "no token is requested during the pause"
    );
    let seen = scene.after(Duration::from_mins(1)).await;
    seen.expect("the token has expired", &[("up", 0.0)]);
    assert!(seen.of_account("api_paused_until_timestamp_seconds") > Some(0.0));
}

#[tokio::test]
async fn a_new_token_does_not_shorten_the_pauses_of_the_api() {
    let settings = ApiSettings {
        token_life: Duration::from_secs(4),
        ..ApiSettings::default()
    };
    let scene = Scene::with(settings, "").await;
    scene.twilio.fault("list=429");
    for wanted in [5.0, 10.0, 20.0, 40.0] {
        let (tokens, _) = scene.requests();
        let seen = scene.next().await;
        assert_eq!(
            scene.requests().0,
            tokens + 1,
            "a token for each collection"
        );
        let until = seen.of_account("api_paused_until_timestamp_seconds");
        let pause = until.unwrap() - scene.clock.now().as_seconds();
        assert!(
            (wanted..=wanted * 1.1).contains(&pause),
            "{wanted}: {pause}"
        );
        pass(&scene.clock, Duration::from_secs_f64(pause));
    }
}

#[tokio::test]
async fn the_exporter_recovers_when_the_token_endpoint_is_up_again() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    twilio.put(Duration::from_hours(1), json!({"total": 1}));
    // A separate server issues the tokens, as at Twilio; the API accepts its first ones.
    let tokens = (1..=9).map(|n| format!("simulated-access-token-{n}"));
    twilio.handle.set_tokens(tokens.collect());
    let mut issuer = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let secrets = Secrets::new();
    let secret = secrets.write("client", SECRET);
    let url = token_url(&issuer);
    let account = oauth_account("default", &twilio.base_url(), &url, &secret, "");
    issuer.vanish().await;
    let exporter = Exporter::start_at(&format!("accounts:\n{account}"), clock.clone()).await;
    let exporter = exporter.settled().await;
    let seen = exporter.scrape().await;
    seen.expect("down", &[("up", 0.0), ("discovery_up", 0.0)]);
    assert!((failed(&seen, "token", "connect") - 2.0).abs() < 0.1);
    assert!((with_status(&seen, "token", "none") - 2.0).abs() < 0.1);
    assert_eq!(twilio.handle.counts().total, 0);
    issuer.come_back().await;
    let seen = exporter.scrape().await;
    seen.expect("back", &[("up", 1.0), ("discovery_up", 1.0)]);
    assert_eq!(issuer.handle.counts().token, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_token_is_logged_once_with_what_to_do() {
    for discovery in ["true", "false"] {
        let twilio = Twilio::empty().await;
        let put = |age| twilio.put(Duration::from_mins(age), json!({"total": 1}));
        let ids: Vec<_> = (1..=3).map(|age| put(age).to_string()).collect();
        twilio.fault("token=400");
        twilio
            .handle
            .set_clients(vec![BasicLogin::new(CLIENT, "x")]);
        let (base, url, ids) = (twilio.base_url(), token_url(&twilio), ids.join(","));
        let secrets = Secrets::new();
        let secret = secrets.write("client", SECRET).display().to_string();
        let running = Running::new(&[
            ("TWILIO_OAUTH_CLIENT_ID", CLIENT),
            ("TWILIO_OAUTH_CLIENT_SECRET_FILE", &secret),
            ("TWILIO_OAUTH_TOKEN_URL", &url),
            ("TWILIO_EMAIL_BASE_URL", &base),
            ("TWILIO_EMAIL_DISCOVERY", discovery),
            ("TWILIO_EMAIL_OPERATIONS", &ids),
        ])
        .settled()
        .await;
        running.scrape().await;
        running.scrape().await;
        twilio.handle.clear_faults();
        // The first collection is rejected; the others are in the backoff.
        for _ in 0..3 {
            running.scrape().await;
        }
        assert_eq!(twilio.handle.counts().token, 4);
        twilio
            .handle
            .set_clients(vec![BasicLogin::new(CLIENT, "made-up-other")]);
        secrets.write("client", "made-up-other");
        running.scrape().await;
        let log = running.log();
        assert_eq!(
            count(&log, &["access tokens can be fetched again"]),
            1,
            "{log}"
        );
        for words in [
            "Twilio refuses the request for an access token (400). Check the token URL",
            "Twilio rejects the OAuth client (401). Create a new secret",
        ] {
            let lines = count(&log, &["level=warn", words]);
            assert_eq!(lines, 1, "{words} {discovery}: {log}");
        }
        let warnings = count(&log, &["level=warn"]);
        assert_eq!(warnings, 2, "{discovery}: {log}");
    }
}

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_followed() {
    let elsewhere = Twilio::empty().await;
    for status in [302, 307, 308] {
        let location = token_url(&elsewhere);
        let server = StubServer::start(move |_| StubResponse {
            status,
            headers: vec![("location", location.clone())],
            body: String::new(),
        })
        .await;
        let secrets = Secrets::new();
        let secret = secrets.write("client", SECRET);
        let url = format!("http://{}/v2/token", server.address);
        let account = oauth_account("default", &server.base_url(), &url, &secret, "");
        let exporter = Exporter::start(&format!("accounts:\n{account}")).await;
        let seen = exporter.settled().await.scrape().await;
        seen.expect("redirected", &[("up", 0.0)]);
        assert!(failed(&seen, "token", "bad_request") > 0.9, "{status}");
    }
    assert_eq!(elsewhere.handle.counts().total, 0, "at the other end");
}

#[tokio::test]
async fn unusable_tokens_are_rejected_and_status_201_is_accepted() {
    for (status, body, reason) in [
        (200, r#"{"access_token":""}"#, "invalid_response"),
        (200, r#"{"access_token":"two words"}"#, "invalid_response"),
        (200, r#"{"access_token":"a\r\nx: y"}"#, "invalid_response"),
        (
            200,
            r#"{"access_token":"t","token_type":"mac"}"#,
            "invalid_response",
        ),
        (204, "", "invalid_response"),
        (201, r#"{"access_token":"good"}"#, ""),
    ] {
        let twilio = Twilio::empty().await;
        twilio.handle.set_tokens(vec!["good".to_owned()]);
        let issuer = StubServer::start(move |_| StubResponse::error(status, body)).await;
        let secrets = Secrets::new();
        let secret = secrets.write("client", SECRET);
        let url = format!("http://{}/token", issuer.address);
        let account = oauth_account("default", &twilio.base_url(), &url, &secret, "");
        let exporter = Exporter::start(&format!("accounts:\n{account}")).await;
        let seen = exporter.settled().await.scrape().await;
        if reason.is_empty() {
            seen.expect(body, &[("up", 1.0)]);
            assert_eq!(seen.failures().len(), 0, "{:?}", seen.failures());
        } else {
            seen.expect(body, &[("up", 0.0)]);
            assert!(failed(&seen, "token", reason) > 0.9, "{body}");
            assert_eq!(twilio.handle.counts().total, 0, "{body}");
        }
    }
}

#[tokio::test]
async fn a_limit_of_one_concurrent_request_is_enough_for_a_token_and_its_request() {
    let scene = Scene::new("max_concurrent_requests: 1").await;
    let seen = scene.next().await;
    scene.assert_healthy(&seen, "one at a time");
    scene.twilio.handle.revoke_tokens();
    let seen = scene.next().await;
    scene.assert_healthy(&seen, "after a revocation");
    assert_eq!(scene.twilio.handle.counts().most_concurrent, 1);
}

#[tokio::test]
async fn a_token_endpoint_that_hangs_delays_no_other_account() {
    let [fine, hanging, refused] = [
        Twilio::empty().await,
        Twilio::empty().await,
        Twilio::empty().await,
    ];
    hanging.fault("token=hang");
    refused
        .handle
        .set_clients(vec![BasicLogin::new(CLIENT, "x")]);
    let secrets = Secrets::new();
    let secret = secrets.write("client", SECRET);
    let oauth = |name, twilio: &Twilio| {
        oauth_account(name, &twilio.base_url(), &token_url(twilio), &secret, "")
    };
    let other = Twilio::empty().await;
    let yaml = format!(
        "accounts:\n{}{}{}{}",
        oauth("hanging", &hanging),
        oauth("refused", &refused),
        oauth("fine", &fine),
        account("other", &other, "")
    );
    let exporter = Exporter::start(&yaml).await;
    let started = Instant::now();
    let seen = exporter.scrape_within(1.5).await;
    let took = started.elapsed();
    assert!(took < Duration::from_millis(1500), "{took:?}");
    for (account, up) in [
        ("fine", 1.0),
        ("other", 1.0),
        ("hanging", 0.0),
        ("refused", 0.0),
    ] {
        assert_eq!(seen.of(account, "up"), Some(up), "{account}");
        let complete = seen.of(account, "collection_complete");
        assert_eq!(complete, Some(up), "{account}");
    }
}
