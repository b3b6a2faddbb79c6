//! A snapshot beside the label text of its accounts and operations, which is made once for all families.

use crate::exposition::labels::LabelTexts;
use crate::snapshot::{AccountSnapshot, ShownOperation, Snapshot};

/// Series that an operation has as a rule: eight statuses, four states, and eight more families of one each.
const USUAL_SERIES: usize = 20;
/// What a line has beside the labels of its operation: its name, one more label, the value.
const BESIDE_LABELS: usize = 56;

/// A snapshot beside the label text of its accounts and operations.
pub(in crate::exposition) struct Labelled<'a> {
    snapshot: &'a Snapshot,
    accounts: &'a LabelTexts,
    operations: &'a LabelTexts,
}

impl<'a> Labelled<'a> {
    /// Makes the label text, in memory that is used again.
    pub(in crate::exposition) fn new(
        snapshot: &'a Snapshot,
        accounts: &'a mut LabelTexts,
        operations: &'a mut LabelTexts,
    ) -> Self {
        accounts.clear();
        operations.clear();
        for account in &snapshot.accounts {
            accounts.push_account(&account.name);
        }
        for (account, labels) in snapshot.accounts.iter().zip(accounts.iter()) {
            for operation in &account.operations {
                operations.push_operation(labels, &operation.id);
            }
        }
        Self {
            snapshot,
            accounts,
            operations,
        }
    }

    /// About as many bytes as [`Labelled::write`] writes, where operations make up most of them.
    pub(in crate::exposition) fn usual_len(&self) -> usize {
        let operations = self.snapshot.accounts.iter();
        let operations: usize = operations.map(|account| account.operations.len()).sum();
        USUAL_SERIES * (self.operations.len() + BESIDE_LABELS * operations)
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = (&'a str, &'a AccountSnapshot)> {
        self.accounts.iter().zip(&self.snapshot.accounts)
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = (&'a str, &'a ShownOperation)> {
        let operations = self.snapshot.accounts.iter();
        let operations = operations.flat_map(|account| &account.operations);
        self.operations.iter().zip(operations)
    }
}
