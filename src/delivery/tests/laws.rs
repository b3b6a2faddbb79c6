//! The rules of the counters, one per test.

use super::*;
use EmailStatus::{
    Canceled, Delivered, Failed, Inbound, Opened, Queued, Scheduled, Sent, Undelivered, Unknown,
};

/// The counters of Gmail.
fn gmail(table: &Deliveries) -> ProviderCounts {
    let shown = current(table);
    shown.providers.get("gmail").cloned().unwrap_or_default()
}

#[test]
fn an_email_counts_each_outcome_once() {
    let mut table = watching(&LIMITS);
    let created = NOW + SECOND;
    let now = NOW + HOUR;
    for (status, ingested, outcomes) in [
        (Queued, Ingested::New, [0, 0, 0, 0, 0]),
        (Sent, Ingested::Changed, [0, 0, 0, 0, 0]),
        (Delivered, Ingested::Changed, [1, 0, 0, 0, 0]),
        (Delivered, Ingested::Known, [1, 0, 0, 0, 0]),
        (Sent, Ingested::Known, [1, 0, 0, 0, 0]),
        (Unknown, Ingested::Known, [1, 0, 0, 0, 0]),
        (Opened, Ingested::Changed, [1, 1, 0, 0, 0]),
        (Undelivered, Ingested::Known, [1, 1, 0, 0, 0]),
        (Delivered, Ingested::Known, [1, 1, 0, 0, 0]),
    ] {
        assert_eq!(
            table.ingest(&row(created, 1, status, SECOND), now),
            ingested
        );
        assert_eq!(gmail(&table).outcomes, outcomes, "{status:?}");
    }
    assert_eq!((table.len(), table.open()), (1, 0));
    let shown = current(&table);
    assert_eq!(shown.providers["other"].outcomes, [0; 5]);
    assert_eq!(shown.statuses["gmail"][Opened as usize], 1);
    assert_eq!(shown.statuses["gmail"].iter().sum::<u64>(), 1);
}

#[test]
fn every_final_status_counts_as_its_outcome() {
    let mut table = watching(&LIMITS);
    let statuses = [Undelivered, Failed, Canceled, Opened, Scheduled];
    for (number, status) in (0..).zip(statuses) {
        table.ingest(&row(NOW + SECOND, number, status, SECOND), NOW + HOUR);
    }
    // A bounce after the delivery counts as both.
    table.ingest(&row(NOW + SECOND, 9, Delivered, SECOND), NOW + HOUR);
    table.ingest(&row(NOW + SECOND, 9, Undelivered, SECOND), NOW + HOUR);
    assert_eq!(gmail(&table).outcomes, [2, 1, 2, 1, 1]);
}

#[test]
fn what_an_email_had_reached_before_the_account_was_watched_is_baseline() {
    let mut table = table(&LIMITS);
    table.begin(NOW);
    let old = NOW - HOUR;
    // The first collection may even find emails that were created during it.
    table.ingest(&row(NOW + SECOND, 1, Delivered, SECOND), NOW + SECOND);
    table.ingest(&row(old, 2, Sent, SECOND), NOW);
    table.end();
    // Found later, created before.
    table.ingest(&row(old, 3, Failed, SECOND), NOW + HOUR);
    table.ingest(&row(NOW + SECOND, 4, Failed, SECOND), NOW + HOUR);
    assert_eq!(gmail(&table), ProviderCounts::default());
    // Their later outcomes count.
    table.ingest(&row(NOW + SECOND, 1, Opened, HOUR), NOW + HOUR);
    table.ingest(&row(old, 2, Delivered, HOUR), NOW + HOUR);
    let counts = gmail(&table);
    assert_eq!(counts.outcomes, [1, 1, 0, 0, 0]);
    assert_eq!((counts.times.count(), counts.unobserved), (1, 0));
    // A late row of a new email counts once.
    for _ in 0..2 {
        table.ingest(&row(NOW + 2 * SECOND, 5, Failed, SECOND), NOW + 2 * DAY);
    }
    assert_eq!(gmail(&table).outcomes[3], 1);
}

#[test]
fn a_delivery_is_timed_if_it_was_seen_as_delivered() {
    let mut table = watching(&LIMITS);
    let created = NOW + SECOND;
    table.ingest(&row(created, 1, Delivered, 3 * SECOND), NOW + HOUR);
    table.ingest(&row(created, 1, Opened, HOUR), NOW + HOUR);
    table.ingest(&row(created, 2, Opened, HOUR), NOW + HOUR);
    let without_time = Email {
        updated: None,
        ..row(created, 3, Delivered, SECOND)
    };
    table.ingest(&without_time, NOW + HOUR);
    table.ingest(&row(created, 3, Delivered, SECOND), NOW + HOUR);
    let scheduled = Email {
        scheduled: Some(created + HOUR),
        ..row(created, 4, Delivered, HOUR + 20 * SECOND)
    };
    table.ingest(&scheduled, NOW + 2 * HOUR);
    let counts = gmail(&table);
    assert_eq!(counts.outcomes[0], 4);
    assert_eq!((counts.times.count(), counts.unobserved), (2, 2));
    assert_eq!((counts.times.buckets[2], counts.times.buckets[5]), (1, 1));
    assert_eq!(counts.times.sum_millis, 23_000);
}

#[test]
fn unconfirmed_emails_are_counted_by_the_time_since_they_were_sent() {
    let mut table = watching(&LIMITS);
    let created = NOW + SECOND;
    for (number, after) in [(1, 10), (2, 10), (3, 20), (4, 300)] {
        table.ingest(&row(created, number, Sent, after * SECOND), created + HOUR);
    }
    table.ingest(&row(created, 5, Queued, SECOND), created + HOUR);
    let at = |table: &Deliveries, seconds: u32| {
        table.unconfirmed(5 * 60 * SECOND, created + seconds * SECOND)
    };
    for (seconds, count) in [(309, 0), (310, 2), (319, 2), (320, 3), (599, 3), (600, 4)] {
        assert_eq!(at(&table, seconds), count, "{seconds}");
    }
    // An email was sent at the earliest `updatedAt` of its rows, in whichever order they are read.
    table.ingest(&row(created, 1, Sent, 400 * SECOND), created + HOUR);
    table.ingest(&row(created, 3, Sent, 5 * SECOND), created + HOUR);
    assert_eq!(
        (at(&table, 304), at(&table, 305), at(&table, 310)),
        (0, 1, 3)
    );
    for (number, status) in [(1, Delivered), (2, Undelivered), (3, Failed)] {
        table.ingest(&row(created, number, status, 500 * SECOND), created + HOUR);
    }
    assert_eq!(at(&table, 1000), 1);
    table.expire(created + 8 * DAY);
    assert_eq!(at(&table, 1000), 0);
}

#[test]
fn emails_that_may_change_are_counted_by_their_creation() {
    let mut table = watching(&LIMITS);
    for number in 1..=1000_u64 {
        let created = NOW + u32::try_from(number).unwrap() * SECOND;
        let status = if number % 10 == 0 { Failed } else { Sent };
        table.ingest(&row(created, number, status, SECOND), NOW + HOUR);
    }
    let open =
        |from: u32, until: u32| table.open_created(NOW + from * SECOND, NOW + until * SECOND);
    assert_eq!(
        (open(0, 2000), open(1, 11), open(5, 6), open(10, 11)),
        (900, 9, 1, 0)
    );
    assert_eq!((open(6, 5), open(2000, 3000)), (0, 0));
}

#[test]
fn inbound_emails_count_as_such_and_for_no_provider() {
    let mut table = watching(&LIMITS);
    table.ingest(&row(NOW - SECOND, 1, Inbound, SECOND), NOW + HOUR);
    for _ in 0..2 {
        table.ingest(&row(NOW + SECOND, 2, Inbound, SECOND), NOW + HOUR);
    }
    let shown = current(&table);
    assert_eq!(shown.inbound, 1);
    assert!(!shown.providers.contains_key("gmail"));
    assert!(shown.statuses.values().flatten().all(|count| *count == 0));
}

#[test]
fn an_inbound_email_counts_once_if_its_first_row_had_an_undocumented_status() {
    let mut table = watching(&LIMITS);
    for status in [Unknown, Inbound, Inbound] {
        table.ingest(&row(NOW + SECOND, 1, status, SECOND), NOW + HOUR);
    }
    let shown = current(&table);
    assert_eq!((shown.inbound, gmail(&table).outcomes), (1, [0; 5]));
    assert_eq!(shown.statuses["gmail"][Unknown as usize], 0);
}

#[test]
fn an_email_leaves_memory_after_seven_days_and_never_counts_again() {
    let mut table = watching(&LIMITS);
    let created = NOW + SECOND;
    table.ingest(&row(created, 1, Delivered, SECOND), NOW + HOUR);
    table.ingest(&row(created, 2, Failed, SECOND), NOW + HOUR);
    table.expire(created + 7 * DAY - SECOND);
    assert_eq!(table.len(), 2);
    table.expire(created + 7 * DAY);
    assert!(table.is_empty());
    let shown = current(&table);
    assert_eq!(shown.providers["gmail"].outcomes, [1, 0, 0, 1, 0]);
    assert!(shown.statuses["gmail"].iter().all(|count| *count == 0));
    // The clock was ahead and is set back: expired emails stay expired.
    for now in [created + 8 * DAY, created + HOUR] {
        let again = row(created, 1, Opened, HOUR);
        assert_eq!(table.ingest(&again, now), Ingested::Expired);
    }
    // But an email that is created after that is new.
    table.expire(created + 90 * DAY);
    table.expire(created + 2 * HOUR);
    let new = row(created + 2 * HOUR, 3, Failed, SECOND);
    assert_eq!(table.ingest(&new, created + 3 * HOUR), Ingested::New);
}

#[test]
fn counters_are_exposed_as_they_were_last_saved() {
    let mut table = watching(&LIMITS);
    assert_eq!(table.shown(), None);
    save(&mut table);
    table.ingest(&row(NOW + SECOND, 1, Failed, SECOND), NOW + HOUR);
    let changes = table.changes();
    table.ingest(&row(NOW + SECOND, 2, Failed, SECOND), NOW + HOUR);
    let failed = |table: &Deliveries| {
        let gmail = table.shown().unwrap().providers.get("gmail");
        gmail.map_or(0, |counts| counts.outcomes[3])
    };
    assert_eq!(failed(&table), 0);
    table.saved(&changes);
    assert_eq!(failed(&table), 1);
    assert_eq!(table.changes().emails.len(), 1, "what changed since");
    save(&mut table);
    assert_eq!(failed(&table), 2);
    assert!(table.changes().emails.is_empty() && table.changes().names.is_empty());
    table.lost();
    assert_eq!(table.changes().emails.len(), 2);
}

#[test]
fn an_email_counts_for_the_domain_that_had_a_name_when_it_was_first_seen() {
    let mut table = watching(&LIMITS);
    for number in 0..u64::from(LEAST_TO_DOMAIN) {
        table.ingest(&row(NOW + SECOND, number, Sent, SECOND), NOW + HOUR);
    }
    table.end();
    table.ingest(&row(NOW + SECOND, 0, Failed, SECOND), NOW + HOUR);
    table.ingest(&row(NOW + SECOND, 100, Failed, SECOND), NOW + HOUR);
    let shown = current(&table);
    assert_eq!(shown.recipient_domains.as_ref().unwrap()["other"][3], 1);
    assert_eq!(shown.recipient_domains.as_ref().unwrap()["gmail.com"][3], 1);
    assert_eq!(shown.sender_domains["shop.example"][3], 1);
    let fewer = EmailLimits {
        max_recipient_domains: 1,
        ..LIMITS
    };
    table.reconfigure(Arc::default(), &fewer);
    table.ingest(&row(NOW + SECOND, 101, Failed, SECOND), NOW + HOUR);
    let shown = current(&table);
    assert_eq!(
        shown.recipient_domains.as_ref().unwrap()["gmail.com"][3],
        2,
        "a name stays"
    );
    assert_eq!(
        shown.providers["other"].outcomes[3], 1,
        "another table of providers"
    );
    let none = EmailLimits {
        max_recipient_domains: 0,
        ..LIMITS
    };
    table.reconfigure(Arc::default(), &none);
    assert_eq!(current(&table).recipient_domains, None);
}
