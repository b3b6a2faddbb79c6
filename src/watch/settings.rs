//! The settings of a watch: the operations, the goal, and the share of lost emails that is a failure. They come from the command
//! line, and tests set them directly.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::operation::{OperationId, Sums};

/// What `watch` does.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The operations, each once.
    pub operations: Vec<OperationId>,
    /// When an operation is done.
    pub goal: Goal,
    /// The share of lost emails above which the watch fails.
    pub fail_above: Option<LostShare>,
    /// The longest time for all operations together.
    pub timeout: Option<Duration>,
    /// The shortest time between two reads of one operation.
    pub interval: Duration,
}

/// When an operation is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Goal {
    /// Twilio has processed it (`COMPLETED`) or it was canceled. Emails may still be in flight.
    Completed,
    /// It is completed or canceled, and none of its emails is in flight. Only opens still change its stats.
    #[default]
    Settled,
}

impl Goal {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Settled => "settled",
        }
    }
}

/// Before an operation is done, its share of lost emails counts only from this many finished emails on: the first emails to finish are
/// often refused addresses, because a refusal takes less time than a delivery.
const FEWEST_FINISHED: u64 = 100;

/// A share of lost emails among the finished ones, such as `5%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LostShare {
    percent: f64,
}

/// The text is not a share in percent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LostShareError {
    /// A number without the sign.
    #[error("expected a percentage such as 5% or 0.5%; write the sign %, 0.05 is 5%")]
    Sign,
    /// No number before the sign, or one outside the range.
    #[error("expected a percentage from 0% to 100%, such as 5% or 0.5%")]
    Number,
}

impl FromStr for LostShare {
    type Err = LostShareError;

    fn from_str(text: &str) -> Result<Self, LostShareError> {
        let number = text.trim().strip_suffix('%').ok_or(LostShareError::Sign)?;
        // `parse` accepts `inf`, `1e1` and `+5`, too.
        let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
        let percent = number.parse().ok().filter(|_| is_plain);
        let percent = percent.filter(|percent| (0.0..=100.0).contains(percent));
        percent
            .map(|percent| Self { percent })
            .ok_or(LostShareError::Number)
    }
}

impl fmt::Display for LostShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent)
    }
}

impl LostShare {
    /// Whether more emails than this share are lost. Before the operation `is_done`, only if enough emails are finished.
    #[must_use]
    pub fn is_exceeded(self, sums: &Sums, is_done: bool) -> bool {
        // Not by the share, whose rounding would decide about exactly 5%.
        let is_above = sums.lost as f64 * 100.0 > self.percent * sums.finished as f64;
        is_above && (is_done || sums.finished >= FEWEST_FINISHED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Breakdown, CountingMode, Status};

    fn sums(delivered: u64, failed: u64) -> Sums {
        let at = |status| match status {
            Status::Delivered => delivered,
            Status::Failed => failed,
            _ => 0,
        };
        Breakdown::of_counts(at, CountingMode::Exclusive).sums()
    }

    #[test]
    fn a_share_is_a_number_with_the_sign_and_nothing_else() {
        for (text, shown) in [
            ("5%", "5%"),
            (" 0.5% ", "0.5%"),
            ("100%", "100%"),
            ("0%", "0%"),
        ] {
            assert_eq!(text.parse::<LostShare>().unwrap().to_string(), shown);
        }
        for text in ["5", "0.05", "", "five"] {
            assert_eq!(
                text.parse::<LostShare>(),
                Err(LostShareError::Sign),
                "{text}"
            );
        }
        for text in [
            "%", "-1%", "101%", "1e1%", "inf%", "NaN%", "+5%", "5 %", "5%%", ".",
        ] {
            assert!(text.parse::<LostShare>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_exceeded_only_above_it() {
        let share: LostShare = "5%".parse().unwrap();
        assert!(!share.is_exceeded(&sums(95, 5), true));
        assert!(share.is_exceeded(&sums(94, 6), true));
        let none: LostShare = "0%".parse().unwrap();
        assert!(!none.is_exceeded(&sums(9, 0), true));
        assert!(!none.is_exceeded(&sums(0, 0), true));
        assert!(none.is_exceeded(&sums(999, 1), true));
        let all: LostShare = "100%".parse().unwrap();
        assert!(!all.is_exceeded(&sums(0, 9), true));
    }

    #[test]
    fn before_the_end_few_finished_emails_decide_nothing() {
        let share: LostShare = "5%".parse().unwrap();
        assert!(!share.is_exceeded(&sums(0, 99), false));
        assert!(share.is_exceeded(&sums(0, 99), true));
        assert!(share.is_exceeded(&sums(0, 100), false));
        assert!(!share.is_exceeded(&sums(95, 5), false));
    }
}
