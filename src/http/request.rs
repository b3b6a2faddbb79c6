//! A request. Its parts are checked when it is built, and it can be sent more than once.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Method;
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use secrecy::zeroize::Zeroizing;
use url::Url;

use super::body;
use super::failure::NoResponse;

/// The `User-Agent` header.
const PROGRAM: &str = concat!("twilio-email-exporter/", env!("CARGO_PKG_VERSION"));

/// A request with the headers that all requests have.
#[derive(Clone)]
pub(crate) struct Request(hyper::Request<Full<Bytes>>);

impl Request {
    /// A `GET` request for `url`.
    pub(crate) fn get(url: &Url) -> Result<Self, NoResponse> {
        Self::new(Method::GET, url, Bytes::new())
    }

    /// A `POST` request that sends `body` to `url`.
    pub(crate) fn post(url: &Url, body: String) -> Result<Self, NoResponse> {
        Self::new(Method::POST, url, body.into())
    }

    fn new(method: Method, url: &Url, body: Bytes) -> Result<Self, NoResponse> {
        let request = hyper::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(USER_AGENT, PROGRAM)
            .header(ACCEPT_ENCODING, body::ACCEPTED);
        let request = request.body(Full::new(body)).map_err(|_| unusable())?;
        Ok(Self(request))
    }

    /// With the header `name`.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// With `credentials` as `Authorization`. The value is sensitive, so `Debug` does not show it and HTTP/2 does not index it.
    pub(crate) fn authorized(self, credentials: &Zeroizing<String>) -> Result<Self, NoResponse> {
        let mut value = HeaderValue::from_bytes(credentials.as_bytes()).map_err(|_| unusable())?;
        value.set_sensitive(true);
        Ok(self.header(AUTHORIZATION, value))
    }

    /// The path of its URL.
    pub(crate) fn path(&self) -> &str {
        self.0.uri().path()
    }

    /// For hyper.
    pub(super) fn into_inner(self) -> hyper::Request<Full<Bytes>> {
        self.0
    }
}

/// The error does not quote the URL or the header, because both may hold a secret.
fn unusable() -> NoResponse {
    NoResponse::Connect("the URL or a header has a character that HTTP does not allow".into())
}
