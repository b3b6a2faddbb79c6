//! An account behind a proxy, with a private certificate authority: Debian's tinyproxy, and a simulated Twilio with TLS.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::sources::tls::{self, Authority};
use crate::support::client::{client, scrape};
use crate::support::eventually;
use crate::support::exporter::{Files, account_at, files};
use crate::support::exposition::Exposition;
use crate::support::program::{Program, command};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
const PASSWORD: &str = "made-up-proxy-password";

/// A listener with TLS for a plain server. It stops with the value.
struct TlsFront {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl TlsFront {
    async fn start(authority: &Authority, plain: SocketAddr) -> Self {
        let mut config = tls::config(&authority.identity("localhost"), None);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut to = TcpStream::connect(plain).await?;
                    copy_bidirectional(&mut stream, &mut to).await
                });
            }
        });
        Self { address, task }
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A simulated Twilio with TLS. It stops with the value.
pub(crate) struct SecureTwilio {
    twilio: Twilio,
    pub(crate) authority: Authority,
    front: TlsFront,
}

impl SecureTwilio {
    pub(crate) async fn start() -> Self {
        let twilio = Twilio::empty().await;
        let authority = Authority::new();
        let front = TlsFront::start(&authority, twilio.address).await;
        Self {
            twilio,
            authority,
            front,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("https://localhost:{}/v1", self.front.address.port())
    }

    /// An account with `more` keys, beside the file of the authority.
    fn account(&self, more: &str) -> Files {
        let accounts = account_at("default", &self.base_url(), more);
        let files = files(&format!("accounts:\n{accounts}"));
        files.write("ca.pem", &self.authority.pem());
        files
    }
}

/// Debian's tinyproxy, which requires a password; it stops with the value.
struct TinyProxy {
    address: SocketAddr,
    program: Program,
    _directory: TempDir,
}

impl TinyProxy {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // It cannot report a port that the system chose, so it gets one that was free a moment ago.
        let free = StdListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let path = directory.path().join("tinyproxy.conf");
        let configuration = format!(
            "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\nLogLevel Connect\nBasicAuth user {PASSWORD}\n",
            address.port()
        );
        std::fs::write(&path, configuration).unwrap();
        let mut proxy = Command::new("tinyproxy");
        proxy.arg("-d").arg("-c").arg(&path);
        let program = Program::start(proxy);
        eventually("the proxy listens", || async {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        Self {
            address,
            program,
            _directory: directory,
        }
    }

    /// Its URL with `password`.
    fn url(&self, password: &str) -> String {
        format!("http://user:{password}@{}", self.address)
    }

    /// Waits until its log has a line with `words`.
    async fn logs(&self, words: &str) {
        eventually(words, || async { self.program.stdout().contains(words) }).await;
    }
}

/// Runs the exporter with the configuration and scrapes it once. Returns the metrics and the log.
async fn scraped(files: &Files, variables: &[(&str, &str)]) -> (Exposition, String) {
    let config = files.config.to_str().unwrap();
    let arguments = [
        "--config.file",
        config,
        "--web.listen-address",
        "127.0.0.1:0",
    ];
    let mut program = Program::start(command(&arguments, variables));
    let address = program.address();
    let seen = scrape(&client(), address).await.unwrap();
    (seen, program.stderr())
}

/// An account with these keys reads Twilio through the proxy, and its log has no password.
async fn expect_proxied(secure: &SecureTwilio, proxy: &TinyProxy, keys: &str) {
    let (seen, log) = scraped(&secure.account(keys), &[]).await;
    seen.expect("through the proxy", &[("up", 1.0), ("discovery_up", 1.0)]);
    assert!(!log.contains(PASSWORD), "{log}");
    let port = secure.front.address.port();
    proxy.logs(&format!("CONNECT localhost:{port}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_is_trusted_only_where_the_account_names_it() {
    let secure = SecureTwilio::start().await;
    secure.twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    let (seen, _) = scraped(&secure.account("ca_file: ca.pem"), &[]).await;
    seen.expect("trusted", &[("up", 1.0), ("discovery_up", 1.0)]);
    let (seen, log) = scraped(&secure.account(""), &[]).await;
    seen.expect("not trusted", &[("up", 0.0)]);
    assert!(log.contains("signed by an unknown authority"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_through_the_proxy_that_the_account_names() {
    let (secure, proxy) = (SecureTwilio::start().await, TinyProxy::start().await);
    secure.twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    let keys = |password| format!("ca_file: ca.pem\nproxy_url: {}", proxy.url(password));
    expect_proxied(&secure, &proxy, &keys(PASSWORD)).await;

    // tinyproxy responds with 401 to wrong credentials, and with 407 without credentials.
    let anonymous = format!("ca_file: ca.pem\nproxy_url: http://{}", proxy.address);
    for (keys, words) in [
        (keys("wr0ng"), "the proxy refuses to connect to the server"),
        (
            anonymous,
            "the proxy requires a user name and a password (407)",
        ),
    ] {
        let (seen, log) = scraped(&secure.account(&keys), &[]).await;
        seen.expect("rejected by the proxy", &[("up", 0.0)]);
        assert!(log.contains(words), "{log}");
        assert!(!log.contains("wr0ng"), "{log}");
    }

    let direct = format!("{}\nno_proxy: localhost", keys("wr0ng"));
    let (seen, _) = scraped(&secure.account(&direct), &[]).await;
    seen.expect("without the proxy", &[("up", 1.0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_to_the_proxy_itself_uses_tls_if_its_url_has_https() {
    let (secure, proxy) = (SecureTwilio::start().await, TinyProxy::start().await);
    secure.twilio.put(HOUR, json!({"total": 3, "delivered": 3}));
    let front = TlsFront::start(&secure.authority, proxy.address).await;
    let url = format!("https://user:{PASSWORD}@localhost:{}", front.address.port());
    let keys = format!("ca_file: ca.pem\nproxy_url: {url}");
    expect_proxied(&secure, &proxy, &keys).await;

    // A proxy with a certificate of another authority gets no password.
    let other = TlsFront::start(&Authority::new(), proxy.address).await;
    let url = format!("https://user:{PASSWORD}@localhost:{}", other.address.port());
    let untrusted = secure.account(&format!("ca_file: ca.pem\nproxy_url: {url}"));
    let (seen, log) = scraped(&untrusted, &[]).await;
    seen.expect("a proxy that is not trusted", &[("up", 0.0)]);
    assert!(log.contains("reason=tls"), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environment_variables_set_the_proxy_only_if_the_account_asks_for_it() {
    let secure = SecureTwilio::start().await;
    let variables = [
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("ALL_PROXY", "http://127.0.0.1:9"),
    ];
    let (seen, _) = scraped(&secure.account("ca_file: ca.pem"), &variables).await;
    seen.expect("variables without the key", &[("up", 1.0)]);
    // A name that only the proxy could resolve. No proxy listens on port 9.
    let keys = "ca_file: ca.pem\nproxy_from_environment: true";
    let url = "https://twilio.invalid/v1";
    let accounts = account_at("default", url, keys);
    let files = files(&format!("accounts:\n{accounts}"));
    files.write("ca.pem", &secure.authority.pem());
    let (seen, log) = scraped(&files, &variables).await;
    seen.expect("a proxy that is gone", &[("up", 0.0)]);
    assert!(log.contains("connection refused"), "{log}");
}
