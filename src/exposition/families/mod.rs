//! A snapshot as metric families: which samples there are, and which are left out.

mod account;
mod group;
mod labelled;
mod operation;

use super::text::Text;

pub(super) use labelled::Labelled;

impl Labelled<'_> {
    /// Writes the families of single operations alone.
    pub(super) fn write_operations(&self, text: &mut Text<'_>) {
        operation::write(self, text);
    }

    /// Writes every family that has something to say; the samples of all accounts stand together in it.
    pub(super) fn write(&self, text: &mut Text<'_>) {
        operation::write(self, text);
        account::write(self, text);
        group::write(self, text);
    }
}
