//! The client of Twilio's Email API: URLs, authentication, JSON, statuses, rate limits and pauses.
//!
//! A request returns [`Operation`](crate::operation::Operation)s or one [`ApiError`]. The collector decides which requests to make, and
//! when.

mod authenticator;
mod body;
mod client;
mod documented_row;
mod email_page;
mod email_row;
mod error;
mod first_email;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod http_status;
mod list_filter;
mod list_progress;
mod listing;
mod login_backoff;
mod operation_page;
mod pages;
mod pause;
mod requester;
mod resource;
mod row;
mod row_times;
mod scan;
mod secret;
mod stat_value;
mod throttle;
mod token;
mod tokens;
mod transport;
mod wire;

pub use client::{Client, PAGE_SIZE};
#[doc(hidden)]
pub use email_page::EmailPage;
pub use error::{ApiError, RetryAfter};
pub use list_filter::ListFilter;
pub use list_progress::Rows;
pub use listing::Listing;
#[doc(hidden)]
pub use operation_page::OperationPage;
pub use resource::{Resource, Row};
pub use transport::TransportError;
