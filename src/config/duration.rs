//! Durations in the format of Prometheus: `500ms`, `0.5s`, `1h30m`.
//!
//! This is our own code, because the crates for durations accept other grammars, for example `1 hour` or `90m 30s`. Users expect
//! Prometheus' grammar.

use std::time::Duration;

/// The units in seconds, largest first, which is their order in a duration.
const UNITS: [(&str, f64); 7] = [
    ("y", 365.0 * 86_400.0),
    ("w", 7.0 * 86_400.0),
    ("d", 86_400.0),
    ("h", 3_600.0),
    ("m", 60.0),
    ("s", 1.0),
    ("ms", 0.001),
];

/// The text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration such as 500ms, 0.5s, 1m or 1h30m")]
pub struct DurationError;

/// Reads a duration: numbers with their units, the larger unit first, each at most once; `0` needs none.
///
/// Unlike in Prometheus, numbers may have a fraction, since `--scrape.timeout-offset` is usually half a second.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut units) = (text, &UNITS[..]);
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| c.is_ascii_alphabetic());
        let at = units
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or(DurationError)?;
        let number = if number.starts_with('.') || number.ends_with('.') {
            ""
        } else {
            number
        };
        let number: f64 = number.parse().map_err(|_| DurationError)?;
        let part = Duration::try_from_secs_f64(number * units[at].1).map_err(|_| DurationError)?;
        sum = sum.checked_add(part).ok_or(DurationError)?;
        (rest, units) = (after, &units[at + 1..]);
    }
    if text.is_empty() {
        Err(DurationError)
    } else {
        Ok(sum)
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_unit_and_their_sum() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("1ms", 1),
            ("500ms", 500),
            ("0.5s", 500),
            ("1m", 60_000),
            ("1h30m", 5_400_000),
            ("1m0.25s", 60_250),
            ("1y1w1d1h1m1s1ms", 32_230_861_001),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "1",
            "s",
            "0.5",
            "-1s",
            "1S",
            "1.s",
            ".5s",
            "1.2.3s",
            "1s1m",
            "1s1s",
            "1 s",
            "1s ",
            "1µs",
            "1e3s",
            "99999999999999999999999y",
        ] {
            assert_eq!(parse(text), Err(DurationError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9.a-z é]{0,20}") {
            let _ = parse(&text);
        }
    }
}
