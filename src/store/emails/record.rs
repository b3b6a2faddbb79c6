//! The records of emails as bytes: a version, then numbers. Zeros are left out.

use super::saved::{NameKind, SavedEmail, SavedEmails, SavedName};
use crate::email::{EmailId, EmailStatus};
use crate::operation::CountingMode;
use crate::store::bytes::{Reader, Unreadable};
use crate::store::fields::{counts, push_counts};
use crate::timestamp::Timestamp;

/// The version of these records.
const RECORD: u8 = 1;
/// The most numbers of a record: the bits of the self-describing list.
const MOST_NUMBERS: usize = 63;

/// Writes an email into `out`, whose content is replaced. The id is the key.
pub(super) fn write_email(saved: &SavedEmail, out: &mut Vec<u8>) {
    let numbers = [
        u64::from(saved.status as u8),
        saved.operation,
        u64::from(saved.provider),
        u64::from(saved.recipient),
        u64::from(saved.sender),
        u64::from(saved.sent_at),
    ];
    write(out, &numbers);
}

/// Reads what [`write_email`] wrote.
pub(super) fn read_email(id: EmailId, bytes: &[u8]) -> Result<SavedEmail, Unreadable> {
    let [status, operation, provider, recipient, sender, sent_at] = read(bytes)?;
    let status = u8::try_from(status).ok().and_then(EmailStatus::from_index);
    Ok(SavedEmail {
        id,
        status: status.ok_or(Unreadable::Senseless)?,
        operation,
        provider: small(provider)?,
        recipient: small(recipient)?,
        sender: small(sender)?,
        sent_at: small(sent_at)?,
    })
}

/// Writes a name's number and counters. The kind and the name are the key.
pub(super) fn write_name(saved: &SavedName) -> Vec<u8> {
    let mut out = Vec::new();
    let before = [saved.number.into(), moment(saved.zero_until)];
    let counts = saved.counts.iter().copied();
    let counts = counts.take(MOST_NUMBERS - before.len());
    let numbers: Vec<u64> = before.into_iter().chain(counts).collect();
    write(&mut out, &numbers);
    out
}

/// Reads what [`write_name`] wrote.
pub(super) fn read_name(kind: NameKind, name: &str, bytes: &[u8]) -> Result<SavedName, Unreadable> {
    let [number, zero_until, counts @ ..] = read::<MOST_NUMBERS>(bytes)?;
    let used = counts
        .iter()
        .rposition(|count| *count > 0)
        .map_or(0, |last| last + 1);
    Ok(SavedName {
        kind,
        number: small(number)?,
        name: Box::from(name),
        zero_until: maybe(zero_until)?,
        counts: counts[..used].to_vec(),
    })
}

/// Writes the state of an account's emails. No time is before 1970.
pub(super) fn write_standing(saved: &SavedEmails) -> Vec<u8> {
    let mut out = Vec::new();
    let numbers = [
        moment(saved.born),
        millis(saved.expired_until),
        millis(saved.admitted_from),
        saved.inbound,
        moment(saved.read_range.map(|(from, _)| from)),
        moment(saved.read_range.map(|(_, until)| until)),
        saved.counting_mode.map_or(0, |mode| mode as u64 + 1),
    ];
    write(&mut out, &numbers);
    out
}

/// Reads what [`write_standing`] wrote.
pub(super) fn read_standing(bytes: &[u8]) -> Result<SavedEmails, Unreadable> {
    let [
        born,
        expired_until,
        admitted_from,
        inbound,
        read_from,
        read_until,
        counting_mode,
    ] = read(bytes)?;
    Ok(SavedEmails {
        born: maybe(born)?,
        expired_until: time(expired_until)?,
        admitted_from: time(admitted_from)?,
        inbound,
        read_range: maybe(read_from)?.zip(maybe(read_until)?),
        counting_mode: counting_mode.checked_sub(1).map(mode_at).transpose()?,
    })
}

/// A time as a number; no time is before 1970.
fn millis(time: Timestamp) -> u64 {
    time.as_millis().max(0).unsigned_abs()
}

/// A time as a number, 0 for `None`.
fn moment(time: Option<Timestamp>) -> u64 {
    time.map_or(0, |time| millis(time) + 1)
}

fn time(millis: u64) -> Result<Timestamp, Unreadable> {
    let millis = i64::try_from(millis).map_err(|_| Unreadable::Senseless)?;
    Ok(Timestamp::from_millis(millis))
}

/// Reads what [`moment`] wrote.
fn maybe(moment: u64) -> Result<Option<Timestamp>, Unreadable> {
    moment.checked_sub(1).map(time).transpose()
}

fn mode_at(index: u64) -> Result<CountingMode, Unreadable> {
    let mode = usize::try_from(index)
        .ok()
        .and_then(|index| CountingMode::ALL.get(index));
    mode.copied().ok_or(Unreadable::Senseless)
}

fn write(out: &mut Vec<u8>, numbers: &[u64]) {
    out.clear();
    out.push(RECORD);
    let numbers = numbers
        .iter()
        .map(|number| (*number > 0).then_some(*number));
    push_counts(out, numbers);
}

/// The numbers of a record. One that a later version added is left out.
fn read<const N: usize>(bytes: &[u8]) -> Result<[u64; N], Unreadable> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        RECORD => {}
        other => return Err(Unreadable::Version(other)),
    }
    let mut numbers = [0; N];
    counts(&mut reader, |place, number| {
        if let Some(slot) = numbers.get_mut(place) {
            *slot = number;
        }
        Ok(())
    })?;
    reader.end()?;
    Ok(numbers)
}

fn small<N: TryFrom<u64>>(number: u64) -> Result<N, Unreadable> {
    N::try_from(number).map_err(|_| Unreadable::Senseless)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: EmailId = EmailId::from_bytes([7; 14]);

    #[test]
    fn an_email_takes_few_bytes_and_numbers_of_a_later_version_are_left_out() {
        let email = SavedEmail {
            id: ID,
            status: EmailStatus::Sent,
            operation: (1 << 48) - 1,
            provider: 3,
            recipient: 9,
            sender: 1,
            sent_at: 1_775_370_000,
        };
        let mut bytes = Vec::new();
        write_email(&email, &mut bytes);
        assert!(bytes.len() <= 20, "{}", bytes.len());
        assert_eq!(read_email(ID, &bytes), Ok(email));
        write(&mut bytes, &[2, 7, 0, 0, 0, 0, 99]);
        assert_eq!(read_email(ID, &bytes).unwrap().operation, 7);
    }

    #[test]
    fn what_no_version_writes_is_an_error() {
        for (bytes, error) in [
            (&[][..], Unreadable::Short),
            (&[2, 0], Unreadable::Version(2)),
            (&[RECORD, 0, 0], Unreadable::Long),
            (&[RECORD, 1, 10], Unreadable::Senseless),
            (&[RECORD, 4, 0x80, 2], Unreadable::Senseless),
        ] {
            assert_eq!(read_email(ID, bytes), Err(error), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn records_round_trip(
            (status, operation, provider, recipient, sender, sent_at) in any::<(u8, u64, u8, u16, u16, u32)>(),
            (number, mut counts) in (any::<u16>(), prop::collection::vec(any::<u64>(), 0..61)),
            zero_until in prop::option::of(0_i64..=i64::MAX),
            (born, times, inbound) in (prop::option::of(0_i64..i64::MAX), [0_i64..=i64::MAX, 0_i64..=i64::MAX], any::<u64>()),
            counting_mode in prop::sample::select(vec![None, Some(CountingMode::Exclusive), Some(CountingMode::Cumulative)]),
        ) {
            let status = EmailStatus::from_index(status % 10).unwrap();
            let email = SavedEmail { id: ID, status, operation, provider, recipient, sender, sent_at };
            let mut bytes = Vec::new();
            write_email(&email, &mut bytes);
            prop_assert_eq!(read_email(ID, &bytes), Ok(email));
            while counts.last() == Some(&0) {
                counts.pop();
            }
            let zero_until = zero_until.map(Timestamp::from_millis);
            let name = SavedName { kind: NameKind::Provider, number, name: "x".into(), zero_until, counts };
            prop_assert_eq!(read_name(NameKind::Provider, "x", &write_name(&name)), Ok(name));
            let [expired_until, admitted_from] = times.map(Timestamp::from_millis);
            let read_range = zero_until.map(|from| (from, expired_until));
            let standing = SavedEmails { born: born.map(Timestamp::from_millis), expired_until, admitted_from, inbound, read_range, counting_mode };
            prop_assert_eq!(read_standing(&write_standing(&standing)), Ok(standing));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read_email(ID, &bytes);
            let _ = read_name(NameKind::SenderDomain, "x", &bytes);
            let _ = read_standing(&bytes);
        }
    }
}
