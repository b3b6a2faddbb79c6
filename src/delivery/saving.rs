//! Saves the emails of an account and restores them.

use std::sync::Arc;

use crate::email::EmailId;
use crate::store::{NameKind, SavedEmail, SavedEmails, SavedName};

use super::Deliveries;
use super::record::{DoneEmail, OpenEmail};
use super::shown::ShownEmails;
use super::unsaved::EmailChanges;

impl Deliveries {
    /// Restores what was saved: first the account and its names, then each email by [`Self::restore_email`], then [`Self::restored`].
    pub fn restore(&mut self, saved: &SavedEmails, names: &[SavedName]) {
        self.born = saved.born;
        self.is_first = saved.born.is_none();
        self.expired_until = saved.expired_until;
        self.capacity.restore(saved.admitted_from);
        self.inbound = saved.inbound;
        for name in names {
            match name.kind {
                NameKind::Provider => self.by_provider.restore(name),
                NameKind::RecipientDomain => self.by_recipient.restore(name),
                NameKind::SenderDomain => self.by_sender.restore(name),
            }
        }
    }

    /// Restores an email, unless it has expired.
    pub fn restore_email(&mut self, saved: &SavedEmail) {
        if saved.id.created() < self.expired_until {
            return;
        }
        if saved.status.is_final() {
            self.add_done(DoneEmail::restore(saved));
        } else {
            self.add_open(OpenEmail::restore(saved));
        }
    }

    /// Exposes what was restored.
    pub fn restored(&mut self) {
        self.shown = Some(Arc::new(self.current()));
    }

    /// What the next save writes. After it, [`Self::saved`] exposes it.
    #[must_use]
    pub fn changes(&self) -> EmailChanges {
        let email = |id: &EmailId| {
            let key = id.to_bytes();
            let open = self
                .open
                .get(&key)
                .map(|open| OpenEmail::from_bytes(&open).saved());
            open.or_else(|| Some(DoneEmail::from_bytes(&self.done.get(&key)?).saved()))
        };
        let names = self
            .by_provider
            .unsaved()
            .chain(self.by_recipient.unsaved());
        EmailChanges {
            standing: SavedEmails {
                born: self.born,
                expired_until: self.expired_until,
                admitted_from: self.capacity.admitted_from(),
                inbound: self.inbound,
            },
            emails: self.unsaved.ids().filter_map(email).collect(),
            names: names.chain(self.by_sender.unsaved()).collect(),
            revision: self.unsaved.revision(),
            shown: Arc::new(self.current()),
        }
    }

    /// Notes that `changes` were saved.
    pub fn saved(&mut self, changes: &EmailChanges) {
        self.unsaved.saved(changes.revision);
        self.by_provider.saved(changes.names.iter());
        self.by_recipient.saved(changes.names.iter());
        self.by_sender.saved(changes.names.iter());
        self.shown = Some(Arc::clone(&changes.shown));
    }

    /// Marks everything as unsaved: the file was lost.
    pub fn lost(&mut self) {
        let open = self
            .open
            .iter()
            .map(|bytes| OpenEmail::from_bytes(bytes).id);
        let done = self
            .done
            .iter()
            .map(|bytes| DoneEmail::from_bytes(bytes).id);
        self.unsaved.note_all(open.chain(done));
        self.by_provider.lost();
        self.by_recipient.lost();
        self.by_sender.lost();
    }

    fn current(&self) -> ShownEmails {
        ShownEmails::new(
            &self.by_provider,
            &self.statuses,
            [&self.by_recipient, &self.by_sender],
            self.inbound,
        )
    }
}
