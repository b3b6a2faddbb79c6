//! HTTP/2 over TLS on a connection on which the server stops responding: the request times out, and the next one uses a new connection and
//! succeeds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Response;
use h2::server::SendResponse;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use twilio_email_exporter::sources::SourceError;

use super::*;
use crate::sources::tls::{self, Authority, Identity};
use crate::support::client::{client, scrape};
use crate::support::eventually;
use crate::support::exporter::Files;
use crate::support::program::{Program, command};
use crate::support::twilio::Twilio;

/// A list without operations.
const EMPTY: &str = r#"{"operations": [], "pagination": {"next": null}}"#;
const TIMEOUT: Duration = Duration::from_millis(500);

/// The server's behavior on its first connection. It responds on all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// Responds to one request, and only reads the others.
    AnswersOnce,
    /// Sends heads without their bodies.
    SendsHeads,
    /// Allows no request: `SETTINGS_MAX_CONCURRENT_STREAMS` is 0.
    AllowsNone,
}

const ALL: [First; 3] = [First::AnswersOnce, First::SendsHeads, First::AllowsNone];

/// The server. It stops when the value is dropped.
struct Deaf {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Deaf {
    /// Responds with `body`.
    async fn start(identity: &Identity, first: First, body: &'static str) -> Self {
        let mut config = tls::config(identity, None);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let before = count.fetch_add(1, Ordering::SeqCst);
                let first = (before == 0).then_some(first);
                tokio::spawn(serve(acceptor.clone(), stream, first, body));
            }
        });
        Self {
            address,
            connections,
            server,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Serves one connection, with the behavior `first` if given.
async fn serve(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    first: Option<First>,
    body: &'static str,
) -> Option<()> {
    let stream = acceptor.accept(stream).await.ok()?;
    let mut builder = h2::server::Builder::new();
    if first == Some(First::AllowsNone) {
        builder.max_concurrent_streams(0);
    }
    let mut connection = builder.handshake(stream).await.ok()?;
    // Dropping a stream resets it, so these are kept.
    let (mut open, mut bodies) = (Vec::new(), Vec::new());
    let mut answered = 0;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let is_answered = match first {
            None => true,
            Some(First::AnswersOnce) => answered == 0,
            Some(First::SendsHeads | First::AllowsNone) => false,
        };
        if is_answered {
            answered += 1;
            send_response(&mut respond, body)?;
            drop(request);
        } else {
            if first == Some(First::SendsHeads) {
                bodies.push(respond.send_response(head(), false).ok()?);
            }
            open.push((request, respond));
        }
    }
    Some(())
}

fn head() -> Response<()> {
    let head = Response::builder().header("content-type", "application/json");
    head.body(()).unwrap()
}

fn send_response(respond: &mut SendResponse<bytes::Bytes>, body: &'static str) -> Option<()> {
    let mut stream = respond.send_response(head(), false).ok()?;
    stream.send_data(body.into(), true).ok()
}

/// The program with this configuration. It trusts the authority like one of the system's.
struct Running {
    http: reqwest::Client,
    address: SocketAddr,
    _program: Program,
    _files: Files,
}

impl Running {
    async fn new(authority: &Authority, account: &str) -> Self {
        let files = files(&format!("accounts:\n{account}"));
        files.write("ca.pem", &authority.pem());
        let ca = files.config.with_file_name("ca.pem");
        let mut program = Program::start(command(
            &["--web.listen-address=127.0.0.1:0"],
            &[
                ("TWILIO_EMAIL_CONFIG_FILE", files.config.to_str().unwrap()),
                ("SSL_CERT_FILE", ca.to_str().unwrap()),
            ],
        ));
        let (http, address) = (client(), program.address());
        let ready = format!("http://{address}/-/ready");
        eventually("ready", || async {
            let response = http.get(&ready).send().await;
            response.is_ok_and(|response| response.status() == 200)
        })
        .await;
        Self {
            http,
            address,
            _program: program,
            _files: files,
        }
    }

    async fn scrape(&self) -> Exposition {
        scrape(&self.http, self.address).await.unwrap()
    }
}

/// An account without operations.
fn account(base_url: &str) -> String {
    account_at("default", base_url, "request_timeout: 500ms")
}

/// The number of failed requests to this endpoint. With [`First::AllowsNone`] the client may send the request before it has the settings;
/// then the server rejects it.
fn failed(seen: &Exposition, endpoint: &str, first: First) -> f64 {
    let mut sum = 0.0;
    for (failed, reason, count) in failures(seen) {
        let is_refused = first == First::AllowsNone && reason == "invalid_response";
        assert!(
            failed == endpoint && (reason == "timeout" || is_refused),
            "{failed} {reason}"
        );
        sum += count;
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_responses_to_the_api_costs_one_request() {
    let authority = Authority::new();
    let identity = authority.identity("127.0.0.1");
    for first in ALL {
        let server = Deaf::start(&identity, first, EMPTY).await;
        let base_url = format!("https://{}/v1", server.address);
        let running = Running::new(&authority, &account(&base_url)).await;
        if first == First::AnswersOnce {
            assert_eq!(server.connections(), 1, "{first:?}: the first collection");
            let seen = running.scrape().await;
            seen.expect("deaf", &[("up", 0.0), ("collection_complete", 0.0)]);
        }
        for _ in 0..3 {
            let seen = running.scrape().await;
            let up = [
                ("up", 1.0),
                ("discovery_up", 1.0),
                ("collection_complete", 1.0),
            ];
            seen.expect(&format!("{first:?}"), &up);
            let count = failed(&seen, "operations", first);
            assert!((count - 1.0).abs() < 0.1, "{first:?}: {count}");
        }
        assert_eq!(server.connections(), 2, "{first:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_responses_to_the_token_endpoint_costs_one_request() {
    let authority = Authority::new();
    let identity = authority.identity("127.0.0.1");
    let twilio = Twilio::empty().await;
    twilio.handle.set_tokens(vec!["made-up".to_owned()]);
    // Valid for one second, so that a later scrape needs another token.
    let token = r#"{"access_token": "made-up", "expires_in": 1}"#;
    for first in ALL {
        let server = Deaf::start(&identity, first, token).await;
        let yaml = account(&twilio.base_url()).replace(
            "auth_token_file: token",
            "oauth: {client_id: x, client_secret_file: token, token_url: TOKEN_URL}",
        );
        let url = format!("'https://{}/token'", server.address);
        let yaml = yaml.replace("TOKEN_URL", &url);
        let running = Running::new(&authority, &yaml).await;
        eventually("a request for a token that is not answered", || async {
            failed(&running.scrape().await, "token", first) > 0.0
        })
        .await;
        let seen = running.scrape().await;
        seen.expect(&format!("{first:?}"), &[("up", 1.0)]);
        let count = failed(&seen, "token", first);
        assert!((count - 1.0).abs() < 0.1, "{first:?}: {count}");
        assert_eq!(server.connections(), 2, "{first:?}");
    }
}

#[tokio::test]
async fn a_connection_without_responses_to_a_source_costs_one_request() {
    let authority = Authority::new();
    let identity = authority.identity("127.0.0.1");
    for first in ALL {
        let server = Deaf::start(&identity, first, "[]").await;
        let more = format!(
            "operation_urls: [{{url: 'https://{}/', timeout: 500ms, tls_config: {{ca_file: ca.pem}}}}]",
            server.address
        );
        let account = account_at("default", "http://127.0.0.1:1/v1", &more);
        let files = files(&format!("accounts:\n{account}"));
        files.write("ca.pem", &authority.pem());
        let overrides = Overrides {
            config_file: Some(files.config.clone()),
            ..Overrides::default()
        };
        let config = Config::load(&overrides, &|_| None).unwrap();
        let url = Url::new(
            &config.accounts[0].name,
            config.accounts[0].operation_urls[0].clone(),
        );
        if first == First::AnswersOnce {
            assert!(url.fetch().await.is_ok());
        }
        match url.fetch().await.err() {
            Some(SourceError::Timeout(TIMEOUT)) => {}
            // The client sent the request before it had the settings.
            Some(SourceError::Protocol(_)) if first == First::AllowsNone => {}
            other => panic!("{first:?}: {other:?}"),
        }
        for _ in 0..3 {
            assert!(url.fetch().await.is_ok(), "{first:?}");
        }
        assert_eq!(server.connections(), 2, "{first:?}");
    }
}
