//! One account's collections: at most one at a time, shared by everybody who asks meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::discovery::Discovery;
use super::fetch;
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::operation::{Operation, OperationId, RETENTION};
use crate::registry::Registry;
use crate::snapshot::{AccountSnapshot, Standing};
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Client};

/// The longest collection, all scrapes that it outlives included: a list of ten thousand pages, or a Twilio that trickles.
const LONGEST: Duration = Duration::from_mins(30);

/// Collects one account.
#[derive(Debug)]
pub(super) struct AccountCollector {
    name: Arc<str>,
    client: Client,
    clock: Clock,
    at_once: usize,
    discovers: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    registry: Registry,
    discovery: Discovery,
    trouble: Trouble,
    running: Option<Running>,
    last: Last,
}

/// The collection under way.
#[derive(Debug)]
struct Running {
    /// Whether Twilio let us in since it began.
    let_in: bool,
    finished: watch::Receiver<bool>,
    task: Option<AbortHandle>,
}

/// What is known of the collections that have ended.
#[derive(Debug, Default)]
struct Last {
    up: bool,
    complete: bool,
    duration: Option<Duration>,
    success: Option<Timestamp>,
}

/// How a collection went.
#[derive(Debug, Default)]
struct Outcome {
    /// Something was asked; a collection that had nothing to ask says nothing about Twilio.
    asked: bool,
    /// Something that was due got no answer.
    incomplete: bool,
    /// It ended for the whole account, so that whatever was not read failed to be read.
    broken_off: bool,
}

impl Outcome {
    const BROKEN_OFF: Self = Self {
        asked: true,
        incomplete: true,
        broken_off: true,
    };
}

impl AccountCollector {
    pub(super) fn new(
        name: Arc<str>,
        client: Client,
        registry: Registry,
        at_once: usize,
        discovers: bool,
        clock: Clock,
    ) -> Self {
        let state = State {
            registry,
            discovery: Discovery::default(),
            trouble: Trouble::new(Arc::clone(&name)),
            running: None,
            last: Last::default(),
        };
        Self {
            name,
            client,
            clock,
            at_once,
            discovers,
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
    pub(super) fn snapshot(&self) -> AccountSnapshot {
        let mut state = self.lock();
        state.registry.expire(self.clock.now());
        let under_way = state
            .running
            .as_ref()
            .filter(|running| running.is_under_way());
        let standing = Standing {
            up: under_way.map_or(state.last.up, |running| running.let_in),
            discovery_up: state.discovery.up(),
            complete: under_way.is_none() && state.last.complete,
            duration: state.last.duration,
            last_success: state.last.success,
            paused_until: self.client.paused_until(),
        };
        state.registry.show(standing)
    }

    /// Whether a collection has ever ended.
    pub(super) fn has_collected(&self) -> bool {
        self.lock().last.duration.is_some()
    }

    /// Ends the collection under way, if any.
    pub(super) fn stop(&self) {
        if let Some(task) = self.lock().running.take().and_then(|running| running.task) {
            task.abort();
        }
    }

    async fn collect(&self) {
        let (began, since) = (Instant::now(), self.clock.now());
        for id in self.lock().registry.expire(since) {
            tracing::info!(account = %self.name, operation = %id, "no longer watched: Twilio keeps an operation for 7 days");
        }
        let outcome = tokio::time::timeout(LONGEST, self.carry_out(since))
            .await
            .unwrap_or_else(|_| {
                self.lock().trouble.list_failed(&ApiError::Timeout(LONGEST));
                Outcome::BROKEN_OFF
            });
        if outcome.broken_off {
            self.lock().registry.fail_unread(since);
        }
        self.finish(&outcome, began.elapsed());
    }

    /// The list first, since it covers a thousand operations with a request; then whatever it left open.
    async fn carry_out(&self, since: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        if self.discovers && self.lock().discovery.is_due(since) {
            match self.discover(since).await {
                Ok(complete) => outcome.incomplete = !complete,
                Err(ApiError::Paused { .. }) => {
                    return Outcome {
                        asked: false,
                        ..Outcome::BROKEN_OFF
                    };
                }
                Err(error) if leaves_nothing_to_try(&error) => return Outcome::BROKEN_OFF,
                // A refused list is what `discovery_up` tells; everything known can still be read.
                Err(error) => outcome.broken_off = !error.is_refusal(),
            }
            outcome.asked = true;
        }
        let due = self.lock().registry.due(since, self.clock.now());
        if !due.is_empty() {
            outcome.asked |= self.client.paused_until().is_none();
            let read = self.read_each(&due, since).await;
            outcome.incomplete |= !read.all_answered;
            outcome.broken_off |= !read.all_asked;
        }
        outcome.incomplete |= outcome.broken_off;
        outcome
    }

    /// Lists the retention window. Says whether every row could be read.
    async fn discover(&self, since: Timestamp) -> Result<bool, ApiError> {
        let listed = self
            .client
            .list(since - RETENTION, |operations| {
                self.absorb(operations, since) > 0
            })
            .await;
        let mut state = self.lock();
        match &listed {
            Ok(listed) => {
                state.discovery.answered();
                state.let_in();
                state.trouble.list_answered(listed);
            }
            Err(error) => {
                if !matches!(error, ApiError::Paused { .. }) {
                    state.discovery.failed(error, self.clock.now());
                }
                if error.was_let_in() {
                    state.let_in();
                }
                state.trouble.list_failed(error);
            }
        }
        listed.map(|listed| listed.unreadable == 0)
    }

    /// Reads operations one by one.
    async fn read_each(&self, due: &[OperationId], since: Timestamp) -> ReadEach {
        let all_answered = AtomicBool::new(true);
        let all_asked = fetch::each(&self.client, due, self.at_once, |id, result| match result {
            Ok(operation) => {
                self.absorb(vec![operation], since);
            }
            Err(error) => {
                all_answered.fetch_and(self.read_failed(id, &error), Ordering::Relaxed);
            }
        })
        .await;
        ReadEach {
            all_asked,
            all_answered: all_asked && all_answered.load(Ordering::Relaxed),
        }
    }

    /// Takes in what was read; returns how many operations of it were not read before in this collection.
    fn absorb(&self, operations: Vec<Operation>, since: Timestamp) -> usize {
        let mut state = self.lock();
        state.let_in();
        state.registry.observe(operations, since, self.clock.now())
    }

    /// Takes in that an operation could not be read. "Not there" is an answer; says whether this was one.
    fn read_failed(&self, id: OperationId, error: &ApiError) -> bool {
        let mut state = self.lock();
        if error.was_let_in() {
            state.let_in();
        }
        let news = error
            .reason()
            .is_some_and(|reason| state.registry.fail(id, reason, self.clock.now()));
        if news {
            state.trouble.read_failed(id, error);
        }
        matches!(error, ApiError::NotFound { .. } | ApiError::Expired { .. })
    }

    fn finish(&self, outcome: &Outcome, took: Duration) {
        let now = self.clock.now();
        let mut state = self.lock();
        let let_in = state.running.take().is_some_and(|running| running.let_in);
        if outcome.asked {
            state.last.up = let_in;
        }
        // Whoever may not even list, and has nothing else to read, has missed everything; though nothing that was due is missing.
        let turned_away = !state.last.up && state.discovery.up() == Some(false);
        state.last.complete = !outcome.incomplete && !turned_away;
        state.last.duration = Some(took);
        if state.last.complete {
            state.last.success = Some(now);
        }
        tracing::debug!(account = %self.name, complete = state.last.complete, up = state.last.up, seconds = took.as_secs_f64(), "collected");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it is held would be a bug of the registry's; the other accounts and the page must live on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn let_in(&mut self) {
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
    )
}
