//! Methods, versions, paths and hosts.

use super::connection::Then::{Closed, Open};
use super::requests::{Case, case, with};

pub(super) fn all() -> Vec<Case> {
    [methods(), versions(), targets(), hosts()].concat()
}

fn methods() -> Vec<Case> {
    vec![
        case(
            "no method",
            " / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "NUL in the method",
            "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "brackets in the method",
            "G(T) / HTTP/1.1\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case("a method in lower case", with("get /", ""), &[405], Open),
        case("an unknown method", with("BREW /", ""), &[405], Open),
        case(
            "a method of 200,000 letters",
            with(&format!("{} /", "G".repeat(200_000)), ""),
            &[431],
            Closed,
        ),
        case(
            "TRACE",
            with("TRACE /", "X-Secret: made-up\r\n"),
            &[405],
            Open,
        ),
        case(
            "CONNECT",
            "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
            &[404],
            Open,
        ),
        case("OPTIONS of everything", with("OPTIONS *", ""), &[404], Open),
    ]
}

fn versions() -> Vec<Case> {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x01\x02\x03\x04\x05\x06\x07";
    vec![
        case("HTTP/0.9", "GET /\r\n", &[400], Closed),
        case("no version", "GET / \r\nHost: a\r\n\r\n", &[400], Closed),
        case(
            "HTTP/1.2",
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "HTTP/2.0 in text",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "HTTP/11.1",
            "GET / HTTP/11.1\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "a version in lower case",
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            &[],
            Closed,
        ),
        case("a TLS ClientHello", hello, &[400], Closed),
        case("SMTP", "EHLO example.com\r\n\r\n", &[400], Closed),
        case(
            "bytes of no protocol",
            b"\xff\xfe\x00\x01\r\n\r\n",
            &[400],
            Closed,
        ),
        case(
            "HTTP/1.0 without Host",
            "GET /-/healthy HTTP/1.0\r\n\r\n",
            &[200],
            Closed,
        ),
    ]
}

fn targets() -> Vec<Case> {
    vec![
        case("NUL in the path", with("GET /\0", ""), &[400], Closed),
        case("a space in the path", with("GET /a b", ""), &[400], Closed),
        case("a path without /", with("GET metrics", ""), &[400], Open),
        case("an unfinished escape", with("GET /%", ""), &[404], Open),
        case("an escape of no digits", with("GET /%zz", ""), &[404], Open),
        case(
            "an escape in the path of an operation",
            with("GET /api/v1/operations/%ff", ""),
            &[400],
            Open,
        ),
        case(
            "an escape of no digits in a query",
            with("GET /probe?target=%zz", ""),
            &[400],
            Open,
        ),
        case(
            "a line break in the path",
            with("GET /x%0d%0aX-Injected:%20yes", ""),
            &[404],
            Open,
        ),
        case(
            "a line break in a query",
            with("GET /sd?account=%0d%0aX-Injected:%20yes", ""),
            &[400],
            Open,
        ),
        case(
            "a path upwards",
            with("GET /../../etc/passwd", ""),
            &[404],
            Open,
        ),
        case(
            "an escaped path upwards",
            with("GET /%2e%2e/%2e%2e/etc/passwd", ""),
            &[404],
            Open,
        ),
        case(
            "a path upwards to a page",
            with("GET /x/../metrics", ""),
            &[404],
            Open,
        ),
        case("two slashes", with("GET //metrics", ""), &[404], Open),
        case(
            "a URL in full",
            with("GET http://a/-/healthy", ""),
            &[200],
            Open,
        ),
        case(
            "a URL in full with a user",
            with("GET http://user:made-up@a/-/healthy", ""),
            &[400],
            Open,
        ),
        case(
            "a path of 70,000 letters",
            with(&format!("GET /{}", "a".repeat(70_000)), ""),
            &[414],
            Closed,
        ),
    ]
}

fn hosts() -> Vec<Case> {
    vec![
        case("no Host", "GET /metrics HTTP/1.1\r\n\r\n", &[400], Open),
        case(
            "two Hosts",
            with("GET /metrics", "Host: b\r\n"),
            &[400],
            Open,
        ),
        case(
            "a Host with a path",
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            &[400],
            Open,
        ),
        case(
            "a Host with a user",
            "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n",
            &[400],
            Open,
        ),
        case(
            "a Host with a script",
            "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n",
            &[400],
            Open,
        ),
        case(
            "a Host with a port of no number",
            "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
            &[400],
            Open,
        ),
        case(
            "a Host that is no text",
            b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
            &[400],
            Open,
        ),
    ]
}
