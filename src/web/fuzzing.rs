//! Fuzz target: everything of a request except its body. No value may be accepted that the exporter cannot use, and no error may
//! repeat the request.

use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{HeaderMap, HeaderValue};

use super::api::fuzzing::list_parameter;
pub use super::api::fuzzing::registration;
use super::negotiation::{Encoding, Format};
use super::query::Query;
use super::sd;
use crate::config::{Authority, Host};
use crate::deadline;
use crate::operation::OperationId;

/// The longest time of a scrape, whatever its header says.
const LONGEST_SCRAPE: Duration = Duration::from_mins(10);

/// Reads `input` as the query of every path, as its parameters and as headers.
///
/// # Panics
/// If a value is read that the exporter could not use, or an error repeats the request.
pub fn request(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    query(&text);
    headers(&text);
}

fn query(text: &str) {
    let mut query = Query::read(Some(text));
    for name in ["target", "account", "debug", "limit", "after", "state"] {
        match query.one(name) {
            Ok(Some(value)) => value_of_parameter(&value),
            Ok(None) => {}
            Err(error) => assert_eq!(error, format!("The parameter {name} is given twice.")),
        }
    }
    for label in query.all("label") {
        list_parameter(&label);
    }
    if let Err(error) = query.finish("account") {
        assert_eq!(error, "Unknown parameter. Allowed: account.");
    }
}

fn value_of_parameter(value: &str) {
    list_parameter(value);
    match value.parse::<OperationId>() {
        Ok(id) => assert_eq!(id.to_string(), value),
        // Lengths and positions are numbers; nothing else of the request is in the text.
        Err(error) => assert!(error.to_string().is_ascii()),
    }
}

fn headers(text: &str) {
    let budget = deadline::budget(Some(text), Duration::from_millis(500));
    assert!(budget <= LONGEST_SCRAPE, "{budget:?}");
    assert!(!sd::interval(Some(text)).is_zero());
    if let Ok(Authority { host, .. }) = text.parse() {
        assert_eq!(host.to_string().parse(), Ok(Authority { host, port: None }));
    }
    if let Ok(host) = Host::from_option(text) {
        assert_eq!(Host::from_option(&host.to_string()), Ok(host));
    }
    let Ok(value) = HeaderValue::from_str(text) else {
        return;
    };
    let headers = HeaderMap::from_iter([(ACCEPT, value.clone()), (ACCEPT_ENCODING, value)]);
    let content_type = Format::negotiate(&headers).content_type();
    let content_type = content_type.to_str().unwrap_or_default();
    assert!(content_type.contains("; version="), "{content_type}");
    let _ = Encoding::negotiate(&headers);
}
