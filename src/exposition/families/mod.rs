//! Writes a snapshot as metric families. These modules decide which samples a scrape has; `text` decides their format.

mod account;
mod emails;
mod group;
mod labeled;
mod operation;

use super::text::Text;

pub(super) use labeled::{LabeledAccounts, LabeledOperations};
pub(super) use operation::{FAMILIES as OPERATION_FAMILIES, FamilySet, OperationFamily};

impl LabeledOperations<'_> {
    /// Writes every family about single operations that has samples. A family contains the samples of all accounts, as the text
    /// format requires.
    pub(super) fn write(&self, text: &mut Text<'_>) {
        for family in OPERATION_FAMILIES {
            let further_labels = family.further_labels(text);
            let mut samples = text.family(family.metric);
            family.write(self.iter(), &further_labels, &mut samples);
        }
    }
}

impl LabeledAccounts<'_> {
    /// Writes every family about accounts and about values of labels that has samples.
    pub(super) fn write(&self, text: &mut Text<'_>) {
        account::write(*self, text);
        group::write(*self, text);
        emails::write(*self, text);
    }
}
