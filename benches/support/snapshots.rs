//! Snapshots for benchmarks, with ids and values as Twilio returns them.

use std::sync::Arc;

use twilio_email_exporter::operation::{
    CountingMode, Operation, OperationId, OperationState, Stats, Status,
};
use twilio_email_exporter::snapshot::{
    AccountSnapshot, CollectionStatus, CounterOrigins, Labels, ShownOperation, Snapshot, Totals,
};
use twilio_email_exporter::timestamp::Timestamp;

/// Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// An account with this number of operations, the newest first.
pub(crate) fn snapshot(operations: u32) -> Snapshot {
    let mut random = fastrand::Rng::with_seed(u64::from(operations));
    let operations: Vec<_> = (0..operations)
        .rev()
        .map(|number| operation(number, &mut random))
        .collect();
    let mut totals = Totals::default();
    for seen in operations.iter().filter_map(|shown| shown.seen.as_ref()) {
        totals.add(&seen.state, &seen.stats);
    }
    Snapshot {
        accounts: vec![AccountSnapshot {
            collectors: Vec::new(),
            name: Arc::from("marketing"),
            status: CollectionStatus::default(),
            counters: None,
            origins: CounterOrigins::default(),
            counting_mode: CountingMode::Exclusive,
            totals,
            unconfirmed: None,
            emails: None,
            without_series: 0,
            groups: Vec::new(),
            operations,
        }],
    }
}

fn operation(number: u32, random: &mut fastrand::Rng) -> ShownOperation {
    let created = 1_775_370_000_000 + i64::from(number) * 10_007;
    let id = id(created, random);
    let mut stats = Stats {
        size: Some(number * 7),
        recipients: Some(number * 7),
        attempts: Some(number * 8),
        ..Stats::default()
    };
    for (nth, status) in Status::ALL.into_iter().enumerate() {
        stats.set(
            status,
            number % 1000 * 11_u32.pow(u32::try_from(nth).unwrap_or(0) % 4),
        );
    }
    ShownOperation {
        id,
        seen: Some(Operation {
            id,
            state: OperationState::Processing,
            stats,
            created: Timestamp::from_millis(created),
            updated: Some(Timestamp::from_millis(created + 70_123)),
        }),
        up: Some(true),
        last_success: Some(Timestamp::from_millis(1_775_480_000_118)),
        scheduled_for: None,
        emails_mismatch: None,
        labels: Labels::default(),
    }
}

/// A ULID: ten characters of time and sixteen random ones.
fn id(created: i64, random: &mut fastrand::Rng) -> OperationId {
    let character = |value: i64| char::from(ALPHABET[usize::try_from(value & 31).unwrap_or(0)]);
    let time = (0..10).rev().map(|at| character(created >> (5 * at)));
    let mut id = String::from("comms_operation_");
    id.extend(time);
    id.extend((0..16).map(|_| character(random.i64(..))));
    id.parse().expect("a ULID")
}
