//! Accepts connections and serves HTTP on them, within limits. A client that opens connections without requests, or does not
//! read its responses, never prevents a scrape: the connection without a request that was idle for longest is closed.

mod body;
mod client;
mod http;
mod limits;
mod listener;
mod open;
mod phase;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use parking_lot::Mutex;
use tokio::sync::watch::Receiver;
use tokio::time::sleep;
use tokio_util::task::TaskTracker;

pub(in crate::web) use self::client::network_of;
pub use self::client::{ClientAddress, ConnectedClient};
use self::http::{Shared, until};
pub use self::limits::ConnectionLimits;
pub use self::listener::{Accepted, ClientStream, Listener};
use self::open::Open;
use self::phase::Watch;
pub use self::tls::TlsSource;
use crate::exposition::{Closed, ConnectionInstruments};

/// The wait after the system could not accept a connection and none could be closed. A shorter wait would use CPU for nothing.
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// The wait after an idle connection was closed: its task has to finish first.
const RETRY_WAIT_AFTER_CLOSE: Duration = Duration::from_millis(5);

/// The open connections of all listeners.
pub struct Connections {
    limits: ConnectionLimits,
    instruments: ConnectionInstruments,
    tls: Option<Arc<dyn TlsSource>>,
    open: Mutex<Open>,
    tasks: TaskTracker,
}

impl Connections {
    /// A set without connections. With `tls`, all connections are encrypted.
    #[must_use]
    pub fn new(
        limits: ConnectionLimits,
        instruments: ConnectionInstruments,
        tls: Option<Arc<dyn TlsSource>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            limits,
            instruments,
            tls,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Serves `router` until `stopped` is true. Then it closes idle connections immediately and the others after their
    /// response, and returns when all are closed. Each request has a [`ConnectedClient`] in its extensions.
    pub async fn serve(
        self: Arc<Self>,
        mut listener: Box<dyn Listener>,
        router: Router,
        mut stopped: Receiver<bool>,
    ) {
        let shared = Shared {
            router,
            limits: self.limits,
            instruments: self.instruments.clone(),
            stopped: stopped.clone(),
            tasks: self.tasks.clone(),
        };
        loop {
            let accepted = tokio::select! {
                accepted = poll_fn(|context| listener.poll_accept(context)) => accepted,
                () = until(&mut stopped) => break,
            };
            match accepted {
                Ok(accepted) => self.admit(accepted, shared.clone()),
                Err(error) if is_client_error(&error) => {}
                Err(error) => {
                    let pause = self.cannot_accept(&error);
                    tokio::select! {
                        () = sleep(pause) => {}
                        () = until(&mut stopped) => break,
                    }
                }
            }
        }
        drop(listener);
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Serves a new connection. If too many are open, it first closes the one that was idle for longest.
    fn admit(self: &Arc<Self>, accepted: Accepted, shared: Shared) {
        let mut open = self.open.lock();
        let ip = accepted.address.ip().map(network_of);
        if let Some(ip) = ip.filter(|ip| open.of_client(*ip) >= self.limits.of_client) {
            let made_room = open.close_idle_of(ip);
            self.instruments.closed(Closed::TooManyOfClient);
            log_too_many(&mut open, self.limits.of_client);
            if !made_room {
                return;
            }
        } else if open.len() >= self.limits.connections {
            let made_room = open.close_idle();
            self.instruments.closed(Closed::TooMany);
            log_too_many(&mut open, self.limits.connections);
            if !made_room {
                return;
            }
        }
        let watch = Watch::new();
        let tls = self.tls.as_ref().map(|tls| tls.config());
        open.add(watch.clone(), ip, |number| {
            let this = Arc::clone(self);
            let task = self.tasks.spawn(async move {
                // This runs also when the task is aborted.
                let _remove = RemoveOnDrop(Arc::clone(&this), number);
                if let Some(reason) = http::run(accepted, tls, watch, shared).await {
                    this.instruments.closed(reason);
                    tracing::debug!(reason = reason.as_str(), "closed a connection");
                }
            });
            task.abort_handle()
        });
    }

    /// Closes the connection whose client has not read its response for longest. Returns false if all clients read.
    pub fn close_unread(&self) -> bool {
        let closed = self.open.lock().close_unread();
        if closed {
            self.instruments.closed(Closed::NotRead);
        }
        closed
    }

    /// Handles a failed accept, usually because no file descriptor is left: closes an idle connection. Returns how long to wait.
    fn cannot_accept(&self, error: &io::Error) -> Duration {
        self.instruments.closed(Closed::NotAccepted);
        let mut open = self.open.lock();
        let made_room = open.close_idle();
        open.log(|times| {
            tracing::error!(%error, times, "cannot accept connections; raise the limit of open files if that is the cause");
        });
        if made_room {
            RETRY_WAIT_AFTER_CLOSE
        } else {
            RETRY_WAIT
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("limits", &self.limits)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

fn log_too_many(open: &mut Open, most: usize) {
    open.log(|times| {
        tracing::warn!(
            most,
            times,
            "too many connections to the exporter are open; those without a request are closed"
        );
    });
}

/// Removes a connection from the open ones when it is dropped.
struct RemoveOnDrop(Arc<Connections>, u64);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        self.0.open.lock().remove(self.1);
    }
}

/// Whether the error is about one connection: its client has already disconnected.
fn is_client_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
