//! The hot paths, each once, for `benches/measure-instructions`, which counts the instructions of [`counted_section`]. The argument names
//! a path; without one, all of them run.
//!
//! What is prepared before and checked afterwards is not counted. A path does just enough work to outweigh the fixed cost of a run:
//! valgrind is slow.

mod support {
    pub(crate) mod email_page;
    pub(crate) mod operation_page;
    pub(crate) mod saved;
    pub(crate) mod snapshots;
}

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use support::saved::{NOW, SavedOperations, operation, saved};
use support::snapshots::snapshot;
use support::{email_page, operation_page};
use twilio_email_exporter::config::Series;
use twilio_email_exporter::exposition::{BlockRenderer, Syntax};
use twilio_email_exporter::operation::{Operation, Status};
use twilio_email_exporter::registry::Registry;
use twilio_email_exporter::snapshot::Snapshot;
use twilio_email_exporter::twilio::{EmailPage, OperationPage};
use twilio_email_exporter::web::{Compressors, Encoding, KeptBlocks};

/// The operations with series: the default limit.
const SHOWN: u32 = 1_000;
/// The operations in the registry and in the store.
const KNOWN: u32 = 5_000;
/// The operations that change together. They are far from each other, which is the worst case.
const CHANGED: u32 = 500;
/// The operations of a page: the most that Twilio returns.
const OPERATION_ROWS: u32 = 1_000;
/// The emails of a page.
const EMAIL_ROWS: u32 = 500;
/// What Prometheus requests by default.
const SYNTAX: Syntax = Syntax::OpenMetrics;

/// A hot path: prepares its work and calls [`counted_section`] once.
type HotPath = (&'static str, fn());

const PATHS: [HotPath; 8] = [
    ("parse_operations", parse_operations),
    ("parse_emails", parse_emails),
    ("merge", merge),
    ("render_steady", || render(|_| false)),
    ("render_changed", || render(|_| true)),
    ("gzip_percent", || compress(Encoding::Gzip)),
    ("zstd_percent", || compress(Encoding::Zstd)),
    ("save", save),
];

/// The counted code. No other name contains these words.
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

fn parse_operations() {
    let page = operation_page::page(OPERATION_ROWS, "");
    counted_section(&mut || {
        let parsed = OperationPage::parse(black_box(&page)).expect("a page");
        assert_eq!(parsed.operations.len(), OPERATION_ROWS as usize);
    });
}

fn parse_emails() {
    let page = email_page::page(EMAIL_ROWS, r#"<p class=\"note\">It is on its way.</p>\n"#);
    counted_section(&mut || {
        let parsed = EmailPage::parse(black_box(&page)).expect("a page");
        assert_eq!(parsed.emails.len(), EMAIL_ROWS as usize);
    });
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
    let known: Vec<_> = (0..KNOWN).map(|n| saved(operation(n, 1))).collect();
    let store = SavedOperations::new(&known);
    let changed: Vec<_> = changed(2).map(saved).collect();
    counted_section(&mut || store.commit(black_box(&changed)));
}
