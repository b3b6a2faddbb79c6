//! Twilio's Email API with a simulated account: for tests, load tests, `simulate` and `demo`.
//!
//! The account is a function of its settings, a seed, its start time and the current time, so a million generated operations use no
//! memory until they are read. Emails go through the statuses that Twilio documents
//! (<https://www.twilio.com/docs/email/api/operations-and-email-tracking>). [`Dialect`] selects undocumented variants, and
//! [`Fault`] makes requests fail. The simulator writes its JSON without the client's types, so that a misreading of the
//! documentation in one of the two fails a test.

// From the lowest module to the highest: `random`, `id` and `pace` are the basis; `life` computes stats from a spec and a time, and
// `email_life` the emails that they count; `stream` computes a spec from an index; `world` is the account; `api_request` parses
// requests; `response`, `list`, `email_list`, `send` and `token` write responses; `connection` carries them; `service` composes these
// with `access`, `fault` and `journal`.
mod access;
mod api_request;
mod connection;
mod creation_filter;
mod dialect;
mod email_life;
mod email_list;
mod encoding;
mod fault;
mod handle;
mod id;
mod journal;
mod life;
mod list;
mod mailbox;
mod pace;
mod random;
mod response;
mod scripted_email;
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
    ClientRefusal, Dialect, ErrorShape, Lifetimes, ListKey, PaginationStyle, Recipients, Times,
    Words,
};
pub use fault::{
    Effect, Fault, FaultError, FaultScope, InvalidValue, Parameter, RetryAfterHeader, WrongStatus,
};
pub use handle::{Handle, Scripted};
pub use id::operation_id;
pub use journal::{Counts, RecordedRequest, SentPage};
pub use mailbox::{MAILBOXES, Mailbox};
pub use scripted_email::{NamedOperation, ScriptedEmail};
pub use settings::{
    ApiSettings, BasicLogin, MailboxSettings, SimulatorSettings, Traffic, WorldSettings,
};

use connection::{Connection, SimulatorListener};
use service::SimulatorState;

/// A simulated account and its API. The caller binds a listener for [`Simulator::serve`]. Clones share the account.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<SimulatorState>,
}

impl Simulator {
    /// An account that starts now, by the clock `now`.
    pub fn new(
        settings: SimulatorSettings,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            shared: Arc::new(SimulatorState::new(settings, Box::new(now))),
        }
    }

    /// Serves the API until `stop` resolves, then closes idle connections and returns when the others are closed.
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

    /// The API without a listener: every request counts as the first one of a new connection.
    fn router(&self) -> Router {
        Router::new()
            .fallback(service::serve)
            .with_state(Arc::clone(&self.shared))
    }

    /// A handle that controls the account.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
        }
    }
}
