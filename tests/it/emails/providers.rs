//! The collector with a table of mailbox providers from a file. No count changes its provider when the table changes.

use std::fs;
use std::path::Path;

use serde_json::json;
use twilio_email_exporter::operation::OperationId;

use super::*;

/// All simulated recipients are at these domains.
const DOMAINS: &str = "[example.com, example.net, example.org]";
/// The emails of one operation.
const SENT: f64 = 5.0;

/// Writes a table in which all recipients belong to one provider.
fn write_table(path: &Path, provider: &str) {
    let table = format!("extend: false\nproviders: {{{provider}: {DOMAINS}}}\n");
    fs::write(path, table).unwrap();
}

/// An exporter that uses the table `providers.yml` in `directory`, with its store beside it.
fn with_table(twilio: &Twilio, directory: &Path) -> String {
    let table = directory.join("providers.yml");
    let key = format!(", providers_file: {}", table.display());
    configuration(twilio, "", &key, Some(&directory.join("store")))
}

impl Scene {
    /// An operation whose emails are sent and not yet confirmed, all at one provider.
    async fn sent(&self, provider: &str) -> OperationId {
        let stats = json!({"total": 5, "sent": 5});
        let id = self.twilio.put_as(Duration::ZERO, "PROCESSING", stats);
        self.seen("emails that are sent", |seen| {
            emails(seen, provider, "sent") == Some(SENT)
        })
        .await;
        id
    }

    /// Confirms three emails of an operation, and loses two.
    fn finish(&self, id: OperationId) {
        let stats = json!({"total": 5, "delivered": 3, "undelivered": 2});
        self.twilio.set(id, id.created(), "COMPLETED", stats);
    }
}

/// The deliveries and losses at a provider.
fn results(seen: &Exposition, provider: &str) -> (Option<f64>, Option<f64>) {
    let of = |name| outcome(seen, provider, name);
    (of("delivered"), of("undelivered"))
}

const FINISHED: (Option<f64>, Option<f64>) = (Some(3.0), Some(2.0));

/// Finishes an operation that was first counted for `before`, sends another one, and checks that each counts for its own provider.
async fn expect_unmoved(scene: &Scene, first: OperationId, before: &str, after: &str) {
    scene.finish(first);
    let seen = scene
        .seen("results under the earlier provider", |seen| {
            results(seen, before) == FINISHED
        })
        .await;
    assert_eq!(emails(&seen, before, "sent"), Some(0.0));
    assert!(matches!(
        outcome(&seen, after, "delivered"),
        None | Some(0.0)
    ));
    let second = scene.sent(after).await;
    scene.finish(second);
    let seen = scene
        .seen("results under the new provider", |seen| {
            results(seen, after) == FINISHED
        })
        .await;
    assert_eq!(results(&seen, before), FINISHED, "unmoved");
    assert_eq!(emails(&seen, before, "delivered"), Some(3.0));
    assert_eq!(results(&seen, "other"), (Some(0.0), Some(0.0)));
}

async fn started(twilio: Twilio, clock: Clock, yaml: &str) -> Scene {
    let exporter = start(yaml, &clock).await;
    let scene = Scene {
        clock,
        twilio,
        exporter,
    };
    scene
        .seen("the first emails", |seen| inbound(seen).is_some())
        .await;
    scene
}

/// An exporter whose table in `directory` has the provider `before`, its configuration, and an operation sent to that provider.
async fn with_emails_of_before(directory: &Path) -> (Scene, String, OperationId) {
    write_table(&directory.join("providers.yml"), "before");
    let (clock, twilio) = quiet_account().await;
    let yaml = with_table(&twilio, directory);
    let scene = started(twilio, clock, &yaml).await;
    let first = scene.sent("before").await;
    (scene, yaml, first)
}

#[tokio::test]
async fn a_reload_reads_the_table_again_and_no_count_of_emails_moves_to_another_provider() {
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("providers.yml");
    let (scene, yaml, first) = with_emails_of_before(directory.path()).await;

    // A wrong table changes nothing.
    fs::write(&table, "providers: {Wrong: [example.com]}\n").unwrap();
    let request = scene.exporter.client.post(scene.exporter.url("/-/reload"));
    assert_eq!(request.send().await.unwrap().status(), 500);
    let seen = scene.exporter.scrape().await;
    assert_eq!(emails(&seen, "before", "sent"), Some(SENT));

    write_table(&table, "after");
    reload(&scene.exporter, &yaml).await;
    expect_unmoved(&scene, first, "before", "after").await;
}

#[tokio::test]
async fn a_provider_that_left_the_table_while_the_exporter_was_down_keeps_its_counters() {
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("providers.yml");
    let (scene, yaml, first) = with_emails_of_before(directory.path()).await;
    scene.exporter.stop().await.unwrap();
    write_table(&table, "after");
    let scene = started(scene.twilio, scene.clock, &yaml).await;
    expect_unmoved(&scene, first, "before", "after").await;
}
