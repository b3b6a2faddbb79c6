//! The series of emails in an exposition, and their comparison with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use twilio_email_exporter::timestamp::Timestamp;

use super::laws::{Known, Model, Named, OUTCOMES};
use super::mail::Mail;
use crate::support::exposition::{Exposition, Sample};
use crate::support::scene::ZERO_FOR;

const PROVIDERS: &str = "provider_outcomes_total";
const STATUSES: &str = "provider_emails";
const RECIPIENTS: &str = "recipient_domain_outcomes_total";
const SENDERS: &str = "sender_domain_outcomes_total";
const UNOBSERVED: &str = "deliveries_unobserved_total";
const TIMES: &str = "delivery_duration_seconds_count";
const SUMS: &str = "delivery_duration_seconds_sum";
const INBOUND: &str = "inbound_total";
const UNCONFIRMED: &str = "emails_unconfirmed";
/// Counters, each with the label of its name.
const COUNTERS: [(&str, &str); 7] = [
    (PROVIDERS, "provider"),
    (UNOBSERVED, "provider"),
    (TIMES, "provider"),
    (SUMS, "provider"),
    (RECIPIENTS, "recipient_domain"),
    (SENDERS, "sender_domain"),
    (INBOUND, ""),
];
/// Less than the unit of any series.
const SMALL: f64 = 0.0005;
/// From this share of the last seven days on, unconfirmed emails are counted from the emails.
const COVERED: f64 = 0.99;
const AGES: [(&str, Duration); 4] = [
    ("5m", Duration::from_mins(5)),
    ("1h", Duration::from_hours(1)),
    ("6h", Duration::from_hours(6)),
    ("1d", Duration::from_hours(24)),
];

/// A family without its prefix, and the values of the labels that tell its series.
type Series = (&'static str, String, String);

/// The series of an exposition.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Shown {
    counters: BTreeMap<Series, f64>,
    gauges: BTreeMap<Series, f64>,
    coverage: f64,
}

/// How long a new name exposes its counters as 0, at the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// No page has been read since it appeared.
    Shown,
    /// A page that is read from this time on ends it.
    Until(Timestamp),
}

/// The names of providers and domains whose counters may be exposed as 0.
#[derive(Debug, Default)]
pub(super) struct HeldNames {
    held: BTreeMap<String, Held>,
}

fn label(sample: &Sample, name: &str) -> String {
    sample.labels.get(name).cloned().unwrap_or_default()
}

impl Shown {
    /// `None` if the exposition has no counters of emails.
    pub(super) fn of(seen: &Exposition) -> Option<Self> {
        let samples = |family: &str| seen.samples(&format!("twilio_email_{family}"));
        samples(INBOUND).first()?;
        let mut shown = Self::default();
        for (family, name) in COUNTERS {
            for sample in samples(family) {
                let series = (family, label(sample, name), label(sample, "outcome"));
                shown.counters.insert(series, sample.value);
            }
        }
        for (family, name, second) in [
            (STATUSES, "provider", "status"),
            (UNCONFIRMED, "older_than", ""),
        ] {
            for sample in samples(family) {
                let series = (family, label(sample, name), label(sample, second));
                shown.gauges.insert(series, sample.value);
            }
        }
        let coverage = samples("emails_coverage_ratio");
        shown.coverage = coverage.first().map_or(0.0, |sample| sample.value);
        Some(shown)
    }

    /// Whether a domain has a name of its own.
    pub(super) fn has_domain(&self, domain: &str) -> bool {
        let mut series = self.counters.keys();
        series.any(|(family, name, _)| matches!(*family, RECIPIENTS | SENDERS) && name == domain)
    }

    /// The names of providers and domains.
    fn names(&self) -> BTreeSet<&str> {
        self.counters.keys().map(|(_, name, _)| &**name).collect()
    }

    fn is_zero(&self, wanted: &str) -> bool {
        let mut counters = self.counters.iter();
        counters.all(|((_, name, _), value)| name != wanted || *value < SMALL)
    }

    /// The first counter that is lower than in `before`, or missing.
    pub(super) fn fallen(&self, before: &Self) -> Option<String> {
        let fallen = |(series, value): (&Series, &f64)| {
            let now = self.counters.get(series).copied();
            let is_lower = now.is_none_or(|now| now + SMALL < *value);
            is_lower.then(|| format!("{series:?}: {now:?} after {value}"))
        };
        before.counters.iter().find_map(fallen)
    }

    /// The first series that is not what the model says at `now`.
    pub(super) fn difference(
        &self,
        model: &Model,
        mails: &[Mail],
        held: &HeldNames,
        now: Timestamp,
    ) -> Option<String> {
        let mut wanted = Wanted::default();
        for (number, known) in &model.known {
            wanted.add(
                known,
                &mails[*number],
                model.is_kept(&mails[*number], now),
                now,
            );
        }
        let counters = self.counters.iter().map(|each| (each, true));
        let gauges = self.gauges.iter().map(|each| (each, false));
        for ((series, value), is_counter) in counters.chain(gauges) {
            let (least, most) = wanted.bounds.remove(series).unwrap_or_default();
            if series.0 == UNCONFIRMED && self.coverage < COVERED {
                continue;
            }
            let may_be_zero = is_counter && held.may_be_zero(&series.1) && self.is_zero(&series.1);
            let is_within = least - SMALL < *value && *value < most + SMALL;
            if !is_within && !may_be_zero {
                return Some(format!("{series:?}: {value} instead of {least} to {most}"));
            }
        }
        let missing = wanted
            .bounds
            .into_iter()
            .find(|(_, (least, _))| *least > SMALL);
        if let Some((series, (least, _))) = missing {
            return Some(format!("{series:?}: missing instead of {least}"));
        }
        self.unequal_sums(held)
    }

    /// Providers and domains count the same emails.
    fn unequal_sums(&self, held: &HeldNames) -> Option<String> {
        if self.names().into_iter().any(|name| held.may_be_zero(name)) {
            return None;
        }
        let sum = |wanted: &str, outcome: &str| -> f64 {
            let counters = self.counters.iter();
            let of_outcome =
                counters.filter(|((family, _, own), _)| *family == wanted && own == outcome);
            of_outcome.map(|(_, value)| value).sum()
        };
        OUTCOMES.into_iter().find_map(|outcome| {
            let sums = [PROVIDERS, RECIPIENTS, SENDERS].map(|family| sum(family, outcome));
            let is_equal = sums.iter().all(|each| (each - sums[0]).abs() < SMALL);
            (!is_equal).then(|| format!("{outcome} by provider, recipient and sender: {sums:?}"))
        })
    }
}

/// The lowest and the highest value of each series.
#[derive(Default)]
struct Wanted {
    bounds: BTreeMap<Series, (f64, f64)>,
}

impl Wanted {
    fn count(
        &mut self,
        series: (&'static str, &str, &str),
        count: f64,
        (certain, possible): (bool, bool),
    ) {
        let (family, name, value) = series;
        let series = (family, name.to_owned(), value.to_owned());
        let (least, most) = self.bounds.entry(series).or_default();
        *least += if certain { count } else { 0.0 };
        *most += if possible { count } else { 0.0 };
    }

    fn add(&mut self, known: &Known, mail: &Mail, is_kept: (bool, bool), now: Timestamp) {
        const ALWAYS: (bool, bool) = (true, true);
        let counts = known.counts(mail);
        self.count(
            (INBOUND, "", ""),
            f64::from(u8::from(counts.is_inbound)),
            ALWAYS,
        );
        if known.status() == "INBOUND" {
            return;
        }
        let provider = mail.provider();
        for (outcome, count) in OUTCOMES.into_iter().zip(counts.outcomes) {
            let count = count as f64;
            self.count((PROVIDERS, provider, outcome), count, ALWAYS);
            for (family, named, domain) in [
                (RECIPIENTS, known.recipient, mail.recipient),
                (SENDERS, known.sender, mail.sender),
            ] {
                let (own, other) = match named {
                    Named::Yes => ((true, true), (false, false)),
                    Named::No => ((false, false), (true, true)),
                    Named::Maybe => ((false, true), (false, true)),
                };
                self.count((family, domain, outcome), count, own);
                self.count((family, "other", outcome), count, other);
            }
        }
        let unobserved = f64::from(u8::from(counts.is_unobserved));
        self.count((UNOBSERVED, provider, ""), unobserved, ALWAYS);
        if let Some(time) = counts.time {
            self.count((TIMES, provider, ""), 1.0, ALWAYS);
            self.count((SUMS, provider, ""), time.as_secs_f64(), ALWAYS);
        }
        self.count((STATUSES, provider, &known.label()), 1.0, is_kept);
        if let Some(sent) = known.unconfirmed_since() {
            for (name, _) in AGES.into_iter().filter(|(_, age)| sent + *age <= now) {
                self.count((UNCONFIRMED, name, ""), 1.0, is_kept);
            }
        }
    }
}

impl HeldNames {
    /// Notes what a scrape has exposed. Returns a name whose counters appeared above 0.
    pub(super) fn note(&mut self, shown: &Shown, before: &Shown) -> Option<String> {
        let known = before.names();
        let new = shown
            .names()
            .into_iter()
            .filter(|name| !known.contains(name));
        let mut wrong = None;
        for name in new {
            if !shown.is_zero(name) {
                wrong = Some(format!("{name} does not begin with 0"));
            }
            self.held.insert(name.to_owned(), Held::Shown);
        }
        wrong
    }

    /// Notes that a page was read.
    pub(super) fn read_at(&mut self, now: Timestamp) {
        self.held.retain(|_, held| {
            let until = match *held {
                Held::Shown => now + ZERO_FOR,
                Held::Until(until) => until,
            };
            *held = Held::Until(until);
            until > now
        });
    }

    /// Notes that the exporter started again: what it had noted of a name that is still 0 may not be saved.
    pub(super) fn restart(&mut self, shown: &Shown) {
        for name in shown.names().into_iter().filter(|name| shown.is_zero(name)) {
            self.held.insert(name.to_owned(), Held::Shown);
        }
    }

    fn may_be_zero(&self, name: &str) -> bool {
        self.held.contains_key(name)
    }
}
