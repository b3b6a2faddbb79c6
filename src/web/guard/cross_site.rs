//! Refuses requests that change something and that a page of another site made the browser send.
//!
//! Browsers add `Sec-Fetch-Site` (<https://www.w3.org/TR/fetch-metadata/>) and `Origin`, which a page cannot change. Programs such
//! as curl add neither and are not affected.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::destination::destinations;
use super::refusal::refusal;
use crate::config::Authority;
use crate::web::connections::ConnectedClient;

/// The browser's header about the site that a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

/// Responds with 403 to a request of another site, unless it only reads.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    if reads.contains(request.method()) || is_of_same_site(&request) {
        return next.run(request).await;
    }
    refusal(
        request.uri().path(),
        StatusCode::FORBIDDEN,
        "A page of another site sent this request, according to its header Origin or Sec-Fetch-Site. Only programs and the exporter's own pages may send it.",
    )
}

fn is_of_same_site<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    let of_user = |site: &HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    // A request without a valid host was refused before.
    let own = destinations(request).unwrap_or_default();
    let client = request.extensions().get::<ConnectedClient>();
    let has_tls = client.is_some_and(|client| client.certificates.is_some());
    all(headers, FETCH_SITE, of_user)
        && all(headers, header::ORIGIN.as_str(), |origin| {
            is_own(origin, &own, has_tls)
        })
}

fn all(headers: &HeaderMap, name: &str, is_right: impl Fn(&HeaderValue) -> bool) -> bool {
    headers.get_all(name).iter().all(is_right)
}

/// Whether an origin is the one to which the request was sent. Without TLS, a proxy before the exporter may have
/// terminated it, so either scheme counts. `null`, which sandboxed pages send, is never the exporter's.
fn is_own(origin: &HeaderValue, own: &[Authority], has_tls: bool) -> bool {
    let Some((given, authority)) = origin.to_str().ok().and_then(|text| text.split_once("://"))
    else {
        return false;
    };
    let default_port = match given {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let Ok(origin) = authority.parse::<Authority>() else {
        return false;
    };
    let port = |authority: &Authority| authority.port.unwrap_or(default_port);
    let is_same = |own: &Authority| own.host == origin.host && port(own) == port(&origin);
    (given == "https" || !has_tls) && !own.is_empty() && own.iter().all(is_same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::connections::ClientAddress;

    fn allows(url: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri(url).method(Method::POST);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_of_same_site(&request.body(()).unwrap())
    }

    #[test]
    fn only_the_exporters_own_origin_and_programs_are_allowed() {
        const ORIGIN: &str = "origin";
        for (host, name, value, is_allowed) in [
            ("a:10202", "accept", "*/*", true),
            ("a:10202", ORIGIN, "http://a:10202", true),
            ("A.:10202", ORIGIN, "http://a:10202", true),
            ("[::1]:10202", ORIGIN, "http://[::1]:10202", true),
            // TLS may end at a proxy.
            ("a:10202", ORIGIN, "https://a:10202", true),
            ("a", ORIGIN, "https://a", true),
            ("a", ORIGIN, "https://a:443", true),
            ("a:443", ORIGIN, "https://a", true),
            ("a", ORIGIN, "http://a", true),
            ("a:443", ORIGIN, "http://a", false),
            ("a:10202", ORIGIN, "http://a", false),
            ("a:10202", ORIGIN, "http://a:10203", false),
            ("a:10202", ORIGIN, "http://b:10202", false),
            ("a:10202", ORIGIN, "http://a.b:10202", false),
            ("a:10202", ORIGIN, "ftp://a:10202", false),
            ("a:10202", ORIGIN, "a:10202", false),
            ("a:10202", ORIGIN, "http://a:10202/", false),
            ("a:10202", ORIGIN, "http://x@a:10202", false),
            ("a:10202", ORIGIN, "null", false),
            ("a:10202", ORIGIN, "", false),
            ("", ORIGIN, "http://a", false),
            ("a:10202", FETCH_SITE, "same-origin", true),
            ("a:10202", FETCH_SITE, "none", true),
            ("a:10202", FETCH_SITE, "same-site", false),
            ("a:10202", FETCH_SITE, "cross-site", false),
            ("a:10202", FETCH_SITE, "odd", false),
            ("a:10202", FETCH_SITE, "", false),
        ] {
            let allowed = allows("/", &[("host", host), (name, value)]);
            assert_eq!(allowed, is_allowed, "{host} {name}: {value}");
        }
    }

    #[test]
    fn every_header_counts() {
        let host = ("host", "a");
        let (own, other) = (("origin", "http://a"), ("origin", "http://b"));
        assert!(!allows("/", &[host, own, other]) && !allows("/", &[host, other, own]));
        assert!(!allows("/", &[host, own, (FETCH_SITE, "cross-site")]));
        assert!(!allows("/", &[host, other, (FETCH_SITE, "same-origin")]));
    }

    #[test]
    fn with_tls_only_an_origin_with_tls_is_the_exporters_own() {
        for (origin, is_allowed) in [
            ("https://a", true),
            ("http://a", false),
            ("http://a:443", false),
        ] {
            let request = Request::builder().header("host", "a");
            let request = request.header("origin", origin).extension(ConnectedClient {
                address: ClientAddress::Unix,
                certificates: Some([].into()),
            });
            let allowed = is_of_same_site(&request.body(()).unwrap());
            assert_eq!(allowed, is_allowed, "{origin}");
        }
    }
}
