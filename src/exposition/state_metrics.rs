//! The metrics about saves to the store, for all accounts together. For an account with unsaved changes, they hold the time of the
//! first attempt to save them, so that a disk that hangs shows as a growing age.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Error, Gauge, IntCounter, Opts};
use tokio::time::Instant;

use super::catalogue::{self, Metric};
use crate::timestamp::Timestamp;

/// The instruments of the store. Clones share the values.
#[derive(Debug, Clone)]
pub struct StateInstruments {
    saved: Gauge,
    failures: IntCounter,
    files_lost: IntCounter,
    /// Exposed also without a store on disk.
    rebuilds: IntCounter,
    unsaved: Gauge,
    /// By account: when the first attempt to save its oldest unsaved change began.
    unsaved_since: Arc<Mutex<BTreeMap<Arc<str>, Instant>>>,
    /// The first of each, for pages.
    first: Arc<Mutex<FirstFaults>>,
}

#[derive(Debug, Default)]
struct FirstFaults {
    rebuilt: Option<Timestamp>,
    lost: Option<Timestamp>,
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
            unsaved_since: Arc::default(),
            first: Arc::default(),
        })
    }

    /// Notes that an attempt to save changes of `account` begins. If an earlier attempt failed, its time stays.
    pub fn save_begins(&self, account: &Arc<str>, now: Instant) {
        let mut unsaved_since = self.unsaved_since.lock();
        unsaved_since.entry(Arc::clone(account)).or_insert(now);
    }

    /// Notes that all changes of `account` were saved.
    pub fn saved(&self, account: &str, at: Timestamp) {
        self.unsaved_since.lock().remove(account);
        self.saved.set(at.as_seconds());
    }

    /// How long ago the first attempt to save the oldest unsaved change of `account` began.
    #[must_use]
    pub fn unsaved_for(&self, account: &str) -> Option<Duration> {
        let unsaved_since = self.unsaved_since.lock();
        unsaved_since.get(account).map(Instant::elapsed)
    }

    /// When an account's registry panicked and was rebuilt for the first time.
    #[must_use]
    pub fn rebuilt_since(&self) -> Option<Timestamp> {
        self.first.lock().rebuilt
    }

    /// When a state file was lost for the first time.
    #[must_use]
    pub fn lost_since(&self) -> Option<Timestamp> {
        self.first.lock().lost
    }

    /// Counts a failed save.
    pub fn save_failed(&self) {
        self.failures.inc();
    }

    /// Counts a registry that panicked and was rebuilt at `at`.
    pub fn registry_rebuilt(&self, at: Timestamp) {
        self.rebuilds.inc();
        self.first.lock().rebuilt.get_or_insert(at);
    }

    pub(super) const fn rebuilds(&self) -> &IntCounter {
        &self.rebuilds
    }

    /// Sets the number of state files that were lost since the start, the last of them before `at`. It never decreases.
    pub fn files_lost(&self, files: u64, at: Timestamp) {
        // Under a lock, so that two accounts that notice the same loss count it once.
        let _counting = self.unsaved_since.lock();
        self.files_lost
            .inc_by(files.saturating_sub(self.files_lost.get()));
        if files > 0 {
            self.first.lock().lost.get_or_insert(at);
        }
    }

    /// Removes an account, whose changes are not saved any more.
    pub fn forget_account(&self, account: &str) {
        self.unsaved_since.lock().remove(account);
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
        let oldest = self.unsaved_since.lock().values().min().copied();
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
    async fn the_age_of_the_oldest_unsaved_change_of_all_accounts_is_exposed() {
        let instruments = StateInstruments::new().unwrap();
        let age = || value(&instruments, &catalogue::STATE_UNSAVED);
        let (a, b): (Arc<str>, Arc<str>) = (Arc::from("a"), Arc::from("b"));
        assert_eq!(age(), Some(0.0));
        let pass = |seconds| tokio::time::advance(Duration::from_secs(seconds));
        instruments.save_begins(&a, Instant::now());
        pass(30).await;
        instruments.save_begins(&b, Instant::now());
        instruments.save_begins(&a, Instant::now());
        pass(3).await;
        assert_eq!(
            age(),
            Some(33.0),
            "another attempt keeps the age of the change"
        );
        instruments.saved("a", Timestamp::from_millis(1500));
        assert_eq!(age(), Some(3.0));
        assert_eq!(instruments.unsaved_for("a"), None);
        assert_eq!(instruments.unsaved_for("b"), Some(Duration::from_secs(3)));
        assert_eq!(value(&instruments, &catalogue::STATE_SAVED), Some(1.5));
        instruments.forget_account("b");
        assert_eq!(age(), Some(0.0));
    }

    #[test]
    fn a_lost_file_that_several_accounts_notice_is_counted_once() {
        let instruments = StateInstruments::new().unwrap();
        let lost = || value(&instruments, &catalogue::STATE_FILES_LOST);
        assert_eq!(lost(), Some(0.0));
        let at = Timestamp::from_millis;
        instruments.files_lost(0, at(0));
        assert_eq!(instruments.lost_since(), None);
        instruments.files_lost(1, at(1));
        instruments.files_lost(1, at(2));
        assert_eq!(lost(), Some(1.0));
        instruments.files_lost(3, at(3));
        instruments.files_lost(2, at(4));
        assert_eq!(lost(), Some(3.0));
        assert_eq!(instruments.lost_since(), Some(at(1)), "since the first");
    }
}
