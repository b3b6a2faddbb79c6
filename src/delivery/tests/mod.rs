//! The rules that the counters of emails follow.

mod by_label;
mod capacity;
mod laws;
mod memory;
mod model;
mod stored;
mod tallies;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::*;
use crate::email::{Domain, Tags};
use crate::operation::OperationId;
use crate::store::{SavedEmail, SavedEmails, SavedName};

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const LIMITS: EmailLimits = EmailLimits {
    max_emails: 1_000_000,
    max_recipient_domains: 10,
    max_sender_domains: 10,
};

/// Parsed once: random histories make thousands of tables.
static PROVIDERS: LazyLock<Arc<Providers>> = LazyLock::new(|| Arc::new(Providers::built_in()));
static SENDER: LazyLock<Option<Domain>> = LazyLock::new(|| Domain::parse("shop.example"));
static RECIPIENT: LazyLock<Option<Domain>> = LazyLock::new(|| Domain::parse("gmail.com"));

fn table(limits: &EmailLimits) -> Deliveries {
    Deliveries::new(Arc::clone(&PROVIDERS), limits)
}

/// A table that has watched an account without emails since [`NOW`].
fn watching(limits: &EmailLimits) -> Deliveries {
    let mut table = table(limits);
    table.begin(NOW);
    table.end();
    table
}

fn id(created: Timestamp, number: u64) -> EmailId {
    let mut bytes = EmailId::first_at(created).to_bytes();
    bytes[6..].copy_from_slice(&number.to_be_bytes());
    EmailId::from_bytes(bytes)
}

fn operation(created: Timestamp, number: u128) -> OperationId {
    crate::simulator::operation_id(created, number)
}

/// A row of an email to Gmail, updated `after` its creation.
fn row(created: Timestamp, number: u64, status: EmailStatus, after: Duration) -> Email {
    Email {
        id: id(created, number),
        operation: None,
        status,
        created,
        updated: Some(created + after),
        scheduled: None,
        sender: SENDER.clone(),
        recipient: RECIPIENT.clone(),
        tags: Tags::default(),
    }
}

/// The counters as the next save exposes them.
fn current(table: &Deliveries) -> Arc<EmailCounters> {
    table.changes().shown
}

fn save(table: &mut Deliveries) {
    let changes = table.changes();
    table.saved(&changes);
}
