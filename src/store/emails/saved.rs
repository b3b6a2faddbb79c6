//! The values that the store saves of emails. They are the store's interface; `record` and `tables` define their bytes.

use crate::email::{EmailId, EmailStatus};
use crate::operation::CountingMode;
use crate::timestamp::Timestamp;

/// The state of an account's emails, except the emails and the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SavedEmails {
    /// When the exporter began to count emails, by Twilio's clock; emails created before are baseline. `None`: it has not begun.
    pub born: Option<Timestamp>,
    /// Emails created before this time have expired; one that is not known is not counted any more.
    pub expired_until: Timestamp,
    /// Operations created before this time are left out unless they are known; [`Timestamp`]'s highest value while there is no room.
    pub admitted_from: Timestamp,
    /// Emails that Twilio received.
    pub inbound: u64,
    /// All emails created from the first of these times until the second one have been read.
    pub read_range: Option<(Timestamp, Timestamp)>,
    /// The counting mode of the account's stats that its emails have proven.
    pub counting_mode: Option<CountingMode>,
}

/// One saved email.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedEmail {
    /// Its id.
    pub id: EmailId,
    /// Its last status, whose outcomes the counters include.
    pub status: EmailStatus,
    /// A number that identifies its operation; 0: none.
    pub operation: u64,
    /// The number of its provider.
    pub provider: u8,
    /// The number of its recipient's domain.
    pub recipient: u16,
    /// The number of its sender's domain.
    pub sender: u16,
    /// When it was sent, in seconds since 1970; 0: not known, or not any more.
    pub sent_at: u32,
}

/// What a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// A mailbox provider.
    Provider,
    /// The domain of recipients.
    RecipientDomain,
    /// The domain of a sender.
    SenderDomain,
    /// The value of a label of operations, as `label=value`. No email refers to its number.
    Label,
}

/// A name and its counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedName {
    /// What it is.
    pub kind: NameKind,
    /// The number by which emails refer to it.
    pub number: u16,
    /// The name.
    pub name: Box<str>,
    /// The time until which its counters are exposed as 0; `None`: they are exposed as they are.
    pub zero_until: Option<Timestamp>,
    /// Its counters, at most 61. Zeros at the end may be missing.
    pub counts: Vec<u64>,
}

/// The content of one transaction.
#[derive(Debug, Clone, Copy)]
pub struct EmailBatch<'a> {
    /// The account's name in the configuration.
    pub account: &'a str,
    /// The state of its emails.
    pub standing: &'a SavedEmails,
    /// The emails that changed.
    pub emails: &'a [SavedEmail],
    /// The names whose counters changed.
    pub names: &'a [SavedName],
    /// The names of the kind [`NameKind::Label`] that are deleted.
    pub removed_labels: &'a [Box<str>],
    /// The [generation](crate::store::Store::generation) in which all emails were last saved: the batch has what changed since.
    pub generation: u64,
}
