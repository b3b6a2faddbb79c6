//! The section `rate_limit`: a token bucket for all requests together.

use std::time::Duration;

use super::go_duration;
use crate::document::Findings;
use crate::document::walk::Value;

/// The most requests at once. A higher number is not a limit.
const LARGEST_BURST: u32 = 1_000_000;
/// The longest interval. A longer one would allow less than a request a day.
const LONGEST_INTERVAL: Duration = Duration::from_hours(24);

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// One request per interval; not 0.
    pub interval: Duration,
    /// The number of requests at once; at least 1.
    pub burst: u32,
}

/// `None` without an interval, or with 0: no limit.
pub(super) fn read(section: &Value<'_>, findings: &mut Findings) -> Option<RateLimit> {
    let mut section = section.mapping(findings)?;
    let place = section.place.clone();
    let interval = section.take("interval");
    let interval = interval.and_then(|interval| read_interval(&interval, findings));
    let has_burst = section.has("burst");
    let burst = section.take("burst");
    let burst = burst.and_then(|burst| burst.whole(&(0..=LARGEST_BURST), findings));
    section.finish(findings);
    let interval = interval.filter(|interval| !interval.is_zero())?;
    match burst {
        Some(burst) if burst > 0 => Some(RateLimit { interval, burst }),
        Some(_) => {
            let place = format!("{place}.burst");
            findings.problem(&place, "0 would refuse every request; write 1 or more");
            None
        }
        None if has_burst => None,
        None => {
            let place = format!("{place}.burst");
            let message = "missing; without it every request would be refused. Write the number of requests at once, for example 20";
            findings.problem(&place, message);
            None
        }
    }
}

fn read_interval(value: &Value<'_>, findings: &mut Findings) -> Option<Duration> {
    let text = value.scalar(findings)?;
    let interval = findings.take(&value.place, go_duration::parse(&text))?;
    if interval > LONGEST_INTERVAL {
        findings.problem(&value.place, "expected at most 24h");
        return None;
    }
    Some(interval)
}
