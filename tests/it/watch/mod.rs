//! `watch`: follows operations until they have settled.

mod failures;
mod goals;
mod output;
mod program;
mod terminal;

use std::future::pending;
use std::time::Duration;

use serde_json::{Value, json};
use twilio_email_exporter::app;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::exposition::Instruments;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::twilio::Client;
use twilio_email_exporter::watch::{
    Ending, Goal, JsonLines, Report, Scene, Settings, StopSignal, follow,
};

use crate::support::exporter::{Files, files, one_account};
use crate::support::twilio::Twilio;

const HOUR: Duration = Duration::from_hours(1);
/// The interval between two reads: short, so that tests are fast.
const INTERVAL: Duration = Duration::from_millis(10);

/// A client of the simulated account, as `watch` has one.
pub(crate) struct Account {
    config: Config,
    client: Client,
    // Holds the token.
    _files: Files,
}

impl Account {
    fn new(twilio: &Twilio, more: &str) -> Self {
        let files = files(&one_account(twilio, more));
        let overrides = Overrides {
            config_file: Some(files.config.clone()),
            ..Overrides::default()
        };
        let config = Config::load(&overrides, &|_| None).unwrap();
        let account = &config.accounts[0];
        let instruments = Instruments::new(app::build()).unwrap();
        let instruments = instruments.account(&account.name);
        let client = Client::new(account, instruments, Clock::System).unwrap();
        Self {
            config,
            client,
            _files: files,
        }
    }

    async fn follow(&self, settings: &Settings, report: &mut dyn Report) -> Ending {
        let stop = pending::<StopSignal>();
        let account = &self.config.accounts[0];
        let ended = follow(
            &self.client,
            account,
            settings,
            &Clock::System,
            report,
            stop,
        );
        tokio::time::timeout(crate::support::PATIENCE, ended)
            .await
            .expect("the watch ends")
            .unwrap()
    }
}

fn settings(operations: &[OperationId]) -> Settings {
    Settings {
        operations: operations.to_vec(),
        goal: Goal::Settled,
        fail_above: None,
        timeout: None,
        interval: INTERVAL,
    }
}

/// A report; after each event the test may change something.
struct Events<R, F> {
    report: R,
    then: F,
}

/// An event that [`Events`] reports to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Changed(usize),
    Failed,
    Recovered,
}

/// JSON lines.
impl<F: FnMut(Event)> Events<JsonLines<Vec<u8>>, F> {
    fn then(then: F) -> Self {
        Self {
            report: JsonLines::new(Vec::new()),
            then,
        }
    }

    /// The events as a program reads them.
    fn read(self) -> Vec<Value> {
        let text = String::from_utf8(self.report.into_inner()).unwrap();
        assert!(text.ends_with('\n'), "{text}");
        let lines = text.lines().map(serde_json::from_str);
        lines.map(|line| line.unwrap()).collect()
    }
}

impl<R: Report, F: FnMut(Event)> Report for Events<R, F> {
    fn changed(&mut self, scene: &Scene, at: usize) -> std::io::Result<()> {
        self.report.changed(scene, at)?;
        (self.then)(Event::Changed(at));
        Ok(())
    }

    fn failed(&mut self, scene: &Scene) -> std::io::Result<()> {
        self.report.failed(scene)?;
        (self.then)(Event::Failed);
        Ok(())
    }

    fn recovered(&mut self, scene: &Scene) -> std::io::Result<()> {
        self.report.recovered(scene)?;
        (self.then)(Event::Recovered);
        Ok(())
    }

    fn ended(&mut self, scene: &Scene, ending: &Ending) -> std::io::Result<()> {
        self.report.ended(scene, ending)
    }
}

/// Sets an operation that was sent an hour ago.
fn set(twilio: &Twilio, id: OperationId, status: &str, stats: Value) {
    twilio.set(id, id.created(), status, stats);
}

/// The values of `key` in the events of this kind.
fn values(events: &[Value], event: &str, key: &str) -> Vec<Value> {
    let of_kind = events.iter().filter(|each| each["event"] == event);
    of_kind.map(|each| each[key].clone()).collect()
}

/// The ending, which must be one with an error.
#[track_caller]
fn error(ending: &Ending) -> &str {
    ending
        .error()
        .unwrap_or_else(|| panic!("{ending:?} has no error"))
}

/// The stages of a small send: state and stats.
fn stages() -> Vec<(&'static str, Value)> {
    vec![
        ("PROCESSING", json!({"total": 4, "queued": 4})),
        ("PROCESSING", json!({"total": 4, "sent": 3, "failed": 1})),
        (
            "COMPLETED",
            json!({"total": 4, "sent": 1, "delivered": 2, "failed": 1}),
        ),
        (
            "COMPLETED",
            json!({"total": 4, "delivered": 2, "opened": 1, "failed": 1}),
        ),
    ]
}
