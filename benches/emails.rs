//! What it costs to parse a page of emails whose rows carry their bodies, next to skipping the same page without reading anything.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use twilio_email_exporter::twilio::EmailPage;

/// The emails of a page: the most that Twilio returns.
const ROWS: usize = 1000;
/// The bytes of each body.
const BODY: usize = 50 * 1024;

/// A page as Twilio writes it, with HTML whose quotes and line breaks are escaped.
fn page() -> Vec<u8> {
    let line = "<td style=\\\"padding:0 12px;font-family:sans-serif\\\">Your order is on its way, J\u{f6}rg.</td>\\n";
    let body = line.repeat(BODY / line.len());
    let rows: Vec<String> = (0..ROWS)
        .map(|row| {
            format!(
                r#"{{"id":"comms_email_01h2xcejqtf2nbrexx3vq{row:05}","operationId":"comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
"from":{{"address":"news@shop.example","name":"Shop"}},"to":[{{"address":"jane{row}@example.com","name":"Jane Doe"}}],
"status":"DELIVERED","tags":{{}},"createdAt":"2023-06-14T16:40:03Z","updatedAt":"2023-06-14T16:40:08Z","scheduledFor":null,
"content":{{"subject":"Your order","html":"{body}","attachments":[]}}}}"#
            )
        })
        .collect();
    let rows = rows.join(",");
    format!(r#"{{"emails":[{rows}],"pagination":{{"next":null}}}}"#).into_bytes()
}

fn parse(c: &mut Criterion) {
    let page = page();
    let parsed = EmailPage::parse(&page).expect("a page");
    assert_eq!((parsed.emails.len(), parsed.unusable), (ROWS, 0));
    let mut group = c.benchmark_group("page of emails");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("parse", |b| b.iter(|| EmailPage::parse(black_box(&page))));
    group.bench_function("skip with serde_json", |b| {
        b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&page)));
    });
    group.bench_function("find quotes with memchr", |b| {
        b.iter(|| memchr::memchr2_iter(b'"', b'\\', black_box(&page)).count());
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
