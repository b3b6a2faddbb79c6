//! The limits of an account: how many requests it may make, and how long one may take. Obvious typing errors are refused.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::duration;
use super::problem::Findings;
use super::walk::Mapping;

/// A higher `max_requests_per_second` is a typing error: no API of Twilio accepts such a rate.
const MOST_REQUESTS_PER_SECOND: f64 = 1_000_000.0;
/// Each concurrent request holds a response of up to some megabytes in memory.
const CONCURRENT_REQUESTS: RangeInclusive<usize> = 1..=256;
/// A limit shorter than a round trip fails every request; one longer than a few scrapes detects a dead server too late.
const REQUEST_TIMEOUTS: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_mins(2);

/// The limits of an account's requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Positive and finite.
    pub requests_per_second: f64,
    /// At least one.
    pub concurrent_requests: usize,
    /// For one request, from the first byte sent to the last one read.
    pub request_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: 10.0,
            concurrent_requests: 8,
            request_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    pub(super) fn read(mapping: &mut Mapping, findings: &mut Findings) -> Self {
        let mut limits = Self::default();
        if let Some(value) = mapping.take("max_requests_per_second")
            && let Some(number) = value.number(findings)
        {
            if number > 0.0 && number <= MOST_REQUESTS_PER_SECOND {
                limits.requests_per_second = number;
            } else {
                let message =
                    format_args!("expected a number above 0, up to {MOST_REQUESTS_PER_SECOND}");
                findings.problem(&value.place, message);
            }
        }
        if let Some(value) = mapping.take("max_concurrent_requests")
            && let Some(number) = value.whole(&CONCURRENT_REQUESTS, findings)
        {
            limits.concurrent_requests = number;
        }
        if let Some(value) = mapping.take("request_timeout")
            && let Some(text) = value.text(findings)
            && let Some(timeout) = findings.take(&value.place, duration::parse(text))
        {
            if REQUEST_TIMEOUTS.contains(&timeout) {
                limits.request_timeout = timeout;
            } else {
                findings.problem(&value.place, "expected 10ms to 2m");
            }
        }
        limits
    }
}
