//! The result of a probe, and its families of emails. Values of a list that was read in part are not exposed.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::{
    Metric, PROBE_DELIVERIES_UNOBSERVED, PROBE_DELIVERY_DURATION, PROBE_EMAILS,
    PROBE_EMAILS_COMPLETE, PROBE_FOREIGN_ROWS, PROBE_PROVIDER_EMAILS, PROBE_UNUSABLE_ROWS,
};
use super::labels::{further, push_further};
use super::text::Text;
use super::value::SampleValue;
use crate::email::EmailStatus;
use crate::snapshot::ShownOperation;

/// The emails of each status, by [`EmailStatus`].
type ByStatus = [u64; EmailStatus::ALL.len()];

/// The result of a probe, for its exposition.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The name of the operation's account.
    pub account: &'a Arc<str>,
    /// The operation's current values.
    pub operation: &'a ShownOperation,
    /// Its emails, if the request asked for them.
    pub emails: Option<ProbeEmails>,
    /// Whether the probe read everything that was requested.
    pub success: bool,
    /// How long the probe took.
    pub duration: Duration,
}

/// The emails of an operation, or how far they were read.
#[derive(Debug, Default)]
pub struct ProbeEmails {
    /// What the rows of the list were; `None` if that is not known.
    pub rows: Option<ProbeRows>,
    /// The emails of each provider by its name; `None` unless every email was read.
    pub providers: Option<Vec<(Box<str>, ProbeProvider)>>,
}

/// The rows that are not emails of the operation.
#[derive(Debug, Clone, Copy)]
pub struct ProbeRows {
    /// Rows of other operations.
    pub foreign: u64,
    /// Rows that could not be used.
    pub unusable: u64,
}

/// The emails of an operation at one mailbox provider.
#[derive(Debug)]
pub struct ProbeProvider {
    /// Their number by status.
    pub statuses: ByStatus,
    /// The upper bound of each bucket of delivery times, in seconds.
    pub bounds: &'static [u32],
    /// The deliveries of each bucket alone; one more than the bounds.
    pub buckets: Vec<u64>,
    /// The sum of the delivery times.
    pub sum: Duration,
    /// Deliveries whose time is not known.
    pub unobserved: u64,
}

impl ProbeEmails {
    /// Writes the families; `labels` is the label text of the operation.
    pub(super) fn write(&self, labels: &str, text: &mut Text<'_>) {
        let mut gauge = |metric: &'static Metric, value: SampleValue| {
            text.family(metric).sample(labels, value);
        };
        gauge(&PROBE_EMAILS_COMPLETE, self.providers.is_some().into());
        if let Some(rows) = self.rows {
            gauge(&PROBE_FOREIGN_ROWS, rows.foreign.into());
            gauge(&PROBE_UNUSABLE_ROWS, rows.unusable.into());
        }
        let Some(providers) = &self.providers else {
            return;
        };
        let mut all = ByStatus::default();
        for (_, emails) in providers {
            for (sum, emails) in all.iter_mut().zip(emails.statuses) {
                *sum += emails;
            }
        }
        let mut family = text.family(&PROBE_EMAILS);
        for (status, emails) in EmailStatus::ALL.into_iter().zip(all) {
            family.sample_with(labels, &further("status", status.as_str()), emails);
        }
        let mut family = text.family(&PROBE_PROVIDER_EMAILS);
        for (provider, emails) in providers {
            for (status, emails) in EmailStatus::ALL.into_iter().zip(emails.statuses) {
                let mut own = further("provider", provider);
                push_further(&mut own, "status", status.as_str());
                family.sample_with(labels, &own, emails);
            }
        }
        let mut family = text.family(&PROBE_DELIVERY_DURATION);
        for (provider, emails) in providers {
            let labels = format!(",{labels}{}", further("provider", provider));
            let mut deliveries = 0;
            let bounds = emails.bounds.iter().map(|bound| f64::from(*bound));
            let bounds = bounds.chain([f64::INFINITY]);
            for (bound, bucket) in bounds.zip(&emails.buckets) {
                deliveries += bucket;
                family.bucket(&labels, bound, deliveries);
            }
            family.suffixed("_sum", &labels, emails.sum);
            family.suffixed("_count", &labels, deliveries);
        }
        let mut family = text.family(&PROBE_DELIVERIES_UNOBSERVED);
        for (provider, emails) in providers {
            family.sample_with(labels, &further("provider", provider), emails.unobserved);
        }
    }
}
