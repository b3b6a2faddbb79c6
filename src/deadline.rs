//! How long a scrape may take: a function of what Prometheus says.

use std::time::Duration;

/// The header in which Prometheus tells its `scrape_timeout`, in seconds.
pub const HEADER: &str = "X-Prometheus-Scrape-Timeout-Seconds";
/// For a person with curl, who sends no header.
const WITHOUT_HEADER: Duration = Duration::from_secs(10);
/// No scrape waits longer, whatever the header says.
const LONGEST: Duration = Duration::from_mins(10);

/// The time for a collection: what the header grants less `offset`, which is for rendering and the way back.
///
/// A header that is no positive number counts as missing. Where the offset would leave less than half, half is taken: an
/// answer that may come late is worth more than one that never waits.
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

/// The seconds that a header tells; one that is no positive number counts as missing.
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
    fn the_header_less_the_offset() {
        assert_eq!(millis(Some("15")), 14_500);
        assert_eq!(millis(Some(" 2.25 ")), 1750);
        assert_eq!(millis(Some("0.6")), 300);
    }

    #[test]
    fn nonsense_counts_as_missing_and_eternity_ends() {
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
