//! What is kept of an operation and of an account, as bytes.
//!
//! A record begins with its version. Times stand relative to one another and figures that are zero are
//! left out, so an operation of one email takes some thirty bytes: an account may have millions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bytes::{Reader, Unreadable, push, push_signed, push_text};
use super::{GroupKey, SavedAccount, SavedGroup, SavedOperation};
use crate::operation::{
    Counters, Marks, Operation, OperationId, OperationState, Outcome, Stats, Status, Word,
};
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// The version of the records that are written.
const RECORD: u8 = 1;
/// The version of an operation's record that goes on with labels: most have none.
const LABELLED: u8 = 2;
/// The version of a group's record that goes on with the time until which its counters are exposed as 0: most are not new.
const NEW_GROUP: u8 = 2;

/// In an operation's flags: the lowest three bits are the state, as its place in [`State::KNOWN`].
const STATE: u8 = 0b111;
/// A state that stands as a word.
const OTHER_STATE: u8 = 4;
const HAS_SIZE: u8 = 1 << 3;
const HAS_RECIPIENTS: u8 = 1 << 4;
const HAS_ATTEMPTS: u8 = 1 << 5;
const HAS_UPDATED: u8 = 1 << 6;
const HAS_UNKNOWN: u8 = 1 << 7;

/// In the flags behind a labelled record.
const HAS_TAGS: u8 = 1;

/// In an account's flags.
const CUMULATIVE_PROVEN: u8 = 1;
const HAS_DISCOVERED: u8 = 1 << 1;

/// Writes an operation over what `out` held; its id is the key and does not stand in it.
pub(super) fn write_operation(saved: &SavedOperation, out: &mut Vec<u8>) {
    let Operation {
        id,
        state,
        stats,
        created,
        updated,
    } = &saved.operation;
    out.clear();
    let is_labelled = !saved.credited.is_empty() || saved.tags.is_some();
    out.push(if is_labelled { LABELLED } else { RECORD });
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
    push_figures(out, &stats.emails);
    for figure in [stats.size, stats.recipients, stats.attempts]
        .into_iter()
        .flatten()
    {
        push(out, u64::from(figure));
    }
    if let Some(unknown) = &stats.unknown {
        push(out, unknown.len() as u64);
        for (word, figure) in unknown.iter() {
            push_text(out, word.as_str());
            push(out, u64::from(*figure));
        }
    }
    let [delivered, opened, undelivered, failed, canceled] = saved.marks.outcomes;
    push_figures(
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
    if is_labelled {
        out.push(flag(saved.tags.is_some(), HAS_TAGS));
        push_labels(out, &saved.credited);
        if let Some(tags) = &saved.tags {
            push_labels(out, tags);
        }
    }
}

/// Reads what [`write_operation`] wrote.
pub(super) fn read_operation(id: OperationId, bytes: &[u8]) -> Result<SavedOperation, Unreadable> {
    let mut reader = Reader::new(bytes);
    let is_labelled = match reader.byte()? {
        RECORD => false,
        LABELLED => true,
        other => return Err(Unreadable::Version(other)),
    };
    let flags = reader.byte()?;
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
    let emails = figures::<{ Status::ALL.len() }>(&mut reader)?;
    let mut figure = |flag| has(flag).then(|| reader.small()).transpose();
    let stats = Stats {
        emails,
        size: figure(HAS_SIZE)?,
        recipients: figure(HAS_RECIPIENTS)?,
        attempts: figure(HAS_ATTEMPTS)?,
        unknown: has(HAS_UNKNOWN).then(|| unknown(&mut reader)).transpose()?,
    };
    let [accepted, outcomes @ ..] = figures::<{ 1 + Outcome::ALL.len() }>(&mut reader)?;
    let (credited, tags) = if is_labelled {
        given_labels(&mut reader)?
    } else {
        (Labels::default(), None)
    };
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
        marks: Marks { accepted, outcomes },
        credited,
        tags,
    })
}

/// The groups an operation has given to, and its tags.
fn given_labels(reader: &mut Reader<'_>) -> Result<(Labels, Option<Labels>), Unreadable> {
    let has_tags = match reader.byte()? {
        0 => false,
        HAS_TAGS => true,
        _ => return Err(Unreadable::Senseless),
    };
    let credited = labels(reader)?;
    let tags = has_tags.then(|| labels(reader)).transpose()?;
    Ok((credited, tags))
}

/// Labels as bytes, as they are registered.
pub(super) fn write_labels(labels: &Labels) -> Vec<u8> {
    let mut out = vec![RECORD];
    push_labels(&mut out, labels);
    out
}

/// Reads what [`write_labels`] wrote.
pub(super) fn read_labels(bytes: &[u8]) -> Result<Labels, Unreadable> {
    let mut reader = Reader::new(bytes);
    version(&mut reader)?;
    let labels = labels(&mut reader)?;
    reader.end()?;
    Ok(labels)
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

/// Reads what [`write_group`] wrote. The first version knew no new groups: it exposed all counters as they were.
pub(super) fn read_group(key: GroupKey, bytes: &[u8]) -> Result<SavedGroup, Unreadable> {
    let mut reader = Reader::new(bytes);
    let is_new = match reader.byte()? {
        RECORD => false,
        NEW_GROUP => true,
        other => return Err(Unreadable::Version(other)),
    };
    let until = Timestamp::from_millis(reader.signed()?);
    let mut counters = Counters {
        accepted: reader.number()?,
        ..Counters::default()
    };
    for counter in &mut counters.outcomes {
        *counter = reader.number()?;
    }
    let zero_until = is_new.then(|| reader.signed()).transpose()?;
    reader.end()?;
    Ok(SavedGroup {
        key,
        counters,
        until,
        zero_until: zero_until.map(Timestamp::from_millis),
    })
}

fn push_labels(out: &mut Vec<u8>, labels: &Labels) {
    push(out, labels.len() as u64);
    for (name, value) in labels.iter() {
        push_text(out, name);
        push_text(out, value);
    }
}

fn labels(reader: &mut Reader<'_>) -> Result<Labels, Unreadable> {
    let count = reader.number()?;
    let mut labels = BTreeMap::new();
    for _ in 0..count {
        let name = reader.text()?.to_owned();
        labels.insert(name, reader.text()?.to_owned());
    }
    Ok(Arc::new(labels))
}

/// An account's standing as bytes.
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

/// Reads what [`write_account`] wrote.
pub(super) fn read_account(bytes: &[u8]) -> Result<SavedAccount, Unreadable> {
    let mut reader = Reader::new(bytes);
    version(&mut reader)?;
    let flags = reader.byte()?;
    if flags & !(CUMULATIVE_PROVEN | HAS_DISCOVERED) != 0 {
        return Err(Unreadable::Senseless);
    }
    let born = Timestamp::from_millis(reader.signed()?);
    let discovered_until = (flags & HAS_DISCOVERED != 0)
        .then(|| time(&mut reader, born))
        .transpose()?;
    let mut counters = Counters {
        accepted: reader.number()?,
        ..Counters::default()
    };
    for counter in &mut counters.outcomes {
        *counter = reader.number()?;
    }
    reader.end()?;
    let cumulative_proven = flags & CUMULATIVE_PROVEN != 0;
    Ok(SavedAccount {
        born,
        counters,
        cumulative_proven,
        discovered_until,
    })
}

fn version(reader: &mut Reader<'_>) -> Result<(), Unreadable> {
    match reader.byte()? {
        RECORD => Ok(()),
        other => Err(Unreadable::Version(other)),
    }
}

/// Wraps around, so that any two times will do.
fn push_time(out: &mut Vec<u8>, time: Timestamp, near: Timestamp) {
    push_signed(out, time.as_millis().wrapping_sub(near.as_millis()));
}

fn time(reader: &mut Reader<'_>, near: Timestamp) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_millis(
        near.as_millis().wrapping_add(reader.signed()?),
    ))
}

/// One bit for each figure that is not zero, then those.
fn push_figures<const N: usize>(out: &mut Vec<u8>, figures: &[u32; N]) {
    const { assert!(N <= 8, "one byte of bits") };
    let bits = figures
        .iter()
        .enumerate()
        .fold(0, |bits, (at, figure)| bits | u8::from(*figure != 0) << at);
    out.push(bits);
    for figure in figures.iter().filter(|figure| **figure != 0) {
        push(out, u64::from(*figure));
    }
}

fn figures<const N: usize>(reader: &mut Reader<'_>) -> Result<[u32; N], Unreadable> {
    let bits = reader.byte()?;
    if u32::from(bits) >> N != 0 {
        return Err(Unreadable::Senseless);
    }
    let mut figures = [0; N];
    for (at, figure) in figures.iter_mut().enumerate() {
        if bits >> at & 1 == 1 {
            *figure = reader.small()?;
        }
    }
    Ok(figures)
}

fn unknown(reader: &mut Reader<'_>) -> Result<Arc<[(Word, u32)]>, Unreadable> {
    // Grows as the words are read: the count is not to be believed.
    let count = reader.number()?;
    let mut unknown = Vec::new();
    for _ in 0..count {
        unknown.push((word(reader)?, reader.small()?));
    }
    Ok(unknown.into())
}

fn word(reader: &mut Reader<'_>) -> Result<Word, Unreadable> {
    let text = reader.text()?;
    let word = Word::new(text);
    // The first version also kept words with spaces. They are not shown any more.
    let was_fit = || text.contains(' ') && !is_unreadable(&Word::new(&text.replace(' ', "_")));
    if word.as_str() == text || was_fit() {
        Ok(word)
    } else {
        Err(Unreadable::Senseless)
    }
}

fn is_unreadable(word: &Word) -> bool {
    word.as_str() == Word::UNREADABLE
}
