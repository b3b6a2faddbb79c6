//! The proxies between the exporter and a server, and the choice of the one for a URL. Hosts that `no_proxy` names have none.

use std::fmt;
use std::sync::Arc;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

/// The port of a SOCKS proxy whose URL has none (RFC 1928).
const SOCKS_PORT: u16 = 1080;
/// A reserved name (RFC 6761), to which no exception of `no_proxy` applies.
const ANY_HOST: &str = "http://any.invalid/";

/// The proxies by scheme, and the hosts without a proxy. The default has none.
#[derive(Clone, Default)]
pub(crate) struct Proxies(Option<Arc<Matcher>>);

/// HTTP does not allow the URL of a proxy. It is not quoted, because it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL of the proxy has a character that HTTP does not allow there")]
pub struct UnusableProxy;

/// The proxy of one connection.
pub(super) struct Proxy(Intercept);

/// How a proxy is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyKind {
    /// HTTP: requests for `http://` are sent to it, and connections for `https://` go through it.
    Http { has_tls: bool },
    /// SOCKS 5: connections go through it.
    Socks { resolves_names: bool },
}

impl Proxies {
    /// The proxies for `http://` and `https://`; `no_proxy` has the syntax of the variable `NO_PROXY`.
    pub(crate) fn new(
        http: Option<&Url>,
        https: Option<&Url>,
        no_proxy: &str,
    ) -> Result<Self, UnusableProxy> {
        let given = [http, https].into_iter().flatten();
        if given.map(Url::as_str).any(|proxy| !is_usable(proxy)) {
            return Err(UnusableProxy);
        }
        let mut builder = Matcher::builder().no(no_proxy);
        if let Some(http) = http {
            builder = builder.http(http.as_str());
        }
        if let Some(https) = https {
            builder = builder.https(https.as_str());
        }
        Ok(Self(Some(Arc::new(builder.build()))))
    }

    /// The proxy for a connection to `to`.
    pub(super) fn proxy_for(&self, to: &Uri) -> Option<Proxy> {
        self.0.as_ref()?.intercept(to).map(Proxy)
    }

    /// The credentials for an HTTP proxy that gets the request for `to` itself.
    pub(super) fn authorization(&self, to: &Uri) -> Option<HeaderValue> {
        if to.scheme_str() == Some("https") {
            return None;
        }
        self.proxy_for(to)?.basic().cloned()
    }
}

/// The matcher ignores a URL that it cannot read, and requests would use no proxy.
fn is_usable(proxy: &str) -> bool {
    let matcher = Matcher::builder().all(proxy).build();
    matcher.intercept(&Uri::from_static(ANY_HOST)).is_some()
}

impl Proxy {
    pub(super) fn kind(&self) -> ProxyKind {
        match self.0.uri().scheme_str() {
            Some("socks5") => ProxyKind::Socks {
                resolves_names: false,
            },
            Some("socks5h") => ProxyKind::Socks {
                resolves_names: true,
            },
            scheme => ProxyKind::Http {
                has_tls: scheme == Some("https"),
            },
        }
    }

    /// Its host and port.
    pub(super) fn address(&self) -> Uri {
        let uri = self.0.uri();
        let socks = matches!(self.kind(), ProxyKind::Socks { .. });
        match uri.host() {
            Some(host) if socks && uri.port().is_none() => {
                let with_port = format!("socks5://{host}:{SOCKS_PORT}").parse();
                with_port.unwrap_or_else(|_| uri.clone())
            }
            _ => uri.clone(),
        }
    }

    /// The credentials for an HTTP proxy.
    pub(super) fn basic(&self) -> Option<&HeaderValue> {
        self.0.basic_auth()
    }

    /// The user name and the password for a SOCKS proxy.
    pub(super) fn login(&self) -> Option<(&str, &str)> {
        self.0.raw_auth()
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(proxy: &str, no_proxy: &str) -> Proxies {
        let proxy = Url::parse(proxy).unwrap();
        Proxies::new(Some(&proxy), Some(&proxy), no_proxy).unwrap()
    }

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_host_of_no_proxy_has_none() {
        let proxies = proxies(
            "http://proxy:3128",
            "localhost,127.0.0.0/8,::1,.example.com",
        );
        for direct in [
            "https://localhost/",
            "http://127.0.0.9:7/",
            "http://[::1]:7/",
            "https://a.example.com/",
        ] {
            assert!(proxies.proxy_for(&uri(direct)).is_none(), "{direct}");
        }
        for through in [
            "https://notexample.com/",
            "http://128.0.0.1/",
            "http://h:80/",
        ] {
            let proxy = proxies.proxy_for(&uri(through)).unwrap();
            assert_eq!(proxy.address().authority().unwrap(), "proxy:3128");
        }
        assert!(Proxies::default().proxy_for(&uri("http://h/")).is_none());
    }

    #[test]
    fn each_scheme_has_its_own_proxy() {
        let http = Url::parse("http://one").unwrap();
        let proxies = Proxies::new(Some(&http), None, "").unwrap();
        assert!(proxies.proxy_for(&uri("http://h/")).is_some());
        assert!(proxies.proxy_for(&uri("https://h/")).is_none());
    }

    #[test]
    fn the_kind_and_the_port_follow_from_the_url() {
        for (proxy, kind, authority) in [
            ("http://p", ProxyKind::Http { has_tls: false }, "p"),
            ("https://p:1", ProxyKind::Http { has_tls: true }, "p:1"),
            (
                "socks5://u:p@p:2",
                ProxyKind::Socks {
                    resolves_names: false,
                },
                "p:2",
            ),
            (
                "socks5h://u:p@[::1]",
                ProxyKind::Socks {
                    resolves_names: true,
                },
                "[::1]:1080",
            ),
        ] {
            let proxy = proxies(proxy, "").proxy_for(&uri("https://h/")).unwrap();
            assert_eq!(proxy.kind(), kind);
            assert_eq!(proxy.address().authority().unwrap(), authority);
        }
    }

    #[test]
    fn credentials_are_decoded_and_sent_only_to_a_proxy_that_gets_the_request() {
        let http = proxies("http://us%40er:made%2Fup@proxy", "direct");
        let basic = http.authorization(&uri("http://h/")).unwrap();
        // `us@er:made/up`.
        assert_eq!(basic.to_str().unwrap(), "Basic dXNAZXI6bWFkZS91cA==");
        assert!(basic.is_sensitive());
        // Within the tunnel the server would get them.
        assert_eq!(http.authorization(&uri("https://h/")), None);
        assert_eq!(http.authorization(&uri("http://direct/")), None);
        let socks = proxies("socks5://us%40er:made%2Fup@proxy", "");
        assert_eq!(socks.authorization(&uri("http://h/")), None);
        let proxy = socks.proxy_for(&uri("http://h/")).unwrap();
        assert_eq!(proxy.login(), Some(("us@er", "made/up")));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error_and_never_left_out() {
        let odd = Url::parse("socks5://us|er@proxy").unwrap();
        let usable = is_usable(odd.as_str());
        let outcome = Proxies::new(Some(&odd), None, "");
        assert_eq!(outcome.is_ok(), usable);
        let other = Url::parse("ftp://proxy").unwrap();
        assert_eq!(
            Proxies::new(Some(&other), None, "").err(),
            Some(UnusableProxy)
        );
    }
}
