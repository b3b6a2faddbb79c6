//! What the series of emails must be, computed from the rows that Twilio has returned and nothing else: a list of what was read of each
//! email, and the laws of the counters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use twilio_email_exporter::operation::RETENTION;
use twilio_email_exporter::simulator::SentPage;
use twilio_email_exporter::timestamp::Timestamp;

use super::mail::Mail;

pub(super) const OUTCOMES: [&str; 5] = ["delivered", "opened", "undelivered", "failed", "canceled"];
/// `updatedAt` and `createdAt` have whole seconds. A delivery that is this long before its start has a wrong time.
const PRECISION: Duration = Duration::from_secs(2);

/// Whether emails of a domain count under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Yes,
    No,
    /// The name appeared in the run that found the email: before or after it.
    Maybe,
}

/// What is known of an email.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// The statuses that followed each other, each with its time.
    path: Vec<(String, Option<Timestamp>)>,
    is_baseline: bool,
    /// The earliest time of a row that has it as sent.
    sent: Option<Timestamp>,
    pub(super) recipient: Named,
    pub(super) sender: Named,
}

/// What an email counts.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) outcomes: [u64; OUTCOMES.len()],
    /// The time of its delivery, if that was seen.
    pub(super) time: Option<Duration>,
    pub(super) is_unobserved: bool,
    pub(super) is_inbound: bool,
}

/// What the exporter must know.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Model {
    /// By the number of the email.
    pub(super) known: BTreeMap<usize, Known>,
    /// When the account was first watched.
    pub(super) born: Timestamp,
    /// Whether the first run has finished. What it finds is baseline.
    pub(super) is_born: bool,
    /// When the last page was read since the last start. Emails that had expired by then are gone.
    pub(super) read: Option<Timestamp>,
}

/// The place of a status in a life.
fn rank(status: &str) -> u8 {
    match status {
        "SCHEDULED" => 1,
        "QUEUED" => 2,
        "SENT" => 3,
        "DELIVERED" => 4,
        "UNDELIVERED" | "OPENED" | "FAILED" | "CANCELED" | "INBOUND" => 5,
        _ => 0,
    }
}

/// The number in the address of a row's recipient.
fn number_of(row: &Value) -> Option<usize> {
    let to = &row["to"];
    let address = to[0].get("address").or_else(|| to.get("address"))?;
    let (name, _) = address.as_str()?.split_once('@')?;
    name.strip_prefix("reader")?.parse().ok()
}

impl Known {
    pub(super) fn status(&self) -> &str {
        self.path.last().map_or("", |(status, _)| status)
    }

    /// The value of the label `status`.
    pub(super) fn label(&self) -> String {
        let status = self.status();
        if rank(status) == 0 {
            "unknown".to_owned()
        } else {
            status.to_lowercase()
        }
    }

    pub(super) fn has_reached(&self, status: &str) -> bool {
        rank(self.status()) >= rank(status)
    }

    /// When it was sent, if it has been neither confirmed nor lost.
    pub(super) fn unconfirmed_since(&self) -> Option<Timestamp> {
        self.sent.filter(|_| self.status() == "SENT")
    }

    pub(super) fn counts(&self, mail: &Mail) -> Counts {
        let counted = &self.path[usize::from(self.is_baseline)..];
        let at = |status: &str| counted.iter().find(|(each, _)| each == status);
        let has = |status: &str| at(status).is_some();
        if self.status() == "INBOUND" {
            return Counts {
                is_inbound: has("INBOUND"),
                ..Counts::default()
            };
        }
        let was_delivered = self.is_baseline && self.path[0].0 == "DELIVERED";
        let is_delivered = has("DELIVERED") || has("OPENED") && !was_delivered;
        let [opened, undelivered, failed, canceled] =
            ["OPENED", "UNDELIVERED", "FAILED", "CANCELED"].map(has);
        let start = mail.scheduled.unwrap_or(mail.created);
        let time = at("DELIVERED").and_then(|(_, updated)| *updated);
        let time = time.filter(|updated| *updated + PRECISION > start);
        Counts {
            outcomes: [is_delivered, opened, undelivered, failed, canceled].map(u64::from),
            time: time.map(|updated| updated.since(start)),
            is_unobserved: is_delivered && time.is_none(),
            is_inbound: false,
        }
    }
}

impl Model {
    /// Adds the rows of a page. `named` says whether the domain of a recipient or of a sender has a name of its own.
    pub(super) fn read(&mut self, page: &SentPage, mails: &[Mail], named: &dyn Fn(&str) -> Named) {
        let has = |parameter: &str| page.path.split(['?', '&']).any(|each| each == parameter);
        // Only to find out something else: the exporter does not count its row.
        if has("pageSize=1") {
            return;
        }
        self.read = Some(page.at);
        let body: Value = serde_json::from_slice(&page.body).unwrap();
        let rows = body["emails"].as_array().unwrap();
        let mut parameters = page.path.split(['?', '&']);
        let wanted = parameters.find_map(|each| each.strip_prefix("operationId="));
        let operation = |row: &Value| row["operationId"].as_str().map(str::to_owned);
        let is_foreign = |row: &Value| operation(row).is_some_and(|own| Some(&*own) != wanted);
        let ignores_operation = wanted.is_some() && rows.iter().any(is_foreign);
        for row in rows {
            if ignores_operation && operation(row).as_deref() != wanted {
                continue;
            }
            let (Some(number), Some(status)) = (number_of(row), row["status"].as_str()) else {
                continue;
            };
            let time = row["updatedAt"].as_str();
            let time = time.and_then(|text| text.parse::<Timestamp>().ok());
            self.see(&mails[number], (status, time), page.at, named);
        }
    }

    fn see(
        &mut self,
        mail: &Mail,
        (status, updated): (&str, Option<Timestamp>),
        now: Timestamp,
        named: &dyn Fn(&str) -> Named,
    ) {
        if mail.created + RETENTION <= now {
            return;
        }
        let is_baseline = !self.is_born || mail.created < self.born;
        let known = self.known.entry(mail.number).or_insert_with(|| Known {
            path: Vec::new(),
            is_baseline,
            sent: None,
            recipient: named(mail.recipient),
            sender: named(mail.sender),
        });
        let follows = |(last, _): &(String, _)| rank(status) > rank(last);
        if known.path.last().is_none_or(follows) {
            known.path.push((status.to_owned(), updated));
        }
        if status == "SENT" && known.status() == "SENT" {
            known.sent = Some(known.sent.into_iter().chain(updated).min().unwrap_or(now));
        }
    }

    /// Notes which domains have names: an email whose domain has none was found before it had one.
    pub(super) fn resolve(&mut self, mails: &[Mail], is_named: impl Fn(&str) -> bool) {
        for (number, known) in &mut self.known {
            let mail = &mails[*number];
            for (named, domain) in [
                (&mut known.recipient, mail.recipient),
                (&mut known.sender, mail.sender),
            ] {
                if *named == Named::Maybe && !is_named(domain) {
                    *named = Named::No;
                }
            }
        }
    }

    /// Whether an email is certainly, and whether it is possibly, among those of the last seven days.
    pub(super) fn is_kept(&self, mail: &Mail, now: Timestamp) -> (bool, bool) {
        let is_kept = |at: Timestamp| mail.created + RETENTION > at;
        (is_kept(now), self.read.is_none_or(is_kept))
    }
}
