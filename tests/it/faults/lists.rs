//! A list that fails, is rejected, is wrong or does not end removes no operation.

use super::*;

#[tokio::test]
async fn a_list_that_takes_longer_than_the_scrape_is_not_requested_twice() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
    twilio.fault("list=slow:1500ms:times=1");
    let exporter = Exporter::watching(&twilio).await;
    for _ in 0..2 {
        let started = Instant::now();
        let seen = exporter.scrape_within(0.2).await;
        assert!(started.elapsed() < Duration::from_millis(800));
        seen.expect("in progress", &[("up", 0.0), ("collection_complete", 0.0)]);
        assert_eq!(seen.of_account("discovery_up"), None, "not known yet");
    }
    assert_eq!(twilio.handle.counts().total, 1);
    let seen = exporter.scrape().await;
    seen.expect("afterwards", &[("up", 1.0), ("collection_complete", 1.0)]);
    assert_eq!(seen.emails(id, "opened"), Some(1.0));
}

#[tokio::test]
async fn a_rejected_list_leaves_single_reads_and_is_retried_with_backoff() {
    let minutes = [0, 1, 3, 7, 15, 31, 63, 123, 183];
    for (fault, reason, times) in [
        ("403", "forbidden", 8),
        ("404", "not_found", 4),
        ("400", "bad_request", 4),
    ] {
        let scene = Scene::new().await;
        scene.twilio.fault(&format!("list={fault}"));
        let now = scene.twilio.handle.now();
        for id in scene.ids() {
            scene.twilio.set(
                id,
                id.created(),
                "COMPLETED",
                json!({"total": 9, "opened": 9}),
            );
        }
        let seen = scene.next().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 1.0),
            ],
        );
        for id in scene.ids() {
            assert_eq!(seen.emails(id, "opened"), Some(9.0), "{id} read alone");
            assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{id}");
        }
        assert_only(&seen, reason, LIST);
        let mut listed = Vec::new();
        let mut before = 1;
        while listed.len() < times {
            let seen = scene.after(Duration::from_mins(1)).await;
            assert_eq!(seen.of_account("discovery_up"), Some(0.0));
            let lists = scene.twilio.handle.counts().operations;
            if lists > before {
                listed.push(scene.clock.now().since(now).as_secs() / 60);
                before = lists;
            }
        }
        assert_eq!(
            listed,
            minutes[1..=times],
            "minutes at which the list was requested"
        );
        scene.twilio.handle.clear_faults();
        let seen = scene.after(HOUR).await;
        seen.expect(
            "afterwards",
            &[
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 1.0),
            ],
        );
    }
}

#[tokio::test]
async fn a_list_rejected_from_the_start_leaves_the_configured_operations() {
    for fault in ["list=403", "list=404"] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let id = twilio.put(HOUR, json!({"total": 1, "opened": 1}));
        twilio.fault(fault);
        let yaml = one_account(&twilio, &format!("operations:\n- id: {id}"));
        let exporter = Exporter::start_at(&yaml, clock).await;
        let seen = exporter.scrape().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 1.0),
            ],
        );
        assert_eq!(seen.emails(id, "opened"), Some(1.0), "{fault}");
    }
}

#[tokio::test]
async fn an_account_without_the_right_to_list_stays_up_while_nothing_is_due() {
    for fault in ["list=403", "list=404"] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        twilio.put(72 * HOUR, json!({"total": 1, "opened": 1}));
        let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone()).await;
        // Long after its last change, an operation is rarely polled, so the list is the only request.
        pass(&clock, 9 * HOUR);
        exporter.scrape().await.expect(fault, &[("up", 1.0)]);
        twilio.fault(fault);
        for _ in 0..20 {
            pass(&clock, INTERVAL);
            let seen = exporter.scrape().await;
            let standing = [
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 1.0),
            ];
            seen.expect(fault, &standing);
        }
        // If single operations cannot be read either, the account is not up.
        twilio.fault("operation=403");
        pass(&clock, ANY_WAIT);
        exporter
            .scrape()
            .await
            .expect("all refused", &[("up", 0.0)]);
    }
}

#[tokio::test]
async fn a_failed_page_removes_no_operation() {
    for (fault, reason) in [
        ("500", "server_error"),
        ("429:retry-after=5", "rate_limited"),
    ] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        for age in 1..=2005 {
            let stats = json!({"total": 1, "delivered": 1});
            twilio.put(Duration::from_mins(age), stats);
        }
        twilio.fault(&format!("list:page=3={fault}"));
        // Single reads of the operations on that page fail too.
        twilio.fault("operation=500");
        let yaml = one_account(&twilio, "") + "series: {max_operations: 10}\n";
        let exporter = Exporter::start_at(&yaml, clock.clone())
            .await
            .settled()
            .await;
        let delivered =
            |seen: &Exposition| seen.value("twilio_email_emails", &[("status", "delivered")]);
        let seen = exporter.scrape().await;
        let broken = [
            // 1, unless the page started a pause.
            ("up", f64::from(u8::from(!fault.starts_with("429")))),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect(fault, &broken);
        assert_eq!(
            delivered(&seen),
            Some(2000.0),
            "{fault}: as far as pages came"
        );
        let up = seen.samples("twilio_email_operation_up");
        assert!(
            up.iter().all(|sample| sample.value > 0.0),
            "{fault}: the rows of the pages"
        );
        assert!(failed(&seen, "operations", reason) >= 1.0, "{fault}");
        twilio.handle.clear_faults();
        pass(&clock, ANY_WAIT);
        let seen = exporter.scrape().await;
        let healed = [("discovery_up", 1.0), ("collection_complete", 1.0)];
        seen.expect("afterwards", &healed);
        assert_eq!(delivered(&seen), Some(2005.0), "after {fault}");
        twilio.fault(&format!("list={fault}"));
        twilio.fault("operation=500");
        pass(&clock, INTERVAL);
        let seen = exporter.scrape().await;
        assert_eq!(
            delivered(&seen),
            Some(2005.0),
            "{fault}: nothing disappears"
        );
        let up = seen.samples("twilio_email_operation_up");
        assert_eq!(up.len(), 10, "{fault}: shown");
        assert!(
            up.iter().all(|sample| sample.value == 0.0),
            "{fault}: not read"
        );
    }
}

#[tokio::test]
async fn a_list_that_does_not_end_is_stopped() {
    for fault in ["list=repeat-token", "list=endless"] {
        let scene = Scene::new().await;
        scene.twilio.fault(fault);
        let seen = scene.next().await;
        seen.expect(
            fault,
            &[
                ("up", 1.0),
                ("discovery_up", 0.0),
                ("collection_complete", 0.0),
            ],
        );
        for id in scene.ids() {
            assert_eq!(
                seen.of_operation(id, "up"),
                Some(1.0),
                "{fault}: the list returned {id}"
            );
        }
        assert_only(&seen, "invalid_response", LIST);
        let requested = scene.twilio.handle.counts().total;
        assert!(requested <= 15, "{fault}: {requested} requests");
        scene.twilio.handle.clear_faults();
        let healed = scene.next().await;
        scene.assert_healthy(&healed, &format!("after {fault}"));
    }
}

#[tokio::test]
async fn an_empty_list_removes_no_operation() {
    let scene = Scene::new().await;
    scene.twilio.fault("list=empty");
    let seen = scene.next().await;
    seen.expect(
        "empty",
        &[
            ("up", 1.0),
            ("discovery_up", 1.0),
            ("collection_complete", 1.0),
        ],
    );
    for id in scene.ids() {
        assert_eq!(seen.of_operation(id, "up"), Some(1.0), "{id}");
    }
    let operations = seen.value("twilio_email_operations", &[("state", "completed")]);
    assert_eq!(operations, Some(2.0));
    assert!(seen.failures().is_empty(), "{:?}", seen.failures());
}

#[tokio::test]
async fn a_key_without_the_right_to_list_and_without_operations_makes_no_complete_collection() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    twilio.fault("list=403");
    let exporter = Exporter::start_at(&one_account(&twilio, ""), clock.clone())
        .await
        .settled()
        .await;
    // Whether the list is requested in this collection or, because of the backoff, not.
    for _ in 0..6 {
        let seen = exporter.scrape().await;
        let refused = [
            ("up", 0.0),
            ("discovery_up", 0.0),
            ("collection_complete", 0.0),
        ];
        seen.expect("refused", &refused);
        let success = seen.of_account("collection_last_success_timestamp_seconds");
        assert_eq!(success, None, "nothing was ever read");
        pass(&clock, INTERVAL);
    }
    assert_eq!(twilio.handle.counts().total, 2);
    twilio.handle.clear_faults();
    pass(&clock, ANY_WAIT);
    let healed = [
        ("up", 1.0),
        ("discovery_up", 1.0),
        ("collection_complete", 1.0),
    ];
    exporter.scrape().await.expect("afterwards", &healed);
}
