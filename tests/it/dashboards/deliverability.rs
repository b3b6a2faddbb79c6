//! The dashboard about deliverability, with a written history of mailbox providers.

use super::scenes::{constant, query};
use crate::support::dashboard::{Chosen, Dashboard};
use crate::support::history::History;

const FILE: &str = "deliverability.json";

/// Two providers at a pair of exporters: `slow` accepts 10 emails a minute, and `gmail` 100, of which it loses none.
fn providers() -> History {
    let mut history = History::default();
    for instance in ["one:1", "two:1"] {
        let at = format!(r#"job="j",instance="{instance}",account="a""#);
        for (provider, buckets) in [
            ("gmail", [("1", 50), ("5", 90), ("60", 100), ("+Inf", 100)]),
            ("slow", [("1", 0), ("5", 0), ("60", 10), ("+Inf", 10)]),
        ] {
            let of = format!(r#"{at},provider="{provider}""#);
            for (le, growth) in buckets {
                let series =
                    format!(r#"twilio_email_delivery_duration_seconds_bucket{{{of},le="{le}"}}"#);
                history.series(&series, &format!("0+{growth}x180"));
            }
            let (delivered, lost) = if provider == "slow" {
                (10, 10)
            } else {
                (100, 0)
            };
            for (outcome, growth) in [
                ("delivered", delivered),
                ("undelivered", lost),
                ("failed", 0),
                ("opened", 5),
            ] {
                let series =
                    format!(r#"twilio_email_provider_outcomes_total{{{of},outcome="{outcome}"}}"#);
                history.series(&series, &format!("0+{growth}x180"));
            }
            let unobserved = format!("twilio_email_deliveries_unobserved_total{{{of}}}");
            history.series(&unobserved, "0+1x180");
            let sent = format!(r#"twilio_email_provider_emails{{{of},status="sent"}}"#);
            history.series(&sent, &constant(4));
        }
        for (side, domain) in [
            ("recipient_domain", "example.com"),
            ("sender_domain", "example.org"),
        ] {
            for (outcome, growth) in [("delivered", 9), ("undelivered", 1)] {
                let labels = format!(r#"{at},{side}="{domain}",outcome="{outcome}""#);
                let series = format!("twilio_email_{side}_outcomes_total{{{labels}}}");
                history.series(&series, &format!("0+{growth}x180"));
            }
        }
        for (age, emails) in [("5m", 30), ("1h", 7), ("6h", 2), ("1d", 0)] {
            let series = format!(r#"twilio_email_emails_unconfirmed{{{at},older_than="{age}"}}"#);
            history.series(&series, &constant(emails));
        }
        for (operation, mismatch) in [("one", 0), ("other", 1)] {
            let of = format!(r#"{at},operation_id="{operation}""#);
            let series = format!("twilio_email_operation_emails_mismatch{{{of}}}");
            history.series(&series, &constant(mismatch));
        }
    }
    history
}

#[test]
fn a_provider_that_is_slow_or_loses_emails_stands_out_and_a_pair_counts_once() {
    let mut history = providers();
    let of = |title, letter| query(FILE, title, letter, &[]);
    let gmail_alone = query(
        FILE,
        "Delivered per minute, by provider",
        'A',
        &[("provider", "gmail")],
    );
    let by_provider = "Time to delivery, 95% of the emails, by provider";
    history
        // 95 of 100 are halfway between 5 and 60 seconds.
        .gives(
            "2h",
            &of(by_provider, 'A'),
            &[(r#"provider="gmail""#, 32.5), (r#"provider="slow""#, 57.25)],
        )
        .gives("2h", &of("Lost", 'A'), &[("", 0.083)])
        .gives(
            "2h",
            &of("Providers", 'A'),
            &[(r#"provider="gmail""#, 0.0), (r#"provider="slow""#, 0.5)],
        )
        .gives(
            "2h",
            &of("Providers", 'C'),
            &[
                (r#"provider="gmail""#, 12000.0),
                (r#"provider="slow""#, 1200.0),
            ],
        )
        .gives(
            "2h",
            &of("Providers", 'H'),
            &[(r#"provider="gmail""#, 4.0), (r#"provider="slow""#, 4.0)],
        )
        .gives("2h", &gmail_alone, &[(r#"provider="gmail""#, 100.0)])
        .gives("2h", &of("Unconfirmed for an hour", 'A'), &[("", 7.0)])
        .gives("2h", &of("Deliveries without a time", 'A'), &[("", 0.018)])
        .gives("2h", &of("Stats and emails disagree", 'A'), &[("", 1.0)])
        .gives(
            "2h",
            &of("Recipients' domains", 'B'),
            &[(r#"recipient_domain="example.com""#, 0.1)],
        )
        .gives(
            "2h",
            &of("Senders' domains", 'A'),
            &[(r#"sender_domain="example.org""#, 120.0)],
        )
        .holds();
}

#[test]
fn a_provider_that_accepted_nothing_has_no_time_to_delivery_and_no_nan() {
    let mut history = History::default();
    for (provider, growth) in [("gmail", 100), ("silent", 0)] {
        for le in ["60", "+Inf"] {
            let of =
                format!(r#"job="j",instance="one:1",account="a",provider="{provider}",le="{le}""#);
            let series = format!("twilio_email_delivery_duration_seconds_bucket{{{of}}}");
            history.series(&series, &format!("0+{growth}x180"));
        }
    }
    let column = query(FILE, "Providers", 'F', &[]);
    history.gives("2h", &column, &[(r#"provider="gmail""#, 57.0)]);
    history.holds();
}

#[test]
fn every_query_about_deliverability_gives_values() {
    let mut history = providers();
    let dashboard = Dashboard::named(FILE);
    let mut values = Chosen::new();
    for (name, value) in [
        ("job", ".+"),
        ("account", ".*"),
        ("provider", ".*"),
        ("__range", "7200s"),
        ("__rate_interval", "240s"),
    ] {
        values.insert(name.to_owned(), value.to_owned());
    }
    for query in dashboard.queries(&values) {
        let any = format!("count({}) > bool 0", query.expr);
        history.gives("2h", &any, &[("", 1.0)]);
    }
    history.holds();
}

#[test]
fn it_says_what_cannot_be_seen_and_that_losses_come_late() {
    let dashboard = Dashboard::named(FILE);
    let mut panels = dashboard.panels().into_iter();
    let note = panels.find(|panel| panel["type"] == "text").unwrap();
    let said = note["options"]["content"].as_str().unwrap();
    for part in [
        "complaints",
        "clicks",
        "reason of a bounce",
        "inbox",
        "72 hours",
        "Postmaster Tools",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
