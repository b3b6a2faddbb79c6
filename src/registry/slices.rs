//! Changes all operations of an account in slices, so that a caller waits for the registry for one slice at most.

use std::time::Instant;

use super::Registry;
use super::chunks::SLICE;
use super::pending_changes::WholeChange;
use crate::timestamp::Timestamp;

impl Registry {
    /// Notes the time at the beginning of a collection, by this machine's clock and by the monotonic clock. If the former was set,
    /// intervals last as long as before, once the registry has [caught up](Self::catch_up).
    pub fn set_time(&mut self, now: Timestamp, instant: Instant) {
        let jump = self.clock_jumps.compare(now, instant);
        if let Some(jump) = jump {
            self.chunks.change_later(WholeChange::Shift(jump));
        }
        self.tables.set_time(now, jump);
        self.catch_up();
    }

    /// Applies changes to all operations to the next `SLICE` chunks. Returns whether there are more. Release the registry between two calls.
    pub fn catch_up(&mut self) -> bool {
        self.chunks.catch_up(SLICE)
    }

    /// Notes that the operations created from `from` on (until `until`, if given) were to be read in the collection that began at
    /// `since`. Those that were not by `now` have failed, once the registry has [caught up](Self::catch_up).
    pub fn fail_window(
        &mut self,
        from: Timestamp,
        until: Option<Timestamp>,
        since: Timestamp,
        now: Timestamp,
    ) {
        self.chunks.change_later(WholeChange::FailWindow {
            from,
            until,
            since,
            now,
        });
        self.catch_up();
    }
}
