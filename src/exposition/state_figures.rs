//! How saving to the store goes, for all accounts together.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Error, Gauge, IntCounter, Opts};
use tokio::time::Instant;

use super::catalogue::{self, Metric};
use crate::timestamp::Timestamp;

/// Counts how saving goes; a clone is the same.
#[derive(Debug, Clone)]
pub struct StateInstruments {
    saved: Gauge,
    failures: IntCounter,
    files_lost: IntCounter,
    /// Shown even where nothing is saved to a disk.
    rebuilds: IntCounter,
    unsaved: Gauge,
    /// By account: when the first attempt to save what is still unsaved began.
    waiting: Arc<Mutex<BTreeMap<Arc<str>, Instant>>>,
}

impl StateInstruments {
    pub(super) fn new() -> Result<Self, Error> {
        let opts = |metric: &Metric| Opts::new(metric.name, metric.help);
        Ok(Self {
            saved: Gauge::with_opts(opts(&catalogue::STATE_SAVED))?,
            failures: IntCounter::with_opts(opts(&catalogue::STATE_SAVE_FAILURES))?,
            files_lost: IntCounter::with_opts(opts(&catalogue::STATE_FILES_LOST))?,
            rebuilds: IntCounter::with_opts(opts(&catalogue::REGISTRY_REBUILDS))?,
            unsaved: Gauge::with_opts(opts(&catalogue::STATE_UNSAVED))?,
            waiting: Arc::default(),
        })
    }

    /// An attempt to save changes of `account` begins. Changes that an earlier attempt has not saved are older.
    pub fn waiting(&self, account: &Arc<str>, now: Instant) {
        let mut waiting = self.waiting.lock();
        waiting.entry(Arc::clone(account)).or_insert(now);
    }

    /// Everything of `account` was saved.
    pub fn saved(&self, account: &str, at: Timestamp) {
        self.waiting.lock().remove(account);
        self.saved.set(at.as_seconds());
    }

    /// Saving failed.
    pub fn save_failed(&self) {
        self.failures.inc();
    }

    /// The registry of an account panicked and was rebuilt.
    pub fn registry_rebuilt(&self) {
        self.rebuilds.inc();
    }

    pub(super) const fn rebuilds(&self) -> &IntCounter {
        &self.rebuilds
    }

    /// So many state files were lost since the start.
    pub fn files_lost(&self, files: u64) {
        // Under the lock, so that two accounts that notice one loss count it once.
        let _counting = self.waiting.lock();
        self.files_lost
            .inc_by(files.saturating_sub(self.files_lost.get()));
    }

    /// Nothing of `account` is to be saved any more.
    pub(super) fn forget_account(&self, account: &str) {
        self.waiting.lock().remove(account);
    }

    fn parts(&self) -> [&dyn Collector; 4] {
        [&self.saved, &self.failures, &self.files_lost, &self.unsaved]
    }
}

impl Collector for StateInstruments {
    fn desc(&self) -> Vec<&Desc> {
        self.parts().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let oldest = self.waiting.lock().values().min().copied();
        let age = oldest.map_or(0.0, |since| since.elapsed().as_secs_f64());
        self.unsaved.set(age);
        self.parts()
            .into_iter()
            .flat_map(Collector::collect)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn value(instruments: &StateInstruments, metric: &Metric) -> Option<f64> {
        let families = instruments.collect();
        let family = families.iter().find(|family| family.name() == metric.name);
        let series = family?.get_metric().first()?;
        Some(if metric.name.ends_with("_total") {
            series.get_counter().get_value()
        } else {
            series.get_gauge().get_value()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_unsaved_change_of_all_accounts_is_shown() {
        let instruments = StateInstruments::new().unwrap();
        let age = || value(&instruments, &catalogue::STATE_UNSAVED);
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
        assert_eq!(age(), Some(0.0));
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        instruments.waiting(&a, Instant::now());
        pass(30).await;
        instruments.waiting(&b, Instant::now());
        instruments.waiting(&a, Instant::now());
        pass(3).await;
        assert_eq!(
            age(),
            Some(33.0),
            "an attempt more makes a change no younger"
        );
        instruments.saved("a", Timestamp::from_millis(1500));
        assert_eq!(age(), Some(3.0));
        assert_eq!(value(&instruments, &catalogue::STATE_SAVED), Some(1.5));
        instruments.forget_account("b");
        assert_eq!(age(), Some(0.0));
    }

    #[test]
    fn a_file_that_several_accounts_miss_is_lost_once() {
        let instruments = StateInstruments::new().unwrap();
        let lost = || value(&instruments, &catalogue::STATE_FILES_LOST);
        assert_eq!(lost(), Some(0.0));
        instruments.files_lost(1);
        instruments.files_lost(1);
        assert_eq!(lost(), Some(1.0));
        instruments.files_lost(3);
        instruments.files_lost(2);
        assert_eq!(lost(), Some(3.0));
    }
}
