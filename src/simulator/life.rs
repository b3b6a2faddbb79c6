//! The life of one operation: from a few dozen bytes and a moment to its figures.
//!
//! Nothing is stepped. Every counter is a function of time that never falls, and the laws of conservation hold
//! because later stages are computed from earlier ones: what fails or is sent was queued, what is delivered or
//! bounces was sent, what is opened was delivered.

use super::pace::Pace;
use super::random::unit;

/// How finely the world moves. Coarser than a millisecond so that "when did this change last" is found in a
/// score of steps; finer than any scrape interval.
const TICK: i64 = 100;
/// Into how many parts a mailing is cut to tell when its recipients could first open it.
const BATCHES: i64 = 16;
/// Below this many emails the mailing is one batch: thousands of small operations must stay cheap to list.
const BATCHED_FROM: u32 = 64;

/// Where an operation comes from; decides the tags of its emails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Bulk,
    Campaign,
    Single,
    Sent,
}

/// What an operation is going to live through. Times in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) created: i64,
    /// The first email leaves the queue after this.
    pub(super) begins: i64,
    /// The last one has left it; after `begins`.
    pub(super) ends: i64,
    /// When it is called off; [`i64::MAX`] for never.
    pub(super) cancels: i64,
    /// Rounds shares of small operations up or down, each operation in its own way.
    pub(super) seed: u64,
    pub(super) emails: u32,
    /// Shares from 0 to 1.
    pub(super) failing: f32,
    pub(super) bouncing: f32,
    pub(super) opening: f32,
    /// Whether it waits as SCHEDULED until `begins`.
    pub(super) scheduled: bool,
    pub(super) origin: Origin,
}

/// Where an operation stands, in the order in which it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LifePhase {
    Scheduled,
    Processing,
    Completed,
    Canceled,
}

impl LifePhase {
    /// Twilio's word for it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// An operation's figures at one moment. `sent`, `delivered` and `opened` count everything that ever got there.
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
    /// The figures at `now`, and when they became so.
    pub(super) fn seen(&self, pace: Pace, now: i64) -> (Tally, i64) {
        let present = self.tally(pace, (now.div_euclid(TICK) * TICK).max(self.created));
        let (mut before, mut since) = (self.created.div_euclid(TICK), now.div_euclid(TICK));
        if since <= before || self.tally(pace, self.created) == present {
            return (present, self.created);
        }
        // No counter ever falls, so the moments with the present figures are one unbroken stretch up to now.
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

    /// Emails that exist: a scheduled send makes them at once, any other within the first twentieth of its span,
    /// which keeps them ahead of [`Spec::processed`].
    fn made(&self, now: i64) -> u32 {
        if self.scheduled || now >= self.cancels {
            return self.emails;
        }
        let making = ((self.ends - self.begins) / 20).max(1);
        self.progress(now - self.created, making)
    }

    /// Emails that have left the queue.
    fn processed(&self, now: i64) -> u32 {
        self.progress(now.min(self.cancels) - self.begins, self.ends - self.begins)
    }

    fn progress(&self, elapsed: i64, span: i64) -> u32 {
        if elapsed >= span {
            return self.emails;
        }
        let done = i64::from(self.emails) * elapsed.max(0) / span.max(1);
        u32::try_from(done).unwrap_or(self.emails)
    }

    fn failed(&self, processed: u32) -> u32 {
        portion(processed, self.failing, self.rounding(0))
    }

    fn sent(&self, now: i64) -> u32 {
        let processed = self.processed(now);
        processed - self.failed(processed)
    }

    fn bounced(&self, sent: u32) -> u32 {
        portion(sent, self.bouncing, self.rounding(1))
    }

    /// Emails delivered of those sent until `sent_by`.
    fn delivered(&self, sent_by: i64) -> u32 {
        let sent = self.sent(sent_by);
        sent - self.bounced(sent)
    }

    /// Emails opened: of each batch a share that grows steeply at first and ever more slowly later.
    fn opened(&self, pace: Pace, now: i64) -> u32 {
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

    /// A number from 0 up to 1 that is this operation's own.
    fn rounding(&self, which: u32) -> f64 {
        unit(self.seed.rotate_left(which * 21))
    }
}

/// A share of `emails`. It grows by at most one for each email, and `rounding` decides when it does first: so of
/// many operations with a single email the right share fails, instead of none.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn specs() -> impl Strategy<Value = Spec> {
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
        fn nothing_is_lost_and_no_counter_falls(
            spec in specs(),
            speed in 0.5_f64..1000.0,
            mut times in prop::collection::vec(0_i64..700_000_000, 2..20),
        ) {
            let pace = Pace::new(speed);
            times.sort_unstable();
            let mut before: Option<(Tally, i64)> = None;
            for after in times {
                let (tally, updated) = spec.seen(pace, spec.created + after);
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
                    prop_assert_eq!(updated == old_updated, tally == old, "updatedAt moves with the figures");
                }
                before = Some((tally, updated));
            }
        }
    }

    #[test]
    fn opens_go_on_after_completion_and_slow_down() {
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
