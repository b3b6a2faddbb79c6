//! The content of the next save of an account's emails. A save that fails loses nothing, because the next one has its changes, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::email::EmailId;
use crate::snapshot::EmailCounters;
use crate::store::{EmailBatch, SavedEmail, SavedEmails, SavedName};

/// A number for each change. A save covers all changes up to one.
pub(super) type Revision = u64;

/// Changes of an account's emails, to be saved together.
#[derive(Debug)]
pub struct EmailChanges {
    pub(super) standing: SavedEmails,
    pub(super) emails: Vec<SavedEmail>,
    pub(super) names: Vec<SavedName>,
    /// The values of labels that the store deletes.
    pub(super) removed: Vec<Box<str>>,
    pub(super) revision: Revision,
    /// Whether anything but the time has changed.
    pub(super) needs_save: bool,
    pub(super) shown: Arc<EmailCounters>,
}

impl EmailChanges {
    /// Whether there is anything to save. Expired emails, and how far the account was read, are saved with the next change.
    #[must_use]
    pub const fn needs_save(&self) -> bool {
        self.needs_save
    }

    /// The content of the transaction that saves them.
    #[must_use]
    pub fn batch<'a>(&'a self, account: &'a str, generation: u64) -> EmailBatch<'a> {
        EmailBatch {
            account,
            standing: &self.standing,
            emails: &self.emails,
            names: &self.names,
            removed_labels: &self.removed,
            generation,
        }
    }
}

/// The emails that have changed since the last save. Their number is that of the emails in memory at most.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    changed: BTreeMap<EmailId, Revision>,
    revision: Revision,
}

impl Unsaved {
    pub(super) fn note(&mut self, id: EmailId) {
        self.revision += 1;
        self.changed.insert(id, self.revision);
    }

    pub(super) fn note_all(&mut self, ids: impl Iterator<Item = EmailId>) {
        ids.for_each(|id| self.note(id));
    }

    /// Drops an email that has left memory. Its outcomes stay in the counters, which are saved with the next save.
    pub(super) fn forget(&mut self, id: EmailId) {
        self.changed.remove(&id);
    }

    pub(super) const fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &EmailId> {
        self.changed.keys()
    }

    /// Notes that all changes up to `revision` were saved.
    pub(super) fn saved(&mut self, revision: Revision) {
        self.changed.retain(|_, changed| *changed > revision);
    }
}
