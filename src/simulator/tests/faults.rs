//! Faults, seen by a client.

use std::collections::HashSet;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// Much longer than a response on loopback takes.
const LIMIT: Duration = Duration::from_secs(10);
/// Longer than a response on loopback takes: without a byte until then, there is no response.
const SILENCE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_fault_affects_only_the_requests_of_its_scope() {
    let api = Api::new(usual(bulk(20)));
    let handle = api.simulator.handle();
    let fault = |text: &str| handle.fault(text.parse().unwrap());
    fault("list:page=2=503:retry-after-date=90:times=1");
    let (status, page) = api.get("/v1/Emails/Operations?pageSize=8").await;
    assert_eq!(status, StatusCode::OK);
    let token = page["pagination"]["next"].as_str().unwrap();
    let second = format!("{LIST}?pageSize=8&pageToken={token}");
    let request = Request::get(&second).header("authorization", BASIC);
    let (status, headers, _) = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(headers["retry-after"], "Sun, 05 Apr 2026 06:21:30 GMT");
    assert_eq!(api.get(&second).await.0, StatusCode::OK);

    fault("empty:times=1");
    assert_eq!(api.get(LIST).await.1["operations"], json!([]));
    fault("html:502:times=1");
    assert_eq!(api.get(LIST).await, (StatusCode::BAD_GATEWAY, Value::Null));
    fault("list=repeat-token:times=2");
    let next = |page: Value| page["pagination"]["next"].as_str().unwrap().to_owned();
    let again = next(api.get(LIST).await.1);
    let path = format!("{LIST}?pageToken={again}");
    assert_eq!(next(api.get(&path).await.1), again);
    fault("endless");
    let mut seen = HashSet::new();
    let mut path = LIST.to_owned();
    for _ in 0..5 {
        let token = next(api.get(&path).await.1);
        path = format!("{LIST}?pageToken={token}");
        assert!(seen.insert(token));
    }
    handle.clear_faults();
    assert_eq!(handle.faults(), []);
    fault("oversized:times=1");
    let request = Request::get(LIST).body(Body::empty()).unwrap();
    assert!(api.send(request).await.2.len() > 60 << 20);
}

/// A simulator of twenty operations that listens.
struct Served {
    handle: Handle,
    address: SocketAddr,
    server: JoinHandle<io::Result<()>>,
}

impl Served {
    async fn with(fault: &str) -> Self {
        let api = Api::new(usual(bulk(20)));
        api.simulator.handle().fault(fault.parse().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = api.simulator.clone();
        Self {
            handle: api.simulator.handle(),
            address: listener.local_addr().unwrap(),
            server: tokio::spawn(async move { simulator.serve(listener, pending()).await }),
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Everything that the server sends on a new connection after a request, until it closes the connection.
    async fn until_closed(&self) -> String {
        let mut stream = self.connect().await;
        request(&mut stream).await;
        let mut text = Vec::new();
        let read = timeout(LIMIT, stream.read_to_end(&mut text)).await;
        let _ = read.expect("the connection is closed");
        String::from_utf8(text).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn request(stream: &mut TcpStream) {
    let request = format!("GET {LIST} HTTP/1.1\r\nhost: x\r\nauthorization: {BASIC}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Reads the head of a response. Returns it with its `Content-Length`.
async fn head(stream: &mut TcpStream) -> (String, usize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(LIMIT, stream.read_u8()).await;
        head.push(byte.expect("a head in time").unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let promised = promised.unwrap().parse().unwrap();
    (head, promised)
}

/// Reads a whole response.
async fn response(stream: &mut TcpStream) -> String {
    let (head, length) = head(stream).await;
    let mut body = vec![0; length];
    let read = timeout(LIMIT, stream.read_exact(&mut body)).await;
    read.expect("a body in time").unwrap();
    head
}

/// Whether the server sends nothing and keeps the connection open.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn a_cut_response_has_half_of_its_content_length() {
    let text = Served::with("cut").await.until_closed().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let promised: usize = promised.unwrap().parse().unwrap();
    assert_eq!(body.len(), promised / 2);
}

#[tokio::test]
async fn a_connection_is_closed_after_the_number_of_bytes() {
    for (fault, wanted) in [("close", ""), ("close:0", ""), ("close:12", "HTTP/1.1 200")] {
        let served = Served::with(fault).await;
        assert_eq!(served.until_closed().await, wanted, "{fault}");
        served.handle.clear_faults();
        let mut stream = served.connect().await;
        request(&mut stream).await;
        assert!(
            response(&mut stream).await.starts_with("HTTP/1.1 200"),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn no_body_sends_the_headers_and_keeps_the_connection_open() {
    let served = Served::with("no-body").await;
    let mut stream = served.connect().await;
    request(&mut stream).await;
    let (head, promised) = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200") && promised > 100, "{head}");
    assert!(is_silent(&mut stream).await);
}

#[tokio::test]
async fn a_deaf_connection_responds_only_to_its_first_request_and_new_ones_work() {
    let served = Served::with("deaf").await;
    let mut first = served.connect().await;
    request(&mut first).await;
    response(&mut first).await;
    request(&mut first).await;
    assert!(is_silent(&mut first).await);
    // The server still reads.
    request(&mut first).await;
    let mut second = served.connect().await;
    request(&mut second).await;
    assert!(response(&mut second).await.starts_with("HTTP/1.1 200"));
    assert!(is_silent(&mut first).await);
    // A connection with a response before the fault gets none from then on.
    served.handle.clear_faults();
    request(&mut second).await;
    response(&mut second).await;
    served.handle.fault("deaf".parse().unwrap());
    request(&mut second).await;
    assert!(is_silent(&mut second).await);
}
