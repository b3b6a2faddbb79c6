//! Builds everything from a configuration, binds, serves, and stops within a grace time.

use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::{Config, ListenAddress};
use crate::exposition::{Build, Instruments};
use crate::reload::{Load, Reload};
use crate::store::Store;
use crate::web::{self, Buffers, ConnectionLimits, Connections, Service, Stop, UnderWay};

/// For what else is being sent when no scrape is under way any more; a connection that never sends a request would hold up
/// the stop for good. At most an eighth of the grace period.
const CLOSING: Duration = Duration::from_secs(1);
/// Scrapes under way are told to answer when this part of the grace period is left, so that the answer still gets away.
const TO_ANSWER: u32 = 4;
/// The collection at the start: it makes the exporter ready and the first scrape warm.
const FIRST_COLLECTION: Duration = Duration::from_mins(1);

/// An exporter that is bound to its addresses and serves nobody yet.
#[derive(Debug)]
pub struct App {
    service: Arc<Service>,
    listeners: Vec<TcpListener>,
    grace_period: Duration,
    connection_limits: ConnectionLimits,
}

/// What this program is, for `exporter_build_info`.
#[must_use]
pub fn build() -> Build<'static> {
    Build {
        version: env!("CARGO_PKG_VERSION"),
        revision: option_env!("TWILIO_EMAIL_REVISION").unwrap_or("unknown"),
    }
}

/// The collector of a configuration, and the instruments it writes to.
///
/// # Errors
/// When there is no HTTP client to be had, or the store is in use by another process.
pub fn collector(config: &Config, clock: &Clock) -> anyhow::Result<(Collector, Instruments)> {
    let store = Store::open(config.storage.path.as_deref(), clock.now())?;
    collector_on(store, config, clock)
}

/// As [`collector`], on a store that is open.
fn collector_on(
    store: Store,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<(Collector, Instruments)> {
    let instruments =
        Instruments::new(build()).context("cannot set up the exporter's own metrics")?;
    instruments.config_loaded(clock.now());
    for notice in store.notices() {
        tracing::warn!("{notice}");
    }
    if store.is_durable() {
        instruments
            .show_state()
            .context("cannot set up the exporter's own metrics")?;
    }
    let collector = Collector::new(config, &Arc::new(store), &instruments, clock)?;
    Ok((collector, instruments))
}

impl App {
    /// Binds the addresses of `config`.
    ///
    /// # Errors
    /// When an address cannot be bound; the error names it.
    pub async fn bind(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::open(config.storage.path.as_deref(), clock.now())?;
        Self::bind_on(store, config, clock).await
    }

    /// As [`Self::bind`], on a store that is open; for tests of a disk that hangs.
    #[doc(hidden)]
    pub async fn bind_on(store: Store, config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let (collector, instruments) = collector_on(store, config, &clock)?;
        let service = Service {
            collector: Arc::new(collector),
            instruments,
            clock,
            telemetry_path: config.web.telemetry_path.clone(),
            timeout_offset: config.scrape.timeout_offset,
            stop: Stop::default(),
            renderer: Mutex::default(),
            buffers: Buffers::default(),
            under_way: UnderWay::default(),
            reload: OnceLock::new(),
            lifecycle: config.web.enable_lifecycle,
            api: config.web.enable_api,
        };
        let listeners = try_join_all(config.web.listen.iter().map(bind)).await?;
        Ok(Self {
            service: Arc::new(service),
            listeners,
            grace_period: config.web.grace_period,
            connection_limits: ConnectionLimits::default(),
        })
    }

    /// Lets the configuration, which began as `config`, be loaded again by `load`.
    #[must_use]
    pub fn reloading(self, config: &Config, load: Load) -> Self {
        let service = &self.service;
        let reload = Reload::new(
            load,
            config,
            Arc::clone(&service.collector),
            service.instruments.clone(),
            service.clock.clone(),
        );
        service.reload.get_or_init(|| Arc::new(reload));
        self
    }

    /// Holds connections to other limits than the usual ones.
    #[must_use]
    pub const fn limiting_connections(mut self, limits: ConnectionLimits) -> Self {
        self.connection_limits = limits;
        self
    }

    /// How the configuration is loaded again, if it can be.
    #[must_use]
    pub fn reload(&self) -> Option<Arc<Reload>> {
        self.service.reload.get().cloned()
    }

    /// The addresses it is bound to; with port 0, the ones that were given.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Serves until `shutdown` ends, then lets scrapes under way finish within the grace period.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            service,
            listeners,
            grace_period,
            connection_limits,
        } = self;
        let router = web::router(Arc::clone(&service));
        let (stop, stopped) = watch::channel(false);
        let connections = Connections::new(connection_limits, service.instruments.connections());
        let serve = |listener| {
            let connections = Arc::clone(&connections);
            connections.serve(listener, router.clone(), stopped.clone())
        };
        let servers = join_all(listeners.into_iter().map(serve));
        service.collector.poll_urls();
        let first = tokio::spawn({
            let collector = Arc::clone(&service.collector);
            async move { collector.collect_fully(FIRST_COLLECTION).await }
        });
        let end = async {
            shutdown.await;
            drain(&service, &stop, grace_period).await;
        };
        tokio::select! {
            _ = servers => {}
            () = end => {}
        }
        first.abort();
        service.collector.stop();
    }
}

/// Lets scrapes under way finish, then closes; all of it takes no longer than `grace`. Until it closes, whoever asks is told
/// that the exporter is not ready.
async fn drain(service: &Service, close: &watch::Sender<bool>, grace: Duration) {
    tracing::info!(grace_seconds = grace.as_secs_f64(), "stopping");
    let began = Instant::now();
    let closing = CLOSING.min(grace / 8);
    service.stop.drain();
    let until = |left: Duration| began + grace.saturating_sub(left);
    let none = || service.under_way.none();
    if timeout_at(until(grace / TO_ANSWER), none()).await.is_err() {
        tracing::warn!("scrapes under way are answered before their collection has finished");
        service.stop.answer_now();
        if timeout_at(until(closing), none()).await.is_err() {
            tracing::warn!("scrapes under way are cut off at the end of the grace period");
        }
    }
    close.send_replace(true);
    tokio::time::sleep(closing).await;
}

async fn bind(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    let bound = match address {
        ListenAddress::AllInterfaces(port) => {
            match TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port)).await {
                // A machine without IPv6 still has all of its interfaces.
                Err(error) if error.kind() != ErrorKind::AddrInUse => {
                    TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).await
                }
                bound => bound,
            }
        }
        ListenAddress::Socket(socket) => TcpListener::bind(socket).await,
        ListenAddress::Name { host, port } => TcpListener::bind((host.as_str(), *port)).await,
    };
    bound.with_context(|| format!("cannot listen on {address} (--web.listen-address)"))
}
