//! The metric families with one set of series per value of a label, for the labels that the configuration aggregates by. Counters
//! of a new value are 0 at first, so that `rate()` sees their growth.

use super::labeled::LabeledAccounts;
use crate::exposition::catalogue::{self, Metric};
use crate::exposition::labels::{further, push_further};
use crate::exposition::text::Text;
use crate::operation::Outcome;
use crate::snapshot::{GroupSnapshot, Totals};

pub(super) fn write(accounts: LabeledAccounts<'_>, text: &mut Text<'_>) {
    let groups = groups(accounts);
    sums(
        &groups,
        text,
        &catalogue::OPERATIONS_BY_LABEL,
        "state",
        Totals::operations,
    );
    sums(
        &groups,
        text,
        &catalogue::EMAILS_BY_LABEL,
        "status",
        Totals::emails,
    );
    let mut accepted = text.family(&catalogue::EMAILS_ACCEPTED_BY_LABEL);
    for (labels, group) in &groups {
        if let Some(counters) = group.counters {
            accepted.sample(labels, counters.accepted);
        }
    }
    let words = Outcome::ALL.map(|outcome| further("outcome", outcome.as_str()));
    let mut outcomes = text.family(&catalogue::EMAIL_OUTCOMES_BY_LABEL);
    for (labels, group) in &groups {
        let counters = group.counters.iter();
        let counters = counters.flat_map(|counters| counters.outcomes);
        for (outcome, emails) in words.iter().zip(counters) {
            outcomes.sample_with(labels, outcome, emails);
        }
    }
}

fn sums<'a, I: Iterator<Item = (&'a str, u64)>>(
    groups: &[(String, &'a GroupSnapshot)],
    text: &mut Text<'_>,
    metric: &'static Metric,
    label: &str,
    sums: impl Fn(&'a Totals) -> I,
) {
    let mut family = text.family(metric);
    for (labels, group) in groups {
        for (word, sum) in sums(&group.totals) {
            family.sample_of(labels, label, word, sum);
        }
    }
}

/// The groups of all accounts, each with its label text.
fn groups(accounts: LabeledAccounts<'_>) -> Vec<(String, &GroupSnapshot)> {
    let groups = accounts.iter().flat_map(|(account, snapshot)| {
        snapshot.groups.iter().map(move |group| {
            let mut labels = account.to_owned();
            push_further(&mut labels, "label", &group.label);
            push_further(&mut labels, "value", &group.value);
            (labels, group)
        })
    });
    groups.collect()
}
