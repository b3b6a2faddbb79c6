//! `/probe?emails=true`: the emails of one operation, read now.

mod list;
mod privacy;
mod problems;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use twilio_email_exporter::exposition::catalogue::{Kind, PROBED};
use twilio_email_exporter::operation::OperationId;

use self::list::{List, Pages, row};
use crate::support::eventually;
use crate::support::exporter::{Exporter, account_at, one_account};
use crate::support::exposition::Exposition;
use crate::support::promtool;
use crate::support::twilio::Twilio;

/// The names and words of the nine documented statuses, and of one that is not documented.
const WORDS: [(&str, &str); 10] = [
    ("scheduled", "SCHEDULED"),
    ("queued", "QUEUED"),
    ("sent", "SENT"),
    ("delivered", "DELIVERED"),
    ("undelivered", "UNDELIVERED"),
    ("opened", "OPENED"),
    ("failed", "FAILED"),
    ("canceled", "CANCELLED"),
    ("inbound", "INBOUND"),
    ("unknown", "DEFERRED"),
];

/// The families of emails that a probe may have.
const COUNTS: [&str; 4] = [
    "twilio_email_probe_emails",
    "twilio_email_probe_provider_emails",
    "twilio_email_probe_delivery_duration_seconds",
    "twilio_email_probe_deliveries_unobserved",
];

async fn text_of(exporter: &Exporter, query: &str) -> String {
    let response = exporter.get(&format!("/probe?{query}")).await;
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

/// The exposition of a probe of the emails of `id`.
async fn probe(exporter: &Exporter, id: OperationId) -> Exposition {
    let text = text_of(exporter, &format!("target={id}&emails=true")).await;
    assert_eq!(promtool::check_metrics(text.as_bytes()), "");
    Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The value of the probe of an operation that has `labels` as its further labels.
fn value(seen: &Exposition, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    seen.value(&format!("twilio_email_probe_{name}"), labels)
}

/// No family of counts is exposed: not all emails were read.
fn assert_incomplete(seen: &Exposition) {
    assert_eq!(seen.value("probe_success", &[]), Some(0.0));
    assert_eq!(value(seen, "emails_complete", &[]), Some(0.0));
    for name in COUNTS {
        assert!(seen.family(name).is_none(), "{name}");
    }
}

async fn exporter_of(list: &List) -> Exporter {
    let account = account_at("default", &list.server.base_url(), "discovery: false");
    Exporter::start(&format!("accounts:\n{account}")).await
}

#[tokio::test]
async fn all_statuses_delivery_times_and_providers_are_counted_in_both_forms_of_pagination() {
    for pages in [Pages::Next, Pages::NextPageToken] {
        let id = list::operation();
        let mut rows: Vec<_> = WORDS
            .iter()
            .enumerate()
            .flat_map(|(at, (_, word))| {
                let number = move |of: usize| 100 * at + of;
                (0..=at).map(move |of| row(id, number(of), word, "example.com", 7))
            })
            .collect();
        rows.push(row(id, 2000, "DELIVERED", "gmail.com", 3));
        rows.push(row(id, 2001, "DELIVERED", "googlemail.com", 400));
        rows.push(row(id, 2002, "OPENED", "GMAIL.com", 9));
        let list = List::start(id, rows, pages).await;
        let exporter = exporter_of(&list).await;
        let seen = probe(&exporter, id).await;
        assert!(list.pages_requested() > 2, "the list has several pages");
        assert_eq!(seen.value("probe_success", &[]), Some(1.0));
        for metric in PROBED {
            let family = seen.family(metric.name).unwrap();
            assert_eq!(family.help, metric.help);
            assert_eq!(family.kind, metric.kind.as_str());
        }
        for name in ["foreign_rows", "unusable_rows"] {
            assert_eq!(value(&seen, name, &[]), Some(0.0), "{name}");
        }
        let gmail = BTreeMap::from([("delivered", 2.0), ("opened", 1.0)]);
        for (number, (status, _)) in (1_u32..).zip(WORDS) {
            let of_gmail = gmail.get(status).copied().unwrap_or_default();
            let other = f64::from(number);
            let operation = id.to_string();
            let labels = [
                ("account", "default"),
                ("operation_id", operation.as_str()),
                ("status", status),
            ];
            assert_eq!(value(&seen, "emails", &labels), Some(other + of_gmail));
            for (provider, emails) in [("gmail", of_gmail), ("other", other)] {
                let labels = [("provider", provider), ("status", status)];
                let found = value(&seen, "provider_emails", &labels);
                assert_eq!(found, Some(emails), "{provider} {status}");
            }
        }
        let duration = |suffix: &str, labels: &[(&str, &str)]| {
            value(&seen, &format!("delivery_duration_seconds{suffix}"), labels)
        };
        for (provider, sum, emails) in [("gmail", 403.0, 2.0), ("other", 28.0, 4.0)] {
            let of = [("provider", provider)];
            assert_eq!(duration("_sum", &of), Some(sum));
            assert_eq!(duration("_count", &of), Some(emails));
        }
        for (bound, emails) in [("2", 0.0), ("5", 1.0), ("300", 1.0), ("900", 2.0)] {
            let found = duration("_bucket", &[("provider", "gmail"), ("le", bound)]);
            assert_eq!(found, Some(emails), "{bound}");
        }
        let buckets = seen.samples("twilio_email_probe_delivery_duration_seconds_bucket");
        assert_eq!(buckets.len(), 2 * 15);
        for (provider, emails) in [("gmail", 1.0), ("other", 6.0)] {
            let found = value(&seen, "deliveries_unobserved", &[("provider", provider)]);
            assert_eq!(found, Some(emails));
        }
    }
}

#[tokio::test]
async fn open_metrics_has_the_same_families_with_their_unit() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 3, "delivered": 3}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    let url = exporter.url(&format!("/probe?target={id}&emails=true"));
    let request = exporter.client.get(url);
    let request = request.header("accept", "application/openmetrics-text;version=1.0.0");
    let text = request.send().await.unwrap().text().await.unwrap();
    for metric in PROBED {
        let kind = match metric.kind {
            Kind::Histogram => "histogram",
            _ => "gauge",
        };
        let header = format!(
            "# HELP {0} {1}\n# TYPE {0} {kind}\n",
            metric.name, metric.help
        );
        assert_eq!(text.matches(&header).count(), 1, "{header} in {text}");
    }
    let unit = "# UNIT twilio_email_probe_delivery_duration_seconds seconds\n";
    assert!(text.contains(unit) && text.ends_with("\n# EOF\n"), "{text}");
    assert!(
        text.contains("provider=\"other\",le=\"300.0\"} 3\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_probe_without_emails_requests_and_shows_none() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 3, "delivered": 3}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    for query in ["", "&emails=false"] {
        let text = text_of(&exporter, &format!("target={id}{query}")).await;
        assert!(text.contains("\nprobe_success 1\n"), "{text}");
        assert!(!text.contains("twilio_email_probe_"), "{text}");
    }
    assert_eq!(twilio.handle.counts().emails, 0);
}

#[tokio::test]
async fn an_operation_without_emails_is_complete() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 0}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    let seen = probe(&exporter, id).await;
    assert_eq!(value(&seen, "emails_complete", &[]), Some(1.0));
    for (status, _) in WORDS {
        assert_eq!(value(&seen, "emails", &[("status", status)]), Some(0.0));
    }
    assert!(seen.family("twilio_email_probe_provider_emails").is_none());
}

#[tokio::test]
async fn probes_of_the_same_emails_at_one_time_share_one_read() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 1500, "sent": 1500}));
    let exporter = Exporter::start(&one_account(&twilio, "discovery: false")).await;
    twilio.fault("emails=slow:500ms");
    let seen = join_all((0..10).map(|_| probe(&exporter, id))).await;
    for seen in &seen {
        assert_eq!(value(seen, "emails", &[("status", "sent")]), Some(1500.0));
    }
    // Two pages, and a second time for a probe that came too late to join.
    let requests = twilio.handle.counts().emails;
    assert!(requests <= 4, "{requests}");
}

#[tokio::test]
async fn at_most_two_lists_of_emails_of_an_account_are_read_at_one_time() {
    let twilio = Twilio::empty().await;
    let stats = || json!({"total": 1, "sent": 1});
    let ids: Vec<_> = (0..6)
        .map(|_| twilio.put(Duration::ZERO, stats()))
        .collect();
    let more = "discovery: false\nmax_concurrent_requests: 10";
    let exporter = Exporter::start(&one_account(&twilio, more)).await;
    twilio.fault("emails=hang");
    let probes = ids
        .iter()
        .map(|id| problems::probe_within(&exporter, *id, "60"));
    let all_wait = eventually("six probes, two of which read emails", async || {
        let counts = twilio.handle.counts();
        counts.operation == 6 && counts.emails == 2
    });
    tokio::select! {
        _ = join_all(probes) => panic!("no list of emails was answered"),
        () = all_wait => {}
    }
    twilio.handle.clear_faults();
    for seen in join_all(ids.iter().map(|id| probe(&exporter, *id))).await {
        assert_eq!(value(&seen, "emails_complete", &[]), Some(1.0));
    }
}

#[tokio::test]
async fn an_account_with_an_oauth_client_is_probed_with_its_token() {
    let twilio = Twilio::empty().await;
    let id = twilio.put(Duration::ZERO, json!({"total": 3, "failed": 3}));
    let yaml = format!(
        "accounts:\n- name: default\n  oauth: {{client_id: made-up-client, client_secret_file: token, \
         token_url: 'http://{}/v2/token'}}\n  base_url: {}\n  discovery: false\n",
        twilio.address,
        twilio.base_url()
    );
    let exporter = Exporter::start(&yaml).await;
    let seen = probe(&exporter, id).await;
    assert_eq!(value(&seen, "emails", &[("status", "failed")]), Some(3.0));
    assert_eq!(twilio.handle.counts().token, 1);
}
