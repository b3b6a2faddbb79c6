//! Everything the exporter knows about Twilio's Email API: addresses, JSON, statuses, manners.
//!
//! It turns requests into [`Operation`](crate::operation::Operation)s or one [`ApiError`]; what to ask, and when, is the collector's.

mod body;
mod client;
mod error;
mod figure;
mod listing;
mod pages;
mod pause;
mod status;
mod throttle;
mod transport;
mod wire;

pub use client::Client;
pub use error::{ApiError, RetryAfter};
pub use listing::Listing;
pub use transport::TransportError;
