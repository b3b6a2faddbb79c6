//! The command `health`, against exporters with and without a web configuration.

use tokio::task::spawn_blocking;
use twilio_email_exporter::config::ListenAddress;

use super::*;
use crate::support::program::{Finished, run};

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}";

/// Runs `health` for an exporter at `address`, with the web configuration of `files`.
async fn health(address: String, files: Option<&WebFiles>) -> Finished {
    let config = files.map(|files| files.path("web.yml").to_str().unwrap().to_owned());
    // The exporter runs on this thread.
    let run = move || {
        let mut arguments = vec!["health", "--web.listen-address", &address];
        if let Some(config) = &config {
            arguments.extend(["--web.config.file", config]);
        }
        run(&arguments, &[])
    };
    spawn_blocking(run).await.unwrap()
}

#[track_caller]
fn expect_failure(finished: &Finished, words: &str) {
    assert_eq!(finished.code, Some(1), "{}", finished.stderr);
    assert!(
        finished.stderr.contains(words),
        "{words:?} in {}",
        finished.stderr
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_succeeds_only_while_the_exporter_is_ready() {
    let twilio = Twilio::empty().await;
    let exporter = Exporter::watching(&twilio).await.settled().await;
    let address = exporter.address.to_string();
    let finished = health(address.clone(), None).await;
    assert_eq!(
        (finished.code, finished.stdout.as_str()),
        (Some(0), "ready\n"),
        "{}",
        finished.stderr
    );
    exporter.stop().await.unwrap();
    let finished = health(address.clone(), None).await;
    expect_failure(&finished, &format!("cannot connect to {address}: "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_fails_until_the_first_collection_has_finished() {
    let twilio = Twilio::empty().await;
    twilio.fault("hang");
    let exporter = Exporter::watching(&twilio).await;
    let finished = health(exporter.address.to_string(), None).await;
    expect_failure(&finished, "is not ready (HTTP 503)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_reaches_an_exporter_on_a_unix_socket() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", directory.path().join("web.sock").display());
    let options = Overrides {
        listen: vec![
            address.parse::<ListenAddress>().unwrap(),
            "127.0.0.1:0".parse().unwrap(),
        ],
        ..Overrides::default()
    };
    let yaml = one_account(&twilio, "");
    let exporter = Exporter::start_with(&yaml, Clock::System, options)
        .await
        .settled()
        .await;
    let finished = health(address, None).await;
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    drop(exporter);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_accepts_the_configured_certificate_and_no_other() {
    let (twilio, files) = (Twilio::empty().await, WebFiles::new(TLS));
    let exporter = files.exporter(&twilio).await;
    let address = exporter.address.to_string();
    eventually("ready", || async {
        health(address.clone(), Some(&files)).await.code == Some(0)
    })
    .await;
    let other = WebFiles::new(TLS);
    expect_failure(
        &health(address.clone(), Some(&other)).await,
        "cannot get a response from",
    );
    expect_failure(&health(address, None).await, "cannot get a response from");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_explains_configurations_that_it_cannot_check() {
    let twilio = Twilio::empty().await;
    let users = users();
    let files = WebFiles::new(&users);
    let exporter = files.exporter(&twilio).await;
    let finished = health(exporter.address.to_string(), Some(&files)).await;
    expect_failure(&finished, "Set `health_without_auth: true`");
    let open = WebFiles::new(&format!("{users}health_without_auth: true\n"));
    let exporter = open.exporter(&twilio).await;
    let address = exporter.address.to_string();
    eventually("ready", || async {
        health(address.clone(), Some(&open)).await.code == Some(0)
    })
    .await;

    let clients = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: client-ca.crt}";
    let files = WebFiles::new(&TLS.replace('}', &format!(", {clients}")));
    let finished = health("127.0.0.1:1".to_owned(), Some(&files)).await;
    expect_failure(&finished, "requires client certificates");
    let finished = health("127.0.0.1:0".to_owned(), None).await;
    expect_failure(&finished, "the system chose the port");
    let broken = WebFiles::new("tls_server_config: {cert_file: nowhere.crt}");
    let finished = health("127.0.0.1:1".to_owned(), Some(&broken)).await;
    assert_eq!(finished.code, Some(2), "{}", finished.stderr);
}
