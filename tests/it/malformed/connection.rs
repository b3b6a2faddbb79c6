//! A client that sends any bytes, and reads the responses one by one.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::PATIENCE;

/// The state of the connection after the last response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// It serves another request.
    Open,
    /// The exporter closes it.
    Closed,
    /// The exporter waits for the rest of the request; it closes the connection when the client closes its half.
    Waits,
}

/// One response.
#[derive(Debug)]
pub(super) struct RawResponse {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

/// Another request, to see whether the connection still serves.
const ANOTHER: &[u8] = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends `bytes` on a connection of its own and reads `count` responses. The client closes its half where `then` is [`Then::Waits`].
pub(super) async fn exchange(
    address: SocketAddr,
    bytes: &[u8],
    count: usize,
    then: Then,
) -> (Vec<RawResponse>, Then) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The exporter may refuse before it has read everything.
    let _ = stream.write_all(bytes).await;
    if then == Then::Waits {
        let _ = stream.shutdown().await;
    }
    let mut read = Vec::new();
    let mut responses = Vec::new();
    while responses.len() < count {
        match next(&mut stream, &mut read, bytes.starts_with(b"HEAD")).await {
            Some(response) => responses.push(response),
            None => return (responses, Then::Closed),
        }
    }
    if then == Then::Waits {
        responses.extend(next(&mut stream, &mut read, false).await);
        return (responses, then);
    }
    let _ = stream.write_all(ANOTHER).await;
    match next(&mut stream, &mut read, false).await {
        Some(response) if response.status == 200 => (responses, Then::Open),
        Some(response) => {
            responses.push(response);
            (responses, Then::Closed)
        }
        None => (responses, Then::Closed),
    }
}

/// The next response; `None` when the exporter closes the connection first.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>, is_head: bool) -> Option<RawResponse> {
    loop {
        if let Some((response, length)) = whole(read, is_head) {
            read.drain(..length);
            return Some(response);
        }
        let mut buffer = vec![0; 16 * 1024];
        let received = timeout(PATIENCE, stream.read(&mut buffer)).await;
        match received.expect("a response or an end") {
            Ok(0) | Err(_) => {
                assert!(read.is_empty(), "half a response: {read:?}");
                return None;
            }
            Ok(length) => read.extend_from_slice(&buffer[..length]),
        }
    }
}

/// The response at the beginning of `read`, and its length.
fn whole(read: &[u8], is_head: bool) -> Option<(RawResponse, usize)> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).expect("a head of ASCII");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    let length = if is_head { 0 } else { length.unwrap_or(0) };
    let body = read.get(end..end + length)?;
    let response = RawResponse {
        status,
        head: head.to_owned(),
        body: String::from_utf8_lossy(body).into_owned(),
    };
    Some((response, end + length))
}
