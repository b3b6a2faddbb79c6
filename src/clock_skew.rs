//! The difference between Twilio's clock and this machine's. Twilio's time is known from the `Date` header, so smaller
//! differences than its resolution count as none.

use std::fmt;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// Smaller differences count as none: an HTTP date has whole seconds, and a response takes some time.
const RESOLUTION: Duration = Duration::from_secs(2);
/// A clock that differs from Twilio's by more makes operations expire too early or too late.
const WRONG: Duration = Duration::from_hours(1);

/// The server's time minus ours. Positive if this machine's clock is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockSkew {
    /// In milliseconds.
    millis: i64,
}

impl ClockSkew {
    /// The skew when the server's clock is at `theirs` and this machine's at `ours`.
    #[must_use]
    pub const fn between(theirs: Timestamp, ours: Timestamp) -> Self {
        Self {
            millis: theirs.as_millis().saturating_sub(ours.as_millis()),
        }
    }

    /// The server's time when this machine's is `ours`. A skew of at most `RESOLUTION` counts as none.
    #[must_use]
    pub fn apply(self, ours: Timestamp) -> Timestamp {
        if self.span() <= RESOLUTION {
            ours
        } else if self.millis < 0 {
            ours - self.span()
        } else {
            ours + self.span()
        }
    }

    /// Whether the difference is so large that operations expire too early or too late.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        self.span() > WRONG
    }

    /// In seconds, negative if this machine's clock is ahead.
    #[must_use]
    pub fn as_seconds(self) -> f64 {
        self.millis as f64 / 1000.0
    }

    /// The absolute difference.
    #[must_use]
    pub const fn span(self) -> Duration {
        Duration::from_millis(self.millis.unsigned_abs())
    }
}

/// `2h 5m ahead of Twilio's`.
impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.span().as_secs() / 60;
        let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
        if days > 0 {
            write!(f, "{days}d {hours}h")?;
        } else {
            write!(f, "{hours}h {minutes}m")?;
        }
        f.write_str(if self.millis < 0 {
            " ahead of Twilio's"
        } else {
            " behind Twilio's"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_775_390_400_000);

    #[test]
    fn the_skew_is_the_servers_time_minus_this_machines() {
        let ahead = ClockSkew::between(NOON, NOON + Duration::from_hours(8 * 24 + 1));
        assert_eq!(ahead.to_string(), "8d 1h ahead of Twilio's");
        assert!(ahead.as_seconds() < 0.0);
        let behind = ClockSkew::between(NOON + Duration::from_mins(125), NOON);
        assert_eq!(behind.to_string(), "2h 5m behind Twilio's");
        assert!((behind.as_seconds() - 7500.0).abs() < 1e-9);
        assert_eq!(behind.span(), Duration::from_mins(125));
        assert_eq!(behind.apply(NOON), NOON + Duration::from_mins(125));
        assert_eq!(ahead.apply(NOON), NOON - Duration::from_hours(8 * 24 + 1));
        let close = ClockSkew::between(NOON, NOON + Duration::from_millis(900));
        assert_eq!(close.apply(NOON), NOON);
    }
}
