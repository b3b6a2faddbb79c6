//! A pool of connections to one server. When a request gets no response on one of its connections, the pool is replaced, so that the
//! next request opens a new connection.

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

/// The longest time for opening a connection. The rest of the request's timeout is for the response.
const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections are kept longer than any usual scrape interval, so that the next scrape reuses them.
const IDLE: Duration = Duration::from_secs(150);
/// The interval between pings on an HTTP/2 connection, also an idle one, so that a dead connection is closed before the next usual
/// scrape.
const PING: Duration = Duration::from_secs(15);
/// The longest time for the response to a ping.
const PONG: Duration = Duration::from_secs(5);
/// The most header fields of a response with HTTP/1.1. Twilio sends about twenty. The library's buffer limits the head to about 400 KB.
const MOST_FIELDS: usize = 100;
/// The largest head of a response with HTTP/2, in bytes as in RFC 9113. Twilio's heads have less than 2 KB.
const LARGEST_HEAD: u32 = 16 * 1024;
/// The `User-Agent` header.
const USER_AGENT: &str = concat!("twilio-email-exporter/", env!("CARGO_PKG_VERSION"));

tokio::task_local! {
    /// Whether the request of this task opened a connection, or tried to.
    static CONNECTS: AtomicBool;
}

/// Builds the client of a pool.
type Make = dyn Fn() -> ClientBuilder + Send + Sync;

/// Makes requests to one server.
pub(crate) struct HttpClient {
    make: Box<Make>,
    pool: Mutex<Pool>,
}

#[derive(Clone)]
struct Pool {
    client: reqwest::Client,
    /// The number of earlier pools.
    number: u64,
}

/// One request, from sending until the response was read. If it is dropped before (timeout, or the caller is gone), the pool is
/// replaced: a connection without a response must not be used again.
pub(crate) struct RequestGuard<'a> {
    client: &'a HttpClient,
    pool: Pool,
    finished: bool,
}

/// A request that got no response.
#[derive(Debug)]
pub(crate) struct FailedRequest {
    pub(crate) failure: NoResponse,
    /// The server closed a reused connection without a response, maybe before it read the request. An idempotent request may be sent
    /// again; it uses a new connection.
    pub(crate) on_stale_connection: bool,
}

/// The settings of every client. It follows no redirect, because the credentials are for one server, and uses no proxy. It never
/// retries by itself, because every request must be counted and throttled.
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
    /// A client with the TLS configuration `tls`; `adjust` adds settings to those of every client.
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
            finished: false,
        }
    }

    /// Replaces the pool `number`, unless it was replaced already. Its current requests continue.
    fn replace(&self, number: u64) {
        let mut pool = self.pool.lock();
        if pool.number != number {
            return;
        }
        // Building succeeded before with the same settings. If it fails, the old pool stays.
        if let Ok(client) = (self.make)().build() {
            let number = number + 1;
            *pool = Pool { client, number };
        }
    }
}

impl RequestGuard<'_> {
    /// Sends the request and returns the head of the response.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, FailedRequest> {
        let sent = async {
            let outcome = self.pool.client.execute(request).await;
            let connects = CONNECTS.with(|connects| connects.load(Ordering::Relaxed));
            (outcome, connects)
        };
        let (outcome, connects) = CONNECTS.scope(AtomicBool::new(false), sent).await;
        outcome.map_err(|error| {
            let is_closed = failure::is_closed_without_response(&error);
            let stale = is_closed && !connects;
            if is_closed {
                // The other connections of the pool are as old. A new connection that rejects a request may reject all.
                self.client.replace(self.pool.number);
            }
            FailedRequest {
                failure: failure::failure(&error),
                on_stale_connection: stale,
            }
        })
    }

    /// Finishes the request: the response was read, or there is none.
    pub(crate) fn end(mut self) {
        self.finished = true;
    }
}

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.client.replace(self.pool.number);
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// Notes that a request opens a new connection. It runs in the task of the request.
fn note_connecting<To>(to: To) -> To {
    // Fails if the pool opens the connection in its own task, after the request got another connection.
    let _ = CONNECTS.try_with(|connects| connects.store(true, Ordering::Relaxed));
    to
}
