//! Credentials that Twilio rejects: one request, then waits of 1, 2, 4 and 5 minutes, which end immediately when the credentials change.

use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::{ClientRefusal, Dialect};

use super::*;
use crate::support::exporter::{SID, TOKEN, account_at, one_account};

/// The waits between the first tries; the last one is repeated.
const WAITS: [u64; 6] = [60, 120, 240, 300, 300, 300];

const RETRY: &str = "api_login_retry_timestamp_seconds";

/// A rejection: the fault, the counted reason, and the requests per try to the token endpoint and to the API.
const REJECTIONS: [(&str, &str, &str, (u64, u64)); 4] = [
    ("token=401", "token", "unauthorized", (1, 0)),
    ("token=403", "token", "forbidden", (1, 0)),
    ("list=401", "operations", "unauthorized", (1, 2)),
    ("operation=401", "operation", "unauthorized", (1, 2)),
];

/// An account with an auth token in a file, an operation, and a clock that the test sets.
struct Basic {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
    id: OperationId,
}

impl Basic {
    async fn new(more: &str) -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let id = twilio.put(Duration::from_mins(5), json!({"total": 1, "delivered": 1}));
        let yaml = one_account(&twilio, &format!("{more}\n{}", operations(&[id])));
        let options = Overrides {
            enable_lifecycle: Some(true),
            ..Overrides::default()
        };
        let exporter = Exporter::start_with(&yaml, clock.clone(), options).await;
        let exporter = exporter.settled().await;
        pass(&clock, INTERVAL);
        twilio.handle.reset_requests();
        Self {
            clock,
            twilio,
            exporter,
            id,
        }
    }

    async fn next(&self) -> Exposition {
        pass(&self.clock, INTERVAL);
        self.exporter.scrape().await
    }

    fn requests(&self) -> u64 {
        self.twilio.handle.counts().total
    }

    /// Twilio accepts this token for the account and no other.
    fn accept(&self, token: &str) {
        self.twilio
            .handle
            .set_logins(vec![BasicLogin::new(SID, token)]);
    }

    async fn reload(&self, yaml: &str) {
        self.exporter.files.write("config.yml", yaml);
        let request = self.exporter.client.post(self.exporter.url("/-/reload"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

fn is_waiting(seen: &Exposition) -> bool {
    seen.of_account(RETRY).unwrap() > 0.0
}

#[tokio::test]
async fn rejected_credentials_are_retried_after_growing_waits_and_every_scrape_exposes_when() {
    for more in ["", "discovery: false"] {
        let account = Basic::new(more).await;
        account.twilio.fault("401");
        for (tries, wait) in (1..).zip(WAITS) {
            let retry_at = account.clock.now().as_seconds() + wait as f64;
            // Every scrape until then, including the rejected one.
            while account.clock.now().as_seconds() < retry_at {
                let seen = account.exporter.scrape().await;
                let down = [("up", 0.0), ("collection_complete", 0.0), (RETRY, retry_at)];
                seen.expect(more, &down);
                assert_eq!(account.requests(), tries, "{more}");
                assert_eq!(seen.of_operation(account.id, "up"), Some(0.0));
                assert_eq!(seen.emails(account.id, "delivered"), Some(1.0), "kept");
                let failures: f64 = seen.failures().values().sum();
                assert!((failures - tries as f64).abs() < 0.1, "{more}: {failures}");
                pass(&account.clock, INTERVAL);
            }
        }
        account.twilio.handle.clear_faults();
        let seen = account.exporter.scrape().await;
        let up = [("up", 1.0), ("collection_complete", 1.0), (RETRY, 0.0)];
        seen.expect("accepted again", &up);
        // The next rejection begins a new backoff.
        account.twilio.fault("401");
        let seen = account.next().await;
        let retry_at = account.clock.now().as_seconds() + 60.0;
        assert_eq!(seen.of_account(RETRY), Some(retry_at), "{more}");
    }
}

#[tokio::test]
async fn a_rejected_client_and_a_rejected_token_back_off_too() {
    for (fault, endpoint, reason, (tokens, others)) in REJECTIONS {
        let more = if endpoint == "operation" {
            "discovery: false"
        } else {
            ""
        };
        let prepare = |twilio: &Twilio| twilio.fault(fault);
        let scene = Scene::prepared(ApiSettings::default(), more, prepare).await;
        // The first try is the collection that the exporter makes at its start.
        for (tries, wait) in (1..).zip(WAITS) {
            let retry_at = scene.clock.now().as_seconds() + wait as f64;
            while scene.clock.now().as_seconds() < retry_at {
                let seen = scene.exporter.scrape().await;
                let down = [("up", 0.0), ("collection_complete", 0.0), (RETRY, retry_at)];
                seen.expect(fault, &down);
                // A token that was fetched for an earlier try is used first.
                let wanted = (tries * tokens, tries * others - u64::from(others > 0));
                let requested = scene.requests();
                assert_eq!(requested, wanted, "{fault}: tokens and other requests");
                let count = failed(&seen, endpoint, reason);
                let wanted = if others > 0 { wanted.1 } else { wanted.0 };
                assert!((count - wanted as f64).abs() < 0.1, "{fault}: {count}");
                pass(&scene.clock, INTERVAL);
            }
        }
        scene.twilio.handle.clear_faults();
        let seen = scene.exporter.scrape().await;
        scene.assert_healthy(&seen, fault);
        assert_eq!(seen.of_account(RETRY), Some(0.0), "{fault}");
    }
}

#[tokio::test]
async fn a_client_rejected_with_status_400_backs_off_too() {
    let settings = ApiSettings {
        dialect: Dialect {
            client_refusal: ClientRefusal::BadRequest,
            ..Dialect::default()
        },
        ..ApiSettings::default()
    };
    let scene = Scene::prepared(settings, "", |twilio| {
        let other = BasicLogin::new(CLIENT, "another-secret");
        twilio.handle.set_clients(vec![other]);
    })
    .await;
    for _ in 0..3 {
        assert!(is_waiting(&scene.next().await));
        assert_eq!(scene.requests(), (1, 0));
    }
    scene.after(Duration::from_secs(15)).await;
    assert_eq!(scene.requests(), (2, 0));
}

#[tokio::test]
async fn a_rejected_client_stops_no_requests_while_its_token_is_valid() {
    let settings = ApiSettings {
        token_life: Duration::from_mins(10),
        ..ApiSettings::default()
    };
    let scene = Scene::with(settings, "").await;
    scene.twilio.fault("token=401");
    scene.twilio.handle.reset_requests();
    // The token is due for renewal and valid for another minute.
    for (span, tokens) in [(9 * 60, 1), (15, 1), (15, 1), (29, 1)] {
        let seen = scene.after(Duration::from_secs(span)).await;
        scene.assert_healthy(&seen, "while the token lasts");
        assert_eq!(scene.requests().0, tokens);
        assert!(!is_waiting(&seen));
    }
    let (_, before) = scene.requests();
    let seen = scene.after(Duration::from_secs(1)).await;
    seen.expect("at its end", &[("up", 0.0), ("collection_complete", 0.0)]);
    assert_eq!(
        scene.requests(),
        (2, before),
        "a minute after the first try"
    );
    assert!(is_waiting(&seen));
}

#[tokio::test]
async fn a_new_secret_in_the_file_is_tried_immediately() {
    let account = Basic::new("").await;
    account.accept("second");
    assert!(is_waiting(&account.next().await));
    // Also wrong: the first rejection of these credentials.
    account.exporter.files.write("token", "third");
    let seen = account.next().await;
    let retry_at = account.clock.now().as_seconds() + 60.0;
    assert_eq!(seen.of_account(RETRY), Some(retry_at));
    assert_eq!(account.requests(), 2);
    account.exporter.files.write("token", "second");
    let seen = account.next().await;
    seen.expect("right", &[("up", 1.0), (RETRY, 0.0)]);
}

#[tokio::test]
async fn a_reload_tries_new_credentials_immediately_and_keeps_the_backoff_of_the_same_ones() {
    let account = Basic::new("").await;
    account.twilio.fault("401");
    assert!(is_waiting(&account.next().await));
    let same = one_account(&account.twilio, "max_concurrent_requests: 3");
    account.reload(&same).await;
    let seen = account.next().await;
    seen.expect("the same", &[("up", 0.0)]);
    assert!(is_waiting(&seen));
    assert_eq!(account.requests(), 1);
    account.twilio.handle.clear_faults();
    account.accept("other");
    account.exporter.files.write("other", "other");
    let other = same.replace("auth_token_file: token", "auth_token_file: other");
    account.reload(&other).await;
    let seen = account.next().await;
    seen.expect("others", &[("up", 1.0), (RETRY, 0.0)]);
}

#[tokio::test]
async fn a_reload_with_another_base_url_tries_the_same_credentials_immediately() {
    let account = Basic::new("").await;
    account.twilio.fault("401");
    assert!(is_waiting(&account.next().await));
    let elsewhere = Twilio::start(SimulatorSettings::empty(), account.clock.clone()).await;
    let yaml = account_at("default", &elsewhere.base_url(), "");
    account.reload(&format!("accounts:\n{yaml}")).await;
    let seen = account.next().await;
    seen.expect("elsewhere", &[("up", 1.0), (RETRY, 0.0)]);
}

#[tokio::test]
async fn a_probe_of_a_rejected_account_makes_no_request_and_says_when_the_next_one_is_made() {
    let account = Basic::new("").await;
    account.twilio.fault("401");
    account.next().await;
    let path = format!("/probe?target={}&debug=true", account.id);
    let text = account.exporter.get(&path).await.text().await.unwrap();
    assert_eq!(account.requests(), 1);
    let retry_at = account.clock.now() + Duration::from_mins(1);
    let answered = format!(
        "# result: not requested: Twilio rejected the credentials. The exporter tries them again at {retry_at}, and new ones immediately\n"
    );
    assert!(text.contains(&answered), "{text}");
    assert!(text.contains("# reason: unauthorized\n"), "{text}");
    assert!(text.contains("\nprobe_success 0\n"), "{text}");
    assert!(!text.contains(TOKEN) && !text.contains(SID), "{text}");
    // A probe reads a new secret without a collection.
    account.twilio.handle.clear_faults();
    account.accept("second");
    account.exporter.files.write("token", "second");
    let text = account.exporter.get(&path).await.text().await.unwrap();
    assert!(text.contains("\nprobe_success 1\n"), "{text}");
}

#[tokio::test]
async fn a_401_for_an_operation_stops_no_requests_while_the_list_authenticates() {
    let account = Basic::new("").await;
    // The list does not return it, so it needs a single read.
    account.twilio.handle.remove(&account.id.to_string());
    account.twilio.fault("operation=401");
    for collections in 1..=6 {
        let seen = account.next().await;
        seen.expect("the list works", &[("up", 1.0), ("discovery_up", 1.0)]);
        assert!(!is_waiting(&seen));
        let counts = account.twilio.handle.counts();
        assert_eq!(
            (counts.operations, counts.operation),
            (collections, collections)
        );
    }
}

#[tokio::test]
async fn a_401_for_a_probe_between_two_collections_does_not_block_the_account() {
    let account = Basic::new("").await;
    account.twilio.fault("operation=401");
    let path = format!("/probe?target={}", account.id);
    for _ in 0..3 {
        // A scrape interval of a minute: the probe comes long after the list authenticated.
        pass(&account.clock, Duration::from_secs(45));
        let text = account.exporter.get(&path).await.text().await.unwrap();
        assert!(text.contains("\nprobe_success 0\n"), "{text}");
        let seen = account.next().await;
        seen.expect("the list works", &[("up", 1.0), ("discovery_up", 1.0)]);
        assert!(!is_waiting(&seen));
    }
    // Revoked credentials: the next collection finds that out, and probes make no request either.
    account.twilio.fault("401");
    account.exporter.get(&path).await;
    assert!(is_waiting(&account.next().await));
    let before = account.requests();
    account.exporter.get(&path).await;
    assert_eq!(account.requests(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_credentials_are_logged_once_for_any_number_of_scrapes() {
    let twilio = Twilio::empty().await;
    let put = |age| twilio.put(Duration::from_mins(age), json!({"total": 1}));
    let ids: Vec<_> = (1..=3).map(|age| put(age).to_string()).collect();
    twilio.fault("401");
    let (base, ids) = (twilio.base_url(), ids.join(","));
    let running = Running::new(&[
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_EMAIL_BASE_URL", &base),
        ("TWILIO_EMAIL_OPERATIONS", &ids),
    ])
    .settled()
    .await;
    for _ in 0..5 {
        let seen = running.scrape().await;
        seen.expect("rejected", &[("up", 0.0), ("discovery_up", 0.0)]);
    }
    assert_eq!(twilio.handle.counts().total, 1);
    let log = running.log();
    assert_eq!(count(&log, &["level=warn"]), 1, "{log}");
    let words = ["level=warn", "Twilio rejects the auth token (401)"];
    assert_eq!(count(&log, &words), 1, "{log}");
}
