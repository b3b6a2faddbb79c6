//! Enforces the limits of one account: N requests per second, N concurrent requests, and none during a pause. No request of the
//! account bypasses it.

use std::sync::Arc;
use std::time::{self, Duration};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::error::{ApiError, RetryAfter};
use super::pause::{self, Pause};
use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// The burst after an idle time, as a multiple of one second's requests: enough for ten pages of a list.
const BURST: Duration = Duration::from_secs(2);

/// Delays requests to the account's limits.
#[derive(Debug)]
pub(super) struct Throttle {
    clock: Clock,
    concurrent: Semaphore,
    /// The time between two requests at the full rate.
    interval: Duration,
    /// Shared with the throttle of the last configuration, because a reload ends no pause.
    state: Arc<Mutex<ThrottleState>>,
}

#[derive(Debug)]
struct ThrottleState {
    /// When the next request may be sent. After an idle time it is in the past, at most by [`BURST`].
    next: Instant,
    api: ServerPauses,
    tokens: ServerPauses,
}

/// A Twilio server. Each one has its own pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Server {
    /// The Email API.
    Api,
    /// The token endpoint. Its pauses have no effect while the last token is valid.
    Tokens,
}

/// The pauses of one server.
#[derive(Debug, Default)]
struct ServerPauses {
    /// The last pause, which may have finished.
    pause: Option<Pause>,
    /// The number of rejections in a row.
    refusals: u32,
    /// When the first of them was received.
    since: Option<Timestamp>,
}

impl Throttle {
    pub(super) fn new(requests_per_second: f64, concurrent: usize, clock: Clock) -> Self {
        let now = Instant::now();
        // The first collection may use the whole burst.
        let next = now.checked_sub(BURST).unwrap_or(now);
        Self {
            clock,
            concurrent: Semaphore::new(concurrent),
            interval: Duration::from_secs_f64(1.0 / requests_per_second),
            state: Arc::new(Mutex::new(ThrottleState {
                next,
                api: ServerPauses::default(),
                tokens: ServerPauses::default(),
            })),
        }
    }

    /// Continues the rate and the pauses of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        self.state = Arc::clone(&before.state);
    }

    /// Waits until the request may be sent; fails immediately during a pause.
    ///
    /// Keep the permit until the response was read.
    pub(super) async fn admit(&self, server: Server) -> Result<SemaphorePermit<'_>, ApiError> {
        self.check_pause(server)?;
        // The semaphore is never closed. If it were, a pause that ends now would be a harmless error.
        let permit = self
            .concurrent
            .acquire()
            .await
            .map_err(|_| ApiError::Paused {
                until: self.clock.now(),
            })?;
        let at = self.reserve(Instant::now());
        tokio::time::sleep_until(at).await;
        // A response to another request may have started a pause while this one waited.
        self.check_pause(server)?;
        Ok(permit)
    }

    /// The end of the current pause, by the current time of day.
    pub(super) fn paused_until(&self, server: Server) -> Option<Timestamp> {
        let (instant, now) = (self.clock.instant(), self.clock.now());
        self.state
            .lock()
            .of(server)
            .pause(instant)
            .map(|pause| pause.until(instant, now))
    }

    /// Since when the server of a current pause has rejected requests.
    pub(super) fn paused_since(&self, server: Server) -> Option<Timestamp> {
        let mut state = self.state.lock();
        let pauses = state.of(server);
        pauses.pause(self.clock.instant()).and(pauses.since)
    }

    /// Notes that the server limits the rate or is unavailable, and pauses all requests of the account to it.
    pub(super) fn refused(&self, server: Server, retry_after: Option<RetryAfter>) {
        let (instant, now) = (self.clock.instant(), self.clock.now());
        let mut state = self.state.lock();
        let backoff = state.of(server);
        let before = backoff.pause(instant);
        // Concurrent requests that are rejected together count as one rejection.
        if before.is_none() {
            backoff.refusals = backoff.refusals.saturating_add(1);
            backoff.since.get_or_insert(now);
        }
        let length = pause::length(retry_after, backoff.refusals, now, fastrand::f64());
        let pause = Pause::new(length, instant, now);
        if before.is_none_or(|before| before.ends_before(pause)) {
            backoff.pause = Some(pause);
        }
    }

    /// Notes a successful response of the server.
    pub(super) fn succeeded(&self, server: Server) {
        let mut state = self.state.lock();
        let backoff = state.of(server);
        if backoff.pause(self.clock.instant()).is_none() {
            *backoff = ServerPauses::default();
        }
    }

    /// The earliest time at which `requests` more requests are admitted, at the account's rate.
    pub(super) fn earliest(&self, requests: usize) -> Instant {
        let now = Instant::now();
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let next = self.state.lock().next.max(earliest);
        u32::try_from(requests)
            .ok()
            .and_then(|requests| next.checked_add(self.interval.checked_mul(requests)?))
            .unwrap_or(next)
    }

    fn check_pause(&self, server: Server) -> Result<(), ApiError> {
        self.paused_until(server)
            .map_or(Ok(()), |until| Err(ApiError::Paused { until }))
    }

    /// Reserves the next request. Returns when it may be sent.
    fn reserve(&self, now: Instant) -> Instant {
        let mut state = self.state.lock();
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        state.next = state.next.max(earliest) + self.interval;
        state.next
    }
}

impl ThrottleState {
    const fn of(&mut self, server: Server) -> &mut ServerPauses {
        match server {
            Server::Api => &mut self.api,
            Server::Tokens => &mut self.tokens,
        }
    }
}

impl ServerPauses {
    /// The pause that is active at `instant`.
    fn pause(&self, instant: time::Instant) -> Option<Pause> {
        self.pause.filter(|pause| pause.is_active(instant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    #[tokio::test(start_paused = true)]
    async fn after_a_burst_requests_have_an_even_rate() {
        let throttle = Throttle::new(10.0, 4, Clock::manual(START));
        let begin = Instant::now();
        for _ in 0..40 {
            drop(throttle.admit(Server::Api).await.unwrap());
        }
        let took = begin.elapsed();
        assert!(
            (Duration::from_millis(1900)..Duration::from_millis(2200)).contains(&took),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_pauses_all_requests_until_its_end() {
        let clock = Clock::manual(START);
        let throttle = Throttle::new(10.0, 4, clock.clone());
        throttle.refused(Server::Api, Some(RetryAfter::In(Duration::from_secs(30))));
        let until = throttle.paused_until(Server::Api).unwrap();
        assert!(until >= START + Duration::from_secs(30));
        assert_eq!(
            throttle.admit(Server::Api).await.unwrap_err(),
            ApiError::Paused { until }
        );
        assert_eq!(throttle.paused_until(Server::Api), Some(until));
        clock.set(until);
        assert!(throttle.admit(Server::Api).await.is_ok());
        assert_eq!(throttle.paused_until(Server::Api), None);
    }

    #[tokio::test(start_paused = true)]
    async fn rejections_of_concurrent_requests_count_once() {
        let clock = Clock::manual(START);
        let throttle = Throttle::new(10.0, 4, clock.clone());
        for _ in 0..8 {
            throttle.refused(Server::Api, None);
        }
        assert!(throttle.paused_until(Server::Api).unwrap() <= START + Duration::from_secs(6));
        clock.set(START + Duration::from_secs(10));
        assert_eq!(throttle.paused_since(Server::Api), None, "it has ended");
        throttle.refused(Server::Api, None);
        assert!(throttle.paused_until(Server::Api).unwrap() >= START + Duration::from_secs(20));
        let since = || throttle.paused_since(Server::Api);
        assert_eq!(since(), Some(START), "no request succeeded in between");
        clock.set(START + Duration::from_mins(1));
        throttle.succeeded(Server::Api);
        assert_eq!(since(), None);
        throttle.refused(Server::Api, None);
        assert_eq!(since(), Some(START + Duration::from_mins(1)));
        assert!(throttle.paused_until(Server::Api).unwrap() <= START + Duration::from_secs(66));
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_of_the_time_of_day_does_not_change_a_pause() {
        let clock = Clock::manual(START);
        let throttle = Throttle::new(10.0, 4, clock.clone());
        throttle.refused(Server::Api, Some(RetryAfter::In(Duration::from_secs(3))));
        let length = throttle.paused_until(Server::Api).unwrap().since(START);
        for put in [
            START - Duration::from_mins(10),
            START + Duration::from_hours(1),
        ] {
            clock.put(put);
            let until = put + length;
            assert_eq!(throttle.paused_until(Server::Api), Some(until));
            let paused = throttle.admit(Server::Api).await.unwrap_err();
            assert_eq!(paused, ApiError::Paused { until });
        }
        clock.put(START - Duration::from_mins(10));
        clock.set(clock.now() + Duration::from_secs(4));
        assert_eq!(throttle.paused_until(Server::Api), None);
        assert!(throttle.admit(Server::Api).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_throttle_of_the_next_configuration_continues_the_pause_and_the_rate() {
        let clock = Clock::manual(START);
        let before = Throttle::new(10.0, 4, clock.clone());
        for _ in 0..20 {
            drop(before.admit(Server::Api).await.unwrap());
        }
        let begin = Instant::now();
        let mut next = Throttle::new(10.0, 4, clock);
        next.follow(&before);
        drop(next.admit(Server::Api).await.unwrap());
        assert!(begin.elapsed() >= Duration::from_millis(99), "no new burst");
        before.refused(Server::Api, None);
        assert!(next.paused_until(Server::Api).is_some());
        assert!(next.admit(Server::Api).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_token_endpoint_has_its_own_pauses() {
        let throttle = Throttle::new(10.0, 4, Clock::manual(START));
        throttle.refused(Server::Tokens, None);
        assert!(throttle.admit(Server::Tokens).await.is_err());
        assert!(throttle.admit(Server::Api).await.is_ok());
        throttle.succeeded(Server::Api);
        assert!(throttle.paused_until(Server::Tokens).is_some());
        assert_eq!(throttle.paused_until(Server::Api), None);
    }
}
