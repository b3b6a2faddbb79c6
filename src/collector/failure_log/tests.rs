//! The lines of the log for failures that begin, last and end.

use std::collections::BTreeSet;

use super::*;
use crate::ongoing_failure::log::Log;

const MINUTE: Duration = Duration::from_mins(1);

/// The log of an account whose operations fail on demand.
struct Account {
    log: FailureLog,
    failing: BTreeSet<OperationId>,
    gone: BTreeSet<OperationId>,
}

impl Account {
    fn new() -> Self {
        Self {
            log: FailureLog::new("default".into(), Arc::new(ListLog::new("default".into()))),
            failing: BTreeSet::new(),
            gone: BTreeSet::new(),
        }
    }

    /// These operations begin to fail.
    fn fail(&mut self, ids: impl IntoIterator<Item = OperationId>, error: &ApiError) {
        for id in ids {
            self.failing.insert(id);
            self.log.read_failed(id, error);
        }
    }

    fn finish(&self) {
        let is_failing = |id| (!self.gone.contains(&id)).then(|| self.failing.contains(&id));
        self.log.collection_finished(self.failing.len(), is_failing);
    }
}

fn id(number: usize) -> OperationId {
    format!("comms_operation_01h2xcejqtf2nbrexx3v{number:06}")
        .parse()
        .unwrap()
}

fn count(lines: &[String], words: &str) -> usize {
    lines.iter().filter(|line| line.contains(words)).count()
}

const FAILS: &str = "cannot read an operation";
const WORKS: &str = "an operation can be read again";
const MORE_FAIL: &str = "cannot read more operations";
const MORE_WORK: &str = "more operations can be read again";
const OTHERS_WORK: &str = "the other operations can be read again";

#[tokio::test(start_paused = true)]
async fn a_single_read_is_logged_when_it_begins_once_an_hour_and_when_it_ends() {
    let mut account = Account::new();
    let (log, _guard) = Log::start();
    account.fail([id(1)], &ApiError::Forbidden);
    for minute in 0..180 {
        account.finish();
        let lines = log.take();
        let expected = usize::from(minute % 60 == 0);
        assert_eq!(lines.len(), expected, "minute {minute}: {lines:?}");
        for part in [
            FAILS,
            "WARN",
            "account=",
            "reason=\"forbidden\"",
            &id(1).to_string(),
        ] {
            assert_eq!(count(&lines, part), expected, "{part} in {lines:?}");
        }
        tokio::time::advance(MINUTE).await;
    }
    // Another reason is another failure.
    account.fail([id(1)], &ApiError::Timeout(MINUTE));
    assert_eq!(count(&log.take(), "reason=\"timeout\""), 1);
    account.failing.clear();
    for expected in [1, 0] {
        account.finish();
        let lines = log.take();
        assert_eq!((lines.len(), count(&lines, WORKS)), (expected, expected));
    }
    account.fail([id(1)], &ApiError::Forbidden);
    assert_eq!(count(&log.take(), FAILS), 1, "it begins anew");
    account.gone.insert(id(1));
    account.failing.clear();
    account.finish();
    assert_eq!(
        log.take(),
        [""; 0],
        "an operation that is gone does not work again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cause_of_the_whole_account_is_one_line_for_all_operations() {
    let mut account = Account::new();
    let (log, _guard) = Log::start();
    account.fail((0..1000).map(id), &ApiError::Timeout(MINUTE));
    for minute in 0..180 {
        account.finish();
        let lines = log.take();
        let expected = usize::from(minute % 60 == 0);
        assert_eq!(lines.len(), expected, "minute {minute}: {lines:?}");
        assert_eq!(count(&lines, FAILS), expected, "{lines:?}");
        tokio::time::advance(MINUTE).await;
    }
    // The operation in the line can be read again, others cannot: one of them gets a line.
    account.failing.remove(&id(0));
    account.finish();
    let lines = log.take();
    let seen = (lines.len(), count(&lines, WORKS), count(&lines, FAILS));
    assert_eq!(seen, (2, 1, 1), "{lines:?}");
    account.failing.clear();
    for expected in [1, 0] {
        account.finish();
        let lines = log.take();
        assert_eq!((lines.len(), count(&lines, WORKS)), (expected, expected));
    }
}

#[tokio::test(start_paused = true)]
async fn a_collection_has_ten_lines_about_operations_and_then_a_sum() {
    let mut account = Account::new();
    let (log, _guard) = Log::start();
    account.fail((0..1000).map(id), &ApiError::Forbidden);
    account.finish();
    let lines = log.take();
    assert_eq!((lines.len(), count(&lines, FAILS)), (11, 10), "{lines:?}");
    assert_eq!(count(&lines, "operations=990"), 1, "{lines:?}");
    for minute in 1..=120 {
        tokio::time::advance(MINUTE).await;
        account.finish();
        let lines = log.take();
        let expected = if minute % 60 == 0 {
            (11, 10, 1)
        } else {
            (0, 0, 0)
        };
        let seen = (lines.len(), count(&lines, FAILS), count(&lines, MORE_FAIL));
        assert_eq!(seen, expected, "minute {minute}: {lines:?}");
        assert_eq!(count(&lines, "operations=990"), expected.2, "{lines:?}");
    }
    // Some of those without a line work again, and then all.
    account.failing.retain(|failing| *failing < id(500));
    account.finish();
    assert_eq!(log.take(), [""; 0]);
    account.failing.clear();
    account.finish();
    let lines = log.take();
    let seen = (
        lines.len(),
        count(&lines, WORKS),
        count(&lines, OTHERS_WORK),
    );
    assert_eq!(seen, (11, 10, 1), "{lines:?}");
    account.finish();
    assert_eq!(log.take(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn more_than_ten_that_end_together_are_ten_lines_and_a_sum() {
    let mut account = Account::new();
    let (log, _guard) = Log::start();
    for collection in 0..20 {
        let first = collection * 10;
        account.fail((first..first + 10).map(id), &ApiError::Forbidden);
        account.finish();
        let lines = log.take();
        // From the 101st on, operations are only counted.
        let expected = if collection < 10 { (10, 0) } else { (0, 1) };
        let seen = (count(&lines, FAILS), count(&lines, MORE_FAIL));
        assert_eq!(seen, expected, "{collection}: {lines:?}");
        tokio::time::advance(MINUTE).await;
    }
    tokio::time::advance(59 * MINUTE).await;
    account.finish();
    let lines = log.take();
    // Lines that were logged together repeat together, within the same limit.
    assert_eq!((count(&lines, FAILS), count(&lines, MORE_FAIL)), (10, 1));
    assert_eq!(count(&lines, "operations=90"), 1, "{lines:?}");
    account.failing.clear();
    account.finish();
    let lines = log.take();
    assert_eq!((count(&lines, WORKS), count(&lines, MORE_WORK)), (10, 1));
    assert_eq!(count(&lines, "operations=90"), 1, "{lines:?}");
    assert_eq!((count(&lines, OTHERS_WORK), lines.len()), (1, 12));
}

#[tokio::test(start_paused = true)]
async fn unreadable_rows_are_logged_when_they_begin_once_an_hour_and_when_they_end() {
    let account = Account::new();
    let (log, _guard) = Log::start();
    for minute in 0..180 {
        // A collection reads several windows, and one of them has the row.
        for unreadable in [1 + minute % 3, 0] {
            account.log.list_read(unreadable);
        }
        account.finish();
        let lines = log.take();
        let expected = usize::from(minute % 60 == 0);
        let begins = "the list of operations has invalid rows";
        let seen = (lines.len(), count(&lines, begins));
        assert_eq!(seen, (expected, expected), "minute {minute}: {lines:?}");
        tokio::time::advance(MINUTE).await;
    }
    for minute in 180..300 {
        account.log.list_read(0);
        let lines = log.take();
        // An hour after the last one, which was at minute 179.
        let expected = usize::from(minute == 239);
        let seen = (
            lines.len(),
            count(&lines, "the list of operations has only valid rows again"),
        );
        assert_eq!(seen, (expected, expected), "minute {minute}: {lines:?}");
        tokio::time::advance(MINUTE).await;
    }
    account.log.list_read(3);
    assert_eq!(count(&log.take(), "rows=3"), 1, "they begin anew");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_is_logged_when_it_begins_once_an_hour_and_when_it_ends() {
    let account = Account::new();
    let (log, _guard) = Log::start();
    for minute in 0..120 {
        account
            .log
            .list_failed(&ApiError::Forbidden, Login::Unknown, Timestamp::default());
        assert_eq!(log.take().len(), usize::from(minute % 60 == 0), "{minute}");
        tokio::time::advance(MINUTE).await;
    }
    for expected in [1, 0] {
        account.log.list_read(0);
        assert_eq!(count(&log.take(), "operations are listed again"), expected);
    }
}
