//! Durations as Go writes them, which the exporter-toolkit reads: `1s`, `1m30s`, `1.5s`, `250us`. A number without a unit is in
//! nanoseconds.
//!
//! Prometheus' own durations, as in the rest of the configuration, have neither fractions nor units below a millisecond, so this is
//! another grammar (<https://pkg.go.dev/time#ParseDuration>).

use std::time::Duration;

/// The units in nanoseconds. Of two that begin alike the longer one comes first.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    // The micro sign and the Greek letter.
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];
/// The longest text: all units with six digits each.
const LONGEST: usize = 64;

/// The text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a duration that is not negative, such as 1s, 250ms or 1m30s; 0 turns the limit off"
)]
pub(super) struct GoDurationError;

pub(super) fn parse(text: &str) -> Result<Duration, GoDurationError> {
    if text.len() > LONGEST || text.is_empty() {
        return Err(GoDurationError);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let nanoseconds = text.parse().map_err(|_| GoDurationError)?;
        return Ok(Duration::from_nanos(nanoseconds));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(GoDurationError);
        }
        let number: f64 = number.parse().map_err(|_| GoDurationError)?;
        let unit = UNITS.iter().find(|(unit, _)| {
            let after = after.strip_prefix(unit);
            after.is_some_and(|after| !after.starts_with(char::is_alphabetic))
        });
        let (unit, nanoseconds) = unit.ok_or(GoDurationError)?;
        let part = Duration::try_from_secs_f64(number * nanoseconds / 1e9);
        sum = part
            .ok()
            .and_then(|part| sum.checked_add(part))
            .ok_or(GoDurationError)?;
        rest = &after[unit.len()..];
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_durations_are_read() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("1", 1),
            ("1000000000", 1_000_000_000),
            ("0s", 0),
            ("1s", 1_000_000_000),
            ("+1s", 1_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h", 3_600_000_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("250μs", 250_000),
            ("7ns", 7),
            ("1s1s", 2_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_errors() {
        let long = "1s".repeat(40);
        for text in [
            "",
            "-1s",
            "-1",
            "s",
            "1d",
            "1 s",
            "1sec",
            ".s",
            "1..s",
            "1e3s",
            "inf",
            "é",
            &long,
            "99999999999999999999",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(text), Err(GoDurationError), "{text}");
        }
    }
}
