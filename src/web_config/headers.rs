//! The headers that `http_server_config.headers` may add to responses, and their allowed values.

use crate::document::Findings;
use crate::document::walk::Value;

/// The headers and their allowed values; without values, any.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// A header of every response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, one of five.
    pub name: &'static str,
    /// Printable ASCII characters; not empty.
    pub value: String,
}

/// A header with an empty value is not sent.
pub(super) fn read(section: &Value<'_>, findings: &mut Findings) -> Vec<Header> {
    let Some(mut section) = section.mapping(findings) else {
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (name, allowed) in ALLOWED {
        let Some(value) = section.take(name) else {
            continue;
        };
        // `X-XSS-Protection: 0` is a number in YAML.
        let Some(text) = value.scalar(findings) else {
            continue;
        };
        if !allowed.is_empty() && !allowed.contains(&text.as_str()) {
            let allowed = allowed.join(" or ");
            findings.problem(&value.place, format_args!("expected {allowed}"));
        } else if !text.chars().all(|c| matches!(c, ' '..='~')) {
            let message = "expected printable ASCII characters, as in every HTTP header";
            findings.problem(&value.place, message);
        } else if !text.is_empty() {
            headers.push(Header { name, value: text });
        }
    }
    section.finish(findings);
    headers
}
