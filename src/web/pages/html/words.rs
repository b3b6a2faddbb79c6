//! Numbers, times and spans for people. A share is never shown as 0% or 100% unless it is exactly that.

use maud::{Markup, html};

use crate::timestamp::Timestamp;

/// A day, for a time of which the day matters.
const DAY_SECONDS: u64 = 86_400;

/// The same in milliseconds of a timestamp.
const DAY_MILLIS: i64 = 86_400_000;

/// A number with thousands separators: 1,234,567.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A span in the largest unit that is precise enough.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / DAY_SECONDS),
    }
}

/// A share in percent: never 0 % nor 100 % unless it is that exactly.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent > 99.9 && percent < 100.0 {
        "> 99.9 %".to_owned()
    } else if percent == 0.0 || percent >= 10.0 && percent.fract().abs() < 0.05 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// A page marks a share of lost emails above this. Below it, losses are usual: some addresses are always wrong.
const MANY_LOST: f64 = 0.05;

/// The class of a share of lost emails.
pub(super) fn class_of_lost(share: Option<f64>) -> &'static str {
    match share {
        Some(share) if share >= MANY_LOST => "bad",
        _ => "",
    }
}

/// `one` or `many` with their number.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", grouped(number))
}

/// A sentence in which backticks mark code.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // A single backtick marks nothing.
    let is_paired = parts.len() % 2 == 1;
    html! {
        @if is_paired {
            @for (at, part) in parts.iter().enumerate() {
                @if at % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else {
            (text)
        }
    }
}

/// A time of day, with the day if that is not today's.
pub(super) fn time(at: Timestamp, now: Timestamp) -> Markup {
    let is_today = at.as_millis().div_euclid(DAY_MILLIS) == now.as_millis().div_euclid(DAY_MILLIS);
    let text = if is_today {
        at.to_minute()
    } else {
        at.to_day_and_minute()
    };
    html! { time datetime=(at) { (text) } }
}

/// The time of day to the second.
pub(super) fn clock(now: Timestamp) -> Markup {
    html! { time datetime=(now) { (now.to_second()) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn spans_use_the_largest_unit_that_is_precise_enough() {
        assert_eq!(
            [119, 7199, 7200, 172_800].map(span),
            ["119 s", "119 min", "2 h", "2 days"]
        );
    }

    #[test]
    fn a_share_is_nothing_or_everything_only_if_it_is() {
        let shares = [0.0, 0.0001, 0.018, 0.1, 0.25, 0.333, 0.9999, 1.0];
        let texts = [
            "0 %", "< 0.1 %", "1.8 %", "10 %", "25 %", "33.3 %", "> 99.9 %", "100 %",
        ];
        assert_eq!(shares.map(percent), texts);
    }

    #[test]
    fn backticks_mark_code_and_nothing_else() {
        let shown = |text: &str| prose(text).into_string();
        assert_eq!(
            shown("give `a_b` or `<c>`."),
            "give <code>a_b</code> or <code>&lt;c&gt;</code>."
        );
        assert_eq!(shown("one ` alone <"), "one ` alone &lt;");
    }

    #[test]
    fn the_day_is_named_unless_it_is_today() {
        let now: Timestamp = "2026-11-26T20:31:00Z".parse().unwrap();
        let shown = |at: &str| time(at.parse().unwrap(), now).into_string();
        assert!(shown("2026-11-26T00:00:00Z").contains(">00:00 UTC<"));
        assert!(shown("2026-11-25T23:59:59Z").contains(">25 Nov 23:59 UTC<"));
    }
}
