//! Operations as they are read and saved, and a store of them, for benchmarks that change them.

use std::time::Duration;

use tempfile::TempDir;
use twilio_email_exporter::operation::{
    Counters, CountingMode, Marks, Operation, OperationState, Stats, Status,
};
use twilio_email_exporter::simulator::operation_id;
use twilio_email_exporter::snapshot::Labels;
use twilio_email_exporter::store::{Batch, SavedAccount, SavedOperation, Store};
use twilio_email_exporter::timestamp::Timestamp;

/// When the operations are read.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);

/// The `n`th operation with `delivered` emails; every minute has five.
pub(crate) fn operation(n: u32, delivered: u32) -> Operation {
    let created = NOW - Duration::from_secs(u64::from(n) * 12);
    let mut stats = Stats {
        size: Some(100),
        ..Stats::default()
    };
    stats.set(Status::Delivered, delivered);
    Operation {
        id: operation_id(created, u128::from(n)),
        state: OperationState::Processing,
        stats,
        created,
        updated: Some(created),
    }
}

/// `operation` as the store has it.
pub(crate) fn saved(operation: Operation) -> SavedOperation {
    SavedOperation {
        marks: Marks::shown_by(&operation.stats, CountingMode::Exclusive),
        last_success: NOW,
        last_change: operation.created,
        credited: Labels::default(),
        tags: None,
        scheduled_for: None,
        operation,
    }
}

/// A store of one account in a directory of its own.
pub(crate) struct SavedOperations {
    store: Store,
    _directory: TempDir,
}

impl SavedOperations {
    pub(crate) fn new(operations: &[SavedOperation]) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the store");
        let new = Self {
            store: Store::open(Some(directory.path()), NOW).expect("a new store"),
            _directory: directory,
        };
        new.commit(operations);
        new
    }

    /// Saves the account's counters and `operations`.
    pub(crate) fn commit(&self, operations: &[SavedOperation]) {
        let standing = SavedAccount {
            born: NOW,
            counters: Counters::default(),
            cumulative_proven: false,
            discovered_until: None,
        };
        let batch = Batch {
            account: "default",
            standing: &standing,
            operations,
            groups: &[],
            removed: &[],
            generation: 0,
        };
        self.store.commit(&batch).expect("room on the disk");
    }
}
