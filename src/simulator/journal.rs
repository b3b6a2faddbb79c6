//! What was asked: counts, and the last requests, for tests to look at.

use std::collections::VecDeque;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName, USER_AGENT};
use axum::http::request::Parts;
use parking_lot::{Mutex, MutexGuard};

use crate::timestamp::Timestamp;

use super::api_request::ApiRequest;

/// Enough for any test to find its own requests; a load test does not look.
const MOST_REQUESTS: usize = 1000;

/// How many requests there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Reads of a single operation.
    pub operation: u64,
    /// Pages of the list of operations.
    pub operations: u64,
    /// Pages of the list of emails.
    pub emails: u64,
    /// Sends.
    pub send: u64,
    /// Requests for access tokens.
    pub token: u64,
    /// The most that were being answered at the same time.
    pub most_concurrent: u64,
}

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// When it came, by the simulator's clock.
    pub at: Timestamp,
    /// Whether it had an `Authorization` header; its value is never kept.
    pub authorized: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `Accept-Encoding`.
    pub accept_encoding: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    counts: Counts,
    running: u64,
    seen: VecDeque<RecordedRequest>,
}

/// Counts a request as running until dropped, which also happens when its client goes away.
#[derive(Debug)]
pub(super) struct Running<'a> {
    journal: &'a Journal,
    /// How many were running when this one began, itself included.
    pub(super) at_once: u64,
}

impl Journal {
    pub(super) fn begin(&self, call: &ApiRequest, request: &Parts, at: Timestamp) -> Running<'_> {
        let header = |name: HeaderName| {
            let value = request.headers.get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let seen = RecordedRequest {
            method: request.method.to_string(),
            path: request
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            at,
            authorized: request.headers.contains_key(AUTHORIZATION),
            user_agent: header(USER_AGENT),
            accept: header(ACCEPT),
            accept_encoding: header(ACCEPT_ENCODING),
        };
        let mut pages = self.pages();
        pages.running += 1;
        let at_once = pages.running;
        let counts = &mut pages.counts;
        counts.total += 1;
        counts.most_concurrent = counts.most_concurrent.max(at_once);
        match call {
            ApiRequest::Operation(_) => counts.operation += 1,
            ApiRequest::Operations(_) => counts.operations += 1,
            ApiRequest::Emails(_) => counts.emails += 1,
            ApiRequest::Send => counts.send += 1,
            ApiRequest::Token => counts.token += 1,
            ApiRequest::Refused(_) | ApiRequest::Unknown => {}
        }
        if pages.seen.len() == MOST_REQUESTS {
            pages.seen.pop_front();
        }
        pages.seen.push_back(seen);
        Running {
            journal: self,
            at_once,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.pages().counts
    }

    pub(super) fn seen(&self) -> Vec<RecordedRequest> {
        self.pages().seen.iter().cloned().collect()
    }

    /// Starts counting anew. Requests that are running stay so.
    pub(super) fn reset(&self) {
        let mut pages = self.pages();
        pages.counts = Counts::default();
        pages.seen.clear();
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.journal.pages().running -= 1;
    }
}
