//! Probes of emails with a table of mailbox providers from a file.

use std::fs;

use serde_json::json;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::config::Overrides;

use crate::support::eventually;
use crate::support::exporter::{Exporter, one_account};
use crate::support::exposition::Exposition;
use crate::support::twilio::Twilio;

/// The emails of the probed operation that a provider has, whatever their status.
fn emails(seen: &Exposition, provider: &str) -> f64 {
    let samples = seen.samples("twilio_email_probe_provider_emails");
    let own = samples
        .iter()
        .filter(|sample| sample.has(&[("provider", provider)]));
    own.map(|sample| sample.value).sum()
}

#[tokio::test]
async fn a_table_names_providers_and_is_read_again_at_a_reload_unless_it_is_wrong() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let table = directory.path().join("providers.yml");
    // The simulated recipients are at example.com and example.net.
    fs::write(&table, "providers: {mine: [example.com]}\n").unwrap();
    let yaml = one_account(&twilio, "")
        + &format!(
            "collectors: {{emails: {{providers_file: {}}}}}\n",
            table.display()
        );
    let options = Overrides {
        enable_lifecycle: Some(true),
        ..Overrides::default()
    };
    let exporter = Exporter::start_with(&yaml, Clock::System, options).await;
    let exporter = exporter.settled().await;
    let id = twilio.send(json!({})).await;
    let probe = || async {
        let path = format!("/probe?target={id}&emails=true");
        Exposition::parse(&exporter.get(&path).await.text().await.unwrap()).unwrap()
    };
    eventually("both emails exist", || async {
        let seen = probe().await;
        (emails(&seen, "mine"), emails(&seen, "other")) == (1.0, 1.0)
    })
    .await;
    let reload = || async {
        let request = exporter.client.post(exporter.url("/-/reload"));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    fs::write(&table, "providers: {Mine: [example.net]}\n").unwrap();
    let (status, text) = reload().await;
    assert_eq!(status, 500);
    let place = "collectors.emails.providers_file: ";
    let problem =
        "providers.Mine: a provider's name has 1 to 32 of a-z, 0-9 and _, and begins with a letter";
    assert!(text.contains(place) && text.contains(problem), "{text}");
    assert!((emails(&probe().await, "mine") - 1.0).abs() < f64::EPSILON);
    fs::write(&table, "providers: {mine: [example.com, example.net]}\n").unwrap();
    assert_eq!(reload().await.0, 200);
    assert!((emails(&probe().await, "mine") - 2.0).abs() < f64::EPSILON);
}
