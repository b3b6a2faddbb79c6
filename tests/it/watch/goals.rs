//! When a watch ends, and how.

use twilio_email_exporter::watch::LostShare;

use super::*;

/// Moves an operation to its next stage after each change. Returns the ending and the events.
async fn through(
    twilio: &Twilio,
    stages: Vec<(&str, Value)>,
    more: &str,
    settings: impl Fn(&[OperationId]) -> Settings,
) -> (Ending, Vec<Value>) {
    let mut stages = stages.into_iter();
    let (state, stats) = stages.next().unwrap();
    let id = twilio.put_as(HOUR, state, stats);
    let mut events = Events::then(|event| {
        if let Event::Changed(_) = event
            && let Some((state, stats)) = stages.next()
        {
            set(twilio, id, state, stats);
        }
    });
    let account = Account::new(twilio, more);
    let ending = account.follow(&settings(&[id]), &mut events).await;
    (ending, events.read())
}

fn until(goal: Goal) -> impl Fn(&[OperationId]) -> Settings {
    move |ids| Settings {
        goal,
        ..settings(ids)
    }
}

fn fail_above(share: &str) -> impl Fn(&[OperationId]) -> Settings {
    let share: LostShare = share.parse().unwrap();
    move |ids| Settings {
        fail_above: Some(share),
        ..settings(ids)
    }
}

#[tokio::test]
async fn a_watch_ends_when_no_email_is_in_flight() {
    let twilio = Twilio::empty().await;
    let (ending, events) = through(&twilio, stages(), "", until(Goal::Settled)).await;
    assert_eq!(ending, Ending::Done);
    assert_eq!(values(&events, "change", "in_flight"), [4, 3, 1, 0]);
    assert_eq!(values(&events, "change", "lost"), [0, 1, 1, 1]);
    let done = values(&events, "change", "done");
    assert_eq!(
        done,
        [Value::Null, Value::Null, Value::Null, json!("settled")]
    );
    let last = events.last().unwrap();
    assert_eq!(
        (&last["ending"], &last["exit_code"]),
        (&json!("settled"), &json!(0))
    );
}

#[tokio::test]
async fn a_watch_until_completed_ends_while_emails_are_in_flight() {
    let twilio = Twilio::empty().await;
    let (ending, events) = through(&twilio, stages(), "", until(Goal::Completed)).await;
    assert_eq!(ending, Ending::Done);
    assert_eq!(values(&events, "change", "in_flight"), [4, 3, 1]);
    assert_eq!(events.last().unwrap()["ending"], "completed");
}

#[tokio::test]
async fn completed_before_every_email_has_a_status_is_not_settled() {
    let twilio = Twilio::empty().await;
    let stages = vec![
        ("COMPLETED", json!({"total": 2})),
        ("COMPLETED", json!({"total": 2, "delivered": 1})),
        ("COMPLETED", json!({"total": 2, "delivered": 2})),
    ];
    let (ending, events) = through(&twilio, stages, "", until(Goal::Settled)).await;
    assert_eq!(ending, Ending::Done);
    assert_eq!(values(&events, "change", "delivered"), [0, 1, 2]);
}

#[tokio::test]
async fn a_canceled_operation_is_settled() {
    let twilio = Twilio::empty().await;
    let stages = vec![
        ("SCHEDULED", json!({"total": 2, "scheduled": 2})),
        ("CANCELED", json!({"total": 2, "canceled": 2})),
    ];
    let (ending, events) = through(&twilio, stages, "", until(Goal::Settled)).await;
    assert_eq!(ending, Ending::Done);
    assert_eq!(
        values(&events, "change", "state"),
        ["scheduled", "canceled"]
    );
}

/// Every sent email counts as sent for ever: the counting mode decides that none is in flight.
#[tokio::test]
async fn cumulative_stats_settle_too() {
    let stages = || {
        vec![
            (
                "PROCESSING",
                json!({"total": 10, "queued": 5, "sent": 5, "delivered": 4}),
            ),
            (
                "COMPLETED",
                json!({"total": 10, "sent": 10, "delivered": 9, "opened": 4, "undelivered": 1}),
            ),
        ]
    };
    let twilio = Twilio::empty().await;
    for more in ["", "stats_reading: cumulative"] {
        let (ending, events) = through(&twilio, stages(), more, until(Goal::Settled)).await;
        assert_eq!(ending, Ending::Done, "{more}");
        assert_eq!(values(&events, "change", "in_flight"), [6, 0], "{more}");
        assert_eq!(events.last().unwrap()["operations"][0]["delivered"], 9);
    }
}

#[tokio::test]
async fn a_watch_fails_only_above_the_share() {
    let twilio = Twilio::empty().await;
    for (failed, exit_code) in [(5, 0), (6, 1)] {
        let stats = json!({"total": 100, "delivered": 100 - failed, "failed": failed});
        let stages = vec![("COMPLETED", stats)];
        let (ending, events) = through(&twilio, stages, "", fail_above("5%")).await;
        assert_eq!(ending.exit_code(), exit_code, "{ending:?}");
        assert_eq!(events.last().unwrap()["exit_code"], exit_code);
        if exit_code == 1 {
            let why = "6 of 100 finished emails were lost (6.0%), more than 5% (--fail-above)";
            assert!(error(&ending).ends_with(why), "{ending:?}");
            assert_eq!(events.last().unwrap()["error"], error(&ending));
        }
    }
}

#[tokio::test]
async fn a_watch_fails_before_the_end_once_enough_emails_are_finished() {
    let twilio = Twilio::empty().await;
    let few = (
        "PROCESSING",
        json!({"total": 1000, "queued": 901, "failed": 99}),
    );
    let enough = (
        "PROCESSING",
        json!({"total": 1000, "queued": 900, "failed": 100}),
    );
    let never = (
        "COMPLETED",
        json!({"total": 1000, "delivered": 900, "failed": 100}),
    );
    let (ending, events) = through(&twilio, vec![few, enough, never], "", fail_above("5%")).await;
    assert_eq!(ending.exit_code(), 1);
    assert_eq!(values(&events, "change", "lost"), [99, 100]);
}

#[tokio::test]
async fn at_the_end_few_emails_decide_as_well() {
    let twilio = Twilio::empty().await;
    let stages = vec![(
        "COMPLETED",
        json!({"total": 3, "delivered": 2, "undelivered": 1}),
    )];
    let (ending, _) = through(&twilio, stages, "", fail_above("5%")).await;
    assert_eq!(ending.exit_code(), 1);
}

#[tokio::test]
async fn a_watch_ends_at_its_timeout_and_names_what_is_unfinished() {
    let twilio = Twilio::empty().await;
    let done = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    let id = twilio.put_as(HOUR, "PROCESSING", json!({"total": 9, "queued": 9}));
    let settings = Settings {
        timeout: Some(Duration::from_millis(200)),
        ..settings(&[done, id])
    };
    let mut events = Events::then(|_| {});
    let ending = Account::new(&twilio, "")
        .follow(&settings, &mut events)
        .await;
    assert_eq!(ending.exit_code(), 124);
    let why = format!("operation {id} has not settled: 9 emails in flight");
    assert!(error(&ending).ends_with(&why), "{ending:?}");
    assert_eq!(events.read().last().unwrap()["ending"], "timed_out");
}

#[tokio::test]
async fn several_operations_end_with_the_last_one_and_a_settled_one_is_not_read_again() {
    let twilio = Twilio::empty().await;
    let early = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    let late = twilio.put_as(HOUR, "PROCESSING", json!({"total": 2, "queued": 2}));
    let mut reads = 0;
    let mut events = Events::then(|event| {
        if event == Event::Changed(1) {
            reads += 1;
            let state = if reads < 3 { "PROCESSING" } else { "COMPLETED" };
            let delivered = reads.min(2);
            let stats = json!({"total": 2, "queued": 2 - delivered, "delivered": delivered, "attempts": reads});
            set(&twilio, late, state, stats);
        }
    });
    let ending = Account::new(&twilio, "")
        .follow(&settings(&[early, late]), &mut events)
        .await;
    assert_eq!(ending, Ending::Done);
    let requests = twilio.handle.requests();
    let of = |id: OperationId| {
        requests
            .iter()
            .filter(|each| each.path.ends_with(&id.to_string()))
            .count()
    };
    assert_eq!(of(early), 1);
    assert!(of(late) >= 4, "{}", of(late));
    let last = events.read().pop().unwrap();
    let ids: Vec<_> = last["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["operation"])
        .collect();
    assert_eq!(
        ids,
        [&json!(early.to_string()), &json!(late.to_string())],
        "in the user's order"
    );
}
