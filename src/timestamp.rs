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

    /// Parses the form in which Twilio writes times, `2026-04-05T06:20:00Z` with or without a fraction. Returns `None` for any other
    /// text, even for other valid times: this takes a tenth of a full parser's time, and each row of a list has two times.
    #[must_use]
    pub fn from_utc(text: &[u8]) -> Option<Self> {
        let (seconds, fraction) = text.split_at_checked("2026-04-05T06:20:00".len())?;
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', time @ ..] = seconds else {
            return None;
        };
        let [h0, h1, b':', n0, n1, b':', s0, s1] = time else {
            return None;
        };
        let year = 100 * two_digits(*y0, *y1)? + two_digits(*y2, *y3)?;
        let days = days_since_1970(year, two_digits(*m0, *m1)?, two_digits(*d0, *d1)?)?;
        let (hour, minute) = (two_digits(*h0, *h1)?, two_digits(*n0, *n1)?);
        let second = two_digits(*s0, *s1)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self(seconds * 1000 + millis_of_fraction(fraction)?))
    }

    /// The time from `earlier` to this; zero if `earlier` is later, because clocks jump.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

/// The days from 1970-01-01 to a day in that year or later; `None` if there is no such day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap_days_before = |year: i64| (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    let at = usize::try_from(month - 1).ok()?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(at)? + i64::from(is_leap && month == 2);
    if year < 1970 || !(1..=length).contains(&day) {
        return None;
    }
    let leap_days = leap_days_before(year) - leap_days_before(1970);
    let in_year = BEFORE.get(at)? + i64::from(is_leap && month > 2) + day - 1;
    Some((year - 1970) * 365 + leap_days + in_year)
}

/// The whole milliseconds of `.25Z`; 0 of `Z`.
fn millis_of_fraction(text: &[u8]) -> Option<i64> {
    let digits = match text {
        b"Z" => return Some(0),
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => digits,
        _ => return None,
    };
    let is_number = digits.iter().all(u8::is_ascii_digit);
    let thousandths = digits.iter().copied().chain([b'0'; 2]).take(3);
    is_number.then(|| thousandths.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0')))
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
        if let Some(time) = Self::from_utc(text.as_bytes()) {
            return Ok(time);
        }
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
    use proptest::prelude::*;

    use super::*;

    /// What a full parser of RFC 3339 reads.
    fn parsed(text: &str) -> Option<Timestamp> {
        let time = text.parse::<jiff::Timestamp>().ok()?;
        Some(Timestamp(time.as_millisecond()))
    }

    proptest! {
        #[test]
        fn times_as_twilio_writes_them_are_what_a_full_parser_reads(
            text in "(19[67][0-9]|20[0-9]{2}|2[0-9]{3})-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z",
        ) {
            if let Some(time) = Timestamp::from_utc(text.as_bytes()) {
                prop_assert_eq!(parsed(&text), Some(time));
            }
        }

        #[test]
        fn every_time_from_1970_on_is_read_without_a_full_parser(millis in 0..253_370_764_800_000_i64) {
            let time = Timestamp(millis);
            prop_assert_eq!(Timestamp::from_utc(time.to_string().as_bytes()), Some(time));
            prop_assert_eq!(Timestamp::from_utc(time.to_millis().as_bytes()), Some(time));
        }
    }

    #[test]
    fn days_and_times_that_do_not_exist_are_left_to_the_full_parser() {
        for text in [
            "",
            "Z",
            "1969-12-31T23:59:59Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-04-05T24:00:00Z",
            "2026-04-05T06:60:00Z",
            "2026-04-05T06:20:60Z",
            "2026-04-05T06:20:00",
            "2026-04-05T06:20:00.Z",
            "2026-04-05T06:20:00.0000000001Z",
            "2026-04-05T06:20:00+00:00",
            "2026-04-0:T06:20:00Z",
        ] {
            assert_eq!(Timestamp::from_utc(text.as_bytes()), None, "{text}");
        }
    }

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
