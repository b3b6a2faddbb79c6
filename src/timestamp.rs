//! A time of day in milliseconds: the only representation of time in operations, snapshots and the store. Parsing and writing
//! use RFC 3339.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time, such as 2026-04-05T06:20:00Z")]
pub struct TimestampError;

impl Timestamp {
    /// The time `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since 1970-01-01T00:00:00Z, Prometheus' unit of time.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// RFC 3339 in UTC, always with milliseconds: `2026-04-05T06:20:00.000Z`.
    #[must_use]
    pub fn to_millis(self) -> String {
        self.formatted("%Y-%m-%dT%H:%M:%S%.3fZ")
    }

    /// The time of day in UTC, to the minute: `20:31 UTC`.
    #[must_use]
    pub fn to_minute(self) -> String {
        self.formatted("%H:%M UTC")
    }

    /// The time of day in UTC, to the second: `20:31:05 UTC`.
    #[must_use]
    pub fn to_second(self) -> String {
        self.formatted("%H:%M:%S UTC")
    }

    /// The day and the time of day in UTC, to the minute: `26 Nov 20:31 UTC`.
    #[must_use]
    pub fn to_day_and_minute(self) -> String {
        self.formatted("%-d %b %H:%M UTC")
    }

    fn formatted(self, format: &str) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => time.strftime(format).to_string(),
            Err(_) => self.to_string(),
        }
    }

    /// The time from `earlier` to this; zero if `earlier` is later, because clocks jump.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses RFC 3339 with or without a fraction, with any offset.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self(time.as_millisecond()))
            .map_err(|_| TimestampError)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with a fraction only if it is not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => fmt::Display::fmt(&time, f),
            Err(_) => write!(f, "{} ms after 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_and_offsets_are_parsed() {
        let seconds: Timestamp = "2026-04-05T06:20:00Z".parse().unwrap();
        for same in [
            "2026-04-05T08:20:00+02:00",
            "2026-04-05T06:20:00.000Z",
            "2026-04-05t06:20:00z",
            "2026-04-05T06:20:00.0004999+00:00",
        ] {
            assert_eq!(same.parse(), Ok(seconds), "{same}");
        }
        assert_eq!(
            "2026-04-05T06:20:00.25Z".parse(),
            Ok(seconds + Duration::from_millis(250))
        );
        assert_eq!(seconds.to_string(), "2026-04-05T06:20:00Z");
        assert_eq!(seconds.to_minute(), "06:20 UTC");
        assert_eq!(seconds.to_second(), "06:20:00 UTC");
        assert_eq!(seconds.to_day_and_minute(), "5 Apr 06:20 UTC");
        let beyond = Timestamp::from_millis(i64::MAX);
        assert_eq!(beyond.to_minute(), beyond.to_string());
    }

    #[test]
    fn text_that_is_no_rfc_3339_time_is_rejected() {
        for text in [
            "",
            "yesterday",
            "2026-04-05",
            "2026-04-05T06:20:00",
            "1775370000",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let start = Timestamp::from_millis(0);
        assert_eq!(start.since(start + Duration::from_secs(1)), Duration::ZERO);
        assert_eq!((start + Duration::MAX).as_millis(), i64::MAX);
        assert_eq!(
            Timestamp::from_millis(i64::MAX)
                .since(start - Duration::from_secs(1))
                .as_millis(),
            i64::MAX as u128
        );
        assert_eq!(
            (start + Duration::MAX).to_string(),
            "9223372036854775807 ms after 1970"
        );
    }

    #[test]
    fn to_millis_always_has_three_digits() {
        let text = |millis| Timestamp::from_millis(millis).to_millis();
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(1_775_370_000_070), "2026-04-05T06:20:00.070Z");
    }
}
