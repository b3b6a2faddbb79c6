//! The life of a token: fetched when needed, renewed before it expires, replaced when it is revoked.

use twilio_email_exporter::simulator::{ApiSettings, ClientRefusal, Dialect, Lifetimes};

use super::*;

fn lives(span: Duration) -> ApiSettings {
    ApiSettings {
        token_life: span,
        ..ApiSettings::default()
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_counted() {
    let scene = Scene::new("").await;
    for _ in 0..10 {
        let seen = scene.next().await;
        scene.assert_healthy(&seen, "with a token");
    }
    let seen = scene.next().await;
    assert_eq!(scene.requests().0, 1);
    assert!((with_status(&seen, "token", "200") - 1.0).abs() < 0.1);
    let count = seen.value(
        "twilio_email_api_request_duration_seconds_count",
        &[("endpoint", "token")],
    );
    assert_eq!(count, Some(1.0));
    let labels = [("endpoint", "token"), ("reason", "unauthorized")];
    let failures = seen.value("twilio_email_api_request_failures_total", &labels);
    assert_eq!(failures, Some(0.0), "known values are 0 from the start");
    let requests = scene.twilio.handle.requests();
    let token = requests.iter().find(|seen| seen.method == "POST").unwrap();
    assert_eq!(token.path, "/v2/token", "its query is empty");
    assert!(!token.authorized, "nor anything in its head");
    let wanted = Some("application/json".to_owned());
    assert_eq!(token.accept, wanted);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let scene = Scene::with(lives(Duration::from_mins(10)), "").await;
    for minutes in 0..59 {
        for quarter in 0..4 {
            let when = format!("after {minutes} minutes and {quarter} quarters");
            let seen = scene.next().await;
            scene.assert_healthy(&seen, &when);
            assert!(with_status(&seen, "operations", "401") < 0.1, "{when}");
        }
    }
    // Each token is used for nine of its ten minutes.
    let (tokens, _) = scene.requests();
    assert_eq!(tokens, 7, "tokens in 59 minutes");
}

#[tokio::test]
async fn a_token_without_a_lifetime_is_used_until_it_is_rejected() {
    for lifetimes in [Lifetimes::Text, Lifetimes::Omitted] {
        let dialect = Dialect {
            lifetimes,
            ..Dialect::default()
        };
        let settings = ApiSettings {
            dialect,
            ..lives(Duration::from_mins(10))
        };
        let scene = Scene::with(settings, "").await;
        let mut refused = 0.0;
        for _ in 0..80 {
            let seen = scene.next().await;
            scene.assert_healthy(&seen, "every time");
            refused = with_status(&seen, "operations", "401");
        }
        // In 20 minutes it expires twice, or is renewed twice before.
        let wanted = if lifetimes == Lifetimes::Omitted {
            2.0
        } else {
            0.0
        };
        assert!((refused - wanted).abs() < 0.1, "{lifetimes:?}: {refused}");
        assert_eq!(scene.requests().0, 3, "{lifetimes:?}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_replaced_within_the_same_collection() {
    for more in ["", "discovery: false"] {
        let scene = Scene::new(more).await;
        scene.twilio.handle.reset_requests();
        scene.twilio.handle.revoke_tokens();
        let seen = scene.next().await;
        scene.assert_healthy(&seen, more);
        assert_eq!(scene.requests().0, 1, "{more}");
        let failures = seen.failures();
        let refused: f64 = failures.values().sum();
        assert!((refused - 1.0).abs() < 0.1, "{more}: {failures:?}");
    }
}

#[tokio::test]
async fn a_rejected_new_token_costs_one_more_request() {
    for more in ["", "discovery: false"] {
        let scene = Scene::new(more).await;
        scene.twilio.handle.reset_requests();
        scene.twilio.fault("list=401");
        scene.twilio.fault("operation=401");
        pass(&scene.clock, INTERVAL);
        for (collections, wait) in [(1, 60), (2, 120), (3, 240), (4, 300)] {
            let seen = scene.exporter.scrape().await;
            let all_down = [("up", 0.0), ("collection_complete", 0.0)];
            seen.expect(more, &all_down);
            let wanted = (collections, 2 * collections);
            assert_eq!(
                scene.requests(),
                wanted,
                "{more}: tokens and other requests"
            );
            for id in &scene.ids {
                assert_eq!(seen.of_operation(*id, "up"), Some(0.0), "{id}");
            }
            pass(&scene.clock, Duration::from_secs(wait));
        }
        scene.twilio.handle.clear_faults();
        let seen = scene.exporter.scrape().await;
        scene.assert_healthy(&seen, "when it is accepted again");
    }
}

#[tokio::test]
async fn a_rejected_client_is_unauthorized_with_any_status() {
    for client_refusal in [ClientRefusal::Unauthorized, ClientRefusal::BadRequest] {
        let settings = ApiSettings {
            dialect: Dialect {
                client_refusal,
                ..Dialect::default()
            },
            ..ApiSettings::default()
        };
        let scene = Scene::prepared(settings, "", |twilio| {
            let other = BasicLogin::new(CLIENT, "another-secret");
            twilio.handle.set_clients(vec![other]);
        })
        .await;
        let seen = scene.next().await;
        seen.expect("refused", &[("up", 0.0), ("collection_complete", 0.0)]);
        assert_eq!(scene.requests(), (1, 0), "{client_refusal:?}");
        assert!((failed(&seen, "token", "unauthorized") - 1.0).abs() < 0.1);
        assert_eq!(seen.failures().len(), 1, "{:?}", seen.failures());
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_used_until_it_expires() {
    let scene = Scene::with(lives(Duration::from_mins(10)), "").await;
    scene.twilio.fault("token=500");
    scene.twilio.handle.reset_requests();
    // From the ninth minute on it is due for renewal, and every collection requests a new one.
    let seen = scene.after(Duration::from_mins(9)).await;
    scene.assert_healthy(&seen, "with a token that is due");
    assert_eq!(scene.requests().0, 1);
    let seen = scene.after(Duration::from_secs(59)).await;
    scene.assert_healthy(&seen, "in the last second of its life");
    assert_eq!(scene.requests().0, 2);
    assert!((failed(&seen, "token", "server_error") - 2.0).abs() < 0.1);
    let (_, before) = scene.requests();
    let seen = scene.after(Duration::from_secs(1)).await;
    seen.expect("at its end", &[("up", 0.0), ("collection_complete", 0.0)]);
    assert_eq!(
        scene.requests(),
        (3, before),
        "no request is made without one"
    );
    scene.twilio.handle.clear_faults();
    let seen = scene.next().await;
    scene.assert_healthy(&seen, "when there are tokens again");
}

#[tokio::test]
async fn a_jump_of_the_clock_only_causes_requests_for_new_tokens() {
    let scene = Scene::new("").await;
    let noon = scene.clock.now();
    for moment in [
        noon - Duration::from_mins(50),
        noon + Duration::from_hours(30),
        noon,
    ] {
        scene.clock.set(moment);
        let seen = scene.exporter.scrape().await;
        assert_eq!(seen.of_account("up"), Some(1.0), "at {moment}");
    }
    assert!(scene.requests().0 <= 4, "{:?}", scene.requests());
}
