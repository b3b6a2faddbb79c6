//! What an exposition costs after another one: nothing changed, all operations were read again, one in a hundred changed,
//! everything changed. It measures rendering, gzip and Zstandard, compared with copying the bytes, writing all of the text and
//! compressing all of it.

mod support {
    pub(crate) mod snapshots;
}

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use support::snapshots::snapshot;
use twilio_email_exporter::exposition::{
    Block, BlockRenderer, Build, Instruments, Renderer, Syntax,
};
use twilio_email_exporter::operation::{OperationState, Status};
use twilio_email_exporter::snapshot::{ShownOperation, Snapshot};
use twilio_email_exporter::timestamp::Timestamp;
use twilio_email_exporter::web::{Compressors, Encoding, KeptBlocks};

/// What Prometheus requests by default.
const SYNTAX: Syntax = Syntax::OpenMetrics;

/// The default limit of operations with series, and ten times that.
const SIZES: [u32; 2] = [1_000, 10_000];

/// How an exposition differs from the previous one: the change of an operation, by its number and the number of all.
type Change = (&'static str, fn(u32, u32, &mut ShownOperation));

const CHANGES: [Change; 5] = [
    ("unchanged", |_, _, _| {}),
    // What every collection does with the newest thousand operations.
    ("read_again", |_, _, shown| {
        shown.last_success = later(shown.last_success);
    }),
    // The usual case: the newest operations are active.
    ("newest_percent", |number, all, shown| {
        if number < all / 100 {
            sent(shown);
        }
    }),
    // The worst case for blocks: the changed operations are far from each other.
    ("one_percent", |number, _, shown| {
        if number.is_multiple_of(100) {
            sent(shown);
        }
    }),
    ("all", |_, _, shown| {
        sent(shown);
        shown.up = Some(false);
        if let Some(seen) = &mut shown.seen {
            seen.created = later(Some(seen.created)).unwrap_or(seen.created);
            seen.state = OperationState::Completed;
            let stats = &mut seen.stats;
            for count in [&mut stats.size, &mut stats.recipients, &mut stats.attempts] {
                *count = count.map(|count| count + 1);
            }
        }
    }),
];

/// One more email of the operation was delivered.
fn sent(shown: &mut ShownOperation) {
    shown.last_success = later(shown.last_success);
    if let Some(seen) = &mut shown.seen {
        seen.updated = later(seen.updated);
        let delivered = seen.stats.get(Status::Delivered);
        seen.stats.set(Status::Delivered, delivered + 1);
    }
}

fn later(moment: Option<Timestamp>) -> Option<Timestamp> {
    moment.map(|moment| Timestamp::from_millis(moment.as_millis() + 15_000))
}

/// Two snapshots that alternate.
struct Turns {
    snapshots: [Arc<Snapshot>; 2],
    turn: usize,
    renderer: BlockRenderer,
}

impl Turns {
    fn new(snapshot: &Snapshot, size: u32, (_, change): Change) -> Self {
        let mut changed = snapshot.clone();
        let operations = changed.accounts.iter_mut();
        let operations = operations.flat_map(|account| &mut account.operations);
        for (number, shown) in (0..).zip(operations) {
            change(number, size, shown);
        }
        let mut turns = Self {
            snapshots: [Arc::new(snapshot.clone()), Arc::new(changed)],
            turn: 0,
            renderer: BlockRenderer::new(SYNTAX),
        };
        turns.render();
        turns
    }

    fn render(&mut self) -> Vec<Block> {
        self.turn += 1;
        self.renderer
            .render_snapshot(&self.snapshots[self.turn % 2])
    }
}

fn changes(criterion: &mut Criterion) {
    for size in SIZES {
        let snapshot = snapshot(size);
        let mut text = Vec::new();
        Renderer::default().render_snapshot(&snapshot, SYNTAX, &mut text);
        let mut group = criterion.benchmark_group(format!("changes_{size}"));
        group
            .sample_size(30)
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(2));
        anew(&mut group, &snapshot, &text);
        for change in CHANGES {
            let mut turns = Turns::new(&snapshot, size, change);
            group.bench_function(format!("render_{}", change.0), |bencher| {
                bencher.iter(|| black_box(turns.render()).len());
            });
            for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd)] {
                let compressors = Compressors::default();
                let mut kept = KeptBlocks::new(encoding);
                group.bench_function(format!("{name}_{}", change.0), |bencher| {
                    bencher.iter_custom(|times| {
                        let mut took = Duration::ZERO;
                        for _ in 0..times {
                            let blocks = turns.render();
                            let began = Instant::now();
                            let pieces = kept.compress(black_box(&blocks), &compressors);
                            took += began.elapsed();
                            black_box(pieces.expect("there is memory").len());
                        }
                        took
                    });
                });
            }
        }
        group.finish();
        sizes(&snapshot, &text);
    }
}

/// Renders and compresses without the previous exposition, and copies the bytes.
fn anew(group: &mut BenchmarkGroup<'_, WallTime>, snapshot: &Snapshot, text: &[u8]) {
    let mut out = Vec::with_capacity(text.len());
    group.bench_function("copy", |bencher| {
        bencher.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(text));
            black_box(out.len())
        });
    });
    let mut renderer = Renderer::default();
    group.bench_function("render_anew", |bencher| {
        bencher.iter(|| {
            out.clear();
            renderer.render_snapshot(black_box(snapshot), SYNTAX, &mut out);
            black_box(out.len())
        });
    });
    let compressors = Compressors::default();
    for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd)] {
        group.bench_function(format!("{name}_anew"), |bencher| {
            bencher.iter(|| {
                out.clear();
                let compressed = compressors.compress(encoding, black_box(text), &mut out);
                compressed.expect("there is memory");
                black_box(out.len())
            });
        });
    }
}

/// Prints how much longer a compressed exposition is because its blocks are compressed one by one.
fn sizes(snapshot: &Snapshot, text: &[u8]) {
    let blocks = BlockRenderer::new(SYNTAX).render_snapshot(&Arc::new(snapshot.clone()));
    let compressors = Compressors::default();
    let mut output = std::io::stdout();
    for encoding in [Encoding::Gzip, Encoding::Zstd] {
        let mut whole = Vec::new();
        let compressed = compressors.compress(encoding, text, &mut whole);
        compressed.expect("there is memory");
        let pieces = KeptBlocks::new(encoding).compress(&blocks, &compressors);
        let pieces = pieces.expect("there is memory");
        let parts: usize = pieces.iter().map(bytes::Bytes::len).sum();
        writeln!(
            output,
            "{encoding:?}: {} bytes of text in {} blocks, {} compressed as a whole, {parts} by blocks",
            text.len(),
            blocks.len(),
            whole.len(),
        )
        .expect("standard output is open");
    }
}

/// Gathering and writing the exporter's own metrics, which every exposition does.
fn own_metrics(criterion: &mut Criterion) {
    let build = Build {
        version: "1.2.3",
        revision: "abcdef0",
    };
    let instruments = Instruments::new(build).expect("no two metrics conflict");
    let _account = instruments.account("marketing");
    let snapshot = Arc::new(Snapshot::default());
    let mut renderer = BlockRenderer::new(SYNTAX);
    criterion.bench_function("own_metrics", |bencher| {
        bencher.iter(|| black_box(renderer.render(&snapshot, &instruments)).len());
    });
}

criterion_group!(benches, changes, own_metrics);
criterion_main!(benches);
