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
//! `token` answer them; `connection` carries them; `service` puts all this together with `access`, `fault` and `journal`.

mod access;
mod answer;
mod api_request;
mod connection;
mod creation_filter;
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
mod world;

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::timestamp::Timestamp;

pub use dialect::{
    ClientRefusal, Dialect, ErrorShape, Lifetimes, ListKey, PaginationStyle, Times, Words,
};
pub use fault::{Effect, Fault, FaultError, FaultScope, Odd, Parameter, RetryAfterHeader};
pub use handle::{Handle, Scripted};
pub use id::operation_id;
pub use journal::{Counts, RecordedRequest};
pub use settings::{ApiSettings, BasicLogin, SimulatorSettings, Traffic, WorldSettings};

use connection::{Connection, SimulatorListener};
use service::SimulatorState;

/// A simulated account and its API. The caller binds a listener for [`Simulator::serve`]. Clones are the same account.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<SimulatorState>,
}

impl Simulator {
    /// An account that starts now, by the given clock.
    pub fn new(
        settings: SimulatorSettings,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(SimulatorState::new(settings, Box::new(now))),
        }
    }

    /// Serves the API until `stop` ends, then closes idle connections and returns when the others are closed.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let service = self
            .router()
            .into_make_service_with_connect_info::<Connection>();
        axum::serve(SimulatorListener(listener), service)
            .with_graceful_shutdown(stop)
            .await
    }

    /// The API without connections: every request counts as the first one of its own.
    fn router(&self) -> Router {
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
