//! Calls to the file system, any of which may hang forever: a mount whose server is down returns nothing, not even an error.
//!
//! A call that hangs cannot be interrupted and keeps its thread. The caller waits at most [`LIMIT`], and does not repeat the call before it
//! has finished, so the number of blocked threads is limited. The threads are separate from the runtime's, which the store also needs.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// The longest time without any finished call. A local disk needs milliseconds, a network mount a few hundred; a scrape has 10 s by
/// default.
pub(super) const LIMIT: Duration = Duration::from_secs(1);
/// The most threads at once, including those that hang. The remaining calls use the others.
const MOST: usize = 64;

/// Calls with a key each, at most one per key at a time.
pub(super) struct Calls<K, T> {
    running: FuturesUnordered<BoxFuture<'static, Finished<K, T>>>,
    /// The keys of the running calls.
    busy: BTreeSet<K>,
    /// Whether two keys are in the same directory, so that if one call hangs, both do.
    is_beside: fn(&K, &K) -> bool,
    /// The most calls at once in one directory.
    most_beside: usize,
}

/// The function to call.
pub(super) type Call<T> = Box<dyn FnOnce() -> T + Send>;

/// The calls of one round.
pub(super) struct Round<K, T> {
    waiting: VecDeque<(K, Call<T>)>,
    /// The keys of the running calls of this round.
    begun: BTreeSet<K>,
    idle: Vec<Thread>,
}

/// A call that has finished, with its result unless it panicked.
struct Finished<K, T> {
    key: K,
    result: Option<T>,
    thread: Thread,
}

/// A thread that runs one call after another. It ends when the value is dropped and the running call has finished.
struct Thread(mpsc::Sender<Call<()>>);

impl<K: Ord + Clone + Send + 'static, T: Send + 'static> Calls<K, T> {
    pub(super) fn new(most_beside: usize, is_beside: fn(&K, &K) -> bool) -> Self {
        Self {
            running: FuturesUnordered::new(),
            busy: BTreeSet::new(),
            is_beside,
            most_beside,
        }
    }

    /// Starts a round of `calls`. A call whose key is still busy from an earlier round is skipped.
    pub(super) fn round(&self, calls: impl IntoIterator<Item = (K, Call<T>)>) -> Round<K, T> {
        let is_free = |(key, _): &(K, Call<T>)| !self.busy.contains(key);
        Round {
            waiting: calls.into_iter().filter(is_free).collect(),
            begun: BTreeSet::new(),
            idle: Vec::new(),
        }
    }

    /// The next result, of this round or of an earlier one. `None` when all calls of the round have finished, or none has finished for
    /// [`LIMIT`]: a call without a result hangs, or waits for calls that hang.
    pub(super) async fn next(&mut self, round: &mut Round<K, T>) -> Option<(K, T)> {
        loop {
            self.begin(round);
            let finished = if round.begun.is_empty() {
                self.running.next().now_or_never()??
            } else {
                timeout(LIMIT, self.running.next()).await.ok()??
            };
            self.busy.remove(&finished.key);
            round.begun.remove(&finished.key);
            if let Some(result) = finished.result {
                round.idle.push(finished.thread);
                return Some((finished.key, result));
            }
        }
    }

    /// Begins calls up to the limits.
    fn begin(&mut self, round: &mut Round<K, T>) {
        while self.running.len() < MOST {
            let has_room = |(key, _): &(K, Call<T>)| {
                let beside = self.busy.iter().filter(|busy| (self.is_beside)(key, busy));
                beside.count() < self.most_beside
            };
            let Some(at) = round.waiting.iter().position(has_room) else {
                return;
            };
            // If the system has no free thread, the rest of the calls count as hanging.
            let Some(thread) = round.idle.pop().or_else(Thread::start) else {
                return;
            };
            if let Some((key, call)) = round.waiting.remove(at) {
                self.busy.insert(key.clone());
                round.begun.insert(key.clone());
                let result = thread.call(call).map(Result::ok);
                let finished = result.map(|result| Finished {
                    key,
                    result,
                    thread,
                });
                self.running.push(finished.boxed());
            }
        }
    }
}

impl<K: fmt::Debug, T> fmt::Debug for Calls<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("busy", &self.busy)
            .finish_non_exhaustive()
    }
}

impl Thread {
    fn start() -> Option<Self> {
        let (calls, received) = mpsc::channel::<Call<()>>();
        let run = move || received.into_iter().for_each(|call| call());
        let started = thread::Builder::new().name("files".to_owned()).spawn(run);
        started.is_ok().then_some(Self(calls))
    }

    fn call<T: Send + 'static>(&self, call: Call<T>) -> oneshot::Receiver<T> {
        let (result, answered) = oneshot::channel();
        // Fails only after a panic; then there is no result.
        let _ = self.0.send(Box::new(move || {
            // Fails if the sources were dropped.
            let _ = result.send(call());
        }));
        answered
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Condvar, Mutex};
    use std::time::Instant;

    use super::*;

    /// Calls whose keys are below `hanging` wait until it is set to 0.
    #[derive(Debug, Default)]
    struct Disk {
        hanging: Mutex<usize>,
        changed: Condvar,
        began: AtomicUsize,
    }

    impl Disk {
        fn hangs_below(&self, key: usize) {
            *self.hanging.lock().unwrap() = key;
            self.changed.notify_all();
        }

        fn call(self: &Arc<Self>, key: usize) -> (usize, Call<usize>) {
            let disk = Arc::clone(self);
            let call = move || {
                disk.began.fetch_add(1, Ordering::Relaxed);
                let hanging = disk.hanging.lock().unwrap();
                drop(disk.changed.wait_while(hanging, |hanging| key < *hanging));
                key
            };
            (key, Box::new(call))
        }
    }

    /// The keys with a result in a round of all below `keys`, in order.
    async fn round(calls: &mut Calls<usize, usize>, disk: &Arc<Disk>, keys: usize) -> Vec<usize> {
        let mut round = calls.round((0..keys).map(|key| disk.call(key)));
        let mut answered = Vec::new();
        while let Some((key, result)) = calls.next(&mut round).await {
            assert_eq!(key, result);
            answered.push(key);
        }
        answered.sort_unstable();
        answered
    }

    fn calls(most_beside: usize) -> (Arc<Disk>, Calls<usize, usize>) {
        let hundreds = |one: &usize, other: &usize| one / 100 == other / 100;
        (Arc::default(), Calls::new(most_beside, hundreds))
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_waited_for_once_and_not_repeated() {
        let (disk, mut calls) = calls(100);
        disk.hangs_below(3);
        let began = Instant::now();
        let others: Vec<_> = (3..200).collect();
        assert_eq!(round(&mut calls, &disk, 200).await, others);
        assert!(began.elapsed() < 2 * LIMIT, "{:?}", began.elapsed());
        for _ in 0..5 {
            let began = Instant::now();
            assert_eq!(round(&mut calls, &disk, 200).await, others);
            assert!(began.elapsed() < LIMIT / 2, "{:?}", began.elapsed());
        }
        assert_eq!(disk.began.load(Ordering::Relaxed), 3 + 6 * 197);
        disk.hangs_below(0);
        let all: Vec<_> = (0..200).collect();
        while round(&mut calls, &disk, 200).await != all {}
        assert!(calls.busy.is_empty());
    }

    #[tokio::test]
    async fn threads_are_limited_in_total_and_per_directory() {
        let (disk, mut all) = calls(100);
        disk.hangs_below(usize::MAX);
        for _ in 0..2 {
            assert_eq!(round(&mut all, &disk, 1000).await, [0; 0]);
            assert_eq!(disk.began.load(Ordering::Relaxed), MOST);
        }
        disk.hangs_below(0);
        let (disk, mut few) = calls(2);
        // Two of the first hundred hang, and the others of that hundred wait for them. The next hundreds do not wait.
        disk.hangs_below(100);
        let others: Vec<_> = (100..300).collect();
        assert_eq!(round(&mut few, &disk, 300).await, others);
        assert_eq!(disk.began.load(Ordering::Relaxed), 2 + 200);
        disk.hangs_below(0);
    }

    #[tokio::test]
    async fn a_panic_gives_no_result_and_affects_no_other_call() {
        let mut calls = Calls::new(8, |_, _| true);
        for _ in 0..2 {
            let call = |key: usize| -> (usize, Call<()>) {
                (key, Box::new(move || assert_ne!(key, 1, "on purpose")))
            };
            let mut round = calls.round((0..3).map(call));
            let mut answered = BTreeSet::new();
            while let Some((key, ())) = calls.next(&mut round).await {
                answered.insert(key);
            }
            assert_eq!(answered, BTreeSet::from([0, 2]));
            assert!(calls.busy.is_empty());
        }
    }
}
