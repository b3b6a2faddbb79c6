//! The windows that are read, and their times.

use super::status_windows::FULL_INTERVAL;
use super::*;
use crate::email::EmailStatus;

const NOW: Timestamp = Timestamp::from_millis(1_775_370_000_000);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Reads the due slices at `now`; each slice has `rows` rows. Returns the windows.
fn run(
    slices: &mut Slices,
    now: Timestamp,
    born: Timestamp,
    rows: u32,
    (open, wants_baseline): (usize, bool),
) -> Vec<EmailWindow> {
    let mut windows = Vec::new();
    slices.expire(now);
    loop {
        let input = DueInput {
            now,
            since: now,
            born: Some(born),
            open: &|_, _| open,
            statuses: None,
            wants_baseline,
            page_rows: 1000,
        };
        let Some(window) = slices.next(&input) else {
            return windows;
        };
        assert!(windows.len() < 6000, "it does not end");
        let found = (window.slices.0..=window.slices.1)
            .map(|at| (at, rows))
            .collect();
        slices.note_read(window, None, now, &found);
        let slices_read = usize::try_from(window.slices.1 - window.slices.0 + 1).unwrap();
        let all = slices_read * rows as usize;
        slices.note_pages(window, all.div_ceil(1000));
        windows.push(window);
    }
}

/// A run of an account whose emails may all change.
fn run_open(slices: &mut Slices, now: Timestamp, rows: u32) -> Vec<EmailWindow> {
    run(slices, now, NOW, rows, (1, true))
}

#[test]
fn the_first_run_reads_seven_days_newest_first_in_few_windows() {
    let mut slices = Slices::default();
    assert_eq!((slices.covered(), slices.coverage(NOW)), (None, 0.0));
    let windows = run_open(&mut slices, NOW, 0);
    assert_eq!(windows[0].until, None);
    assert!(NOW - HOUR - 2 * MINUTE < windows[0].from && windows[0].from < NOW - 50 * MINUTE);
    assert!(windows.len() < 12, "{}", windows.len());
    for pair in windows.windows(2) {
        assert_eq!(pair[1].until, Some(pair[0].from), "without a gap");
    }
    assert!((slices.coverage(NOW) - 1.0).abs() < 1e-9);
    let (from, until) = slices.covered().unwrap();
    assert!(from <= NOW - RETENTION + 2 * MINUTE && until == NOW);
}

#[test]
fn windows_of_unread_slices_shrink_where_emails_are_many() {
    let mut slices = Slices::default();
    let windows = run_open(&mut slices, NOW, 3000);
    let longest = windows[5..]
        .iter()
        .map(|window| window.slices.1 - window.slices.0 + 1);
    assert!(
        longest.max().unwrap() <= 4,
        "ten pages are enough for a list"
    );
}

#[test]
fn a_quiet_account_takes_one_window_a_run() {
    let mut slices = Slices::default();
    run_open(&mut slices, NOW, 0);
    for minute in 1..60 {
        let now = NOW + minute * MINUTE;
        let windows = run_open(&mut slices, now, 0);
        assert_eq!(windows.len(), 1, "in minute {minute}");
        assert_eq!(windows[0].until, None);
    }
}

#[test]
fn the_older_a_slice_is_the_rarer_it_is_read() {
    let born = start_of(slice_of(NOW));
    let pause_after = |age: Duration| {
        let mut slices = Slices::default();
        let read = born + age;
        let slice = Slice {
            read,
            full: read,
            rows: 9,
        };
        slices.read.insert(slice_of(NOW), slice);
        let is_due = |pause: &Duration| {
            let input = DueInput {
                now: read + *pause,
                since: read + *pause,
                born: Some(NOW),
                open: &|_, _| 1,
                statuses: None,
                wants_baseline: true,
                page_rows: 1000,
            };
            slices.lateness(slice_of(NOW), &input).is_some()
        };
        let mut pauses = (1..).map(|seconds| seconds * Duration::from_secs(1));
        pauses.find(is_due).unwrap()
    };
    for (age, pause) in [
        (MINUTE, Duration::from_secs(1)),
        (3 * MINUTE, Duration::from_secs(1)),
        (5 * MINUTE, MINUTE),
        (5 * HOUR, HOUR),
        (60 * HOUR, 12 * HOUR),
        (160 * HOUR, 12 * HOUR),
    ] {
        assert_eq!(pause_after(age), pause, "{age:?}");
    }
}

#[test]
fn missed_slices_come_before_due_ones_and_baseline_comes_last() {
    let mut slices = Slices::restored(NOW - HOUR, NOW);
    let later = NOW + 5 * HOUR;
    let windows = run_open(&mut slices, later, 500);
    assert_eq!(windows[0].until, None);
    assert!(windows[0].from > NOW, "the newest hour");
    let missed: Vec<_> = windows[1..]
        .iter()
        .take_while(|window| window.from > NOW)
        .collect();
    assert!(!missed.is_empty());
    let rest = &windows[1 + missed.len()..];
    let first_baseline = rest
        .iter()
        .position(|window| window.from < NOW - HOUR - 2 * MINUTE);
    let last_due = rest
        .iter()
        .rposition(|window| window.from >= NOW - HOUR - 2 * MINUTE);
    assert!(last_due < first_baseline, "{last_due:?} {first_baseline:?}");
    assert!((slices.coverage(later) - 1.0).abs() < 1e-9);
}

#[test]
fn slices_without_emails_that_may_change_are_not_read_any_more() {
    let mut slices = Slices::default();
    run(&mut slices, NOW, NOW, 2000, (0, false));
    let watched = slice_of(NOW);
    let mut listed = 0;
    for minute in (1..60).chain((60..600).step_by(20)) {
        let now = NOW + minute * MINUTE;
        let windows = run(&mut slices, now, NOW, 2000, (0, false));
        let old = windows.iter().filter(|window| window.slices.0 <= watched);
        if now > NOW + SETTLED_AFTER + 20 * MINUTE {
            listed += old.count();
        }
    }
    assert_eq!(listed, 0);
}

#[test]
fn a_list_that_broke_off_counts_as_far_as_its_order_proves() {
    let mut slices = Slices::default();
    let input = DueInput {
        now: NOW,
        since: NOW,
        born: Some(NOW),
        open: &|_, _| 1,
        statuses: None,
        wants_baseline: true,
        page_rows: 1000,
    };
    let window = slices.next(&input).unwrap();
    let behind = NOW - 10 * MINUTE;
    slices.note_read(window, Some(behind), NOW, &BTreeMap::new());
    let next = slices.next(&input).unwrap();
    assert_eq!(next.until, Some(start_of(slice_of(behind) + 1)));
    let (from, until) = slices.covered().unwrap();
    assert!(from > behind && until == NOW);
}

#[test]
fn a_clock_that_is_set_back_makes_slices_due_again() {
    let later = NOW + 3 * HOUR;
    let mut slices = Slices::restored(NOW - 24 * HOUR, later);
    run(&mut slices, later, NOW, 200, (1, false));
    let windows = run(&mut slices, NOW, NOW, 200, (1, false));
    assert_eq!(windows[0].until, None);
    assert!(windows.iter().any(|window| window.from < NOW - 20 * HOUR));
    assert!(slices.coverage(NOW) <= 1.0);
}

/// The statuses of the emails of this number of slices, each with a thousand rows.
fn statuses_of(slices: i64) -> EmailsByStatus {
    let mut statuses = EmailsByStatus::default();
    let slices = slices.unsigned_abs();
    statuses[EmailStatus::Delivered as usize] = 800 * slices;
    statuses[EmailStatus::Opened as usize] = 190 * slices;
    statuses[EmailStatus::Undelivered as usize] = 9 * slices;
    statuses[EmailStatus::Sent as usize] = slices;
    statuses
}

/// How many pages the windows of a run have. Each slice has a thousand rows.
fn pages(slices: &mut Slices, now: Timestamp, by_status: bool) -> u64 {
    let mut pages = 0;
    slices.expire(now);
    let statuses = |from, until| statuses_of(slice_of(until) - slice_of(from));
    loop {
        let input = DueInput {
            now,
            since: now,
            born: Some(NOW - 30 * HOUR),
            open: &|_, _| 1,
            statuses: by_status.then_some(&statuses as &dyn Fn(_, _) -> _),
            wants_baseline: false,
            page_rows: 1000,
        };
        let Some(window) = slices.next(&input) else {
            return pages;
        };
        if let Some(plan) = window.plan {
            assert!(window.until.unwrap() + HOUR <= now);
            pages += plan.requests;
            slices.note_by_status(window, now);
        } else {
            let found: BTreeMap<i64, u32> = (window.slices.0..=window.slices.1)
                .map(|at| (at, 1000))
                .collect();
            pages += found.len() as u64;
            slices.note_read(window, None, now, &found);
        }
    }
}

#[test]
fn older_slices_take_fewer_requests_by_status_and_are_still_read_in_full_now_and_then() {
    let half_a_day = |by_status| {
        let mut slices = Slices::restored(NOW - 12 * HOUR, NOW);
        let runs = (1..=12).map(|at| NOW + at * HOUR);
        let pages: u64 = runs.map(|now| pages(&mut slices, now, by_status)).sum();
        let end = NOW + 12 * HOUR;
        for (at, slice) in &slices.read {
            assert!(slice.read + LONGEST + HOUR > end, "{at} is late");
            assert!(slice.full + FULL_INTERVAL + LONGEST > end, "{at}");
        }
        pages
    };
    let (by_status, in_full) = (half_a_day(true), half_a_day(false));
    assert!(by_status * 10 < in_full * 7, "{by_status} of {in_full}");
}

#[test]
fn a_slice_that_must_be_read_in_full_is_due_at_once() {
    let mut slices = Slices::restored(NOW - 30 * HOUR, NOW - HOUR);
    pages(&mut slices, NOW, true);
    let created = NOW - 5 * HOUR;
    slices.read_slice_in_full(created);
    let input = DueInput {
        now: NOW,
        since: NOW,
        born: Some(NOW),
        open: &|_, _| 1,
        statuses: Some(&|_, _| statuses_of(1)),
        wants_baseline: true,
        page_rows: 1000,
    };
    let window = slices.next(&input).unwrap();
    assert_eq!(window.plan, None);
    assert!(window.from <= created && created < window.until.unwrap());
}
