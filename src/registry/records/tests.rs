//! Packing keeps every value of a record.

use std::time::Duration;

use super::*;
use crate::operation::{Marks, Operation, OperationState, Stats};
use crate::registry::undocumented_values::UndocumentedValues;

const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

fn id(n: usize) -> OperationId {
    format!("comms_operation_01h2xcejqt{n:016}")
        .parse()
        .unwrap()
}

/// Records with the ids of all even numbers below twice `size`.
fn records(size: usize) -> Box<[Record]> {
    let mut undocumented = UndocumentedValues::default();
    let mut record = |n: usize| {
        let operation = Operation {
            id: id(2 * n),
            state: OperationState::Completed,
            stats: Stats {
                size: u32::try_from(n).ok(),
                ..Stats::default()
            },
            created: id(2 * n).created(),
            updated: None,
        };
        let read = START + Duration::from_secs(1) * u32::try_from(n % 7).unwrap();
        Record::new(&operation, &mut undocumented, Marks::default(), read, read)
    };
    (0..size).map(&mut record).collect()
}

#[test]
fn packed_records_are_found_as_before() {
    for size in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 900] {
        let all = records(size);
        let open = Records::Open(all.clone());
        let mut packed = Records::Open(all.clone());
        packed.pack();
        assert!(packed.is_packed() && !open.is_packed());
        for records in [&open, &packed] {
            assert_eq!(records.len(), size);
            assert_eq!(
                (records.first(), records.last()),
                (Some(all[0]), Some(all[size - 1]))
            );
            assert!(records.iter().eq(all.iter().copied()));
            assert!(records.newest_first().eq(all.iter().rev().copied()));
            for (place, record) in all.iter().enumerate() {
                assert_eq!(records.at(place), Some(*record));
                assert_eq!(records.find(record.id), Some((place, *record)));
                assert_eq!(records.find(id(2 * place + 1)), None);
            }
            assert_eq!(records.at(size), None);
        }
        assert_eq!(packed.open(), &*all);
        assert!(!packed.is_packed());
    }
}

#[test]
fn a_failed_read_is_noted_without_unpacking() {
    let all = records(900);
    for place in [0, 1, BLOCK, 555, 899] {
        let mut open = Records::Open(all.clone());
        let mut packed = Records::Open(all.clone());
        packed.pack();
        for records in [&mut open, &mut packed] {
            assert!(records.set_failed(id(2 * place)));
            assert!(!records.set_failed(id(2 * place + 1)));
            let failed = records
                .iter()
                .enumerate()
                .filter(|(_, record)| record.failed);
            assert_eq!(failed.map(|(place, _)| place).collect::<Vec<_>>(), [place]);
        }
        assert!(packed.is_packed());
    }
}

#[test]
fn packed_records_take_less_than_half_of_the_memory() {
    let all = records(900);
    let packed = PackedRecords::of(&all);
    let bytes = packed.bytes.len() + size_of_val(&*packed.blocks) + size_of::<Records>();
    assert!(bytes * 2 < size_of_val(&*all), "{} bytes each", bytes / 900);
}
