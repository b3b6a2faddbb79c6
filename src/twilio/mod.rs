//! Everything the exporter knows about Twilio's Email API: addresses, credentials, JSON, statuses, manners.
//!
//! It turns requests into [`Operation`](crate::operation::Operation)s or one [`ApiError`]; what to ask, and when, is the collector's.

mod access;
mod body;
mod client;
mod error;
mod exchange;
mod figure;
mod listing;
mod login_backoff;
mod pages;
mod pause;
mod row;
mod scan;
mod secret;
mod status;
mod tags;
mod throttle;
mod token;
mod tokens;
mod transport;
mod wire;

pub use client::{Client, PAGE_SIZE};
pub use error::{ApiError, RetryAfter};
pub use listing::Listing;
pub use pages::Rows;
pub use tags::Tags;
pub use transport::TransportError;
