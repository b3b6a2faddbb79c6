//! An account, its exporter and the model of it. After every event, every series of emails is compared.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;
use twilio_email_exporter::operation::{OperationId, RETENTION};
use twilio_email_exporter::simulator::ApiSettings;

use super::super::*;
use super::history::Event;
use super::laws::{Model, Named};
use super::mail::Mail;
use super::shown::{HeldNames, Shown};
use crate::support::killable::KillableExporter;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Rows of a page: few, so that a list has several.
const ROWS: usize = 20;
/// Emails from before the exporter.
const BEFORE: u8 = 26;
/// An email of this age may be missed if a list loses it: its window is not read again if no known email can change.
const MISSED_FROM: Duration = Duration::from_mins(25);
/// Longer than the longest interval between two reads.
const SETTLING: Duration = Duration::from_hours(13);
/// Runs until everything was read.
const SETTLING_RUNS: usize = 20;

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) twilio: Twilio,
    directory: TempDir,
    exporter: Option<KillableExporter>,
    pub(super) operations: Vec<OperationId>,
    /// The emails, each operation's in a row, and the first one of each operation.
    pub(super) mails: Vec<Mail>,
    pub(super) firsts: Vec<usize>,
    /// What the exporter may know: more than one possibility after a kill.
    models: Vec<Model>,
    shown: Shown,
    held: HeldNames,
    /// Whether no page was read since the last start.
    is_unread: bool,
    loses_rows: bool,
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = morning();
        let settings = ApiSettings {
            most_rows: ROWS,
            ..ApiSettings::default()
        };
        let twilio = Twilio::start(settings, clock.clone()).await;
        twilio.handle.record_pages();
        let born = clock.now();
        let model = Model {
            born,
            ..Model::default()
        };
        let mut world = Self {
            clock,
            twilio,
            directory: tempfile::tempdir().unwrap(),
            exporter: None,
            operations: Vec::new(),
            mails: Vec::new(),
            firsts: Vec::new(),
            models: vec![model],
            shown: Shown::default(),
            held: HeldNames::default(),
            is_unread: true,
            loses_rows: false,
        };
        world.send(BEFORE, born - MINUTE, [born - MINUTE; 2]);
        // Not a moment before the exporter, and just before it; both appear later.
        world.send(9, born, [born + SECOND; 2]);
        world.send(9, born - SECOND, [born + SECOND; 2]);
        world.publish();
        world.start().await;
        world.exporter().idle().await;
        // Two minutes later, no name is new any more.
        for _ in 0..2 {
            world.ingest();
            for model in &mut world.models {
                model.is_born = true;
            }
            world.look(&world.exporter().scrape().await).unwrap();
            world.exporter().idle().await;
            pass(&world.clock, ZERO_FOR);
            world.publish();
        }
        world.models[0].resolve(&world.mails, |domain| world.shown.has_domain(domain));
        world
    }

    fn exporter(&self) -> &KillableExporter {
        self.exporter.as_ref().unwrap()
    }

    async fn start(&mut self) {
        let yaml = configuration(
            &self.twilio,
            "",
            ", max_domains: 3, max_sender_domains: 4",
            Some(self.directory.path()),
        );
        self.exporter = Some(KillableExporter::start(yaml, self.clock.clone()).await);
        self.is_unread = true;
    }

    /// Ends the exporter as if its process were killed: nothing is finished.
    pub(super) async fn end(&mut self) {
        if let Some(exporter) = self.exporter.take() {
            exporter.kill().await;
        }
    }

    pub(super) async fn happen(&mut self, event: &Event) -> Result<(), String> {
        pass(&self.clock, MINUTE / 4);
        let now = self.clock.now();
        self.mails.iter_mut().for_each(|mail| mail.behind = 0);
        match event {
            Event::Send(emails, late) => {
                let late = now + u32::from(*late) * SECOND;
                self.send(*emails, now, [now, late]);
            }
            Event::Live(every, steps) => {
                self.each(*every, |mail| mail.live((*steps).into(), now));
            }
            Event::Stale(every, behind) => {
                self.each(*every, |mail| mail.behind = (*behind).into());
            }
            Event::Pass(minutes) => pass(&self.clock, u32::from(*minutes) * MINUTE),
            Event::Days(days) => pass(&self.clock, u32::from(*days) * DAY),
            Event::Fail(how) => self.twilio.fault(how),
            Event::Heal => self.heal(),
            Event::Kill => self.kill(None).await,
            Event::KillAfter(requests) => {
                self.publish();
                self.kill(Some((*requests).into())).await;
            }
            Event::Scrape => {}
        }
        self.loses_rows |= event.loses_rows();
        self.publish();
        self.check().await
    }

    fn heal(&mut self) {
        self.twilio.handle.clear_faults();
        self.loses_rows = false;
        // Longer than any pause, and any wait after a refusal.
        pass(&self.clock, 2 * HOUR);
    }

    /// Ends the exporter and starts it again: while it does nothing, or this many requests after a scrape has begun.
    async fn kill(&mut self, requests: Option<u64>) {
        let total = || self.twilio.handle.counts().total;
        let is_idle = requests.is_none();
        if let Some(requests) = requests {
            let until = total() + requests;
            let reached = async {
                while total() < until {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let finished = async {
                let _ = self.exporter().get("/metrics").await;
                self.exporter().idle().await;
            };
            tokio::select! {
                () = reached => {}
                () = finished => {}
            }
        }
        self.end().await;
        let pages = self.twilio.handle.take_pages();
        let all = pages.len();
        // Each page is saved before the next one is requested. The last one may have been lost.
        let saved = if is_idle { all } else { all.saturating_sub(1) };
        let models = std::mem::take(&mut self.models);
        for pages in [&pages[..], &pages[..saved]] {
            for mut model in models.clone() {
                for page in pages {
                    model.read(page, &self.mails, &|domain| self.named(domain));
                }
                model.read = None;
                self.add_model(model);
            }
        }
        self.held.restart(&self.shown);
        self.start().await;
    }

    fn add_model(&mut self, model: Model) {
        if !self.models.contains(&model) {
            self.models.push(model);
        }
    }

    /// Whether new emails of a domain count under its name.
    fn named(&self, domain: &str) -> Named {
        if self.shown.has_domain(domain) {
            Named::Yes
        } else {
            Named::Maybe
        }
    }

    /// Adds the rows that Twilio has returned since the last call to what the exporter must know.
    fn ingest(&mut self) {
        let pages = self.twilio.handle.take_pages();
        let models = std::mem::take(&mut self.models);
        for mut model in models {
            for page in &pages {
                model.read(page, &self.mails, &|domain| self.named(domain));
            }
            self.add_model(model);
        }
        for page in &pages {
            self.held.read_at(page.at);
            self.is_unread = false;
        }
        if self.loses_rows {
            let now = self.clock.now();
            let is_known = |mail: &Mail| {
                self.models
                    .iter()
                    .all(|model| model.known.contains_key(&mail.number))
            };
            let missed: Vec<usize> = self
                .mails
                .iter()
                .filter(|mail| mail.created + MISSED_FROM <= now && !is_known(mail))
                .map(|mail| mail.number)
                .collect();
            for number in missed {
                self.mails[number].may_be_missed = true;
            }
        }
    }

    /// Notes what a scrape exposes. No counter is ever lower than before.
    fn look(&mut self, seen: &Exposition) -> Result<Option<Shown>, String> {
        let Some(shown) = Shown::of(seen) else {
            // After a start, nothing is exposed until what was saved is loaded.
            return if self.is_unread {
                Ok(None)
            } else {
                Err("no counters".to_owned())
            };
        };
        if let Some(fallen) = shown.fallen(&self.shown) {
            return Err(format!("lower than before: {fallen}"));
        }
        let wrong = self.held.note(&shown, &self.shown);
        // At first Prometheus has nothing to compare with: what was there before is baseline.
        let is_first = self.shown == Shown::default();
        if let Some(wrong) = wrong.filter(|_| !is_first) {
            return Err(wrong);
        }
        self.shown = shown.clone();
        Ok(Some(shown))
    }

    /// Scrapes until nothing more is read, and compares every series.
    async fn check(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = self.models.clone();
            let seen = self.exporter().scrape().await;
            self.exporter().idle().await;
            self.ingest();
            let shown = self.look(&seen)?;
            if self.models == before {
                return shown.map_or(Ok(()), |shown| self.compare(&shown));
            }
            if Instant::now() >= deadline {
                return Err("the exporter reads the same again and again".to_owned());
            }
        }
    }

    fn compare(&mut self, shown: &Shown) -> Result<(), String> {
        let now = self.clock.now();
        let mut differences = Vec::new();
        for mut model in std::mem::take(&mut self.models) {
            if let Some(difference) = shown.difference(&model, &self.mails, &self.held, now) {
                differences.push(difference);
            } else {
                model.resolve(&self.mails, |domain| shown.has_domain(domain));
                self.add_model(model);
            }
        }
        if self.models.is_empty() {
            Err(differences.join("\nor "))
        } else {
            Ok(())
        }
    }

    /// The emails that the exporter has not seen as they are, although it should have.
    fn unread(&self) -> Vec<String> {
        let now = self.clock.now();
        let is_unread = |mail: &&Mail| {
            let known = |model: &Model| model.known.get(&mail.number).cloned();
            let has_reached =
                |model: &Model| known(model).is_some_and(|known| known.has_reached(mail.status()));
            mail.visible <= now
                && mail.created + RETENTION > now
                && !mail.may_be_missed
                && !self.models.iter().any(has_reached)
        };
        let unread = self.mails.iter().filter(is_unread);
        let names = unread.map(|mail| {
            format!(
                "{}: {} created {}",
                mail.number,
                mail.status(),
                mail.created
            )
        });
        names.collect()
    }

    /// After a while without failures, everything was read.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        self.mails.iter_mut().for_each(|mail| mail.behind = 0);
        self.heal();
        pass(&self.clock, SETTLING);
        for _ in 0..SETTLING_RUNS {
            self.publish();
            self.check().await?;
            if self.unread().is_empty() {
                return Ok(());
            }
            pass(&self.clock, 20 * MINUTE);
        }
        Err(format!("not read: {:#?}", self.unread()))
    }
}
