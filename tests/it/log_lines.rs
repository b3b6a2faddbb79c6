//! The log has one line for one cause, although several collectors meet it, and one line when it ends.

use std::time::Duration;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::simulator::SimulatorSettings;

use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::log::Log;
use crate::support::scene::{morning, pass};
use crate::support::twilio::Twilio;

/// Longer than the wait after any failure.
const ANY_WAIT: Duration = Duration::from_mins(70);

/// A healthy account of which operations, tags and emails are collected.
struct Scene {
    clock: Clock,
    twilio: Twilio,
    exporter: Exporter,
    log: Log,
}

impl Scene {
    async fn new() -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let scene = Self::watching(clock, twilio).await;
        scene.send().await;
        scene
            .until("all three succeed", |seen| succeed(seen) == [true; 3])
            .await;
        scene.log.take();
        scene
    }

    /// After the first collection.
    async fn watching(clock: Clock, twilio: Twilio) -> Self {
        let log = Log::start();
        let yaml = one_account(&twilio, "request_timeout: 500ms\n")
            + "series: {tags: [campaign]}\ncollectors: {emails: {enabled: true}}\n";
        let exporter = Exporter::start_at(&yaml, clock.clone()).await;
        Self {
            clock,
            exporter: exporter.settled().await,
            twilio,
            log,
        }
    }

    /// Sends emails, so that there is something to read.
    async fn send(&self) {
        self.twilio.send(json!({"tags": {"campaign": "a"}})).await;
    }

    /// Scrapes after any wait, until a scrape shows what is `wanted`.
    async fn until(&self, what: &str, wanted: impl Fn(&Exposition) -> bool) {
        eventually(what, || async {
            pass(&self.clock, ANY_WAIT);
            wanted(&self.exporter.scrape().await)
        })
        .await;
    }

    /// More scrapes, each of which may make all requests again.
    async fn go_on(&self) {
        for _ in 0..3 {
            pass(&self.clock, ANY_WAIT);
            self.exporter.scrape().await;
            // What runs in the background logs, too.
            self.exporter.idle().await;
        }
    }

    /// Makes requests fail until a scrape shows what is `wanted`. Returns the lines of the log.
    async fn fail(&self, faults: &[&str], wanted: impl Fn(&Exposition) -> bool) -> Vec<String> {
        self.send().await;
        self.twilio.handle.clear_faults();
        for fault in faults {
            self.twilio.fault(fault);
        }
        self.until(&faults.join(", "), wanted).await;
        self.go_on().await;
        self.lines()
    }

    /// Ends all faults. Returns the lines of the log until everything is read again.
    async fn recover(&self) -> Vec<String> {
        self.twilio.handle.clear_faults();
        self.send().await;
        self.until("recovered", |seen| succeed(seen) == [true; 3])
            .await;
        self.go_on().await;
        self.lines()
    }

    /// Ends the scene. Nothing of it logs any more.
    async fn end(self) {
        self.exporter.stop().await.unwrap();
        self.log.take();
    }

    /// The lines about failed requests.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.log.take();
        // Not a failure, but what scrapes do about it.
        lines.retain(|line| !line.contains("scrapes do not wait"));
        lines
    }
}

/// Whether the last runs of the collectors of operations, tags and emails succeeded.
fn succeed(seen: &Exposition) -> [bool; 3] {
    ["operations", "tags", "emails"].map(|name| {
        let success = seen.value("twilio_email_collector_success", &[("collector", name)]);
        success == Some(1.0)
    })
}

#[track_caller]
fn assert_line(lines: &[String], parts: &[&str], fault: &str) {
    let [line] = lines else {
        panic!("{fault}: not one line: {lines:#?}");
    };
    for part in parts {
        assert!(line.contains(part), "{fault}: no {part} in {line}");
    }
}

#[tokio::test]
async fn a_failure_of_emails_alone_is_one_line_although_tags_and_emails_meet_it() {
    for (fault, reason) in [
        ("emails=403", "forbidden"),
        ("emails=500", "server_error"),
        ("emails=hang", "timeout"),
        ("emails=html", "invalid_response"),
    ] {
        let scene = Scene::new().await;
        let lines = scene
            .fail(&[fault], |seen| succeed(seen) == [true, false, false])
            .await;
        let reason = format!("reason=\"{reason}\"");
        assert_line(&lines, &["WARN cannot list emails ", &reason], fault);
        let lines = scene.recover().await;
        assert_line(&lines, &["INFO emails are listed again "], fault);
        scene.end().await;
    }
}

#[tokio::test]
async fn a_failure_of_the_whole_account_is_one_line_whoever_meets_it() {
    for (fault, reason) in [
        ("hang", "timeout"),
        ("close", "connect"),
        ("401", "unauthorized"),
        ("429:retry-after=1", "rate_limited"),
        ("503", "unavailable"),
    ] {
        let scene = Scene::new().await;
        let lines = scene.fail(&[fault], |seen| !succeed(seen)[0]).await;
        let reason = format!("reason=\"{reason}\"");
        assert_line(&lines, &["WARN cannot list ", &reason], fault);
        // A request for emails may have been in flight when the fault began.
        let what = if lines[0].contains("list operations ") {
            "INFO operations are listed again "
        } else {
            "INFO emails are listed again "
        };
        let lines = scene.recover().await;
        assert_line(&lines, &[what], fault);
        scene.end().await;
    }
}

#[tokio::test]
async fn a_failure_at_the_start_is_one_line_although_operations_and_emails_meet_it() {
    for (fault, reason) in [
        ("403", "forbidden"),
        ("404", "not_found"),
        ("500", "server_error"),
        ("html", "invalid_response"),
        ("hang", "timeout"),
    ] {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        twilio.fault(fault);
        let scene = Scene::watching(clock, twilio).await;
        let is_of_emails = |path: &str| path.contains("/Emails");
        scene
            .until("emails are requested", |_| {
                let requests = scene.twilio.handle.requests();
                requests.iter().any(|request| is_of_emails(&request.path))
            })
            .await;
        scene.go_on().await;
        let lines = scene.lines();
        let reason = format!("reason=\"{reason}\"");
        assert_line(&lines, &["WARN cannot list operations ", &reason], fault);
        let lines = scene.recover().await;
        assert_line(&lines, &["INFO operations are listed again "], fault);
        scene.end().await;
    }
}

#[tokio::test]
async fn another_cause_is_logged_while_a_failure_lasts() {
    let scene = Scene::new().await;
    let all_emails_fail = |seen: &Exposition| succeed(seen) == [true, false, false];
    let lines = scene.fail(&["emails=403"], all_emails_fail).await;
    assert_line(&lines, &["WARN cannot list emails "], "emails=403");
    let faults = ["emails=403", "list=403"];
    let lines = scene.fail(&faults, |seen| !succeed(seen)[0]).await;
    assert_line(&lines, &["WARN cannot list operations "], "list=403");
    let lines = scene.fail(&["emails=403"], all_emails_fail).await;
    let ends = "INFO operations are listed again ";
    assert_line(&lines, &[ends], "operations recover");
    let lines = scene.fail(&["emails=500"], all_emails_fail).await;
    let parts = ["WARN cannot list emails ", "reason=\"server_error\""];
    assert_line(&lines, &parts, "emails=500");
}

#[tokio::test]
async fn a_list_of_all_emails_that_alone_is_refused_is_one_line() {
    let scene = Scene::new().await;
    scene.twilio.fault("unfiltered-emails=403");
    scene.send().await;
    scene.go_on().await;
    eventually("the refusal is logged", || async {
        scene.go_on().await;
        scene.twilio.handle.requests().len() > 1
    })
    .await;
    let lines = scene.lines();
    assert_line(&lines, &["WARN cannot list all emails; "], "refused");
    let lines = scene.recover().await;
    assert_line(&lines, &["INFO all emails are listed again "], "recovered");
}
