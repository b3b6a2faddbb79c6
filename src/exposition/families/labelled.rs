//! A snapshot with the label text of its accounts and operations. The text is built once per scrape and used by all families.

use crate::exposition::labels::LabelTexts;
use crate::snapshot::{AccountSnapshot, ShownOperation, Snapshot};

/// The usual number of series per operation: eight statuses, four states, and eight families with one series.
const USUAL_SERIES: usize = 20;
/// The usual bytes of a line beside the operation's labels: the metric's name, another label, the value.
const BESIDE_LABELS: usize = 56;

/// A snapshot with the label text of its accounts and operations.
pub(in crate::exposition) struct Labelled<'a> {
    snapshot: &'a Snapshot,
    accounts: &'a LabelTexts,
    operations: &'a LabelTexts,
}

impl<'a> Labelled<'a> {
    /// Builds the label text in `accounts` and `operations`, whose memory is reused.
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

    /// An estimate of the bytes that [`Labelled::write`] writes; operations are most of them.
    pub(in crate::exposition) fn usual_len(&self) -> usize {
        let operations = self.snapshot.accounts.iter();
        let operations: usize = operations.map(|account| account.operations.len()).sum();
        USUAL_SERIES * (self.operations.len() + BESIDE_LABELS * operations)
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = (&'a str, &'a AccountSnapshot)> {
        self.accounts.iter().zip(&self.snapshot.accounts)
    }

    pub(in crate::exposition) fn operations(
        &self,
    ) -> impl Iterator<Item = (&'a str, &'a ShownOperation)> {
        let operations = self.snapshot.accounts.iter();
        let operations = operations.flat_map(|account| &account.operations);
        self.operations.iter().zip(operations)
    }
}
