//! When to read an operation again: a function of its history.

use std::time::Duration;

/// As for the exporter's collections: the interval is this share of the time since the last change.
const SHARE: u32 = 10;
/// The longest interval: a person waits for the end, so it is shorter than that of collections.
const LONGEST: Duration = Duration::from_mins(1);

/// The wait after a read of an operation that last changed `idle` ago.
pub(super) fn after_read(interval: Duration, idle: Duration) -> Duration {
    (idle / SHARE).clamp(interval, LONGEST.max(interval))
}

/// The wait after the `failures`th failure in a row.
pub(super) fn after_failure(interval: Duration, failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1));
    let wait = interval.saturating_mul(doubled.unwrap_or(u32::MAX));
    wait.min(LONGEST.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    #[test]
    fn the_longer_an_operation_is_idle_the_less_often_it_is_read() {
        let wait = |idle| after_read(INTERVAL, Duration::from_secs(idle)).as_secs();
        assert_eq!([0, 50, 100, 600, 86_400].map(wait), [5, 5, 10, 60, 60]);
        let slow = Duration::from_mins(5);
        assert_eq!(after_read(slow, Duration::from_hours(9)), slow);
    }

    #[test]
    fn each_failure_in_a_row_doubles_the_wait_up_to_a_minute() {
        let wait = |failures| after_failure(INTERVAL, failures).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 99].map(wait), [5, 10, 20, 40, 60, 60]);
    }
}
