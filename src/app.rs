//! Composes the exporter: builds everything from a configuration, binds the addresses, serves, and shuts down gracefully.
//! A shutdown never takes longer than the grace period. No decision about metrics or requests is made here.

use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use crate::build_info;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::{Config, ListenAddress};
use crate::exposition::{Build, Instruments};
use crate::reload::{Load, Reload};
use crate::store::Store;
use crate::web::{self, Buffers, ConnectionLimits, Connections, PARSED_AT_ONCE, Service, Stop};

/// The time for other responses to finish after the last scrape has finished. It is bounded because a connection that never sends
/// a request would delay the stop forever. At most an eighth of the grace period.
const CLOSING: Duration = Duration::from_secs(1);
/// Scrapes respond at the latest when 1/`RESPONSE_SHARE` of the grace period is left, so that the response is still sent.
const RESPONSE_SHARE: u32 = 4;
/// The limit of the collection at the start. It makes the exporter ready, and the first scrape fast.
const FIRST_COLLECTION: Duration = Duration::from_mins(1);

/// An exporter that is bound to its addresses and does not serve yet.
#[derive(Debug)]
pub struct App {
    service: Arc<Service>,
    listeners: Vec<TcpListener>,
    grace_period: Duration,
}

/// The version and revision of this program, for `exporter_build_info`.
#[must_use]
pub fn build() -> Build<'static> {
    Build {
        version: build_info::VERSION,
        revision: build_info::REVISION,
    }
}

/// The collector of a configuration, and the instruments it writes to.
///
/// # Errors
/// When the HTTP client cannot be built, or another process uses the store.
pub fn collector(config: &Config, clock: &Clock) -> anyhow::Result<(Collector, Instruments)> {
    let store = Store::open(config.storage.path.as_deref(), clock.now())?;
    collector_on(store, config, clock)
}

/// Like [`collector`], with an open store.
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
    /// Binds the addresses of `config`. A reload calls `load`.
    ///
    /// # Errors
    /// When an address cannot be bound; the error names it.
    pub async fn bind(config: &Config, clock: Clock, load: Option<Load>) -> anyhow::Result<Self> {
        let store = Store::open(config.storage.path.as_deref(), clock.now())?;
        Self::bind_on(store, config, clock, load).await
    }

    /// Like [`Self::bind`], with an open store; for tests of a disk that hangs.
    #[doc(hidden)]
    pub async fn bind_on(
        store: Store,
        config: &Config,
        clock: Clock,
        load: Option<Load>,
    ) -> anyhow::Result<Self> {
        let (collector, instruments) = collector_on(store, config, &clock)?;
        let collector = Arc::new(collector);
        let reload = load.map(|load| {
            let collector = Arc::clone(&collector);
            Reload::new(load, config, collector, instruments.clone(), clock.clone())
        });
        let service = Service {
            collector,
            instruments,
            clock,
            telemetry_path: config.web.telemetry_path.clone(),
            timeout_offset: config.scrape.timeout_offset,
            stop: Stop::default(),
            renderer: Mutex::default(),
            buffers: Buffers::default(),
            scrapes: TaskTracker::new(),
            reload: reload.map(Arc::new),
            lifecycle: config.web.enable_lifecycle,
            api: config.web.enable_api,
            parsers: Semaphore::new(PARSED_AT_ONCE),
        };
        let listeners = try_join_all(config.web.listen.iter().map(bind)).await?;
        Ok(Self {
            service: Arc::new(service),
            listeners,
            grace_period: config.web.grace_period,
        })
    }

    /// Reloads the configuration; `None` if there is nothing to reload.
    #[must_use]
    pub fn reload(&self) -> Option<Arc<Reload>> {
        self.service.reload.clone()
    }

    /// The addresses that the exporter is bound to. For port 0 they have the port that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }

    /// Serves until `shutdown` resolves, then lets current scrapes finish within the grace period.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Self {
            service,
            listeners,
            grace_period,
        } = self;
        let router = web::router(Arc::clone(&service));
        let (stop, stopped) = watch::channel(false);
        let connections = Connections::new(
            ConnectionLimits::default(),
            service.instruments.connections(),
        );
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

/// Lets current scrapes finish, then closes the listeners, all within `grace`. Until then `/-/ready` returns 503.
async fn drain(service: &Service, close: &watch::Sender<bool>, grace: Duration) {
    tracing::info!(grace_seconds = grace.as_secs_f64(), "stopping");
    let began = Instant::now();
    let closing = CLOSING.min(grace / 8);
    service.stop.drain();
    let until = |left: Duration| began + grace.saturating_sub(left);
    // Includes scrapes that begin before the listeners close.
    service.scrapes.close();
    if timeout_at(until(grace / RESPONSE_SHARE), service.scrapes.wait())
        .await
        .is_err()
    {
        tracing::warn!("scrapes respond before their collection has finished");
        service.stop.respond_now();
        if timeout_at(until(closing), service.scrapes.wait())
            .await
            .is_err()
        {
            tracing::warn!("scrapes are cut off at the end of the grace period");
        }
    }
    close.send_replace(true);
    tokio::time::sleep(closing).await;
}

async fn bind(address: &ListenAddress) -> anyhow::Result<TcpListener> {
    let bound = match address {
        ListenAddress::AllInterfaces(port) => {
            match TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port)).await {
                // Without IPv6, IPv4 alone covers all interfaces.
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
