//! Records requests for tests: counts, and the last requests. Credentials are left out, so that they never appear in a test's output.

use std::collections::VecDeque;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderName, USER_AGENT};
use axum::http::request::Parts;
use parking_lot::{Mutex, MutexGuard};

use crate::timestamp::Timestamp;

use super::api_request::ApiRequest;

/// The most recorded requests: more than any test reads.
const MOST_REQUESTS: usize = 1000;
/// The most recorded pages: far more than an exporter reads between two checks of a test.
const MOST_PAGES: usize = 1000;

/// The number of requests.
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
    /// The most concurrent requests.
    pub most_concurrent: u64,
}

/// A page of emails that was sent whole.
#[derive(Debug, Clone)]
pub struct SentPage {
    /// Path and query of its request.
    pub path: String,
    /// When it was written, by the simulator's clock.
    pub at: Timestamp,
    /// Its JSON.
    pub body: Bytes,
}

/// One received request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// When it was received, by the simulator's clock.
    pub at: Timestamp,
    /// Whether it had an `Authorization` header. The value is never recorded.
    pub authorized: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `Accept-Encoding`.
    pub accept_encoding: Option<String>,
}

/// The recorded requests.
#[derive(Debug, Default)]
pub(super) struct Journal {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    counts: Counts,
    running: u64,
    requests: VecDeque<RecordedRequest>,
    /// Pages of emails; `None` unless a test wants them.
    pages: Option<VecDeque<SentPage>>,
}

/// Counts a request as running until it is dropped, which also happens if its client disconnects.
#[derive(Debug)]
pub(super) struct Running<'a> {
    journal: &'a Journal,
    /// The number of running requests when this one began, including itself.
    pub(super) at_once: u64,
}

impl Journal {
    pub(super) fn begin(&self, kind: &ApiRequest, request: &Parts, at: Timestamp) -> Running<'_> {
        let header = |name: HeaderName| {
            let value = request.headers.get(name)?;
            Some(value.to_str().ok()?.to_owned())
        };
        let recorded = RecordedRequest {
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
        let mut records = self.records();
        records.running += 1;
        let at_once = records.running;
        let counts = &mut records.counts;
        counts.total += 1;
        counts.most_concurrent = counts.most_concurrent.max(at_once);
        match kind {
            ApiRequest::Operation(_) => counts.operation += 1,
            ApiRequest::Operations(_) => counts.operations += 1,
            ApiRequest::Emails(_) => counts.emails += 1,
            ApiRequest::Send => counts.send += 1,
            ApiRequest::Token => counts.token += 1,
            ApiRequest::Invalid(_) | ApiRequest::Unknown => {}
        }
        if records.requests.len() == MOST_REQUESTS {
            records.requests.pop_front();
        }
        records.requests.push_back(recorded);
        Running {
            journal: self,
            at_once,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.records().counts
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.records().requests.iter().cloned().collect()
    }

    /// Records pages of emails from now on.
    pub(super) fn record_pages(&self) {
        self.records().pages.get_or_insert_default();
    }

    pub(super) fn records_pages(&self) -> bool {
        self.records().pages.is_some()
    }

    pub(super) fn add_page(&self, page: SentPage) {
        if let Some(pages) = &mut self.records().pages {
            if pages.len() == MOST_PAGES {
                pages.pop_front();
            }
            pages.push_back(page);
        }
    }

    /// The pages that were recorded since the last call, oldest first.
    pub(super) fn take_pages(&self) -> Vec<SentPage> {
        let pages = &mut self.records().pages;
        pages
            .as_mut()
            .map_or_else(Vec::new, |pages| pages.drain(..).collect())
    }

    /// Resets the counts and removes the recorded requests. Running requests stay counted as running.
    pub(super) fn reset(&self) {
        let mut records = self.records();
        records.counts = Counts::default();
        records.requests.clear();
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.journal.records().running -= 1;
    }
}
