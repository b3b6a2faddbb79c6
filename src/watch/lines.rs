//! Plain lines: one sentence per change, for logs of scripts and CI jobs. Times are in UTC.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::followed::{Done, Followed};
use super::report::{Ending, Report, Scene, StopSignal};
use super::settings::Goal;
use super::words;
use crate::timestamp::Timestamp;

/// Writes plain lines.
#[derive(Debug)]
pub struct Lines<W>(W);

impl<W: Write> Lines<W> {
    /// Writes to `output`.
    pub const fn new(output: W) -> Self {
        Self(output)
    }

    fn write(&mut self, now: Timestamp, sentence: &str) -> io::Result<()> {
        // Milliseconds would only make the line longer.
        let line = format!("{} {sentence}\n", now.to_second());
        // One write, so that other processes' lines do not interleave.
        self.0.write_all(line.as_bytes())?;
        self.0.flush()
    }
}

impl<W: Write> Report for Lines<W> {
    fn changed(&mut self, scene: &Scene, at: usize) -> io::Result<()> {
        self.write(scene.now, &sentence(&scene.operations[at], scene.now))
    }

    fn failed(&mut self, scene: &Scene) -> io::Result<()> {
        let Some(failure) = scene.failure else {
            return Ok(());
        };
        let next = words::span(failure.next.since(scene.now));
        self.write(scene.now, &format!("{}; next read in {next}", failure.what))
    }

    fn recovered(&mut self, scene: &Scene) -> io::Result<()> {
        self.write(scene.now, "Twilio responds again")
    }

    fn ended(&mut self, scene: &Scene, ending: &Ending) -> io::Result<()> {
        self.write(scene.now, &summary(scene, ending))
    }
}

/// An operation in one line.
fn sentence(operation: &Followed, now: Timestamp) -> String {
    let mut text = format!("{} {}: ", operation.id(), standing(operation));
    text.push_str(&counts(operation));
    if operation.done().is_none() {
        if let Some(rate) = operation.rate() {
            let _ = write!(text, "; {}", words::rate(rate));
        }
        if let Some(end) = operation.estimated_end() {
            let _ = write!(text, ", ends in about {}", words::span(end.since(now)));
        }
    }
    text
}

/// Its state at Twilio, and whether it is done: `completed, settled`.
pub(super) fn standing(operation: &Followed) -> String {
    let state = operation
        .state()
        .map_or("not read yet", |state| state.as_str());
    match operation.done() {
        None | Some(Done::Reached(Goal::Completed)) => state.to_owned(),
        Some(done) => format!("{state}, {}", done.as_str()),
    }
}

/// The emails of an operation in words: `2,000 emails: 1,240 delivered (140 opened), 12 lost (1.0%), 748 in flight`.
fn counts(operation: &Followed) -> String {
    let (emails, sums) = (operation.emails(), operation.sums());
    let mut text = format!("{}: ", words::emails(operation.size()));
    let _ = write!(text, "{} delivered", words::grouped(sums.delivered));
    if emails.opened > 0 {
        let _ = write!(text, " ({} opened)", words::grouped(emails.opened));
    }
    let _ = write!(text, ", {} lost", words::grouped(sums.lost));
    if let Some(share) = sums.lost_share.filter(|share| *share > 0.0) {
        let _ = write!(text, " ({})", words::percent(share));
    }
    for (number, word) in [(sums.in_flight, "in flight"), (emails.canceled, "canceled")] {
        if number > 0 {
            let _ = write!(text, ", {} {word}", words::grouped(number));
        }
    }
    text
}

/// How the watch ended, in one line.
pub(super) fn summary(scene: &Scene, ending: &Ending) -> String {
    let took = words::span(scene.now.since(scene.began));
    let operations = scene.operations;
    let word = match ending {
        Ending::Done => scene.goal.as_str(),
        Ending::Lost(_) => "too many emails lost",
        Ending::TimedOut(_) => "timed out",
        Ending::Unreadable(_) => "not readable",
        Ending::Stopped(StopSignal::Interrupt) => "interrupted",
        Ending::Stopped(StopSignal::Terminate) => "terminated",
    };
    if operations.iter().all(|each| !each.is_read()) {
        return format!("{word} after {took}");
    }
    let all = |of: fn(&Followed) -> u64| operations.iter().map(of).sum::<u64>();
    let (size, lost) = (all(Followed::size), all(|each| each.sums().lost));
    let finished = all(|each| each.sums().finished);
    let mut text = format!(
        "{word} after {took}: {}, {} lost",
        words::emails(size),
        words::grouped(lost)
    );
    if lost > 0 {
        let _ = write!(text, " ({})", words::percent(lost as f64 / finished as f64));
    }
    if operations.len() > 1 {
        let done = operations
            .iter()
            .filter(|each| each.done().is_some())
            .count();
        let _ = write!(
            text,
            "; {done} of {} operations {}",
            operations.len(),
            scene.goal.as_str()
        );
    }
    text
}
