//! The hot paths, each once, for `benches/measure-instructions`, which counts the instructions of [`counted_section`]. The argument names
//! a path; without one, all of them run.
//!
//! What is prepared before and checked afterwards is not counted. A path is as large as needed to outweigh what each run costs, and no
//! larger: valgrind is slow.

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use support::snapshot;
use twilio_email_exporter::config::Series;
use twilio_email_exporter::exposition::{BlockRenderer, Syntax};
use twilio_email_exporter::operation::{
    Counters, CountingMode, Marks, Operation, OperationState, Stats, Status,
};
use twilio_email_exporter::registry::Registry;
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::snapshot::{Labels, Snapshot};
use twilio_email_exporter::store::{Batch, SavedAccount, SavedOperation, Store};
use twilio_email_exporter::timestamp::Timestamp;
use twilio_email_exporter::twilio::EmailPage;
use twilio_email_exporter::web::{Compressors, Encoding, KeptBlocks};

/// The operations with series: the default limit.
const SHOWN: u32 = 1_000;
/// The operations in the registry and in the store.
const KNOWN: u32 = 5_000;
/// The operations that change at once. They are far from each other, which is the worst case.
const CHANGED: u32 = 500;
/// The emails of a page.
const ROWS: u32 = 500;
const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
/// What Prometheus requests by default.
const SYNTAX: Syntax = Syntax::OpenMetrics;

/// A hot path: prepares its work and calls [`counted_section`] once.
type HotPath = (&'static str, fn());

const PATHS: [HotPath; 7] = [
    ("parse_emails", parse_emails),
    ("merge", merge),
    ("render_steady", || render(|_| false)),
    ("render_changed", || render(|_| true)),
    ("gzip_percent", || compress(Encoding::Gzip)),
    ("zstd_percent", || compress(Encoding::Zstd)),
    ("save", save),
];

/// What is counted. Its name is the only one that contains these words.
#[inline(never)]
fn counted_section(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    // Cargo passes options to benchmarks.
    let name = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    for (path, run) in PATHS {
        if name.as_ref().is_none_or(|name| name == path) {
            run();
        }
    }
}

fn parse_emails() {
    let rows: Vec<String> = (0..ROWS)
        .map(|row| {
            format!(
                r#"{{"id":"comms_email_01h2xcejqtf2nbrexx3vq{row:05}","operationId":"comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
"from":{{"address":"news@shop.example","name":"Shop"}},"to":[{{"address":"jane{row}@example.com","name":"Jane Doe"}}],
"status":"DELIVERED","tags":{{}},"createdAt":"2023-06-14T16:40:03Z","updatedAt":"2023-06-14T16:40:08Z","scheduledFor":null,
"content":{{"subject":"Your order","html":"<p class=\"note\">It is on its way.</p>\n","attachments":[]}}}}"#
            )
        })
        .collect();
    let page = format!(
        r#"{{"emails":[{}],"pagination":{{"next":null}}}}"#,
        rows.join(",")
    );
    counted_section(&mut || {
        let parsed = EmailPage::parse(black_box(page.as_bytes())).expect("a page");
        assert_eq!(parsed.emails.len(), ROWS as usize);
    });
}

/// The `n`th operation with `delivered` emails; every minute has five.
fn operation(n: u32, delivered: u32) -> Operation {
    let created = NOW - Duration::from_secs(u64::from(n) * 12);
    let mut stats = Stats {
        size: Some(100),
        ..Stats::default()
    };
    stats.set(Status::Delivered, delivered);
    Operation {
        id: operation_id(created, u128::from(n)),
        state: OperationState::Processing,
        stats,
        created,
        updated: Some(created),
    }
}

fn changed(delivered: u32) -> impl Iterator<Item = Operation> {
    let every = KNOWN / CHANGED;
    (0..CHANGED).map(move |n| operation(n * every, delivered))
}

fn merge() {
    let mut registry = Registry::new(Arc::from("default"), &Series::default(), None, NOW);
    let all = (0..KNOWN).map(|n| operation(n, 1)).collect();
    registry.observe(all, |_| None, NOW, NOW);
    let saved = registry.unsaved();
    registry.saved(&saved);
    let later = NOW + Duration::from_secs(15);
    let mut page: Vec<_> = changed(2).collect();
    counted_section(&mut || {
        let page = std::mem::take(&mut page);
        black_box(registry.observe(page, |_| None, later, later));
    });
    assert!(!registry.is_saved());
}

/// The snapshot after `before`: one more email of some operations was delivered.
fn after(before: &Snapshot, is_changed: impl Fn(usize) -> bool) -> Snapshot {
    let mut after = before.clone();
    let operations = after.accounts.iter_mut();
    for (number, shown) in operations
        .flat_map(|account| &mut account.operations)
        .enumerate()
    {
        if let Some(seen) = shown.seen.as_mut().filter(|_| is_changed(number)) {
            let delivered = seen.stats.get(Status::Delivered);
            seen.stats.set(Status::Delivered, delivered + 1);
        }
    }
    after
}

fn render(is_changed: impl Fn(usize) -> bool) {
    let before = snapshot(SHOWN);
    let after = Arc::new(after(&before, is_changed));
    let mut renderer = BlockRenderer::new(SYNTAX);
    renderer.render_snapshot(&Arc::new(before));
    counted_section(&mut || {
        black_box(renderer.render_snapshot(&after));
    });
}

fn compress(encoding: Encoding) {
    let before = snapshot(SHOWN);
    let after = Arc::new(after(&before, |number| number.is_multiple_of(100)));
    let mut renderer = BlockRenderer::new(SYNTAX);
    let blocks = renderer.render_snapshot(&Arc::new(before));
    let (compressors, mut kept) = (Compressors::default(), KeptBlocks::new(encoding));
    kept.compress(&blocks, &compressors)
        .expect("there is memory");
    let blocks = renderer.render_snapshot(&after);
    counted_section(&mut || {
        let pieces = kept.compress(&blocks, &compressors);
        black_box(pieces.expect("there is memory"));
    });
}

fn save() {
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
        store.commit(&batch).expect("room on the disk");
    };
    commit(
        &(0..KNOWN)
            .map(|n| saved(operation(n, 1)))
            .collect::<Vec<_>>(),
    );
    let changed: Vec<_> = changed(2).map(saved).collect();
    counted_section(&mut || commit(black_box(&changed)));
}

fn saved(operation: Operation) -> SavedOperation {
    SavedOperation {
        marks: Marks::shown_by(&operation.stats, CountingMode::Exclusive),
        last_success: NOW,
        last_change: operation.created,
        credited: Labels::default(),
        tags: None,
        scheduled_for: None,
        operation,
    }
}
