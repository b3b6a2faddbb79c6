//! Random histories of snapshots for tests. The tests compare expositions that reuse text with expositions that are written from
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::empty_account;
use crate::operation::{Counters, Operation, OperationId, OperationState, Stats, Status, Word};
use crate::snapshot::{AccountSnapshot, GroupSnapshot, Labels, ShownOperation, Snapshot, Totals};
use crate::timestamp::Timestamp;

/// One step of a history: what changes, where, and to which value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    change: u8,
    place: usize,
    value: u32,
}

/// Steps; some change nothing, so that the same snapshot occurs twice.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0_u8..33, any::<usize>(), 0_u32..5);
    let step = step.prop_map(|(change, place, value)| Step {
        change,
        place,
        value,
    });
    prop::collection::vec(step, 1..40)
}

/// A snapshot that steps change.
#[derive(Debug, Default)]
pub(crate) struct History {
    snapshot: Snapshot,
    /// The number of operations that there ever were.
    operations: u32,
    /// The value of counters that only grow.
    total: u64,
}

impl History {
    /// A history whose snapshot has an account with this many operations.
    pub(crate) fn of(operations: usize) -> Self {
        let mut history = Self::default();
        history.add_account(0);
        for _ in 0..operations {
            history.add_operation(0, 0);
        }
        history
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// Adds a new operation and removes the oldest one.
    pub(crate) fn rotate(&mut self) {
        self.add_operation(0, 0);
        self.snapshot.accounts[0].operations.pop();
    }

    pub(crate) fn apply(&mut self, step: Step) {
        let Step {
            change,
            place,
            value,
        } = step;
        let accounts = self.snapshot.accounts.len();
        if accounts == 0 {
            return self.add_account(value);
        }
        let at = place % accounts;
        let account = &mut self.snapshot.accounts[at];
        let shown = account.operations.len();
        match change {
            0 => self.add_account(value),
            1 if accounts > 1 => drop(self.snapshot.accounts.remove(at)),
            2 => self.snapshot.accounts.swap(0, at),
            3 => account.name = name(value),
            4..=8 => self.add_operation(at, 0),
            9 => self.add_operation(at, place / 7 % (shown + 1)),
            10 if shown > 0 => drop(account.operations.pop()),
            11 if shown > 0 => drop(account.operations.remove(place / 7 % shown)),
            12 if shown > 0 => account.operations.swap(0, place / 7 % shown),
            13 => account.operations.truncate(place / 7 % (shown + 1)),
            14 => self.change_account(at, value),
            15 => self.read_all(at, value),
            16 => {
                // An operation that another account has, too.
                let all = self.snapshot.accounts.iter();
                let other = all.flat_map(|account| &account.operations).next().cloned();
                self.snapshot.accounts[at].operations.extend(other);
            }
            17..=30 if shown > 0 => {
                let operation = &mut account.operations[place / 7 % shown];
                change_operation(operation, change - 17, value);
            }
            _ => {}
        }
    }

    fn add_account(&mut self, value: u32) {
        // The configuration has each name once, but the renderer must not rely on that.
        self.snapshot.accounts.push(empty_account(&name(value)));
    }

    fn add_operation(&mut self, account: usize, place: usize) {
        self.operations += 1;
        let id = format!("comms_operation_01h2xcejqtf2nbrexx3v{:06}", self.operations);
        let operation = ShownOperation {
            id: id.parse().unwrap(),
            seen: None,
            up: None,
            last_success: None,
            scheduled_for: None,
            emails_mismatch: None,
            labels: Labels::default(),
        };
        let operations = &mut self.snapshot.accounts[account].operations;
        operations.insert(place, operation);
        if !self.operations.is_multiple_of(5) {
            change_operation(&mut operations[place], 0, self.operations % 3);
        }
    }

    fn change_account(&mut self, account: usize, value: u32) {
        self.total += u64::from(value);
        let account: &mut AccountSnapshot = &mut self.snapshot.accounts[account];
        account.status.duration = Some(Duration::from_millis(u64::from(value)));
        account.without_series = self.total;
        let counters = Counters {
            accepted: self.total,
            ..Counters::default()
        };
        account.counters = (value > 0).then_some(counters);
        let group = |number: u32| GroupSnapshot {
            label: Arc::from("campaign"),
            value: Arc::from(format!("{number}")),
            totals: Totals::default(),
            counters: Some(counters),
        };
        account.groups = (0..value).map(group).collect();
    }

    fn read_all(&mut self, account: usize, value: u32) {
        for operation in &mut self.snapshot.accounts[account].operations {
            operation.last_success = Some(moment(value));
        }
    }
}

fn name(value: u32) -> Arc<str> {
    Arc::from(format!("account \"{value}\""))
}

fn moment(value: u32) -> Timestamp {
    Timestamp::from_millis(1_775_370_000_000 + i64::from(value) * 250)
}

/// Changes one of the values that samples are written from.
fn change_operation(shown: &mut ShownOperation, which: u8, value: u32) {
    let text = |text: &str| format!("{text}{value}");
    let some = (value > 0).then_some(value);
    match which {
        0 => shown.seen = (value > 0).then(|| seen(shown.id)),
        1 => shown.up = (value > 0).then_some(value > 1),
        2 => shown.last_success = some.map(moment),
        3 => {
            let pair = (text("label"), text("value"));
            let pairs = some.map(|_| pair).into_iter().collect::<BTreeMap<_, _>>();
            shown.labels = Arc::new(pairs);
        }
        13 => shown.scheduled_for = some.map(moment),
        _ => {}
    }
    let Some(seen) = &mut shown.seen else {
        return;
    };
    match which {
        4 => {
            seen.state =
                OperationState::KNOWN[value as usize % OperationState::KNOWN.len()].clone();
        }
        5 => seen.state = OperationState::parse(&text("STATE_")),
        6 => seen.created = moment(value),
        7 => seen.updated = some.map(moment),
        8 => seen.stats.size = some,
        9 => seen.stats.recipients = some,
        10 => seen.stats.attempts = some,
        11 => {
            let unknown = [
                (Word::new("deferred"), value),
                (Word::new(&text("status")), 1),
            ];
            seen.stats.unknown = some.map(|_| Arc::from(unknown));
        }
        12 => {
            let status = Status::ALL[value as usize % Status::ALL.len()];
            seen.stats.set(status, seen.stats.get(status) + value * 9);
        }
        _ => {}
    }
}

fn seen(id: OperationId) -> Operation {
    Operation {
        id,
        state: OperationState::Processing,
        stats: Stats::default(),
        created: moment(0),
        updated: None,
    }
}
