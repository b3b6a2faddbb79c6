//! The counters of an account, its baseline, and its counting mode. Counters are exposed only as they were last saved.

use std::time::Duration;

use super::contributions::Contributions;
use super::email_proof::EmailProof;
use crate::clock_skew::ClockSkew;
use crate::operation::{Counters, CountingMode, Evidence, Marks, Operation, OperationId, Stats};
use crate::snapshot::CounterOrigins;
use crate::store::{SavedAccount, UNBORN};
use crate::timestamp::Timestamp;

/// `createdAt` has whole seconds, the id has milliseconds. Up to this difference, the time in the id is the more precise one.
const CREATED_AT_PRECISION: Duration = Duration::from_secs(2);

/// Two clocks that differ by no more than this agree.
const CLOCKS_AGREE: Duration = Duration::from_mins(1);

/// How far the saved progress of discovery may lag.
const LAG: Duration = Duration::from_mins(5);

/// The counters of an account, and their exposed values.
#[derive(Debug)]
pub(super) struct AccountCounters {
    fixed: Option<CountingMode>,
    account: SavedAccount,
    /// The first operation whose stats are cumulative. A second one proves the counting mode.
    witness: Option<OperationId>,
    /// What emails have proven.
    by_emails: EmailProof,
    /// When the exporter first watched the account, by this machine's clock.
    started: Timestamp,
    /// Whether no collection of this account has read anything yet. The results of the first one are baseline.
    is_first: bool,
    /// Whether `born` was loaded from the store, and Twilio has not responded since.
    is_restored: bool,
    /// The newest creation time that the first collection found.
    newest: Option<Timestamp>,
    /// The last saved state. Counters are exposed as saved, so a restart never decreases them.
    saved: Option<SavedAccount>,
    contributions: Contributions,
}

impl AccountCounters {
    /// The counters of a new account, which the exporter watches since `started`, by this machine's clock.
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
            by_emails: EmailProof::default(),
            started,
            is_first: true,
            is_restored: false,
            newest: None,
            saved: None,
            contributions: Contributions::default(),
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

    /// Decides from which creation time on operations count, by Twilio's clock, which is `skew` ahead of this machine's. A saved time
    /// in the future comes from a clock that was wrong: it is corrected once, and returned.
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

    /// Ends the first collection that read anything, or had nothing to read. Its results stay baseline.
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

    /// Limits the progress of discovery to `now`: a later time comes from a clock that has since been set back.
    pub(super) fn limit_discovered(&mut self, now: Timestamp) {
        let until = &mut self.account.discovered_until;
        *until = until.map(|until| until.min(now));
    }

    /// The counting mode that the user configured, else the one that emails have proven, else the one that stats have proven.
    pub(super) const fn mode(&self) -> CountingMode {
        match (
            self.fixed,
            self.by_emails.mode(),
            self.account.cumulative_proven,
        ) {
            (Some(mode), _, _) | (None, Some(mode), _) => mode,
            (None, None, true) => CountingMode::Cumulative,
            (None, None, false) => CountingMode::Exclusive,
        }
    }

    /// Notes that the emails of an operation agree with its stats in this counting mode only. Returns whether the account's counting
    /// mode changed.
    pub(super) fn note_emails(
        &mut self,
        id: OperationId,
        mode: CountingMode,
        evidence: Evidence,
    ) -> bool {
        let before = self.mode();
        self.by_emails.note(id, mode, evidence);
        self.apply_proof(before)
    }

    /// Restores what emails proved before a restart. Returns as [`Self::note_emails`].
    pub(super) fn restore_email_proof(&mut self, mode: CountingMode) -> bool {
        let before = self.mode();
        self.by_emails.restore(mode);
        self.apply_proof(before)
    }

    pub(super) const fn proven_by_emails(&self) -> Option<CountingMode> {
        self.by_emails.mode()
    }

    fn apply_proof(&mut self, before: CountingMode) -> bool {
        if let Some(mode) = self.by_emails.mode() {
            // After a restart without the collector of emails, this flag decides.
            self.account.cumulative_proven = mode == CountingMode::Cumulative;
        }
        self.mode() != before
    }

    /// Counts an operation in a counting mode that was proven after it was read. Returns the marks from which its counters grow, and
    /// its marks now. Baseline stays baseline: how much of the difference came later is not known.
    pub(super) fn recount(&mut self, operation: &Operation, before: Marks) -> (Marks, Marks) {
        let shown = self.shown_by(&operation.stats);
        if self.is_baseline(operation) {
            let raised = before.raised_by(shown);
            return (raised, raised);
        }
        (before, self.raise(before, shown))
    }

    /// Looks for stats that prove the cumulative mode, before they are counted. One operation proves it only by many emails: one
    /// wrong row must not change the counts of all others.
    pub(super) fn detect_cumulative<'a>(
        &mut self,
        operations: impl Iterator<Item = &'a Operation>,
    ) {
        for operation in operations {
            if self.account.cumulative_proven || self.by_emails.mode().is_some() {
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

    /// The counting mode for one operation. Cumulative stats are counted as such before the mode of the account is proven, so
    /// nothing is counted twice.
    fn mode_of(&self, stats: &Stats) -> CountingMode {
        let is_proven = self.fixed.is_some() || self.by_emails.mode().is_some();
        if !is_proven && stats.evidence_of_funnel() > Evidence::None {
            return CountingMode::Cumulative;
        }
        self.mode()
    }

    fn shown_by(&self, stats: &Stats) -> Marks {
        Marks::shown_by(stats, self.mode_of(stats))
    }

    /// Counts an operation that is not in memory, of which `kept` are the saved high-water marks. Returns its marks before and now.
    ///
    /// The stats of an operation that was created before the exporter watched the account are baseline.
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

    /// What an operation with these marks has certainly added to the counters: all of them, or nothing if they are baseline.
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

    /// Counts the growth of an operation's stats above its high-water marks.
    pub(super) fn seen_again(&mut self, before: Marks, stats: &Stats) -> Marks {
        let shown = self.shown_by(stats);
        self.raise(before.unless_impossible(shown), shown)
    }

    /// Whether any outcome decreased.
    pub(super) fn falls(&self, before: &Stats, now: &Stats) -> bool {
        let [before, now] = [before, now].map(|stats| self.shown_by(stats));
        now.raised_by(before) != now
    }

    /// The counters as they may be exposed; `None` before the first save: the store may have higher ones that cannot be read now.
    pub(super) fn exposed(&self) -> Option<Counters> {
        self.saved.map(|saved| saved.counters)
    }

    /// When the exposed counters began to count, and which operations made them grow last.
    pub(super) fn origins(&self) -> CounterOrigins {
        let (accepted, outcomes) = self.contributions.exposed();
        let born = self.saved.map(|saved| saved.born);
        CounterOrigins {
            since: born.filter(|born| *born != UNBORN),
            accepted,
            outcomes,
        }
    }

    /// Notes that an operation, as read at `read`, made the counters grow by the growth of its marks.
    pub(super) fn contributed(&mut self, id: OperationId, marks: (Marks, Marks), read: Timestamp) {
        let counters = &self.account.counters;
        self.contributions.add(id, marks, counters, read);
    }

    /// Whether nothing that matters is unsaved. The progress of discovery is saved only when it lags: after a restart, discovery begins
    /// a little earlier.
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
        self.contributions.saved(&account.counters);
    }

    fn raise(&mut self, before: Marks, shown: Marks) -> Marks {
        let raised = before.raised_by(shown);
        self.account.counters.count(before, raised);
        raised
    }
}

/// When the operation was created, as precisely as possible.
fn created(operation: &Operation) -> Timestamp {
    let (given, from_id) = (operation.created, operation.id.created());
    if given.since(from_id) <= CREATED_AT_PRECISION && from_id.since(given) <= CREATED_AT_PRECISION
    {
        from_id
    } else {
        given
    }
}
