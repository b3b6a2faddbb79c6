//! The exposition can be parsed, by a parser of the tests and by Prometheus' `promtool`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use twilio_email_exporter::exposition::{
    Build, Endpoint, Instruments, Renderer, Syntax, catalogue, render,
};
use twilio_email_exporter::operation::{
    CountingMode, Operation, OperationId, OperationState, Stats, Status, Word,
};
use twilio_email_exporter::reason::Reason;
use twilio_email_exporter::snapshot::{
    AccountSnapshot, CollectionStatus, CounterOrigins, ShownOperation, Snapshot, Totals,
};
use twilio_email_exporter::timestamp::Timestamp;

use crate::support::exposition::Exposition;
use crate::support::promtool;

const GOLDEN: &str = include_str!("../../src/exposition/golden/rich.prom");
const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
/// Up to this number a float represents every integer, so that a division by 1000 gives the nearest float to the seconds.
const EXACT: i64 = 1 << 53;

#[test]
fn golden_text_is_well_formed() {
    let read = Exposition::parse(GOLDEN).unwrap();
    let spring = [("account", "marketing"), ("operation_id", ID)];
    assert_eq!(
        read.value("twilio_email_operation_size", &spring),
        Some(2000.0)
    );
    let campaign = [
        ("campaign", "spring"),
        ("name", "Spring \"sale\" \\o/\nfor 山田さん"),
    ];
    assert_eq!(
        read.value("twilio_email_operation_info", &campaign),
        Some(1.0)
    );
    for family in &read.families {
        let metric = catalogue::ALL
            .iter()
            .find(|metric| metric.name == family.name)
            .unwrap();
        assert_eq!(
            (&*family.kind, &*family.help),
            (metric.kind.as_str(), metric.help)
        );
    }
}

#[test]
fn promtool_reports_no_problem() {
    let mut out = GOLDEN.as_bytes().to_vec();
    let instruments = instruments();
    let account = instruments.account("marketing");
    account.request(Endpoint::Operation, Some(200), Duration::from_millis(80));
    Renderer::default().render(&Snapshot::default(), &instruments, Syntax::Text, &mut out);
    assert_eq!(promtool::check_metrics(&out), "");
}

#[test]
fn whole_exposition_is_well_formed() {
    let instruments = instruments();
    let account = instruments.account("de\"f\\ault\n");
    account.request(Endpoint::Emails, None, Duration::MAX);
    account.failure(Endpoint::Emails, Reason::Tls);
    let read = rendered(
        &snapshot("de\"f\\ault\n", BTreeMap::new(), operation()),
        &instruments,
    );
    let failed = [
        ("account", "de\"f\\ault\n"),
        ("endpoint", "emails"),
        ("reason", "tls"),
    ];
    assert_eq!(
        read.value("twilio_email_api_request_failures_total", &failed),
        Some(1.0)
    );
    assert_eq!(
        read.family("twilio_email_api_request_duration_seconds")
            .unwrap()
            .kind,
        "histogram"
    );
}

proptest! {
    #[test]
    fn any_label_value_parses_to_the_same_text(account in awkward(), value in awkward()) {
        let labels = BTreeMap::from([("campaign".to_owned(), value.clone())]);
        let instruments = instruments();
        instruments.account(&account).request(Endpoint::Token, Some(401), Duration::ZERO);
        let read = rendered(&snapshot(&account, labels, operation()), &instruments);
        let info = [("account", &*account), ("operation_id", ID), ("campaign", &*value)];
        prop_assert_eq!(read.value("twilio_email_operation_info", &info), Some(1.0));
        let answered = [("account", &*account), ("endpoint", "token"), ("code", "401")];
        prop_assert_eq!(read.value("twilio_email_api_requests_total", &answered), Some(1.0));
    }

    #[test]
    fn no_label_name_makes_the_exposition_invalid(name in "(__)?[a-zA-Z0-9_é\" ]{0,3}|account|operation_id", value in awkward()) {
        let snapshot = snapshot("default", BTreeMap::from([(name, value)]), operation());
        let read = rendered(&snapshot, &instruments());
        prop_assert_eq!(read.value("twilio_email_operation_up", &[("account", "default"), ("operation_id", ID)]), Some(1.0));
    }

    #[test]
    fn any_values_parse_to_the_same_numbers(
        emails in any::<[u32; 8]>(),
        size in any::<Option<u32>>(),
        unknown in prop::collection::vec(("[a-z@]{1,2}", any::<u32>()), 0..4),
        state in "[a-zA-Z@]{0,12}|COMPLETED",
        millis in -EXACT..EXACT,
    ) {
        let unknown: Arc<[_]> = unknown.iter().map(|(name, emails)| (Word::new(name), *emails)).collect();
        let stats = Stats { emails, size, unknown: Some(unknown), ..Stats::default() };
        let created = Timestamp::from_millis(millis);
        let state = OperationState::parse(&state);
        let seen = Operation { state: state.clone(), stats, created, ..operation() };
        let read = rendered(&snapshot("default", BTreeMap::new(), seen), &instruments());
        for (status, emails) in Status::ALL.iter().zip(emails) {
            let value = read.value("twilio_email_operation_emails", &[("status", status.as_str())]);
            prop_assert_eq!(value, Some(f64::from(emails)));
        }
        prop_assert_eq!(read.value("twilio_email_operation_size", &[]), size.map(f64::from));
        prop_assert_eq!(read.value("twilio_email_operation_state", &[("state", state.as_str())]), Some(1.0));
        let states = read.samples("twilio_email_operation_state");
        prop_assert_eq!(states.iter().filter(|sample| sample.value > 0.0).count(), 1);
        let read = read.value("twilio_email_operation_created_timestamp_seconds", &[]);
        prop_assert_eq!(read, Some(created.as_seconds()));
    }
}

/// Text with many characters that must be escaped.
fn awkward() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '\\', '"', '\n', '\r', 'n', '{', '}', ',', '=', ' ', '\u{85}', 'é',
    ]);
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..12)
        .prop_map(|chars| chars.into_iter().collect())
}

fn rendered(snapshot: &Snapshot, instruments: &Instruments) -> Exposition {
    let mut out = Vec::new();
    render(snapshot, instruments, Syntax::Text, &mut out);
    let text = String::from_utf8(out).unwrap();
    Exposition::parse(&text).unwrap_or_else(|why| panic!("{why} in:\n{text}"))
}

fn instruments() -> Instruments {
    let build = Build {
        version: "1.2.3",
        revision: "abcdef0",
    };
    Instruments::new(build).unwrap()
}

fn operation() -> Operation {
    let id: OperationId = ID.parse().unwrap();
    Operation {
        id,
        state: OperationState::Processing,
        stats: Stats::default(),
        created: id.created(),
        updated: None,
    }
}

fn snapshot(account: &str, labels: BTreeMap<String, String>, seen: Operation) -> Snapshot {
    let mut totals = Totals::default();
    totals.add(&seen.state, &seen.stats);
    let shown = ShownOperation {
        id: seen.id,
        seen: Some(seen),
        up: Some(true),
        last_success: None,
        scheduled_for: None,
        emails_mismatch: None,
        labels: Arc::new(labels),
    };
    Snapshot {
        accounts: vec![AccountSnapshot {
            collectors: Vec::new(),
            emails: None,
            name: Arc::from(account),
            status: CollectionStatus::default(),
            counters: None,
            origins: CounterOrigins::default(),
            counting_mode: CountingMode::Exclusive,
            totals,
            unconfirmed: None,
            without_series: 0,
            groups: Vec::new(),
            operations: vec![shown],
        }],
    }
}
