//! The emails of a history: each goes through the statuses of one life, to a recipient and from a sender of its own.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::simulator::{NamedOperation, ScriptedEmail};
use twilio_email_exporter::timestamp::Timestamp;

/// The lives of emails. Twilio does not document `DEFERRED`.
const LIVES: [&[&str]; 12] = [
    &["QUEUED", "SENT", "DELIVERED", "OPENED"],
    &["QUEUED", "SENT", "UNDELIVERED"],
    &["SENT", "DELIVERED", "OPENED"],
    &["SCHEDULED", "QUEUED", "SENT", "DELIVERED"],
    &["QUEUED", "SENT", "DELIVERED", "UNDELIVERED"],
    &["QUEUED", "FAILED"],
    &["SENT", "DELIVERED"],
    &["SCHEDULED", "CANCELED"],
    &["INBOUND"],
    &["DELIVERED", "OPENED"],
    &["QUEUED", "DEFERRED", "SENT", "OPENED"],
    &["OPENED"],
];
/// The domains of recipients, the most frequent ones more than once.
const RECIPIENTS: [&str; 9] = [
    "gmail.com",
    "hotmail.de",
    "reader.example",
    "gmail.com",
    "googlemail.com",
    "hotmail.de",
    "gmail.com",
    "mail.example",
    "reader.example",
];
/// From this email on, some are to a provider that no earlier one has.
const LATER: usize = 50;
/// The domains of senders, one for each operation. No recipient has one of them.
const SENDERS: [&str; 5] = [
    "news.example",
    "shop.example",
    "bank.example",
    "club.example",
    "city.example",
];
/// One of this many emails is scheduled.
const SCHEDULED: usize = 5;
/// How long after its creation.
const SCHEDULED_AFTER: Duration = Duration::from_mins(5);

/// The domain of an email's recipient. The last provider is new in the midst of a history.
fn recipient(number: usize) -> &'static str {
    if number >= LATER && number.is_multiple_of(4) {
        "web.de"
    } else {
        RECIPIENTS[number % RECIPIENTS.len()]
    }
}

/// One email. The address of its recipient has its number.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    pub(super) number: usize,
    pub(super) created: Timestamp,
    /// From this time on, lists have it.
    pub(super) visible: Timestamp,
    pub(super) scheduled: Option<Timestamp>,
    pub(super) recipient: &'static str,
    pub(super) sender: &'static str,
    life: &'static [&'static str],
    place: usize,
    /// When it got each status that it has had.
    times: Vec<Timestamp>,
    /// Lists have it as it was this many statuses before.
    pub(super) behind: usize,
    /// Whether the product may miss it: a list has lost it without a sign, or it appeared very late.
    pub(super) may_be_missed: bool,
}

impl Mail {
    pub(super) fn new(
        number: usize,
        operation: usize,
        created: Timestamp,
        visible: Timestamp,
    ) -> Self {
        Self {
            number,
            created,
            visible,
            scheduled: (number % SCHEDULED == 3).then_some(created + SCHEDULED_AFTER),
            recipient: recipient(number),
            sender: SENDERS[operation % SENDERS.len()],
            life: LIVES[(number + operation) % LIVES.len()],
            place: 0,
            times: vec![created],
            behind: 0,
            may_be_missed: false,
        }
    }

    /// Its status, as Twilio writes it.
    pub(super) fn status(&self) -> &'static str {
        self.life[self.place]
    }

    /// Its provider, by the built-in table.
    pub(super) fn provider(&self) -> &'static str {
        match self.recipient {
            "gmail.com" | "googlemail.com" => "gmail",
            "hotmail.de" => "outlook",
            "web.de" => "web_de",
            _ => "other",
        }
    }

    /// It gets its next statuses, as far as there are any.
    pub(super) fn live(&mut self, steps: usize, now: Timestamp) {
        let place = (self.place + steps).min(self.life.len() - 1);
        self.place = place;
        self.times.resize(place + 1, now);
    }

    /// As the simulator returns it.
    pub(super) fn scripted(&self) -> ScriptedEmail {
        let place = self.place.saturating_sub(self.behind);
        let inbound = self.life[place] == "INBOUND";
        ScriptedEmail {
            to: format!("reader{}@{}", self.number, self.recipient),
            from: format!("us@{}", self.sender),
            created: Some(self.created),
            scheduled: self.scheduled,
            operation: if inbound {
                NamedOperation::Missing
            } else {
                NamedOperation::Own
            },
            ..ScriptedEmail::new(self.life[place], self.times[place])
        }
    }
}

/// The stats of an operation with these emails.
pub(super) fn stats<'a>(mails: impl Iterator<Item = &'a Mail>) -> Value {
    let mut stats = json!({"total": 0});
    let counted = mails.filter(|mail| !matches!(mail.status(), "INBOUND" | "DEFERRED"));
    for mail in counted {
        for key in ["total", &mail.status().to_lowercase()] {
            stats[key] = json!(stats[key].as_u64().unwrap_or_default() + 1);
        }
    }
    stats
}
