//! A disk that hangs, for tests: writes or fsyncs of the state file wait for as long as a test holds them.
//!
//! It is part of the library because the tests of `tests/it` start a whole exporter on such a disk. Without a test, every call
//! passes.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// The gate that every write and every fsync of a state file passes.
#[derive(Debug, Clone, Default)]
pub struct DiskGate(Arc<GateState>);

#[derive(Debug, Default)]
struct GateState {
    held: Mutex<Holds>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Holds {
    writes: bool,
    syncs: bool,
    /// The number of waiting calls.
    waiting: usize,
}

/// Ends the hang when it is dropped, so that a test that panics leaves no thread waiting.
#[derive(Debug)]
#[must_use = "the disk hangs only as long as this lives"]
pub struct Hang(DiskGate);

impl DiskGate {
    /// Makes every fsync wait from now on.
    pub fn hold_syncs(&self) -> Hang {
        self.0.held.lock().syncs = true;
        Hang(self.clone())
    }

    /// Makes every write wait from now on.
    pub fn hold_writes(&self) -> Hang {
        self.0.held.lock().writes = true;
        Hang(self.clone())
    }

    /// Waits until a call hangs, for at most `limit`; returns whether one does.
    #[must_use]
    pub fn wait_until_hanging(&self, limit: Duration) -> bool {
        let mut held = self.0.held.lock();
        let is_free = |held: &mut Holds| held.waiting == 0;
        let waited = self.0.changed.wait_while_for(&mut held, is_free, limit);
        !waited.timed_out()
    }

    /// The number of calls that hang now.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.0.held.lock().waiting
    }

    /// To be called before each write.
    pub(super) fn before_write(&self) {
        self.pass(|held| held.writes);
    }

    /// To be called before each fsync.
    pub(super) fn before_sync(&self) {
        self.pass(|held| held.syncs);
    }

    fn pass(&self, is_held: impl Fn(&Holds) -> bool) {
        let mut held = self.0.held.lock();
        if !is_held(&held) {
            return;
        }
        held.waiting += 1;
        self.0.changed.notify_all();
        self.0.changed.wait_while(&mut held, |held| is_held(held));
        held.waiting -= 1;
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        let mut held = self.0.0.held.lock();
        (held.writes, held.syncs) = (false, false);
        self.0.0.changed.notify_all();
    }
}
