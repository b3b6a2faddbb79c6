//! How long it takes to write all text of a scrape: with our writer, and with the `prometheus` crate's on the same samples. Copying
//! the bytes is the lower limit. `changes` measures scrapes that follow each other.

mod support {
    pub(crate) mod snapshots;
}

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};
use support::snapshots::snapshot;
use twilio_email_exporter::exposition::{Renderer, Syntax};

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

/// Asserts that both have the same lines in any order; otherwise the comparison means nothing.
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

criterion_group!(benches, exposition);
criterion_main!(benches);
