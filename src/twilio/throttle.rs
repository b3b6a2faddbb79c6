//! The manners of one account: so many requests a second, so many at once, none during a pause.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::error::{ApiError, RetryAfter};
use super::pause;
use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// How much of a second's requests, doubled, may go at once after a rest: enough for ten pages of a list in a row.
const BURST: Duration = Duration::from_secs(2);

/// Admits requests one by one.
#[derive(Debug)]
pub(super) struct Throttle {
    clock: Clock,
    at_once: Semaphore,
    /// The time between two requests at the full rate.
    interval: Duration,
    /// Shared with who went before: a new configuration ends no pause.
    rhythm: Arc<Mutex<Rhythm>>,
}

#[derive(Debug)]
struct Rhythm {
    /// When the next request would be due if all came evenly; before now after a rest, at most by [`BURST`].
    even: Instant,
    paused_until: Option<Timestamp>,
    /// Refusals in a row.
    refusals: u32,
}

impl Throttle {
    pub(super) fn new(requests_per_second: f64, at_once: usize, clock: Clock) -> Self {
        let now = Instant::now();
        // As after a rest: the first collection may list ten pages in a row.
        let even = now.checked_sub(BURST).unwrap_or(now);
        Self {
            clock,
            at_once: Semaphore::new(at_once),
            interval: Duration::from_secs_f64(1.0 / requests_per_second),
            rhythm: Arc::new(Mutex::new(Rhythm {
                even,
                paused_until: None,
                refusals: 0,
            })),
        }
    }

    /// Takes over the rhythm of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        self.rhythm = Arc::clone(&before.rhythm);
    }

    /// Waits for this request's turn; fails at once during a pause.
    ///
    /// Hold the permit until the answer has been read.
    pub(super) async fn admit(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.check_pause()?;
        // The semaphore is never closed; were it, a pause that ends now is the harmless answer.
        let permit = self.at_once.acquire().await.map_err(|_| ApiError::Paused {
            until: self.clock.now(),
        })?;
        let turn = self.take_turn(Instant::now());
        tokio::time::sleep_until(turn).await;
        // Another request may have been told to pause while this one waited.
        self.check_pause()?;
        Ok(permit)
    }

    /// The end of the present pause.
    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        self.lock().pause(self.clock.now())
    }

    /// Notes that Twilio refused for now, and pauses the whole account.
    pub(super) fn refused(&self, asked: Option<RetryAfter>) -> Timestamp {
        let now = self.clock.now();
        let mut rhythm = self.lock();
        let before = rhythm.pause(now);
        // Requests that were under way together are refused together: that is one refusal, not many.
        if before.is_none() {
            rhythm.refusals = rhythm.refusals.saturating_add(1);
        }
        let until = now + pause::length(asked, rhythm.refusals, now, pause::chance());
        let until = before.map_or(until, |before| before.max(until));
        rhythm.paused_until = Some(until);
        until
    }

    /// Notes that Twilio answered.
    pub(super) fn answered(&self) {
        let mut rhythm = self.lock();
        if rhythm.pause(self.clock.now()).is_none() {
            rhythm.refusals = 0;
            rhythm.paused_until = None;
        }
    }

    fn check_pause(&self) -> Result<(), ApiError> {
        self.paused_until()
            .map_or(Ok(()), |until| Err(ApiError::Paused { until }))
    }

    fn take_turn(&self, now: Instant) -> Instant {
        let mut rhythm = self.lock();
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        rhythm.even = rhythm.even.max(earliest) + self.interval;
        rhythm.even
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Rhythm> {
        // Nothing panics while it is held; and if it did, the rhythm would still be a rhythm.
        self.rhythm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rhythm {
    /// The end of the pause that is on at `now`.
    fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        self.paused_until
            .filter(|until| *until > now && *until <= now + pause::BOUND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_requests_come_evenly() {
        let throttle = Throttle::new(10.0, 4, Clock::manual(START));
        let begin = Instant::now();
        for _ in 0..40 {
            drop(throttle.admit().await.unwrap());
        }
        let took = begin.elapsed();
        assert!(
            (Duration::from_millis(1900)..Duration::from_millis(2200)).contains(&took),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_pauses_everybody_until_its_end() {
        let clock = Clock::manual(START);
        let throttle = Throttle::new(10.0, 4, clock.clone());
        let until = throttle.refused(Some(RetryAfter::In(Duration::from_secs(30))));
        assert!(until >= START + Duration::from_secs(30));
        assert_eq!(
            throttle.admit().await.unwrap_err(),
            ApiError::Paused { until }
        );
        assert_eq!(throttle.paused_until(), Some(until));
        clock.set(until);
        assert!(throttle.admit().await.is_ok());
        assert_eq!(throttle.paused_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_requests_under_way_together_count_once() {
        let clock = Clock::manual(START);
        let throttle = Throttle::new(10.0, 4, clock.clone());
        for _ in 0..8 {
            throttle.refused(None);
        }
        assert!(throttle.paused_until().unwrap() <= START + Duration::from_secs(6));
        clock.set(START + Duration::from_secs(10));
        throttle.refused(None);
        assert!(throttle.paused_until().unwrap() >= START + Duration::from_secs(20));
        clock.set(START + Duration::from_mins(1));
        throttle.answered();
        throttle.refused(None);
        assert!(throttle.paused_until().unwrap() <= START + Duration::from_secs(66));
    }
}
