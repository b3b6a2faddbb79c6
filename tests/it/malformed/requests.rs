//! The requests, each with its right responses.

use super::connection::Then;
use super::{request_bodies, request_heads};

/// The bytes that are sent, and the expected responses.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) statuses: &'static [u16],
    pub(super) then: Then,
}

pub(super) fn case(
    name: &'static str,
    bytes: impl AsRef<[u8]>,
    statuses: &'static [u16],
    then: Then,
) -> Case {
    let bytes = bytes.as_ref().to_vec();
    Case {
        name,
        bytes,
        statuses,
        then,
    }
}

/// A request with more lines in its head.
pub(super) fn with(start: &str, lines: &str) -> Vec<u8> {
    format!("{start} HTTP/1.1\r\nHost: a\r\n{lines}\r\n").into_bytes()
}

/// All cases.
pub(super) fn all() -> Vec<Case> {
    [request_heads::all(), request_bodies::all()].concat()
}
