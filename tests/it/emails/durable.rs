//! The counts of emails after a kill, a reload, and the removal of an account.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::support::client::{client, scrape};
use crate::support::eventually;
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;

/// How often the program is killed.
const KILLS: usize = 10;
/// Operations whose emails arrive meanwhile.
const OPERATIONS: usize = 20;
const HOUR: Duration = Duration::from_hours(1);

fn program(twilio: &Twilio, directory: &Path) -> Program {
    let base_url = twilio.base_url();
    let credentials = [
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base_url),
    ];
    let options = [
        "--collector.emails",
        "--storage.path",
        directory.to_str().unwrap(),
    ];
    Program::exporter(&options, &credentials)
}

fn delivered(seen: &Exposition) -> Option<f64> {
    outcome(seen, "other", "delivered")
}

#[tokio::test]
async fn kill_9_at_any_moment_lowers_no_counter_of_emails_and_counts_none_twice() {
    let directory = tempfile::tempdir().unwrap();
    let twilio = Twilio::empty().await;
    let mut ids = Vec::new();
    let client = client();
    let (mut last, mut size) = (0.0, 0_u32);
    for kill in 0..KILLS {
        let mut program = program(&twilio, directory.path());
        let address = program.address();
        if kill == 0 {
            // From here on emails are younger than the store.
            eventually("counters", || async {
                scrape(&client, address)
                    .await
                    .and_then(|seen| delivered(&seen))
                    == Some(0.0)
            })
            .await;
            ids = (0..OPERATIONS)
                .map(|_| twilio.put(Duration::ZERO, json!({"total": 0})))
                .collect();
        }
        // Each time a little later in what the exporter does.
        let end = Instant::now() + Duration::from_millis(40 * kill as u64 + 1);
        loop {
            size += 1;
            for id in &ids {
                let opened = size / 2;
                let stats = json!({"total": size, "delivered": size - opened, "opened": opened});
                twilio.set(*id, id.created(), "PROCESSING", stats);
            }
            if let Some(now) = scrape(&client, address)
                .await
                .and_then(|seen| delivered(&seen))
            {
                assert!(now >= last, "{now} after {last}");
                last = now;
            }
            if Instant::now() >= end {
                break;
            }
        }
        program.signal("KILL");
        program.wait();
    }
    let mut program = program(&twilio, directory.path());
    let address = program.address();
    let all = f64::from(size) * OPERATIONS as f64;
    eventually("all emails", || async {
        let seen = scrape(&client, address).await;
        seen.as_ref().and_then(delivered) == Some(all)
    })
    .await;
    let seen = scrape(&client, address).await.unwrap();
    assert_eq!(
        outcome(&seen, "other", "opened"),
        Some(f64::from(size / 2) * OPERATIONS as f64)
    );
    let other = [("provider", "other")];
    let timed = seen
        .value("twilio_email_delivery_duration_seconds_count", &other)
        .unwrap();
    let unobserved = seen
        .value("twilio_email_deliveries_unobserved_total", &other)
        .unwrap();
    assert!(
        (timed + unobserved - all).abs() < 0.5,
        "{timed} + {unobserved} of {all}"
    );
}

#[tokio::test]
async fn emails_that_came_while_the_exporter_was_down_or_the_collector_off_count_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (clock, twilio) = quiet_account().await;
    let on = configuration(&twilio, "", "", Some(directory.path()));
    let off = on.replace("enabled: true", "enabled: false");
    let exporter = start(&on, &clock).await;
    let scene = Scene {
        clock: clock.clone(),
        twilio,
        exporter,
    };
    scene
        .seen("counters", |seen| delivered(seen) == Some(0.0))
        .await;
    scene.exporter.stop().await.unwrap();
    pass(&clock, 5 * HOUR);
    scene
        .twilio
        .put(3 * HOUR, json!({"total": 9, "delivered": 8, "failed": 1}));
    let scene = Scene {
        clock: clock.clone(),
        twilio: scene.twilio,
        exporter: start(&on, &clock).await,
    };
    scene
        .seen("after the stop", |seen| delivered(seen) == Some(8.0))
        .await;

    reload(&scene.exporter, &off).await;
    let seen = scene.exporter.scrape().await;
    assert_eq!(delivered(&seen), None);
    assert_eq!(
        seen.value("twilio_email_collector_success", &[("collector", "emails")]),
        None
    );
    scene.twilio.handle.reset_requests();
    pass(&clock, HOUR);
    scene
        .twilio
        .put(Duration::ZERO, json!({"total": 2, "delivered": 2}));
    scene.exporter.scrape().await;
    let requests = scene.twilio.handle.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("/Emails?"))
    );

    reload(&scene.exporter, &on).await;
    let seen = scene
        .seen("on again", |seen| delivered(seen) == Some(10.0))
        .await;
    assert_eq!(outcome(&seen, "other", "failed"), Some(1.0));

    // Another account in its place, and back.
    let other = on.replace("name: default", "name: other");
    reload(&scene.exporter, &other).await;
    let seen = scene.exporter.scrape().await;
    assert!(
        seen.value("twilio_email_inbound_total", &[("account", "default")])
            .is_none()
    );
    reload(&scene.exporter, &on).await;
    scene
        .seen("back", |seen| delivered(seen) == Some(10.0))
        .await;
}
