//! One figure of `stats`: a count, however it is written.

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A count, or nothing where there is no number.
///
/// Twilio documents integers. A fraction is cut off and a negative number is 0: both are nonsense for a count of emails,
/// and the nearest lower count never raises an alarm of its own making. Digits in quotes are a number all the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figure(pub(super) Option<u32>);

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(count(raw.trim_matches('"'))))
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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, which is what is wanted"
    )]
    Some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<u32> {
        serde_json::from_str::<Figure>(json).unwrap().0
    }

    #[test]
    fn any_spelling_of_a_count_is_read() {
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("7.0"), Some(7));
        assert_eq!(read("7.9"), Some(7));
        assert_eq!(read("1e3"), Some(1000));
        assert_eq!(read("\"12\""), Some(12));
        assert_eq!(read("-3"), Some(0));
        assert_eq!(read("99999999999999999999"), Some(u32::MAX));
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        for json in [
            "null", "true", "\"\"", "\"many\"", "\"inf\"", "\"NaN\"", "[]", "{}",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
