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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::*;

    /// The longest wait for something that takes no time.
    const LIMIT: Duration = Duration::from_secs(20);

    /// Makes a call on a thread of its own, so that one that hangs does not hang the test.
    fn call(gate: &DiskGate, call: fn(&DiskGate)) -> Receiver<()> {
        let (done, is_done) = channel();
        let gate = gate.clone();
        thread::spawn(move || {
            call(&gate);
            let _ = done.send(());
        });
        is_done
    }

    /// Waits until `count` calls hang.
    fn wait_for(gate: &DiskGate, count: usize) {
        let begin = std::time::Instant::now();
        while gate.hanging() != count {
            assert!(begin.elapsed() < LIMIT, "{} hang", gate.hanging());
            thread::yield_now();
        }
    }

    #[test]
    fn only_the_held_calls_hang_and_all_of_them_continue_afterwards() {
        type Calls = (fn(&DiskGate) -> Hang, fn(&DiskGate), fn(&DiskGate));
        let gate = DiskGate::default();
        let writes: Calls = (
            DiskGate::hold_writes,
            DiskGate::before_write,
            DiskGate::before_sync,
        );
        let syncs: Calls = (
            DiskGate::hold_syncs,
            DiskGate::before_sync,
            DiskGate::before_write,
        );
        for (hold, held, other) in [writes, syncs] {
            call(&gate, held).recv_timeout(LIMIT).unwrap();
            let hang = hold(&gate);
            call(&gate, other).recv_timeout(LIMIT).unwrap();
            assert_eq!(gate.hanging(), 0);
            let calls = [(); 3].map(|()| call(&gate, held));
            wait_for(&gate, 3);
            assert!(calls.iter().all(|call| call.try_recv().is_err()));
            drop(hang);
            for call in calls {
                call.recv_timeout(LIMIT).unwrap();
            }
            assert_eq!(gate.hanging(), 0);
        }
    }

    #[test]
    fn a_wait_for_a_hang_reports_whether_there_is_one() {
        let gate = DiskGate::default();
        assert!(!gate.wait_until_hanging(Duration::from_millis(20)));
        let hang = gate.hold_writes();
        assert!(!gate.wait_until_hanging(Duration::from_millis(20)));
        let call = call(&gate, DiskGate::before_write);
        assert!(gate.wait_until_hanging(LIMIT));
        drop(hang);
        call.recv_timeout(LIMIT).unwrap();
        assert!(!gate.wait_until_hanging(Duration::from_millis(20)));
    }
}
