//! Accepts connections and serves HTTP on them, within limits. A client that opens connections without requests, or does not read its
//! responses, never prevents a scrape: the connection without a request that was idle for longest is closed.

mod limits;
mod listener;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch::Receiver;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::TaskTracker;

pub use self::limits::ConnectionLimits;
pub use self::listener::Listener;
use self::watch::{Watch, WatchedBody, WatchedStream};
use crate::exposition::{Closed, ConnectionInstruments};

/// The wait after the system could not accept a connection and none could be closed. A shorter wait would use CPU for nothing.
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// The wait after an idle connection was closed: its task has to finish first.
const RETRY_WAIT_AFTER_CLOSE: Duration = Duration::from_millis(5);
/// The shortest time between two log messages about too many connections.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// The largest head of a request. Browsers and proxies send a few KiB.
const LARGEST_HEAD: usize = 64 * 1024;

/// The open connections of all listeners.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    instruments: ConnectionInstruments,
    open: Mutex<Open>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Open {
    /// By number, in the order in which they were accepted.
    connections: BTreeMap<u64, (Watch, AbortHandle)>,
    next: u64,
    /// When a failure was last logged, and the number of failures since.
    logged: Option<(Instant, u64)>,
}

impl Connections {
    /// No connections yet.
    #[must_use]
    pub fn new(limits: ConnectionLimits, instruments: ConnectionInstruments) -> Arc<Self> {
        Arc::new(Self {
            limits,
            instruments,
            open: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Serves `router` until `stopped` is true. Then it closes idle connections immediately and the others after their response, and
    /// returns when all are closed.
    pub async fn serve(
        self: Arc<Self>,
        listener: impl Listener,
        router: Router,
        mut stopped: Receiver<bool>,
    ) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = until(&mut stopped) => break,
            };
            match accepted {
                Ok(io) => self.admit(io, router.clone(), stopped.clone()),
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
    fn admit<I>(self: &Arc<Self>, io: I, router: Router, stopped: Receiver<bool>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut open = self.open.lock();
        if open.connections.len() >= self.limits.connections {
            let made_room = open.close_idle();
            self.instruments.closed(Closed::TooMany);
            open.log(|times| {
                tracing::warn!(
                    most = self.limits.connections,
                    times,
                    "too many connections to the exporter are open; those without a request are closed"
                );
            });
            if !made_room {
                return;
            }
        }
        let (watch, number) = (Watch::new(), open.next);
        open.next += 1;
        let this = Arc::clone(self);
        let watched = watch.clone();
        let task = self.tasks.spawn(async move {
            // This runs also when the task is aborted.
            let _remove = RemoveOnDrop(Arc::clone(&this), number);
            if let Some(reason) = run(io, router, watched, &this.limits, stopped).await {
                this.instruments.closed(reason);
                tracing::debug!(reason = reason.as_str(), "closed a connection");
            }
        });
        open.connections
            .insert(number, (watch, task.abort_handle()));
    }

    /// Handles a failed accept, usually because no file descriptor is left: closes an idle connection. Returns how long to wait.
    fn cannot_accept(&self, error: &io::Error) -> Duration {
        self.instruments.closed(Closed::NotAccepted);
        let mut open = self.open.lock();
        let made_room = open.close_idle();
        open.log(|times| {
            tracing::error!(%error, times, "connections to the exporter cannot be accepted; raise the limit of open files if it is that");
        });
        if made_room {
            RETRY_WAIT_AFTER_CLOSE
        } else {
            RETRY_WAIT
        }
    }
}

impl Open {
    /// Closes the connection that was idle for longest. Returns false if none is idle.
    fn close_idle(&mut self) -> bool {
        let idle = self.connections.iter().filter_map(|(number, (watch, _))| {
            let since = watch.idle_since()?;
            Some((since, *number))
        });
        let oldest = idle.min();
        let closed = oldest.and_then(|(_, number)| self.connections.remove(&number));
        closed.inspect(|(_, task)| task.abort()).is_some()
    }

    /// Calls `log` with the number of failures since the last call, at most once per `LOG_INTERVAL`.
    fn log(&mut self, log: impl FnOnce(u64)) {
        let now = Instant::now();
        match &mut self.logged {
            Some((last, times)) if now.duration_since(*last) < LOG_INTERVAL => *times += 1,
            logged => {
                let times = logged.map_or(1, |(_, times)| times + 1);
                *logged = Some((now, 0));
                log(times);
            }
        }
    }
}

/// Removes a connection from the open ones when it is dropped.
struct RemoveOnDrop(Arc<Connections>, u64);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        self.0.open.lock().connections.remove(&self.1);
    }
}

/// Serves one connection. Returns the reason if it exceeds a limit and has to be closed.
async fn run<I>(
    io: I,
    router: Router,
    watch: Watch,
    limits: &ConnectionLimits,
    mut stopped: Receiver<bool>,
) -> Option<Closed>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let requests = watch.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = requests.serving();
        let response = router.call(request);
        async move {
            let response = response.await?;
            Ok::<_, Infallible>(response.map(|body| WatchedBody {
                body,
                _serving: serving,
            }))
        }
    });
    let io = TokioIo::new(WatchedStream {
        io,
        watch: watch.clone(),
    });
    let connection = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let mut stop = pin!(until(&mut stopped));
    let mut stopping = false;
    let mut timer = pin!(sleep_until(Instant::now()));
    poll_fn(|context| {
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
            connection.as_mut().graceful_shutdown();
        }
        // An error here means that the client disconnected or sent no valid HTTP. The exporter has nothing to report then.
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let Some((at, reason)) = watch.deadline(limits) else {
            return Poll::Pending;
        };
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context).map(|()| Some(reason))
    })
    .await
}

/// Waits until `stopped` is true. A dropped sender also means that the exporter stops.
async fn until(stopped: &mut Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Whether the error is about one connection: its client has already disconnected.
fn is_client_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
