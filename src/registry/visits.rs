//! Counts the operations that are visited while the registry is locked, for tests of the promise that no caller waits for work on all
//! operations. Each test has its own count, because each has its own thread.

use std::cell::Cell;

thread_local! {
    static SINCE_LOCKED: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// Notes that an operation is visited.
pub(crate) fn note() {
    SINCE_LOCKED.set(SINCE_LOCKED.get() + 1);
}

/// Notes that the registry is locked, or released.
pub(crate) fn note_lock() {
    let visited = SINCE_LOCKED.replace(0);
    MOST.set(MOST.get().max(visited));
}

/// The most operations that were visited between two calls of [`note_lock`], since the last call.
pub(crate) fn take_most() -> usize {
    note_lock();
    MOST.replace(0)
}
