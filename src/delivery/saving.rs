//! Saves the emails of an account and restores them. The emails and the counters that they changed are one batch.

use std::sync::Arc;

use crate::email::EmailId;
use crate::snapshot::{EmailCounters, HeldNames};
use crate::store::{NameKind, SavedEmail, SavedEmails, SavedName};

use super::Deliveries;
use super::record::{DoneEmail, OpenEmail};
use super::unsaved::EmailChanges;

impl Deliveries {
    /// Restores what was saved, after each email by [`Self::restore_email`]; [`Self::restored`] follows.
    pub fn restore(&mut self, saved: &SavedEmails, names: &[SavedName]) {
        self.saved_standing = Some(*saved);
        self.born = saved.born;
        self.is_first = saved.born.is_none();
        self.expired_until = saved.expired_until;
        self.read_range = saved.read_range;
        self.capacity.restore(saved.admitted_from);
        self.inbound = saved.inbound;
        self.counting_mode = saved.counting_mode;
        for name in names {
            match name.kind {
                NameKind::Provider => self.by_provider.restore(name),
                NameKind::RecipientDomain => self.by_recipient.restore(name),
                NameKind::SenderDomain => self.by_sender.restore(name),
                NameKind::Label => self.by_label.restore(name),
            }
        }
    }

    /// Restores an email. [`Self::expire`] removes those that have expired.
    pub fn restore_email(&mut self, saved: &SavedEmail) {
        if saved.status.is_final() {
            self.add_done(DoneEmail::restore(saved));
        } else {
            self.add_open(OpenEmail::restore(saved));
        }
    }

    /// Exposes the restored counters.
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
        let standing = SavedEmails {
            born: self.born,
            expired_until: self.expired_until,
            admitted_from: self.capacity.admitted_from(),
            inbound: self.inbound,
            read_range: self.read_range,
            counting_mode: self.counting_mode,
        };
        let emails: Vec<_> = self.unsaved.ids().filter_map(email).collect();
        let (labels, removed) = self.by_label.unsaved();
        let names: Vec<_> = names
            .chain(self.by_sender.unsaved())
            .chain(labels)
            .collect();
        let is_same = |saved: SavedEmails| {
            let saved = SavedEmails {
                expired_until: standing.expired_until,
                read_range: standing.read_range,
                ..saved
            };
            standing == saved
        };
        let is_changed = !emails.is_empty() || !names.is_empty() || !removed.is_empty();
        EmailChanges {
            // Before the first page, nothing is known.
            needs_save: self.born.is_some()
                && (is_changed || !self.saved_standing.is_some_and(is_same)),
            standing,
            emails,
            names,
            removed,
            revision: self.unsaved.revision(),
            shown: Arc::new(self.current()),
        }
    }

    /// Notes that `changes` were saved.
    pub fn saved(&mut self, changes: &EmailChanges) {
        self.saved_standing = Some(changes.standing);
        self.unsaved.saved(changes.revision);
        self.by_provider.saved(changes.names.iter());
        self.by_recipient.saved(changes.names.iter());
        self.by_sender.saved(changes.names.iter());
        self.by_label.saved(&changes.names, &changes.removed);
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
        self.saved_standing = None;
        self.by_provider.lost();
        self.by_recipient.lost();
        self.by_sender.lost();
        self.by_label.lost();
    }

    /// The counters as the next save makes them.
    fn current(&self) -> EmailCounters {
        let (providers, statuses) = (&self.by_provider, &self.statuses);
        let by_number = |(number, name): (usize, &str)| {
            (!name.is_empty()).then(|| (Box::from(name), statuses.of(number)))
        };
        let (recipients, senders) = (&self.by_recipient, &self.by_sender);
        EmailCounters {
            since: self.born,
            providers: providers.counters(),
            statuses: providers.all().enumerate().filter_map(by_number).collect(),
            recipient_domains: (recipients.most() > 0).then(|| recipients.counters()),
            sender_domains: senders.counters(),
            labels: self.by_label.counters(),
            inbound: self.inbound,
            held: HeldNames {
                providers: providers.held(),
                recipient_domains: recipients.held(),
                sender_domains: senders.held(),
                labels: self.by_label.held(),
            },
        }
    }
}
