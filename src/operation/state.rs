//! The state of an operation. An undocumented state keeps Twilio's word.

use super::word::Word;

/// The `status` of an operation (<https://www.twilio.com/docs/email/api/email-operation-resource>). There is no "failed": emails
/// fail, operations do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationState {
    /// To be sent later.
    Scheduled,
    /// Twilio creates and sends emails.
    Processing,
    /// Twilio has processed everything; deliveries, bounces and opens still change the stats.
    Completed,
    /// Canceled.
    Canceled,
    /// An undocumented state.
    Other(Word),
}

impl OperationState {
    /// The states that Twilio documents.
    pub const KNOWN: [Self; 4] = [
        Self::Scheduled,
        Self::Processing,
        Self::Completed,
        Self::Canceled,
    ];

    /// Parses Twilio's word in any case, including `CANCELLED` and surrounding space. An unknown word is kept as it is.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let known = Self::KNOWN
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(text));
        match known {
            Some(state) => state,
            None if text.eq_ignore_ascii_case("cancelled") => Self::Canceled,
            None => Self::Other(Word::new(text)),
        }
    }

    /// The value of the `state` label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Other(word) => word.as_str(),
        }
    }

    /// Whether Twilio's text is no word that may be exposed.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.as_str() == Word::UNREADABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_parsed_in_any_case_and_both_spellings() {
        assert_eq!(
            OperationState::parse("PROCESSING"),
            OperationState::Processing
        );
        assert_eq!(
            OperationState::parse("completed"),
            OperationState::Completed
        );
        assert_eq!(OperationState::parse("Cancelled"), OperationState::Canceled);
        assert_eq!(OperationState::parse("CANCELED"), OperationState::Canceled);
        assert_eq!(
            OperationState::parse(" processing\n"),
            OperationState::Processing
        );
    }

    #[test]
    fn an_undocumented_state_keeps_its_word() {
        assert_eq!(OperationState::parse("PAUSED").as_str(), "PAUSED");
        assert!(!OperationState::parse("PAUSED").is_unreadable());
        for text in ["", "Jane Doe", "jane@example.com"] {
            assert!(OperationState::parse(text).is_unreadable(), "{text}");
        }
    }
}
