//! The metric families about single emails. An account whose emails are not collected, or not saved yet, has none.

use std::collections::BTreeMap;

use super::labeled::LabeledAccounts;
use crate::email::{DELIVERY_BUCKETS, EmailStatus, Outcomes, ProviderCounts};
use crate::exposition::catalogue::{self, Metric};
use crate::exposition::labels::{further, push_further};
use crate::exposition::text::{Origin, Text};
use crate::exposition::value::SampleValue;
use crate::operation::Outcome;
use crate::snapshot::{EmailCounters, EmailsSnapshot};
use crate::timestamp::Timestamp;

pub(super) fn write(labeled: LabeledAccounts<'_>, text: &mut Text<'_>) {
    let accounts: Vec<(&str, &EmailsSnapshot)> = labeled
        .iter()
        .filter_map(|(labels, account)| Some((labels, account.emails.as_ref()?)))
        .collect();
    let counted: Vec<(&str, &EmailCounters)> = accounts
        .iter()
        .filter_map(|(labels, emails)| Some((*labels, emails.counters.as_deref()?)))
        .collect();
    let providers = by_provider(&counted);
    delivery_times(&providers, text, &catalogue::DELIVERY_DURATION);
    unobserved(&providers, text, &catalogue::DELIVERIES_UNOBSERVED);
    outcomes(
        &counted,
        text,
        (&catalogue::PROVIDER_OUTCOMES, "provider"),
        |counters| {
            let providers = counters.providers.iter();
            providers
                .map(|(name, counts)| (&**name, counts.outcomes))
                .collect()
        },
    );
    statuses(&counted, text);
    let by_recipient = (&catalogue::RECIPIENT_DOMAIN_OUTCOMES, "recipient_domain");
    outcomes(&counted, text, by_recipient, |counters| {
        counters
            .recipient_domains
            .as_ref()
            .map_or_else(Vec::new, by_domain)
    });
    let by_sender = (&catalogue::SENDER_DOMAIN_OUTCOMES, "sender_domain");
    outcomes(&counted, text, by_sender, |counters| {
        by_domain(&counters.sender_domains)
    });
    let values = by_label(&counted);
    delivery_times(&values, text, &catalogue::DELIVERY_DURATION_BY_LABEL);
    unobserved(&values, text, &catalogue::DELIVERIES_UNOBSERVED_BY_LABEL);
    let mut outcomes = text.family(&catalogue::DELIVERY_OUTCOMES_BY_LABEL);
    for each in &values {
        for (outcome, emails) in Outcome::ALL.iter().zip(each.counts.outcomes) {
            let mut own = each.own.clone();
            push_further(&mut own, "outcome", outcome.as_str());
            outcomes.counter(each.labels, &own, emails, each.origin());
        }
    }
    drop(outcomes);
    let mut inbound = text.family(&catalogue::INBOUND);
    for (labels, counters) in &counted {
        inbound.counter(labels, "", counters.inbound, origin(counters));
    }
    reading(&accounts, text);
}

/// The families about reading the emails.
fn reading(accounts: &[(&str, &EmailsSnapshot)], text: &mut Text<'_>) {
    let mut coverage = text.family(&catalogue::EMAILS_COVERAGE);
    for (labels, emails) in accounts {
        if let Some(share) = emails.coverage {
            coverage.sample(labels, share);
        }
    }
    let mut left_out = text.family(&catalogue::EMAILS_LEFT_OUT);
    for (labels, emails) in accounts {
        left_out.sample(labels, emails.left_out);
    }
    let mut foreign = text.family(&catalogue::EMAILS_FOREIGN_ROWS);
    for (labels, emails) in accounts {
        foreign.sample(labels, emails.foreign_rows);
    }
}

fn origin(counters: &EmailCounters) -> Origin<'_> {
    Origin {
        since: counters.since,
        contribution: None,
    }
}

fn by_domain(domains: &BTreeMap<Box<str>, Outcomes>) -> Vec<(&str, Outcomes)> {
    let domains = domains.iter();
    domains
        .map(|(name, outcomes)| (&**name, *outcomes))
        .collect()
}

/// Counters with a histogram of delivery times, and their labels.
struct Timed<'a> {
    /// The labels of the account.
    labels: &'a str,
    /// The other labels.
    own: String,
    counts: &'a ProviderCounts,
    /// When they began to count; not known for a label's value.
    since: Option<Timestamp>,
}

impl Timed<'_> {
    const fn origin(&self) -> Origin<'_> {
        Origin {
            since: self.since,
            contribution: None,
        }
    }
}

fn by_provider<'a>(counted: &[(&'a str, &'a EmailCounters)]) -> Vec<Timed<'a>> {
    let of_account = |(labels, counters): &(&'a str, &'a EmailCounters)| {
        let (labels, counters) = (*labels, *counters);
        counters
            .providers
            .iter()
            .map(move |(provider, counts)| Timed {
                labels,
                own: further("provider", provider),
                counts,
                since: counters.since,
            })
    };
    counted.iter().flat_map(of_account).collect()
}

fn by_label<'a>(counted: &[(&'a str, &'a EmailCounters)]) -> Vec<Timed<'a>> {
    let of_account = |(labels, counters): &(&'a str, &'a EmailCounters)| {
        let (labels, counters) = (*labels, *counters);
        counters.labels.iter().map(move |((label, value), counts)| {
            let mut own = further("label", label);
            push_further(&mut own, "value", value);
            Timed {
                labels,
                own,
                counts,
                since: None,
            }
        })
    };
    counted.iter().flat_map(of_account).collect()
}

fn delivery_times(timed: &[Timed<'_>], text: &mut Text<'_>, metric: &'static Metric) {
    let mut family = text.family(metric);
    for each in timed {
        let labels = format!(",{}{}", each.labels, each.own);
        let times = &each.counts.times;
        let mut deliveries = 0;
        let bounds = DELIVERY_BUCKETS.iter().map(|bound| f64::from(*bound));
        for (bound, bucket) in bounds.chain([f64::INFINITY]).zip(&times.buckets) {
            deliveries += bucket;
            family.bucket(&labels, bound, deliveries);
        }
        family.suffixed("_sum", &labels, times.sum_millis as f64 / 1000.0);
        family.suffixed("_count", &labels, deliveries);
        family.created(&labels, each.since.map(SampleValue::from));
    }
}

fn unobserved(timed: &[Timed<'_>], text: &mut Text<'_>, metric: &'static Metric) {
    let mut family = text.family(metric);
    for each in timed {
        let emails = each.counts.unobserved;
        family.counter(each.labels, &each.own, emails, each.origin());
    }
}

/// Writes the outcomes of each name.
fn outcomes<'a>(
    counted: &[(&str, &'a EmailCounters)],
    text: &mut Text<'_>,
    (metric, label): (&'static Metric, &str),
    named: impl Fn(&'a EmailCounters) -> Vec<(&'a str, Outcomes)>,
) {
    let mut family = text.family(metric);
    for (labels, counters) in counted {
        for (name, outcomes) in named(counters) {
            for (outcome, emails) in Outcome::ALL.iter().zip(outcomes) {
                let mut own = further(label, name);
                push_further(&mut own, "outcome", outcome.as_str());
                family.counter(labels, &own, emails, origin(counters));
            }
        }
    }
}

fn statuses(counted: &[(&str, &EmailCounters)], text: &mut Text<'_>) {
    let mut family = text.family(&catalogue::PROVIDER_EMAILS);
    for (labels, counters) in counted {
        for (provider, statuses) in &counters.statuses {
            let statuses = EmailStatus::ALL.into_iter().zip(statuses);
            for (status, emails) in statuses.filter(|(status, _)| *status != EmailStatus::Inbound) {
                let mut own = further("provider", provider);
                push_further(&mut own, "status", status.as_str());
                family.sample_with(labels, &own, *emails);
            }
        }
    }
}
