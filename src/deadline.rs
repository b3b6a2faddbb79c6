//! The time that a scrape may take, computed from Prometheus' header. A scrape without a valid header gets a default, and there is
//! a limit for all.

use std::time::Duration;

/// The header with Prometheus' `scrape_timeout`, in seconds.
pub const HEADER: &str = "X-Prometheus-Scrape-Timeout-Seconds";
/// For clients such as curl, which send no header.
const WITHOUT_HEADER: Duration = Duration::from_secs(10);
/// The longest time, whatever the header contains.
const LONGEST: Duration = Duration::from_mins(10);

/// The time for a collection: the header's time minus `offset`, which is reserved for rendering and sending.
///
/// A header that is no positive number counts as missing. The result is at least half of the header's time: a response that may
/// be late is better than one for which nothing was collected.
#[must_use]
pub fn budget(header: Option<&str>, offset: Duration) -> Duration {
    match seconds(header).map(|seconds| {
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(LONGEST)
            .min(LONGEST)
    }) {
        Some(granted) => granted.saturating_sub(offset).max(granted / 2),
        None => WITHOUT_HEADER,
    }
}

/// The seconds in a header; `None` if it is no positive number.
#[must_use]
pub fn seconds(header: Option<&str>) -> Option<f64> {
    let seconds = header?.trim().parse().ok();
    seconds.filter(|seconds| *seconds > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(header: Option<&str>) -> u128 {
        budget(header, Duration::from_millis(500)).as_millis()
    }

    #[test]
    fn the_offset_is_subtracted_from_the_header() {
        assert_eq!(millis(Some("15")), 14_500);
        assert_eq!(millis(Some(" 2.25 ")), 1750);
        assert_eq!(millis(Some("0.6")), 300);
    }

    #[test]
    fn an_invalid_header_counts_as_missing_and_a_long_time_is_limited() {
        for header in [
            None,
            Some(""),
            Some("soon"),
            Some("-1"),
            Some("0"),
            Some("NaN"),
        ] {
            assert_eq!(millis(header), 10_000, "{header:?}");
        }
        assert_eq!(millis(Some("inf")), 599_500);
        assert_eq!(millis(Some("1e300")), 599_500);
    }
}
