//! What it costs to save a thousand changed operations, compared with saving only the counters.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use twilio_email_exporter::operation::{
    Counters, CountingMode, Marks, Operation, OperationState, Stats, Status,
};
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::snapshot::Labels;
use twilio_email_exporter::store::{Batch, SavedAccount, SavedOperation, Store};
use twilio_email_exporter::timestamp::Timestamp;

/// Operations in the store beside those that change.
const KEPT: u32 = 20_000;
/// What changes at once: a page of the list.
const CHANGED: usize = 1000;
const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

/// The `n`th operation, of one email; every minute has five.
fn saved(n: u32) -> SavedOperation {
    let created = NOW - Duration::from_secs(u64::from(n) * 12);
    let mut stats = Stats {
        size: Some(1),
        ..Stats::default()
    };
    stats.set(Status::Delivered, 1);
    SavedOperation {
        marks: Marks::shown_by(&stats, CountingMode::Exclusive),
        operation: Operation {
            id: operation_id(created, u128::from(n)),
            state: OperationState::Completed,
            stats,
            created,
            updated: Some(created),
        },
        last_success: NOW,
        last_change: created,
        credited: Labels::default(),
        tags: None,
        scheduled_for: None,
    }
}

fn commits(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory for the store");
    let store = Store::open(Some(directory.path()), NOW).expect("a new store");
    let standing = SavedAccount {
        born: NOW,
        counters: Counters::default(),
        cumulative_proven: false,
        discovered_until: None,
    };
    let commit = |operations: &[SavedOperation]| {
        let batch = Batch {
            account: "default",
            standing: &standing,
            operations,
            groups: &[],
            removed: &[],
            generation: 0,
        };
        store.commit(black_box(&batch)).expect("room on the disk");
    };
    let all: Vec<_> = (0..KEPT).map(saved).collect();
    commit(&all);
    let newest = &all[..CHANGED];
    let scattered: Vec<_> = all.iter().step_by(all.len() / CHANGED).cloned().collect();

    let mut group = criterion.benchmark_group("commit");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(CHANGED as u64));
    group.bench_function("the_newest_thousand", |bench| bench.iter(|| commit(newest)));
    group.bench_function("a_thousand_all_over", |bench| {
        bench.iter(|| commit(&scattered));
    });
    group.bench_function("counters_alone", |bench| bench.iter(|| commit(&[])));
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
