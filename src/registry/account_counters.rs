//! The counters of an account, and what decides them: the reading of stats, and what was there before anybody counted.

use std::time::Duration;

use crate::clock_skew::ClockSkew;
use crate::operation::{Counters, CountingMode, Evidence, Marks, Operation, OperationId, Stats};
use crate::store::{SavedAccount, UNBORN};
use crate::timestamp::Timestamp;

/// `createdAt` has whole seconds, the id's time milliseconds: where they agree so far, the id's is the better one.
const SAME_MOMENT: Duration = Duration::from_secs(2);

/// Two clocks that are this close agree.
const CLOCKS_AGREE: Duration = Duration::from_mins(1);

/// How far the saved progress of discovery may lag behind.
const LAG: Duration = Duration::from_mins(5);

/// What is counted, and what of it may be shown.
#[derive(Debug)]
pub(super) struct AccountCounters {
    fixed: Option<CountingMode>,
    account: SavedAccount,
    /// The first operation whose figures are a funnel; a second one proves the reading.
    witness: Option<OperationId>,
    /// When the exporter first watched the account, by this machine's clock.
    started: Timestamp,
    /// Whether no collection of this account has read anything yet: everything that the first one finds is baseline.
    is_first: bool,
    /// Whether the birth was read from the store, and Twilio has not answered since.
    is_restored: bool,
    /// The newest creation in that collection.
    newest: Option<Timestamp>,
    /// What was saved last. Counters are shown as saved, so that no restart can lower them.
    saved: Option<SavedAccount>,
}

impl AccountCounters {
    /// An account that is watched for the first time, from `started` on by this machine's clock.
    pub(super) fn new(fixed: Option<CountingMode>, started: Timestamp) -> Self {
        let account = SavedAccount {
            born: UNBORN,
            counters: Counters::default(),
            cumulative_proven: false,
            discovered_until: None,
        };
        Self {
            fixed,
            account,
            witness: None,
            started,
            is_first: true,
            is_restored: false,
            newest: None,
            saved: None,
        }
    }

    /// Applies the counting mode that the user configured, if any.
    pub(super) const fn set_mode(&mut self, mode: Option<CountingMode>) {
        self.fixed = mode;
    }

    pub(super) fn restore(&mut self, account: &SavedAccount) {
        let proven = self.account.cumulative_proven || account.cumulative_proven;
        self.account = SavedAccount {
            cumulative_proven: proven,
            ..*account
        };
        self.saved = Some(*account);
        self.is_first = account.born == UNBORN;
        self.is_restored = !self.is_first;
    }

    /// Decides when counting began, by Twilio's clock, which is `skew` ahead of this machine's: it is `now` here. A birth in the
    /// future that comes from the store was decided by a clock that was wrong; it is corrected once. Returns the birth as it was, if
    /// it was wrong.
    pub(super) fn decide_birth(
        &mut self,
        skew: Option<ClockSkew>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let by_twilio = |ours| skew.map_or(ours, |skew| skew.apply(ours));
        let born = self.account.born;
        if born == UNBORN {
            self.account.born = by_twilio(self.started);
            return None;
        }
        if skew.is_none() || !std::mem::take(&mut self.is_restored) {
            return None;
        }
        let is_wrong = born > by_twilio(now) + CLOCKS_AGREE;
        is_wrong.then(|| {
            self.account.born = by_twilio(now);
            born
        })
    }

    /// The first collection that read anything, or had nothing to read, is over. What it found stays baseline.
    pub(super) fn end_first(&mut self) {
        if std::mem::take(&mut self.is_first) && self.account.born != UNBORN {
            let behind_newest = self.newest.map(|newest| newest + Duration::from_millis(1));
            self.account.born = self.account.born.max(behind_newest.unwrap_or_default());
        }
    }

    pub(super) const fn account(&self) -> &SavedAccount {
        &self.account
    }

    pub(super) fn discovered(&mut self, moment: Timestamp) {
        self.account.discovered_until = self.account.discovered_until.max(Some(moment));
    }

    /// The reading by the evidence so far, or as the user says.
    pub(super) const fn mode(&self) -> CountingMode {
        match (self.fixed, self.account.cumulative_proven) {
            (Some(mode), _) => mode,
            (None, true) => CountingMode::Cumulative,
            (None, false) => CountingMode::Exclusive,
        }
    }

    /// Looks for evidence, before any of it is counted. One operation proves a reading only by many emails: a mistaken row
    /// must not change how all others are read.
    pub(super) fn detect_cumulative<'a>(
        &mut self,
        operations: impl Iterator<Item = &'a Operation>,
    ) {
        for operation in operations {
            if self.account.cumulative_proven {
                return;
            }
            let is_second = self.witness.is_some_and(|witness| witness != operation.id);
            match operation.stats.evidence_of_funnel() {
                Evidence::None => {}
                Evidence::Some if !is_second => self.witness = Some(operation.id),
                Evidence::Some | Evidence::Large => self.account.cumulative_proven = true,
            }
        }
    }

    /// How to read the figures of one operation: those that are a funnel are read as one even before that is proven of the
    /// account, so nothing of them is counted twice.
    fn mode_of(&self, stats: &Stats) -> CountingMode {
        if self.fixed.is_none() && stats.evidence_of_funnel() > Evidence::None {
            return CountingMode::Cumulative;
        }
        self.mode()
    }

    fn shown_by(&self, stats: &Stats) -> Marks {
        Marks::shown_by(stats, self.mode_of(stats))
    }

    /// Counts an operation that is not in the registry, of which `kept` was saved once. Returns its marks, before and now.
    ///
    /// One created before the account was first watched is baseline: what it shows now happened before anybody counted.
    pub(super) fn first_seen(
        &mut self,
        operation: &Operation,
        kept: Option<Marks>,
    ) -> (Marks, Marks) {
        if self.is_first {
            self.newest = self.newest.max(Some(created(operation)));
        }
        let shown = self.shown_by(&operation.stats);
        let before = match kept {
            Some(before) => before.unless_impossible(shown),
            None if self.is_baseline(operation) => shown,
            None => Marks::default(),
        };
        (before, self.raise(before, shown))
    }

    /// What an operation with these marks has given to the counters for certain: all, or of baseline nothing.
    pub(super) fn counted(&self, operation: &Operation, marks: Marks) -> Marks {
        if self.is_baseline(operation) {
            Marks::default()
        } else {
            marks
        }
    }

    fn is_baseline(&self, operation: &Operation) -> bool {
        self.is_first || created(operation) < self.account.born
    }

    /// Counts what an operation shows beyond what it has shown.
    pub(super) fn seen_again(&mut self, before: Marks, stats: &Stats) -> Marks {
        let shown = self.shown_by(stats);
        self.raise(before.unless_impossible(shown), shown)
    }

    /// Whether any outcome is less than it was.
    pub(super) fn falls(&self, before: &Stats, now: &Stats) -> bool {
        let [before, now] = [before, now].map(|stats| self.shown_by(stats));
        now.raised_by(before) != now
    }

    /// The counters as they may be shown; `None` before the first save. They would not begin at 0 if a store that cannot be
    /// read now has some.
    pub(super) fn exposed(&self) -> Option<Counters> {
        self.saved.map(|saved| saved.counters)
    }

    /// Whether what was saved last is as good as what there is. How far discovery has come is worth a write only now and
    /// then: a restart that knows less looks a little further back.
    pub(super) fn is_saved(&self) -> bool {
        self.saved.is_some_and(|saved| {
            let lag = match (self.account.discovered_until, saved.discovered_until) {
                (Some(now), Some(then)) => now.since(then),
                (None, _) => Duration::ZERO,
                (Some(_), None) => Duration::MAX,
            };
            lag < LAG
                && SavedAccount {
                    discovered_until: self.account.discovered_until,
                    ..saved
                } == self.account
        })
    }

    pub(super) fn saved(&mut self, account: &SavedAccount) {
        self.saved = Some(*account);
    }

    fn raise(&mut self, before: Marks, shown: Marks) -> Marks {
        let raised = before.raised_by(shown);
        self.account.counters.count(before, raised);
        raised
    }
}

/// When it was created, as exactly as can be told.
fn created(operation: &Operation) -> Timestamp {
    let (given, told) = (operation.created, operation.id.created());
    if given.since(told) <= SAME_MOMENT && told.since(given) <= SAME_MOMENT {
        told
    } else {
        given
    }
}
