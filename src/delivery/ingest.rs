//! Ingests rows of emails: the first row of an email, and later ones. An email counts once for each outcome, however often its row
//! is read.

use crate::email::{Domain, Email, EmailStatus, Outcomes, ProviderCounts, ProviderId};
use crate::operation::{Outcome, RETENTION};
use crate::snapshot::LabelValue;

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

    fn is_baseline(&self, email: &Email) -> bool {
        let created = email.id.created();
        self.is_first || self.born.is_none_or(|born| created < born)
    }

    /// Whether an email is unknown and not baseline: the outcomes of its first row count under the provider that its domain has then.
    #[must_use]
    pub fn would_count(&self, email: &Email) -> bool {
        let key = email.id.to_bytes();
        let is_known = || self.open.get(&key).is_some() || self.done.get(&key).is_some();
        !self.is_baseline(email) && !is_known()
    }

    /// The number of the recipient's provider: by the table, else by its mail exchangers.
    fn provider_of(&mut self, email: &Email) -> u8 {
        let domain = email.recipient.as_ref();
        let name = match (self.providers.of(domain), &self.exchangers, domain) {
            (ProviderId::OTHER, Some(exchangers), Some(domain)) => exchangers.name_of(domain),
            (provider, _, _) => self.providers.name(provider),
        };
        u8::try_from(self.by_provider.number_of(name)).unwrap_or_default()
    }

    pub(super) fn see_first(&mut self, email: &Email, labels: &[LabelValue]) {
        let created = email.id.created();
        let is_baseline = self.is_baseline(email);
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
        let provider = self.provider_of(email);
        let open = OpenEmail {
            id: email.id,
            operation: OperationMark::of(email.operation),
            status: email.status,
            sent_at: sent_at(email),
            provider,
            recipient: self
                .by_recipient
                .number_of_email(email.recipient.as_ref().map(Domain::as_str)),
            sender: self
                .by_sender
                .number_of_email(email.sender.as_ref().map(Domain::as_str)),
        };
        if !is_baseline {
            self.count(&open, None, (email, labels));
        }
        self.put(open);
    }

    pub(super) fn see_again(
        &mut self,
        known: OpenEmail,
        email: &Email,
        labels: &[LabelValue],
    ) -> Ingested {
        let sent_at = sent_at(email);
        if email.status.follows(known.status) {
            let open = OpenEmail {
                status: email.status,
                sent_at,
                ..known
            };
            self.count(&open, Some(known.status), (email, labels));
            // Its first row had an undocumented status.
            self.inbound += u64::from(email.status == EmailStatus::Inbound);
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

    /// Counts the outcomes that an email reaches by a change of its status.
    fn count(
        &mut self,
        email: &OpenEmail,
        before: Option<EmailStatus>,
        (row, labels): (&Email, &[LabelValue]),
    ) {
        let reached = reached(before, email.status);
        if reached.is_empty() {
            // So that the values of its labels are exposed as 0 before they count.
            let until = email.id.created() + RETENTION;
            self.by_label.count(labels, until, |_| {});
            return;
        }
        let is_delivery = reached.contains(&Outcome::Delivered);
        let add = |outcomes: &mut Outcomes| {
            for outcome in reached {
                outcomes[*outcome as usize] += 1;
            }
        };
        let add_all = |counts: &mut ProviderCounts| {
            add(&mut counts.outcomes);
            match delivery_time(row) {
                Some(time) if is_delivery => counts.times.observe(time),
                None if is_delivery => counts.unobserved += 1,
                _ => {}
            }
        };
        self.by_provider.count(u16::from(email.provider), add_all);
        let until = email.id.created() + RETENTION;
        self.by_label.count(labels, until, add_all);
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
