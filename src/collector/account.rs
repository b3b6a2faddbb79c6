//! One account's collections: at most one at a time, shared by everybody who asks meanwhile.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::collection::Outcome;
use super::discovery::Discovery;
use super::keeper::Keeper;
use super::list_behavior::ListBehavior;
use super::reads::Reads;
use super::settings::Settings;
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::registry::{Registry, Source};
use crate::snapshot::{AccountSnapshot, CollectionStatus};
use crate::timestamp::Timestamp;

/// A snapshot in the middle of a collection waits so long for what was read to be saved. A disk that takes longer is as bad as
/// one that refuses: gauges go on, counters stay as they were saved last.
const PATIENCE: Duration = Duration::from_millis(200);

/// So many silent collections in a row, and scrapes do not wait for the account.
const MOST_SILENT: u32 = 3;
/// A collection without an answer that takes longer is a silent one. A scrape still waits so long for a silent account, to find out
/// when it answers again.
const SILENCE: Duration = Duration::from_secs(1);
/// Further from Twilio's time than this, a clock makes operations expire early or stay too long.
const WRONG_CLOCK: Duration = Duration::from_hours(1);

/// Collects one account.
#[derive(Debug)]
pub(super) struct AccountCollector {
    pub(super) name: Arc<str>,
    settings: Mutex<Arc<Settings>>,
    /// Who asks the account's URLs.
    watching: Mutex<Option<AbortHandle>>,
    pub(super) reads: Reads,
    pub(super) clock: Clock,
    pub(super) keeper: Keeper,
    /// Held by whoever takes in what Twilio answered, and closed while a snapshot saves what has come so far.
    pub(super) intake: RwLock<()>,
    /// Held while something is registered or forgotten.
    pub(super) registering: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// What is known of the account.
#[derive(Debug)]
pub(super) struct State {
    pub(super) registry: Registry,
    pub(super) discovery: Discovery,
    /// How the list of emails fares, when it is asked for tags.
    pub(super) tagging: Discovery,
    pub(super) trouble: Trouble,
    /// What the list has been seen to do.
    pub(super) list: ListBehavior,
    /// Sources that have not said yet what they list.
    pub(super) unheard: HashSet<Source>,
    /// Files of which nobody knows yet whether a new configuration still names them.
    pub(super) in_question: HashSet<Source>,
    /// Whether no look at the files has ended yet.
    pub(super) files_unseen: bool,
    /// Whether the last snapshot lost its patience, and the commit that it waited for is still under way.
    pub(super) saving_hangs: bool,
    /// When the store was last rid of what is far too old.
    pub(super) purged: Option<Timestamp>,
    /// Whether this machine's clock was far off at the end of the last collection.
    clock_is_wrong: bool,
    running: Option<Running>,
    last: Last,
}

/// The collection under way.
#[derive(Debug)]
struct Running {
    /// Whether Twilio let us in since it began.
    let_in: bool,
    /// Whether it answered "not there" or the like: so it answers to those it lets in, and so does a wrong address.
    said_not_there: bool,
    /// Whether the list of new operations was refused.
    list_refused: bool,
    /// How many saves failed since it began; after one, the next collection tries again.
    failed_saves: u32,
    finished: watch::Receiver<bool>,
    task: Option<AbortHandle>,
}

/// What is known of the collections that have ended.
#[derive(Debug, Default)]
struct Last {
    /// Whether any of them requested anything.
    asked: bool,
    up: bool,
    /// How many of them in a row got no answer for longer than [`SILENCE`].
    silent: u32,
    complete: bool,
    duration: Option<Duration>,
    ended: Option<Instant>,
    success: Option<Timestamp>,
}

impl AccountCollector {
    pub(super) fn new(
        account: &crate::config::Account,
        settings: Settings,
        registry: Registry,
        keeper: Keeper,
        clock: Clock,
    ) -> Self {
        let state = State {
            registry,
            discovery: Discovery::default(),
            tagging: Discovery::default(),
            trouble: Trouble::new(Arc::clone(&account.name)),
            list: ListBehavior::new(Arc::clone(&account.name)),
            unheard: settings.url_sources().collect(),
            in_question: HashSet::new(),
            files_unseen: settings.has_files(),
            saving_hangs: false,
            purged: None,
            clock_is_wrong: false,
            running: None,
            last: Last::default(),
        };
        Self {
            name: Arc::clone(&account.name),
            watching: Mutex::default(),
            settings: Mutex::new(Arc::new(settings)),
            reads: Reads::default(),
            clock,
            keeper,
            intake: RwLock::default(),
            registering: tokio::sync::Mutex::default(),
            state: Mutex::new(state),
        }
    }

    /// Starts a collection, or joins the one under way; the receiver turns true (or closes) when it has ended.
    pub(super) fn begin(self: &Arc<Self>) -> watch::Receiver<bool> {
        let mut state = self.lock();
        if let Some(running) = state
            .running
            .as_ref()
            .filter(|running| running.is_under_way())
        {
            return running.finished.clone();
        }
        let (ended, finished) = watch::channel(false);
        state.running = Some(Running {
            let_in: false,
            said_not_there: false,
            list_refused: false,
            failed_saves: 0,
            finished: finished.clone(),
            task: None,
        });
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            this.collect().await;
            ended.send_replace(true);
        });
        if let Some(running) = &mut state.running {
            running.task = Some(task.abort_handle());
        }
        finished
    }

    /// What is known now; whether a collection is under way or not.
    ///
    /// Everything in it has been saved, unless saving fails or hangs.
    pub(super) async fn snapshot(&self) -> AccountSnapshot {
        let _closed = self.intake.write().await;
        if self.lock().is_worth_saving() {
            self.save_patiently().await;
        }
        let mut state = self.lock();
        self.expire(&mut state, self.clock.now());
        let under_way = state
            .running
            .as_ref()
            .filter(|running| running.is_under_way());
        let paused_until = self.settings().client.paused_until();
        let status = CollectionStatus {
            // Whichever request brought the pause, none would be answered now.
            up: paused_until.is_none() && under_way.map_or(state.last.up, |running| running.let_in),
            discovery_up: state.discovery.up(),
            complete: under_way.is_none() && state.last.complete,
            duration: state.last.duration,
            last_success: state.last.success,
            paused_until,
            clock_skew: self.settings().client.clock_skew(),
        };
        let shown = state.registry.presenter().snapshot(status);
        state.registry.exposed();
        shown
    }

    /// What the configuration says now.
    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others into force; returns what they were.
    pub(super) fn exchange_settings(&self, settings: Arc<Settings>) -> Arc<Settings> {
        let mut now = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut now, settings)
    }

    /// Ends the task that asks the account's URLs; another one does from now on.
    pub(super) fn watches_by(&self, task: Option<AbortHandle>) {
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *watching, task) {
            before.abort();
        }
    }

    /// Saves, unless that takes too long; then it goes on behind.
    pub(super) async fn save_patiently(&self) {
        let hangs = self.lock().saving_hangs;
        if !hangs && tokio::time::timeout(PATIENCE, self.save()).await.is_err() {
            self.lock().saving_hangs = true;
        }
    }

    /// How long a scrape with this budget waits for a collection. An account that does not answer is collected behind the scrapes:
    /// waiting for it would make each of them last its whole deadline.
    pub(super) fn patience(&self, budget: Duration) -> Duration {
        if self.lock().last.silent < MOST_SILENT {
            budget
        } else {
            budget.min(SILENCE)
        }
    }

    /// Whether a collection has ever ended.
    pub(super) fn has_collected(&self) -> bool {
        self.lock().last.duration.is_some()
    }

    /// Whether a collection has ended no longer than `age` ago.
    pub(super) fn has_collected_within(&self, age: Duration) -> bool {
        let ended = self.lock().last.ended;
        ended.is_some_and(|ended| ended.elapsed() <= age)
    }

    /// Ends the collection under way, if any, and asks no URL any more.
    pub(super) fn stop(&self) {
        self.watches_by(None);
        if let Some(task) = self.lock().running.take().and_then(|running| running.task) {
            task.abort();
        }
    }

    /// Forgets what Twilio no longer keeps, and says so of what the user wanted watched.
    pub(super) fn expire(&self, state: &mut State, now: Timestamp) {
        for id in state.registry.expire(now) {
            tracing::info!(account = %self.name, operation = %id, "no longer watched: Twilio keeps an operation for 7 days");
        }
    }

    /// Forgets what nobody wants any more, once everybody has said what they want.
    pub(super) fn settle(&self, state: &mut State) {
        if state.unheard.is_empty() && !state.files_unseen {
            state.registry.drop_unlisted(self.settings().discovers);
        }
    }

    /// Takes in how the collection went that ends now.
    pub(super) fn finish(&self, outcome: Outcome, took: Duration) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.trouble.collection_ended();
        let running = state.running.take();
        let let_in = running.as_ref().is_some_and(|running| running.let_in);
        // Where the list is refused as well, "not there" may come from a wrong address.
        let says_nothing = !outcome.turned_away
            && running.is_some_and(|running| running.said_not_there && !running.list_refused);
        if outcome.asked && (let_in || !says_nothing) {
            state.last.up = let_in;
        }
        state.last.asked |= outcome.asked;
        let is_silent = outcome.asked && !let_in && took > SILENCE;
        state.last.silent = if is_silent {
            state.last.silent.saturating_add(1)
        } else {
            0
        };
        if state.last.silent == MOST_SILENT {
            tracing::warn!(account = %self.name, "Twilio has not answered for several collections; scrapes do not wait for this account until it does");
        }
        // Whoever has read nothing at all has missed everything, although nothing that was due is missing.
        let read_nothing = state.last.asked && !state.last.up;
        let clock_is_wrong = self.note_clock_skew(&mut state);
        state.last.complete = !outcome.incomplete && !read_nothing && !clock_is_wrong;
        state.last.duration = Some(took);
        state.last.ended = Some(Instant::now());
        if state.last.complete {
            state.last.success = Some(now);
        }
        tracing::debug!(account = %self.name, complete = state.last.complete, up = state.last.up, seconds = took.as_secs_f64(), "collected");
    }

    /// Whether this machine's clock is so far from Twilio's that operations are missing for it. Logs when that begins and ends.
    fn note_clock_skew(&self, state: &mut State) -> bool {
        let skew = self.settings().client.clock_skew();
        let is_wrong = skew.is_some_and(|skew| skew.span() > WRONG_CLOCK);
        if is_wrong != std::mem::replace(&mut state.clock_is_wrong, is_wrong) {
            match skew {
                Some(skew) if is_wrong => {
                    tracing::error!(account = %self.name, skew_seconds = skew.as_seconds(), "this machine's clock is {skew}; collections count as incomplete until it is set right (check NTP)");
                }
                _ => {
                    tracing::info!(account = %self.name, "this machine's clock agrees with Twilio's again");
                }
            }
        }
        is_wrong
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held would be a bug of the registry's; the other accounts and the page must live on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the collection under way has read something that is not saved yet; a collection that has ended has tried.
    fn is_worth_saving(&self) -> bool {
        let under_way = self.running.as_ref().is_some_and(Running::is_under_way);
        under_way && !self.saving_hangs && !self.registry.is_saved()
    }

    /// Whether there is something to save, and no attempt has failed in the collection under way: one that follows at once
    /// would fail again, and be counted again. All of it is to be saved where the store `is_behind`.
    pub(super) fn is_to_be_saved(&self, is_behind: bool) -> bool {
        let failed = self
            .running
            .as_ref()
            .is_some_and(|running| running.failed_saves > 0);
        !failed && (is_behind || !self.registry.is_saved())
    }

    /// Notes that saving failed.
    pub(super) fn save_failed(&mut self) {
        if let Some(running) = &mut self.running {
            running.failed_saves += 1;
        }
    }

    /// Whether Twilio has let us in since the collection under way began.
    pub(super) fn is_let_in(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.let_in)
    }

    /// Notes that Twilio knows nothing of what was asked for.
    pub(super) fn said_not_there(&mut self) {
        if let Some(running) = &mut self.running {
            running.said_not_there = true;
        }
    }

    /// Notes that the list of new operations is refused.
    pub(super) fn list_refused(&mut self) {
        if let Some(running) = &mut self.running {
            running.list_refused = true;
        }
    }

    /// Notes that Twilio let us in.
    pub(super) fn let_in(&mut self) {
        if let Some(running) = &mut self.running {
            running.let_in = true;
        }
    }
}

impl Running {
    /// False once it has said so, or its task is gone without a word.
    fn is_under_way(&self) -> bool {
        self.finished.has_changed().is_ok() && !*self.finished.borrow()
    }
}
