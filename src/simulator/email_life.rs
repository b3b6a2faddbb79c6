//! The life of one email of a generated operation. The emails of an operation have exactly the statuses that its stats count.

use super::life::{LifePhase, Spec, TICK, Tally};
use super::mailbox::{Fate, fate, mailbox_of};
use super::pace::{HALF_OPENED, Outage, Pace};
use super::random::{mix, unit};

/// The domains of made-up addresses while there are no mailbox providers, reserved for examples (RFC 2606).
const DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];

/// An email at one time. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EmailState {
    /// Twilio's name of its status.
    pub(super) word: &'static str,
    pub(super) created: i64,
    /// When it got this status.
    pub(super) updated: i64,
    /// The domain of its recipient.
    pub(super) domain: &'static str,
}

impl Spec {
    /// The email at `index` of the operation; `None` if it has not been created.
    pub(super) fn email(&self, pace: Pace, index: u32, now: i64) -> Option<EmailState> {
        let now = (now.div_euclid(TICK) * TICK).max(self.created);
        if index >= self.made(now) {
            return None;
        }
        let random = mix(self.seed, index.into());
        let created = self.made_at(index + 1);
        let (word, updated) = self.status(pace, index + 1, random, now);
        let domain = match pace.outage {
            Some(_) => mailbox_of(random).domain,
            None => DOMAINS[index as usize % DOMAINS.len()],
        };
        Some(EmailState {
            word,
            created,
            updated: updated.clamp(created, now),
            domain,
        })
    }

    /// The counts at `now` and when they last changed. They are counted email by email: mailbox providers allow no shorter way.
    pub(super) fn count_emails(&self, pace: Pace, now: i64) -> (Tally, i64) {
        let mut tally = Tally {
            phase: self.phase(now),
            made: 0,
            scheduled: 0,
            queued: 0,
            canceled: 0,
            failed: 0,
            sent: 0,
            undelivered: 0,
            delivered: 0,
            opened: 0,
        };
        let mut last = self.created;
        for changed in [self.begins, self.ends, self.cancels] {
            if changed <= now {
                last = last.max(changed);
            }
        }
        for index in 0..self.emails {
            let Some(email) = self.email(pace, index, now) else {
                break;
            };
            last = last.max(email.updated);
            tally.made += 1;
            match email.word {
                "SCHEDULED" => tally.scheduled += 1,
                "QUEUED" => tally.queued += 1,
                "CANCELED" => tally.canceled += 1,
                "FAILED" => tally.failed += 1,
                word => {
                    tally.sent += 1;
                    tally.undelivered += u32::from(word == "UNDELIVERED");
                    tally.delivered += u32::from(matches!(word, "DELIVERED" | "OPENED"));
                    tally.opened += u32::from(word == "OPENED");
                }
            }
        }
        (tally, last)
    }

    /// The status of the `nth` email, counted from 1, and when it got it.
    fn status(&self, pace: Pace, nth: u32, random: u64, now: i64) -> (&'static str, i64) {
        if self.processed(now) < nth {
            return match self.phase(now) {
                LifePhase::Canceled => ("CANCELED", self.cancels),
                LifePhase::Scheduled => ("SCHEDULED", self.created),
                LifePhase::Processing | LifePhase::Completed if self.scheduled => {
                    ("QUEUED", self.begins)
                }
                LifePhase::Processing | LifePhase::Completed => ("QUEUED", self.created),
            };
        }
        let sent_at = self.begins + time_of(nth, self.emails, self.ends - self.begins);
        let failed = self.failed(nth);
        if failed > self.failed(nth - 1) {
            return ("FAILED", sent_at);
        }
        let sent = nth - failed;
        let bounced = self.bounced(sent);
        let bounces = bounced > self.bounced(sent - 1);
        if let Some(outage) = pace.outage {
            return self.at_mailbox(pace, outage, random, (sent_at, bounces), now);
        }
        if bounces {
            return if self.sent(now.saturating_sub(pace.bounce)) >= sent {
                ("UNDELIVERED", sent_at + pace.bounce)
            } else {
                ("SENT", sent_at)
            };
        }
        if self.sent(now.saturating_sub(pace.delivery)) < sent {
            return ("SENT", sent_at);
        }
        let delivered_at = sent_at + pace.delivery;
        let delivered = sent - bounced;
        if self.opened(pace, now) < delivered {
            return ("DELIVERED", delivered_at);
        }
        ("OPENED", self.opened_at(pace, delivered, delivered_at, now))
    }

    /// The status of a sent email at its provider, and when it got it.
    fn at_mailbox(
        &self,
        pace: Pace,
        outage: Outage,
        random: u64,
        (sent_at, bounces): (i64, bool),
        now: i64,
    ) -> (&'static str, i64) {
        match fate(pace, outage, random, sent_at, bounces) {
            Fate::BouncedAt(at) if at <= now => ("UNDELIVERED", at),
            Fate::DeliveredAt(at) if at <= now => {
                let [whether, when] = [2, 3].map(|which| unit(mix(random, which)));
                // As in `opened`: fast at first and slowly later.
                let wait = HALF_OPENED.as_secs_f64() * when / (1.0 - when).max(1e-6);
                let opened_at = at.saturating_add(pace.millis_of(wait));
                if whether < f64::from(self.opening) && opened_at <= now {
                    ("OPENED", opened_at)
                } else {
                    ("DELIVERED", at)
                }
            }
            Fate::BouncedAt(_) | Fate::DeliveredAt(_) => ("SENT", sent_at),
        }
    }

    /// When the number of created emails reached `nth`.
    fn made_at(&self, nth: u32) -> i64 {
        if self.scheduled {
            return self.created;
        }
        let at = self.created + time_of(nth, self.emails, self.making());
        at.min(self.cancels.max(self.created))
    }

    /// When the number of opened emails reached `nth`, between `from` and `until`.
    fn opened_at(&self, pace: Pace, nth: u32, from: i64, until: i64) -> i64 {
        let (mut before, mut since) = (from.div_euclid(TICK), until.div_euclid(TICK));
        while since - before > 1 {
            let middle = before + (since - before) / 2;
            if self.opened(pace, middle * TICK) >= nth {
                since = middle;
            } else {
                before = middle;
            }
        }
        since * TICK
    }
}

/// When a count that grows evenly to `all` within `span` reaches `nth`.
fn time_of(nth: u32, all: u32, span: i64) -> i64 {
    let exact = (i64::from(nth) * span + i64::from(all) - 1) / i64::from(all.max(1));
    exact.min(span)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulator::life::tests::specs;

    const START: i64 = 1_000_000_000_050;
    /// Emails per operation; a history looks at each of them many times.
    const MOST: u32 = 300;

    fn counts(tally: &Tally) -> [u32; 9] {
        let Tally {
            phase: _,
            made,
            scheduled,
            queued,
            canceled,
            failed,
            sent,
            undelivered,
            delivered,
            opened,
        } = *tally;
        [
            made,
            scheduled,
            queued,
            canceled,
            failed,
            sent,
            undelivered,
            delivered,
            opened,
        ]
    }

    fn rank(word: &str) -> u8 {
        match word {
            "SCHEDULED" => 0,
            "QUEUED" => 1,
            "SENT" => 2,
            "DELIVERED" => 3,
            _ => 4,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn emails_add_up_to_the_stats_and_none_goes_back(
            spec in specs(),
            speed in 0.5_f64..1000.0,
            has_mailboxes: bool,
            mut times in prop::collection::vec(0_i64..700_000_000, 2..12),
        ) {
            let spec = Spec { emails: spec.emails.min(MOST), ..spec };
            let mut pace = Pace::new(speed);
            pace.outage = has_mailboxes.then_some(Outage {
                defers_at: START + 1_000_000,
                rejects_at: START + 90_000_000,
            });
            times.sort_unstable();
            let mut before: Vec<EmailState> = Vec::new();
            for after in times {
                let now = START + after;
                let (counted, last) = spec.count_emails(pace, now);
                let (stats, updated) = spec.state_at(pace, now);
                prop_assert_eq!(counts(&counted), counts(&stats));
                prop_assert!(last <= now && updated <= now);
                let emails: Vec<EmailState> =
                    (0..MOST).map_while(|index| spec.email(pace, index, now)).collect();
                prop_assert!(emails.len() >= before.len());
                for (now, before) in emails.iter().zip(&before) {
                    prop_assert_eq!((now.created, now.domain), (before.created, before.domain));
                    prop_assert!(rank(now.word) >= rank(before.word));
                    prop_assert!(rank(before.word) < 4 || now == before);
                    prop_assert!(now.updated >= before.updated);
                }
                before = emails;
            }
        }
    }
}
