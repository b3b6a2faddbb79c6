//! The metric families with one set of series per operation. An operation that was never read has only the series about its reads.
//!
//! The samples of an operation in a family are a function of its label text and of one value, which the family reads from the
//! operation. Nothing else of the operation reaches the code that writes. So two operations with equal label texts and equal values
//! have the same samples, and a text that was written earlier can be used again.

use crate::exposition::catalogue::{self, Metric, Scope};
use crate::exposition::labels::{further, is_label_name, push_further};
use crate::exposition::text::{Family, Text};
use crate::exposition::value::SampleValue;
use crate::operation::{Operation, OperationState, Status, Word};
use crate::snapshot::{Labels, ShownOperation};

/// A family about single operations.
#[derive(Debug, Clone, Copy)]
pub(in crate::exposition) struct OperationFamily {
    pub(in crate::exposition) metric: &'static Metric,
    /// The usual number of operations in a block of its text. A small block costs less when one of its operations changes; a large
    /// one compresses better.
    pub(in crate::exposition) block: usize,
    value: Value,
}

/// What the samples of an operation depend on besides its label text.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// One sample without further labels; none if there is no value.
    Single(fn(&ShownOperation) -> Option<SampleValue>),
    /// One sample per status.
    Emails,
    /// One sample per state.
    State,
    /// The user's labels.
    Labels,
}

/// The blocks of a family whose values change while emails are sent: 14 KiB of samples by status.
const BLOCK_OF_STATUSES: usize = 12;
/// The blocks of a family with one sample per operation that changes with each read, or each change: 3 KiB.
const BLOCK_OF_CHANGING: usize = 24;
/// The blocks of a family with a sample per state, which changes once or twice: 19 KiB.
const BLOCK_OF_STATES: usize = 32;
/// The blocks of a family with values that hardly ever change: 37 KiB.
const BLOCK_OF_CONSTANT: usize = 256;

/// The families about single operations, in the order in which they are written.
pub(in crate::exposition) const FAMILIES: [OperationFamily; 13] = {
    use OperationFamily as F;
    use Value::{Emails, Labels, Single, State};
    [
        F::new(&catalogue::OPERATION_EMAILS, BLOCK_OF_STATUSES, Emails),
        F::new(
            &catalogue::OPERATION_SIZE,
            BLOCK_OF_CONSTANT,
            Single(|shown| read(shown)?.stats.size.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_RECIPIENTS,
            BLOCK_OF_CONSTANT,
            Single(|shown| read(shown)?.stats.recipients.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_ATTEMPTS,
            BLOCK_OF_CHANGING,
            Single(|shown| read(shown)?.stats.attempts.map(SampleValue::from)),
        ),
        F::new(&catalogue::OPERATION_STATE, BLOCK_OF_STATES, State),
        F::new(
            &catalogue::OPERATION_CREATED,
            BLOCK_OF_CONSTANT,
            Single(|shown| Some(read(shown)?.created.into())),
        ),
        F::new(
            &catalogue::OPERATION_SCHEDULED,
            BLOCK_OF_CONSTANT,
            Single(|shown| shown.scheduled_for.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_UPDATED,
            BLOCK_OF_CHANGING,
            Single(|shown| read(shown)?.updated.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_EXPIRES,
            BLOCK_OF_CONSTANT,
            Single(|shown| Some(read(shown)?.expires().into())),
        ),
        F::new(
            &catalogue::OPERATION_UP,
            BLOCK_OF_CONSTANT,
            Single(|shown| shown.up.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_LAST_SUCCESS,
            BLOCK_OF_CHANGING,
            Single(|shown| shown.last_success.map(SampleValue::from)),
        ),
        F::new(
            &catalogue::OPERATION_EMAILS_MISMATCH,
            BLOCK_OF_CONSTANT,
            Single(|shown| shown.emails_mismatch.map(SampleValue::from)),
        ),
        F::new(&catalogue::OPERATION_INFO, BLOCK_OF_CONSTANT, Labels),
    ]
};

/// Families about single operations, by their numbers in [`FAMILIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exposition) struct FamilySet(u16);

const _: () = assert!(FAMILIES.len() <= u16::BITS as usize);

impl FamilySet {
    pub(in crate::exposition) const NONE: Self = Self(0);

    /// The families in which `one` and `other`, which have the same label text, have different samples.
    pub(in crate::exposition) fn different(one: &ShownOperation, other: &ShownOperation) -> Self {
        let mut different = Self::NONE;
        for (number, family) in FAMILIES.iter().enumerate() {
            different.0 |= u16::from(!family.has_same_samples(one, other)) << number;
        }
        different
    }

    pub(in crate::exposition) const fn has(self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }
}

impl OperationFamily {
    const fn new(metric: &'static Metric, block: usize, value: Value) -> Self {
        Self {
            metric,
            block,
            value,
        }
    }

    /// Whether `one` and `other`, which have the same label text, have the same samples.
    fn has_same_samples(self, one: &ShownOperation, other: &ShownOperation) -> bool {
        match self.value {
            Value::Single(value) => value(one) == value(other),
            Value::Emails => Emails::of(one) == Emails::of(other),
            Value::State => state(one) == state(other),
            Value::Labels => one.labels == other.labels,
        }
    }

    /// The texts of the labels that its samples have besides those of the operation, for [`Self::write`]. They are the same for all
    /// operations.
    pub(in crate::exposition) fn further_labels(self, text: &mut Text<'_>) -> Vec<String> {
        match self.value {
            Value::Emails => {
                let statuses = Status::ALL.iter();
                let texts = statuses.map(|status| further("status", status.as_str()));
                texts.collect()
            }
            Value::State => {
                let family = text.family(self.metric);
                let states = OperationState::KNOWN.iter();
                let texts = states.map(|state| family.state("state", state.as_str()));
                texts.collect()
            }
            Value::Single(_) | Value::Labels => Vec::new(),
        }
    }

    /// Writes the samples of `operations`, each with its label text.
    pub(in crate::exposition) fn write<'o>(
        self,
        operations: impl Iterator<Item = (&'o str, &'o ShownOperation)>,
        further_labels: &[String],
        family: &mut Family<'_>,
    ) {
        match self.value {
            Value::Single(value) => {
                for (labels, shown) in operations {
                    if let Some(value) = value(shown) {
                        family.sample(labels, value);
                    }
                }
            }
            Value::Emails => {
                let emails = operations.map(|(labels, shown)| (labels, Emails::of(shown)));
                write_emails(emails, further_labels, family);
            }
            Value::State => {
                write_states(
                    operations.map(|(labels, shown)| (labels, state(shown))),
                    further_labels,
                    family,
                );
            }
            Value::Labels => {
                write_infos(
                    operations.map(|(labels, shown)| (labels, &shown.labels)),
                    family,
                );
            }
        }
    }
}

fn read(shown: &ShownOperation) -> Option<&Operation> {
    shown.seen.as_ref()
}

fn state(shown: &ShownOperation) -> Option<&OperationState> {
    shown.seen.as_ref().map(|seen| &seen.state)
}

/// The emails of an operation by status.
#[derive(PartialEq, Eq)]
struct Emails<'o> {
    known: &'o [u32; Status::ALL.len()],
    unknown: &'o [(Word, u32)],
}

impl<'o> Emails<'o> {
    fn of(shown: &'o ShownOperation) -> Option<Self> {
        let stats = &shown.seen.as_ref()?.stats;
        Some(Self {
            known: &stats.emails,
            unknown: stats.unknown(),
        })
    }
}

fn write_emails<'o>(
    operations: impl Iterator<Item = (&'o str, Option<Emails<'o>>)>,
    statuses: &[String],
    family: &mut Family<'_>,
) {
    for (labels, emails) in operations {
        let Some(emails) = emails else {
            continue;
        };
        for (status, emails) in statuses.iter().zip(emails.known) {
            family.sample_with(labels, status, *emails);
        }
        for (name, emails) in sums(emails.unknown) {
            family.sample_of(labels, "status", name.as_str(), emails);
        }
    }
}

fn write_states<'o>(
    operations: impl Iterator<Item = (&'o str, Option<&'o OperationState>)>,
    states: &[String],
    family: &mut Family<'_>,
) {
    for (labels, current) in operations {
        let Some(current) = current else {
            continue;
        };
        for (label, state) in states.iter().zip(&OperationState::KNOWN) {
            family.sample_with(labels, label, current == state);
        }
        if let OperationState::Other(word) = current {
            let label = family.state("state", word.as_str());
            family.sample_with(labels, &label, true);
        }
    }
}

/// Leaves out a user's label that Prometheus rejects, or that has the name of a label of the metric: otherwise Prometheus would
/// reject the whole scrape.
fn write_infos<'o>(
    operations: impl Iterator<Item = (&'o str, &'o Labels)>,
    family: &mut Family<'_>,
) {
    let mut given = String::new();
    for (labels, users) in operations {
        given.clear();
        for (name, value) in users.iter() {
            if is_label_name(name) && !Scope::Operation.labels().contains(&name.as_str()) {
                push_further(&mut given, name, value);
            }
        }
        if !given.is_empty() {
            family.sample_with(labels, &given, true);
        }
    }
}

/// The sum per unknown stat. All names that cannot be exposed are the same word, so a word can occur more than once.
fn sums(unknown: &[(Word, u32)]) -> impl Iterator<Item = (&Word, u64)> {
    let first = |at: usize, name: &Word| unknown[..at].iter().all(|(earlier, _)| earlier != name);
    let names = unknown.iter().enumerate();
    let names = names.filter(move |(at, (name, _))| first(*at, name));
    names.map(move |(_, (name, _))| {
        let same = unknown.iter().filter(|(other, _)| other == name);
        (name, same.map(|(_, emails)| u64::from(*emails)).sum())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_stats_of_the_same_name_are_added_up() {
        let word = Word::new;
        let unknown = [
            (word("jane@example.com"), 1),
            (word("deferred"), 5),
            (word("joe@example.com"), u32::MAX),
        ];
        let sums: Vec<_> = sums(&unknown)
            .map(|(name, sum)| (name.as_str(), sum))
            .collect();
        assert_eq!(sums, [(Word::UNREADABLE, 1 << 32), ("deferred", 5)]);
    }
}
