//! One collection of an account's operations. It plans the requests, reads windows of the list, then single operations.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::budget::RequestBudget;
use super::failure_log::FailureLog;
use super::large_work::large_work;
use super::ledger::Ledger;
use super::list_health::ListHealth;
use super::plan::{self, Plan, PlanInput, Window};
use super::progress::Progress;
use super::settings::AccountSettings;
use super::shared_reads::OperationReads;
use super::single_reads;
use super::window_reader::{OVERLAP, WindowReader};
use crate::operation::{Operation, OperationId, RETENTION};
use crate::registry::DueSearch;
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// The time limit of a collection, which outlives many scrapes: a list may have ten thousand pages, or responses may trickle in.
const LONGEST: Duration = Duration::from_mins(30);

/// How a collection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CollectionResult {
    /// Nothing was due, and no request was made.
    Idle,
    /// Everything due was read.
    Complete,
    /// Some due reads were not made.
    Incomplete,
    /// The account is blocked (401, 403, rate limit) or Twilio is unreachable. Everything still due counts as failed.
    Blocked,
    /// Like [`Self::Blocked`], because of a pause that began before the collection: no request was made.
    Paused,
}

impl CollectionResult {
    pub(super) const fn is_complete(self) -> bool {
        matches!(self, Self::Idle | Self::Complete)
    }

    pub(super) const fn is_blocked(self) -> bool {
        matches!(self, Self::Blocked | Self::Paused)
    }

    pub(super) const fn made_requests(self) -> bool {
        !matches!(self, Self::Idle | Self::Paused)
    }
}

/// One collection.
#[derive(Debug)]
pub(super) struct Collection<'a> {
    pub(super) settings: &'a Arc<AccountSettings>,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) lists: &'a Mutex<ListHealth>,
    pub(super) reads: &'a OperationReads,
    pub(super) log: &'a FailureLog,
    pub(super) progress: &'a Progress,
    pub(super) budget: &'a RequestBudget,
    /// When it began.
    pub(super) since: Timestamp,
}

/// How the windows of a collection were read.
enum WindowsRead {
    /// There was no window.
    None,
    /// All were read; `complete` unless a row was unreadable or a page is missing.
    Read { complete: bool },
    /// The list is refused. Known operations can still be read one by one.
    Refused { complete: bool },
    /// No further request can succeed.
    Blocked { made_requests: bool },
}

impl Collection<'_> {
    /// Reads everything that is due.
    pub(super) async fn run(&self) -> CollectionResult {
        self.settings.client.begin().await;
        let instant = self.ledger.instant();
        self.ledger.lock().set_time(self.since, instant);
        self.ledger.expire_all().await;
        self.ledger.catch_up().await;
        let due = self.ledger.search_due(self.since, self.since).await;
        let plan = Arc::new(self.plan(due).await);
        tracing::debug!(account = %self.ledger.name(), windows = plan.windows.len(), singles = plan.singles.len(), left_out = plan.left_out.len(), "planned");
        let carried_out = tokio::time::timeout(LONGEST, self.carry_out(&plan)).await;
        let result = carried_out.unwrap_or_else(|_| {
            let (login, now) = (self.settings.client.login(), self.ledger.now());
            self.log
                .list_failed(&ApiError::Timeout(LONGEST), login, now);
            CollectionResult::Blocked
        });
        if result.is_blocked() {
            self.fail_planned(&plan).await;
        }
        // The results of the first collection that reads anything, or has nothing to read, are baseline.
        if self.progress.is_accepted() || result == CollectionResult::Idle {
            self.ledger.lock().end_first_collection();
        }
        result
    }

    async fn plan(&self, due: DueSearch) -> Plan {
        let found = due.found();
        let (mut input, has_windows) = self.plan_input();
        let plan = move || {
            if has_windows {
                (input.ranges, input.others) = due.into_ranges();
            }
            plan::plan(&input)
        };
        large_work(found, plan).await
    }

    /// The input of a plan without the due operations, and whether they can be found by windows.
    fn plan_input(&self) -> (PlanInput, bool) {
        let (lists, since) = (self.lists.lock(), self.since);
        let is_listed = self.settings.discovers && lists.backoff.is_due(self.ledger.instant());
        // If Twilio ignores dates, one list covers everything. Operations that it does not reach are read one by one.
        let has_windows = lists.behavior.date_filter_works || !is_listed;
        let registry = self.ledger.lock();
        let room = lists.behavior.room();
        let oldest = since - RETENTION;
        let newest = || {
            let from = registry.discovered_until().map(|until| {
                (until.min(since) - OVERLAP).min(registry.agenda().newest_page_from(room, since))
            });
            Window {
                from: from.unwrap_or(oldest).max(oldest),
                until: None,
                processing: false,
            }
        };
        let input = PlanInput {
            newest: is_listed.then(newest),
            processing: lists
                .behavior
                .state_filter_works
                .then(|| registry.agenda().processing()),
            room,
            idle: registry.agenda().idle_configured(since),
            budget: self.budget.total(),
            ..PlanInput::default()
        };
        (input, has_windows)
    }

    async fn carry_out(&self, plan: &Arc<Plan>) -> CollectionResult {
        let (is_refused, is_sound, mut made_requests) = match self.read_windows(plan).await {
            WindowsRead::None => (false, true, false),
            WindowsRead::Read { complete } => (false, complete, true),
            WindowsRead::Refused { complete } => (true, complete, true),
            WindowsRead::Blocked {
                made_requests: true,
            } => return CollectionResult::Blocked,
            WindowsRead::Blocked {
                made_requests: false,
            } => return CollectionResult::Paused,
        };
        let mut due = self.due_reads(plan).await;
        let left = self.budget.left_for_reads();
        let is_covered = plan.left_out.is_empty() && due.len() <= left;
        due.truncate(left);
        if is_refused && due.is_empty() {
            // Twilio may refuse only the list; one read shows whether the account authenticates.
            due.extend(self.ledger.lock().agenda().newest_readable(self.since));
        }
        let mut is_answered = true;
        if !due.is_empty() {
            made_requests |= self.settings.client.paused_until().is_none();
            match self.read_each(&due).await {
                None if made_requests => return CollectionResult::Blocked,
                None => return CollectionResult::Paused,
                Some(all_answered) => is_answered = all_answered,
            }
        }
        match is_sound && is_covered && is_answered {
            false => CollectionResult::Incomplete,
            true if made_requests => CollectionResult::Complete,
            true => CollectionResult::Idle,
        }
    }

    async fn read_windows(&self, plan: &Plan) -> WindowsRead {
        let reader = WindowReader {
            settings: self.settings,
            ledger: self.ledger,
            lists: self.lists,
            log: self.log,
            progress: self.progress,
            budget: self.budget,
            since: self.since,
        };
        let mut read = WindowsRead::None;
        let mut complete = true;
        for (at, window) in plan.windows.iter().enumerate() {
            match reader.read(*window, at == 0).await {
                Ok(is_sound) => complete &= is_sound,
                Err(ApiError::Paused { .. }) => {
                    let made_requests = at > 0;
                    return WindowsRead::Blocked { made_requests };
                }
                Err(error) if blocks_single_reads(&error) => {
                    return WindowsRead::Blocked {
                        made_requests: true,
                    };
                }
                Err(error) if error.is_refusal() => return WindowsRead::Refused { complete },
                Err(_) => return WindowsRead::Read { complete: false },
            }
            read = WindowsRead::Read { complete };
            // If Twilio ignores dates, every further window would be the whole list again.
            if !self.lists.lock().behavior.date_filter_works {
                break;
            }
        }
        read
    }

    /// The single reads of the plan, and due operations that its windows turned out not to cover.
    async fn due_reads(&self, plan: &Arc<Plan>) -> Vec<OperationId> {
        let now = self.ledger.now();
        let mut due = self.ledger.search_due(self.since, now).await;
        let found = due.found() + plan.left_out.len();
        let mut ids = plan.singles.clone();
        let refused = {
            let registry = self.ledger.lock();
            // A window may have returned them already, and a configured operation that is due is in both lists.
            ids.retain(|id| !registry.agenda().is_read(*id, self.since, now));
            registry.agenda().refused()
        };
        let plan = Arc::clone(plan);
        let merge = move || {
            let mut seen: HashSet<_> = plan.left_out.iter().copied().collect();
            ids.retain(|id| seen.insert(*id));
            ids.extend(due.take_ids().into_iter().filter(|id| seen.insert(*id)));
            // Refused ones last: an operation of another account must not decide whether this account is blocked.
            ids.sort_by_key(|id| refused.contains(id));
            ids
        };
        large_work(found, merge).await
    }

    /// Reads operations one by one. Returns whether all of them got a response, including "not found"; `None` if the account became
    /// blocked.
    async fn read_each(&self, due: &[OperationId]) -> Option<bool> {
        self.budget.spend(due.len());
        let end = self.settings.client.earliest(due.len());
        self.progress.note_reads_until(end);
        let all_answered = AtomicBool::new(true);
        let read = |id| self.reads.operation(self.settings, id);
        let apply = |id, result: Result<Operation, ApiError>| {
            let all_answered = &all_answered;
            async move {
                match result {
                    Ok(operation) => {
                        self.progress.note_read_answered();
                        all_answered.fetch_and(self.ingest(operation).await, Ordering::Relaxed);
                    }
                    Err(error) => {
                        if !error.is_silence() {
                            self.progress.note_read_answered();
                        }
                        all_answered.fetch_and(self.read_failed(id, &error), Ordering::Relaxed);
                    }
                }
            }
        };
        let at_once = self.settings.limits.concurrent_requests;
        let is_accepted = self.progress.is_accepted();
        single_reads::read_until_blocked(due, at_once, is_accepted, read, apply)
            .await
            .then(|| all_answered.load(Ordering::Relaxed))
    }

    /// Ingests an operation. Returns whether its state was readable.
    async fn ingest(&self, operation: Operation) -> bool {
        let (id, client) = (operation.id, &self.settings.client);
        let read = vec![operation];
        let observed = self.ledger.ingest(read, self.since, client).await;
        self.progress.note_accepted();
        observed.unread == 0 || self.read_failed(id, &client.unreadable_state())
    }

    /// Notes that an operation could not be read. Returns whether there was a response about it: "not found" is one.
    fn read_failed(&self, id: OperationId, error: &ApiError) -> bool {
        if matches!(error, ApiError::Implausible(_)) {
            self.progress.note_accepted();
        } else if error.is_about_resource() {
            self.progress.note_not_found();
        }
        self.log.note_read_failed(error, self.ledger.now());
        if self.ledger.read_failed(id, error) {
            self.log.read_failed(id, error);
        }
        matches!(error, ApiError::NotFound { .. } | ApiError::Expired { .. })
    }

    /// Notes that the operations of the plan that are still due were not read.
    async fn fail_planned(&self, plan: &Plan) {
        let now = self.ledger.now();
        let windows = plan.windows.iter().filter(|window| !window.processing);
        let windows = windows.map(|window| (window.from, window.until));
        self.ledger.lock().fail_windows(windows, self.since, now);
        self.ledger.catch_up().await;
        self.ledger.fail_due(self.since, now).await;
    }
}

/// Whether a list that failed with this error shows that single reads would fail, too.
const fn blocks_single_reads(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Unauthorized
            | ApiError::LoginRejected { .. }
            | ApiError::RateLimited { .. }
            | ApiError::Unavailable { .. }
            | ApiError::Connect(_)
            | ApiError::Tls(_)
            | ApiError::NoToken(_)
    )
}
