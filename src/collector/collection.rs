//! One collection of one account, from the plan to the last answer.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::account::{AccountCollector, State};
use super::fetch;
use super::listing;
use super::plan::{self, Plan, Question, Window};
use super::restore;
use super::settings::Settings;
use crate::operation::{Operation, OperationId, RETENTION};
use crate::registry::{Observed, Source};
use crate::timestamp::Timestamp;
use crate::twilio::ApiError;

/// The longest collection, all scrapes that it outlives included: a list of ten thousand pages, or a Twilio that trickles.
const LONGEST: Duration = Duration::from_mins(30);
/// A collection plans for no more requests than the account's rate allows in this time.
const WORTH_OF_REQUESTS: f64 = 60.0;
/// Below this, what is new and what is old could not both have their turn.
const FEWEST_REQUESTS: usize = 4;

/// How often the store is rid of what is far too old.
const PURGE_INTERVAL: Duration = Duration::from_hours(1);
/// Marks are kept for three times as long as Twilio keeps an operation: a clock that jumps ahead and back must not count it again.
const MARKS_KEPT: Duration = RETENTION.saturating_mul(3);

/// How a collection went.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Outcome {
    /// Something was asked; a collection that had nothing to ask says nothing about Twilio.
    pub(super) asked: bool,
    /// Something that was due got no answer.
    pub(super) incomplete: bool,
    /// Twilio turned the account away, or was not there: what was due and not read failed to be read.
    pub(super) turned_away: bool,
}

impl AccountCollector {
    /// Collects, and takes in how it went.
    pub(super) async fn collect(&self) {
        let (began, since) = (Instant::now(), self.clock.now());
        self.look().await;
        let settings = self.settings();
        settings.client.begin().await;
        let plan = {
            let mut state = self.lock();
            self.expire(&mut state, since);
            Self::plan(&state, &settings, since)
        };
        tracing::debug!(account = %self.name, windows = plan.windows.len(), singles = plan.singles.len(), left_out = plan.left_out.len(), "planned");
        let outcome = tokio::time::timeout(LONGEST, self.carry_out(&settings, &plan, since))
            .await
            .unwrap_or_else(|_| {
                self.lock().trouble.list_failed(&ApiError::Timeout(LONGEST));
                Outcome {
                    asked: true,
                    incomplete: true,
                    turned_away: true,
                }
            });
        if outcome.turned_away {
            self.fail_planned(&plan, since);
        }
        if !outcome.turned_away {
            self.read_tags(&settings).await;
        }
        self.end_first_collection(outcome.asked);
        self.keeper.check().await;
        self.save().await;
        self.purge().await;
        self.finish(outcome, began.elapsed());
    }

    fn plan(state: &State, settings: &Settings, since: Timestamp) -> Plan {
        let registry = &state.registry;
        let room = state.list.room();
        let oldest = since - RETENTION;
        let newest = || {
            let from = registry.discovered_until().map(|until| {
                (until.min(since) - listing::OVERLAP).min(registry.newest_page_from(room, since))
            });
            Window {
                from: from.unwrap_or(oldest).max(oldest),
                until: None,
                processing: false,
            }
        };
        let lists = settings.discovers && state.discovery.is_due(since);
        // Without dates there is one list, of everything; what it leaves is read one by one.
        let has_windows = state.list.date_filter_works || !lists;
        let stretches = has_windows.then(|| registry.stretches(since, since));
        let others = has_windows.then(|| registry.due(since, since, true));
        plan::plan(&Question {
            newest: lists.then(newest),
            processing: state.list.state_filter_works.then(|| registry.processing()),
            stretches: stretches.unwrap_or_default(),
            others: others.unwrap_or_default(),
            room,
            resting: registry.resting_configured(since),
            budget: budget(settings),
        })
    }

    async fn carry_out(&self, settings: &Arc<Settings>, plan: &Plan, since: Timestamp) -> Outcome {
        let mut is_refused = false;
        let mut outcome = Outcome {
            incomplete: !plan.left_out.is_empty(),
            ..Outcome::default()
        };
        for (at, window) in plan.windows.iter().enumerate() {
            match self.list(settings, *window, at == 0, since).await {
                Ok(complete) => outcome.incomplete |= !complete,
                Err(ApiError::Paused { .. }) => {
                    return Outcome {
                        incomplete: true,
                        turned_away: true,
                        ..outcome
                    };
                }
                Err(error) if leaves_nothing_to_try(&error) => {
                    return Outcome {
                        asked: true,
                        incomplete: true,
                        turned_away: true,
                    };
                }
                // A refused list is what `discovery_up` tells; everything known can still be read, one by one.
                Err(error) => {
                    is_refused = error.is_refusal();
                    outcome.incomplete |= !is_refused;
                    outcome.asked = true;
                    break;
                }
            }
            outcome.asked = true;
            // Every further window would be the whole account again.
            if !self.lock().list.date_filter_works {
                break;
            }
        }
        let mut due = self.single_reads(plan, since);
        // A list that turned out to be refused leaves everything to single reads.
        outcome.incomplete |= due.len() > budget(settings);
        due.truncate(budget(settings));
        if is_refused && due.is_empty() {
            // The refusal may be of the list alone; one read shows whether the account authenticates.
            due.extend(self.lock().registry.newest_readable(since));
        }
        if !due.is_empty() {
            outcome.asked |= settings.client.paused_until().is_none();
            let read = self.read_each(settings, &due, since).await;
            outcome.incomplete |= !read.all_answered;
            outcome.turned_away |= !read.all_asked;
        }
        outcome
    }

    /// What the plan reads one by one, and whatever its windows turned out not to cover.
    fn single_reads(&self, plan: &Plan, since: Timestamp) -> Vec<OperationId> {
        let state = self.lock();
        let due = state.registry.due(since, self.clock.now(), false);
        let mut told: HashSet<_> = plan.left_out.iter().copied().collect();
        let now = self.clock.now();
        let mut ids = plan.singles.clone();
        // A window may have told of them already; and a configured one that is due stands there twice.
        ids.retain(|id| told.insert(*id) && !state.registry.is_read(*id, since, now));
        ids.extend(due.iter().map(|due| due.id).filter(|id| told.insert(*id)));
        // Those that were refused go last: one that is somebody else's must not stand for the whole account.
        ids.sort_by_key(|id| state.registry.is_refused(*id));
        ids
    }

    /// Reads operations one by one.
    async fn read_each(
        &self,
        settings: &Arc<Settings>,
        due: &[OperationId],
        since: Timestamp,
    ) -> ReadEach {
        let all_answered = AtomicBool::new(true);
        let let_in = self.lock().is_let_in();
        let read = |id| self.reads.read(settings, id);
        let absorb = |id, result| {
            let all_answered = &all_answered;
            async move {
                match result {
                    Ok(operation) => {
                        self.absorb(vec![operation], since).await;
                    }
                    Err(error) => {
                        all_answered.fetch_and(self.read_failed(id, &error), Ordering::Relaxed);
                    }
                }
            }
        };
        let all_asked = fetch::each(
            due,
            settings.limits.concurrent_requests,
            let_in,
            read,
            absorb,
        )
        .await;
        ReadEach {
            all_asked,
            all_answered: all_asked && all_answered.load(Ordering::Relaxed),
        }
    }

    /// Takes in what was read.
    pub(super) async fn absorb(&self, operations: Vec<Operation>, since: Timestamp) -> Observed {
        let _open = self.intake.read().await;
        let settings = self.settings();
        let mut state = self.lock();
        state.let_in();
        let skew = settings.client.clock_skew();
        if let Some(was) = state.registry.decide_birth(skew, self.clock.now()) {
            tracing::warn!(account = %self.name, %was, "counting began in the future: this machine's clock was ahead then; it begins now");
        }
        let fresh = state.registry.observe(
            operations,
            |id| self.keeper.kept(id),
            since,
            self.clock.now(),
        );
        let unexpected = state.registry.take_unexpected();
        settings.client.note_unexpected(unexpected);
        fresh
    }

    /// Takes in that an operation could not be read. "Not there" is an answer; says whether this was one.
    pub(super) fn read_failed(&self, id: OperationId, error: &ApiError) -> bool {
        let mut state = self.lock();
        if matches!(error, ApiError::Implausible(_)) {
            state.let_in();
        } else if error.is_about_resource() {
            state.said_not_there();
        }
        let news = error
            .reason()
            .is_some_and(|reason| state.registry.fail(id, reason, self.clock.now()));
        if news {
            state.trouble.read_failed(id, error);
        }
        matches!(error, ApiError::NotFound { .. } | ApiError::Expired { .. })
    }

    /// Takes in the operations of a page that cannot be believed.
    pub(super) fn rejected(&self, rejected: &[(OperationId, ApiError)]) {
        let mut state = self.lock();
        for (id, error) in rejected {
            if state.registry.reject(*id, self.clock.now()) {
                state.trouble.read_failed(*id, error);
            }
        }
    }

    /// From the first collection on that read something, or had nothing to read, what is new is counted.
    fn end_first_collection(&self, asked: bool) {
        let mut state = self.lock();
        if state.is_let_in() || !asked {
            state.registry.end_first_collection();
        }
    }

    /// Takes in that the account was turned away before the plan was carried out.
    fn fail_planned(&self, plan: &Plan, since: Timestamp) {
        let mut state = self.lock();
        for window in plan.windows.iter().filter(|window| !window.processing) {
            state.registry.fail_window(window.from, window.until, since);
        }
        let now = self.clock.now();
        let due: Vec<_> = state
            .registry
            .due(since, now, false)
            .iter()
            .map(|due| due.id)
            .collect();
        state.registry.fail_each(&due, now);
    }

    /// Forgets marks that nothing can ask for any more, now and then. The time is Twilio's, by the newest operation it told
    /// of: this machine's clock alone may be far ahead.
    async fn purge(&self) {
        let now = self.clock.now();
        let newest = {
            let mut state = self.lock();
            if state
                .purged
                .is_some_and(|last| now.since(last) < PURGE_INTERVAL)
            {
                return;
            }
            state.purged = Some(now);
            state.registry.newest()
        };
        if let Some(newest) = newest {
            self.keeper.purge(newest.min(now) - MARKS_KEPT).await;
        }
    }

    /// Saves what changed; from then on it is shown as counted. What cannot be saved is tried again with the next collection.
    pub(super) async fn save(&self) {
        while self.is_to_be_saved() && self.save_once().await {}
    }

    fn is_to_be_saved(&self) -> bool {
        self.lock().is_to_be_saved(self.keeper.is_behind())
    }

    /// Takes up what was saved, from a store that could not be opened at the start. Says whether that worked.
    async fn load(&self) -> bool {
        let _registering = self.registering.lock().await;
        let restored = self.keeper.restore(self.clock.now()).await;
        let mut state = self.lock();
        if let Some((restored, generation)) = restored {
            restore::take_up(&mut state.registry, restored, self.clock.now());
            self.keeper.loaded(generation);
            self.settle(&mut state);
            true
        } else {
            state.save_failed();
            false
        }
    }

    /// Says whether to try again at once: the store has lost what it had and can take all of it anew.
    async fn save_once(&self) -> bool {
        let turn = self.keeper.turn().await;
        if self.keeper.is_to_be_loaded() && !self.load().await {
            return false;
        }
        let is_behind = self.keeper.is_behind();
        let (batch, registered) = {
            let mut state = self.lock();
            if !state.is_to_be_saved(is_behind) {
                return false;
            }
            if is_behind {
                state.registry.lost();
            }
            let registered = is_behind.then(|| state.registry.all_listed_by(&Source::Api));
            (state.registry.unsaved(), registered)
        };
        let now = self.clock.now();
        let saved = self.keeper.save(turn, batch, registered, now).await;
        let mut state = self.lock();
        state.saving_hangs = false;
        match saved {
            Some(saved) => state.registry.saved(&saved),
            None if !is_behind && self.keeper.is_behind() => return true,
            None if self.keeper.is_to_be_loaded() => return true,
            None => state.save_failed(),
        }
        false
    }
}

/// How single reads went.
struct ReadEach {
    /// None was left out because the account was turned away.
    all_asked: bool,
    /// Each of them got an answer, if only "not there".
    all_answered: bool,
}

/// Whether a list that failed so shows that single reads would fail too.
fn leaves_nothing_to_try(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Unauthorized
            | ApiError::RateLimited { .. }
            | ApiError::Unavailable { .. }
            | ApiError::Connect(_)
            | ApiError::Tls(_)
            | ApiError::NoToken(_)
    )
}

/// The most requests of one collection.
fn budget(settings: &Settings) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a larger one saturates"
    )]
    let budget = (settings.limits.requests_per_second * WORTH_OF_REQUESTS) as usize;
    budget.max(FEWEST_REQUESTS)
}
