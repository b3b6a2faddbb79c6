//! The loop of a watch: reads the operations that are due and reports the changes. It ends at the goal, a limit, a permanent
//! failure, or a signal.

use std::io;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, pending};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::followed::Followed;
use super::read_failure::{self, Consequence, Facts};
use super::report::{Ending, ReadFailure, Report, Scene, StopSignal};
use super::schedule;
use super::settings::Settings;
use super::words;
use crate::clock::Clock;
use crate::config::Account;
use crate::operation::Operation;
use crate::timestamp::Timestamp;
use crate::twilio::{ApiError, Client};

/// A terminal shows spans in seconds.
const TICK: Duration = Duration::from_secs(1);

/// Follows operations of `account` until the goal of `settings` or another end, and reports what happens.
///
/// # Errors
/// When a report cannot be written.
pub async fn follow(
    client: &Client,
    account: &Account,
    settings: &Settings,
    clock: &Clock,
    report: &mut dyn Report,
    stop: impl Future<Output = StopSignal>,
) -> io::Result<Ending> {
    let host = client.host();
    let mut watch = Watch::new(client, account, settings, clock, &host);
    let ending = watch.run(report, stop).await?;
    report.ended(&watch.scene(), &ending)?;
    Ok(ending)
}

struct Watch<'a> {
    client: &'a Client,
    account: &'a Account,
    settings: &'a Settings,
    clock: &'a Clock,
    host: &'a str,
    operations: Vec<Followed>,
    failure: Option<ReadFailure>,
    began: Timestamp,
    has_read: bool,
}

impl<'a> Watch<'a> {
    fn new(
        client: &'a Client,
        account: &'a Account,
        settings: &'a Settings,
        clock: &'a Clock,
        host: &'a str,
    ) -> Self {
        let now = Instant::now();
        let operations = settings.operations.iter();
        Self {
            client,
            account,
            settings,
            clock,
            host,
            operations: operations.map(|id| Followed::new(*id, now)).collect(),
            failure: None,
            began: clock.now(),
            has_read: false,
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            account: &self.account.name,
            operations: &self.operations,
            failure: self.failure.as_ref(),
            goal: self.settings.goal,
            began: self.began,
            now: self.clock.now(),
        }
    }

    async fn run(
        &mut self,
        report: &mut dyn Report,
        stop: impl Future<Output = StopSignal>,
    ) -> io::Result<Ending> {
        let timeout = match self.settings.timeout {
            Some(timeout) => Either::Left(tokio::time::sleep(timeout)),
            None => Either::Right(pending()),
        };
        tokio::pin!(stop, timeout);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reads = FuturesUnordered::new();
        loop {
            let is_idle = reads.is_empty();
            let due = self.take_due(reads.len());
            for (nth, at) in due.into_iter().enumerate() {
                let (client, id) = (self.client, self.operations[at].id());
                // A collection begins when no request is in flight: the client then reads secrets in files again.
                let begins = is_idle && nth == 0;
                reads.push(async move {
                    if begins {
                        client.begin().await;
                    }
                    (at, client.operation(id).await)
                });
            }
            let next = self.next_due(reads.len());
            let due = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                signal = &mut stop => return Ok(Ending::Stopped(signal)),
                () = &mut timeout => return Ok(Ending::TimedOut(self.unfinished())),
                Some((at, result)) = reads.next(), if !reads.is_empty() => {
                    if let Some(ending) = self.take(at, result, report)? {
                        return Ok(ending);
                    }
                }
                () = due => {}
                _ = ticks.tick() => report.passed(&self.scene())?,
            }
        }
    }

    /// The most reads at the same time. The first one is made alone: if the account is blocked, that costs one request.
    const fn most_reads(&self) -> usize {
        if self.has_read {
            self.account.limits.concurrent_requests
        } else {
            1
        }
    }

    /// Removes the operations that are read now from those that wait; the one that waited longest comes first.
    fn take_due(&mut self, in_flight: usize) -> Vec<usize> {
        let now = Instant::now();
        let free = self.most_reads().saturating_sub(in_flight);
        let mut due: Vec<usize> = (0..self.operations.len())
            .filter(|at| self.operations[*at].is_waiting() && self.operations[*at].due <= now)
            .collect();
        due.sort_by_key(|at| self.operations[*at].due);
        due.truncate(free);
        for at in &due {
            self.operations[*at].is_in_flight = true;
        }
        due
    }

    /// When the next operation is due; `None` while no further read may be made.
    fn next_due(&self, in_flight: usize) -> Option<Instant> {
        let waiting = self.operations.iter().filter(|each| each.is_waiting());
        let next = waiting.map(|each| each.due).min();
        next.filter(|_| in_flight < self.most_reads())
    }

    /// Ingests the result of a read. Returns the ending if the watch ends.
    fn take(
        &mut self,
        at: usize,
        result: Result<Operation, ApiError>,
        report: &mut dyn Report,
    ) -> io::Result<Option<Ending>> {
        self.operations[at].is_in_flight = false;
        match result {
            Ok(operation) => self.succeeded(at, &operation, report),
            Err(error) => self.failed(at, &error, report),
        }
    }

    fn succeeded(
        &mut self,
        at: usize,
        read: &Operation,
        report: &mut dyn Report,
    ) -> io::Result<Option<Ending>> {
        let now = self.clock.now();
        self.has_read = true;
        let operation = &mut self.operations[at];
        let is_changed =
            operation.ingest(read, self.account.stats_reading, self.settings.goal, now);
        let wait = schedule::after_read(self.settings.interval, operation.idle(now));
        operation.due = Instant::now() + wait;
        // Another operation may still fail.
        let is_over = self.operations.iter().all(|each| each.failures == 0);
        if is_over && self.failure.take().is_some() {
            report.recovered(&self.scene())?;
        }
        if is_changed {
            report.changed(&self.scene(), at)?;
        }
        Ok(self.ending(at))
    }

    fn failed(
        &mut self,
        at: usize,
        error: &ApiError,
        report: &mut dyn Report,
    ) -> io::Result<Option<Ending>> {
        let now = self.clock.now();
        let facts = Facts {
            account: &self.account.name,
            login: self.client.login(),
            host: self.host,
            has_read: self.has_read,
            began: self.began,
            now,
        };
        let operation = &mut self.operations[at];
        let what = match read_failure::consequence(error, operation, &facts) {
            Consequence::End(why) => return Ok(Some(Ending::Unreadable(why))),
            Consequence::Expired => {
                operation.expire();
                report.changed(&self.scene(), at)?;
                return Ok(self.ending(at));
            }
            Consequence::Retry(what) => what,
        };
        operation.failures = operation.failures.saturating_add(1);
        let wait = schedule::after_failure(self.settings.interval, operation.failures);
        let pause = self.client.paused_until().map(|until| until.since(now));
        let wait = wait.max(pause.unwrap_or_default());
        operation.due = Instant::now() + wait;
        self.pause(pause);
        let failure = ReadFailure {
            operation: self.operations[at].id(),
            reason: error.reason(),
            what,
            next: now + wait,
        };
        if failure.reason.is_none() && self.failure.is_none() {
            // The response that began the pause is ingested next, and reported.
            return Ok(None);
        }
        let is_known = self.failure.as_ref().is_some_and(|known| {
            // A pause has no reason of its own.
            known.reason == failure.reason || failure.reason.is_none()
        });
        match &mut self.failure {
            // The same failure continues: it is one line, written when it began.
            Some(known) if is_known => known.next = failure.next,
            _ => {
                self.failure = Some(failure);
                report.failed(&self.scene())?;
            }
        }
        Ok(None)
    }

    /// Makes no read before the end of Twilio's pause.
    fn pause(&mut self, pause: Option<Duration>) {
        let Some(pause) = pause else {
            return;
        };
        let end = Instant::now() + pause;
        for operation in &mut self.operations {
            operation.due = operation.due.max(end);
        }
    }

    /// The ending, if the watch ends after a read of this operation.
    fn ending(&self, at: usize) -> Option<Ending> {
        let operation = &self.operations[at];
        let is_done = operation.done().is_some();
        let share = self.settings.fail_above;
        if let Some(share) = share.filter(|share| share.is_exceeded(&operation.sums(), is_done)) {
            let sums = operation.sums();
            let why = format!(
                "Operation {}: {} of {} finished emails were lost ({}), more than {share} (--fail-above)",
                operation.id(),
                words::grouped(sums.lost),
                words::grouped(sums.finished),
                words::percent(sums.lost_share.unwrap_or_default()),
            );
            return Some(Ending::Lost(why));
        }
        let all_done = self.operations.iter().all(|each| each.done().is_some());
        all_done.then_some(Ending::Done)
    }

    /// The sentence for a watch whose time is over.
    fn unfinished(&self) -> String {
        let rest: Vec<_> = self
            .operations
            .iter()
            .filter(|each| each.done().is_none())
            .collect();
        let in_flight: u64 = rest.iter().map(|each| each.sums().in_flight).sum();
        let timeout = self.settings.timeout.unwrap_or_default();
        let goal = self.settings.goal.as_str();
        let subject = match &rest[..] {
            [only] => format!("operation {} has not {goal}", only.id()),
            _ => format!(
                "{} of {} operations have not {goal}",
                rest.len(),
                self.operations.len()
            ),
        };
        let state = if self.has_read {
            format!("{} in flight", words::emails(in_flight))
        } else {
            let failure = self.failure.as_ref().map(|failure| failure.what.as_str());
            failure.unwrap_or("Twilio has not responded").to_owned()
        };
        format!(
            "After {} (--timeout), {subject}: {state}",
            words::span(timeout)
        )
    }
}
