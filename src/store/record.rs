//! The records of operations, groups and accounts, as bytes.
//!
//! A record begins with its version. Times are relative to one another and counts of zero are
//! left out. So an operation of one email takes about thirty bytes: an account may have millions.

use super::bytes::{Reader, Unreadable, push, push_signed, push_text};
use super::fields::{
    counts, labels, push_counts, push_labels, push_time, small, time, unknown, word,
};
use super::{GroupKey, SavedAccount, SavedGroup, SavedOperation, old_record};
use crate::operation::{
    Counters, Marks, Operation, OperationId, OperationState, Outcome, Stat, Stats,
};
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// The version of the records that are written. Records of registered labels still have the first version.
const RECORD: u8 = 3;

/// In an operation's flags: the lowest three bits are the state, as its place in [`OperationState::KNOWN`].
const STATE: u8 = 0b111;
/// The state is a word.
const OTHER_STATE: u8 = 4;
const HAS_UPDATED: u8 = 1 << 3;
const HAS_UNKNOWN: u8 = 1 << 4;
const HAS_CREDITED: u8 = 1 << 5;
const HAS_TAGS: u8 = 1 << 6;
/// Another byte of flags follows.
const MORE_FLAGS: u8 = 1 << 7;

/// In the second byte of flags, which is only there if it is not 0.
const HAS_SCHEDULE: u8 = 1;

/// In an account's flags.
const CUMULATIVE_PROVEN: u8 = 1;
const HAS_DISCOVERED: u8 = 1 << 1;

/// In a group's flags.
const HAS_ZERO_UNTIL: u8 = 1;

/// Writes an operation into `out`, whose content is replaced. The id is the key and not part of it.
pub(super) fn write_operation(saved: &SavedOperation, out: &mut Vec<u8>) {
    let Operation {
        id,
        state,
        stats,
        created,
        updated,
    } = &saved.operation;
    out.clear();
    out.push(RECORD);
    let known = OperationState::KNOWN
        .iter()
        .position(|known| known == state);
    let state_bits = known
        .and_then(|at| u8::try_from(at).ok())
        .unwrap_or(OTHER_STATE);
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    out.push(
        state_bits
            | flag(updated.is_some(), HAS_UPDATED)
            | flag(stats.unknown.is_some(), HAS_UNKNOWN)
            | flag(!saved.credited.is_empty(), HAS_CREDITED)
            | flag(saved.tags.is_some(), HAS_TAGS)
            | flag(saved.scheduled_for.is_some(), MORE_FLAGS),
    );
    if saved.scheduled_for.is_some() {
        out.push(HAS_SCHEDULE);
    }
    if state_bits == OTHER_STATE {
        push_text(out, state.as_str());
    }
    push_time(out, *created, id.created());
    if let Some(updated) = updated {
        push_time(out, *updated, *created);
    }
    push_time(out, saved.last_success, *created);
    push_time(out, saved.last_change, saved.last_success);
    let known = Stat::ALL.into_iter();
    push_counts(out, known.map(|stat| stats.count(stat).map(u64::from)));
    if let Some(unknown) = &stats.unknown {
        push(out, unknown.len() as u64);
        for (word, count) in unknown.iter() {
            push_text(out, word.as_str());
            push(out, u64::from(*count));
        }
    }
    let Marks { accepted, outcomes } = saved.marks;
    let outcomes = Outcome::ALL.map(|outcome| outcomes[outcome as usize]);
    let marks = std::iter::once(accepted).chain(outcomes);
    push_counts(out, marks.map(|mark| (mark > 0).then_some(u64::from(mark))));
    if !saved.credited.is_empty() {
        push_labels(out, &saved.credited);
    }
    if let Some(tags) = &saved.tags {
        push_labels(out, tags);
    }
    if let Some(time) = saved.scheduled_for {
        push_time(out, time, *created);
    }
}

/// Reads what [`write_operation`] wrote, in this format or an older one.
pub(super) fn read_operation(id: OperationId, bytes: &[u8]) -> Result<SavedOperation, Unreadable> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        RECORD => {}
        old @ (old_record::FIRST | old_record::LONGER) => {
            return old_record::operation(id, old, reader);
        }
        other => return Err(Unreadable::Version(other)),
    }
    let flags = reader.byte()?;
    if flags & MORE_FLAGS != 0 && reader.byte()? != HAS_SCHEDULE {
        return Err(Unreadable::Senseless);
    }
    let state = match flags & STATE {
        OTHER_STATE => OperationState::Other(word(&mut reader)?),
        known => OperationState::KNOWN
            .get(usize::from(known))
            .cloned()
            .ok_or(Unreadable::Senseless)?,
    };
    let has = |flag| flags & flag != 0;
    let created = time(&mut reader, id.created())?;
    let updated = has(HAS_UPDATED)
        .then(|| time(&mut reader, created))
        .transpose()?;
    let last_success = time(&mut reader, created)?;
    let last_change = time(&mut reader, last_success)?;
    let mut stats = Stats::default();
    counts(&mut reader, |place, count| {
        // A stat of a later version can be left out: Twilio returns it again.
        if let Some(stat) = Stat::ALL.get(place) {
            stats.set_count(*stat, small(count)?);
        }
        Ok(())
    })?;
    stats.unknown = has(HAS_UNKNOWN).then(|| unknown(&mut reader)).transpose()?;
    let mut marks = Marks::default();
    counts(&mut reader, |place, mark| {
        *number_at(&mut marks.accepted, &mut marks.outcomes, place)? = small(mark)?;
        Ok(())
    })?;
    let mut given = |flag| has(flag).then(|| labels(&mut reader)).transpose();
    let (credited, tags) = (given(HAS_CREDITED)?, given(HAS_TAGS)?);
    let scheduled_for = has(MORE_FLAGS)
        .then(|| time(&mut reader, created))
        .transpose()?;
    reader.end()?;
    Ok(SavedOperation {
        operation: Operation {
            id,
            state,
            stats,
            created,
            updated,
        },
        last_success,
        last_change,
        marks,
        credited: credited.unwrap_or_default(),
        tags,
        scheduled_for,
    })
}

/// The counter at `place` in a list of accepted emails and outcomes. A number that is left out would be counted again,
/// so a version with more of them must raise the format.
fn number_at<'a, N>(
    accepted: &'a mut N,
    outcomes: &'a mut [N; Outcome::ALL.len()],
    place: usize,
) -> Result<&'a mut N, Unreadable> {
    match place.checked_sub(1) {
        None => Ok(accepted),
        Some(place) => {
            let outcome = Outcome::ALL.get(place).ok_or(Unreadable::Senseless)?;
            Ok(&mut outcomes[*outcome as usize])
        }
    }
}

/// Labels as bytes, as they are registered.
pub(super) fn write_labels(labels: &Labels) -> Vec<u8> {
    let mut out = vec![old_record::FIRST];
    push_labels(&mut out, labels);
    out
}

/// Reads what [`write_labels`] wrote.
pub(super) fn read_labels(bytes: &[u8]) -> Result<Labels, Unreadable> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        old_record::FIRST => {}
        other => return Err(Unreadable::Version(other)),
    }
    let labels = labels(&mut reader)?;
    reader.end()?;
    Ok(labels)
}

/// A group as bytes; its label and value are the key.
pub(super) fn write_group(saved: &SavedGroup) -> Vec<u8> {
    let flags = saved.zero_until.map_or(0, |_| HAS_ZERO_UNTIL);
    let mut out = vec![RECORD, flags];
    push_signed(&mut out, saved.until.as_millis());
    push_counters(&mut out, &saved.counters);
    if let Some(until) = saved.zero_until {
        push_signed(&mut out, until.as_millis());
    }
    out
}

/// Reads what [`write_group`] wrote, in this format or an older one.
pub(super) fn read_group(key: GroupKey, bytes: &[u8]) -> Result<SavedGroup, Unreadable> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        RECORD => {}
        old @ (old_record::FIRST | old_record::LONGER) => {
            return old_record::group(key, old, reader);
        }
        other => return Err(Unreadable::Version(other)),
    }
    let has_zero_until = match reader.byte()? {
        0 => false,
        HAS_ZERO_UNTIL => true,
        _ => return Err(Unreadable::Senseless),
    };
    let until = Timestamp::from_millis(reader.signed()?);
    let counters = read_counters(&mut reader)?;
    let zero_until = has_zero_until.then(|| reader.signed()).transpose()?;
    reader.end()?;
    Ok(SavedGroup {
        key,
        counters,
        until,
        zero_until: zero_until.map(Timestamp::from_millis),
    })
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
    push_counters(&mut out, &saved.counters);
    out
}

/// Reads what [`write_account`] wrote, in this format or an older one.
pub(super) fn read_account(bytes: &[u8]) -> Result<SavedAccount, Unreadable> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        RECORD => {}
        old_record::FIRST => return old_record::account(reader),
        other => return Err(Unreadable::Version(other)),
    }
    let flags = reader.byte()?;
    if flags & !(CUMULATIVE_PROVEN | HAS_DISCOVERED) != 0 {
        return Err(Unreadable::Senseless);
    }
    let born = Timestamp::from_millis(reader.signed()?);
    let discovered_until = (flags & HAS_DISCOVERED != 0)
        .then(|| time(&mut reader, born))
        .transpose()?;
    let counters = read_counters(&mut reader)?;
    reader.end()?;
    Ok(SavedAccount {
        born,
        counters,
        cumulative_proven: flags & CUMULATIVE_PROVEN != 0,
        discovered_until,
    })
}

fn push_counters(out: &mut Vec<u8>, counters: &Counters) {
    let outcomes = Outcome::ALL.map(|outcome| counters.outcomes[outcome as usize]);
    let all = std::iter::once(counters.accepted).chain(outcomes);
    push_counts(out, all.map(|count| (count > 0).then_some(count)));
}

fn read_counters(reader: &mut Reader<'_>) -> Result<Counters, Unreadable> {
    let mut counters = Counters::default();
    counts(reader, |place, count| {
        *number_at(&mut counters.accepted, &mut counters.outcomes, place)? = count;
        Ok(())
    })?;
    Ok(counters)
}
