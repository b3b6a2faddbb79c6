//! Parses one value of `stats`: a count in any notation, nothing, or an invalid value.

use crate::operation::MOST_EMAILS;

/// A parsed value of `stats`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatValue {
    /// A whole number, not below 0 and not above [`MOST_EMAILS`].
    Count(u32),
    /// `null`: no value.
    Missing,
    /// Anything else: below 0, with a fraction, above the limit, or no number. Any count in its place would be invented.
    Impossible,
}

impl StatValue {
    /// Parses one JSON value. Digits in quotes, `7.0` and `1e3` are numbers too.
    pub(super) fn read(json: &str) -> Self {
        if json == "null" {
            return Self::Missing;
        }
        let quoted = json
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let text = quoted.map_or(json, str::trim);
        match count(text) {
            Some(count) if count <= MOST_EMAILS => Self::Count(count),
            _ => Self::Impossible,
        }
    }
}

fn count(text: &str) -> Option<u32> {
    if let Ok(count) = text.parse::<u32>() {
        return Some(count);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return None;
    }
    let number = text.parse::<f64>().ok()?;
    let is_count = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds of the type"
    )]
    is_count.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_parsed_in_any_notation() {
        for (json, count) in [
            ("7", 7),
            ("0", 0),
            ("-0", 0),
            ("7.0", 7),
            ("1e3", 1000),
            ("\"12\"", 12),
            ("\" 12 \"", 12),
            ("10001", 10_001),
            ("100000000", MOST_EMAILS),
        ] {
            assert_eq!(StatValue::read(json), StatValue::Count(count), "{json}");
        }
    }

    #[test]
    fn a_value_that_is_no_count_is_invalid() {
        for json in [
            "100000001",
            "4294967295",
            "4294967296",
            "1e19",
            "1e999",
            "99999999999999999999",
            "-1",
            "-0.5",
            "7.9",
            "true",
            "false",
            "\"\"",
            "\"many\"",
            "\"0x5\"",
            "\"inf\"",
            "\"NaN\"",
            "\"-3\"",
            "NaN",
            "[]",
            "{}",
            "[7]",
        ] {
            assert_eq!(StatValue::read(json), StatValue::Impossible, "{json}");
        }
        assert_eq!(StatValue::read("null"), StatValue::Missing);
    }
}
