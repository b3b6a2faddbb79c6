//! The collector of emails with lookups of mail exchangers (`collectors.emails.resolve_mx`).

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use twilio_email_exporter::config::Overrides;
use twilio_email_exporter::simulator::SimulatorSettings;

use super::*;
use crate::support::client::scrape;
use crate::support::exporter::{Exporter, SID, TOKEN, one_account};
use crate::support::program::Program;
use crate::support::scene::{INTERVAL, ZERO_FOR, scrape_until};
use crate::support::twilio::Twilio;

/// The domains of the simulated recipients.
pub(super) const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

struct Scene {
    clock: Clock,
    twilio: Twilio,
    server: NameServer,
    exporter: Exporter,
}

pub(super) fn configuration(
    twilio: &Twilio,
    server: &NameServer,
    storage: Option<&Path>,
) -> String {
    let storage = storage.map_or_else(String::new, |path| {
        format!("storage: {{path: {}}}\n", path.display())
    });
    format!(
        "{}collectors: {{emails: {{enabled: true, resolve_mx: true, name_servers: ['{}']}}}}\n{storage}",
        one_account(twilio, ""),
        server.address
    )
}

/// A name server with the domains of the simulated recipients; the last one has a mail exchanger of its own.
pub(super) async fn name_server() -> NameServer {
    let server = NameServer::start().await;
    for (domain, host) in DOMAINS.into_iter().zip([
        "aspmx.l.google.com.",
        "example-net.mail.protection.outlook.com.",
        "mx.example.org.",
    ]) {
        server.answer(domain, Answer::Exchangers(vec![(10, host)]));
    }
    server
}

impl Scene {
    /// An exporter whose first collection found nothing.
    async fn new(server: NameServer, storage: Option<&Path>) -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let yaml = configuration(&twilio, &server, storage);
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        let exporter = exporter.settled().await;
        let scene = Self {
            clock,
            twilio,
            server,
            exporter,
        };
        scene.seen("the first run", is_collected).await;
        // What it finds is baseline.
        scene.exporter.idle().await;
        pass(&scene.clock, ZERO_FOR);
        scene
    }

    /// Scrapes until one shows what is `wanted`.
    async fn seen(&self, what: &str, wanted: impl Fn(&Exposition) -> bool) -> Exposition {
        scrape_until(&self.exporter, &self.clock, what, wanted).await
    }

    /// Scrapes until this many lookups have succeeded. Little time passes meanwhile.
    async fn looked_up(&self, lookups: f64) {
        eventually(&format!("{lookups} lookups"), || async {
            // A run reads nothing that an earlier one read at the same time.
            pass(&self.clock, Duration::from_millis(100));
            let seen = self.exporter.scrape().await;
            let count = |result| {
                let name = "twilio_email_exporter_mx_lookups_total";
                seen.value(name, &[("result", result)]).unwrap_or_default()
            };
            count("found") + count("unknown") >= lookups
        })
        .await;
    }

    /// The same exporter after a kill, with what it saved.
    async fn restarted(self, storage: &Path) -> Self {
        let Self {
            clock,
            twilio,
            server,
            exporter,
        } = self;
        drop(exporter);
        let yaml = configuration(&twilio, &server, Some(storage));
        // The task of the previous one may hold the directory for a moment.
        eventually("the directory is free", || async {
            twilio_email_exporter::store::Store::open(Some(storage), clock.now()).is_ok()
        })
        .await;
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        Self {
            exporter: exporter.settled().await,
            clock,
            twilio,
            server,
        }
    }

    /// Creates an operation of this age with three emails to each domain, all delivered.
    fn deliver_nine(&self, age: Duration) -> twilio_email_exporter::operation::OperationId {
        self.twilio.put(age, json!({"total": 9, "delivered": 9}))
    }
}

fn is_collected(seen: &Exposition) -> bool {
    seen.value("twilio_email_inbound_total", &[]).is_some()
}

fn outcome(seen: &Exposition, provider: &str, outcome: &str) -> Option<f64> {
    let labels = [("provider", provider), ("outcome", outcome)];
    seen.value("twilio_email_provider_outcomes_total", &labels)
}

/// The gauge, which no new name holds at 0.
fn emails(seen: &Exposition, provider: &str, status: &str) -> Option<f64> {
    let labels = [("provider", provider), ("status", status)];
    seen.value("twilio_email_provider_emails", &labels)
}

fn delivered(seen: &Exposition) -> [Option<f64>; 3] {
    ["google_workspace", "microsoft_365", "other"].map(|name| outcome(seen, name, "delivered"))
}

#[tokio::test]
async fn new_emails_count_under_the_provider_of_their_mail_exchangers_from_the_first_one_on() {
    let scene = Scene::new(name_server().await, None).await;
    scene.deliver_nine(Duration::from_secs(5));
    scene.looked_up(3.0).await;
    let seen = scene
        .seen("the deliveries", |seen| {
            let other = outcome(seen, "other", "delivered").unwrap_or_default();
            assert!(other <= 3.0, "{other} emails count as other");
            delivered(seen) == [Some(3.0); 3]
        })
        .await;
    let times = "twilio_email_delivery_duration_seconds_count";
    assert_eq!(
        seen.value(times, &[("provider", "google_workspace")]),
        Some(3.0)
    );
    for (result, count) in [("found", 2.0), ("unknown", 1.0), ("failed", 0.0)] {
        let name = "twilio_email_exporter_mx_lookups_total";
        assert_eq!(seen.value(name, &[("result", result)]), Some(count));
    }
    let mut requested = scene.server.asked();
    requested.sort();
    assert_eq!(requested, DOMAINS.map(|domain| format!("{domain}.")));
}

#[tokio::test]
async fn a_name_server_that_hangs_delays_no_email_for_longer_than_half_a_minute() {
    let server = NameServer::start().await;
    for domain in DOMAINS {
        server.answer(domain, Answer::Silence);
    }
    let scene = Scene::new(server, None).await;
    scene.deliver_nine(Duration::from_secs(5));
    let (began, created) = (Instant::now(), scene.clock.now());
    let is_counted =
        |seen: &Exposition| outcome(seen, "other", "delivered").is_some_and(|emails| emails > 0.0);
    // The lookups take seconds, and the clock shows half a minute before.
    while scene.clock.now() < created + Duration::from_secs(30) {
        let seen = scene.exporter.scrape().await;
        assert!(!is_counted(&seen), "held back");
        pass(&scene.clock, INTERVAL);
    }
    let seen = scene.seen("the deliveries", is_counted).await;
    assert_eq!(delivered(&seen), [None, None, Some(9.0)]);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "before a lookup failed"
    );
}

#[tokio::test]
async fn emails_that_are_read_late_are_not_held_back() {
    let server = NameServer::start().await;
    for domain in DOMAINS {
        server.answer(domain, Answer::Silence);
    }
    let scene = Scene::new(server, None).await;
    pass(&scene.clock, Duration::from_hours(1));
    scene.deliver_nine(Duration::from_mins(15));
    // No time passes, so nothing that is held back is released.
    let began = Instant::now();
    eventually("the emails", || async {
        let seen = scene.exporter.scrape().await;
        emails(&seen, "other", "delivered") == Some(9.0)
    })
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "before a lookup failed"
    );
}

#[tokio::test]
async fn no_count_moves_to_another_provider_over_a_restart_and_held_emails_are_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let storage = directory.path().join("state");
    let scene = Scene::new(name_server().await, Some(&storage)).await;
    let first = scene.deliver_nine(Duration::from_secs(5));
    scene.looked_up(3.0).await;
    scene
        .seen("the deliveries", |seen| delivered(seen) == [Some(3.0); 3])
        .await;
    // From now on nothing can be looked up, and the previous results are lost with the process.
    for domain in DOMAINS {
        scene.server.answer(domain, Answer::Silence);
    }
    let scene = scene.restarted(&storage).await;
    scene.deliver_nine(Duration::from_secs(1));
    let seen = scene.exporter.scrape().await;
    assert_eq!(delivered(&seen), [Some(3.0); 3], "held back");
    let scene = scene.restarted(&storage).await;
    let seen = scene
        .seen("the held emails", |seen| {
            delivered(seen) == [Some(3.0), Some(3.0), Some(12.0)]
        })
        .await;
    assert_eq!(delivered(&seen), [Some(3.0), Some(3.0), Some(12.0)]);
    // Emails that are counted keep their provider.
    let stats = json!({"total": 9, "opened": 9});
    scene.twilio.set(first, first.created(), "COMPLETED", stats);
    let seen = scene
        .seen("opens", |seen| {
            outcome(seen, "google_workspace", "opened") == Some(3.0)
        })
        .await;
    assert_eq!(delivered(&seen), [Some(3.0), Some(3.0), Some(12.0)]);
    assert_eq!(outcome(&seen, "other", "opened"), Some(3.0));
}

#[tokio::test]
async fn without_resolve_mx_no_name_server_gets_a_request() {
    let server = name_server().await;
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    for switch in ["resolve_mx: false", "enabled: false"] {
        let yaml = configuration(&twilio, &server, None);
        let on = switch.replace("false", "true");
        let yaml = yaml.replace(&on, switch);
        assert!(yaml.contains(switch));
        let exporter = Exporter::start_at(&yaml, clock.clone())
            .await
            .settled()
            .await;
        twilio.put(Duration::ZERO, json!({"total": 9, "delivered": 9}));
        for _ in 0..3 {
            pass(&clock, INTERVAL);
            let seen = exporter.scrape().await;
            assert!(
                seen.family("twilio_email_exporter_mx_lookups_total")
                    .is_none()
            );
        }
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_reload_turns_lookups_on_and_off() {
    let server = name_server().await;
    let clock = morning();
    let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
    let on = configuration(&twilio, &server, None);
    let off = on.replace("resolve_mx: true", "resolve_mx: false");
    let options = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&off, clock.clone(), options).await;
    let scene = Scene {
        exporter: exporter.settled().await,
        clock,
        twilio,
        server,
    };
    scene.seen("the first run", is_collected).await;
    // What it finds, and what is older, is baseline.
    scene.exporter.idle().await;
    pass(&scene.clock, ZERO_FOR);
    let reload = async |yaml: &str| {
        scene.exporter.files.write("config.yml", yaml);
        let request = scene.exporter.client.post(scene.exporter.url("/-/reload"));
        assert_eq!(request.send().await.unwrap().status(), 200);
    };
    let mut before = [0.0; 3];
    for (yaml, at_google) in [(&off, 0.0), (&on, 3.0), (&off, 0.0)] {
        reload(yaml).await;
        // A run that began before the reload finishes with the earlier settings.
        let mut attempts = 0;
        loop {
            scene.deliver_nine(Duration::from_secs(5));
            let all = before.iter().sum::<f64>() + 9.0;
            let counts = |seen: &Exposition| delivered(seen).map(Option::unwrap_or_default);
            let is_counted =
                |seen: &Exposition| (counts(seen).iter().sum::<f64>() - all).abs() < f64::EPSILON;
            let now = counts(&scene.seen("nine more deliveries", is_counted).await);
            let more = now[0] - before[0];
            before = now;
            if (more - at_google).abs() < f64::EPSILON {
                break;
            }
            attempts += 1;
            assert!(
                attempts < 3,
                "{more} emails at Google, {at_google} expected"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_domain_is_logged_by_the_resolver() {
    let server = NameServer::start().await;
    let answers = [
        Answer::Garbage,
        Answer::Error(ResponseCode::ServFail),
        Answer::Exchangers(vec![(10, "mx.example.org.")]),
    ];
    for (domain, answer) in DOMAINS.into_iter().zip(answers) {
        server.answer(domain, answer);
    }
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.yml");
    std::fs::write(directory.path().join("token"), TOKEN).unwrap();
    std::fs::write(&config, configuration(&twilio, &server, None)).unwrap();
    let options = [
        "--log.level=trace",
        "--storage.path=",
        &format!("--config.file={}", config.display()),
    ];
    let mut program = Program::exporter(&options, &[("TWILIO_ACCOUNT_SID", SID)]);
    let (address, client) = (program.address(), crate::support::client::client());
    let number = |seen: &Exposition, result| {
        let name = "twilio_email_exporter_mx_lookups_total";
        seen.value(name, &[("result", result)]).unwrap_or_default()
    };
    eventually("the first run", || async {
        scrape(&client, address)
            .await
            .is_some_and(|seen| is_collected(&seen))
    })
    .await;
    twilio.put(Duration::ZERO, json!({"total": 9, "delivered": 9}));
    eventually("an answer and an error", || async {
        let seen = scrape(&client, address).await;
        seen.is_some_and(|seen| number(&seen, "unknown") > 0.0 && number(&seen, "failed") > 0.0)
    })
    .await;
    program.signal("TERM");
    let log = program.wait().stderr;
    let found = log
        .lines()
        .find(|line| DOMAINS.iter().any(|domain| line.contains(domain)));
    assert_eq!(found, None);
    assert!(
        log.contains("level=debug") || log.contains("level=trace"),
        "{log}"
    );
}
