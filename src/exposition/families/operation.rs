//! The metric families with one set of series per operation. An operation that was never read has only the series about its reads.

use super::labelled::Labelled;
use crate::exposition::catalogue::{self, Metric, Scope};
use crate::exposition::labels::{further, is_label_name, push_further};
use crate::exposition::text::Text;
use crate::exposition::value::SampleValue;
use crate::operation::{Operation, OperationState, Stats, Status, Word};
use crate::snapshot::ShownOperation;

pub(super) fn write(labelled: &Labelled<'_>, text: &mut Text<'_>) {
    let mut families = OperationFamilies { labelled, text };
    families.emails();
    families.per_read_operation(&catalogue::OPERATION_SIZE, |seen| seen.stats.size);
    families.per_read_operation(&catalogue::OPERATION_RECIPIENTS, |seen| {
        seen.stats.recipients
    });
    families.per_read_operation(&catalogue::OPERATION_ATTEMPTS, |seen| seen.stats.attempts);
    families.states();
    families.per_read_operation(&catalogue::OPERATION_CREATED, |seen| Some(seen.created));
    families.per_operation(&catalogue::OPERATION_SCHEDULED, |shown| shown.scheduled_for);
    families.per_read_operation(&catalogue::OPERATION_UPDATED, |seen| seen.updated);
    families.per_read_operation(&catalogue::OPERATION_EXPIRES, |seen| Some(seen.expires()));
    families.per_operation(&catalogue::OPERATION_UP, |shown| shown.up);
    families.per_operation(&catalogue::OPERATION_LAST_SUCCESS, |shown| {
        shown.last_success
    });
    families.infos();
}

struct OperationFamilies<'a, 'b> {
    labelled: &'a Labelled<'a>,
    text: &'a mut Text<'b>,
}

impl OperationFamilies<'_, '_> {
    /// Writes one sample per operation that has the value.
    fn per_operation<V: Into<SampleValue>>(
        &mut self,
        metric: &'static Metric,
        value: impl Fn(&ShownOperation) -> Option<V>,
    ) {
        let mut family = self.text.family(metric);
        for (labels, shown) in self.labelled.operations() {
            if let Some(value) = value(shown) {
                family.sample(labels, value);
            }
        }
    }

    /// Writes one sample per operation that was read and has the value.
    fn per_read_operation<V: Into<SampleValue>>(
        &mut self,
        metric: &'static Metric,
        value: impl Fn(&Operation) -> Option<V>,
    ) {
        self.per_operation(metric, |shown| shown.seen.as_ref().and_then(&value));
    }

    fn emails(&mut self) {
        let statuses = Status::ALL.map(|status| further("status", status.as_str()));
        let mut family = self.text.family(&catalogue::OPERATION_EMAILS);
        for (labels, shown) in self.labelled.operations() {
            let Some(seen) = &shown.seen else {
                continue;
            };
            for (status, emails) in statuses.iter().zip(seen.stats.emails) {
                family.sample_with(labels, status, emails);
            }
            for (name, emails) in unknown(&seen.stats) {
                family.sample_with(labels, &further("status", name.as_str()), emails);
            }
        }
    }

    fn states(&mut self) {
        let mut family = self.text.family(&catalogue::OPERATION_STATE);
        let known =
            OperationState::KNOWN.map(|state| (family.state("state", state.as_str()), state));
        for (labels, shown) in self.labelled.operations() {
            let Some(seen) = &shown.seen else {
                continue;
            };
            for (label, state) in &known {
                family.sample_with(labels, label, seen.state == *state);
            }
            if let OperationState::Other(word) = &seen.state {
                let label = family.state("state", word.as_str());
                family.sample_with(labels, &label, true);
            }
        }
    }

    /// Leaves out a user's label that Prometheus rejects, or that has the name of a label of the metric: otherwise Prometheus would
    /// reject the whole scrape.
    fn infos(&mut self) {
        let mut family = self.text.family(&catalogue::OPERATION_INFO);
        let mut given = String::new();
        for (labels, shown) in self.labelled.operations() {
            given.clear();
            for (name, value) in shown.labels.iter() {
                if is_label_name(name) && !Scope::Operation.labels().contains(&name.as_str()) {
                    push_further(&mut given, name, value);
                }
            }
            if !given.is_empty() {
                family.sample_with(labels, &given, true);
            }
        }
    }
}

/// The sum per unknown stat. All names that cannot be exposed are the same word, so a word can occur more than once.
fn unknown(stats: &Stats) -> impl Iterator<Item = (&Word, u64)> {
    let stats = stats.unknown();
    let first = |at: usize, name: &Word| stats[..at].iter().all(|(earlier, _)| earlier != name);
    let names = stats.iter().enumerate();
    let names = names.filter(move |(at, (name, _))| first(*at, name));
    names.map(move |(_, (name, _))| {
        let same = stats.iter().filter(|(other, _)| other == name);
        (name, same.map(|(_, emails)| u64::from(*emails)).sum())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn unknown_stats_of_the_same_name_are_added_up() {
        let word = Word::new;
        let stats = Stats {
            unknown: Some(Arc::from([
                (word("jane@example.com"), 1),
                (word("deferred"), 5),
                (word("joe@example.com"), u32::MAX),
            ])),
            ..Stats::default()
        };
        let sums: Vec<_> = unknown(&stats)
            .map(|(name, sum)| (name.as_str(), sum))
            .collect();
        assert_eq!(sums, [(Word::UNREADABLE, 1 << 32), ("deferred", 5)]);
        assert_eq!(unknown(&Stats::default()).count(), 0);
    }
}
