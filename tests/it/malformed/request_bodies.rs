//! Headers, lengths and chunks of request bodies, and bytes after a request.

use super::connection::Then::{Closed, Open, Waits};
use super::requests::{Case, case, with};

pub(super) fn all() -> Vec<Case> {
    [fields(), lengths(), chunks(), connections()].concat()
}

/// A registration with more lines in its head, and this body.
fn post(lines: &str, body: &str) -> Vec<u8> {
    let start = "POST /api/v1/operations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json";
    format!("{start}\r\n{lines}\r\n\r\n{body}").into_bytes()
}

const CHUNKED: &str = "Transfer-Encoding: chunked";

fn fields() -> Vec<Case> {
    let many = "X-A: a\r\n".repeat(200);
    let large = format!("X-Large: {}\r\n", "a".repeat(200_000));
    vec![
        case(
            "NUL in a header",
            with("GET /", "X-A: a\0b\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a line break alone in a header",
            with("GET /", "X-A: a\rb\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a space before the colon",
            with("GET /", "X-A : a\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a header without a colon",
            with("GET /", "X-A\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a header without a name",
            with("GET /", ": a\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a header that goes on in the next line",
            with("GET /", "X-A: a\r\n b\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a space before the first header",
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case("two hundred headers", with("GET /", &many), &[431], Closed),
        case(
            "a header of 200,000 letters",
            with("GET /", &large),
            &[431],
            Closed,
        ),
        case("half a head", "GET / HTTP/1.1\r\nHost: a\r\n", &[], Waits),
        case(
            "an empty line first",
            "\r\n\r\nGET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n",
            &[200],
            Open,
        ),
    ]
}

fn lengths() -> Vec<Case> {
    vec![
        case(
            "two lengths that differ",
            post("Content-Length: 2\r\nContent-Length: 3", "{}}"),
            &[400],
            Closed,
        ),
        case(
            "a list of lengths that differ",
            post("Content-Length: 2, 3", "{}}"),
            &[400],
            Closed,
        ),
        case(
            "a negative length",
            post("Content-Length: -1", ""),
            &[400],
            Closed,
        ),
        case(
            "a length with a sign",
            post("Content-Length: +2", "{}"),
            &[400],
            Closed,
        ),
        case(
            "a length of no number",
            post("Content-Length: two", "{}"),
            &[400],
            Closed,
        ),
        case(
            "a length in hexadecimal",
            post("Content-Length: 0x2", "{}"),
            &[400],
            Closed,
        ),
        case(
            "a length beyond 64 bits",
            post("Content-Length: 18446744073709551617", "{}"),
            &[400],
            Closed,
        ),
        case(
            "a length beyond the limit",
            post("Content-Length: 4194305", "{}"),
            &[413],
            Closed,
        ),
        case(
            "a length and chunks",
            post(
                &format!("Content-Length: 5\r\n{CHUNKED}"),
                "2\r\n{}\r\n0\r\n\r\n",
            ),
            &[400],
            Closed,
        ),
        case(
            "a length of which half arrives",
            post("Content-Length: 9", "{}"),
            &[400],
            Waits,
        ),
        case(
            "a body for a path without one",
            with("GET /-/healthy", "Content-Length: 2\r\n\r\n{}"),
            &[200],
            Open,
        ),
        case(
            "a request hidden in a body",
            with(
                "POST /metrics",
                "Content-Length: 30\r\n\r\nGET /-/ready HTTP/1.1\r\nHost: a",
            ),
            &[405],
            Open,
        ),
    ]
}

fn chunks() -> Vec<Case> {
    vec![
        case(
            "a chunk size of no digits",
            post(CHUNKED, "zz\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a negative chunk size",
            post(CHUNKED, "-2\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a chunk size beyond 64 bits",
            post(CHUNKED, "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a chunk that is longer than its size",
            post(CHUNKED, "1\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a chunk extension of 70,000 letters",
            post(
                CHUNKED,
                &format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(70_000)),
            ),
            &[400],
            Closed,
        ),
        case(
            "another coding than chunked",
            post("Transfer-Encoding: gzip", "{}"),
            &[400],
            Closed,
        ),
        case(
            "chunked before another coding",
            post("Transfer-Encoding: chunked, gzip", "2\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "a coding that only looks like chunked",
            post("Transfer-Encoding: xchunked", "2\r\n{}\r\n0\r\n\r\n"),
            &[400],
            Closed,
        ),
        case(
            "chunks with HTTP/1.0",
            "POST /api/v1/operations HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            &[400],
            Closed,
        ),
    ]
}

fn connections() -> Vec<Case> {
    let two = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n";
    let garbage = "GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n\0\0\0\r\n\r\n";
    vec![
        case("two requests at once", two, &[200, 404], Open),
        case(
            "a request and bytes of no protocol",
            garbage,
            &[200, 400],
            Closed,
        ),
        case(
            "a body that waits for permission",
            post("Content-Length: 2\r\nExpect: 100-continue", "{}"),
            &[100, 400],
            Open,
        ),
        case(
            "a body that waits for permission and is too large",
            post("Content-Length: 4194305\r\nExpect: 100-continue", ""),
            &[413],
            Closed,
        ),
        case(
            "an unknown expectation",
            with("GET /-/healthy", "Expect: tea\r\n"),
            &[200],
            Open,
        ),
        case(
            "an upgrade to HTTP/2",
            with(
                "GET /-/healthy",
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
            ),
            &[200],
            Open,
        ),
        case(
            "an upgrade to WebSocket",
            with(
                "GET /",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
            ),
            &[200],
            Open,
        ),
        case("HEAD has no body", with("HEAD /nothing", ""), &[404], Open),
    ]
}
