//! The metric families with one set of series per account. A value that is not known yet has no series.

use super::labeled::LabeledAccounts;
use crate::clock_skew::ClockSkew;
use crate::exposition::catalogue::{self, Metric};
use crate::exposition::labels::further;
use crate::exposition::text::{Origin, Text};
use crate::exposition::value::SampleValue;
use crate::operation::{CountingMode, Outcome};
use crate::snapshot::{AccountSnapshot, CollectorStatus, Totals, UNCONFIRMED_AGES};
use crate::timestamp::Timestamp;

/// The value for "no pause" and "no wait": 0 cannot be confused with a real time.
const NONE: Timestamp = Timestamp::from_millis(0);

pub(super) fn write(accounts: LabeledAccounts<'_>, text: &mut Text<'_>) {
    let mut families = AccountFamilies { accounts, text };
    families.per_account(&catalogue::UP, |account| Some(account.status.up));
    families.per_account(&catalogue::DISCOVERY_UP, |account| {
        account.status.discovery_up
    });
    families.per_account(&catalogue::COLLECTION_COMPLETE, |account| {
        Some(account.status.complete)
    });
    families.per_account(&catalogue::COLLECTION_DURATION, |account| {
        account.status.duration
    });
    families.per_account(&catalogue::COLLECTION_LAST_SUCCESS, |account| {
        account.status.last_success
    });
    families.collectors(&catalogue::COLLECTOR_SUCCESS, |collector| collector.success);
    families.collectors(&catalogue::COLLECTOR_DURATION, |collector| {
        collector.duration
    });
    families.per_account(&catalogue::API_CLOCK_SKEW, |account| {
        account.status.clock_skew.map(ClockSkew::as_seconds)
    });
    families.sums(&catalogue::OPERATIONS, "state", Totals::operations);
    families.per_account(&catalogue::OPERATIONS_WITHOUT_SERIES, |account| {
        Some(account.without_series)
    });
    families.sums(&catalogue::EMAILS, "status", Totals::emails);
    families.unconfirmed();
    families.accepted();
    families.outcomes();
    families.counting_modes();
    families.per_account(&catalogue::API_PAUSED_UNTIL, |account| {
        Some(account.status.paused_until.unwrap_or(NONE))
    });
    families.per_account(&catalogue::API_LOGIN_RETRY, |account| {
        Some(account.status.next_login_at.unwrap_or(NONE))
    });
}

struct AccountFamilies<'a, 'b> {
    accounts: LabeledAccounts<'a>,
    text: &'a mut Text<'b>,
}

impl<'a> AccountFamilies<'a, '_> {
    /// Writes one sample per account that has the value.
    fn per_account<V: Into<SampleValue>>(
        &mut self,
        metric: &'static Metric,
        value: impl Fn(&AccountSnapshot) -> Option<V>,
    ) {
        let mut family = self.text.family(metric);
        for (labels, account) in self.accounts.iter() {
            if let Some(value) = value(account) {
                family.sample(labels, value);
            }
        }
    }

    /// Writes one sample per account and per word of `sums`.
    fn sums<I: Iterator<Item = (&'a str, u64)>>(
        &mut self,
        metric: &'static Metric,
        label: &str,
        sums: impl Fn(&'a Totals) -> I,
    ) {
        let mut family = self.text.family(metric);
        for (labels, account) in self.accounts.iter() {
            for (word, sum) in sums(&account.totals) {
                family.sample_of(labels, label, word, sum);
            }
        }
    }

    fn collectors<V: Into<SampleValue>>(
        &mut self,
        metric: &'static Metric,
        value: impl Fn(&CollectorStatus) -> V,
    ) {
        let mut family = self.text.family(metric);
        for (labels, account) in self.accounts.iter() {
            for collector in &account.collectors {
                let name = collector.name.as_str();
                family.sample_of(labels, "collector", name, value(collector));
            }
        }
    }

    fn unconfirmed(&mut self) {
        let mut family = self.text.family(&catalogue::EMAILS_UNCONFIRMED);
        for (labels, account) in self.accounts.iter() {
            let emails = account.unconfirmed.into_iter().flatten();
            for ((age, _), emails) in UNCONFIRMED_AGES.iter().zip(emails) {
                family.sample_with(labels, &further("older_than", age), emails);
            }
        }
    }

    fn accepted(&mut self) {
        let mut family = self.text.family(&catalogue::EMAILS_ACCEPTED);
        for (labels, account) in self.accounts.iter() {
            if let Some(counters) = account.counters {
                let origins = &account.origins;
                let origin = Origin {
                    since: origins.since,
                    contribution: origins.accepted.as_ref(),
                };
                family.counter(labels, "", counters.accepted, origin);
            }
        }
    }

    fn outcomes(&mut self) {
        let outcomes = Outcome::ALL.map(|outcome| further("outcome", outcome.as_str()));
        let mut family = self.text.family(&catalogue::EMAIL_OUTCOMES);
        for (labels, account) in self.accounts.iter() {
            let Some(counters) = account.counters else {
                continue;
            };
            let origins = &account.origins;
            let counters = counters.outcomes.into_iter().zip(&origins.outcomes);
            for (outcome, (emails, contribution)) in outcomes.iter().zip(counters) {
                let origin = Origin {
                    since: origins.since,
                    contribution: contribution.as_ref(),
                };
                family.counter(labels, outcome, emails, origin);
            }
        }
    }

    fn counting_modes(&mut self) {
        let mut family = self.text.family(&catalogue::STATS_READING);
        let modes = CountingMode::ALL.map(|mode| (family.state("reading", mode.as_str()), mode));
        for (labels, account) in self.accounts.iter() {
            for (word, mode) in &modes {
                family.sample_with(labels, word, account.counting_mode == *mode);
            }
        }
    }
}
