//! Opens connections: resolves the host, connects to it or to its proxy, and makes the TLS handshakes. All of it
//! is limited by [`CONNECT_TIMEOUT`].

use std::error::Error;
use std::future::{Ready, ready};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::proxies::{Proxies, Proxy, ProxyKind};
use super::stream::{Io, Stream};

/// The longest time for opening a connection. The rest of the request's timeout is for the response.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The interval of TCP keep-alive probes, which close an idle connection whose server is gone.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// A connection is closed after this number of probes without a response.
const KEEPALIVE_RETRIES: u32 = 3;
/// The longest time until the server acknowledges data (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(30);

tokio::task_local! {
    /// Whether the request of this task opened a connection, or tried to.
    static CONNECTS: AtomicBool;
}

/// The result of a request, and whether it opened a connection, or tried to.
pub(super) async fn note_connecting<T>(request: impl Future<Output = T>) -> (T, bool) {
    let noted = async {
        let outcome = request.await;
        let connects = CONNECTS.with(|connects| connects.load(Ordering::Relaxed));
        (outcome, connects)
    };
    CONNECTS.scope(AtomicBool::new(false), noted).await
}

type BoxError = Box<dyn Error + Send + Sync>;

/// The settings of new connections.
pub(crate) struct Connections {
    pub(crate) tls: ClientConfig,
    pub(crate) proxies: Proxies,
    /// The host to connect to, whatever host the requests name; `None`: the host of the request.
    pub(crate) host: Option<String>,
}

/// DNS does not resolve the name of the host.
#[derive(Debug, thiserror::Error)]
#[error("unknown host")]
pub(super) struct UnknownHost;

/// A SOCKS proxy refuses the connection. The library's message is not used: it may quote the proxy.
#[derive(Debug, thiserror::Error)]
#[error("refused by a SOCKS proxy")]
pub(super) struct SocksRefusal;

/// Opens connections for hyper. A clone is cheap.
#[derive(Clone)]
pub(super) struct Connector(Arc<Parts>);

struct Parts {
    tcp: HttpConnector<Resolver>,
    tls: TlsConnector,
    /// For proxies, which get HTTP/1.1 only.
    proxy_tls: TlsConnector,
    proxies: Proxies,
    resolver: Resolver,
    /// Whether connections without TLS use HTTP/2, as servers of tests do.
    is_http2: bool,
}

impl Connector {
    pub(super) fn new(connections: Connections, is_http2: bool) -> Self {
        let Connections { tls, proxies, host } = connections;
        let resolver = Resolver(host.map(Arc::from));
        let mut tcp = HttpConnector::new_with_resolver(resolver.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_keepalive(Some(KEEPALIVE_INTERVAL));
        tcp.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
        tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(ACKNOWLEDGE_TIMEOUT));
        let mut proxy_tls = tls.clone();
        proxy_tls.alpn_protocols.clear();
        Self(Arc::new(Parts {
            tcp,
            tls: TlsConnector::from(Arc::new(tls)),
            proxy_tls: TlsConnector::from(Arc::new(proxy_tls)),
            proxies,
            resolver,
            is_http2,
        }))
    }

    pub(super) fn proxies(&self) -> &Proxies {
        &self.0.proxies
    }

    pub(super) fn is_http2(&self) -> bool {
        self.0.is_http2
    }

    async fn open(self, to: Uri) -> Result<Stream, BoxError> {
        let Parts { tls, proxies, .. } = &*self.0;
        let is_secure = to.scheme() == Some(&Scheme::HTTPS);
        let proxy = proxies.proxy_for(&to);
        let io = match &proxy {
            None => self.tcp(to.clone()).await?,
            Some(proxy) => self.through(proxy, &to, is_secure).await?,
        };
        if !is_secure {
            let kind = proxy.as_ref().map(Proxy::kind);
            let is_proxied = matches!(kind, Some(ProxyKind::Http { .. }));
            return Ok(if self.0.is_http2 {
                Stream::http2(io)
            } else {
                Stream::http1(io, is_proxied)
            });
        }
        let stream = tls.connect(server_name(&to)?, io).await?;
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io: Box<dyn Io> = Box::new(stream);
        Ok(if is_http2 {
            Stream::http2(io)
        } else {
            Stream::http1(io, false)
        })
    }

    async fn tcp(&self, to: Uri) -> Result<Box<dyn Io>, BoxError> {
        let stream = self.0.tcp.clone().call(to).await?;
        Ok(Box::new(stream.into_inner()))
    }

    /// A connection to `proxy`, or through it to `to`.
    async fn through(
        &self,
        proxy: &Proxy,
        to: &Uri,
        is_secure: bool,
    ) -> Result<Box<dyn Io>, BoxError> {
        let address = proxy.address();
        let io = self.tcp(address.clone()).await?;
        match proxy.kind() {
            ProxyKind::Socks { resolves_names } => {
                let to = self.socks_target(to, is_secure, resolves_names).await?;
                let mut socks = SocksV5::new(address, Opened::new(io));
                if let Some((name, password)) = proxy.login() {
                    socks = socks.with_auth(name.to_owned(), password.to_owned());
                }
                let opened = socks.call(to).await.map_err(|_| SocksRefusal)?;
                Ok(opened.into_inner())
            }
            ProxyKind::Http { has_tls } => {
                let io: Box<dyn Io> = if has_tls {
                    let name = server_name(&address)?;
                    Box::new(self.0.proxy_tls.connect(name, io).await?)
                } else {
                    io
                };
                if !is_secure {
                    return Ok(io);
                }
                let mut tunnel = Tunnel::new(address, Opened::new(io));
                if let Some(basic) = proxy.basic() {
                    tunnel = tunnel.with_auth(basic.clone());
                }
                let opened = tunnel.call(to.clone()).await?;
                Ok(opened.into_inner())
            }
        }
    }

    /// The target for a SOCKS proxy: a URL with a port, and with an IP address unless the proxy resolves names.
    async fn socks_target(
        &self,
        to: &Uri,
        is_secure: bool,
        resolves_names: bool,
    ) -> Result<Uri, BoxError> {
        let host = to.host().unwrap_or_default();
        let port = to.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let target = if resolves_names {
            format!("{host}:{port}")
        } else {
            let bare = host.trim_matches(['[', ']']).to_owned();
            let found = self.0.resolver.clone().find(bare).await?;
            let address = found.into_iter().next().ok_or(UnknownHost)?;
            SocketAddr::new(address.ip(), port).to_string()
        };
        Ok(format!("http://{target}/").parse()?)
    }
}

/// The name that a certificate must have.
fn server_name(to: &Uri) -> Result<ServerName<'static>, BoxError> {
    let host = to.host().unwrap_or_default();
    // An IPv6 address in a URL has brackets.
    Ok(ServerName::try_from(
        host.trim_matches(['[', ']']).to_owned(),
    )?)
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        // Fails if the pool opens the connection in its own task, after the request got another connection.
        let _ = CONNECTS.try_with(|connects| connects.store(true, Ordering::Relaxed));
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, self.clone().open(to));
        Box::pin(async move {
            let opened = opened.await;
            opened
                .unwrap_or_else(|_| Err(io::Error::from(ErrorKind::TimedOut).into()))
                .map(TokioIo::new)
        })
    }
}

/// An open connection, as the service over which a proxy's handshake is made.
struct Opened(Option<Box<dyn Io>>);

impl Opened {
    fn new(io: Box<dyn Io>) -> Self {
        Self(Some(io))
    }
}

impl Service<Uri> for Opened {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let io = self.0.take().map(TokioIo::new);
        ready(io.ok_or_else(|| ErrorKind::NotConnected.into()))
    }
}

/// Resolves names with the operating system: the host of a request, or always the same name.
#[derive(Clone)]
struct Resolver(Option<Arc<str>>);

impl Resolver {
    async fn find(self, name: String) -> Result<Vec<SocketAddr>, UnknownHost> {
        let name = self.0.as_deref().unwrap_or(&name);
        let found = tokio::net::lookup_host((name, 0)).await;
        found.map(Iterator::collect).map_err(|_| UnknownHost)
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = UnknownHost;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, UnknownHost>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), UnknownHost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let found = self.clone().find(name.as_str().to_owned());
        Box::pin(async move { found.await.map(Vec::into_iter) })
    }
}
