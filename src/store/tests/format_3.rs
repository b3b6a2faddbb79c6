//! The encoder of format 3, a frozen copy. Such files exist, so never change it.

use proptest::prelude::*;

use super::content::{any_saved, any_standing};
use super::*;
use crate::operation::{OperationState, Stat};
use crate::store::bytes::{push, push_signed, push_text};
use crate::store::record::{read_account, read_group, read_operation};

const RECORD: u8 = 1;
const LABELED: u8 = 2;
const NEW_GROUP: u8 = 2;
const OTHER_STATE: u8 = 4;
const HAS_SIZE: u8 = 1 << 3;
const HAS_RECIPIENTS: u8 = 1 << 4;
const HAS_ATTEMPTS: u8 = 1 << 5;
const HAS_UPDATED: u8 = 1 << 6;
const HAS_UNKNOWN: u8 = 1 << 7;
const HAS_TAGS: u8 = 1;
const CUMULATIVE_PROVEN: u8 = 1;
const HAS_DISCOVERED: u8 = 1 << 1;

/// Writes an operation to `out`, replacing its content. The id is the key and is not part of it.
pub(super) fn write_operation(saved: &SavedOperation, out: &mut Vec<u8>) {
    let Operation {
        id,
        state,
        stats,
        created,
        updated,
    } = &saved.operation;
    out.clear();
    let is_labeled = !saved.credited.is_empty() || saved.tags.is_some();
    out.push(if is_labeled { LABELED } else { RECORD });
    let known = OperationState::KNOWN
        .iter()
        .position(|known| known == state);
    let state_bits = known
        .and_then(|at| u8::try_from(at).ok())
        .unwrap_or(OTHER_STATE);
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    out.push(
        state_bits
            | flag(stats.size.is_some(), HAS_SIZE)
            | flag(stats.recipients.is_some(), HAS_RECIPIENTS)
            | flag(stats.attempts.is_some(), HAS_ATTEMPTS)
            | flag(updated.is_some(), HAS_UPDATED)
            | flag(stats.unknown.is_some(), HAS_UNKNOWN),
    );
    if state_bits == OTHER_STATE {
        push_text(out, state.as_str());
    }
    push_time(out, *created, id.created());
    if let Some(updated) = updated {
        push_time(out, *updated, *created);
    }
    push_time(out, saved.last_success, *created);
    push_time(out, saved.last_change, saved.last_success);
    push_counts(out, &stats.emails);
    for count in [stats.size, stats.recipients, stats.attempts]
        .into_iter()
        .flatten()
    {
        push(out, u64::from(count));
    }
    if let Some(unknown) = &stats.unknown {
        push(out, unknown.len() as u64);
        for (word, count) in unknown.iter() {
            push_text(out, word.as_str());
            push(out, u64::from(*count));
        }
    }
    let [delivered, opened, undelivered, failed, canceled] = saved.marks.outcomes;
    push_counts(
        out,
        &[
            saved.marks.accepted,
            delivered,
            opened,
            undelivered,
            failed,
            canceled,
        ],
    );
    if is_labeled {
        out.push(flag(saved.tags.is_some(), HAS_TAGS));
        push_labels(out, &saved.credited);
        if let Some(tags) = &saved.tags {
            push_labels(out, tags);
        }
    }
}

/// A group as bytes; its label and value are the key.
pub(super) fn write_group(saved: &SavedGroup) -> Vec<u8> {
    let version = saved.zero_until.map_or(RECORD, |_| NEW_GROUP);
    let mut out = vec![version];
    push_signed(&mut out, saved.until.as_millis());
    push(&mut out, saved.counters.accepted);
    for counter in saved.counters.outcomes {
        push(&mut out, counter);
    }
    if let Some(until) = saved.zero_until {
        push_signed(&mut out, until.as_millis());
    }
    out
}

fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    push(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        push_text(out, name);
        push_text(out, value);
    }
}

/// An account's saved state as bytes.
pub(super) fn write_account(saved: &SavedAccount) -> Vec<u8> {
    let mut flags = if saved.cumulative_proven {
        CUMULATIVE_PROVEN
    } else {
        0
    };
    if saved.discovered_until.is_some() {
        flags |= HAS_DISCOVERED;
    }
    let mut out = vec![RECORD, flags];
    push_signed(&mut out, saved.born.as_millis());
    if let Some(until) = saved.discovered_until {
        push_time(&mut out, until, saved.born);
    }
    push(&mut out, saved.counters.accepted);
    for counter in saved.counters.outcomes {
        push(&mut out, counter);
    }
    out
}

/// Wraps around, so that any two times are possible.
fn push_time(out: &mut Vec<u8>, time: Timestamp, near: Timestamp) {
    push_signed(out, time.as_millis().wrapping_sub(near.as_millis()));
}

/// One bit for each count that is not zero, then these counts.
fn push_counts<const N: usize>(out: &mut Vec<u8>, counts: &[u32; N]) {
    const { assert!(N <= 8, "one byte of bits") };
    let bits = counts
        .iter()
        .enumerate()
        .fold(0, |bits, (at, count)| bits | u8::from(*count != 0) << at);
    out.push(bits);
    for count in counts.iter().filter(|count| **count != 0) {
        push(out, u64::from(*count));
    }
}

/// The stats without those that were added to the table after format 3.
fn only_format_3(stats: &Stats) -> Stats {
    let mut old = Stats {
        unknown: stats.unknown.clone(),
        ..Stats::default()
    };
    for stat in Stat::ALL.into_iter().take(11) {
        if let Some(count) = stats.count(stat) {
            old.set_count(stat, count);
        }
    }
    old
}

proptest! {
    #[test]
    fn every_operation_of_format_3_is_read(mut saved in any_saved()) {
        saved.operation.stats = only_format_3(&saved.operation.stats);
        saved.scheduled_for = None;
        let mut bytes = Vec::new();
        write_operation(&saved, &mut bytes);
        prop_assert_eq!(read_operation(saved.operation.id, &bytes), Ok(saved));
    }

    #[test]
    fn every_account_of_format_3_is_read(saved in any_standing()) {
        prop_assert_eq!(read_account(&write_account(&saved)), Ok(saved));
    }

    #[test]
    fn every_group_of_format_3_is_read(counters in proptest::array::uniform6(any::<u64>()), until: i64, zero_until: Option<i64>) {
        let [accepted, outcomes @ ..] = counters;
        let saved = SavedGroup {
            key: GroupKey::new("campaign", "spring"),
            counters: Counters { accepted, outcomes },
            until: Timestamp::from_millis(until),
            zero_until: zero_until.map(Timestamp::from_millis),
        };
        prop_assert_eq!(read_group(saved.key.clone(), &write_group(&saved)), Ok(saved));
    }
}

/// Records as bytes, so that the frozen encoder itself cannot change unnoticed.
#[test]
fn records_of_format_3_have_these_bytes() {
    let mut saved = saved(7, 3);
    let mut bytes = Vec::new();
    write_operation(&saved, &mut bytes);
    let plain = [
        1, 89, 0, 0, 128, 148, 168, 250, 169, 6, 255, 147, 168, 250, 169, 6, 8, 3, 4, 4, 3, 4, 3,
    ];
    assert_eq!(bytes, plain);
    saved.credited = Arc::new([("a".to_owned(), "b".to_owned())].into());
    write_operation(&saved, &mut bytes);
    assert_eq!(bytes[0], 2);
    assert_eq!(bytes[plain.len()..], [0, 1, 1, b'a', 1, b'b']);
}

#[test]
fn a_file_of_format_3_is_upgraded_and_loses_nothing() {
    const ACCOUNTS: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("accounts");
    let directory = tempfile::tempdir().unwrap();
    let mut operations: Vec<_> = (0..50).map(|number| saved(number, number)).collect();
    operations[3].tags = Some(Arc::new([("team".to_owned(), "blue".to_owned())].into()));
    let kept = (Some(standing(9)), operations);
    let store = open(directory.path());
    let written = store.write(None, |transaction| {
        let name = format!("operations/{ACCOUNT}");
        let table = redb::TableDefinition::<&[u8; 23], &[u8]>::new(&name);
        let mut table = transaction.open_table(table)?;
        let mut bytes = Vec::new();
        for saved in &kept.1 {
            write_operation(saved, &mut bytes);
            table.insert(&saved.operation.id.to_bytes(), &*bytes)?;
        }
        let account = write_account(&standing(9));
        transaction
            .open_table(ACCOUNTS)?
            .insert(ACCOUNT, &*account)?;
        tables::set_format(transaction, 3)
    });
    written.unwrap();
    drop(store);
    let store = open(directory.path());
    let [notice] = store.notices() else {
        panic!("{:?}", store.notices());
    };
    assert!(
        notice.ends_with("was upgraded from format 3 to 4"),
        "{notice}"
    );
    assert_eq!(content(&store), kept);
    // Old records and new ones side by side.
    let changed = (kept.0, vec![saved(3, 77)]);
    commit(&store, &changed).unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.notices(), [""; 0]);
    let mut all = kept.1;
    all[3] = saved(3, 77);
    assert_eq!(content(&store), (changed.0, all));
}

/// A stat that a later version adds at the end of the table needs no new record.
#[test]
fn a_stat_of_a_later_version_is_ignored_and_affects_no_other_value() {
    let saved = saved(7, 3);
    let mut bytes = Vec::new();
    crate::store::record::write_operation(&saved, &mut bytes);
    let at = bytes.len() - 7;
    let (before, stats_and_marks) = bytes.split_at(at);
    assert_eq!(stats_and_marks, [0b111, 3, 4, 4, 0b11, 4, 3], "{bytes:?}");
    // The next stat is 99: one bit more, and its count after the others.
    let mut bits = Vec::new();
    push(&mut bits, 0b111 | 1 << Stat::ALL.len());
    let later = [before, &bits, &[3, 4, 4, 99, 0b11, 4, 3]].concat();
    assert_eq!(
        read_operation(saved.operation.id, &later),
        Ok(saved.clone())
    );
    // A mark must not be left out, because it would be counted again.
    let later = [before, &[0b111, 3, 4, 4, 0b100_0011, 4, 3, 99]].concat();
    assert!(read_operation(saved.operation.id, &later).is_err());
    let flags = [&[bytes[0], bytes[1] | 1 << 7], &bytes[2..]].concat();
    assert!(read_operation(saved.operation.id, &flags).is_err());
}
