//! Tests of the store through its API, and of damaged files.

mod content;
mod crash;
mod damage;
mod disk;
mod emails;
mod format_3;
mod hanging;
mod vanished;

use std::fs;
use std::path::Path;

use super::*;
use crate::operation::{Counters, Marks, Operation, OperationState, PREFIX, Stats, Status};
use crate::snapshot::Labels;
use crate::store::disk_gate::DiskGate;

pub(super) const ACCOUNT: &str = "marketing";

pub(super) fn now() -> Timestamp {
    "2026-11-23T22:00:00.250Z".parse().unwrap()
}

/// The operation with the number `number`, one a second.
pub(super) fn saved(number: u32, delivered: u32) -> SavedOperation {
    let id: OperationId = format!("{PREFIX}{}{number:016}", "01h2xcejqt")
        .parse()
        .unwrap();
    let created = id.created();
    let stats = Stats {
        size: Some(delivered + 1),
        recipients: Some(delivered + 1),
        ..Stats::default()
    };
    let mut operation = Operation {
        id,
        state: OperationState::Processing,
        stats,
        created,
        updated: Some(created),
    };
    operation.stats.set(Status::Delivered, delivered);
    let mut marks = Marks {
        accepted: delivered + 1,
        ..Marks::default()
    };
    marks.outcomes[0] = delivered;
    SavedOperation {
        operation,
        last_success: now(),
        last_change: created,
        marks,
        credited: Labels::default(),
        tags: None,
        scheduled_for: None,
    }
}

pub(super) fn standing(accepted: u64) -> SavedAccount {
    let counters = Counters {
        accepted,
        ..Counters::default()
    };
    SavedAccount {
        born: now(),
        counters,
        cumulative_proven: true,
        discovered_until: Some(now()),
    }
}

pub(super) type Content = (Option<SavedAccount>, Vec<SavedOperation>);

pub(super) fn content(store: &Store) -> Content {
    let mut operations = Vec::new();
    let standing = store
        .load(ACCOUNT, &mut |saved| operations.push(saved))
        .unwrap();
    (standing, operations)
}

pub(super) fn commit(store: &Store, content: &Content) -> Result<(), StoreError> {
    commit_in(store, 0, content)
}

/// A commit of an account that was last saved completely in this generation.
pub(super) fn commit_in(
    store: &Store,
    generation: u64,
    content: &Content,
) -> Result<(), StoreError> {
    let standing = content.0.as_ref().unwrap();
    store.commit(&Batch {
        account: ACCOUNT,
        standing,
        operations: &content.1,
        groups: &[],
        removed: &[],
        generation,
    })
}

pub(super) fn open(directory: &Path) -> Store {
    Store::open(Some(directory), now()).unwrap()
}

/// Makes three commits. Returns the content after them.
pub(super) fn fill(store: &Store, operations: u32) -> Content {
    for delivered in 0..3 {
        let content = (
            Some(standing(u64::from(delivered))),
            (0..operations)
                .map(|number| saved(number, delivered))
                .collect(),
        );
        commit(store, &content).unwrap();
    }
    content(store)
}

/// The names in `directory` besides the state file's own.
pub(super) fn others(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != NAME);
    names.sort();
    names
}
