//! The size of a record, and what it keeps.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::operation::Word;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_123);

#[test]
fn a_record_stays_small() {
    assert_eq!(size_of::<Record>(), 120);
}

#[test]
fn a_record_returns_the_operation_that_it_was_made_from() {
    let mut undocumented = UndocumentedValues::default();
    for (state, size, updated, unknown) in [
        ("COMPLETED", Some(7), Some(NOW), None),
        (
            "PAUSED",
            None,
            None,
            Some(Arc::from([(Word::new("deferred"), 3)])),
        ),
    ] {
        let operation = Operation {
            id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                .parse()
                .unwrap(),
            state: OperationState::parse(state),
            stats: Stats {
                emails: [1, 2, 3, 4, 5, 6, 7, 8],
                size,
                recipients: size,
                unknown,
                ..Stats::default()
            },
            created: NOW,
            updated,
        };
        let record = Record::new(&operation, &mut undocumented, Marks::default(), NOW, NOW);
        assert_eq!(record.operation(&undocumented), operation);
    }
}

#[test]
fn each_quantity_is_kept_on_its_own() {
    let mut undocumented = UndocumentedValues::default();
    for kept in Stat::QUANTITIES {
        for count in [0, 7] {
            let mut stats = Stats::default();
            stats.set_count(kept, count);
            let operation = Operation {
                stats,
                ..record(OperationState::Completed, None, 0, NOW).operation(&undocumented)
            };
            let record = Record::new(&operation, &mut undocumented, Marks::default(), NOW, NOW);
            assert_eq!(record.operation(&undocumented), operation, "{kept:?}");
            let size = Some(count).filter(|_| kept == Stat::Total);
            assert_eq!(record.size(), size);
        }
    }
}

#[test]
fn times_out_of_range_are_clamped() {
    assert_eq!(Moment::of(Timestamp::from_millis(-1)).get().as_millis(), 0);
    assert_eq!(
        Moment::of(Timestamp::from_millis(i64::MAX))
            .get()
            .as_millis(),
        Moment::LATEST
    );
    let beyond = Timestamp::from_millis(Moment::LATEST + 5);
    assert_eq!(Moment::of(beyond).get().as_millis(), Moment::LATEST);
    assert_eq!(Moment::of(NOW).get(), NOW);
}

const HOUR: Duration = Duration::from_hours(1);

fn record(state: OperationState, size: Option<u32>, opened: u32, updated: Timestamp) -> Record {
    let mut stats = Stats {
        size,
        ..Stats::default()
    };
    stats.set(Status::Opened, opened);
    let operation = Operation {
        id: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap(),
        state,
        stats,
        created: NOW - 50 * HOUR,
        updated: Some(updated),
    };
    let change = NOW - HOUR;
    Record::new(
        &operation,
        &mut UndocumentedValues::default(),
        Marks::default(),
        change,
        NOW,
    )
}

#[test]
fn only_finished_unwatched_operations_that_are_small_or_unchanging_are_polled_by_age() {
    use OperationState::{Canceled, Completed, Processing, Scheduled};
    for (state, size, opened, by_age) in [
        (Completed, Some(SMALL - 1), 0, true),
        (Completed, Some(SMALL), 0, false),
        (Completed, Some(SMALL), SMALL - 1, false),
        (Completed, Some(SMALL), SMALL, true),
        (Completed, None, SMALL, false),
        (Canceled, Some(1), 0, true),
        (Processing, Some(1), 1, false),
        (Scheduled, Some(1), 1, false),
    ] {
        let record = record(state.clone(), size, opened, NOW);
        let from = |record: Record, by_age| record.history(by_age).min_interval_from;
        let expected = if by_age { record.created() } else { NOW };
        assert_eq!(from(record, true), expected, "{state:?} {size:?} {opened}");
        assert_eq!(from(record, false), NOW);
        assert_eq!(from(record.watched(true), true), NOW);
        assert_eq!(from(record.watched(true).watched(false), true), expected);
    }
}

#[test]
fn a_clock_change_shifts_the_exporters_times_and_no_time_of_twilio() {
    let noted = NOW - HOUR;
    for (updated, moved) in [(noted, false), (NOW - 2 * HOUR, true)] {
        let mut record = record(OperationState::Completed, None, 0, updated);
        record.shift(Jump::Back(HOUR));
        assert_eq!(record.last_success(), NOW - HOUR);
        let expected = if moved { noted - HOUR } else { noted };
        assert_eq!(record.last_change(), expected);
    }
}

#[test]
fn a_read_without_a_change_ends_a_failure_and_a_change_in_the_future() {
    let mut record = record(OperationState::Completed, None, 0, NOW);
    record.failed = true;
    record.confirm(NOW - 2 * HOUR);
    assert!(!record.failed);
    assert_eq!(record.last_change(), NOW - 2 * HOUR);
    record.confirm(NOW);
    assert_eq!(record.last_change(), NOW - 2 * HOUR);
}
