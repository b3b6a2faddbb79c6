//! Ingests rows of emails: the first row of an email, and later ones. An email counts once for each outcome, however often its row
//! is read.

use crate::email::{Domain, Email, EmailStatus, Outcomes};
use crate::operation::Outcome;

use super::counts::{delivery_time, reached};
use super::record::{DoneEmail, OpenEmail, OperationMark};
use super::{Deliveries, Ingested};

impl Deliveries {
    pub(super) fn admits(&mut self, email: &Email) -> bool {
        let emails = self.open.len() + self.done.len();
        let (open, done) = (&self.open, &self.done);
        let marks = || {
            let open = open
                .iter()
                .map(|bytes| OpenEmail::from_bytes(bytes).operation.short());
            open.chain(
                done.iter()
                    .map(|bytes| DoneEmail::from_bytes(bytes).operation),
            )
        };
        self.capacity
            .admits(email.operation, email.id.created(), emails, marks)
    }

    pub(super) fn see_first(&mut self, email: &Email) {
        let created = email.id.created();
        let is_baseline = self.is_first || self.born.is_none_or(|born| created < born);
        if self.is_first {
            self.newest = self.newest.max(Some(created));
        }
        if email.status == EmailStatus::Inbound {
            self.inbound += u64::from(!is_baseline);
            self.unsaved.note(email.id);
            // Its recipient is the user, so it has no provider.
            self.add_done(DoneEmail {
                id: email.id,
                operation: OperationMark::of(email.operation).short(),
                status: email.status,
                provider: 0,
            });
            return;
        }
        let provider = self.providers.of(email.recipient.as_ref());
        let provider = self.by_provider.number_of(self.providers.name(provider));
        let open = OpenEmail {
            id: email.id,
            operation: OperationMark::of(email.operation),
            status: email.status,
            sent_at: sent_at(email),
            provider: u8::try_from(provider).unwrap_or_default(),
            recipient: self
                .by_recipient
                .number_of_email(email.recipient.as_ref().map(Domain::as_str)),
            sender: self
                .by_sender
                .number_of_email(email.sender.as_ref().map(Domain::as_str)),
        };
        if !is_baseline {
            self.count(&open, None, email);
        }
        self.put(open);
    }

    pub(super) fn see_again(&mut self, known: OpenEmail, email: &Email) -> Ingested {
        let sent_at = sent_at(email);
        if email.status.follows(known.status) {
            let open = OpenEmail {
                status: email.status,
                sent_at,
                ..known
            };
            self.count(&open, Some(known.status), email);
            self.open.remove(&known.id.to_bytes());
            self.remove_sent(&known);
            self.statuses.remove(known.provider, known.status);
            self.tallies
                .remove(known.operation.short(), known.id, known.status);
            self.put(open);
            return Ingested::Changed;
        }
        // `updatedAt` may change without the status. The email was sent at the earliest of these times.
        if email.status == known.status && (1..known.sent_at).contains(&sent_at) {
            self.remove_sent(&known);
            let open = OpenEmail { sent_at, ..known };
            self.sent.insert(sent_at.to_be_bytes());
            self.open.replace(open.to_bytes());
            self.unsaved.note(known.id);
        }
        Ingested::Known
    }

    /// Counts what an email has reached by a change of its status.
    fn count(&mut self, email: &OpenEmail, before: Option<EmailStatus>, row: &Email) {
        let reached = reached(before, email.status);
        if reached.is_empty() {
            return;
        }
        let is_delivery = reached.contains(&Outcome::Delivered);
        let add = |outcomes: &mut Outcomes| {
            for outcome in reached {
                outcomes[*outcome as usize] += 1;
            }
        };
        self.by_provider.count(u16::from(email.provider), |counts| {
            add(&mut counts.outcomes);
            match delivery_time(row) {
                Some(time) if is_delivery => counts.times.observe(time),
                None if is_delivery => counts.unobserved += 1,
                _ => {}
            }
        });
        self.by_recipient.count(email.recipient, add);
        self.by_sender.count(email.sender, add);
    }

    /// Adds an email with its new status.
    fn put(&mut self, email: OpenEmail) {
        self.unsaved.note(email.id);
        self.tallies
            .add(email.operation.short(), email.id, email.status);
        if email.status.is_final() {
            self.add_done(DoneEmail {
                id: email.id,
                operation: email.operation.short(),
                status: email.status,
                provider: email.provider,
            });
        } else {
            self.add_open(email);
        }
    }
}

/// When an email with status [`EmailStatus::Sent`] was sent, in seconds: `updatedAt`, else `scheduledFor`, else `createdAt`. 0 for any
/// other status.
fn sent_at(email: &Email) -> u32 {
    if email.status != EmailStatus::Sent {
        return 0;
    }
    let time = email.updated.or(email.scheduled).unwrap_or(email.created);
    u32::try_from(time.as_millis().div_euclid(1000))
        .unwrap_or_default()
        .max(1)
}
