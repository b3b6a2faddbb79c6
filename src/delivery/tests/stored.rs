//! Emails in a real store: what is loaded is what was saved.

use crate::store::Store;

use super::*;

fn load(store: &Store) -> Deliveries {
    let mut table = table(&LIMITS);
    let mut emails = Vec::new();
    let saved = store
        .load_emails("a", &mut |email| emails.push(email))
        .unwrap();
    if let Some((standing, names)) = saved {
        table.restore(&standing, &names);
        for email in &emails {
            table.restore_email(email);
        }
        table.restored();
    }
    table
}

#[test]
fn emails_outlive_a_restart_and_what_was_not_saved_counts_when_it_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Store::open(Some(directory.path()), NOW).unwrap();
    let store = open();
    let mut table = load(&store);
    table.begin(NOW);
    table.end();
    let statuses = (0..).zip(EmailStatus::ALL).take(6);
    let rows: Vec<Email> = statuses
        .map(|(number, status)| row(NOW + SECOND, number, status, 9 * SECOND))
        .collect();
    for row in &rows[..4] {
        table.ingest(row, NOW + HOUR);
    }
    let changes = table.changes();
    store
        .commit_emails(&changes.batch("a", store.generation()))
        .unwrap();
    table.saved(&changes);
    for row in &rows[4..] {
        table.ingest(row, NOW + HOUR);
    }
    let all = current(&table);
    drop((store, table));

    let store = open();
    let mut table = load(&store);
    assert_eq!(table.shown(), Some(&changes.shown));
    assert_eq!(table.len(), 4);
    assert_eq!(table.unconfirmed(HOUR, NOW + 2 * HOUR), 1);
    // Overlapping windows: everything is read again.
    for row in rows.iter().chain(&rows) {
        table.ingest(row, NOW + HOUR);
    }
    assert_eq!(current(&table), all);

    let before = NOW + SECOND;
    assert!(!store.purge_emails("a", before).unwrap());
    assert_eq!(load(&store).len(), 4, "the first millisecond is not before");
    store.purge_emails("a", before + SECOND).unwrap();
    let table = load(&store);
    assert!(table.is_empty());
    assert_eq!(table.shown().unwrap().providers, changes.shown.providers);
}
