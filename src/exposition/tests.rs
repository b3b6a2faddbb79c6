//! Compares the exposition of a hand-written snapshot with `golden/rich.prom`. Every metric of the catalogue has a value in it.

mod emails;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock_skew::ClockSkew;
use crate::exposition::catalogue::Kind;
use crate::operation::{
    Counters, CountingMode, Operation, OperationId, OperationState, Stats, Status, Word,
};
use crate::snapshot::{
    AccountSnapshot, CollectionStatus, CollectorName, CollectorStatus, Contribution,
    CounterOrigins, GroupSnapshot, Labels, ShownOperation, Totals,
};
use crate::timestamp::Timestamp;

#[test]
fn the_exposition_of_a_rich_snapshot_matches_the_golden_files() {
    for (syntax, file) in [
        (Syntax::Text, "rich.prom"),
        (Syntax::OpenMetrics, "rich.openmetrics"),
    ] {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/exposition/golden/");
        let path = format!("{golden}{file}");
        let mut out = Vec::new();
        Renderer::default().render_snapshot(&rich(), syntax, &mut out);
        let written = String::from_utf8(out).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &written).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        for (number, (written, golden)) in written.lines().zip(golden.lines()).enumerate() {
            assert_eq!(written, golden, "{file}, line {}", number + 1);
        }
        assert_eq!(
            written.len(),
            golden.len(),
            "{file}: one is longer than the other"
        );
    }
}

/// The exposition of an exporter in which every metric has a value.
fn whole(syntax: Syntax) -> String {
    let instruments = instruments();
    instruments.show_state().unwrap();
    instruments.show_web_config().unwrap();
    instruments.mx().start();
    instruments.start(Timestamp::from_millis(1_775_370_000_250));
    instruments.start_account("marketing", Timestamp::from_millis(1_775_370_001_000));
    let account = instruments.account("marketing");
    account.request(Endpoint::Operation, Some(200), Duration::from_millis(80));
    let listed = Timestamp::from_millis(1_775_370_330_118);
    instruments
        .sources("marketing")
        .succeeded("spring.yml", 12, listed);
    let mut out = Vec::new();
    render(&rich(), &instruments, syntax, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_metric_of_the_catalogue_is_exposed() {
    let text = whole(Syntax::Text);
    for metric in catalogue::ALL {
        let kind = metric.kind.as_str();
        let header = format!(
            "# HELP {0} {1}\n# TYPE {0} {kind}\n{0}",
            metric.name, metric.help
        );
        assert_eq!(text.matches(&header).count(), 1, "{header}");
    }
}

#[test]
fn every_metric_of_the_catalogue_has_its_own_type_in_open_metrics() {
    let text = whole(Syntax::OpenMetrics);
    for metric in catalogue::ALL {
        let (suffix, kind) = match metric.kind {
            Kind::Gauge => ("", "gauge"),
            Kind::Counter => ("_total", "counter"),
            Kind::Histogram => ("", "histogram"),
            Kind::StateSet => ("", "stateset"),
            Kind::Info => ("_info", "info"),
        };
        let family = metric.name.strip_suffix(suffix).unwrap();
        let header = format!("# HELP {family} {}\n# TYPE {family} {kind}\n", metric.help);
        assert_eq!(text.matches(&header).count(), 1, "{header}");
        let unit = format!("# UNIT {family} seconds\n");
        assert_eq!(text.contains(&unit), family.ends_with("_seconds"), "{unit}");
    }
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    assert_eq!(text.matches("# EOF").count(), 1);
}

/// Prometheus creates a series of `_created`, so a wrong one is worse than none.
#[test]
fn counters_and_histograms_have_their_start_where_it_is_known() {
    let text = whole(Syntax::OpenMetrics);
    for line in [
        "twilio_email_emails_accepted_created{account=\"marketing\"} 1775000000.5",
        "twilio_email_email_outcomes_created{account=\"marketing\",outcome=\"failed\"} 1775000000.5",
        "twilio_email_api_requests_created{account=\"marketing\",code=\"200\",endpoint=\"operation\"} 1775370001",
        "twilio_email_api_request_duration_seconds_created{account=\"marketing\",endpoint=\"operation\"} 1775370001",
        "twilio_email_exporter_http_connections_closed_created{reason=\"idle\"} 1775370000.25",
    ] {
        assert!(
            text.contains(&format!("\n{line}\n")),
            "no {line} in:\n{text}"
        );
    }
    assert!(
        !text.contains("_by_label_created"),
        "nothing is known of when a label's value began to count"
    );
    let text = whole(Syntax::Text);
    assert!(!text.contains("_created{account=\"marketing\"}"), "{text}");
}

#[test]
fn the_formats_differ_in_no_value() {
    let samples = |syntax| -> Vec<String> {
        let mut out = Vec::new();
        Renderer::default().render_snapshot(&rich(), syntax, &mut out);
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let lines = lines.filter(|line| !line.contains("_created{"));
        // Removes exemplars and the label of a state set.
        let plain = lines.map(|line| {
            let line = line.split(" # ").next().unwrap_or_default();
            // In OpenMetrics, the bounds of buckets have a fraction.
            if line.contains(",le=\"") {
                return line.replace(".0\"}", "\"}");
            }
            let (name, rest) = line.split_once('{').unwrap();
            match rest.split_once(&format!(",{name}=\"")) {
                Some((labels, rest)) => {
                    let (_, value) = rest.split_once('"').unwrap();
                    format!("{name}{{{labels}{value}")
                }
                None => line.to_owned(),
            }
        });
        plain.collect()
    };
    assert_eq!(samples(Syntax::Text), samples(Syntax::OpenMetrics));
}

#[test]
fn an_empty_snapshot_is_an_empty_exposition() {
    let mut out = Vec::new();
    Renderer::default().render_snapshot(&Snapshot::default(), Syntax::Text, &mut out);
    assert_eq!(out, b"");
}

#[test]
fn an_exposition_contains_nothing_of_the_one_before() {
    let mut renderer = Renderer::default();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    renderer.render_snapshot(&rich(), Syntax::Text, &mut first);
    renderer.render_snapshot(&Snapshot::default(), Syntax::OpenMetrics, &mut second);
    renderer.render_snapshot(&rich(), Syntax::Text, &mut second);
    assert!(first == second);
}

fn instruments() -> Instruments {
    let build = Build {
        version: "1.2.3",
        revision: "abcdef0",
    };
    Instruments::new(build).unwrap()
}

/// Two accounts with every value that is exposed, and every value that is left out.
fn rich() -> Snapshot {
    let mut stats = Stats {
        size: Some(2000),
        recipients: Some(1990),
        attempts: Some(2013),
        unknown: Some(Arc::from([(Word::new("soft_bounced"), 4)])),
        ..Stats::default()
    };
    for (status, emails) in [
        (Status::Queued, 50),
        (Status::Delivered, 1894),
        (Status::Opened, 45),
        (Status::Failed, 7),
    ] {
        stats.set(status, emails);
    }
    let spring = seen(
        "comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
        OperationState::Processing,
        stats,
    );
    let paused = seen(
        "comms_operation_01h2xcejqtf2nbrexx3vqjhp42",
        OperationState::parse("ON-HOLD"),
        Stats::default(),
    );
    let mut totals = Totals::default();
    for operation in [&spring, &paused] {
        totals.add(&operation.state, &operation.stats);
    }
    let spring = ShownOperation {
        labels: labels(&[
            ("name", "Spring \"sale\" \\o/\nfor 山田さん"),
            ("campaign", "spring"),
            ("account", "not yours"),
            ("operation_id", "not yours"),
            ("not a name", "left out"),
        ]),
        ..shown(spring)
    };
    let paused = ShownOperation {
        seen: Some(Operation {
            updated: None,
            ..paused.clone()
        }),
        up: Some(false),
        scheduled_for: Some(Timestamp::from_millis(1_775_373_600_000)),
        emails_mismatch: Some(true),
        labels: labels(&[("account", "nothing is left")]),
        ..shown(paused)
    };
    Snapshot {
        accounts: vec![
            AccountSnapshot {
                name: Arc::from("marketing"),
                emails: Some(emails::emails()),
                collectors: collectors(),
                status: CollectionStatus {
                    up: true,
                    discovery_up: Some(true),
                    complete: true,
                    duration: Some(Duration::from_millis(184)),
                    last_success: Some(Timestamp::from_millis(1_775_370_330_302)),
                    paused_until: None,
                    next_login_at: None,
                    clock_skew: None,
                },
                counters: Some(Counters {
                    accepted: 1800,
                    outcomes: [1200, 400, 12, 3, 0],
                }),
                origins: CounterOrigins {
                    since: Some(Timestamp::from_millis(1_775_000_000_500)),
                    accepted: None,
                    outcomes: [
                        Some(contribution(40, 1_775_370_330_118)),
                        None,
                        None,
                        Some(contribution(3, 1_775_370_100_000)),
                        None,
                    ],
                },
                counting_mode: CountingMode::Exclusive,
                totals,
                unconfirmed: Some([37, 5, 2, 0]),
                without_series: 3,
                groups: vec![group("other", None), group("Spring \"sale\"", Some(7))],
                operations: vec![spring, paused],
            },
            barely_started(),
        ],
    }
}

fn collectors() -> Vec<CollectorStatus> {
    vec![
        CollectorStatus {
            name: CollectorName::Operations,
            success: true,
            duration: Duration::from_millis(184),
        },
        CollectorStatus {
            name: CollectorName::Tags,
            success: false,
            duration: Duration::from_secs(10),
        },
    ]
}

/// What an operation added to a counter, read at `millis`.
fn contribution(emails: u32, millis: i64) -> Contribution {
    Contribution {
        operation: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap(),
        emails,
        read: Timestamp::from_millis(millis),
    }
}

/// The operations of a campaign; its counters have counted `accepted` emails.
fn group(value: &str, accepted: Option<u64>) -> GroupSnapshot {
    GroupSnapshot {
        label: Arc::from("campaign"),
        value: Arc::from(value),
        totals: Totals::default(),
        counters: accepted.map(|accepted| Counters {
            accepted,
            outcomes: [4, 3, 2, 1, 0],
        }),
    }
}

/// An account before its first collection, with operations that were never read.
fn barely_started() -> AccountSnapshot {
    let never_read = |id: &str| ShownOperation {
        id: id.parse().unwrap(),
        seen: None,
        up: None,
        last_success: None,
        scheduled_for: None,
        emails_mismatch: None,
        labels: Labels::default(),
    };
    let labeled = ShownOperation {
        up: Some(false),
        labels: labels(&[("name", "Newsletter")]),
        ..never_read("comms_operation_01h2xcejqtf2nbrexx3vqjhp43")
    };
    AccountSnapshot {
        name: Arc::from("A \"B\" \\ C"),
        collectors: Vec::new(),
        emails: None,
        status: CollectionStatus {
            paused_until: Some(Timestamp::from_millis(1_775_370_400_000)),
            next_login_at: Some(Timestamp::from_millis(1_775_370_460_000)),
            clock_skew: Some(ClockSkew::between(
                Timestamp::from_millis(1_775_370_400_000),
                Timestamp::from_millis(1_775_370_400_400),
            )),
            ..CollectionStatus::default()
        },
        counters: None,
        origins: CounterOrigins::default(),
        counting_mode: CountingMode::Cumulative,
        totals: Totals::default(),
        unconfirmed: None,
        without_series: 0,
        groups: Vec::new(),
        operations: vec![
            labeled,
            never_read("comms_operation_01h2xcejqtf2nbrexx3vqjhp44"),
        ],
    }
}

fn seen(id: &str, state: OperationState, stats: Stats) -> Operation {
    let id: OperationId = id.parse().unwrap();
    Operation {
        id,
        state,
        stats,
        created: Timestamp::from_millis(1_775_370_000_000),
        updated: Some(Timestamp::from_millis(1_775_370_315_250)),
    }
}

fn shown(operation: Operation) -> ShownOperation {
    ShownOperation {
        id: operation.id,
        seen: Some(operation),
        up: Some(true),
        last_success: Some(Timestamp::from_millis(1_775_370_330_118)),
        scheduled_for: None,
        emails_mismatch: None,
        labels: Labels::default(),
    }
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Arc::new(pairs.iter().map(own).collect::<BTreeMap<_, _>>())
}
