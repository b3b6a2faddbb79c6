//! Reads that fail: what ends a watch, and what it tries again.

use std::time::Instant;

use twilio_email_exporter::operation::PREFIX;
use twilio_email_exporter::simulator::BasicLogin;

use super::*;
use crate::support::exporter::SID;

/// Follows the operations while the account has this fault. Returns the ending and the events.
async fn with_fault(twilio: &Twilio, fault: &str, ids: &[OperationId]) -> (Ending, Vec<Value>) {
    twilio.fault(fault);
    let mut events = Events::then(|_| {});
    let ending = Account::new(twilio, "")
        .follow(&settings(ids), &mut events)
        .await;
    (ending, events.read())
}

fn settled(twilio: &Twilio) -> OperationId {
    twilio.put(HOUR, json!({"total": 1, "opened": 1}))
}

#[tokio::test]
async fn an_unknown_operation_ends_the_watch_with_cause_and_cure() {
    let twilio = Twilio::empty().await;
    let unknown = settled(&twilio);
    twilio.handle.remove(&unknown.to_string());
    let mut events = Events::then(|_| {});
    let ids = [unknown, settled(&twilio)];
    let ending = Account::new(&twilio, "")
        .follow(&settings(&ids), &mut events)
        .await;
    assert_eq!(ending.exit_code(), 3);
    for part in [
        &unknown.to_string(),
        "account default (404)",
        "another account",
        "--account",
    ] {
        assert!(error(&ending).contains(part), "{part}: {ending:?}");
    }
    assert_eq!(twilio.handle.counts().total, 1, "no further request");
    assert_eq!(events.read().last().unwrap()["ending"], "unreadable");
}

#[tokio::test]
async fn an_operation_that_was_just_sent_is_awaited() {
    let twilio = Twilio::empty().await;
    let new = twilio.put(Duration::ZERO, json!({"total": 1, "delivered": 1}));
    twilio.handle.remove(&new.to_string());
    let mut events = Events::then(|event| {
        if event == Event::Failed {
            set(
                &twilio,
                new,
                "COMPLETED",
                json!({"total": 1, "delivered": 1}),
            );
        }
    });
    let ending = Account::new(&twilio, "")
        .follow(&settings(&[new]), &mut events)
        .await;
    assert_eq!(ending, Ending::Done);
    let events = events.read();
    assert_eq!(values(&events, "failure", "reason"), ["not_found"]);
    assert_eq!(values(&events, "recovery", "account"), ["default"]);
}

#[tokio::test]
async fn an_operation_that_expires_while_it_is_followed_keeps_its_last_stats() {
    let twilio = Twilio::empty().await;
    // It expires within the hour.
    let old = twilio.put_as(
        167 * HOUR + HOUR / 2,
        "COMPLETED",
        json!({"total": 2, "sent": 1, "delivered": 1}),
    );
    let mut events = Events::then(|event| {
        if event == Event::Changed(0) {
            twilio.handle.remove(&old.to_string());
        }
    });
    let ending = Account::new(&twilio, "")
        .follow(&settings(&[old]), &mut events)
        .await;
    assert_eq!(ending, Ending::Done);
    let events = events.read();
    assert_eq!(
        values(&events, "change", "done"),
        [Value::Null, json!("expired")]
    );
    assert_eq!(values(&events, "change", "delivered"), [1, 1]);
    // One that was never read has nothing to keep.
    let ending = Account::new(&twilio, "")
        .follow(&settings(&[old]), &mut Events::then(|_| {}))
        .await;
    assert!(
        error(&ending).contains("more than 7 days ago"),
        "{ending:?}"
    );
}

#[tokio::test]
async fn rejected_credentials_end_the_watch_after_one_request() {
    let twilio = Twilio::empty().await;
    let ids: Vec<_> = (0..9).map(|_| settled(&twilio)).collect();
    twilio.handle.set_logins(vec![BasicLogin {
        username: SID.to_owned(),
        password: "another-made-up-token".to_owned(),
    }]);
    let mut events = Events::then(|_| {});
    let ending = Account::new(&twilio, "")
        .follow(&settings(&ids), &mut events)
        .await;
    assert_eq!(ending.exit_code(), 3);
    let text = error(&ending);
    assert!(
        text.starts_with("Twilio rejects the auth token of account default (401). "),
        "{text}"
    );
    assert!(
        text.contains("Copy the current auth token from the Twilio Console"),
        "{text}"
    );
    assert_eq!(twilio.handle.counts().total, 1);
}

#[tokio::test]
async fn a_missing_right_ends_the_watch() {
    let twilio = Twilio::empty().await;
    let ids = [settled(&twilio)];
    let (ending, _) = with_fault(&twilio, "operation=403", &ids).await;
    assert_eq!(ending.exit_code(), 3);
    assert!(error(&ending).contains("(403)"), "{ending:?}");
}

#[tokio::test]
async fn another_server_than_twilios_ends_the_watch() {
    let twilio = Twilio::empty().await;
    let ids = [settled(&twilio)];
    let (ending, _) = with_fault(&twilio, "html", &ids).await;
    assert_eq!(ending.exit_code(), 3);
    let host = format!("The base URL names {}.", twilio.address);
    assert!(error(&ending).contains(&host), "{ending:?}");
}

#[tokio::test]
async fn a_failure_of_the_moment_is_shown_once_and_tried_again() {
    let twilio = Twilio::empty().await;
    for fault in ["operation=500:times=3", "operation=cut:times=2"] {
        let ids = [settled(&twilio)];
        let (ending, events) = with_fault(&twilio, fault, &ids).await;
        assert_eq!(ending, Ending::Done, "{fault}");
        let kinds: Vec<_> = events
            .iter()
            .map(|event| event["event"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["failure", "recovery", "change", "end"], "{fault}");
        twilio.handle.clear_faults();
    }
}

#[tokio::test]
async fn an_address_where_nothing_listens_ends_the_watch_after_some_tries() {
    let mut twilio = Twilio::empty().await;
    let ids = [settled(&twilio)];
    twilio.vanish().await;
    let mut events = Events::then(|_| {});
    let ending = Account::new(&twilio, "")
        .follow(&settings(&ids), &mut events)
        .await;
    assert_eq!(ending.exit_code(), 3);
    assert!(error(&ending).contains("connection refused"), "{ending:?}");
    assert_eq!(values(&events.read(), "failure", "reason"), ["connect"]);
}

#[tokio::test]
async fn a_pause_that_twilio_asks_for_holds_for_all_operations() {
    let twilio = Twilio::empty().await;
    let ids = [(); 3].map(|()| twilio.put_as(HOUR, "PROCESSING", json!({"total": 1, "queued": 1})));
    let mut reads = 0;
    let mut began = None;
    let mut events = Events::then(|event| match event {
        Event::Changed(_) => {
            reads += 1;
            if reads == 3 {
                twilio.fault("429:retry-after=1:times=1");
            }
        }
        Event::Failed => {
            began = Some(Instant::now());
            twilio.handle.reset_requests();
            for id in ids {
                set(
                    &twilio,
                    id,
                    "COMPLETED",
                    json!({"total": 1, "delivered": 1}),
                );
            }
        }
        Event::Recovered => {
            let took = began.unwrap().elapsed();
            assert!(took >= Duration::from_millis(990), "{took:?}");
        }
    });
    let ending = Account::new(&twilio, "")
        .follow(&settings(&ids), &mut events)
        .await;
    assert_eq!(ending, Ending::Done);
    assert_eq!(twilio.handle.counts().total, 3, "none within the pause");
    let events = events.read();
    assert_eq!(values(&events, "failure", "reason"), ["rate_limited"]);
    let what = values(&events, "failure", "error");
    assert_eq!(
        what,
        ["Twilio limits the rate of requests of account default (429)"]
    );
    assert_eq!(values(&events, "recovery", "event"), ["recovery"]);
}

#[tokio::test]
async fn a_signal_ends_the_watch_while_a_request_hangs() {
    let twilio = Twilio::empty().await;
    let id = settled(&twilio);
    twilio.fault("operation=hang");
    let account = Account::new(&twilio, "");
    let handle = twilio.handle.clone();
    let stop = async {
        crate::support::eventually("a request", || async { handle.counts().total == 1 }).await;
        StopSignal::Interrupt
    };
    let mut events = Events::then(|_| {});
    let settings = settings(&[id]);
    let configured = &account.config.accounts[0];
    let watch = follow(
        &account.client,
        configured,
        &settings,
        &Clock::System,
        &mut events,
        stop,
    );
    let ending = watch.await.unwrap();
    assert_eq!(ending.exit_code(), 130);
    let last = events.read().pop().unwrap();
    assert_eq!(
        (&last["ending"], &last["operations"][0]["operation"]),
        (&json!("stopped"), &json!(format!("{id}")))
    );
    assert!(id.to_string().starts_with(PREFIX));
}
