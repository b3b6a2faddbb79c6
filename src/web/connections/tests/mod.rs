//! Connections that exceed a limit, over pipes in memory and with tokio's paused time.

mod clients;
mod encrypted;
mod http_2;
mod malformed;
mod tls;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch::Sender};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::exposition::{Build, Instruments};

const LIMITS: ConnectionLimits = ConnectionLimits {
    request: Duration::from_secs(10),
    idle: Duration::from_mins(5),
    write: Duration::from_mins(1),
    connections: 3,
    of_client: 2,
};
const GET: &[u8] = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_LARGE: &[u8] = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
const LARGE: usize = 10_000;
/// The capacity of a pipe, in bytes.
const PIPE: usize = 1_000;

/// A listener that accepts the test's pipes.
struct Pipes {
    incoming: UnboundedReceiver<io::Result<(DuplexStream, ClientAddress)>>,
    accepted: Arc<AtomicUsize>,
}

impl Listener for Pipes {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let Poll::Ready(Some(next)) = self.incoming.poll_recv(context) else {
            return Poll::Pending;
        };
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(next.map(|(stream, address)| Accepted {
            stream: Box::new(stream),
            address,
        }))
    }
}

struct Scene {
    incoming: UnboundedSender<io::Result<(DuplexStream, ClientAddress)>>,
    accepted: Arc<AtomicUsize>,
    connections: Arc<Connections>,
    instruments: ConnectionInstruments,
    /// Releases the responses of `/slow`.
    go: Arc<Notify>,
    stop: Sender<bool>,
    serving: JoinHandle<()>,
}

impl Scene {
    fn new(limits: ConnectionLimits) -> Self {
        Self::with_tls(limits, None)
    }

    fn with_tls(limits: ConnectionLimits, tls: Option<Arc<dyn TlsSource>>) -> Self {
        let build = Build {
            version: "1",
            revision: "a",
        };
        let instruments = Instruments::new(build).unwrap().connections();
        let connections = Connections::new(limits, instruments.clone(), tls);
        let go = Arc::new(Notify::new());
        let slow = async |State(go): State<Arc<Notify>>| {
            go.notified().await;
            "late"
        };
        let client = async |Extension(client): Extension<ConnectedClient>| format!("{client:?}");
        let router = Router::new()
            .route("/quick", get(async || "quick"))
            .route("/slow", get(slow))
            .route("/large", get(async || "x".repeat(LARGE)))
            .route("/huge", get(async || "x".repeat(10 * LARGE)))
            .route("/large-body", get(StatusCode::PAYLOAD_TOO_LARGE))
            .route("/slow-body", get(StatusCode::REQUEST_TIMEOUT))
            .route("/client", get(client))
            .with_state(Arc::clone(&go));
        let (incoming, received) = unbounded_channel();
        let accepted = Arc::new(AtomicUsize::new(0));
        let listener = Box::new(Pipes {
            incoming: received,
            accepted: Arc::clone(&accepted),
        });
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let serving = tokio::spawn(Arc::clone(&connections).serve(listener, router, stopped));
        Self {
            incoming,
            accepted,
            connections,
            instruments,
            go,
            stop,
            serving,
        }
    }

    fn connect(&self) -> DuplexStream {
        self.connect_from(ClientAddress::Unix)
    }

    fn connect_from(&self, address: ClientAddress) -> DuplexStream {
        let (client, server) = duplex(PIPE);
        self.incoming.send(Ok((server, address))).unwrap();
        client
    }

    /// A connection on which the exporter has read `bytes`.
    async fn connect_and_send(&self, bytes: &[u8]) -> DuplexStream {
        let mut client = self.connect();
        client.write_all(bytes).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        client
    }

    /// The reasons that are not 0, with their counts.
    fn closed(&self) -> Vec<(&'static str, u64)> {
        let counts = Closed::ALL.map(|reason| (reason.as_str(), self.instruments.count(reason)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// Reads one response of `/quick`.
async fn read_quick(client: &mut DuplexStream) {
    let mut text = Vec::new();
    while !text.ends_with(b"quick") {
        assert!(client.read_buf(&mut text).await.unwrap() > 0, "{text:?}");
    }
    assert!(text.starts_with(b"HTTP/1.1 200 "), "{text:?}");
}

/// Waits until the connection is closed. Returns how long that took.
async fn until_closed(client: &mut DuplexStream) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    // An error means that it was closed as well.
    let _ = client.read_to_end(&mut rest).await;
    began.elapsed()
}

fn about(wanted: Duration, took: Duration) {
    let range = wanted..wanted + Duration::from_millis(50);
    assert!(range.contains(&took), "{took:?}, wanted {wanted:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_complete_request_is_closed() {
    let scene = Scene::new(LIMITS);
    for sent in [&b""[..], b"G", &GET[..GET.len() - 1]] {
        let mut client = scene.connect_and_send(sent).await;
        about(
            LIMITS.request,
            until_closed(&mut client).await + Duration::from_millis(1),
        );
    }
    assert_eq!(scene.closed(), [("no_request", 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_connections_that_send_one_byte_per_second_are_closed() {
    let limits = ConnectionLimits {
        connections: 1000,
        ..LIMITS
    };
    let scene = Scene::new(limits);
    let began = Instant::now();
    let clients = (0..1000).map(|_| {
        let mut client = scene.connect();
        tokio::spawn(async move {
            for byte in std::iter::repeat(b'x') {
                if client.write_all(&[byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_secs(1)).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(scene.closed(), [("no_request", 1000)]);
    read_quick(&mut scene.connect_and_send(GET).await).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_stays_open_over_scrape_intervals_and_is_closed_at_its_limit() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect();
    for pause in [0, 15, 60, 299] {
        sleep(Duration::from_secs(pause)).await;
        client.write_all(GET).await.unwrap();
        read_quick(&mut client).await;
    }
    about(LIMITS.idle, until_closed(&mut client).await);
    assert_eq!(scene.closed(), [("idle", 1)]);
    // The next request has the same limit as the first one.
    let mut client = scene.connect_and_send(GET).await;
    read_quick(&mut client).await;
    sleep(Duration::from_mins(4)).await;
    client.write_all(&GET[..5]).await.unwrap();
    about(LIMITS.request, until_closed(&mut client).await);
    assert_eq!(scene.closed(), [("no_request", 1), ("idle", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_disconnected_and_one_that_reads_slowly_is_not() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect_and_send(GET_LARGE).await;
    let began = Instant::now();
    let mut read = Vec::new();
    while read.len() < LARGE {
        sleep(Duration::from_secs(50)).await;
        assert!(client.read_buf(&mut read).await.unwrap() > 0);
    }
    assert!(began.elapsed() > 4 * LIMITS.write, "{:?}", began.elapsed());
    assert_eq!(scene.closed(), []);
    let mut client = scene.connect_and_send(GET_LARGE).await;
    sleep(LIMITS.write + Duration::from_secs(1)).await;
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    assert!(rest.len() <= PIPE, "what was in the pipe: {}", rest.len());
    assert_eq!(scene.closed(), [("not_read", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_response_does_not_close_the_connection() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect_and_send(GET_SLOW).await;
    sleep(Duration::from_mins(20)).await;
    scene.go.notify_one();
    let mut text = Vec::new();
    while !text.ends_with(b"late") {
        assert!(client.read_buf(&mut text).await.unwrap() > 0);
    }
    assert_eq!(scene.closed(), []);
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_the_connection_that_was_idle_for_longest_is_closed() {
    let scene = Scene::new(LIMITS);
    let mut slow = scene.connect_and_send(GET_SLOW).await;
    let mut half = scene.connect_and_send(b"GET").await;
    let mut first = scene.connect_and_send(GET).await;
    read_quick(&mut first).await;
    assert_eq!(scene.closed(), []);
    let mut second = scene.connect_and_send(GET).await;
    read_quick(&mut second).await;
    assert_eq!(until_closed(&mut half).await, Duration::ZERO);
    let mut third = scene.connect_and_send(GET).await;
    read_quick(&mut third).await;
    assert_eq!(until_closed(&mut first).await, Duration::ZERO);
    assert_eq!(scene.closed(), [("too_many", 2)]);
    // A connection whose request waits for its response is never closed to make room for another one.
    let _others = [
        scene.connect_and_send(GET_SLOW).await,
        scene.connect_and_send(GET_SLOW).await,
    ];
    let mut one_more = scene.connect_and_send(GET).await;
    assert_eq!(until_closed(&mut one_more).await, Duration::ZERO);
    assert_eq!(scene.closed(), [("too_many", 5)]);
    scene.go.notify_one();
    let mut text = Vec::new();
    while !text.ends_with(b"late") {
        assert!(slow.read_buf(&mut text).await.unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_a_client_that_does_not_read_is_disconnected() {
    let scene = Scene::new(LIMITS);
    let mut stuck = Vec::new();
    for _ in 0..3 {
        stuck.push(scene.connect_and_send(GET_LARGE).await);
    }
    let mut refused = scene.connect_and_send(GET).await;
    assert_eq!(
        until_closed(&mut refused).await,
        Duration::ZERO,
        "they may still read"
    );
    sleep(Duration::from_secs(2)).await;
    read_quick(&mut scene.connect_and_send(GET).await).await;
    assert_eq!(scene.closed(), [("too_many", 2)]);
}

#[tokio::test(start_paused = true)]
async fn without_file_descriptors_accepting_waits_and_continues_when_there_are_some() {
    let scene = Scene::new(LIMITS);
    let mut idle = scene.connect_and_send(GET).await;
    read_quick(&mut idle).await;
    let began = Instant::now();
    // EMFILE.
    for _ in 0..20 {
        scene
            .incoming
            .send(Err(io::Error::from_raw_os_error(24)))
            .unwrap();
    }
    read_quick(&mut scene.connect_and_send(GET).await).await;
    assert!(began.elapsed() >= 19 * RETRY_WAIT, "{:?}", began.elapsed());
    assert_eq!(
        until_closed(&mut idle).await,
        Duration::ZERO,
        "it closed an idle connection"
    );
    assert_eq!(scene.closed(), [("not_accepted", 20)]);
    assert_eq!(
        scene.connections.open.lock().logged.map(|(_, more)| more),
        Some(19),
        "logged once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_disconnects_before_it_is_accepted_causes_no_wait() {
    let scene = Scene::new(LIMITS);
    let began = Instant::now();
    for kind in [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
    ] {
        scene.incoming.send(Err(kind.into())).unwrap();
    }
    read_quick(&mut scene.connect_and_send(GET).await).await;
    assert!(began.elapsed() < RETRY_WAIT);
    assert_eq!(scene.closed(), []);
    assert_eq!(scene.accepted.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_failure_is_logged_once_a_minute() {
    let mut open = Open::default();
    let mut logged = Vec::new();
    for _ in 0..150 {
        open.log(|times| logged.push(times));
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(logged, [1, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_idle_connections_and_waits_for_responses() {
    let scene = Scene::new(LIMITS);
    let mut idle = scene.connect_and_send(GET).await;
    read_quick(&mut idle).await;
    let mut slow = scene.connect_and_send(GET_SLOW).await;
    scene.stop.send_replace(true);
    assert_eq!(until_closed(&mut idle).await, Duration::ZERO);
    sleep(Duration::from_secs(1)).await;
    assert!(!scene.serving.is_finished());
    scene.go.notify_one();
    let mut text = Vec::new();
    slow.read_to_end(&mut text).await.unwrap();
    assert!(text.ends_with(b"late"));
    scene.serving.await.unwrap();
    assert_eq!(scene.connections.open.lock().len(), 0);
}
