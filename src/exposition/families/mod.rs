//! Writes a snapshot as metric families. These modules decide which samples a scrape has; `text` decides their format.

mod account;
mod emails;
mod group;
mod labelled;
mod operation;

use super::text::Text;

pub(super) use labelled::Labelled;

impl Labelled<'_> {
    /// Writes only the families about single operations.
    pub(super) fn write_operations(&self, text: &mut Text<'_>) {
        operation::write(self, text);
    }

    /// Writes every family that has samples. A family contains the samples of all accounts, as the text format requires.
    pub(super) fn write(&self, text: &mut Text<'_>) {
        operation::write(self, text);
        account::write(self, text);
        group::write(self, text);
        emails::write(self, text);
    }
}
