//! A pool of connections to one server. The pool is replaced when a request got no answer on one of its connections, so that
//! the next request opens a new one.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, Request, Response};
use rustls::ClientConfig;
use tower::util::MapRequestLayer;

use super::body;
use super::failure::{self, NoResponse};

/// How long a connection may take to come about; what is left of the request's own limit is for the answer.
const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections are kept longer than any usual scrape interval, so that a scrape finds them open.
const IDLE: Duration = Duration::from_secs(150);
/// How often an HTTP/2 connection is pinged, idle ones too: a dead one is closed before the next usual scrape.
const PING: Duration = Duration::from_secs(15);
/// How long the answer to a ping may take.
const PONG: Duration = Duration::from_secs(5);
/// The most fields of an answer's head, by HTTP/1.1. Twilio sends about twenty. The head has at most about 400 KB: that is the
/// fixed buffer of the library.
const MOST_FIELDS: usize = 100;
/// The largest head of an answer, by HTTP/2, as RFC 9113 counts its bytes. Twilio's have below 2 KB.
const LARGEST_HEAD: u32 = 16 * 1024;
/// The `User-Agent` header.
const USER_AGENT: &str = concat!("twilio-email-exporter/", env!("CARGO_PKG_VERSION"));

tokio::task_local! {
    /// Whether the request of this task made a connection, or tried to.
    static CONNECTS: AtomicBool;
}

/// What makes the client of a pool.
type Make = dyn Fn() -> ClientBuilder + Send + Sync;

/// Makes requests to one server.
pub(crate) struct HttpClient {
    make: Box<Make>,
    pool: Mutex<Pool>,
}

#[derive(Clone)]
struct Pool {
    client: reqwest::Client,
    /// How many pools there were before.
    number: u64,
}

/// One request, from when it is sent until its answer has been read. Dropped before its end (its time is up, or nobody waits
/// any more), it takes the pool with it: a connection that does not answer must not get the next request.
pub(crate) struct RequestGuard<'a> {
    client: &'a HttpClient,
    pool: Pool,
    ended: bool,
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) failure: NoResponse,
    /// The connection was an old one, and the server closed it before it answered: it may never have read the request. An
    /// idempotent request may be sent again; it gets a new connection.
    pub(crate) on_stale_connection: bool,
}

/// The settings of every client. It never follows a redirect, because credentials are for one place alone, and uses no proxy
/// that nobody configured. It repeats nothing by itself: every request is counted, and waits for its turn.
fn builder() -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(HeaderMap::from_iter([(
            ACCEPT_ENCODING,
            HeaderValue::from_static(body::ACCEPTED),
        )]))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .http1_max_headers(MOST_FIELDS)
        .http2_max_header_list_size(LARGEST_HEAD)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_keep_alive_while_idle(true)
        .connector_layer(MapRequestLayer::new(note_connecting))
}

impl HttpClient {
    /// Speaks TLS by `tls`; `adjust` adds settings to those of every client.
    pub(crate) fn new(
        tls: ClientConfig,
        adjust: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
    ) -> reqwest::Result<Self> {
        let make = move || adjust(builder().tls_backend_preconfigured(tls.clone()));
        let client = make().build()?;
        Ok(Self {
            make: Box::new(make),
            pool: Mutex::new(Pool { client, number: 0 }),
        })
    }

    /// Builds requests; a [`RequestGuard`] sends them.
    pub(crate) fn requests(&self) -> reqwest::Client {
        self.pool.lock().client.clone()
    }

    /// Starts a request.
    pub(crate) fn guard(&self) -> RequestGuard<'_> {
        RequestGuard {
            client: self,
            pool: self.pool.lock().clone(),
            ended: false,
        }
    }

    /// Replaces the pool `number`, unless that has happened. Requests that are under way in it go on.
    fn replace(&self, number: u64) {
        let mut pool = self.pool.lock();
        if pool.number != number {
            return;
        }
        // It was built once from the same, so this does not fail; if it did, the old pool would do.
        if let Ok(client) = (self.make)().build() {
            let number = number + 1;
            *pool = Pool { client, number };
        }
    }
}

impl RequestGuard<'_> {
    /// Sends the request and returns the head of its answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, NoAnswer> {
        let sent = async {
            let outcome = self.pool.client.execute(request).await;
            let connects = CONNECTS.with(|connects| connects.load(Ordering::Relaxed));
            (outcome, connects)
        };
        let (outcome, connects) = CONNECTS.scope(AtomicBool::new(false), sent).await;
        outcome.map_err(|error| {
            let is_closed = failure::is_closed_unanswered(&error);
            let stale = is_closed && !connects;
            if is_closed {
                // Its neighbours in the pool are as old; and a new one that refuses a request may refuse them all.
                self.client.replace(self.pool.number);
            }
            NoAnswer {
                failure: failure::failure(&error),
                on_stale_connection: stale,
            }
        })
    }

    /// The answer has been read, or there is none to wait for.
    pub(crate) fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.client.replace(self.pool.number);
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// Runs where a request asks for a new connection, in the task of that request.
fn note_connecting<To>(to: To) -> To {
    // Fails where the pool goes on connecting by itself, after the request got another connection.
    let _ = CONNECTS.try_with(|connects| connects.store(true, Ordering::Relaxed));
    to
}
