//! Responses that would use unlimited time: large heads, and bodies in very small pieces.

use bytes::Bytes;

use super::*;
use crate::http::{BodyError, read};

const LIMIT: usize = 8 * 1024 * 1024;

/// The body at `url`.
async fn body(client: &HttpClient, url: &str) -> Result<usize, BodyError> {
    let body = async {
        let guard = client.guard();
        let response = guard.send(get(url)).await.unwrap();
        let body = read(response, LIMIT).await;
        guard.end();
        body.map(|body| body.len())
    };
    tokio::time::timeout(SOON, body).await.unwrap()
}

/// Responds to one request with a body of `count` chunks, each of `size` bytes.
async fn respond_in_chunks(mut stream: TcpStream, count: usize, size: usize) {
    let _ = stream.read(&mut [0; 1024]).await;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let chunk = [
        format!("{size:x}\r\n").as_bytes(),
        &vec![b'x'; size],
        b"\r\n",
    ]
    .concat();
    let together = chunk.repeat(1_000);
    for _ in 0..count / 1_000 {
        // The client disconnects at its limit.
        if stream.write_all(&together).await.is_err() {
            return;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").await;
}

/// The same with frames of HTTP/2.
async fn respond_in_frames(stream: TcpStream, count: usize, size: usize) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let mut body = respond
            .send_response(hyper::Response::new(()), false)
            .unwrap();
        tokio::spawn(async move {
            for number in 0..count {
                body.reserve_capacity(size);
                while size > 0 && body.capacity() < size {
                    if std::future::poll_fn(|context| body.poll_capacity(context))
                        .await
                        .is_none()
                    {
                        return;
                    }
                }
                let piece = Bytes::from(vec![b'x'; size]);
                if body.send_data(piece, false).is_err() {
                    return;
                }
                if number % 100 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            let _ = body.send_data(Bytes::new(), true);
        });
    }
}

#[tokio::test]
async fn a_body_in_too_many_pieces_is_an_error() {
    // The body is within the size limit, and has far more pieces than allowed.
    for size in [1, 7, 32] {
        let count = LIMIT / size;
        let (address, _) = server(move |stream, _| respond_in_chunks(stream, count, size)).await;
        let outcome = body(
            &http1(RootCertStore::empty()),
            &format!("http://{address}/"),
        )
        .await;
        assert_eq!(outcome, Err(BodyError::TooManyPieces), "chunks of {size}");
    }
    for size in [0, 1] {
        let count = 1_000_000;
        let (address, _) = server(move |stream, _| respond_in_frames(stream, count, size)).await;
        let outcome = body(&http2(), &format!("http://{address}/")).await;
        // The library closes the connection if many such frames are unread.
        let expected = [BodyError::TooManyPieces, BodyError::CutOff];
        assert!(expected.map(Err).contains(&outcome), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_small_body_may_have_any_pieces_and_a_large_one_usual_pieces() {
    for (count, size) in [(9_000, 1), (9_000, 3), (100_000, 64), (7_000, 1024)] {
        let (address, _) = server(move |stream, _| respond_in_chunks(stream, count, size)).await;
        let outcome = body(
            &http1(RootCertStore::empty()),
            &format!("http://{address}/"),
        )
        .await;
        assert_eq!(outcome, Ok(count * size), "{count} chunks of {size}");
    }
    let (address, _) = server(|stream, _| respond_in_frames(stream, 5_000, 300)).await;
    let outcome = body(&http2(), &format!("http://{address}/")).await;
    assert_eq!(outcome, Ok(1_500_000));
}

#[tokio::test]
async fn a_head_with_too_many_fields_is_an_error() {
    for (fields, expected) in [
        (100, Ok(200)),
        (
            101,
            Err(NoResponse::Protocol(
                "the head of the response is too large".to_owned(),
            )),
        ),
    ] {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{}\r\n",
            "x: y\r\n".repeat(fields - 1)
        );
        let (address, _) = server(move |mut stream, _| {
            let head = head.clone();
            async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        })
        .await;
        let client = http1(RootCertStore::empty());
        let outcome = request(&client, &format!("http://{address}/"), SOON).await;
        assert_eq!(outcome, Some(expected), "{fields}");
    }
}

#[tokio::test]
async fn an_http2_head_above_the_limit_is_an_error() {
    for (size, is_refused) in [(10_000, false), (20_000, true)] {
        let (address, _) = server(move |stream, _| async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                let head = hyper::Response::builder().header("x", "y".repeat(size));
                let _ = respond.send_response(head.body(()).unwrap(), true);
            }
        })
        .await;
        let outcome = request(&http2(), &format!("http://{address}/"), SOON).await;
        let expected = if is_refused {
            Err(NoResponse::Protocol(
                "the server sent invalid HTTP/2 (PROTOCOL_ERROR)".to_owned(),
            ))
        } else {
            Ok(200)
        };
        assert_eq!(outcome, Some(expected), "{size}");
    }
}
