//! Rebuilds an account's registry from the store while the exporter runs.

use std::sync::Arc;

use parking_lot::Mutex;

use super::restore;
use crate::config::Series;
use crate::exposition::StateInstruments;
use crate::operation::CountingMode;
use crate::registry::Registry;
use crate::store::{Store, StoreError};
use crate::timestamp::Timestamp;

/// What it takes to rebuild the registry of one account.
#[derive(Debug)]
pub(super) struct Rebuild {
    account: Arc<str>,
    store: Arc<Store>,
    instruments: StateInstruments,
    settings: Mutex<(Series, Option<CountingMode>)>,
}

impl Rebuild {
    pub(super) const fn new(
        account: Arc<str>,
        store: Arc<Store>,
        instruments: StateInstruments,
        series: Series,
        counting_mode: Option<CountingMode>,
    ) -> Self {
        Self {
            account,
            store,
            instruments,
            settings: Mutex::new((series, counting_mode)),
        }
    }

    pub(super) fn reconfigure(&self, series: &Series, counting_mode: Option<CountingMode>) {
        *self.settings.lock() = (series.clone(), counting_mode);
    }

    /// Reads the registry from the store. The operations that sources list are copied from `damaged`: sources report only
    /// changes, and the store does not hold their lists.
    pub(super) fn run(&self, damaged: &Registry, now: Timestamp) -> Result<Registry, StoreError> {
        self.instruments.registry_rebuilt();
        let (series, counting_mode) = self.settings.lock().clone();
        let restored = restore::registry(&self.account, &series, counting_mode, &self.store, now)?;
        let mut registry = restored.registry;
        for source in damaged.presenter().sources() {
            let listed = damaged.presenter().all_listed_by(&source);
            registry.list(source, listed, now);
        }
        Ok(registry)
    }
}
