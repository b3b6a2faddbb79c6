//! Fuzz target: all parsers of what Twilio, or whatever responds in its place, sends.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::error::ApiError;
use super::first_email;
use super::http_status::{classify, date};
use super::pause;
use super::resource::Resource;
use super::token::{self, Token};
use super::wire;
use crate::email::{Domain, Email};
use crate::operation::{Operation, Unexpected};
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Whose tags are read.
const ID: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
/// The rows of a requested page.
const MOST_ROWS: usize = 1000;
/// The longest pause, with its jitter.
const LONGEST_PAUSE: Duration = Duration::from_secs(990);

/// Parses `input` as the body of every response, and as the headers `Retry-After` and, after a line break, `Date`.
///
/// # Panics
/// If a parsed value is impossible.
pub fn response(input: &[u8]) {
    operation(input);
    page::<Operation>(input);
    page::<Email>(input);
    emails(input);
    let id = ID.parse().expect("an id");
    if let Ok(Some(first)) = first_email::first(input, id) {
        for (name, value) in first.tags {
            assert!(crate::label::check_name(&name).is_ok());
            assert!(crate::label::check_value(&value).is_ok());
        }
    }
    if let Ok(token) = Token::read(input, Instant::now()) {
        token.age(Instant::now());
    }
    let refused = token::refusal(ApiError::BadRequest { status: 400 }, input);
    assert!(matches!(
        refused,
        ApiError::BadRequest { .. } | ApiError::Unauthorized
    ));
    headers(input);
}

fn operation(body: &[u8]) {
    let mut unexpected = Unexpected::default();
    match wire::operation(body, &mut unexpected) {
        Ok(read) => {
            let apart = read.created.since(read.id.created());
            let apart = apart.max(read.id.created().since(read.created));
            assert!(apart <= Duration::from_hours(24), "created {apart:?} apart");
            assert_eq!(read.stats.contradiction(), None);
            alone_and_in_a_list_are_the_same(body, &read);
        }
        Err(error) => {
            assert_eq!(error.reason(), Some(Reason::InvalidResponse));
        }
    }
}

/// A row means the same in a list and alone.
fn alone_and_in_a_list_are_the_same(body: &[u8], alone: &Operation) {
    let body = wire::without_mark(body, &mut Unexpected::default());
    let list = [b"{\"operations\":[", body, b"]}"].concat();
    let page = wire::page::<Operation>(&list, 1);
    let page = page.unwrap_or_else(|error| panic!("a list of a valid operation: {error}"));
    assert_eq!(page.rows, std::slice::from_ref(alone));
}

fn page<T: Resource>(body: &[u8]) {
    match wire::page::<T>(body, MOST_ROWS) {
        Ok(page) => assert!(page.size() <= MOST_ROWS, "{} rows", page.size()),
        Err(error) => assert!(matches!(
            error.reason(),
            Some(Reason::InvalidResponse | Reason::TooLarge)
        )),
    }
}

/// Of an address nothing but a domain is kept.
fn emails(body: &[u8]) {
    let Ok(page) = wire::page::<Email>(body, MOST_ROWS) else {
        return;
    };
    for email in page.rows {
        let in_id = email.id.created();
        let apart = email.created.since(in_id).max(in_id.since(email.created));
        assert!(apart <= Duration::from_hours(24), "created {apart:?} apart");
        for domain in [email.sender, email.recipient].into_iter().flatten() {
            assert_eq!(Domain::parse(domain.as_str()), Some(domain.clone()));
            assert!(domain.as_str().is_ascii() && !domain.as_str().contains('@'));
        }
    }
}

fn headers(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for (name, value) in [RETRY_AFTER, DATE].into_iter().zip(&mut lines) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(name, value);
        }
    }
    date(&headers);
    let Err(ApiError::RateLimited { retry_after }) =
        classify(StatusCode::TOO_MANY_REQUESTS, &headers)
    else {
        panic!("429 is a rate limit, whatever its headers");
    };
    let now = Timestamp::from_millis(1_775_370_000_000);
    let pause = pause::length(retry_after, 1, now, 1.0);
    assert!(
        (Duration::from_secs(1)..=LONGEST_PAUSE).contains(&pause),
        "a pause of {pause:?}"
    );
}
