//! When the exporter's own counters began to count, for the `_created` lines of OpenMetrics. A counter whose start is not known has
//! no such line.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::proto::{Metric, MetricFamily};

use super::value::SampleValue;
use crate::timestamp::Timestamp;

/// The metrics of `prometheus`' process collector, which count since the process started.
const PROCESS: &str = "process_";
/// When the process started: a gauge of the same collector.
const PROCESS_STARTED: &str = "process_start_time_seconds";

/// The start times of all counters in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct StartTimes(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    exporter: Option<Timestamp>,
    accounts: HashMap<Arc<str>, Timestamp>,
}

impl StartTimes {
    /// Notes that the counters of the exporter itself are 0 at `now`.
    pub(super) fn exporter_starts(&self, now: Timestamp) {
        self.0.lock().exporter = Some(now);
    }

    /// When the counters of the exporter itself began.
    pub(super) fn exporter(&self) -> Option<Timestamp> {
        self.0.lock().exporter
    }

    /// Notes that the counters of the account `name` are 0 at `now`, unless they count already.
    pub(super) fn account_starts(&self, name: &str, now: Timestamp) {
        let accounts = &mut self.0.lock().accounts;
        if !accounts.contains_key(name) {
            accounts.insert(Arc::from(name), now);
        }
    }

    /// Notes that the counters of the account `name` no longer exist.
    pub(super) fn forget_account(&self, name: &str) {
        self.0.lock().accounts.remove(name);
    }

    /// When `series` of `family` began to count; `gathered` are all families.
    pub(super) fn of(
        &self,
        family: &MetricFamily,
        series: &Metric,
        gathered: &[MetricFamily],
    ) -> Option<SampleValue> {
        if family.name().starts_with(PROCESS) {
            let mut families = gathered.iter();
            let started = families.find(|family| family.name() == PROCESS_STARTED)?;
            let started = started.get_metric().first()?.get_gauge().get_value();
            return Some(SampleValue::Number(started));
        }
        let known = self.0.lock();
        let mut labels = series.get_label().iter();
        let since = match labels.find(|label| label.name() == "account") {
            Some(account) => known.accounts.get(account.value()).copied(),
            None => known.exporter,
        };
        since.map(SampleValue::from)
    }
}
