//! Outcomes and delivery times by label.

use super::*;
use EmailStatus::{Delivered, Opened, Sent, Undelivered};

/// At most two values of the label `campaign` have counters of their own.
fn labeled() -> Deliveries {
    let mut table = watching(&LIMITS);
    table.set_labels(&[Arc::from("campaign")], 2);
    table
}

fn campaign(value: &str) -> [LabelValue; 1] {
    [(Arc::from("campaign"), Arc::from(value))]
}

/// Ingests a row of the email with this number, whose operation has this campaign now.
fn read(table: &mut Deliveries, number: u64, status: EmailStatus, value: &str) {
    let row = row(NOW + SECOND, number, status, 5 * SECOND);
    table.ingest_labeled(&row, &campaign(value), NOW + HOUR);
}

/// Deliveries, opens, timed deliveries and others of a campaign, as the next save exposes them.
fn counted(table: &Deliveries, value: &str) -> Option<[u64; 4]> {
    let current = current(table);
    let counts = current.labels.get(&campaign(value)[0])?;
    let [delivered, opened, ..] = counts.outcomes;
    Some([delivered, opened, counts.times.count(), counts.unobserved])
}

#[test]
fn an_outcome_counts_under_the_value_of_its_moment_and_never_under_another() {
    let mut table = labeled();
    read(&mut table, 1, Sent, "spring");
    assert_eq!(counted(&table, "spring"), Some([0; 4]));
    read(&mut table, 1, Delivered, "spring");
    read(&mut table, 1, Delivered, "summer");
    assert_eq!(counted(&table, "summer"), None, "nothing changed");
    read(&mut table, 1, Opened, "summer");
    read(&mut table, 2, Opened, "summer");
    assert_eq!(counted(&table, "spring"), Some([1, 0, 1, 0]));
    assert_eq!(counted(&table, "summer"), Some([1, 2, 0, 1]));
    // Without the label, and with one that the configuration does not name.
    table.ingest(&row(NOW + SECOND, 3, Delivered, SECOND), NOW + HOUR);
    let other = [(Arc::from("team"), Arc::from("blue"))];
    table.ingest_labeled(&row(NOW + SECOND, 4, Delivered, SECOND), &other, NOW + HOUR);
    assert_eq!(current(&table).labels.len(), 2);
}

#[test]
fn values_beyond_the_limit_are_counted_together_and_named_ones_keep_their_names() {
    let mut table = labeled();
    for (number, value) in [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (4, "d"),
        (5, "a"),
        (6, "other"),
    ] {
        read(&mut table, number, Delivered, value);
    }
    let values = ["a", "b", "c", "d", "other"]
        .map(|value| counted(&table, value).map(|[delivered, ..]| delivered));
    assert_eq!(values, [Some(2), Some(1), None, None, Some(3)]);
}

#[test]
fn what_was_there_before_the_account_was_watched_counts_under_no_value() {
    let mut table = labeled();
    let before = row(NOW - HOUR, 1, Delivered, SECOND);
    table.ingest_labeled(&before, &campaign("spring"), NOW + HOUR);
    assert_eq!(counted(&table, "spring"), None);
}

#[test]
fn a_new_value_is_saved_and_exposed_as_0_before_it_counts() {
    let mut table = labeled();
    read(&mut table, 1, Delivered, "spring");
    save(&mut table);
    let exposed = |table: &Deliveries| {
        let shown = table.shown().unwrap().exposed();
        shown.labels[&campaign("spring")[0]].outcomes[0]
    };
    assert_eq!(exposed(&table), 0);
    table.begin(NOW + HOUR);
    table.exposed();
    save(&mut table);
    assert_eq!(exposed(&table), 0);
    table.begin(NOW + HOUR + 120 * SECOND);
    assert_eq!(exposed(&table), 0, "not saved");
    save(&mut table);
    assert_eq!(exposed(&table), 1);
    read(&mut table, 2, Delivered, "spring");
    assert_eq!(exposed(&table), 1, "not saved");
}

#[test]
fn counters_by_label_outlive_a_restart_a_lost_file_and_end_with_their_operations() {
    let mut table = labeled();
    read(&mut table, 1, Delivered, "spring");
    let changes = table.changes();
    table.saved(&changes);
    assert!(table.changes().names.is_empty());
    table.lost();
    let again = table.changes();
    assert_eq!(
        again
            .names
            .iter()
            .filter(|name| name.kind == NameKind::Label)
            .count(),
        1
    );
    let mut restored = super::table(&LIMITS);
    restored.set_labels(&[Arc::from("campaign")], 2);
    restored.restore(&again.standing, &again.names);
    restored.restored();
    assert_eq!(counted(&restored, "spring"), Some([1, 0, 1, 0]));
    let until = NOW + SECOND + 2 * RETENTION;
    restored.expire(until - SECOND);
    assert!(counted(&restored, "spring").is_some());
    restored.expire(until);
    assert_eq!(counted(&restored, "spring"), None);
    assert_eq!(restored.changes().removed, ["campaign=spring".into()]);
    // A label that the configuration does not name any more.
    table.set_labels(&[], 2);
    let last = table.changes();
    assert!(last.needs_save() && last.shown.labels.is_empty());
    assert_eq!(last.removed, ["campaign=spring".into()]);
    table.saved(&last);
    assert!(table.changes().removed.is_empty());
    let lost = row(NOW + SECOND, 1, Undelivered, SECOND);
    table.ingest_labeled(&lost, &campaign("spring"), NOW + HOUR);
    assert!(current(&table).labels.is_empty());
}
