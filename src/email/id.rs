//! The id of an email, in 14 bytes: an account has millions of them in memory.
//!
//! Twilio's ids are a prefix and a ULID in lower case, whose first ten characters are the time of creation in milliseconds. The rest, 80
//! random bits, is reduced to 64. Two emails of one millisecond have the same id with a probability of 1 in 2^64.

use std::fmt;

use crate::timestamp::Timestamp;

/// The prefix of the ULID in every documented email id.
const PREFIX: &str = "comms_email_";
/// The longest id of any form. Documented ones have at most 47 characters.
const LONGEST: usize = 128;
/// Crockford's base 32 in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The shortest and the longest ULID part that Twilio documents for ids of operations.
const LENGTHS: std::ops::RangeInclusive<usize> = 26..=35;
/// The number of leading characters that contain the time.
const TIME_CHARACTERS: usize = 10;
/// The latest time that fits 48 bits, in milliseconds.
const LATEST: i64 = (1 << 48) - 1;
/// The bytes of the time.
const TIME_BYTES: usize = 6;
const BYTES: usize = 14;

/// The id of one email. Ids sort by creation time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailId([u8; BYTES]);

impl EmailId {
    /// Parses Twilio's text. An id of an undocumented form has no time in it, so it needs `created`, its `createdAt`.
    ///
    /// Returns `None` if the text can be no id, or has no time.
    #[must_use]
    pub fn parse(text: &str, created: Option<Timestamp>) -> Option<Self> {
        let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.' | b':');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(plain) {
            return None;
        }
        let text = text.to_ascii_lowercase();
        if let Some(ulid) = text.strip_prefix(PREFIX)
            && let Some(id) = Self::of_ulid(ulid.as_bytes())
        {
            return Some(id);
        }
        // `createdAt` may have a fraction in one response and none in another.
        let seconds = created?.as_millis().div_euclid(1000);
        let millis = seconds.checked_mul(1000)?;
        (0..=LATEST)
            .contains(&millis)
            .then(|| Self::new(millis.unsigned_abs(), hash(text.as_bytes())))
    }

    fn of_ulid(ulid: &[u8]) -> Option<Self> {
        if !LENGTHS.contains(&ulid.len()) {
            return None;
        }
        let digit = |character: &u8| {
            let digit = ALPHABET.binary_search(character).ok()?;
            u64::try_from(digit).ok()
        };
        let (time, rest) = ulid.split_at(TIME_CHARACTERS);
        let millis = time
            .iter()
            .try_fold(0_u64, |time, character| Some(time << 5 | digit(character)?))?;
        // The first sixteen bits of the random part are folded into the others, so that ids that differ by a count differ here, too.
        let random = rest.iter().try_fold(0_u64, |bits, character| {
            Some(bits.rotate_left(5) ^ digit(character)?)
        })?;
        (i64::try_from(millis).ok()? <= LATEST).then(|| Self::new(millis, random))
    }

    fn new(millis: u64, rest: u64) -> Self {
        let mut bytes = [0; BYTES];
        let time = millis.to_be_bytes();
        bytes[..TIME_BYTES].copy_from_slice(&time[time.len() - TIME_BYTES..]);
        bytes[TIME_BYTES..].copy_from_slice(&rest.to_be_bytes());
        Self(bytes)
    }

    /// The time of creation in the id.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        let millis = self.0[..TIME_BYTES]
            .iter()
            .fold(0_i64, |millis, byte| millis << 8 | i64::from(*byte));
        Timestamp::from_millis(millis)
    }

    /// The first possible id of this time: all ids of earlier times sort before it.
    #[must_use]
    pub fn first_at(time: Timestamp) -> Self {
        Self::new(time.as_millis().clamp(0, LATEST).unsigned_abs(), 0)
    }

    /// The id as bytes, in the order of ids.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; BYTES] {
        self.0
    }

    /// The id of which these are the bytes. Any bytes are an id.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }
}

/// FNV-1a, because the result is saved: the standard library's hash may change with its version.
fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl fmt::Debug for EmailId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "comms_email_01h2xcejqtf2nbrexx3vqjhp41";

    #[test]
    fn a_documented_id_contains_its_time_and_needs_no_other() {
        let id = EmailId::parse(SAMPLE, None).unwrap();
        assert_eq!(id.created().to_string(), "2023-06-14T16:40:03.066Z");
        let other_time = Some(id.created() + Duration::from_secs(9));
        assert_eq!(EmailId::parse(SAMPLE, other_time), Some(id));
        assert_eq!(EmailId::from_bytes(id.to_bytes()), id);
        assert_eq!(size_of::<EmailId>(), 14);
    }

    #[test]
    fn an_id_of_another_form_is_identified_by_its_text_and_the_second_of_its_creation() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        for text in [
            "comms_email_1",
            "0b9d8c1e-6a2f-4a57-9a11-2f3b6a1c9d10",
            "EM00000000000000000000000000000000",
            "comms_email_81h2xcejqtf2nbrexx3vqjhp41",
            "comms_operation_01h2xcejqtf2nbrexx3vqjhp41",
        ] {
            let id = EmailId::parse(text, at("2026-04-05T06:20:00Z")).unwrap();
            assert_eq!(
                EmailId::parse(text, at("2026-04-05T06:20:00.987Z")),
                Some(id)
            );
            assert_ne!(
                EmailId::parse(&format!("{text}0"), at("2026-04-05T06:20:00Z")),
                Some(id)
            );
            assert_eq!(EmailId::parse(text, None), None, "{text}");
        }
        let long = "x".repeat(LONGEST + 1);
        for no_id in ["", "jane@example.com", "Jane Doe", "\u{e9}", &long] {
            assert_eq!(EmailId::parse(no_id, at("2026-04-05T06:20:00Z")), None);
        }
    }

    #[test]
    fn ids_that_count_up_differ() {
        let mut seen = HashSet::new();
        for number in 0..100_000_u32 {
            let digit = |at: u32| char::from(ALPHABET[(number >> (5 * at) & 31) as usize]);
            let last: String = (0..4).rev().map(digit).collect();
            let id = EmailId::parse(&format!("comms_email_01h2xcejqtf2nbrexx3vqj{last}"), None);
            assert!(seen.insert(id.unwrap()));
        }
    }

    proptest! {
        #[test]
        fn ids_sort_by_creation(a in "[0-7][0-9a-hjkmnp-tv-z]{25,34}", b in "[0-7][0-9a-hjkmnp-tv-z]{25,34}") {
            let ids = [a, b].map(|ulid| EmailId::parse(&format!("{PREFIX}{ulid}"), None).unwrap());
            if ids[0].created() != ids[1].created() {
                prop_assert_eq!(ids[0] < ids[1], ids[0].created() < ids[1].created());
            }
            let first = EmailId::first_at(ids[0].created());
            prop_assert!(first <= ids[0] && (first > ids[1]) == (ids[0].created() > ids[1].created()));
        }

        #[test]
        fn no_text_panics(text in "(comms_email_)?.{0,40}", millis: Option<i64>) {
            let _ = EmailId::parse(&text, millis.map(Timestamp::from_millis));
        }
    }
}
