//! The emails of an account with one provider whose counters are exposed and one that is new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::email::{DeliveryTimes, ProviderCounts};
use crate::snapshot::{EmailCounters, EmailsSnapshot, HeldNames};
use crate::timestamp::Timestamp;

pub(super) fn emails() -> EmailsSnapshot {
    let gmail = ProviderCounts {
        outcomes: [780, 311, 4, 1, 0],
        unobserved: 31,
        times: DeliveryTimes {
            buckets: [0, 12, 600, 99, 30, 5, 2, 1, 0, 0, 0, 0, 0, 0, 0],
            sum_millis: 4_321_500,
        },
    };
    let counters = EmailCounters {
        since: Some(Timestamp::from_millis(1_775_000_000_500)),
        providers: named([("gmail", gmail.clone()), ("gmx", gmail)]),
        statuses: named([
            ("gmail", [0, 1, 2, 469, 4, 311, 1, 0, 0, 0]),
            ("gmx", [7; 10]),
        ]),
        recipient_domains: Some(named([("gmail.com", [780, 311, 4, 1, 0])])),
        sender_domains: named([("news.example.com", [780, 311, 4, 1, 0])]),
        inbound: 4,
        held: HeldNames {
            providers: BTreeSet::from(["gmx".into()]),
            ..HeldNames::default()
        },
    };
    EmailsSnapshot {
        counters: Some(Arc::new(counters).exposed()),
        left_out: 5,
        foreign_rows: 0,
        coverage: Some(0.75),
    }
}

fn named<C, const N: usize>(named: [(&str, C); N]) -> BTreeMap<Box<str>, C> {
    let named = named.into_iter();
    named.map(|(name, counts)| (name.into(), counts)).collect()
}
