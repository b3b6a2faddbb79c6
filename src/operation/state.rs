//! The state of an operation.

use super::word::Word;

/// Where an operation stands
/// (<https://www.twilio.com/docs/email/api/email-operation-resource>). There is no "failed": emails fail, operations do not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationState {
    /// To be sent later.
    Scheduled,
    /// Emails are being made and sent.
    Processing,
    /// Everything has been processed; deliveries, bounces and opens still arrive.
    Completed,
    /// Called off.
    Canceled,
    /// A state that Twilio has and this exporter does not know.
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

    /// Reads Twilio's word in any case, `CANCELLED` and space around it included; an unknown one is kept as it is.
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

    /// Whether Twilio's text was no word that can be shown.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.as_str() == Word::UNREADABLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_either_spelling_is_known() {
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
    fn an_unknown_state_stays_as_it_is() {
        assert_eq!(OperationState::parse("PAUSED").as_str(), "PAUSED");
        assert!(!OperationState::parse("PAUSED").is_unreadable());
        for text in ["", "Jane Doe", "jane@example.com"] {
            assert!(OperationState::parse(text).is_unreadable(), "{text}");
        }
    }
}
