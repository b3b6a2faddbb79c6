//! The host to which a request was sent: the header `Host`, the authority of HTTP/2, or that of an absolute URL. A request that names
//! it in several places must name the same one.

use axum::extract::Request;
use axum::http::{Method, Version, header, uri};

use crate::config::Authority;

/// Why a request has no valid destination (RFC 9112, section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DestinationError {
    #[error("A request with HTTP/1.1 needs the header Host.")]
    Missing,
    #[error("The request has more than one header Host.")]
    Repeated,
    #[error("The path of the request does not start with /.")]
    NoPath,
    #[error("The header Host is neither a name nor an address.")]
    Invalid,
}

/// The hosts that the request names, at most two: clients of proxies write one into the URL and one into `Host`. None with HTTP/1.0 and
/// with an empty `Host`, which clients without a URL's host send.
pub(super) fn destinations<B>(request: &Request<B>) -> Result<Vec<Authority>, DestinationError> {
    let url = request.uri();
    // `GET metrics` parses like the form of CONNECT: only a host.
    if url.authority().is_some() && url.scheme().is_none() && request.method() != Method::CONNECT {
        return Err(DestinationError::NoPath);
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let in_header = hosts.next();
    if hosts.next().is_some() {
        return Err(DestinationError::Repeated);
    }
    if in_header.is_none() && request.version() == Version::HTTP_11 {
        return Err(DestinationError::Missing);
    }
    let in_header = in_header.map(|host| host.to_str().map(str::trim));
    let in_header = in_header.transpose();
    let in_header = in_header.map_err(|_| DestinationError::Invalid)?;
    let in_url = url.authority().map(uri::Authority::as_str);
    let given = [in_url, in_header.filter(|host| !host.is_empty())];
    let parsed = given.into_iter().flatten().map(|host| {
        let host = host.parse();
        host.map_err(|_| DestinationError::Invalid)
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str, version: Version, hosts: &[&str]) -> Result<usize, DestinationError> {
        let mut request = Request::builder().uri(url).version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        destinations(&request.body(()).unwrap()).map(|found| found.len())
    }

    #[test]
    fn a_request_names_its_host_once() {
        use DestinationError::{Invalid, Missing, NoPath, Repeated};
        let [one, two] = [Version::HTTP_11, Version::HTTP_2];
        for (url, version, hosts, found) in [
            ("/", one, &["a"][..], Ok(1)),
            ("/", one, &[" a:80 "], Ok(1)),
            ("/", one, &[""], Ok(0)),
            ("http://b/", one, &["a"], Ok(2)),
            ("https://b/", two, &[], Ok(1)),
            ("/", Version::HTTP_10, &[], Ok(0)),
            ("/", one, &[], Err(Missing)),
            ("http://b/", one, &[], Err(Missing)),
            ("/", one, &["a", "a"], Err(Repeated)),
            ("/", one, &["a,b"], Err(Invalid)),
            ("metrics", one, &["a"], Err(NoPath)),
            ("/", one, &["user@a"], Err(Invalid)),
            ("http://user@b/", one, &["a"], Err(Invalid)),
        ] {
            assert_eq!(of(url, version, hosts), found, "{url} {hosts:?}");
        }
    }
}
