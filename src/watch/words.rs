//! Numbers and spans for people.

use std::time::Duration;

use indicatif::{HumanCount, HumanFloatCount};

/// A number with thousands separators: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A share in percent: `0.5%`. Never 0% or 100% unless it is exactly that.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "<0.1%".to_owned()
    } else if percent > 99.9 && percent < 100.0 {
        ">99.9%".to_owned()
    } else if percent == 0.0 || percent >= 100.0 {
        format!("{percent:.0}%")
    } else {
        format!("{percent:.1}%")
    }
}

/// A span in its two largest units: `1h 5m`, `1m 10s`, `3s`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let seconds = seconds % 60;
    let parts = match (days, hours, minutes) {
        (0, 0, 0) => return format!("{seconds}s"),
        (0, 0, _) => [(minutes, 'm'), (seconds, 's')],
        (0, _, _) => [(hours, 'h'), (minutes, 'm')],
        _ => [(days, 'd'), (hours, 'h')],
    };
    match parts {
        [(large, unit), (0, _)] => format!("{large}{unit}"),
        [(large, unit), (small, smaller)] => format!("{large}{unit} {small}{smaller}"),
    }
}

/// A rate: `12.3 emails/s`, `120 emails/s`.
pub(super) fn rate(emails_per_second: f64) -> String {
    let rate = emails_per_second;
    if rate > 0.0 && rate < 0.1 {
        "<0.1 emails/s".to_owned()
    } else if rate == 0.0 || rate >= 99.95 {
        format!("{:.0} emails/s", HumanFloatCount(rate.round()))
    } else {
        format!("{rate:.1} emails/s")
    }
}

/// The emails of an operation: `1 email`, `2,000 emails`.
pub(super) fn emails(number: u64) -> String {
    let noun = if number == 1 { "email" } else { "emails" };
    format!("{} {noun}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_a_person_writes_them() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(emails(1), "1 email");
        assert_eq!(emails(0), "0 emails");
        let shares = [0.0, 0.0004, 0.0123, 0.5, 0.9999, 1.0].map(percent);
        assert_eq!(shares, ["0%", "<0.1%", "1.2%", "50.0%", ">99.9%", "100%"]);
        let rates = [0.0, 0.01, 1.25, 99.94, 1234.5].map(rate);
        let expected = ["0", "<0.1", "1.2", "99.9", "1,235"].map(|n| format!("{n} emails/s"));
        assert_eq!(rates, expected);
    }

    #[test]
    fn a_span_has_at_most_two_units() {
        let shown =
            [0, 59, 60, 70, 3600, 3660, 86_400, 90_000].map(|s| span(Duration::from_secs(s)));
        assert_eq!(
            shown,
            ["0s", "59s", "1m", "1m 10s", "1h", "1h 1m", "1d", "1d 1h"]
        );
    }
}
