//! Computes the stats of one operation at a time from a small spec.
//!
//! Every count is a function of time that never decreases; no state is stored. Later stages are computed from earlier ones, so that the
//! counts always add up: failed and sent emails were queued, delivered and bounced ones were sent, opened ones were delivered.

use super::pace::Pace;
use super::random::unit;

/// The resolution of changes, in milliseconds. Coarser than 1 ms, so that a search for the last change needs about 20 steps; finer than
/// any scrape interval.
pub(super) const TICK: i64 = 100;
/// The number of batches of a large mailing. Recipients of a batch can open their email after it was sent.
const BATCHES: i64 = 16;
/// A mailing with fewer emails is one batch, so that listing thousands of small operations stays cheap.
const BATCHED_FROM: u32 = 64;

/// How an operation was created; this determines the tags of its emails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Bulk,
    Campaign,
    Single,
    Sent,
}

/// The parameters of an operation's life. Times are milliseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) created: i64,
    /// When the first email leaves the queue.
    pub(super) begins: i64,
    /// When the last email has left the queue; later than `begins`.
    pub(super) ends: i64,
    /// When it is canceled; [`i64::MAX`] for never.
    pub(super) cancels: i64,
    /// Determines whether the shares of a small operation are rounded up or down.
    pub(super) seed: u64,
    pub(super) emails: u32,
    /// Shares from 0 to 1.
    pub(super) failing: f32,
    pub(super) bouncing: f32,
    pub(super) opening: f32,
    /// Whether its state is SCHEDULED until `begins`.
    pub(super) scheduled: bool,
    pub(super) origin: Origin,
}

/// The state of an operation, in the order in which states follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LifePhase {
    Scheduled,
    Processing,
    Completed,
    Canceled,
}

impl LifePhase {
    /// Twilio's name of the state.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// An operation's counts at one time. `sent`, `delivered` and `opened` are cumulative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) phase: LifePhase,
    /// Emails that exist.
    pub(super) made: u32,
    pub(super) scheduled: u32,
    pub(super) queued: u32,
    pub(super) canceled: u32,
    pub(super) failed: u32,
    pub(super) sent: u32,
    pub(super) undelivered: u32,
    pub(super) delivered: u32,
    pub(super) opened: u32,
}

impl Spec {
    /// The counts at `now`, and when they last changed.
    pub(super) fn state_at(&self, pace: Pace, now: i64) -> (Tally, i64) {
        if pace.outage.is_some() {
            return self.count_emails(pace, now);
        }
        let present = self.tally(pace, (now.div_euclid(TICK) * TICK).max(self.created));
        let (mut before, mut since) = (self.created.div_euclid(TICK), now.div_euclid(TICK));
        if since <= before || self.tally(pace, self.created) == present {
            return (present, self.created);
        }
        // Counts never decrease, so the times with the present counts are one interval up to now: a binary search finds its start.
        while since - before > 1 {
            let middle = before + (since - before) / 2;
            if self.tally(pace, middle * TICK) == present {
                since = middle;
            } else {
                before = middle;
            }
        }
        (present, since * TICK)
    }

    pub(super) const fn phase(&self, now: i64) -> LifePhase {
        if now >= self.cancels {
            LifePhase::Canceled
        } else if now < self.begins && self.scheduled {
            LifePhase::Scheduled
        } else if now < self.ends {
            LifePhase::Processing
        } else {
            LifePhase::Completed
        }
    }

    pub(super) fn tally(&self, pace: Pace, now: i64) -> Tally {
        let phase = self.phase(now);
        let made = self.made(now);
        let processed = self.processed(now);
        let failed = self.failed(processed);
        let waiting = made - processed;
        let in_phase = |wanted| if phase == wanted { waiting } else { 0 };
        Tally {
            phase,
            made,
            scheduled: in_phase(LifePhase::Scheduled),
            queued: in_phase(LifePhase::Processing),
            canceled: in_phase(LifePhase::Canceled),
            failed,
            sent: processed - failed,
            undelivered: self.bounced(self.sent(now.saturating_sub(pace.bounce))),
            delivered: self.delivered(now.saturating_sub(pace.delivery)),
            opened: self.opened(pace, now),
        }
    }

    /// The emails created so far: a scheduled send creates them immediately, any other within the first twentieth of its span, so that
    /// they are never fewer than [`Spec::processed`].
    pub(super) fn made(&self, now: i64) -> u32 {
        if self.scheduled || now >= self.cancels {
            return self.emails;
        }
        self.progress(now - self.created, self.making())
    }

    /// How long it takes to create all emails.
    pub(super) fn making(&self) -> i64 {
        ((self.ends - self.begins) / 20).max(1)
    }

    /// The emails that have left the queue.
    pub(super) fn processed(&self, now: i64) -> u32 {
        self.progress(now.min(self.cancels) - self.begins, self.ends - self.begins)
    }

    fn progress(&self, elapsed: i64, span: i64) -> u32 {
        if elapsed >= span {
            return self.emails;
        }
        let done = i64::from(self.emails) * elapsed.max(0) / span.max(1);
        u32::try_from(done).unwrap_or(self.emails)
    }

    pub(super) fn failed(&self, processed: u32) -> u32 {
        portion(processed, self.failing, self.rounding(0))
    }

    pub(super) fn sent(&self, now: i64) -> u32 {
        let processed = self.processed(now);
        processed - self.failed(processed)
    }

    pub(super) fn bounced(&self, sent: u32) -> u32 {
        portion(sent, self.bouncing, self.rounding(1))
    }

    /// The delivered emails among those sent until `sent_by`.
    fn delivered(&self, sent_by: i64) -> u32 {
        let sent = self.sent(sent_by);
        sent - self.bounced(sent)
    }

    /// The opened emails: a share of each batch that grows fast at first and slowly later.
    pub(super) fn opened(&self, pace: Pace, now: i64) -> u32 {
        let batches = if self.emails < BATCHED_FROM {
            1
        } else {
            BATCHES
        };
        let (mut delivered, mut eager) = (0, 0.0);
        for batch in 1..=batches {
            let batch_ends = self.begins + (self.ends - self.begins) * batch / batches;
            let age = now.saturating_sub(batch_ends + pace.delivery);
            if age <= 0 {
                break;
            }
            let until = self.delivered(batch_ends);
            eager += f64::from(until - delivered) * (age as f64 / (age + pace.half_opened) as f64);
            delivered = until;
        }
        whole(eager * f64::from(self.opening) + self.rounding(2))
    }

    /// A number from 0 to 1 that depends on the operation's seed.
    fn rounding(&self, which: u32) -> f64 {
        unit(self.seed.rotate_left(which * 21))
    }
}

/// A share of `emails`, rounded by `rounding`. It grows by at most one per email. Because `rounding` differs, the right share of many
/// operations with a single email fails, instead of none.
fn portion(emails: u32, share: f32, rounding: f64) -> u32 {
    whole(f64::from(emails) * f64::from(share) + rounding).min(emails)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "products of counts below 2^32 and shares from 0 to 1"
)]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::simulator) fn specs() -> impl Strategy<Value = Spec> {
        (
            (
                0_i64..1_000_000,
                1_i64..100_000_000,
                prop::option::of(0_i64..90_000_000),
            ),
            (any::<u64>(), 1_u32..=10_000, any::<bool>()),
            (0.0_f32..=0.5, 0.0_f32..=0.5, 0.0_f32..0.9),
        )
            .prop_map(
                |(
                    (delay, span, cancels),
                    (seed, emails, scheduled),
                    (failing, bouncing, opening),
                )| Spec {
                    created: 1_000_000_000_050,
                    begins: 1_000_000_000_050 + delay,
                    ends: 1_000_000_000_050 + delay + span,
                    cancels: cancels.map_or(i64::MAX, |after| 1_000_000_000_050 + after),
                    seed,
                    emails,
                    failing,
                    bouncing,
                    opening,
                    scheduled,
                    origin: Origin::Campaign,
                },
            )
    }

    fn counters(tally: &Tally) -> [u32; 7] {
        let Tally {
            made,
            failed,
            sent,
            undelivered,
            delivered,
            opened,
            canceled,
            ..
        } = *tally;
        [made, failed, sent, undelivered, delivered, opened, canceled]
    }

    proptest! {
        #[test]
        fn counts_add_up_and_never_decrease(
            spec in specs(),
            speed in 0.5_f64..1000.0,
            mut times in prop::collection::vec(0_i64..700_000_000, 2..20),
        ) {
            let pace = Pace::new(speed);
            times.sort_unstable();
            let mut before: Option<(Tally, i64)> = None;
            for after in times {
                let (tally, updated) = spec.state_at(pace, spec.created + after);
                prop_assert!(updated >= spec.created && updated <= spec.created + after);
                prop_assert!(tally.made <= spec.emails);
                let waiting = tally.scheduled + tally.queued + tally.canceled;
                prop_assert_eq!(waiting + tally.sent + tally.failed, tally.made);
                prop_assert!(tally.delivered + tally.undelivered <= tally.sent);
                prop_assert!(tally.opened <= tally.delivered);
                if tally.phase >= LifePhase::Completed {
                    prop_assert_eq!(tally.made, spec.emails);
                    prop_assert_eq!(tally.queued + tally.scheduled, 0);
                }
                if let Some((old, old_updated)) = before {
                    prop_assert!(tally.phase >= old.phase);
                    for (new, old) in counters(&tally).iter().zip(counters(&old)) {
                        prop_assert!(*new >= old);
                    }
                    prop_assert_eq!(updated == old_updated, tally == old, "updatedAt changes with the stats");
                }
                before = Some((tally, updated));
            }
        }
    }

    #[test]
    fn opens_continue_after_completion_and_slow_down() {
        let spec = Spec {
            created: 0,
            begins: 0,
            ends: 6 * 3_600_000,
            cancels: i64::MAX,
            seed: 1,
            emails: 10_000,
            failing: 0.0,
            bouncing: 0.0,
            opening: 0.4,
            scheduled: false,
            origin: Origin::Campaign,
        };
        let opened = |hours: i64| spec.tally(Pace::new(1.0), hours * 3_600_000).opened;
        assert!(
            opened(3) > 0,
            "the first batches are opened while others wait"
        );
        let (first_day, second_day) = (opened(30) - opened(6), opened(54) - opened(30));
        assert!(second_day > 0 && first_day > 5 * second_day);
    }

    #[test]
    fn specs_stay_small() {
        assert!(size_of::<Spec>() <= 64, "{}", size_of::<Spec>());
    }
}
