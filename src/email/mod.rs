//! One email: its id, status, times and domains. All values are validated, and nothing here does I/O or reads a clock.
//!
//! An address, a name, a subject or a body has no place in these types: of an address only the [`Domain`] is kept.

mod address;
mod counts;
mod domain;
mod first;
mod id;
mod provider_file;
mod providers;
mod status;
mod tags;

pub use counts::{DELIVERY_BUCKETS, DeliveryTimes, Outcomes, ProviderCounts};
pub use domain::Domain;
pub use first::{FirstEmail, can_be_scheduled};
pub use id::EmailId;
pub use providers::{ProviderId, Providers};
pub use status::EmailStatus;
pub use tags::Tags;

use crate::operation::OperationId;
use crate::timestamp::Timestamp;

/// One email as Twilio returned it (<https://www.twilio.com/docs/email/api/email-resource>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// Its id.
    pub id: EmailId,
    /// The operation that created it; `None` for inbound emails, and if Twilio did not return it.
    pub operation: Option<OperationId>,
    /// Its status.
    pub status: EmailStatus,
    /// `createdAt`, else the time in the id.
    pub created: Timestamp,
    /// `updatedAt`, if Twilio returned it: the time of the last status. A later status overwrites it.
    pub updated: Option<Timestamp>,
    /// `scheduledFor`, if the email is to be sent later.
    pub scheduled: Option<Timestamp>,
    /// The domain of `from`; `None` if the address has none.
    pub sender: Option<Domain>,
    /// The domain of `to`; `None` if the address has none.
    pub recipient: Option<Domain>,
    /// Its tags that are valid labels. No table keeps them.
    pub tags: Tags,
}
