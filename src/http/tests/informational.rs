//! Servers that send informational responses (1xx), few or without end.

use super::*;

/// hyper continues to read until the client's task runs, so some thousand more are sent. Without a limit, a server can send a
/// million in a second.
const BOUND: usize = 1_000_000;
/// More bytes than the system's buffers hold.
const BUFFERED: usize = 8 * 1024 * 1024;

const HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
/// `:status: 103`, literal with the name that HPACK's table has at 8.
const STATUS_103: &[u8] = &[0x08, 3, b'1', b'0', b'3'];
const PING: u8 = 6;

/// Sends `piece` until the client closes the connection, and adds the bytes to `sent`.
async fn flood(stream: &mut TcpStream, piece: &[u8], sent: &AtomicUsize) {
    let many = piece.repeat(1_000);
    while stream.write_all(&many).await.is_ok() {
        sent.fetch_add(many.len(), Ordering::SeqCst);
    }
}

/// Requests `url`; the failure must come long before a timeout. Waits until the connection is closed.
async fn flooded(client: &HttpClient, url: &str, sent: &AtomicUsize) -> NoResponse {
    let failure = failure(client, url).await;
    let mut before = usize::MAX;
    // A closed connection ends the server's loop.
    while std::mem::replace(&mut before, sent.load(Ordering::SeqCst)) != before {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    failure
}

#[tokio::test]
async fn endless_informational_responses_with_http1_are_an_error_after_a_number() {
    let sent = Arc::new(AtomicUsize::new(0));
    let (address, connections) = server({
        let sent = Arc::clone(&sent);
        move |mut stream, _| {
            let sent = Arc::clone(&sent);
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                flood(&mut stream, HINTS, &sent).await;
            }
        }
    })
    .await;
    let client = http1(RootCertStore::empty());
    let failed = flooded(&client, &format!("http://{address}/"), &sent).await;
    let words = "the server sent too many informational responses (1xx)";
    assert_eq!(failed, NoResponse::Protocol(words.to_owned()));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < BOUND * HINTS.len(), "{sent} bytes");
}

#[tokio::test]
async fn some_informational_responses_before_each_response_are_no_error() {
    let (address, connections) = server(move |mut stream, _| async move {
        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            for answer in [&HINTS.repeat(16), &response[..]] {
                if stream.write_all(answer).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    })
    .await;
    let (client, url) = (http1(RootCertStore::empty()), format!("http://{address}/"));
    for _ in 0..2 {
        assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_informational_response_too_many_is_an_error_at_once() {
    let (address, _) = server(move |mut stream, _| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(&HINTS.repeat(17)).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let client = http1(RootCertStore::empty());
    let failed = failure(&client, &format!("http://{address}/")).await;
    assert!(matches!(failed, NoResponse::Protocol(_)), "{failed:?}");
}

#[tokio::test]
async fn endless_frames_without_data_close_an_http2_connection() {
    for (name, piece) in [
        ("informational responses", frame(HEADERS, 4, 1, STATUS_103)),
        ("pings", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("an unknown kind", frame(0xee, 0, 0, &[])),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let (address, connections) = server({
            let sent = Arc::clone(&sent);
            move |stream, before| {
                let (sent, piece) = (Arc::clone(&sent), piece.clone());
                async move {
                    if before > 0 {
                        let response = frame(HEADERS, WHOLE, 1, STATUS_200);
                        return respond_with_frames(stream, response).await;
                    }
                    let mut stream = request_over_http2(stream).await;
                    flood(&mut stream, &piece, &sent).await;
                }
            }
        })
        .await;
        let (client, url) = (http2(), format!("http://{address}/"));
        let failed = flooded(&client, &url, &sent).await;
        let words = "the server sent too many HTTP/2 frames without data";
        assert_eq!(failed, NoResponse::Protocol(words.to_owned()), "{name}");
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < BUFFERED, "{name}: {sent} bytes");
        assert_eq!(request(&client, &url, SOON).await, Some(Ok(200)), "{name}");
        assert_eq!(connections.load(Ordering::SeqCst), 2, "{name}");
    }
}

#[tokio::test]
async fn an_http2_response_may_have_informational_responses_and_pings_before_it() {
    let (address, _) = server(|stream, _| async move {
        let before = [
            frame(HEADERS, 4, 1, STATUS_103).repeat(10),
            frame(PING, 0, 0, &[0; 8]).repeat(10),
        ];
        let response = frame(HEADERS, WHOLE, 1, STATUS_200);
        respond_with_frames(stream, [before.concat(), response].concat()).await;
    })
    .await;
    let outcome = request(&http2(), &format!("http://{address}/"), SOON).await;
    assert_eq!(outcome, Some(Ok(200)));
}
