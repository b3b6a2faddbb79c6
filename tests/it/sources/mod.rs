//! Files and URLs that list operations.

mod files;
pub(crate) mod lists;
mod logins;
mod logs;
mod secrets;
mod secure;
pub(crate) mod tls;
mod urls;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::{Account, Config, Overrides};
use twilio_email_exporter::exposition::{Build, Instruments, Syntax, render};
use twilio_email_exporter::snapshot::Snapshot;
use twilio_email_exporter::sources::{News, Sources};

use crate::support::exporter::{Files, account_at, files};
use crate::support::exposition::Exposition;

/// No server listens there; these tests do not poll the listed operations.
const TWILIO: &str = "http://127.0.0.1:1/v1";

/// The sources of an account, and what they report.
struct Scene {
    sources: Sources,
    files: Files,
    instruments: Instruments,
    clock: Clock,
    news: Arc<Mutex<Vec<News>>>,
}

impl Scene {
    /// `yaml` is more of the account, one key a line; `beside` are files beside the configuration.
    fn new(yaml: &str, beside: &[(&str, &str)]) -> Self {
        let files = files(&format!(
            "accounts:\n{}",
            account_at("default", TWILIO, yaml)
        ));
        for (name, content) in beside {
            std::fs::write(directory_of(&files).join(name), content).unwrap();
        }
        let account = account_of(&files);
        let build = Build {
            version: "1",
            revision: "a",
        };
        let instruments = Instruments::new(build).unwrap();
        let clock = Clock::manual(Clock::System.now());
        let sources = Sources::new(&account, instruments.sources("default"), clock.clone());
        Self {
            sources,
            files,
            instruments,
            clock,
            news: Arc::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        directory_of(&self.files).join(name)
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Polls every URL once. Returns the reports.
    async fn fetch(&self) -> Vec<String> {
        self.sources.fetch(|news| self.deliver(news)).await;
        self.take()
    }

    /// Rereads the files. Returns the reports.
    async fn reread(&self) -> Vec<String> {
        self.sources.reread(|news| self.deliver(news)).await;
        self.take()
    }

    fn deliver(&self, news: News) {
        self.news.lock().unwrap().push(news);
    }

    /// The reports since the last call, in short: `listed 41 42`, `gone`, `broken (why)`.
    fn take(&self) -> Vec<String> {
        let news = std::mem::take(&mut *self.news.lock().unwrap());
        news.iter().map(short).collect()
    }

    /// The metric of the only source, if it is exposed.
    fn metric(&self, name: &str) -> Option<f64> {
        self.shown()
            .value(&format!("twilio_email_source_{name}"), &[])
    }

    fn shown(&self) -> Exposition {
        let mut out = Vec::new();
        render(
            &Snapshot::default(),
            &self.instruments,
            Syntax::Text,
            &mut out,
        );
        Exposition::parse(std::str::from_utf8(&out).unwrap()).unwrap()
    }
}

fn directory_of(files: &Files) -> &Path {
    files.config.parent().unwrap()
}

fn account_of(files: &Files) -> Account {
    let overrides = Overrides {
        config_file: Some(files.config.clone()),
        ..Overrides::default()
    };
    let config = Config::load(&overrides, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    config.accounts[0].clone()
}

fn short(news: &News) -> String {
    match news {
        News::Listed { operations, .. } => {
            let mut words = vec!["listed".to_owned()];
            words.extend(operations.iter().map(|(id, labels)| {
                let labels = labels
                    .iter()
                    .map(|(name, value)| format!(",{name}={value}"));
                id.to_string()[40..].to_owned() + &labels.collect::<String>()
            }));
            words.join(" ")
        }
        News::Gone { .. } => "gone".to_owned(),
        News::Broken { error, .. } => format!("broken ({error})"),
    }
}

/// A list of operations whose ids end so, as JSON.
fn list(endings: &[&str]) -> String {
    let ids: Vec<_> = endings.iter().map(|ending| id(ending)).collect();
    serde_json::json!([{"targets": ids}]).to_string()
}

fn id(ending: &str) -> String {
    format!("comms_operation_01h2xcejqtf2nbrexx3vqjhp{ending}")
}
