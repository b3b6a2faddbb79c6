//! A bar of emails by status. It is a drawing (SVG), because the Content-Security-Policy forbids styles with lengths.

use std::fmt::Write;

use maud::{Markup, html};

use super::words;
use crate::operation::Breakdown;

/// A part that is not empty has at least this length, of 100, so that it can be seen.
const SHORTEST: f64 = 1.2;

/// The parts of a bar in their order: class and word.
pub(super) const PARTS: [(&str, &str); 5] = [
    ("opened", "opened"),
    ("delivered", "delivered"),
    ("flight", "in flight"),
    ("lost", "lost"),
    ("canceled", "canceled"),
];

fn amounts(emails: &Breakdown) -> [u64; 5] {
    let outcome = emails.sums();
    [
        emails.opened,
        emails.delivered,
        outcome.in_flight,
        outcome.lost,
        emails.canceled,
    ]
}

/// The bar; its text has the counts.
pub(super) fn bar(emails: &Breakdown) -> Markup {
    let amounts = amounts(emails);
    let total: u64 = amounts.iter().sum();
    let lengths = amounts.map(|amount| length(amount, total));
    let sum: f64 = lengths.iter().sum();
    let mut at = 0.0;
    html! {
        svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=(text(emails)) {
            @for ((class, _), length) in PARTS.iter().zip(lengths) {
                @if length > 0.0 {
                    @let width = length * 100.0 / sum;
                    rect class=(class) x=(format!("{at:.2}")) width=(format!("{width:.2}")) height="8" {}
                    @let () = at += width;
                }
            }
        }
    }
}

/// The counts of a bar in words: `1,940 delivered, 36 lost`.
pub(super) fn text(emails: &Breakdown) -> String {
    let mut text = String::new();
    for ((_, word), amount) in PARTS.iter().zip(amounts(emails)) {
        if amount > 0 {
            let separator = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{separator}{} {word}", words::grouped(amount));
        }
    }
    if text.is_empty() {
        text.push_str("no emails yet");
    }
    text
}

fn length(amount: u64, total: u64) -> f64 {
    if amount == 0 {
        0.0
    } else {
        (amount as f64 * 100.0 / total as f64).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_the_smallest_part_and_has_the_counts_as_its_text() {
        let emails = Breakdown {
            delivered: 1_000_000,
            failed: 1,
            ..Breakdown::default()
        };
        let drawn = bar(&emails).into_string();
        assert!(
            drawn.contains("aria-label=\"1,000,000 delivered, 1 lost\""),
            "{drawn}"
        );
        assert!(
            drawn.contains("class=\"lost\" x=\"98.81\" width=\"1.19\""),
            "{drawn}"
        );
        assert!(!drawn.contains("style"), "{drawn}");
        assert_eq!(text(&Breakdown::default()), "no emails yet");
        assert!(!bar(&Breakdown::default()).into_string().contains("<rect"));
    }
}
