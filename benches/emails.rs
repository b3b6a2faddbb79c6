//! What it costs to parse a page of emails whose rows have bodies, compared with skipping the same page; and to ingest a page into
//! a table of a million emails.

mod support {
    pub(crate) mod email_page;
}

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;
use support::email_page;
use twilio_email_exporter::delivery::{Deliveries, EmailLimits};
use twilio_email_exporter::email::{Domain, Email, EmailId, EmailStatus, Providers};
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::timestamp::Timestamp;
use twilio_email_exporter::twilio::EmailPage;

/// The emails of a page: the most that Twilio returns.
const ROWS: u32 = 1000;
/// The bytes of each body, which is HTML whose quotes and line breaks are escaped.
const BODY: usize = 50 * 1024;

fn parse(c: &mut Criterion) {
    let line = "<td style=\\\"padding:0 12px;font-family:sans-serif\\\">Your order is on its way, J\u{f6}rg.</td>\\n";
    let page = email_page::page(ROWS, &line.repeat(BODY / line.len()));
    let parsed = EmailPage::parse(&page).expect("a page");
    assert_eq!((parsed.emails.len(), parsed.unusable), (ROWS as usize, 0));
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

const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);
/// Emails in the table.
const KNOWN: u32 = 1_000_000;

/// The `n`th email, each of its own operation; every second has two.
fn email(n: u32, status: EmailStatus) -> Email {
    let created = START + Duration::from_millis(500) * n;
    let mut id = EmailId::first_at(created).to_bytes();
    id[10..].copy_from_slice(&n.to_be_bytes());
    Email {
        id: EmailId::from_bytes(id),
        operation: Some(operation_id(created, n.into())),
        status,
        created,
        updated: Some(created + Duration::from_secs(5)),
        scheduled: None,
        sender: Domain::parse("shop.example"),
        recipient: Domain::parse("gmail.com"),
        tags: twilio_email_exporter::email::Tags::default(),
    }
}

fn ingest(c: &mut Criterion) {
    let limits = EmailLimits {
        max_emails: 10_000_000,
        max_recipient_domains: 100,
        max_sender_domains: 100,
    };
    let now = START + Duration::from_hours(6 * 24);
    let mut table = Deliveries::new(Arc::new(Providers::built_in()), &limits);
    table.begin(START);
    table.end();
    for n in 0..KNOWN {
        table.ingest(&email(n, EmailStatus::Sent), now);
        if n % 1000 == 0 {
            let changes = table.changes();
            table.saved(&changes);
        }
    }
    let page = |from: u32, status| -> Vec<Email> {
        (from..from + 1000).map(|n| email(n, status)).collect()
    };
    let mut group = c.benchmark_group("ingest 1000 emails");
    group.sample_size(20);
    let known = page(KNOWN / 2, EmailStatus::Sent);
    group.bench_function("known ones", |b| {
        b.iter(|| {
            for email in &known {
                black_box(table.ingest(email, now));
            }
        });
    });
    let mut next = KNOWN;
    group.bench_function("new ones, with what is saved", |b| {
        b.iter_batched(
            || {
                next += 1000;
                page(next, EmailStatus::Sent)
            },
            |page| {
                for email in &page {
                    black_box(table.ingest(email, now));
                }
                let changes = table.changes();
                table.saved(&changes);
                changes
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, parse, ingest);
criterion_main!(benches);
