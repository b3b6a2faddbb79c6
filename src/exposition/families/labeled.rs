//! A snapshot with the label text of its accounts and operations. The text is built once per scrape and used by all families.

use std::ops::Range;

use crate::exposition::labels::LabelTexts;
use crate::snapshot::{AccountSnapshot, ShownOperation, Snapshot};

/// The usual number of series per operation: eight statuses, four states, and eight families with one series.
const USUAL_SERIES: usize = 20;
/// The usual bytes of a line besides the operation's labels: the metric's name, another label, the value.
const BESIDE_LABELS: usize = 56;

/// The accounts of a snapshot, each with its label text.
#[derive(Clone, Copy)]
pub(in crate::exposition) struct LabeledAccounts<'a> {
    accounts: &'a [AccountSnapshot],
    texts: &'a LabelTexts,
}

impl<'a> LabeledAccounts<'a> {
    /// Builds the label text in `texts`, whose memory is reused.
    pub(in crate::exposition) fn new(snapshot: &'a Snapshot, texts: &'a mut LabelTexts) -> Self {
        texts.clear();
        for account in &snapshot.accounts {
            texts.push_account(&account.name);
        }
        Self {
            accounts: &snapshot.accounts,
            texts,
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (&'a str, &'a AccountSnapshot)> {
        self.texts.iter().zip(self.accounts)
    }
}

/// The operations of all accounts of a snapshot, each with its label text.
pub(in crate::exposition) struct LabeledOperations<'a> {
    operations: Vec<&'a ShownOperation>,
    texts: &'a LabelTexts,
}

impl<'a> LabeledOperations<'a> {
    /// Builds the label text in `texts`, whose memory is reused.
    pub(in crate::exposition) fn new(
        accounts: LabeledAccounts<'a>,
        texts: &'a mut LabelTexts,
    ) -> Self {
        texts.clear();
        for (labels, account) in accounts.iter() {
            for operation in &account.operations {
                texts.push_operation(labels, &operation.id);
            }
        }
        Self::with_texts(accounts, texts)
    }

    /// Uses `texts`, which were built for the same operations in the same order.
    pub(in crate::exposition) fn with_texts(
        accounts: LabeledAccounts<'a>,
        texts: &'a LabelTexts,
    ) -> Self {
        let accounts = accounts.accounts.iter();
        Self {
            operations: accounts.flat_map(|account| &account.operations).collect(),
            texts,
        }
    }

    /// An estimate of the bytes that [`Self::write`] writes.
    pub(in crate::exposition) fn usual_len(&self) -> usize {
        USUAL_SERIES * (self.texts.len() + BESIDE_LABELS * self.operations.len())
    }

    pub(in crate::exposition) fn len(&self) -> usize {
        self.operations.len()
    }

    pub(in crate::exposition) fn iter(
        &self,
    ) -> impl Iterator<Item = (&'a str, &'a ShownOperation)> {
        self.range(0..self.len())
    }

    pub(in crate::exposition) fn range(
        &self,
        places: Range<usize>,
    ) -> impl Iterator<Item = (&'a str, &'a ShownOperation)> {
        let texts = self.texts.range(places.clone());
        texts.zip(self.operations[places].iter().copied())
    }
}
