//! Ids in Twilio's format: a prefix, then a ULID in lower case. A ULID has 10 characters of time and 16 random ones, in base 32.

use crate::operation::{OperationId, PREFIX};
use crate::timestamp::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARACTERS: usize = 10;
const CHANCE_CHARACTERS: usize = 16;
/// A ULID's time has 48 bits, so the first character never exceeds 7.
const LATEST: i64 = (1 << 48) - 1;
/// Sixteen characters of five bits.
pub(super) const CHANCE_BITS: u32 = 80;

/// A valid id of an operation created at `created`; only the lower 80 bits of `random` count.
///
/// Times before 1970 become 1970, and times beyond a ULID's 48 bits its latest time.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "the text is valid by construction, as the property test shows"
)]
pub fn operation_id(created: Timestamp, random: u128) -> OperationId {
    operation_text(created.as_millis(), random)
        .parse()
        .expect("ten characters of 48 bits and sixteen of base 32 are an id")
}

/// The text of [`operation_id`].
pub(super) fn operation_text(created: i64, random: u128) -> String {
    text(PREFIX, created, random)
}

/// The id of an email.
pub(super) fn email_text(created: i64, random: u128) -> String {
    text("comms_email_", created, random)
}

fn text(prefix: &str, created: i64, random: u128) -> String {
    let mut out = String::with_capacity(prefix.len() + TIME_CHARACTERS + CHANCE_CHARACTERS);
    out.push_str(prefix);
    let time = u128::from(created.clamp(0, LATEST).unsigned_abs());
    for (value, characters) in [(time, TIME_CHARACTERS), (random, CHANCE_CHARACTERS)] {
        for at in (0..characters).rev() {
            out.push(char::from(ALPHABET[(value >> (5 * at) & 31) as usize]));
        }
    }
    out
}

/// The position of an operation in the account: by creation time, then by the random part of its id.
///
/// It is the order of lists and the content of page tokens, so that new operations do not shift pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct OperationPosition {
    /// Milliseconds since 1970.
    pub(super) created: i64,
    /// The 80 random bits of the id.
    pub(super) chance: u128,
}

impl OperationPosition {
    /// The position of the operation with this id; `None` if the text is not an id.
    pub(super) fn of(id: &str) -> Option<Self> {
        let id: OperationId = id.parse().ok()?;
        let text = id.to_string();
        let characters = text.strip_prefix(PREFIX)?.as_bytes();
        if characters.len() != TIME_CHARACTERS + CHANCE_CHARACTERS {
            return None;
        }
        let chance = characters[TIME_CHARACTERS..].iter().fold(0, |bits, c| {
            bits << 5 | ALPHABET.binary_search(c).unwrap_or(0) as u128
        });
        Some(Self {
            created: id.created().as_millis(),
            chance,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_are_valid_and_contain_their_time(created in any::<i64>(), random in any::<u128>()) {
            let id = operation_id(Timestamp::from_millis(created), random);
            prop_assert_eq!(id.created().as_millis(), created.clamp(0, LATEST));
            let position = OperationPosition::of(&id.to_string()).unwrap();
            prop_assert_eq!(position.chance, random & ((1 << CHANCE_BITS) - 1));
        }
    }
}
