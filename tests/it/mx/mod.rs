//! Mailbox providers by mail exchangers, against a name server on loopback.

mod collecting;
mod probing;

use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::ResponseCode;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::email::{Domain, Providers};
use twilio_email_exporter::exposition::{Build, Instruments, Renderer, Syntax};
use twilio_email_exporter::mx::MxProviders;
use twilio_email_exporter::snapshot::Snapshot;

use crate::support::eventually;
use crate::support::exposition::Exposition;
use crate::support::name_server::{Answer, NameServer};
use crate::support::scene::{morning, pass};

struct Lookups {
    mx: MxProviders,
    instruments: Instruments,
}

impl Lookups {
    fn new(server: &NameServer, clock: Clock) -> Self {
        let build = Build {
            version: "0",
            revision: "",
        };
        let instruments = Instruments::new(build).unwrap();
        instruments.mx().start();
        let providers = Arc::new(Providers::built_in());
        let servers = [server.address];
        let mx = MxProviders::new(&servers, providers, instruments.mx(), clock);
        Self {
            mx: mx.unwrap(),
            instruments,
        }
    }

    /// What is known of a domain; begins a lookup.
    fn provider(&self, domain: &str) -> String {
        self.mx.name_of(&Domain::parse(domain).unwrap()).to_owned()
    }

    fn count(&self, result: &str) -> f64 {
        let mut text = Vec::new();
        let snapshot = Snapshot::default();
        Renderer::default().render(&snapshot, &self.instruments, Syntax::Text, &mut text);
        let seen = Exposition::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        let name = "twilio_email_exporter_mx_lookups_total";
        seen.value(name, &[("result", result)]).unwrap()
    }

    async fn counted(&self, result: &str, expected: f64) {
        eventually(&format!("{expected} {result}"), || async {
            self.count(result) >= expected
        })
        .await;
    }
}

#[tokio::test]
async fn a_domain_has_the_provider_of_its_preferred_known_mail_exchanger() {
    let server = NameServer::start().await;
    for (domain, hosts) in [
        (
            "shop.example",
            vec![
                (10, "aspmx.l.google.com."),
                (20, "alt1.aspmx.l.google.com."),
            ],
        ),
        // The filter is before the mailbox.
        (
            "bank.example",
            vec![
                (20, "bank-example.mail.protection.outlook.com."),
                (5, "EU-smtp-inbound-1.Mimecast.com."),
            ],
        ),
        (
            "half.example",
            vec![(1, "mx.own.example."), (9, "mx0a-00000000.pphosted.com.")],
        ),
        ("own.example", vec![(1, "mx.own.example.")]),
        ("none.example", vec![(0, ".")]),
        ("empty.example", vec![]),
    ] {
        server.answer(domain, Answer::Exchangers(hosts));
    }
    let lookups = Lookups::new(&server, Clock::System);
    let expected = [
        ("shop.example", "google_workspace"),
        ("bank.example", "mimecast"),
        ("half.example", "proofpoint"),
        ("own.example", "other"),
        ("none.example", "other"),
        ("empty.example", "other"),
        ("missing.example", "other"),
    ];
    for (domain, _) in expected {
        assert_eq!(lookups.provider(domain), "other", "no call waits");
    }
    lookups.counted("found", 3.0).await;
    lookups.counted("unknown", 4.0).await;
    for (domain, provider) in expected {
        assert_eq!(lookups.provider(domain), provider, "{domain}");
    }
    let mut asked = server.asked();
    asked.sort();
    let mut names = expected.map(|(domain, _)| format!("{domain}."));
    names.sort();
    assert_eq!(
        asked, names,
        "each once, and no name of this machine's network"
    );
}

#[tokio::test]
async fn a_failed_lookup_is_counted_and_repeated_later() {
    let clock = morning();
    let server = NameServer::start().await;
    server.answer("shop.example", Answer::Error(ResponseCode::ServFail));
    server.answer("bank.example", Answer::Error(ResponseCode::Refused));
    let lookups = Lookups::new(&server, clock.clone());
    for domain in ["shop.example", "bank.example"] {
        assert_eq!(lookups.provider(domain), "other");
    }
    lookups.counted("failed", 2.0).await;
    let workspace = vec![(1, "smtp.google.com.")];
    server.answer("shop.example", Answer::Exchangers(workspace));
    let asked = server.asked().len();
    assert_eq!(lookups.provider("shop.example"), "other");
    pass(&clock, Duration::from_mins(10));
    assert_eq!(lookups.provider("shop.example"), "other");
    lookups.counted("found", 1.0).await;
    assert_eq!(lookups.provider("shop.example"), "google_workspace");
    assert!(server.asked().len() > asked);
}

#[tokio::test]
async fn name_servers_that_do_not_respond_hold_up_nothing() {
    let server = NameServer::start().await;
    let domains: Vec<_> = (0..1_100)
        .map(|n| Domain::parse(&format!("d{n}.example")).unwrap())
        .collect();
    for (n, domain) in domains.iter().enumerate() {
        let answer = [Answer::Silence, Answer::Garbage][n % 2].clone();
        server.answer(domain.as_str(), answer);
    }
    let lookups = Lookups::new(&server, Clock::System);
    let began = std::time::Instant::now();
    for domain in &domains {
        assert_eq!(lookups.mx.name_of(domain), Providers::OTHER);
    }
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!((lookups.count("skipped") - 100.0).abs() < f64::EPSILON);
    eventually("the first lookups run", || async {
        server.asked().len() >= 8
    })
    .await;
    let mut names = server.asked();
    names.sort();
    names.dedup();
    assert!(names.len() <= 8, "{names:?}");
}
