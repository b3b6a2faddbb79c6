//! How long a scrape's text takes, and its compression: our writer, the `prometheus` crate's on the same samples, and copying the bytes as the least
//! that anything could take.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};
use twilio_email_exporter::exposition::{Renderer, Syntax};
use twilio_email_exporter::operation::{
    CountingMode, Operation, OperationId, OperationState, Stats, Status,
};
use twilio_email_exporter::snapshot::{
    AccountSnapshot, CollectionStatus, CounterOrigins, Labels, ShownOperation, Snapshot, Totals,
};
use twilio_email_exporter::timestamp::Timestamp;
use twilio_email_exporter::web::{Compressors, Encoding};

/// Ten times the default series limit.
const OPERATIONS: u32 = 10_000;

fn exposition(criterion: &mut Criterion) {
    let snapshot = snapshot(OPERATIONS);
    let mut renderer = Renderer::default();
    let mut out = Vec::new();
    renderer.render_snapshot(&snapshot, Syntax::Text, &mut out);
    let text = String::from_utf8(out).expect("an exposition is UTF-8");
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    let registry = registry(&text);
    assert_same_samples(&text, &registry);
    let mut output = std::io::stdout();
    writeln!(output, "{samples} samples, {} bytes", text.len()).expect("standard output is open");

    let mut group = criterion.benchmark_group("exposition");
    group
        .throughput(Throughput::Elements(samples as u64))
        .sample_size(20);
    let mut out = Vec::with_capacity(text.len());
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            out.clear();
            renderer.render_snapshot(black_box(&snapshot), Syntax::Text, &mut out);
            black_box(out.len())
        });
    });
    group.bench_function("prometheus_crate", |bencher| {
        bencher.iter(|| {
            out.clear();
            let encoded = TextEncoder::new().encode(&registry.gather(), &mut out);
            encoded.expect("no family is empty");
            black_box(out.len())
        });
    });
    group.bench_function("copying_the_bytes", |bencher| {
        bencher.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(text.as_bytes()));
            black_box(out.len())
        });
    });
    group.finish();
}

/// What compression costs beside the text of the default series limit.
fn compression(criterion: &mut Criterion) {
    let snapshot = snapshot(OPERATIONS / 10);
    let mut renderer = Renderer::default();
    let mut text = Vec::new();
    renderer.render_snapshot(&snapshot, Syntax::OpenMetrics, &mut text);
    let mut group = criterion.benchmark_group("compression");
    group.sample_size(20);
    let mut out = Vec::new();
    group.bench_function("rendering", |bencher| {
        bencher.iter(|| {
            out.clear();
            renderer.render_snapshot(black_box(&snapshot), Syntax::OpenMetrics, &mut out);
            black_box(out.len())
        });
    });
    let compressors = Compressors::default();
    for (name, encoding) in [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let compressed = compressors.compress(encoding, black_box(&text), &mut out);
                compressed.expect("there is memory");
                black_box(out.len())
            });
        });
    }
    group.finish();
}

fn snapshot(operations: u32) -> Snapshot {
    let operations: Vec<_> = (0..operations).map(operation).collect();
    let mut totals = Totals::default();
    for seen in operations.iter().filter_map(|shown| shown.seen.as_ref()) {
        totals.add(&seen.state, &seen.stats);
    }
    Snapshot {
        accounts: vec![AccountSnapshot {
            collectors: Vec::new(),
            emails: None,
            name: Arc::from("marketing"),
            status: CollectionStatus::default(),
            counters: None,
            origins: CounterOrigins::default(),
            counting_mode: CountingMode::Exclusive,
            totals,
            unconfirmed: None,
            without_series: 0,
            groups: Vec::new(),
            operations,
        }],
    }
}

fn operation(number: u32) -> ShownOperation {
    let id = format!("comms_operation_01h2xcejqtf2nbrexx3v{number:06}");
    let id: OperationId = id.parse().expect("digits are of base 32");
    let mut stats = Stats {
        size: Some(number * 7),
        ..Stats::default()
    };
    for (nth, status) in Status::ALL.into_iter().enumerate() {
        stats.set(
            status,
            number % 1000 * 11_u32.pow(u32::try_from(nth).unwrap_or(0) % 4),
        );
    }
    let created = Timestamp::from_millis(1_775_370_000_000 + i64::from(number) * 1000);
    ShownOperation {
        id,
        seen: Some(Operation {
            id,
            state: OperationState::Processing,
            stats,
            created,
            updated: None,
        }),
        up: Some(true),
        last_success: Some(Timestamp::from_millis(
            1_775_380_000_118 + i64::from(number),
        )),
        scheduled_for: None,
        labels: Labels::default(),
    }
}

/// A registry of gauges with the samples of `text`, in which nothing is escaped.
fn registry(text: &str) -> Registry {
    let registry = Registry::new();
    let mut families = BTreeMap::new();
    let mut help = "";
    for line in text.lines() {
        if let Some(header) = line.strip_prefix("# HELP ") {
            help = header.split_once(' ').map_or("", |(_, help)| help);
        } else if !line.starts_with('#') {
            let (name, rest) = line.split_once('{').expect("every sample has labels");
            let (labels, value) = rest.split_once("} ").expect("every sample has a value");
            let (names, values): (Vec<_>, Vec<_>) = labels
                .split(',')
                .filter_map(|label| label.trim_end_matches('"').split_once("=\""))
                .unzip();
            let family = families.entry(name).or_insert_with(|| {
                let family =
                    GaugeVec::new(Opts::new(name, help), &names).expect("our names are valid");
                registry
                    .register(Box::new(family.clone()))
                    .expect("each name comes once");
                family
            });
            family
                .with_label_values(&values)
                .set(value.parse().expect("a number"));
        }
    }
    registry
}

/// Holds both to the same lines, whatever their order: otherwise there would be nothing to compare.
fn assert_same_samples(text: &str, registry: &Registry) {
    let theirs = TextEncoder::new().encode_to_string(&registry.gather());
    let theirs = theirs.expect("no family is empty");
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert!(
        sorted(text) == sorted(&theirs),
        "the two wrote different samples"
    );
}

criterion_group!(benches, exposition, compression);
criterion_main!(benches);
