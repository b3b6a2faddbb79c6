//! What a watch reports, and how it ends. Bars, lines and JSON implement the trait [`Report`].

use std::io;

use serde::Serialize;

use super::followed::Followed;
use super::settings::Goal;
use crate::operation::OperationId;
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Shows what happens to the operations.
pub trait Report {
    /// The operation at `at` changed, or was read for the first time.
    ///
    /// # Errors
    /// When the report cannot be written; then the watch ends.
    fn changed(&mut self, scene: &Scene, at: usize) -> io::Result<()>;

    /// Reads begin to fail, or fail in another way.
    ///
    /// # Errors
    /// As above.
    fn failed(&mut self, scene: &Scene) -> io::Result<()>;

    /// Reads succeed again.
    ///
    /// # Errors
    /// As above.
    fn recovered(&mut self, scene: &Scene) -> io::Result<()>;

    /// A second passed.
    ///
    /// # Errors
    /// As above.
    fn passed(&mut self, _scene: &Scene) -> io::Result<()> {
        Ok(())
    }

    /// The watch has ended.
    ///
    /// # Errors
    /// As above; the ending stays.
    fn ended(&mut self, scene: &Scene, ending: &Ending) -> io::Result<()>;
}

/// Everything that a report may show.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The account's name.
    pub account: &'a str,
    /// The operations, in the user's order.
    pub operations: &'a [Followed],
    /// The failure that lasts.
    pub failure: Option<&'a ReadFailure>,
    /// When an operation is done.
    pub goal: Goal,
    /// When the watch began.
    pub began: Timestamp,
    /// The time of this report.
    pub now: Timestamp,
}

/// A failure of reads that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFailure {
    /// The operation whose read failed.
    pub operation: OperationId,
    /// The class of the failure; `None` if no request was made because of a pause.
    pub reason: Option<Reason>,
    /// What failed, as a sentence without its full stop.
    pub what: String,
    /// When the next read is made.
    pub next: Timestamp,
}

/// A signal that ends the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT, as by Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// How a watch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All operations are done.
    Done,
    /// Too many emails of an operation were lost; with the sentence.
    Lost(String),
    /// The time was over; with the sentence.
    TimedOut(String),
    /// An operation cannot be read; with the cause and the cure.
    Unreadable(String),
    /// A signal.
    Stopped(StopSignal),
}

/// The kind of an [`Ending`], as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndingKind {
    Completed,
    Settled,
    Lost,
    TimedOut,
    Unreadable,
    Stopped,
}

impl Ending {
    /// The exit code. 124 is that of `timeout`; a signal's is that of shells.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Lost(_) => 1,
            Self::Unreadable(_) => 3,
            Self::TimedOut(_) => 124,
            Self::Stopped(StopSignal::Interrupt) => 130,
            Self::Stopped(StopSignal::Terminate) => 143,
        }
    }

    /// Why the watch failed.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Lost(error) | Self::TimedOut(error) | Self::Unreadable(error) => Some(error),
            Self::Done | Self::Stopped(_) => None,
        }
    }

    pub(super) const fn kind(&self, goal: Goal) -> EndingKind {
        match (self, goal) {
            (Self::Done, Goal::Completed) => EndingKind::Completed,
            (Self::Done, Goal::Settled) => EndingKind::Settled,
            (Self::Lost(_), _) => EndingKind::Lost,
            (Self::TimedOut(_), _) => EndingKind::TimedOut,
            (Self::Unreadable(_), _) => EndingKind::Unreadable,
            (Self::Stopped(_), _) => EndingKind::Stopped,
        }
    }
}
