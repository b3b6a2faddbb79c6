//! An undocumented word of Twilio's, safe to expose.

use std::fmt;
use std::sync::Arc;

/// The longest undocumented word that is kept; Twilio's documented ones have at most a dozen characters.
const LONGEST: usize = 64;

/// An undocumented state, or the name of an undocumented stat, as Twilio returned it.
///
/// Twilio's vocabularies are open sets, so such a word becomes a label's value. It contains only letters, digits, `_`, `-`, `.` and
/// `:`, so it cannot be an address or a person's full name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(Arc<str>);

impl Word {
    /// Replaces a word that must not be exposed.
    pub const UNREADABLE: &str = "unreadable";
    /// Replaces all words beyond the limit.
    pub const OTHER: &str = "other";

    /// `text` as it is, or [`Word::UNREADABLE`] if it must not be exposed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let fit = !text.is_empty() && text.len() <= LONGEST && text.chars().all(plain);
        Self(Arc::from(if fit { text } else { Self::UNREADABLE }))
    }

    /// The word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_kept_and_others_are_unreadable() {
        for plain in ["PAUSED", "on-hold", "soft_bounced", "v2.late-open:x"] {
            assert_eq!(Word::new(plain).as_str(), plain);
        }
        for other in [
            "",
            "Jane Doe",
            "on hold",
            "jane@example.com",
            "a\nb",
            "\"",
            "é",
            &"x".repeat(65),
        ] {
            assert_eq!(Word::new(other).as_str(), Word::UNREADABLE, "{other:?}");
        }
    }
}
