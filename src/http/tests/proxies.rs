//! Requests through proxies: what a proxy is sent, and how its failures are reported.

use std::sync::Mutex;

use url::Url;

use super::*;

/// `made-up` with the password `pass/word`, as a URL has it.
const LOGIN: &str = "made-up:pass%2Fword";
const BASIC: &str = "proxy-authorization: basic bwfkzs11cdpwyxnzl3dvcmq=";

/// A proxy that notes what it reads first, and responds with `response`.
async fn proxy(response: &'static [u8]) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let (address, _) = server(move |mut stream, _| {
        let noted = Arc::clone(&noted);
        async move {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap_or(0);
            noted.lock().unwrap().extend_from_slice(&buffer[..read]);
            let _ = stream.write_all(response).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    (address, seen)
}

fn through(proxy: &str) -> HttpClient {
    let proxy = Url::parse(proxy).unwrap();
    HttpClient::new(Connections {
        proxies: Proxies::new(Some(&proxy), Some(&proxy), "").unwrap(),
        ..trusting(RootCertStore::empty())
    })
}

fn text(seen: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&seen.lock().unwrap()).to_lowercase()
}

#[tokio::test]
async fn a_request_without_tls_is_sent_to_the_proxy_with_its_whole_url() {
    let (address, seen) = proxy(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = through(&format!("http://{LOGIN}@{address}"));
    let outcome = request(&client, "http://made-up.invalid/path", SOON).await;
    assert_eq!(outcome, Some(Ok(200)));
    let seen = text(&seen);
    assert!(
        seen.starts_with("get http://made-up.invalid/path http/1.1\r\n"),
        "{seen}"
    );
    assert!(seen.contains(BASIC), "{seen}");
    assert!(seen.contains("host: made-up.invalid\r\n"), "{seen}");
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_reported_without_its_words() {
    for (response, expected) in [
        (
            &b"HTTP/1.1 407 made-up-secret\r\n\r\n"[..],
            "the proxy requires a user name and a password (407)",
        ),
        (
            b"HTTP/1.1 503 made-up-secret\r\n\r\n",
            "the proxy refuses to connect to the server",
        ),
    ] {
        let (address, seen) = proxy(response).await;
        let client = through(&format!("http://{LOGIN}@{address}"));
        let failed = failure(&client, "https://made-up.invalid/path").await;
        assert_eq!(failed, NoResponse::Connect(expected.to_owned()));
        let seen = text(&seen);
        assert!(
            seen.starts_with("connect made-up.invalid:443 http/1.1\r\n"),
            "{seen}"
        );
        assert!(seen.contains(BASIC), "{seen}");
    }
}

#[tokio::test]
async fn a_socks_proxy_that_opens_no_connection_is_reported() {
    // Version 5, "no acceptable method".
    let (address, seen) = proxy(&[5, 0xff]).await;
    let client = through(&format!("socks5h://{address}"));
    let failed = failure(&client, "http://made-up.invalid/").await;
    let words = "the SOCKS proxy refuses to connect to the server";
    assert_eq!(failed, NoResponse::Connect(words.to_owned()));
    // Version 5, one method: no authentication.
    assert_eq!(*seen.lock().unwrap(), [5, 1, 0]);
    let client = through(&format!("socks5://{address}"));
    let failed = failure(&client, "http://made-up.invalid/").await;
    let words = "the name of the host cannot be resolved";
    assert_eq!(failed, NoResponse::Connect(words.to_owned()));
}

/// A SOCKS 5 proxy for one connection (RFC 1928, RFC 1929), which itself responds as the server.
async fn respond_behind_socks(mut stream: TcpStream, seen: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 512];
    // The method "user name and password", then success for each step.
    for answer in [&[5, 2][..], &[1, 0], &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]] {
        let read = stream.read(&mut buffer).await.unwrap();
        seen.lock().unwrap().extend_from_slice(&buffer[..read]);
        stream.write_all(answer).await.unwrap();
    }
    let read = stream.read(&mut buffer).await.unwrap();
    seen.lock().unwrap().extend_from_slice(&buffer[..read]);
    let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(response).await.unwrap();
}

#[tokio::test]
async fn a_socks_proxy_gets_the_name_or_the_address_and_the_request_as_for_the_server() {
    for (scheme, host, target) in [
        (
            "socks5h",
            "made-up.invalid",
            &b"\x05\x01\x00\x03\x0fmade-up.invalid\x00\x50"[..],
        ),
        (
            "socks5",
            "127.0.0.9:81",
            b"\x05\x01\x00\x01\x7f\x00\x00\x09\x00\x51",
        ),
        (
            "socks5",
            "[::1]:81",
            b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x51",
        ),
    ] {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let (address, _) =
            server(move |stream, _| respond_behind_socks(stream, Arc::clone(&noted))).await;
        let client = through(&format!("{scheme}://{LOGIN}@{address}"));
        let outcome = request(&client, &format!("http://{host}/path"), SOON).await;
        assert_eq!(outcome, Some(Ok(200)));
        let login = b"\x01\x07made-up\x09pass/word";
        let begin = [
            &b"\x05\x01\x02"[..],
            login,
            target,
            b"GET /path HTTP/1.1\r\n",
        ]
        .concat();
        let seen = seen.lock().unwrap();
        assert!(seen.starts_with(&begin), "{}", seen.escape_ascii());
    }
}

#[tokio::test]
async fn a_client_with_a_host_connects_there_whatever_host_the_request_names() {
    let (address, seen) = proxy(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let client = HttpClient::new(Connections {
        host: Some("127.0.0.1".to_owned()),
        ..trusting(RootCertStore::empty())
    });
    let url = format!("http://made-up.invalid:{}/", address.port());
    assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    let host = format!("host: made-up.invalid:{}\r\n", address.port());
    assert!(text(&seen).contains(&host), "{}", text(&seen));
}
