//! The collector of emails and a simple model of it, through random histories: emails appear, arrive, are opened and are lost; lists fail
//! or are wrong; the process is killed and starts again. Every series is compared after every event.

mod history;
mod laws;
mod mail;
mod sending;
mod shown;
mod world;

use std::cell::Cell;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Builder;

use self::history::{Event, histories, parse, written};
use self::world::World;

/// The environment variable with a history to run instead of random ones.
const REPLAYED: &str = "EMAILS_HISTORY";
/// The environment variable with the seconds that random histories take.
const SECONDS: &str = "EMAILS_HISTORIES_SECONDS";
/// No random history begins after this time.
const LIMIT: Duration = Duration::from_secs(5);
/// On a machine of any speed, this many run.
const FEWEST: u32 = 1;
const MOST: u32 = 10_000;
/// How long a failing history is made shorter, in milliseconds.
const SHRINKING: u32 = 30_000;

/// Histories that once found a fault, or that every run must have.
const KNOWN: [&str; 3] = [
    // A received email was first read with an undocumented status.
    "fail:emails=odd-words heal",
    // Emails expire; rows are old; others appear late.
    "send:20:100 live:1:2 stale:1:1 live:2:1 stale:1:3 days:4 days:4",
    "send:20:100 pass:1 kill-after:3 live:1:9 pass:200",
];

async fn run(events: &[Event]) -> Result<(), String> {
    let mut world = World::new().await;
    let mut happened = Ok(());
    for (at, event) in events.iter().enumerate() {
        happened = world.happen(event).await;
        if let Err(reason) = &mut happened {
            *reason = format!("after event {at} ({event}): {reason}");
            break;
        }
    }
    if happened.is_ok() {
        happened = world.settle().await;
    }
    world.end().await;
    happened
}

#[test]
fn every_series_of_emails_is_that_of_the_model_after_every_event_of_any_history() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let run_now = |events: &[Event]| runtime.block_on(run(events));
    let expect = |text: &str| {
        let happened = run_now(&parse(text));
        happened.unwrap_or_else(|reason| panic!("{reason}\n{REPLAYED}='{text}'"));
    };
    if let Ok(text) = std::env::var(REPLAYED) {
        return expect(&text);
    }
    let seconds = std::env::var(SECONDS)
        .ok()
        .and_then(|text| text.parse().ok());
    let limit = seconds.map_or(LIMIT, Duration::from_secs);
    let (began, count, has_failed) = (Instant::now(), Cell::new(0), Cell::new(false));
    KNOWN.into_iter().for_each(expect);
    let mut runner = TestRunner::new(Config {
        cases: MOST,
        failure_persistence: None,
        max_shrink_time: SHRINKING,
        ..Config::default()
    });
    let outcome = runner.run(&histories(), |events| {
        if !has_failed.get() && count.get() >= FEWEST && began.elapsed() > limit {
            return Ok(());
        }
        count.set(count.get() + 1);
        run_now(&events).map_err(|reason| {
            has_failed.set(true);
            TestCaseError::fail(reason)
        })
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, events)) => {
            panic!("{reason}\n{REPLAYED}='{}'", written(&events))
        }
        Err(error) => panic!("{error}"),
    }
}
