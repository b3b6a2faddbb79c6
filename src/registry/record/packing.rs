//! A record in few bytes, for the many operations that do not change: a third of its size in memory.
//!
//! Each value is written as its difference from its most likely value, so that most take one byte.

use super::{LENGTH_OF_MOST_IDS, Moment, Record, UPDATED};
use crate::operation::{Marks, OperationId, Outcome, Stat, Status};
use crate::store::bytes::{Reader, Unreadable, push, push_signed};
use crate::timestamp::Timestamp;

/// In the first byte, beside the record's own flags: the last attempt to read it failed.
const FAILED: u8 = 1 << 6;
/// Its id is longer than most.
const LONG_ID: u8 = 1 << 7;

/// The bytes of an id of 26 characters, 5 bits each.
const SHORT_ID: usize = (LENGTH_OF_MOST_IDS as usize * 5).div_ceil(8);

impl Record {
    /// Appends the record to `out`. It was read near `base`.
    pub(in crate::registry) fn pack(&self, base: Timestamp, out: &mut Vec<u8>) {
        let id = self.id.to_bytes();
        let [bits @ .., length] = id;
        let is_long = length != LENGTH_OF_MOST_IDS;
        let flag = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
        let more = flag(FAILED, self.failed) | flag(LONG_ID, is_long);
        out.extend([self.flags | more, self.state, self.returned]);
        if is_long {
            out.extend(id);
        } else {
            out.extend_from_slice(&bits[..SHORT_ID]);
        }
        push_time(out, self.created, self.id.created());
        if self.has(UPDATED) {
            push_time(out, self.updated, self.created());
        }
        push_time(out, self.last_success, base);
        push_time(out, self.last_change, self.likely_change());
        push_counts(out, self.emails.into_iter().zip([0; Status::ALL.len()]));
        let [first, rest @ ..] = self.quantities;
        push(out, u64::from(first));
        for quantity in rest {
            push_signed(out, i64::from(quantity) - i64::from(first));
        }
        let marks = numbers(self.marks).into_iter();
        push_counts(out, marks.zip(numbers(self.likely_marks())));
    }

    /// Reads what [`Self::pack`] wrote.
    pub(in crate::registry) fn unpack(
        reader: &mut Reader<'_>,
        base: Timestamp,
    ) -> Result<Self, Unreadable> {
        let (flags, state, returned) = (reader.byte()?, reader.byte()?, reader.byte()?);
        let id = id(reader, flags)?;
        let created = time(reader, id.created())?;
        let mut record = Self {
            id,
            state,
            flags: flags & !(FAILED | LONG_ID),
            returned,
            failed: flags & FAILED != 0,
            created,
            updated: Moment::of(Timestamp::default()),
            last_success: created,
            last_change: created,
            emails: [0; Status::ALL.len()],
            quantities: [0; Stat::QUANTITIES.len()],
            marks: Marks::default(),
        };
        if record.has(UPDATED) {
            record.updated = time(reader, created.get())?;
        }
        record.last_success = time(reader, base)?;
        record.last_change = time(reader, record.likely_change())?;
        counts(reader, &mut record.emails)?;
        let first = reader.small()?;
        for quantity in &mut record.quantities {
            *quantity = first;
        }
        for quantity in record.quantities.iter_mut().skip(1) {
            *quantity = near(first, reader.signed()?)?;
        }
        let mut marks = numbers(record.likely_marks());
        counts(reader, &mut marks)?;
        let [accepted, outcomes @ ..] = marks;
        record.marks = Marks { accepted, outcomes };
        Ok(record)
    }

    /// Reads the id of a record that [`Self::pack`] wrote.
    pub(in crate::registry) fn unpack_id(
        reader: &mut Reader<'_>,
    ) -> Result<OperationId, Unreadable> {
        let (flags, _, _) = (reader.byte()?, reader.byte()?, reader.byte()?);
        id(reader, flags)
    }

    /// Marks a packed record: the last attempt to read it failed.
    pub(in crate::registry) fn set_failed(packed: &mut u8) {
        *packed |= FAILED;
    }

    /// Twilio's time of the last change, if it returned one.
    fn likely_change(&self) -> Timestamp {
        if self.has(UPDATED) {
            self.updated.get()
        } else {
            self.last_success()
        }
    }

    /// The marks of an operation whose counts never decreased, where each email has one status.
    fn likely_marks(&self) -> Marks {
        let at = |status| self.emails[status as usize];
        let reached = at(Status::Delivered).saturating_add(at(Status::Opened));
        let mut marks = Marks {
            accepted: self.quantities[super::SIZE],
            ..Marks::default()
        };
        for (outcome, count) in [
            (Outcome::Delivered, reached),
            (Outcome::Opened, at(Status::Opened)),
            (Outcome::Undelivered, at(Status::Undelivered)),
            (Outcome::Failed, at(Status::Failed)),
            (Outcome::Canceled, at(Status::Canceled)),
        ] {
            marks.outcomes[outcome as usize] = count;
        }
        marks
    }
}

fn id(reader: &mut Reader<'_>, flags: u8) -> Result<OperationId, Unreadable> {
    let mut bytes = [0; OperationId::BYTES];
    if flags & LONG_ID == 0 {
        let [bits @ .., length] = &mut bytes;
        bits[..SHORT_ID].copy_from_slice(reader.bytes(SHORT_ID)?);
        *length = LENGTH_OF_MOST_IDS;
    } else {
        bytes.copy_from_slice(reader.bytes(OperationId::BYTES)?);
    }
    OperationId::from_bytes(bytes).ok_or(Unreadable::Senseless)
}

fn push_time(out: &mut Vec<u8>, moment: Moment, near: Timestamp) {
    push_signed(out, moment.get().as_millis() - near.as_millis());
}

fn time(reader: &mut Reader<'_>, near: Timestamp) -> Result<Moment, Unreadable> {
    let millis = near.as_millis().wrapping_add(reader.signed()?);
    Ok(Moment::of(Timestamp::from_millis(millis)))
}

/// Appends a bit for each count that is not as expected, then the differences.
fn push_counts(out: &mut Vec<u8>, counts: impl Iterator<Item = (u32, u32)> + Clone) {
    let differences = counts.map(|(count, expected)| i64::from(count) - i64::from(expected));
    let is_set = |(at, difference): (usize, i64)| u64::from(difference != 0) << at;
    push(out, differences.clone().enumerate().map(is_set).sum());
    for difference in differences.filter(|difference| *difference != 0) {
        push_signed(out, difference);
    }
}

/// Reads what [`push_counts`] wrote into the expected counts.
fn counts(reader: &mut Reader<'_>, counts: &mut [u32]) -> Result<(), Unreadable> {
    let bits = reader.number()?;
    for (at, count) in counts.iter_mut().enumerate() {
        if bits >> at & 1 == 1 {
            *count = near(*count, reader.signed()?)?;
        }
    }
    Ok(())
}

fn near(count: u32, difference: i64) -> Result<u32, Unreadable> {
    let count = i64::from(count).wrapping_add(difference);
    u32::try_from(count).map_err(|_| Unreadable::Senseless)
}

fn numbers(marks: Marks) -> [u32; 1 + Outcome::ALL.len()] {
    let mut numbers = [marks.accepted; 1 + Outcome::ALL.len()];
    numbers[1..].copy_from_slice(&marks.outcomes);
    numbers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_count()(count in prop_oneof![Just(0_u32), 1..200_u32, any::<u32>()]) -> u32 {
            count
        }
    }

    prop_compose! {
        fn any_moment()(millis in prop_oneof![Just(0_i64), 1_775_370_000_000..1_775_380_000_000_i64, 0..=Moment::LATEST]) -> Moment {
            Moment::of(Timestamp::from_millis(millis))
        }
    }

    prop_compose! {
        fn any_record()(
            ulid in "[0-7][0-9a-hjkmnp-tv-z]{25,34}",
            (state, flags, returned, failed) in (any::<u8>(), 0..8_u8, 0..8_u8, any::<bool>()),
            [created, updated, last_success, last_change] in prop::array::uniform4(any_moment()),
            emails in prop::array::uniform8(any_count()),
            quantities in prop::array::uniform3(any_count()),
            marks in prop::option::of(prop::array::uniform6(any_count())),
        ) -> Record {
            let mut record = Record {
                id: format!("comms_operation_{ulid}").parse().unwrap(),
                state, flags, returned, failed, created, updated, last_success, last_change, emails, quantities,
                marks: Marks::default(),
            };
            if !record.has(UPDATED) {
                record.updated = Moment::of(Timestamp::default());
            }
            record.marks = match marks {
                Some([accepted, outcomes @ ..]) => Marks { accepted, outcomes },
                None => record.likely_marks(),
            };
            record
        }
    }

    proptest! {
        #[test]
        fn every_record_is_unpacked_as_it_was(records in prop::collection::vec(any_record(), 1..4), base in any_moment()) {
            let base = base.get();
            let mut bytes = Vec::new();
            for record in &records {
                record.pack(base, &mut bytes);
            }
            let mut reader = Reader::new(&bytes);
            for record in records {
                prop_assert_eq!(Record::unpack(&mut reader, base), Ok(record));
            }
            prop_assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn a_packed_record_can_be_marked_as_failed(record in any_record()) {
            let mut bytes = Vec::new();
            record.pack(Timestamp::default(), &mut bytes);
            Record::set_failed(&mut bytes[0]);
            let unpacked = Record::unpack(&mut Reader::new(&bytes), Timestamp::default());
            prop_assert_eq!(unpacked, Ok(Record { failed: true, ..record }));
        }
    }

    #[test]
    fn a_settled_operation_of_a_thousand_emails_takes_a_third_of_its_size() {
        let id: OperationId = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap();
        let created = id.created();
        let read = created + std::time::Duration::from_hours(50);
        let mut record = Record {
            id,
            state: 2,
            flags: UPDATED,
            returned: 7,
            failed: false,
            created: Moment::of(created),
            updated: Moment::of(created + std::time::Duration::from_hours(3)),
            last_success: Moment::of(read),
            last_change: Moment::of(created + std::time::Duration::from_hours(3)),
            emails: [0, 0, 3, 600, 380, 12, 5, 0],
            quantities: [1000, 1000, 1012],
            marks: Marks::default(),
        };
        record.marks = record.likely_marks();
        let mut bytes = Vec::new();
        record.pack(read, &mut bytes);
        assert!(
            bytes.len() * 3 <= size_of::<Record>() + 6,
            "{} bytes",
            bytes.len()
        );
    }
}
