//! Clients against servers that reject HTTP/2 requests, send invalid HTTP, or break connections.

mod bounds;
mod informational;
mod proxies;
mod silence;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Connections, HttpClient, NoResponse, Proxies, Request};

/// Sent by the servers. No error text may contain it.
const MARK: &str = "made-up-secret";
/// Longer than any response on this machine takes.
const SOON: Duration = Duration::from_secs(10);

/// Serves each connection by `serve`, which gets the number of earlier connections. Returns the address and the count.
async fn server<Serving>(
    serve: impl Fn(TcpStream, usize) -> Serving + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    Serving: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, count.fetch_add(1, Ordering::SeqCst)));
        }
    });
    (address, connections)
}

fn http2() -> HttpClient {
    HttpClient::http2(trusting(RootCertStore::empty()))
}

fn http1(roots: RootCertStore) -> HttpClient {
    HttpClient::new(trusting(roots))
}

fn trusting(roots: RootCertStore) -> Connections {
    let tls = super::tls().unwrap();
    Connections {
        tls: tls.with_root_certificates(roots).with_no_client_auth(),
        proxies: Proxies::default(),
        host: None,
    }
}

fn get(url: &str) -> Request {
    Request::get(&url.parse().unwrap()).unwrap()
}

/// Requests `url` with the timeout `limit`. `None` after the timeout.
async fn request(
    client: &HttpClient,
    url: &str,
    limit: Duration,
) -> Option<Result<u16, NoResponse>> {
    let exchange = async {
        let guard = client.guard();
        let outcome = match guard.send(get(url)).await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(none) => Err(none.failure),
        };
        guard.end();
        outcome
    };
    tokio::time::timeout(limit, exchange).await.ok()
}

/// The reason why a request for `url` gets no response.
async fn failure(client: &HttpClient, url: &str) -> NoResponse {
    let failure = request(client, url, SOON).await.unwrap().unwrap_err();
    if let NoResponse::Tls(words) | NoResponse::Connect(words) | NoResponse::Protocol(words) =
        &failure
    {
        // The server must not determine the length of a log line.
        assert!(words.chars().count() <= 200, "{words}");
    }
    failure
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// `END_HEADERS` and `END_STREAM`.
const WHOLE: u8 = 5;
/// `:status: 200`, by its index in HPACK's table.
const STATUS_200: &[u8] = &[0x88];

/// An HTTP/2 server up to the head of the first request.
async fn request_over_http2(mut stream: TcpStream) -> TcpStream {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.unwrap();
        if head[3] == HEADERS {
            return stream;
        }
    }
}

/// An HTTP/2 server: reads the head of one request, sends `response`, then only reads until the client disconnects.
async fn respond_with_frames(stream: TcpStream, response: Vec<u8>) {
    let mut stream = request_over_http2(stream).await;
    stream.write_all(&response).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn an_http2_error_is_reported_by_its_code_and_not_by_its_text() {
    let refusal = |code: u8, kind: u8| match kind {
        GOAWAY => frame(
            GOAWAY,
            0,
            0,
            &[&[0, 0, 0, 0, 0, 0, 0, code], MARK.as_bytes()].concat(),
        ),
        _ => frame(RST_STREAM, 0, 1, &[0, 0, 0, code]),
    };
    for (kind, code, expected) in [
        (
            GOAWAY,
            2,
            "the server closed the HTTP/2 connection (INTERNAL_ERROR)",
        ),
        (
            GOAWAY,
            11,
            "the server closed the HTTP/2 connection (ENHANCE_YOUR_CALM)",
        ),
        (
            GOAWAY,
            0,
            "the server closed the HTTP/2 connection (NO_ERROR)",
        ),
        (
            GOAWAY,
            99,
            "the server closed the HTTP/2 connection (code 99)",
        ),
        (
            RST_STREAM,
            1,
            "the server reset the HTTP/2 stream (PROTOCOL_ERROR)",
        ),
        (
            RST_STREAM,
            7,
            "the server reset the HTTP/2 stream (REFUSED_STREAM)",
        ),
    ] {
        let answer = refusal(code, kind);
        let (address, connections) =
            server(move |stream, _| respond_with_frames(stream, answer.clone())).await;
        let failure = failure(&http2(), &format!("http://{address}/")).await;
        assert_eq!(failure, NoResponse::Protocol(expected.to_owned()));
        // A request on a new connection is never repeated, not even by the library.
        assert_eq!(connections.load(Ordering::SeqCst), 1, "{expected}");
    }
}

#[tokio::test]
async fn invalid_http_is_reported_and_not_quoted() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", MARK.repeat(100_000));
    for (answer, expected) in [
        (
            format!("SSH-2.0-{MARK}\r\n\r\n"),
            "the head of the response is invalid",
        ),
        (
            format!("HTTP/1.1 2x0 {MARK}\r\n\r\n"),
            "the status of the response is invalid",
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\nx: {MARK}\r\n\r\n"
            ),
            "the head of the response is invalid",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{MARK}: \0\r\n\r\n"),
            "the head of the response is invalid",
        ),
        (long, "the head of the response is too large"),
    ] {
        let (address, _) = server(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
        let client = http1(RootCertStore::empty());
        let failure = failure(&client, &format!("http://{address}/")).await;
        assert_eq!(failure, NoResponse::Protocol(expected.to_owned()));
    }
}

#[tokio::test]
async fn a_broken_connection_is_reported_by_the_kind_of_error() {
    let client = || http1(RootCertStore::empty());
    let (closing, _) = server(|mut stream, _| async move {
        let _ = stream.read(&mut [0; 1024]).await;
    })
    .await;
    let failed = failure(&client(), &format!("http://{closing}/")).await;
    let closed = "the server closed the connection without a response";
    assert_eq!(failed, NoResponse::Connect(closed.to_owned()));
    let (resetting, _) = server(|stream, _| async move {
        stream.readable().await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let failed = failure(&client(), &format!("http://{resetting}/")).await;
    assert_eq!(failed, NoResponse::Connect("connection reset".to_owned()));
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let failed = failure(&client(), &format!("http://{nobody}/")).await;
    assert_eq!(failed, NoResponse::Connect("connection refused".to_owned()));
    let failed = failure(&client(), "http://made-up.invalid/").await;
    assert_eq!(
        failed,
        NoResponse::Connect("the name of the host cannot be resolved".to_owned())
    );
}

#[tokio::test]
async fn a_certificate_is_never_quoted_however_many_names_it_has() {
    let names: Vec<_> = (0..1500)
        .map(|number| format!("{MARK}-{number}.example.com"))
        .collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let server_tls = rustls::ServerConfig::builder_with_provider(super::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(server_tls));
    let (address, _) = server(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let _ = acceptor.accept(stream).await;
        }
    })
    .await;
    let mut roots = RootCertStore::empty();
    let (trusted, unknown) = (
        {
            roots.add(certificate.der().clone()).unwrap();
            roots
        },
        RootCertStore::empty(),
    );
    for (roots, expected) in [
        (
            trusted,
            "the server's certificate is not valid for the host's name",
        ),
        (
            unknown,
            "the server's certificate was signed by an unknown authority",
        ),
    ] {
        let client = http1(roots);
        let failure = failure(&client, &format!("https://{address}/")).await;
        assert_eq!(failure, NoResponse::Tls(expected.to_owned()));
    }
}

#[tokio::test]
async fn invalid_tls_is_reported_and_not_quoted() {
    let (address, _) = server(|mut stream, _| async move {
        let _ = stream
            .write_all(format!("220 {MARK} ESMTP\r\n").as_bytes())
            .await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let client = http1(RootCertStore::empty());
    let failure = failure(&client, &format!("https://{address}/")).await;
    assert_eq!(
        failure,
        NoResponse::Tls("the server does not use TLS".to_owned())
    );
}
