//! What can happen to an account and its exporter, and random histories of it. A history has a form in text, so that a failing one can be
//! run again.

use std::fmt;

use proptest::prelude::*;

/// The most events of a history.
const LONGEST: usize = 24;
/// Failures of requests, and lists that are not what Twilio documents.
const FAULTS: [&str; 20] = [
    "all=500",
    "emails=500",
    "emails=503:retry-after=1",
    "emails=cut",
    "emails=401",
    "emails=html",
    "emails=wrong-json",
    "emails:page=2=500",
    "emails=moving-rows",
    "emails=empty",
    "emails=empty-pages:2",
    "emails=repeat-token",
    "emails=ignore-dates",
    "emails=ignore-status",
    "emails=ignore-operation",
    "emails=other-status",
    "emails=no-rows-of-status",
    "emails=no-status",
    "emails=odd-words",
    "unfiltered-emails=403",
];
/// The faults that leave rows out of a list without a sign of it, or make them useless.
const LOSING: [&str; 3] = ["emails=moving-rows", "emails=empty", "emails=no-status"];

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// An operation with this many emails appears, half of them this many seconds late.
    Send(u8, u8),
    /// One of this many emails gets its next statuses: this many.
    Live(u8, u8),
    /// Until the next event, lists have one of this many emails as it was this many statuses before.
    Stale(u8, u8),
    /// Minutes pass.
    Pass(u8),
    /// Days pass.
    Days(u8),
    /// Requests fail from now on, in this way.
    Fail(String),
    /// Requests succeed again, and no pause is left.
    Heal,
    /// The exporter is killed and starts again.
    Kill,
    /// The same, this many requests after a scrape has begun.
    KillAfter(u8),
    /// Prometheus scrapes.
    Scrape,
}

impl Event {
    /// Whether it makes lists lose rows without a sign.
    pub(super) fn loses_rows(&self) -> bool {
        matches!(self, Self::Fail(how) if LOSING.contains(&how.as_str()))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(emails, late) => write!(f, "send:{emails}:{late}"),
            Self::Live(every, steps) => write!(f, "live:{every}:{steps}"),
            Self::Stale(every, behind) => write!(f, "stale:{every}:{behind}"),
            Self::Pass(minutes) => write!(f, "pass:{minutes}"),
            Self::Days(days) => write!(f, "days:{days}"),
            Self::Fail(how) => write!(f, "fail:{how}"),
            Self::Heal => f.write_str("heal"),
            Self::Kill => f.write_str("kill"),
            Self::KillAfter(requests) => write!(f, "kill-after:{requests}"),
            Self::Scrape => f.write_str("scrape"),
        }
    }
}

/// Reads one event, as its `Display` writes it.
fn parse_event(text: &str) -> Option<Event> {
    let (name, rest) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str| text.parse::<u8>().ok();
    let two = || {
        let (first, second) = rest.split_once(':')?;
        Some((number(first)?, number(second)?))
    };
    match name {
        "send" => two().map(|(emails, late)| Event::Send(emails, late)),
        "live" => two().map(|(every, steps)| Event::Live(every, steps)),
        "stale" => two().map(|(every, behind)| Event::Stale(every, behind)),
        "pass" => number(rest).map(Event::Pass),
        "days" => number(rest).map(Event::Days),
        "fail" => Some(Event::Fail(rest.to_owned())),
        "heal" => Some(Event::Heal),
        "kill" => Some(Event::Kill),
        "kill-after" => number(rest).map(Event::KillAfter),
        "scrape" => Some(Event::Scrape),
        _ => None,
    }
}

/// Reads a history: events with spaces between them.
pub(super) fn parse(text: &str) -> Vec<Event> {
    let event = |text| parse_event(text).unwrap_or_else(|| panic!("no event: {text}"));
    text.split_whitespace().map(event).collect()
}

/// Writes a history.
pub(super) fn written(events: &[Event]) -> String {
    let events: Vec<String> = events.iter().map(ToString::to_string).collect();
    events.join(" ")
}

fn event() -> impl Strategy<Value = Event> {
    let fault = prop::sample::select(FAULTS.as_slice());
    prop_oneof![
        4 => (1_u8..30, prop::sample::select(vec![0_u8, 0, 20, 100])).prop_map(|(emails, late)| Event::Send(emails, late)),
        6 => (1_u8..5, 1_u8..4).prop_map(|(every, steps)| Event::Live(every, steps)),
        2 => (1_u8..4, 1_u8..4).prop_map(|(every, behind)| Event::Stale(every, behind)),
        3 => (1_u8..200).prop_map(Event::Pass),
        1 => (1_u8..9).prop_map(Event::Days),
        3 => fault.prop_map(|how| Event::Fail(how.to_owned())),
        2 => Just(Event::Heal),
        1 => Just(Event::Kill),
        1 => (1_u8..9).prop_map(Event::KillAfter),
        2 => Just(Event::Scrape),
    ]
}

pub(super) fn histories() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..LONGEST)
}

proptest! {
    #[test]
    fn a_history_is_read_as_it_was_written(events in histories()) {
        prop_assert_eq!(parse(&written(&events)), events);
    }
}
