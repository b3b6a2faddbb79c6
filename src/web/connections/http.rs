//! Serves HTTP/1.1 or HTTP/2 on one connection, within its limits. A request whose length a proxy may read differently is the last one on
//! its connection.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;

use super::body::WatchedBody;
use super::client::ConnectedClient;
use super::limits::ConnectionLimits;
use super::listener::{Accepted, ClientStream};
use super::phase::{Watch, WatchedStream};
use super::tls::{self, Encrypted, HandshakeError};
use crate::exposition::{Closed, ConnectionInstruments, Refused};

/// The largest head of a request of HTTP/1.1. Browsers and proxies send a few KiB.
const LARGEST_HEAD: usize = 64 * 1024;
/// The largest head of a request of HTTP/2. Less than of HTTP/1.1, because a connection may have [`MOST_STREAMS`] of them.
const LARGEST_HTTP_2_HEAD: u32 = 16 * 1024;
/// The most requests of HTTP/2 on one connection at the same time. Prometheus sends all its probes on one connection; more of them
/// wait in Prometheus.
const MOST_STREAMS: u32 = 64;
/// What a client may send of one request's body before the exporter reads it: the size of a large registration.
const STREAM_WINDOW: u32 = 64 * 1024;
/// What a client may send of all bodies together before the exporter reads it.
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// What the exporter buffers of one response. The rest waits in its body.
const SEND_BUFFER: usize = 64 * 1024;

/// What all connections of a listener have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) limits: ConnectionLimits,
    pub(super) instruments: ConnectionInstruments,
    pub(super) stopped: Receiver<bool>,
    /// The tasks of connections and of HTTP/2 requests, which a stop waits for.
    pub(super) tasks: TaskTracker,
}

/// Serves one connection, with TLS if there is a configuration. Returns the reason if it has to be closed.
pub(super) async fn run(
    accepted: Accepted,
    tls: Option<Arc<ServerConfig>>,
    watch: Watch,
    mut shared: Shared,
) -> Option<Closed> {
    let Accepted { stream, address } = accepted;
    let stream = WatchedStream {
        io: stream,
        watch: watch.clone(),
    };
    let Some(config) = tls else {
        let client = ConnectedClient {
            address,
            certificates: None,
        };
        return serve_http_1(stream, client, &watch, shared).await;
    };
    let encrypted = tokio::select! {
        encrypted = tls::handshake(stream, config, address, &shared.limits) => encrypted,
        () = until(&mut shared.stopped) => return None,
    };
    match encrypted {
        Ok(Encrypted {
            stream,
            client,
            http_2,
        }) => {
            watch.encrypted(http_2);
            if http_2 {
                serve_http_2(stream, client, &watch, shared).await
            } else {
                serve_http_1(stream, client, &watch, shared).await
            }
        }
        Err(HandshakeError::Failed) => Some(Closed::TlsHandshake),
        Err(HandshakeError::Disconnected) => None,
    }
}

async fn serve_http_1(
    stream: impl ClientStream + 'static,
    client: ConnectedClient,
    watch: &Watch,
    shared: Shared,
) -> Option<Closed> {
    let service = service(&shared, client, watch.clone());
    let connection = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // On the heap, so that a connection uses its memory only from here on.
    let mut connection = Box::pin(connection);
    drive(
        connection.as_mut(),
        http1::Connection::graceful_shutdown,
        watch,
        shared,
    )
    .await
}

async fn serve_http_2(
    stream: impl ClientStream + 'static,
    client: ConnectedClient,
    watch: &Watch,
    shared: Shared,
) -> Option<Closed> {
    let service = service(&shared, client, watch.clone());
    let connection = http2::Builder::new(Tasks(shared.tasks.clone()))
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(LARGEST_HTTP_2_HEAD)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = Box::pin(connection);
    drive(
        connection.as_mut(),
        http2::Connection::graceful_shutdown,
        watch,
        shared,
    )
    .await
}

/// Serves requests with the router, and notes their phases in `watch`.
fn service(
    shared: &Shared,
    client: ConnectedClient,
    watch: Watch,
) -> impl Service<
    Request<Incoming>,
    Response = Response<WatchedBody>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<WatchedBody>, Infallible>> + Send + use<>,
> + use<> {
    let router = TowerToHyperService::new(shared.router.clone());
    let instruments = shared.instruments.clone();
    service_fn(move |mut request: Request<Incoming>| {
        let serving = watch.serving();
        request.extensions_mut().insert(client.clone());
        // A request may have both `Transfer-Encoding` and `Content-Length`, which a proxy may read differently (RFC 9112, section 6.1).
        // hyper removes the length, so every such request is the last one on its connection.
        let is_last = request.headers().contains_key(TRANSFER_ENCODING);
        let response = router.call(request);
        let instruments = instruments.clone();
        async move {
            let mut response = response.await?;
            match response.status() {
                StatusCode::PAYLOAD_TOO_LARGE => instruments.refused(Refused::LargeBody),
                StatusCode::REQUEST_TIMEOUT => instruments.refused(Refused::SlowBody),
                _ => {}
            }
            if is_last {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok(response.map(|body| WatchedBody::new(body, serving)))
        }
    })
}

/// Runs `connection` until it ends or exceeds a limit. When the exporter stops, calls `shut_down`.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    mut connection: Pin<&mut C>,
    shut_down: impl Fn(Pin<&mut C>),
    watch: &Watch,
    mut shared: Shared,
) -> Option<Closed> {
    let limits = shared.limits;
    let mut stop = pin!(until(&mut shared.stopped));
    let mut stopping = false;
    let mut timer = pin!(sleep_until(Instant::now()));
    poll_fn(|context| {
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
            shut_down(connection.as_mut());
        }
        if let Poll::Ready(end) = connection.as_mut().poll(context) {
            return Poll::Ready(end.err().and_then(|error| reason(&error)));
        }
        let Some((at, reason)) = watch.deadline(&limits, context) else {
            return Poll::Pending;
        };
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(context).map(|()| Some(reason))
    })
    .await
}

/// Why the exporter closed the connection; `None` if the client did.
fn reason(error: &hyper::Error) -> Option<Closed> {
    if error.is_parse_too_large() {
        Some(Closed::LargeHead)
    } else if error.is_parse() || breaks_http_2(error) {
        Some(Closed::Malformed)
    } else {
        None
    }
}

/// Whether the exporter closed the connection because the client broke the rules or the limits of HTTP/2.
fn breaks_http_2(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(<dyn Error>::downcast_ref);
    cause.is_some_and(h2::Error::is_library)
}

/// Waits until `stopped` is true. A dropped sender also means that the exporter stops.
pub(super) async fn until(stopped: &mut Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Runs the requests of HTTP/2 as tasks that a stop waits for.
#[derive(Clone)]
struct Tasks(TaskTracker);

impl<F> Executor<F> for Tasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}
