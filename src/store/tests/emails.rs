//! Emails in the state file, beside what older exporters wrote.

use super::*;
use crate::email::{EmailId, EmailStatus};

fn email(number: u8) -> SavedEmail {
    let mut bytes = EmailId::first_at(now()).to_bytes();
    bytes[13] = number;
    SavedEmail {
        id: EmailId::from_bytes(bytes),
        status: EmailStatus::Delivered,
        operation: 7,
        provider: 1,
        recipient: 2,
        sender: 0,
        sent_at: 0,
    }
}

fn name(name: &str, number: u16) -> SavedName {
    SavedName {
        kind: NameKind::Provider,
        number,
        name: name.into(),
        zero_until: None,
        counts: vec![0, 4],
    }
}

fn state(inbound: u64) -> SavedEmails {
    SavedEmails {
        born: Some(now()),
        inbound,
        ..SavedEmails::default()
    }
}

fn save(store: &Store, emails: &[SavedEmail], names: &[SavedName]) -> Result<(), StoreError> {
    store.commit_emails(&EmailBatch {
        account: ACCOUNT,
        standing: &state(emails.len() as u64),
        emails,
        names,
        removed_labels: &[],
        generation: store.generation(),
    })
}

type Emails = (Option<(SavedEmails, Vec<SavedName>)>, Vec<SavedEmail>);

fn load(store: &Store, account: &str) -> Emails {
    let mut emails = Vec::new();
    let saved = store.load_emails(account, &mut |email| emails.push(email));
    (saved.unwrap(), emails)
}

#[test]
fn a_file_of_an_exporter_without_emails_has_none_and_keeps_its_operations() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let operations = fill(&store, 5);
    assert_eq!(load(&store, ACCOUNT), (None, Vec::new()));
    assert!(!store.purge_emails(ACCOUNT, now()).unwrap());
    let (emails, names) = ([email(1), email(2)], [name("gmail", 1), name("other", 0)]);
    save(&store, &emails, &names).unwrap();
    drop(store);
    let store = open(directory.path());
    let saved = (Some((state(2), names.to_vec())), emails.to_vec());
    assert_eq!(load(&store, ACCOUNT), saved);
    assert_eq!(load(&store, "another"), (None, Vec::new()));
    assert_eq!(content(&store), operations);
    assert!(store.notices().is_empty());
}

#[test]
fn a_process_killed_after_a_commit_has_lost_no_email() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    fill(&store, 5);
    save(&store, &[email(1), email(2)], &[name("gmail", 1)]).unwrap();
    let killed = tempfile::tempdir().unwrap();
    fs::copy(directory.path().join(NAME), killed.path().join(NAME)).unwrap();
    let again = open(killed.path());
    assert_eq!(load(&again, ACCOUNT), load(&store, ACCOUNT));
    assert_eq!(content(&again), content(&store));
    assert_eq!(load(&again, ACCOUNT).1.len(), 2);
}

#[test]
fn a_later_state_of_an_email_replaces_the_earlier_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    save(&store, &[email(1)], &[name("gmail", 1)]).unwrap();
    let opened = SavedEmail {
        status: EmailStatus::Opened,
        ..email(1)
    };
    let more = SavedName {
        counts: vec![1, 4],
        ..name("gmail", 1)
    };
    save(&store, &[opened], std::slice::from_ref(&more)).unwrap();
    assert_eq!(
        load(&store, ACCOUNT),
        (Some((state(1), vec![more])), vec![opened])
    );
}

#[test]
fn a_record_that_no_version_writes_is_found_when_the_file_is_opened() {
    let email_table = redb::TableDefinition::<&[u8; 14], &[u8]>::new("emails/marketing");
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    save(&store, &[email(1)], &[]).unwrap();
    drop(store);
    let database = redb::Database::open(directory.path().join(NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(email_table).unwrap();
    table.insert(&[1; 14], &[9_u8][..]).unwrap();
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let store = open(directory.path());
    assert_eq!(load(&store, ACCOUNT), (None, Vec::new()));
    assert_eq!(
        (store.notices().len(), others(directory.path()).len()),
        (1, 1)
    );
}

#[test]
fn emails_are_not_saved_into_another_file_before_all_of_them_are_known_to_be_missing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    save(&store, &[email(1)], &[]).unwrap();
    fs::remove_file(directory.path().join(NAME)).unwrap();
    let lost = save(&store, &[email(2)], &[]).unwrap_err();
    assert!(matches!(lost, StoreError::Vanished { .. }), "{lost}");
    save(&store, &[email(1), email(2)], &[]).unwrap();
    assert_eq!(load(&store, ACCOUNT).1, [email(1), email(2)]);
}

#[test]
fn without_a_directory_nothing_is_saved_and_nothing_fails() {
    let store = Store::open(None, now()).unwrap();
    save(&store, &[email(1)], &[]).unwrap();
    assert_eq!(load(&store, ACCOUNT), (None, Vec::new()));
    assert!(!store.purge_emails(ACCOUNT, now()).unwrap());
}
