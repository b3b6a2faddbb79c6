//! What it costs to parse a page of operations, compared with reading it into a tree, skipping it unread, and finding its quotes. The
//! target is 500 MB a second.

mod support {
    pub(crate) mod operation_page;
}

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use support::operation_page;
use twilio_email_exporter::twilio::OperationPage;

/// The operations of a page: the most that Twilio returns.
const ROWS: u32 = 1000;

fn parse(c: &mut Criterion) {
    let documented = operation_page::page(ROWS, "");
    let escaped = operation_page::page(ROWS, r#","note":"\"J\u00f6rg\"""#);
    for page in [&documented, &escaped] {
        let parsed = OperationPage::parse(page).expect("a page");
        assert_eq!((parsed.operations.len(), parsed.unusable), (1000, 0));
    }
    let mut group = c.benchmark_group("page of operations");
    group.sample_size(30);
    group.throughput(Throughput::Bytes(documented.len() as u64));
    group.bench_function("parse", |b| {
        b.iter(|| OperationPage::parse(black_box(&documented)));
    });
    group.bench_function("read a tree with serde_json", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&documented)));
    });
    group.bench_function("skip with serde_json", |b| {
        b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&documented)));
    });
    group.bench_function("find quotes with memchr", |b| {
        b.iter(|| memchr::memchr2_iter(b'"', b'\\', black_box(&documented)).count());
    });
    group.throughput(Throughput::Bytes(escaped.len() as u64));
    group.bench_function("parse rows with an escaped text", |b| {
        b.iter(|| OperationPage::parse(black_box(&escaped)));
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
