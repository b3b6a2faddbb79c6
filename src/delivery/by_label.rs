//! Outcomes and delivery times by the values of the few labels that the configuration names.
//!
//! An outcome counts under the value that the email's operation has at that moment, and never under another one. What an email reached
//! before its operation had the label counts under none. A new value exposes its counters as 0 for a while. A value is removed seven
//! days after its last operation has expired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::counts::Counts;
use super::zero_for::ZeroFor;
use crate::email::ProviderCounts;
use crate::operation::RETENTION;
use crate::snapshot::LabelValue;
use crate::store::{NameKind, SavedName};
use crate::timestamp::Timestamp;

/// The value of everything beyond the limit of values.
const OTHER: &str = "other";

/// One value of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    counts: ProviderCounts,
    /// When the last operation that counted expires or expired.
    until: Timestamp,
    zero: ZeroFor,
    saved: Option<SavedName>,
    /// Whether it must be saved again, because the store lost it.
    is_lost: bool,
}

/// The values of all labels and their counters.
#[derive(Debug, Default)]
pub(super) struct ByLabel {
    labels: Vec<Arc<str>>,
    /// The most values of one label besides [`OTHER`].
    most: usize,
    values: BTreeMap<LabelValue, Value>,
    /// Removed values that may still be in the store.
    removed: BTreeSet<Box<str>>,
}

impl ByLabel {
    /// Applies the labels that have counters, and the most values of each. A label that is not among them loses its values.
    pub(super) fn configure(&mut self, labels: &[Arc<str>], most: usize) {
        self.labels = labels.to_vec();
        self.most = most;
        let labels = &self.labels;
        let gone = self
            .values
            .extract_if(.., |(label, _), _| !labels.contains(label));
        self.removed.extend(gone.map(|(key, _)| name_of(&key)));
    }

    /// Counts for each of these values of an operation that expires at `until`, and adds new values.
    pub(super) fn count(
        &mut self,
        values: &[LabelValue],
        until: Timestamp,
        count: impl Fn(&mut ProviderCounts),
    ) {
        for (label, value) in values {
            if !self.labels.contains(label) {
                continue;
            }
            let key = self.place(label, value);
            self.removed.remove(&name_of(&key));
            let value = self.values.entry(key).or_insert_with(|| Value {
                counts: ProviderCounts::default(),
                until,
                zero: ZeroFor::new(),
                saved: None,
                is_lost: false,
            });
            value.until = value.until.max(until);
            count(&mut value.counts);
        }
    }

    /// Notes the time; see [`ZeroFor::pass`].
    pub(super) fn pass(&mut self, now: Timestamp) {
        self.values
            .values_mut()
            .for_each(|value| value.zero.pass(now));
    }

    /// Notes that a scrape exposed all that was saved.
    pub(super) fn shown(&mut self) {
        let saved = self
            .values
            .values_mut()
            .filter(|value| value.saved.is_some());
        saved.for_each(|value| value.zero.shown());
    }

    /// Removes values whose last operation expired seven days ago.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let ended = self
            .values
            .extract_if(.., |_, value| value.until + RETENTION <= now);
        self.removed.extend(ended.map(|(key, _)| name_of(&key)));
    }

    /// Loads a saved value.
    pub(super) fn restore(&mut self, saved: &SavedName) {
        let Some((label, value)) = saved.name.split_once('=') else {
            return;
        };
        let Some(label) = self.labels.iter().find(|own| &***own == label) else {
            self.removed.insert(saved.name.clone());
            return;
        };
        let (until, counts) = saved.counts.split_first().unwrap_or((&0, &[]));
        let until = i64::try_from(*until).unwrap_or_default();
        let key = (Arc::clone(label), Arc::from(value));
        let value = Value {
            counts: ProviderCounts::from_list(counts),
            until: Timestamp::from_millis(until),
            zero: ZeroFor::restored(saved.zero_until),
            saved: Some(saved.clone()),
            is_lost: false,
        };
        self.values.insert(key, value);
    }

    /// The values that the next save writes, and those that it deletes.
    pub(super) fn unsaved(&self) -> (Vec<SavedName>, Vec<Box<str>>) {
        let now = self
            .values
            .iter()
            .map(|(key, value)| (value, value.to_saved(key)));
        let changed = now.filter(|(value, now)| value.is_lost || value.saved.as_ref() != Some(now));
        let changed = changed.map(|(_, now)| now).collect();
        (changed, self.removed.iter().cloned().collect())
    }

    pub(super) fn saved(&mut self, saved: &[SavedName], removed: &[Box<str>]) {
        for (key, value) in &mut self.values {
            let name = name_of(key);
            let saved = saved
                .iter()
                .find(|saved| saved.kind == NameKind::Label && saved.name == name);
            if let Some(saved) = saved {
                value.saved = Some(saved.clone());
                value.is_lost = false;
            }
        }
        for name in removed {
            self.removed.remove(name);
        }
    }

    /// Marks all as unsaved: the file was lost. What was exposed stays exposed.
    pub(super) fn lost(&mut self) {
        let values = self.values.values_mut();
        values.for_each(|value| value.is_lost = true);
    }

    /// The counters of all values.
    pub(super) fn counters(&self) -> BTreeMap<LabelValue, ProviderCounts> {
        let values = self.values.iter();
        values
            .map(|(key, value)| (key.clone(), value.counts.clone()))
            .collect()
    }

    /// The values whose counters are exposed as 0.
    pub(super) fn held(&self) -> BTreeSet<LabelValue> {
        let held = self.values.iter().filter(|(_, value)| value.zero.is_on());
        held.map(|(key, _)| key.clone()).collect()
    }

    /// The place of a value: its own, or [`OTHER`] beyond the limit.
    fn place(&self, label: &Arc<str>, value: &Arc<str>) -> LabelValue {
        let key = (Arc::clone(label), Arc::clone(value));
        let of_label = self.values.keys().filter(|(own, _)| own == label);
        let named = || of_label.filter(|(_, value)| &**value != OTHER).count();
        if !self.values.contains_key(&key) && &**value != OTHER && named() >= self.most {
            return (Arc::clone(label), Arc::from(OTHER));
        }
        key
    }
}

impl Value {
    fn to_saved(&self, key: &LabelValue) -> SavedName {
        let until = self.until.as_millis().max(0).unsigned_abs();
        SavedName {
            kind: NameKind::Label,
            number: 0,
            name: name_of(key),
            zero_until: self.zero.until(),
            counts: std::iter::once(until)
                .chain(self.counts.to_list())
                .collect(),
        }
    }
}

/// The name under which a value is saved. No label's name contains `=`.
fn name_of((label, value): &LabelValue) -> Box<str> {
    format!("{label}={value}").into()
}
