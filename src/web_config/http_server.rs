//! The section `http_server_config`.

use super::headers::{self, Header};
use super::reading::flag;
use crate::document::Findings;
use crate::document::walk::Value;

/// The values of the section.
pub(super) struct HttpServer {
    /// Whether HTTP/2 is served, with TLS.
    pub(super) http_2: bool,
    pub(super) headers: Vec<Header>,
}

impl Default for HttpServer {
    fn default() -> Self {
        Self {
            http_2: true,
            headers: Vec::new(),
        }
    }
}

impl HttpServer {
    pub(super) fn read(section: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let mut section = section.mapping(findings)?;
        let http_2 = flag(&mut section, "http2", findings).unwrap_or(true);
        let headers = section.take("headers");
        let headers = headers.map(|headers| headers::read(&headers, findings));
        section.finish(findings);
        Some(Self {
            http_2,
            headers: headers.unwrap_or_default(),
        })
    }
}
