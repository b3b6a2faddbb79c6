//! The command `check`: each thing that it tries, working and failing, and that it disturbs nothing.

mod local;
mod program;
mod requests;
mod sources;

use std::path::PathBuf;
use std::time::Duration;

use twilio_email_exporter::app;
use twilio_email_exporter::check::{CheckResult, Report, Settings, Status, check};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Config, Overrides};
use twilio_email_exporter::exposition::Instruments;

use crate::support::exporter::{Files, SID, TOKEN, files};

const HOUR: Duration = Duration::from_hours(1);

/// What a test checks: a configuration file and options.
struct Setup {
    files: Files,
    options: Overrides,
    offline: bool,
    clock: Clock,
}

impl Setup {
    /// In memory, and on a port that the system chooses.
    fn new(yaml: &str) -> Self {
        let files = files(yaml);
        let options = Overrides {
            config_file: Some(files.config.clone()),
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            storage_path: Some(PathBuf::new()),
            ..Overrides::default()
        };
        Self {
            files,
            options,
            offline: false,
            clock: Clock::System,
        }
    }

    /// Checks it. No result may have a secret.
    async fn check(&self) -> Report {
        let options = self.options.clone();
        let instruments = Instruments::new(app::build()).unwrap();
        let settings = Settings {
            offline: self.offline,
            config_file: options.config_file.clone(),
            clock: self.clock.clone(),
            instruments: &instruments,
        };
        let mut shown = Vec::new();
        let load = move || Config::load(&options, &|_| None);
        let report = check(load, &settings, |section| shown.push(section.clone())).await;
        assert_eq!(shown, report.sections, "each section is shown once");
        let json = String::from_utf8(report.to_json()).unwrap();
        for secret in [SID, TOKEN] {
            assert!(!json.contains(secret), "{json}");
        }
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        let results = parsed["results"].as_array().unwrap();
        assert_eq!(results.len(), report.results().count());
        report
    }
}

/// The check of a configuration file.
async fn checked(yaml: &str) -> Report {
    Setup::new(yaml).check().await
}

/// The only result of this check.
fn only<'r>(report: &'r Report, check: &str) -> &'r CheckResult {
    let mut found = report.results().filter(|result| result.check == check);
    let result = found
        .next()
        .unwrap_or_else(|| panic!("no {check}: {report:#?}"));
    assert_eq!(found.next(), None, "{report:#?}");
    result
}

/// The checks with this status.
fn with_status(report: &Report, status: Status) -> Vec<&'static str> {
    let results = report.results().filter(|result| result.status == status);
    results.map(|result| result.check).collect()
}

/// Asserts that `check` alone failed, with `words` in its text. Returns the result.
fn fails<'r>(report: &'r Report, check: &str, words: &str) -> &'r CheckResult {
    assert_eq!(with_status(report, Status::Failed), [check], "{report:#?}");
    let result = only(report, check);
    let text = format!("{}. {} {}", result.what, result.cause, result.cure);
    assert!(text.contains(words), "{words}: {text}");
    result
}
