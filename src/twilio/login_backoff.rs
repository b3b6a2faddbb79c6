//! The backoff of rejected credentials: after a rejection they are not used for 1 to 5 minutes, longer with each rejection.
//!
//! It belongs to the rejected pair, so it ends immediately when the credentials change. It also ends when a request with the same pair
//! authenticates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::error::ApiError;
use super::pause::Pause;
use super::secret::CredentialPair;
use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// The wait after the first rejection; it doubles with each one. Otherwise a scrape every 15 s is a rejected login every 15 s.
const FIRST: Duration = Duration::from_mins(1);
/// Credentials that become valid at Twilio, without a change here, work again within this time.
const LONGEST: Duration = Duration::from_mins(5);
/// A 401 within this time after a request that authenticated, in the same collection, is not about the credentials: some endpoints
/// return 401 instead of 403. This is the longest usual scrape interval, because probes run between two collections: a probe of an
/// operation that returns 401 must not block the account. The next collection shows whether the credentials were revoked.
const STILL_ACCEPTED: Duration = Duration::from_mins(5);

/// The backoff of one account's credentials at one server.
#[derive(Debug)]
pub(super) struct LoginBackoff {
    clock: Clock,
    /// Shared with the client of the next configuration, because a reload alone does not make credentials valid.
    state: Arc<Mutex<LoginState>>,
}

#[derive(Debug, Default)]
struct LoginState {
    rejection: Option<Rejection>,
    /// The credentials with which a request of the current collection last authenticated, and when.
    accepted: Option<(CredentialPair, Instant)>,
}

/// Credentials that were rejected and not accepted since.
#[derive(Debug)]
struct Rejection {
    credentials: CredentialPair,
    /// The number of rejections in a row.
    count: u32,
    pause: Pause,
}

impl LoginBackoff {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// Continues the backoff of `before`.
    pub(super) fn follow(&mut self, before: &Self) {
        self.state = Arc::clone(&before.state);
    }

    /// To be called when a collection begins: an acceptance in the collection before does not count any more.
    pub(super) fn begin_collection(&self) {
        self.state.lock().accepted = None;
    }

    /// When these credentials are tried again; `None` if they may be used.
    pub(super) fn retry_at(&self, credentials: &CredentialPair) -> Option<Timestamp> {
        let (instant, now) = (self.clock.instant(), self.clock.now());
        let state = self.state.lock();
        let rejection = state.rejection.as_ref()?;
        (rejection.credentials.is(credentials) && rejection.pause.is_active(instant))
            .then(|| rejection.pause.until(instant, now))
    }

    /// Fails while these credentials must not be used.
    pub(super) fn check(&self, credentials: &CredentialPair) -> Result<(), ApiError> {
        self.retry_at(credentials)
            .map_or(Ok(()), |retry_at| Err(ApiError::LoginRejected { retry_at }))
    }

    /// Notes that the server rejected these credentials.
    pub(super) fn rejected(&self, credentials: &CredentialPair) {
        let (instant, now) = (self.clock.instant(), self.clock.now());
        let mut state = self.state.lock();
        let is_accepted = state.accepted.as_ref().is_some_and(|(accepted, at)| {
            accepted.is(credentials) && instant.saturating_duration_since(*at) < STILL_ACCEPTED
        });
        if is_accepted {
            return;
        }
        let before = state.rejection.as_ref();
        let before = before.filter(|before| before.credentials.is(credentials));
        // Concurrent requests that are rejected together count as one rejection.
        if before.is_some_and(|before| before.pause.is_active(instant)) {
            return;
        }
        let count = before.map_or(1, |before| before.count.saturating_add(1));
        state.rejection = Some(Rejection {
            credentials: credentials.clone(),
            count,
            pause: Pause::new(length(count), instant, now),
        });
    }

    /// Notes that a request with these credentials authenticated.
    pub(super) fn accepted(&self, credentials: &CredentialPair) {
        let mut state = self.state.lock();
        state.accepted = Some((credentials.clone(), self.clock.instant()));
        if let Some(rejection) = &state.rejection
            && rejection.credentials.is(credentials)
        {
            state.rejection = None;
        }
    }
}

/// The wait after the `count`th rejection in a row.
fn length(count: u32) -> Duration {
    let doubled = 1_u32.checked_shl(count.saturating_sub(1));
    let wait = FIRST.saturating_mul(doubled.unwrap_or(u32::MAX));
    wait.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_775_370_000_000);

    fn pair(secret: &str) -> CredentialPair {
        CredentialPair {
            name: SecretString::from("SK1"),
            secret: SecretString::from(secret),
        }
    }

    fn backoff() -> (LoginBackoff, Clock) {
        let clock = Clock::manual(START);
        (LoginBackoff::new(clock.clone()), clock)
    }

    fn pass(clock: &Clock, span: Duration) {
        clock.set(clock.now() + span);
    }

    #[test]
    fn rejected_credentials_wait_longer_with_each_rejection_up_to_five_minutes() {
        let (backoff, clock) = backoff();
        let mut waits = Vec::new();
        for _ in 0..6 {
            backoff.rejected(&pair("a"));
            let retry_at = backoff.retry_at(&pair("a")).unwrap();
            waits.push(retry_at.since(clock.now()).as_secs());
            let error = backoff.check(&pair("a")).unwrap_err();
            assert_eq!(error, ApiError::LoginRejected { retry_at });
            clock.set(retry_at);
            assert_eq!(backoff.check(&pair("a")), Ok(()));
        }
        assert_eq!(waits, [60, 120, 240, 300, 300, 300]);
        assert_eq!(length(u32::MAX), LONGEST);
    }

    #[test]
    fn other_credentials_may_be_used_immediately_and_begin_with_the_first_wait() {
        let (backoff, clock) = backoff();
        for _ in 0..3 {
            backoff.rejected(&pair("a"));
            pass(&clock, LONGEST);
        }
        backoff.rejected(&pair("a"));
        assert_eq!(backoff.check(&pair("b")), Ok(()));
        backoff.rejected(&pair("b"));
        assert_eq!(backoff.retry_at(&pair("b")), Some(clock.now() + FIRST));
        assert_eq!(backoff.check(&pair("a")), Ok(()));
    }

    #[test]
    fn a_request_that_authenticates_ends_the_backoff_of_its_credentials() {
        let (backoff, clock) = backoff();
        backoff.rejected(&pair("a"));
        // From a request that was sent before the secret changed.
        backoff.accepted(&pair("before"));
        assert!(backoff.retry_at(&pair("a")).is_some());
        backoff.accepted(&pair("a"));
        assert_eq!(backoff.retry_at(&pair("a")), None);
        backoff.begin_collection();
        backoff.rejected(&pair("a"));
        assert_eq!(backoff.retry_at(&pair("a")), Some(clock.now() + FIRST));
    }

    #[test]
    fn requests_that_are_rejected_together_count_once() {
        let (backoff, clock) = backoff();
        for _ in 0..8 {
            backoff.rejected(&pair("a"));
        }
        assert_eq!(backoff.retry_at(&pair("a")), Some(clock.now() + FIRST));
    }

    #[test]
    fn a_rejection_right_after_an_acceptance_in_the_same_collection_begins_no_backoff() {
        let (backoff, clock) = backoff();
        backoff.begin_collection();
        backoff.accepted(&pair("a"));
        backoff.rejected(&pair("a"));
        assert_eq!(backoff.check(&pair("a")), Ok(()));
        // That says nothing about other credentials.
        backoff.rejected(&pair("b"));
        assert!(backoff.check(&pair("b")).is_err());
        backoff.begin_collection();
        backoff.rejected(&pair("a"));
        assert!(backoff.check(&pair("a")).is_err());
        backoff.accepted(&pair("a"));
        pass(&clock, STILL_ACCEPTED);
        backoff.rejected(&pair("a"));
        assert!(backoff.check(&pair("a")).is_err());
    }

    #[test]
    fn a_jump_of_the_time_of_day_does_not_change_the_wait() {
        let (backoff, clock) = backoff();
        backoff.rejected(&pair("a"));
        for put in [
            START - Duration::from_hours(9),
            START + Duration::from_hours(9),
        ] {
            clock.put(put);
            assert_eq!(backoff.retry_at(&pair("a")), Some(put + FIRST));
        }
        pass(&clock, FIRST);
        assert_eq!(backoff.retry_at(&pair("a")), None);
    }

    #[test]
    fn the_next_client_continues_the_backoff() {
        let (before, clock) = backoff();
        before.rejected(&pair("a"));
        let mut next = LoginBackoff::new(clock);
        next.follow(&before);
        assert_eq!(next.retry_at(&pair("a")), before.retry_at(&pair("a")));
        assert!(next.retry_at(&pair("a")).is_some());
        assert_eq!(next.check(&pair("b")), Ok(()));
    }
}
