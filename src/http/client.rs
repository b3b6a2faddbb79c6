//! A pool of connections to one server. When a request gets no response on one of its connections, the pool is replaced, so that the
//! next request opens a new connection.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::PROXY_AUTHORIZATION;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;

use super::connector::{self, Connections, Connector};
use super::failure::{self, NoResponse};
use super::frame_budget::LARGEST_HEAD;
use super::informational::Informational;
use super::request::Request;

/// Idle connections are kept longer than any usual scrape interval, so that the next scrape reuses them.
const IDLE_TIMEOUT: Duration = Duration::from_secs(150);
/// The interval between pings on an HTTP/2 connection, also on an idle one. A dead connection is closed before the next usual scrape.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A connection on which a ping gets no response for this long is closed.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// The most header fields of a response with HTTP/1.1. Twilio sends about twenty.
const MOST_FIELDS: usize = 100;
/// The largest head of a response with HTTP/1.1, in bytes, and the most that one read returns. Twilio's heads have less than 2 KB.
const LARGEST_HTTP1_HEAD: usize = 64 * 1024;

/// The head of a response, and its body as a stream.
pub(crate) type Response = hyper::Response<Incoming>;

/// Makes requests to one server. It follows no redirect, because the credentials are for one server. It never repeats a request that
/// was sent, because every request must be counted and throttled.
pub(crate) struct HttpClient {
    connector: Connector,
    pool: Mutex<Pool>,
}

#[derive(Clone)]
struct Pool {
    client: Client<Connector, Full<Bytes>>,
    /// The number of earlier pools.
    number: u64,
}

/// One request, from its start until the response has been read. If it is dropped before (timeout, or the caller is gone), the pool is
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

/// A client without connections, with the limits of every client.
fn client(connector: &Connector) -> Client<Connector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http1_max_headers(MOST_FIELDS)
        .http1_max_buf_size(LARGEST_HTTP1_HEAD)
        .http2_only(connector.is_http2())
        .http2_max_header_list_size(LARGEST_HEAD)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        .build(connector.clone())
}

impl HttpClient {
    /// A client that opens connections with `connections`.
    pub(crate) fn new(connections: Connections) -> Self {
        Self::with(Connector::new(connections, false))
    }

    /// A client that uses HTTP/2 without TLS.
    #[cfg(test)]
    pub(super) fn http2(connections: Connections) -> Self {
        Self::with(Connector::new(connections, true))
    }

    fn with(connector: Connector) -> Self {
        let client = client(&connector);
        Self {
            connector,
            pool: Mutex::new(Pool { client, number: 0 }),
        }
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
        *pool = Pool {
            client: client(&self.connector),
            number: number + 1,
        };
    }
}

impl RequestGuard<'_> {
    /// Sends the request and returns the head of the response.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, FailedRequest> {
        let mut request = request.into_inner();
        let proxies = self.client.connector.proxies();
        if let Some(authorization) = proxies.authorization(request.uri()) {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, authorization);
        }
        let informational = Informational::of(&mut request);
        let sent = async {
            tokio::select! {
                biased;
                outcome = self.pool.client.request(request) => Some(outcome),
                // The connection of a request that is dropped is closed.
                () = informational.exceeded() => None,
            }
        };
        match connector::note_connecting(sent).await {
            (Some(Ok(response)), _) => Ok(response),
            (Some(Err(error)), connects) => Err(self.failed(&error, connects)),
            (None, _) => Err(FailedRequest {
                failure: failure::too_many_informational(),
                on_stale_connection: false,
            }),
        }
    }

    fn failed(&self, error: &Error, connects: bool) -> FailedRequest {
        let is_closed = failure::is_closed_without_response(error);
        if is_closed {
            // The other connections of the pool are as old. A new connection that rejects a request may reject all.
            self.client.replace(self.pool.number);
        }
        FailedRequest {
            failure: failure::failure(error),
            on_stale_connection: is_closed && !connects,
        }
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
