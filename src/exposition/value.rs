//! The values of samples as text: integers and times without `fmt`, and other numbers in the shortest form that parses to the same
//! value. All are written the same in every format.

use std::io::Write;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SampleValue {
    Count(u64),
    Moment(Timestamp),
    Number(f64),
}

impl SampleValue {
    pub(super) fn push_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Count(count) => push_count(out, count),
            Self::Moment(moment) => push_moment(out, moment),
            Self::Number(number) => push_number(out, number),
        }
    }
}

impl From<u64> for SampleValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for SampleValue {
    fn from(count: u32) -> Self {
        Self::Count(u64::from(count))
    }
}

impl From<bool> for SampleValue {
    fn from(yes: bool) -> Self {
        Self::Count(u64::from(yes))
    }
}

impl From<Timestamp> for SampleValue {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

impl From<f64> for SampleValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for SampleValue {
    fn from(span: Duration) -> Self {
        Self::Number(span.as_secs_f64())
    }
}

fn push_count(out: &mut Vec<u8>, count: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
}

/// Writes seconds from integer milliseconds: exact, and faster than by a float.
fn push_moment(out: &mut Vec<u8>, moment: Timestamp) {
    let millis = moment.as_millis();
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    push_count(out, millis / 1000);
    let fraction = millis % 1000;
    if fraction > 0 {
        out.push(b'.');
        // The leading 1 keeps the zeros before the first digit.
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(1000 + fraction)[1..].trim_end_matches('0');
        out.extend_from_slice(digits.as_bytes());
    }
}

/// Writes the shortest text that parses to the same number, as `Display` does.
fn push_number(out: &mut Vec<u8>, number: f64) {
    // Writing to a vector does not fail.
    let _ = match number {
        f64::INFINITY => out.write_all(b"+Inf"),
        f64::NEG_INFINITY => out.write_all(b"-Inf"),
        finite_or_nan => write!(out, "{finite_or_nan}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: impl Into<SampleValue>) -> String {
        let mut out = Vec::new();
        value.into().push_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_have_a_fraction_only_if_it_is_not_zero() {
        for (millis, text) in [
            (0, "0"),
            (1_775_370_000_000, "1775370000"),
            (1_775_370_000_066, "1775370000.066"),
            (1_775_370_000_250, "1775370000.25"),
            (7, "0.007"),
            (-1_500, "-1.5"),
            (i64::MAX, "9223372036854775.807"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(written(Timestamp::from_millis(millis)), text);
        }
    }

    #[test]
    fn numbers_are_short_and_parse_to_the_same_value() {
        assert_eq!(written(u64::MAX), "18446744073709551615");
        assert_eq!(written(Duration::from_millis(184)), "0.184");
        assert_eq!(written(Duration::from_secs(3)), "3");
        assert_eq!(written(Duration::from_nanos(1)), "0.000000001");
        assert_eq!(written(SampleValue::Number(f64::INFINITY)), "+Inf");
        assert_eq!(written(SampleValue::Number(f64::NEG_INFINITY)), "-Inf");
        assert_eq!(written(SampleValue::Number(-f64::NAN)), "NaN");
        for number in [f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2] {
            assert_eq!(written(SampleValue::Number(number)).parse(), Ok(number));
        }
    }
}
