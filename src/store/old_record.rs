//! Records of formats 1 to 3. They stay in the file until the operation, group or account that they describe changes, so this code
//! reads them.

use super::bytes::{Reader, Unreadable};
use super::fields::{labels, time, unknown, word};
use super::{GroupKey, SavedAccount, SavedGroup, SavedOperation};
use crate::operation::{
    Counters, Marks, Operation, OperationId, OperationState, Outcome, Stats, Status,
};
use crate::snapshot::Labels;
use crate::timestamp::Timestamp;

/// The version of most records.
pub(super) const FIRST: u8 = 1;
/// The version of an operation's record that ends with labels, and of a group's record that ends with the time until which its counters
/// are exposed as 0.
pub(super) const LONGER: u8 = 2;

/// How many statuses and outcomes there were.
const STATUSES: [Status; 8] = [
    Status::Scheduled,
    Status::Queued,
    Status::Sent,
    Status::Delivered,
    Status::Opened,
    Status::Undelivered,
    Status::Failed,
    Status::Canceled,
];
const OUTCOMES: [Outcome; 5] = [
    Outcome::Delivered,
    Outcome::Opened,
    Outcome::Undelivered,
    Outcome::Failed,
    Outcome::Canceled,
];

/// In an operation's flags: the lowest three bits are the state, as its place in [`OperationState::KNOWN`].
const STATE: u8 = 0b111;
/// The state is a word.
const OTHER_STATE: u8 = 4;
const HAS_SIZE: u8 = 1 << 3;
const HAS_RECIPIENTS: u8 = 1 << 4;
const HAS_ATTEMPTS: u8 = 1 << 5;
const HAS_UPDATED: u8 = 1 << 6;
const HAS_UNKNOWN: u8 = 1 << 7;

/// In the flags before the labels of a record.
const HAS_TAGS: u8 = 1;

/// In an account's flags.
const CUMULATIVE_PROVEN: u8 = 1;
const HAS_DISCOVERED: u8 = 1 << 1;

/// The rest of the record of an operation, after its version.
pub(super) fn operation(
    id: OperationId,
    version: u8,
    mut reader: Reader<'_>,
) -> Result<SavedOperation, Unreadable> {
    let is_labeled = version == LONGER;
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
    let emails = counts::<{ STATUSES.len() }>(&mut reader)?;
    let mut count = |flag| has(flag).then(|| reader.small()).transpose();
    let mut stats = Stats {
        size: count(HAS_SIZE)?,
        recipients: count(HAS_RECIPIENTS)?,
        attempts: count(HAS_ATTEMPTS)?,
        unknown: has(HAS_UNKNOWN).then(|| unknown(&mut reader)).transpose()?,
        ..Stats::default()
    };
    for (status, emails) in STATUSES.into_iter().zip(emails) {
        stats.set(status, emails);
    }
    let [accepted, outcomes @ ..] = counts::<{ 1 + OUTCOMES.len() }>(&mut reader)?;
    let mut marks = Marks {
        accepted,
        ..Marks::default()
    };
    for (outcome, mark) in OUTCOMES.into_iter().zip(outcomes) {
        marks.outcomes[outcome as usize] = mark;
    }
    let (credited, tags) = if is_labeled {
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
        marks,
        credited,
        tags,
        scheduled_for: None,
    })
}

/// The groups whose counters include an operation, and its tags.
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

/// The rest of the record of a group, after its version.
pub(super) fn group(
    key: GroupKey,
    version: u8,
    mut reader: Reader<'_>,
) -> Result<SavedGroup, Unreadable> {
    let until = Timestamp::from_millis(reader.signed()?);
    let counters = counters(&mut reader)?;
    // The first version had no new groups: it exposed all counters as they were.
    let zero_until = (version == LONGER).then(|| reader.signed()).transpose()?;
    reader.end()?;
    Ok(SavedGroup {
        key,
        counters,
        until,
        zero_until: zero_until.map(Timestamp::from_millis),
    })
}

/// The rest of the record of an account, after its version.
pub(super) fn account(mut reader: Reader<'_>) -> Result<SavedAccount, Unreadable> {
    let flags = reader.byte()?;
    if flags & !(CUMULATIVE_PROVEN | HAS_DISCOVERED) != 0 {
        return Err(Unreadable::Senseless);
    }
    let born = Timestamp::from_millis(reader.signed()?);
    let discovered_until = (flags & HAS_DISCOVERED != 0)
        .then(|| time(&mut reader, born))
        .transpose()?;
    let counters = counters(&mut reader)?;
    reader.end()?;
    Ok(SavedAccount {
        born,
        counters,
        cumulative_proven: flags & CUMULATIVE_PROVEN != 0,
        discovered_until,
    })
}

fn counters(reader: &mut Reader<'_>) -> Result<Counters, Unreadable> {
    let mut counters = Counters {
        accepted: reader.number()?,
        ..Counters::default()
    };
    for outcome in OUTCOMES {
        counters.outcomes[outcome as usize] = reader.number()?;
    }
    Ok(counters)
}

fn counts<const N: usize>(reader: &mut Reader<'_>) -> Result<[u32; N], Unreadable> {
    let bits = reader.byte()?;
    if u32::from(bits) >> N != 0 {
        return Err(Unreadable::Senseless);
    }
    let mut counts = [0; N];
    for (at, count) in counts.iter_mut().enumerate() {
        if bits >> at & 1 == 1 {
            *count = reader.small()?;
        }
    }
    Ok(counts)
}
