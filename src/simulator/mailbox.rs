//! Mailbox providers with delays of their own, for the emails of generated operations.
//!
//! A delay is a function of random numbers, not of a state. Its distribution is log-logistic: the time after which a share `p` of the
//! emails of a provider is delivered is `median * (p / (1 - p)) ^ spread`, so that a test can compute the expected quantiles.

use std::time::Duration;

use super::pace::{Outage, Pace};
use super::random::{Draws, mix};

/// A provider: a domain, its share of all emails in percent, and its delays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mailbox {
    /// The domain of its addresses.
    pub domain: &'static str,
    /// Its share of all emails, in percent.
    pub share: u32,
    /// Half of its emails are delivered after this time.
    pub median: Duration,
    /// How much the delays differ.
    pub spread: f64,
}

/// The providers. The last one begins to defer.
pub const MAILBOXES: [Mailbox; 6] = [
    mailbox("gmail.com", 40, 2_000, 0.3),
    mailbox("outlook.com", 20, 6_000, 0.5),
    mailbox("yahoo.com", 10, 20_000, 0.6),
    mailbox("icloud.com", 10, 4_000, 0.3),
    mailbox("example.com", 10, 12_000, 0.8),
    mailbox("gmx.net", 10, 3_000, 0.4),
];

/// Twilio retries deferred mail for this time.
const LONGEST_DELAY: Duration = Duration::from_hours(72);
/// A deferred email is delivered within this time, unless the provider rejects it before.
const DEFERRED: (f64, f64) = (600.0, 6.0 * 3600.0);
/// Most bounces arrive within seconds, one in three within hours to days.
const LATE_BOUNCES: u32 = 3;
const EARLY_BOUNCE: (f64, f64) = (2.0, 90.0);
const LATE_BOUNCE: (f64, f64) = (2.0 * 3600.0, 70.0 * 3600.0);
/// A rejected email bounces within this time.
const REJECTION: (f64, f64) = (1.0, 10.0);

const fn mailbox(domain: &'static str, share: u32, median: u64, spread: f64) -> Mailbox {
    Mailbox {
        domain,
        share,
        median: Duration::from_millis(median),
        spread,
    }
}

impl Mailbox {
    /// The time after which this share of its emails is delivered, at speed 1 and while it does not defer.
    #[must_use]
    pub fn delay(&self, share: f64) -> Duration {
        let share = share.clamp(1e-9, 1.0 - 1e-9);
        let factor = (share / (1.0 - share)).powf(self.spread);
        self.median.mul_f64(factor).min(LONGEST_DELAY)
    }
}

/// What happens to an email after it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    DeliveredAt(i64),
    BouncedAt(i64),
}

/// The provider of an email, from its random number.
pub(super) fn mailbox_of(random: u64) -> &'static Mailbox {
    let mut place = Draws::new(random).whole(0, 99);
    let mut found = &MAILBOXES[MAILBOXES.len() - 1];
    for mailbox in &MAILBOXES {
        if place < mailbox.share {
            found = mailbox;
            break;
        }
        place -= mailbox.share;
    }
    found
}

/// What happens to an email that is sent at `sent`; `bounces` if its recipient does not exist.
pub(super) fn fate(pace: Pace, outage: Outage, random: u64, sent: i64, bounces: bool) -> Fate {
    let mailbox = mailbox_of(random);
    let mut draws = Draws::new(mix(random, 1));
    let share = draws.between(0.0, 1.0);
    let after = |seconds: f64| sent.saturating_add(pace.millis_of(seconds));
    let has_outage = mailbox.domain == MAILBOXES[MAILBOXES.len() - 1].domain;
    if has_outage && sent >= outage.rejects_at {
        return Fate::BouncedAt(after(draws.between(REJECTION.0, REJECTION.1)));
    }
    if bounces {
        let (low, high) = if draws.whole(1, LATE_BOUNCES) == 1 {
            LATE_BOUNCE
        } else {
            EARLY_BOUNCE
        };
        return Fate::BouncedAt(after(draws.between(low, high)));
    }
    if has_outage && sent >= outage.defers_at {
        let delivered = after(draws.between(DEFERRED.0, DEFERRED.1));
        return if delivered < outage.rejects_at {
            Fate::DeliveredAt(delivered)
        } else {
            let rejected = draws.between(REJECTION.0, REJECTION.1);
            Fate::BouncedAt(outage.rejects_at.saturating_add(pace.millis_of(rejected)))
        };
    }
    Fate::DeliveredAt(after(mailbox.delay(share).as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Outage = Outage {
        defers_at: i64::MAX,
        rejects_at: i64::MAX,
    };

    fn delays(mailbox: &Mailbox, outage: Outage) -> Vec<Fate> {
        let of_mailbox = (0..40_000_u64).map(|index| mix(7, index));
        of_mailbox
            .filter(|random| mailbox_of(*random) == mailbox)
            .map(|random| fate(Pace::new(1.0), outage, random, 0, false))
            .collect()
    }

    #[test]
    fn each_provider_has_its_share_and_its_delays() {
        assert_eq!(
            MAILBOXES.iter().map(|mailbox| mailbox.share).sum::<u32>(),
            100
        );
        for mailbox in &MAILBOXES {
            let fates = delays(mailbox, NEVER);
            let share = fates.len() as f64 / 400.0;
            assert!((share - f64::from(mailbox.share)).abs() < 1.0, "{share}");
            for p in [0.5, 0.95] {
                let limit = i64::try_from(mailbox.delay(p).as_millis()).unwrap();
                let within = |fate: &&Fate| matches!(fate, Fate::DeliveredAt(at) if *at <= limit);
                let share = fates.iter().filter(within).count() as f64 / fates.len() as f64;
                assert!(
                    (share - p).abs() < 0.02,
                    "{}: {share} of {p}",
                    mailbox.domain
                );
            }
        }
    }

    #[test]
    fn the_last_provider_defers_and_then_rejects_and_others_do_not() {
        let [.., other, failing] = &MAILBOXES;
        let defers = Outage {
            defers_at: 0,
            rejects_at: 3_600_000,
        };
        let fates = delays(failing, defers);
        let delivered = |fate: &Fate| matches!(fate, Fate::DeliveredAt(600_000..3_600_000));
        let rejected = |fate: &Fate| matches!(fate, Fate::BouncedAt(3_600_000..3_611_000));
        assert!(fates.iter().all(|fate| delivered(fate) || rejected(fate)));
        assert!(fates.iter().any(delivered) && fates.iter().any(rejected));
        let rejects = Outage {
            defers_at: 0,
            rejects_at: 0,
        };
        let at_once = |fate: &Fate| matches!(fate, Fate::BouncedAt(1..11_000));
        assert!(delays(failing, rejects).iter().all(at_once));
        assert_eq!(delays(other, rejects), delays(other, NEVER));
    }
}
