//! What it costs to parse a page of operations, next to reading the same page into a tree, skipping it without reading anything, and
//! finding its quotes. The target is 500 MB a second.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::timestamp::Timestamp;
use twilio_email_exporter::twilio::OperationPage;

/// The operations of a page: the most that Twilio returns.
const ROWS: u32 = 1000;
const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

/// A page with the fields that Twilio documents, and `more` at the end of each row.
fn page(more: &str) -> Vec<u8> {
    let rows: Vec<String> = (0..ROWS)
        .map(|row| {
            let created = START + Duration::from_millis(500) * row;
            let id = operation_id(created, row.into());
            let updated = created + Duration::from_mins(9);
            let (total, opened) = (100 + row * 7, row % 60);
            format!(
                r#"{{"id":"{id}","status":"COMPLETED","stats":{{"total":{total},"recipients":{total},"attempts":{total},"#
            ) + &format!(
                r#""scheduled":0,"queued":0,"sent":3,"delivered":{},"opened":{opened},"undelivered":2,"failed":1,"canceled":0}},"#,
                total - opened - 6
            ) + &format!(r#""createdAt":"{created}","updatedAt":"{updated}"{more}}}"#)
        })
        .collect();
    format!(
        r#"{{"operations":[{}],"pagination":{{"next":null}}}}"#,
        rows.join(",")
    )
    .into_bytes()
}

fn parse(c: &mut Criterion) {
    let documented = page("");
    let escaped = page(r#","note":"\"J\u00f6rg\"""#);
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
