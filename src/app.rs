//! Composes the exporter: builds everything from a configuration, binds the addresses, serves, and shuts down gracefully.
//! A shutdown never takes longer than the grace period. No decision about metrics or requests is made here.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use crate::build_info;
use crate::clock::Clock;
use crate::collector::Collector;
use crate::config::Config;
use crate::exposition::{Build, Instruments};
use crate::reload::{Load, Reload};
use crate::store::Store;
use crate::web::listeners::{self, Bound, BoundAddress};
use crate::web::{
    self, AccessControl, Compressors, ConnectionLimits, Connections, CurrentTls, CurrentWebConfig,
    Expositions, PARSED_AT_ONCE, ScrapeSlots, Scraped, Service, Stop,
};

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
    listeners: Vec<Bound>,
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
    instruments.start(clock.now());
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
        let store = Store::open_quickly(config.storage.path.as_deref(), clock.now())?;
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
        let access_control = access_control(config, &instruments, &clock).await?;
        let compressors = Arc::<Compressors>::default();
        let expositions = Expositions::new(instruments.clone(), Arc::clone(&compressors));
        let tls = access_control
            .as_ref()
            .and_then(|access_control| CurrentTls::of(access_control.config()));
        let limits = ConnectionLimits::default();
        let connections = Connections::new(limits, instruments.connections(), tls);
        let service = Service {
            collector,
            instruments,
            clock,
            allowed_hosts: config.web.allowed_hosts.clone(),
            telemetry_path: config.web.telemetry_path.clone(),
            timeout_offset: config.scrape.timeout_offset,
            stop: Stop::default(),
            expositions,
            compressors,
            scrapes: TaskTracker::new(),
            reload: reload.map(Arc::new),
            access_control,
            lifecycle: config.web.enable_lifecycle,
            api: config.web.enable_api,
            grafana: config.web.grafana.clone(),
            scraped: Scraped::default(),
            scrape_slots: config.web.max_requests.map(ScrapeSlots::new),
            connections,
            parsers: Semaphore::new(PARSED_AT_ONCE),
        };
        let listeners = listeners::bind(&config.web).await?;
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

    /// The web configuration; `None` without one.
    #[must_use]
    pub fn web_config(&self) -> Option<Arc<CurrentWebConfig>> {
        let access_control = self.service.access_control.as_ref()?;
        Some(Arc::clone(access_control.config()))
    }

    /// Returns what proves progress: a future that resolves when the locks of a scrape can be taken.
    pub fn progress(&self) -> impl FnMut() -> BoxFuture<'static, ()> + use<> {
        let service = Arc::clone(&self.service);
        move || {
            let service = Arc::clone(&service);
            Box::pin(async move {
                // In a task of its own, so that it delays no other work. A panic counts as no progress.
                let proof = tokio::spawn(async move { service.prove_progress().await });
                if proof.await.is_err() {
                    pending::<()>().await;
                }
            })
        }
    }

    /// Returns a function whose future resolves when the current collections have finished, emails included; for tests.
    #[doc(hidden)]
    pub fn finished(&self) -> impl Fn() -> BoxFuture<'static, ()> + use<> {
        let collector = Arc::clone(&self.service.collector);
        move || {
            let collector = Arc::clone(&collector);
            Box::pin(async move { collector.finished().await })
        }
    }

    /// What the exporter listens on.
    pub fn listening(&self) -> impl Iterator<Item = &BoundAddress> {
        self.listeners.iter().map(|bound| &bound.address)
    }

    /// The TCP addresses that the exporter is bound to. For port 0 they have the port that the system chose.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listening().map(|address| match address {
            BoundAddress::Tcp(address) => Some(*address),
            BoundAddress::Unix(_) => None,
        });
        addresses.flatten().collect()
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
        let web_config = service
            .access_control
            .as_ref()
            .map(|access_control| access_control.config().clone());
        let serve = |bound: Bound| {
            let connections = Arc::clone(&service.connections);
            connections.serve(bound.listener, router.clone(), stopped.clone())
        };
        let servers = join_all(listeners.into_iter().map(serve));
        let changes = tokio::spawn(async move {
            if let Some(web_config) = web_config {
                web_config.watch().await;
            }
        });
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
        changes.abort();
        service.collector.stop();
    }
}

/// Reads the web configuration, if `config` names one: on another thread, because a pipe may wait for its writer.
async fn access_control(
    config: &Config,
    instruments: &Instruments,
    clock: &Clock,
) -> anyhow::Result<Option<Arc<AccessControl>>> {
    let Some(path) = &config.web.config_file else {
        return Ok(None);
    };
    let instruments = instruments
        .show_web_config()
        .context("cannot set up the exporter's own metrics")?;
    let (path, clock, shown) = (path.clone(), clock.clone(), instruments.clone());
    let open = spawn_blocking(move || CurrentWebConfig::open(&path, clock, shown));
    let current = open.await.context("cannot read the web configuration")??;
    let access_control = AccessControl::new(Arc::new(current), instruments)?;
    Ok(Some(Arc::new(access_control)))
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
