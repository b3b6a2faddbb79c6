//! Connections of every bad kind, over pipes in memory and in time that only the test moves.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, watch::Sender};
use tokio::task::JoinHandle;

use super::*;
use crate::exposition::{Build, Instruments};

const LIMITS: ConnectionLimits = ConnectionLimits {
    request: Duration::from_secs(10),
    idle: Duration::from_mins(5),
    write: Duration::from_mins(1),
    connections: 3,
};
const GET: &[u8] = b"GET /quick HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_LARGE: &[u8] = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
const LARGE: usize = 10_000;
/// What a pipe holds.
const PIPE: usize = 1_000;

/// Gives what the test sends.
struct Pipes {
    incoming: tokio::sync::Mutex<UnboundedReceiver<io::Result<DuplexStream>>>,
    accepted: Arc<AtomicUsize>,
}

impl Listener for Pipes {
    type Io = DuplexStream;

    async fn accept(&self) -> io::Result<DuplexStream> {
        let next = self.incoming.lock().await.recv().await;
        self.accepted.fetch_add(1, Ordering::Relaxed);
        match next {
            Some(next) => next,
            None => std::future::pending().await,
        }
    }
}

struct Scene {
    incoming: UnboundedSender<io::Result<DuplexStream>>,
    accepted: Arc<AtomicUsize>,
    connections: Arc<Connections>,
    instruments: ConnectionInstruments,
    /// Lets slow answers go.
    go: Arc<Notify>,
    stop: Sender<bool>,
    serving: JoinHandle<()>,
}

impl Scene {
    fn new(limits: ConnectionLimits) -> Self {
        let build = Build {
            version: "1",
            revision: "a",
        };
        let instruments = Instruments::new(build).unwrap().connections();
        let connections = Connections::new(limits, instruments.clone());
        let go = Arc::new(Notify::new());
        let slow = async |State(go): State<Arc<Notify>>| {
            go.notified().await;
            "late"
        };
        let router = Router::new()
            .route("/quick", get(async || "quick"))
            .route("/slow", get(slow))
            .route("/large", get(async || "x".repeat(LARGE)))
            .with_state(Arc::clone(&go));
        let (incoming, received) = unbounded_channel();
        let accepted = Arc::new(AtomicUsize::new(0));
        let listener = Pipes {
            incoming: tokio::sync::Mutex::new(received),
            accepted: Arc::clone(&accepted),
        };
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
        let (client, server) = duplex(PIPE);
        self.incoming.send(Ok(server)).unwrap();
        client
    }

    /// A connection on which this was sent, and the exporter has read it.
    async fn connect_and_send(&self, bytes: &[u8]) -> DuplexStream {
        let mut client = self.connect();
        client.write_all(bytes).await.unwrap();
        sleep(Duration::from_millis(1)).await;
        client
    }

    fn closed(&self) -> [u64; 5] {
        Closed::ALL.map(|reason| self.instruments.count(reason))
    }
}

/// Reads one answer of `/quick`.
async fn answer(client: &mut DuplexStream) {
    let mut text = Vec::new();
    while !text.ends_with(b"quick") {
        assert!(client.read_buf(&mut text).await.unwrap() > 0, "{text:?}");
    }
    assert!(text.starts_with(b"HTTP/1.1 200 "), "{text:?}");
}

/// Waits for the end of a connection; how long it took.
async fn until_closed(client: &mut DuplexStream) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    // Cut off or ended.
    let _ = client.read_to_end(&mut rest).await;
    began.elapsed()
}

fn about(wanted: Duration, took: Duration) {
    let range = wanted..wanted + Duration::from_millis(50);
    assert!(range.contains(&took), "{took:?}, wanted {wanted:?}");
}

#[tokio::test(start_paused = true)]
async fn who_sends_nothing_or_half_a_request_is_closed() {
    let scene = Scene::new(LIMITS);
    for sent in [&b""[..], b"G", &GET[..GET.len() - 1]] {
        let mut client = scene.connect_and_send(sent).await;
        about(
            LIMITS.request,
            until_closed(&mut client).await + Duration::from_millis(1),
        );
    }
    assert_eq!(scene.closed(), [3, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_that_send_one_byte_a_second_are_closed() {
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
    assert_eq!(scene.closed(), [1000, 0, 0, 0, 0]);
    answer(&mut scene.connect_and_send(GET).await).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_outlives_scrape_intervals_and_then_is_closed() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect();
    for pause in [0, 15, 60, 299] {
        sleep(Duration::from_secs(pause)).await;
        client.write_all(GET).await.unwrap();
        answer(&mut client).await;
    }
    about(LIMITS.idle, until_closed(&mut client).await);
    assert_eq!(scene.closed(), [0, 1, 0, 0, 0]);
    // The next request has as little time as the first one.
    let mut client = scene.connect_and_send(GET).await;
    answer(&mut client).await;
    sleep(Duration::from_mins(4)).await;
    client.write_all(&GET[..5]).await.unwrap();
    about(LIMITS.request, until_closed(&mut client).await);
    assert_eq!(scene.closed(), [1, 1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_the_answer_is_closed_and_who_reads_slowly_is_not() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect_and_send(GET_LARGE).await;
    let began = Instant::now();
    let mut read = Vec::new();
    while read.len() < LARGE {
        sleep(Duration::from_secs(50)).await;
        assert!(client.read_buf(&mut read).await.unwrap() > 0);
    }
    assert!(began.elapsed() > 4 * LIMITS.write, "{:?}", began.elapsed());
    assert_eq!(scene.closed(), [0; 5]);
    let mut client = scene.connect_and_send(GET_LARGE).await;
    sleep(LIMITS.write + Duration::from_secs(1)).await;
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    assert!(rest.len() <= PIPE, "what was in the pipe: {}", rest.len());
    assert_eq!(scene.closed(), [0, 0, 1, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_its_time() {
    let scene = Scene::new(LIMITS);
    let mut client = scene.connect_and_send(GET_SLOW).await;
    sleep(Duration::from_mins(20)).await;
    scene.go.notify_one();
    let mut text = Vec::new();
    while !text.ends_with(b"late") {
        assert!(client.read_buf(&mut text).await.unwrap() > 0);
    }
    assert_eq!(scene.closed(), [0; 5]);
}

#[tokio::test(start_paused = true)]
async fn one_too_many_takes_the_place_of_the_one_that_is_quiet_for_longest() {
    let scene = Scene::new(LIMITS);
    let mut slow = scene.connect_and_send(GET_SLOW).await;
    let mut half = scene.connect_and_send(b"GET").await;
    let mut first = scene.connect_and_send(GET).await;
    answer(&mut first).await;
    assert_eq!(scene.closed(), [0; 5]);
    let mut second = scene.connect_and_send(GET).await;
    answer(&mut second).await;
    assert_eq!(until_closed(&mut half).await, Duration::ZERO);
    let mut third = scene.connect_and_send(GET).await;
    answer(&mut third).await;
    assert_eq!(until_closed(&mut first).await, Duration::ZERO);
    assert_eq!(scene.closed(), [0, 0, 0, 2, 0]);
    // A request that waits for its answer is never closed for another one.
    let _others = [
        scene.connect_and_send(GET_SLOW).await,
        scene.connect_and_send(GET_SLOW).await,
    ];
    let mut one_more = scene.connect_and_send(GET).await;
    assert_eq!(until_closed(&mut one_more).await, Duration::ZERO);
    assert_eq!(scene.closed(), [0, 0, 0, 5, 0]);
    scene.go.notify_one();
    let mut text = Vec::new();
    while !text.ends_with(b"late") {
        assert!(slow.read_buf(&mut text).await.unwrap() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_makes_room_for_who_does() {
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
    answer(&mut scene.connect_and_send(GET).await).await;
    assert_eq!(scene.closed(), [0, 0, 0, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn without_descriptors_it_does_not_spin_and_goes_on_when_there_are_some() {
    let scene = Scene::new(LIMITS);
    let mut idle = scene.connect_and_send(GET).await;
    answer(&mut idle).await;
    let began = Instant::now();
    // EMFILE.
    for _ in 0..20 {
        scene
            .incoming
            .send(Err(io::Error::from_raw_os_error(24)))
            .unwrap();
    }
    answer(&mut scene.connect_and_send(GET).await).await;
    assert!(began.elapsed() >= 19 * RETRY_WAIT, "{:?}", began.elapsed());
    assert_eq!(
        until_closed(&mut idle).await,
        Duration::ZERO,
        "it gave its own back"
    );
    assert_eq!(scene.closed(), [0, 0, 0, 0, 20]);
    assert_eq!(
        scene.connections.open.lock().logged.map(|(_, more)| more),
        Some(19),
        "told once"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_before_it_was_accepted_costs_nothing() {
    let scene = Scene::new(LIMITS);
    let began = Instant::now();
    for kind in [
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::ConnectionReset,
    ] {
        scene.incoming.send(Err(kind.into())).unwrap();
    }
    answer(&mut scene.connect_and_send(GET).await).await;
    assert!(began.elapsed() < RETRY_WAIT);
    assert_eq!(scene.closed(), [0; 5]);
    assert_eq!(scene.accepted.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_same_trouble_is_logged_once_a_minute() {
    let mut open = Open::default();
    let mut logged = Vec::new();
    for _ in 0..150 {
        open.log(|times| logged.push(times));
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(logged, [1, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_idle_connections_and_waits_for_answers() {
    let scene = Scene::new(LIMITS);
    let mut idle = scene.connect_and_send(GET).await;
    answer(&mut idle).await;
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
    assert_eq!(scene.connections.open.lock().connections.len(), 0);
}
