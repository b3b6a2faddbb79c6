//! JSON lines: one object per event, for programs. `docs/watch.md` has the schema.

use std::io::{self, Write};

use serde::Serialize;

use super::followed::{Done, Followed};
use super::report::{Ending, EndingKind, Report, Scene};
use crate::operation::{Breakdown, OperationState, Sums};
use crate::reason::Reason;
use crate::timestamp::Timestamp;

/// Writes JSON lines.
#[derive(Debug)]
pub struct JsonLines<W>(W);

#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    time: String,
    account: &'a str,
    #[serde(flatten)]
    event_fields: Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    Change(Change<'a>),
    Failure {
        operation: String,
        reason: Option<&'static str>,
        error: &'a str,
        next_read: String,
    },
    Recovery {},
    End {
        ending: EndingKind,
        exit_code: u8,
        error: Option<&'a str>,
        operations: Vec<Change<'a>>,
    },
}

/// An operation. Its keys are those of the exporter's pages in JSON.
#[derive(Serialize)]
struct Change<'a> {
    operation: String,
    state: Option<&'a str>,
    done: Option<&'static str>,
    size: u64,
    emails: Breakdown,
    #[serde(flatten)]
    sums: Sums,
    emails_per_second: Option<f64>,
    estimated_end: Option<String>,
    changed: Option<String>,
}

impl<'a> Change<'a> {
    fn of(operation: &'a Followed) -> Self {
        let text = |time: Timestamp| time.to_string();
        Self {
            operation: operation.id().to_string(),
            state: operation.state().map(OperationState::as_str),
            done: operation.done().map(Done::as_str),
            size: operation.size(),
            emails: operation.emails(),
            sums: operation.sums(),
            emails_per_second: operation.rate(),
            estimated_end: operation.estimated_end().map(text),
            changed: operation.changed().map(text),
        }
    }
}

impl<W: Write> JsonLines<W> {
    /// Writes to `output`.
    pub const fn new(output: W) -> Self {
        Self(output)
    }

    /// The output.
    pub fn into_inner(self) -> W {
        self.0
    }

    fn write(&mut self, scene: &Scene, event: &'static str, fields: Fields) -> io::Result<()> {
        let line = Line {
            event,
            time: scene.now.to_string(),
            account: scene.account,
            event_fields: fields,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        // One write, so that a reader gets whole lines.
        self.0.write_all(&text)?;
        self.0.flush()
    }
}

impl<W: Write> Report for JsonLines<W> {
    fn changed(&mut self, scene: &Scene, at: usize) -> io::Result<()> {
        let change = Change::of(&scene.operations[at]);
        self.write(scene, "change", Fields::Change(change))
    }

    fn failed(&mut self, scene: &Scene) -> io::Result<()> {
        let Some(failure) = scene.failure else {
            return Ok(());
        };
        let fields = Fields::Failure {
            operation: failure.operation.to_string(),
            reason: failure.reason.map(Reason::as_str),
            error: &failure.what,
            next_read: failure.next.to_string(),
        };
        self.write(scene, "failure", fields)
    }

    fn recovered(&mut self, scene: &Scene) -> io::Result<()> {
        self.write(scene, "recovery", Fields::Recovery {})
    }

    fn ended(&mut self, scene: &Scene, ending: &Ending) -> io::Result<()> {
        let fields = Fields::End {
            ending: ending.kind(scene.goal),
            exit_code: ending.exit_code(),
            error: ending.error(),
            operations: scene.operations.iter().map(Change::of).collect(),
        };
        self.write(scene, "end", fields)
    }
}
