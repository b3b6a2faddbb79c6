//! Lists that break off, change between pages, name the next page in an unusual way or ignore a parameter: every operation is found, and an
//! incomplete list never counts as complete.

use twilio_email_exporter::simulator::{ApiSettings, Dialect, PaginationStyle};

use super::*;

/// More than a page.
const MANY: u64 = 1500;

struct Account {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
}

impl Account {
    /// `size` operations, a minute apart, and `faults` of the list from the start.
    async fn new(size: u64, dialect: Dialect, faults: &[&str]) -> Self {
        let clock = morning();
        let settings = ApiSettings {
            dialect,
            ..ApiSettings::default()
        };
        let twilio = Twilio::start(settings, clock.clone()).await;
        for age in 1..=size {
            let stats = json!({"total": 1, "delivered": 1});
            twilio.put(Duration::from_mins(age), stats);
        }
        for fault in faults {
            twilio.fault(fault);
        }
        let yaml = one_account(&twilio, "") + "series: {max_operations: 3}\n";
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        Self {
            clock,
            twilio,
            exporter,
        }
    }

    async fn next(&self) -> Exposition {
        pass(&self.clock, INTERVAL);
        self.twilio.handle.reset_requests();
        self.exporter.scrape().await
    }

    /// The second scrape after hours without changes, when nothing is due.
    async fn when_idle(&self) -> Exposition {
        pass(&self.clock, Duration::from_hours(4));
        self.next().await;
        self.next().await
    }

    fn requests(&self) -> u64 {
        self.twilio.handle.counts().total
    }
}

fn tracked(seen: &Exposition) -> Option<f64> {
    seen.value("twilio_email_operations", &[("state", "completed")])
}

#[track_caller]
fn assert_found(seen: &Exposition, size: u64, complete: f64, what: &str) {
    let standing = [
        ("up", 1.0),
        ("discovery_up", complete),
        ("collection_complete", complete),
    ];
    seen.expect(what, &standing);
    assert_eq!(tracked(seen), Some(size as f64), "{what}");
}

#[tokio::test]
async fn a_list_that_breaks_off_is_incomplete_and_starts_again() {
    for status in [400, 403, 404, 407, 410, 451] {
        let what = format!("list:page=2={status}:times=1");
        let account = Account::new(MANY, Dialect::default(), &[&what]).await;
        let seen = account.exporter.scrape().await;
        assert_found(&seen, 1000, 0.0, &what);
        let seen = account.next().await;
        assert_found(&seen, MANY, 1.0, &format!("after {what}"));
    }
}

#[tokio::test]
async fn a_wrong_base_url_is_neither_up_nor_complete() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
    for more in ["", &operations(&[id]), "discovery: false"] {
        let wrong = format!("{}/wrong", twilio.base_url());
        let yaml = format!("accounts:\n{}", account_at("default", &wrong, more));
        let exporter = Exporter::start(&yaml).await.settled().await;
        let seen = exporter.scrape().await;
        seen.expect(more, &[("up", 0.0)]);
        if more != "discovery: false" {
            seen.expect(more, &[("discovery_up", 0.0), ("collection_complete", 0.0)]);
        }
    }
}

/// Every pagination style that the exporter parses.
fn shapes() -> impl Iterator<Item = Dialect> {
    let elsewhere = || "https://elsewhere.example.com".to_owned();
    [
        PaginationStyle::Next,
        PaginationStyle::NextPageToken,
        PaginationStyle::NextUrl(elsewhere()),
        PaginationStyle::MetaUrl(elsewhere()),
        PaginationStyle::MetaUrl(String::new()),
        PaginationStyle::MetaToken,
        PaginationStyle::NextObject,
        PaginationStyle::TopUri,
        PaginationStyle::Links,
    ]
    .into_iter()
    .map(|pagination| Dialect {
        pagination,
        ..Dialect::default()
    })
}

#[tokio::test]
async fn the_next_page_is_found_in_every_known_shape() {
    for dialect in shapes() {
        let what = format!("{:?}", dialect.pagination);
        // With small pages too: a page that is not full can have a next one.
        for (size, faults) in [(MANY, &[][..]), (170, &["list=ignore-page-size"])] {
            let account = Account::new(size, dialect.clone(), faults).await;
            let seen = account.exporter.scrape().await;
            assert_found(&seen, size, 1.0, &what);
        }
    }
}

#[tokio::test]
async fn a_list_that_fills_one_page_exactly_is_complete_in_every_shape() {
    for dialect in shapes() {
        let what = format!("{:?}", dialect.pagination);
        let account = Account::new(1000, dialect, &[]).await;
        let seen = account.exporter.scrape().await;
        assert_found(&seen, 1000, 1.0, &what);
        account.when_idle().await;
        assert_eq!(account.requests(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_full_page_whose_next_page_is_unknown_is_incomplete() {
    let unknown = || Dialect {
        pagination: PaginationStyle::Unknown,
        ..Dialect::default()
    };
    let account = Account::new(MANY, unknown(), &[]).await;
    let seen = account.exporter.scrape().await;
    assert_found(&seen, 1000, 0.0, "a full page");
    assert_only(&seen, "invalid_response", LIST_ONLY);
    let account = Account::new(999, unknown(), &[]).await;
    let seen = account.exporter.scrape().await;
    assert_found(&seen, 999, 1.0, "a page with room");
}

const LIST_ONLY: &[&str] = &["operations"];

#[tokio::test]
async fn rows_that_move_between_pages_are_found_within_two_collections() {
    let account = Account::new(MANY, Dialect::default(), &["list=moving-rows"]).await;
    let seen = account.exporter.scrape().await;
    assert!(tracked(&seen) >= Some(1495.0), "five have moved");
    let seen = account.next().await;
    assert_found(&seen, MANY, 1.0, "the second time");
    // From then on the newest page is enough for new operations.
    account.when_idle().await;
    assert_eq!(account.requests(), 1);
}

#[tokio::test]
async fn a_list_that_ignores_dates_is_read_while_it_has_new_operations() {
    let account = Account::new(4500, Dialect::default(), &["list=ignore-dates"]).await;
    let seen = account.exporter.scrape().await;
    assert_found(&seen, 4500, 1.0, "at first");
    let seen = account.when_idle().await;
    assert!(account.requests() <= 2, "{} requests", account.requests());
    assert_found(&seen, 4500, 1.0, "when idle");
    // New operations are found in the next collection, and due ones are read wherever they are in the list.
    let new = account
        .twilio
        .put(Duration::ZERO, json!({"total": 1, "delivered": 1}));
    let seen = account.next().await;
    assert_found(&seen, 4501, 1.0, "with a new one");
    assert_eq!(seen.emails(new, "delivered"), Some(1.0));
    pass(&account.clock, Duration::from_hours(4));
    account.next().await;
    let seen = account.next().await;
    assert_found(&seen, 4501, 1.0, "after hours");
    let read = seen.value(
        "twilio_email_collection_last_success_timestamp_seconds",
        &[],
    );
    assert_eq!(read, Some(account.clock.now().as_seconds()));
}

#[tokio::test]
async fn small_pages_cost_only_the_requests_for_new_operations() {
    let account = Account::new(500, Dialect::default(), &["list=ignore-page-size"]).await;
    let seen = account.exporter.scrape().await;
    assert_found(&seen, 500, 1.0, "at first");
    let seen = account.when_idle().await;
    assert!(account.requests() <= 2, "{} requests", account.requests());
    assert_found(&seen, 500, 1.0, "when idle");
}

#[tokio::test]
async fn a_filter_on_the_state_that_is_ignored_is_not_used_again() {
    let account = Account::new(0, Dialect::default(), &["list=ignore-status"]).await;
    for age in 1..=2000 {
        let state = if age % 100 == 0 {
            "PROCESSING"
        } else {
            "COMPLETED"
        };
        let stats = json!({"total": 1, "delivered": 1});
        account
            .twilio
            .put_as(Duration::from_mins(age), state, stats);
    }
    for _ in 0..4 {
        let seen = account.next().await;
        assert_found(&seen, 1980, 1.0, "a filter that is ignored");
        let processing = seen.value("twilio_email_operations", &[("state", "processing")]);
        assert_eq!(processing, Some(20.0));
    }
    let filtered = |request: &twilio_email_exporter::simulator::RecordedRequest| {
        request.path.contains("status=")
    };
    assert!(!account.twilio.handle.requests().iter().any(filtered));
}

#[tokio::test]
async fn empty_pages_are_followed() {
    for pages in [1, 11, 200] {
        let what = format!("list=empty-pages:{pages}");
        let account = Account::new(7, Dialect::default(), &[&what]).await;
        let seen = account.exporter.scrape().await;
        assert_found(&seen, 7, 1.0, &what);
    }
}

#[tokio::test]
async fn a_page_token_that_looks_like_a_url_is_sent_unchanged() {
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let ids = [
        twilio.put(HOUR, json!({})).to_string(),
        twilio.put(2 * HOUR, json!({})).to_string(),
    ];
    let row =
        |id: &str| json!({"id": id, "status": "COMPLETED", "stats": {"total": 1, "delivered": 1}});
    let server = StubServer::start(move |path| {
        let is_second = path.contains("pageToken=%2F9j%3A%2F%2F4%2BQ%3D%3D");
        let list = if is_second {
            json!({"operations": [row(&ids[1])], "pagination": {"next": null}})
        } else {
            json!({"operations": [row(&ids[0])], "pagination": {"next": "/9j://4+Q=="}})
        };
        StubResponse::json(list.to_string())
    })
    .await;
    let yaml = format!(
        "accounts:\n{}",
        account_at("default", &server.base_url(), "")
    );
    let exporter = Exporter::start_at(&yaml, clock).await;
    assert_eq!(tracked(&exporter.scrape().await), Some(2.0));
}

#[tokio::test]
async fn clock_skew_is_exposed_and_hours_of_it_make_collections_incomplete() {
    for (skew, complete) in [(0, 1.0), (90, 1.0), (2 * 3600, 0.0), (8 * 86_400, 0.0)] {
        let ours = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), morning()).await;
        twilio.put(HOUR, json!({"total": 1, "delivered": 1}));
        pass(&ours, Duration::from_secs(skew));
        let exporter = Exporter::start_at(&one_account(&twilio, ""), ours).await;
        let seen = exporter.settled().await.scrape().await;
        let what = format!("{skew} s ahead");
        let standing = [
            ("up", 1.0),
            ("collection_complete", complete),
            ("api_clock_skew_seconds", 0.0 - skew as f64),
        ];
        seen.expect(&what, &standing);
    }
}

#[tokio::test]
async fn a_large_page_is_parsed_and_one_with_too_many_rows_is_rejected() {
    for (rows, padding, tracked_then, reason) in [
        (900, 1000, Some(900.0), None),
        (2000, 0, Some(2000.0), None),
        (2001, 0, None, Some("too_large")),
    ] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let row = |n: u64| {
            let id = twilio.put(Duration::from_secs(n), json!({}));
            json!({
                "id": id.to_string(), "status": "COMPLETED", "note": "x".repeat(padding),
                "stats": {"total": 1, "delivered": 1},
            })
        };
        let rows: Vec<_> = (1..=rows).map(row).collect();
        let list = json!({"operations": rows, "pagination": {"next": null}}).to_string();
        let server = StubServer::start(move |_| StubResponse::json(list.clone())).await;
        let account = account_at("default", &server.base_url(), "");
        let exporter = Exporter::start_at(&format!("accounts:\n{account}"), clock).await;
        let seen = exporter.scrape().await;
        let found = tracked(&seen).filter(|operations| *operations > 0.0);
        assert_eq!(found, tracked_then, "{} rows", rows.len());
        let failures: Vec<_> = seen
            .failures()
            .into_keys()
            .map(|(_, reason)| reason)
            .collect();
        assert_eq!(failures, Vec::from_iter(reason), "{} rows", rows.len());
    }
}
