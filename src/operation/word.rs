//! A word of Twilio's that this exporter does not know, safe to show.

use std::fmt;
use std::sync::Arc;

/// The longest unknown word that is kept; Twilio's own are a dozen characters.
const LONGEST: usize = 64;

/// An unknown state or the name of an unknown stat, as Twilio wrote it.
///
/// Twilio's vocabularies are open sets, so such a word becomes a label's value. Only letters, digits,
/// `_`, `-`, `.` and `:` are taken, so that nothing like an address or a person's full name can arrive on this way.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(Arc<str>);

impl Word {
    /// What stands for a word that is not fit to be shown.
    pub const UNREADABLE: &str = "unreadable";
    /// What stands for all words that are too many to have series of their own.
    pub const OTHER: &str = "other";

    /// Takes `text` as it is, or [`Word::UNREADABLE`] in its stead.
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
    fn plain_words_stay_and_others_are_hidden() {
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
