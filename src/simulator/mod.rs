//! Twilio's Email API over a simulated account: for tests, load tests, `simulate` and `demo`.
//!
//! The account is a function of its settings, a seed, the time it started and the time it is: nothing is stepped and
//! generated operations are not stored, so a million of them cost nothing until they are read. The clock is the
//! caller's. Emails pass through the statuses that Twilio documents
//! (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>); what it leaves open can be had in every
//! variant ([`Dialect`]), and what can go wrong goes wrong on demand ([`Fault`]).
//!
//! It writes its JSON without the client's types. Two readings of the same documentation do not cancel out.
//!
//! From the inside out: `random`, `id` and `pace` are the ground; `life` turns a spec and a moment into figures;
//! `stream` turns an index into a spec; `world` is the account; `call` reads requests, `answer`, `list`, `send` and
//! `token` answer them; `service` puts all this together with `access`, `fault` and `journal`.

mod access;
mod answer;
mod call;
mod dialect;
mod encoding;
mod fault;
mod handle;
mod id;
mod journal;
mod life;
mod list;
mod pace;
mod random;
mod send;
mod service;
mod settings;
mod spoil;
mod stream;
#[cfg(test)]
mod tests;
mod token;
mod window;
mod world;

use std::sync::Arc;

use axum::Router;

use crate::timestamp::Timestamp;

pub use dialect::{
    ClientRefusal, Dialect, ErrorShape, Lifetimes, ListKey, Pagination, Times, Words,
};
pub use fault::{Effect, Fault, FaultError, Odd, Parameter, RetryAfter, Scope};
pub use handle::{Handle, Scripted};
pub use id::operation_id;
pub use journal::{Counts, Seen};
pub use settings::{ApiSettings, BasicLogin, SimulatorSettings, Traffic, WorldSettings};

use service::Shared;

/// A simulated account and its API. The caller binds a listener and serves [`Simulator::router`].
pub struct Simulator {
    shared: Arc<Shared>,
}

impl Simulator {
    /// An account that starts now, by the given clock.
    pub fn new(
        settings: SimulatorSettings,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new(settings, Box::new(now))),
        }
    }

    /// The API.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(service::serve)
            .with_state(Arc::clone(&self.shared))
    }

    /// A handle on the running account.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
        }
    }
}
