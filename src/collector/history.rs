//! The results of the account's finished collections. They decide `up`, `collection_complete`, and whether the next scrape waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::collection::CollectionResult;
use super::progress::Progress;
use crate::clock_skew::ClockSkew;
use crate::diagnosis;
use crate::snapshot::{CollectorName, CollectorStatus};
use crate::timestamp::Timestamp;

/// After this many silent collections in a row, scrapes do not wait for the account.
const MOST_SILENT: u32 = 3;
/// A collection without any response that takes longer is silent. A scrape still waits this long for a silent account, so that
/// it notices the first response.
const SILENCE: Duration = Duration::from_secs(1);

/// The finished collections of one account.
#[derive(Debug)]
pub(super) struct History {
    account: Arc<str>,
    /// Whether Twilio accepted the credentials; `None` before the first request.
    up: Option<bool>,
    complete: bool,
    /// How many of them in a row were silent.
    silent: u32,
    /// In how many of them in a row no single read got a response, though the list may have.
    silent_reads: u32,
    duration: Option<Duration>,
    finished: Option<Instant>,
    last_success: Option<Timestamp>,
    /// When collections that authenticate began to be incomplete.
    incomplete_since: Option<Timestamp>,
    /// When this machine's clock began to differ too much from Twilio's.
    clock_wrong_since: Option<Timestamp>,
    /// The requests of its budget that the last collection did not use.
    budget_left: Option<usize>,
}

/// One finished collection.
#[derive(Debug)]
pub(super) struct Finished<'a> {
    pub(super) result: CollectionResult,
    pub(super) progress: &'a Progress,
    pub(super) took: Duration,
    /// When it finished.
    pub(super) at: Timestamp,
    pub(super) clock_skew: Option<ClockSkew>,
    /// The requests of its budget that it did not use.
    pub(super) budget_left: usize,
}

impl History {
    pub(super) const fn new(account: Arc<str>) -> Self {
        Self {
            account,
            up: None,
            complete: false,
            silent: 0,
            silent_reads: 0,
            duration: None,
            finished: None,
            last_success: None,
            incomplete_since: None,
            clock_wrong_since: None,
            budget_left: None,
        }
    }

    /// Adds a collection that has just finished.
    pub(super) fn add(&mut self, collection: &Finished<'_>) {
        let Finished {
            result, progress, ..
        } = *collection;
        let is_accepted = progress.is_accepted();
        if result.made_requests() {
            let is_inconclusive = !result.is_blocked() && progress.is_inconclusive();
            self.up = Some(if is_inconclusive {
                self.up()
            } else {
                is_accepted
            });
        }
        self.note_silence(result.made_requests() && !is_accepted && collection.took > SILENCE);
        self.note_silent_reads(progress.are_reads_silent() && collection.took > SILENCE);
        self.note_clock_skew(collection.clock_skew, collection.at);
        // An account that was not read at all is not complete, even if nothing was due.
        let read_nothing = self.up == Some(false);
        self.complete = result.is_complete() && !read_nothing && self.clock_wrong_since.is_none();
        let is_incomplete = self.up() && !self.complete;
        hold(&mut self.incomplete_since, is_incomplete, collection.at);
        self.duration = Some(collection.took);
        self.budget_left = Some(collection.budget_left);
        self.finished = Some(Instant::now());
        if self.complete {
            self.last_success = Some(collection.at);
        }
        tracing::debug!(account = %self.account, complete = self.complete, up = self.up(), seconds = collection.took.as_secs_f64(), "collected");
    }

    pub(super) fn up(&self) -> bool {
        self.up == Some(true)
    }

    pub(super) const fn complete(&self) -> bool {
        self.complete
    }

    pub(super) const fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// The requests of its budget that the last collection did not use; `None` before the first.
    pub(super) const fn budget_left(&self) -> Option<usize> {
        self.budget_left
    }

    /// When collections that authenticate began to be incomplete; `None` if the last one was complete or did not authenticate.
    pub(super) const fn incomplete_since(&self) -> Option<Timestamp> {
        self.incomplete_since
    }

    /// When this machine's clock began to differ too much from Twilio's.
    pub(super) const fn clock_wrong_since(&self) -> Option<Timestamp> {
        self.clock_wrong_since
    }

    /// The last collection, as the run of one collector.
    pub(super) fn status(&self) -> Option<CollectorStatus> {
        self.duration.map(|duration| CollectorStatus {
            name: CollectorName::Operations,
            success: self.complete,
            duration,
        })
    }

    pub(super) const fn last_success(&self) -> Option<Timestamp> {
        self.last_success
    }

    /// Whether a collection finished at most `age` ago.
    pub(super) fn has_finished_within(&self, age: Duration) -> bool {
        self.finished
            .is_some_and(|finished| finished.elapsed() <= age)
    }

    /// How long a scrape with this budget waits for a collection. Waiting for a silent account would make every scrape last
    /// its whole deadline; its collections run in the background.
    pub(super) fn wait(&self, budget: Duration) -> Duration {
        if self.silent < MOST_SILENT {
            budget
        } else {
            budget.min(SILENCE)
        }
    }

    /// How long a scrape waits for single reads; `None`: as long as it can.
    pub(super) const fn wait_for_reads(&self) -> Option<Duration> {
        if self.silent_reads < MOST_SILENT {
            None
        } else {
            Some(SILENCE)
        }
    }

    fn note_silent_reads(&mut self, is_silent: bool) {
        self.silent_reads = if is_silent {
            self.silent_reads.saturating_add(1)
        } else {
            0
        };
        if self.silent_reads == MOST_SILENT {
            tracing::warn!(account = %self.account, "Twilio has not responded to reads of single operations in {MOST_SILENT} collections in a row; scrapes do not wait for them until it responds");
        }
    }

    fn note_silence(&mut self, is_silent: bool) {
        self.silent = if is_silent {
            self.silent.saturating_add(1)
        } else {
            0
        };
        if self.silent == MOST_SILENT {
            tracing::warn!(account = %self.account, "Twilio has not responded in {MOST_SILENT} collections in a row; scrapes do not wait for this account until it responds");
        }
    }

    fn note_clock_skew(&mut self, skew: Option<ClockSkew>, at: Timestamp) {
        let is_wrong = skew.is_some_and(ClockSkew::is_wrong);
        if !hold(&mut self.clock_wrong_since, is_wrong, at) {
            return;
        }
        match skew {
            Some(skew) if is_wrong => {
                let error = diagnosis::wrong_clock(skew).log_text();
                tracing::error!(account = %self.account, skew_seconds = skew.as_seconds(), error, "this machine's clock is {skew}");
            }
            _ => {
                tracing::info!(account = %self.account, "this machine's clock agrees with Twilio's again");
            }
        }
    }
}

/// Notes whether a condition holds at `at`; `since` is when it began. Returns whether that changed.
pub(super) fn hold(since: &mut Option<Timestamp>, holds: bool, at: Timestamp) -> bool {
    let is_news = since.is_some() != holds;
    if is_news {
        *since = holds.then_some(at);
    }
    is_news
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
    const BUDGET: Duration = Duration::from_secs(9);

    fn history() -> History {
        History::new(Arc::from("default"))
    }

    fn add(history: &mut History, result: CollectionResult, accepted: bool, took: Duration) {
        add_at(history, NOW, result, accepted, took, None);
    }

    fn add_at(
        history: &mut History,
        at: Timestamp,
        result: CollectionResult,
        accepted: bool,
        took: Duration,
        clock_skew: Option<ClockSkew>,
    ) {
        let progress = Progress::default();
        if accepted {
            progress.note_accepted();
        }
        history.add(&Finished {
            result,
            progress: &progress,
            took,
            at,
            clock_skew,
            budget_left: 0,
        });
    }

    #[test]
    fn scrapes_do_not_wait_for_an_account_that_stays_silent() {
        let mut history = history();
        let long = Duration::from_secs(30);
        for _ in 0..MOST_SILENT {
            assert_eq!(history.wait(BUDGET), BUDGET);
            add(&mut history, CollectionResult::Blocked, false, long);
        }
        assert_eq!(history.wait(BUDGET), SILENCE);
        assert_eq!(history.wait(Duration::ZERO), Duration::ZERO);
        add(&mut history, CollectionResult::Complete, true, long);
        assert_eq!(history.wait(BUDGET), BUDGET);
    }

    #[test]
    fn a_refusal_that_comes_at_once_is_not_silence() {
        let mut history = history();
        for _ in 0..9 {
            add(
                &mut history,
                CollectionResult::Blocked,
                false,
                Duration::ZERO,
            );
        }
        assert_eq!(history.wait(BUDGET), BUDGET);
    }

    #[test]
    fn a_collection_without_requests_says_nothing_about_twilio() {
        let mut history = history();
        let took = Duration::ZERO;
        add(&mut history, CollectionResult::Idle, false, took);
        assert!(!history.up() && history.complete());
        add(&mut history, CollectionResult::Complete, true, took);
        add(&mut history, CollectionResult::Paused, false, took);
        assert!(history.up() && !history.complete());
        add(&mut history, CollectionResult::Idle, false, took);
        assert!(history.up() && history.complete());
    }

    #[test]
    fn an_account_of_which_nothing_was_read_is_not_complete() {
        let mut history = history();
        let took = Duration::ZERO;
        add(&mut history, CollectionResult::Complete, false, took);
        assert!(!history.up() && !history.complete());
        add(&mut history, CollectionResult::Idle, false, took);
        assert!(!history.complete(), "still nothing was read");
    }
    #[test]
    fn collections_are_incomplete_since_the_first_that_authenticates_until_a_complete_one() {
        use CollectionResult::{Blocked, Complete, Incomplete, Paused};
        let mut history = history();
        let mut since_after = |minutes, result, accepted| {
            let at = NOW + Duration::from_mins(minutes);
            add_at(&mut history, at, result, accepted, Duration::ZERO, None);
            let since = history.incomplete_since();
            since.map(|since| since.since(NOW).as_secs() / 60)
        };
        assert_eq!(since_after(0, Complete, true), None);
        assert_eq!(since_after(1, Incomplete, true), Some(1));
        assert_eq!(since_after(2, Incomplete, true), Some(1));
        assert_eq!(since_after(3, Paused, false), Some(1), "still not read");
        assert_eq!(since_after(4, Complete, true), None);
        assert_eq!(since_after(5, Incomplete, true), Some(5));
        assert_eq!(since_after(6, Blocked, false), None, "a failure of its own");
        assert_eq!(since_after(7, Incomplete, true), Some(7));
    }

    #[test]
    fn the_clock_is_wrong_since_the_first_response_that_shows_it_until_one_that_does_not() {
        let mut history = history();
        let mut since_after = |minutes, ahead| {
            let at = NOW + Duration::from_mins(minutes);
            let skew = ClockSkew::between(at, at + Duration::from_mins(ahead));
            let (result, took) = (CollectionResult::Complete, Duration::ZERO);
            add_at(&mut history, at, result, true, took, Some(skew));
            let since = history.clock_wrong_since();
            since.map(|since| since.since(NOW).as_secs() / 60)
        };
        assert_eq!(since_after(0, 60), None, "an hour is not too much");
        assert_eq!(since_after(1, 61), Some(1));
        assert_eq!(since_after(2, 600), Some(1));
        assert_eq!(since_after(3, 0), None);
        assert_eq!(since_after(4, 90), Some(4));
    }
}
