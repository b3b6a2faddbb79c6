//! TLS of new connections, by the current web configuration.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;

use super::connections::TlsSource;
use super::current_config::CurrentWebConfig;

/// The TLS of the current web configuration.
pub struct CurrentTls {
    config: Arc<CurrentWebConfig>,
    /// The configuration at startup, for a case that never occurs: a running exporter does not turn TLS off.
    first: Arc<ServerConfig>,
}

impl CurrentTls {
    /// `None` if connections are not encrypted. This never changes while the exporter runs.
    #[must_use]
    pub fn of(config: &Arc<CurrentWebConfig>) -> Option<Arc<dyn TlsSource>> {
        let first = Arc::clone(&config.get().tls.as_ref()?.server);
        Some(Arc::new(Self {
            config: Arc::clone(config),
            first,
        }))
    }
}

impl TlsSource for CurrentTls {
    fn config(&self) -> Arc<ServerConfig> {
        let config = self.config.get();
        let tls = config.tls.as_ref().map(|tls| &tls.server);
        Arc::clone(tls.unwrap_or(&self.first))
    }
}

impl fmt::Debug for CurrentTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentTls").finish_non_exhaustive()
    }
}
