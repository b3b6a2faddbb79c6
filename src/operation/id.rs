//! The id of an operation: parsed once, small, and sorted by creation time.
//!
//! Twilio documents the pattern `^comms_operation_[0-7][a-hjkmnpqrstv-z0-9]{25,34}`: a ULID in lower case
//! (<https://www.twilio.com/docs/email/api/email-operation-resource>). Its first ten characters are the time of creation in
//! milliseconds, so no request is needed to know it.

use std::fmt;
use std::str::FromStr;

use crate::timestamp::Timestamp;

/// The prefix of the ULID in every operation id.
pub const PREFIX: &str = "comms_operation_";

/// Crockford's base 32 in lower case; its order is the order of the bytes.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The value of each byte as a character of [`ALPHABET`]; [`NO_DIGIT`] for all others.
const DIGITS: [u8; 256] = digits();
const NO_DIGIT: u8 = 0xff;
/// Eight characters have the bits of five bytes.
const GROUP: (usize, usize) = (8, 5);
/// The shortest and the longest ULID part that Twilio documents.
const LENGTHS: std::ops::RangeInclusive<usize> = 26..=35;
/// 35 characters of 5 bits.
const PACKED: usize = 22;
/// The number of leading characters that contain the time.
const TIME_CHARACTERS: u32 = 10;

/// The id of one Email operation.
///
/// It is kept as bits, not as text (23 bytes without an allocation), because one account can have millions. Ids sort like their
/// texts, and therefore by creation time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId {
    /// Five bits a character, the first one highest; the rest is zero.
    bits: [u8; PACKED],
    /// Characters after [`PREFIX`].
    length: u8,
}

/// Why a text is not an operation id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Some other kind of id, or none at all.
    #[error("an operation id starts with `{PREFIX}`")]
    Prefix,
    /// Too short or too long.
    #[error("an operation id has 26 to 35 characters after `{PREFIX}`, this one has {0}")]
    Length(usize),
    /// A character that base 32 does not have.
    #[error(
        "character {position} after `{PREFIX}` must be 0-9 or a lower-case letter other than i, l, o and u"
    )]
    Character {
        /// Counted from 1.
        position: usize,
    },
    /// The time does not fit 48 bits.
    #[error("the first character after `{PREFIX}` must be 0 to 7")]
    Time,
}

const fn digits() -> [u8; 256] {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while (value as usize) < ALPHABET.len() {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
}

impl OperationId {
    /// The length of [`Self::to_bytes`].
    pub const BYTES: usize = PACKED + 1;

    /// Parses the text of an id, which may be any bytes.
    pub fn parse(text: &[u8]) -> Result<Self, IdError> {
        let ulid = text
            .strip_prefix(PREFIX.as_bytes())
            .ok_or(IdError::Prefix)?;
        if !LENGTHS.contains(&ulid.len()) {
            return Err(IdError::Length(ulid.len()));
        }
        let mut bits = [0; PACKED];
        let groups = ulid.chunks(GROUP.0).zip(bits.chunks_mut(GROUP.1));
        for (at, (characters, bytes)) in groups.enumerate() {
            let mut group = 0_u64;
            for (behind, character) in characters.iter().enumerate() {
                let value = DIGITS[usize::from(*character)];
                if value == NO_DIGIT {
                    let position = at * GROUP.0 + behind + 1;
                    return Err(IdError::Character { position });
                }
                group = group << 5 | u64::from(value);
            }
            group <<= 5 * (GROUP.0 - characters.len());
            let [_, _, _, group @ ..] = group.to_be_bytes();
            let length = bytes.len();
            bytes.copy_from_slice(&group[..length]);
        }
        let length = u8::try_from(ulid.len()).unwrap_or(u8::MAX);
        let id = Self { bits, length };
        if id.digit(0) > 7 {
            return Err(IdError::Time);
        }
        Ok(id)
    }

    /// The time of creation in the id.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        let mut first = [0; 8];
        first.copy_from_slice(&self.bits[..8]);
        // The first digit is at most 7, so that the time has 48 bits.
        let millis = u64::from_be_bytes(first) >> (u64::BITS - TIME_CHARACTERS * 5);
        Timestamp::from_millis(millis.cast_signed())
    }

    /// The id as bytes, in the order of ids; [`Self::from_bytes`] reads it back.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..PACKED].copy_from_slice(&self.bits);
        bytes[PACKED] = self.length;
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` for other bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let [bits @ .., length] = bytes;
        let id = Self { bits, length };
        // Accepts only bits that a valid text produces. It does not parse text, because the exporter reads a million ids at the start.
        let characters = usize::from(length);
        let rest_is_zero =
            || (characters * 5..PACKED * 8).all(|bit| bits[bit / 8] & (0x80 >> (bit % 8)) == 0);
        (LENGTHS.contains(&characters) && id.digit(0) <= 7 && rest_is_zero()).then_some(id)
    }

    /// Appends the id's text to `out`.
    pub fn push_to(&self, out: &mut String) {
        out.push_str(PREFIX);
        for at in 0..usize::from(self.length).min(*LENGTHS.end()) {
            out.push(char::from(ALPHABET[usize::from(self.digit(at))]));
        }
    }

    /// The value, 0 to 31, of the character at `at`.
    fn digit(&self, at: usize) -> u8 {
        let bit = at * 5;
        let high = u16::from(self.bits[bit / 8]) << 8;
        let low = u16::from(self.bits.get(bit / 8 + 1).copied().unwrap_or(0));
        ((high | low) >> (11 - bit % 8) & 31) as u8
    }
}

impl FromStr for OperationId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(PREFIX.len() + usize::from(self.length));
        self.push_to(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";

    #[test]
    fn the_documented_sample_round_trips_and_contains_its_time() {
        let id: OperationId = SAMPLE.parse().unwrap();
        assert_eq!(id.to_string(), SAMPLE);
        assert_eq!(id.created().to_string(), "2023-06-14T16:40:03.066Z");
    }

    #[test]
    fn each_kind_of_invalid_id_has_its_error() {
        let wrong = [
            ("", IdError::Prefix),
            ("comms_email_01h2xcejqtf2nbrexx3vqjhp41", IdError::Prefix),
            (
                "comms_operation_01h2xcejqtf2nbrexx3vqjhp4",
                IdError::Length(25),
            ),
            (
                "comms_operation_01h2xcejqtf2nbrexx3vqjhp412345678901",
                IdError::Length(36),
            ),
            (
                "comms_operation_01h2xcejqtf2nbrexx3vqjhp4u",
                IdError::Character { position: 26 },
            ),
            (
                "comms_operation_01H2xcejqtf2nbrexx3vqjhp41",
                IdError::Character { position: 3 },
            ),
            ("comms_operation_81h2xcejqtf2nbrexx3vqjhp41", IdError::Time),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<OperationId>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn ids_stay_small() {
        assert_eq!(size_of::<OperationId>(), 23);
    }

    proptest! {
        #[test]
        fn every_valid_text_round_trips(ulid in "[0-7][0-9a-hjkmnp-tv-z]{25,34}") {
            let text = format!("{PREFIX}{ulid}");
            let id: OperationId = text.parse().unwrap();
            prop_assert_eq!(OperationId::from_bytes(id.to_bytes()), Some(id));
            prop_assert_eq!(id.to_string(), text);
        }

        #[test]
        fn order_is_the_order_of_the_text(a in "[0-7][0-9a-hjkmnp-tv-z]{25,34}", b in "[0-7][0-9a-hjkmnp-tv-z]{25,34}") {
            let (x, y) = (format!("{PREFIX}{a}"), format!("{PREFIX}{b}"));
            prop_assert_eq!(x.parse::<OperationId>().unwrap().cmp(&y.parse().unwrap()), x.cmp(&y));
        }

        #[test]
        fn bytes_are_rejected_unless_a_valid_id_has_them(bytes in any::<[u8; PACKED + 1]>()) {
            if let Some(id) = OperationId::from_bytes(bytes) {
                prop_assert_eq!(id.to_string().parse(), Ok(id));
            }
        }

        #[test]
        fn no_text_panics(text in "(comms_operation_)?.{0,40}") {
            let _ = text.parse::<OperationId>();
        }
    }
}
