//! The program: its outputs and its exit codes.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::support::eventually;
use crate::support::exporter::{account_at, one_account};
use crate::support::program::{Finished, Program, command, run};
use crate::support::twilio::Twilio;

/// The golden file of the JSON document.
const GOLDEN: &str = "tests/it/golden/check.json";

async fn program(yaml: &str, arguments: &[&str]) -> (Finished, Files) {
    let files = files(yaml);
    let path = files.config.to_str().unwrap().to_owned();
    let begin = ["check", "--config.file", &path];
    let listen = ["--web.listen-address", "127.0.0.1:0"];
    let arguments = [&begin[..], &listen, arguments].concat();
    let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
    let ended = tokio::task::spawn_blocking(move || {
        let arguments: Vec<_> = arguments.iter().map(|argument| &argument[..]).collect();
        run(&arguments, &[("LANG", "C.UTF-8")])
    });
    (ended.await.unwrap(), files)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_says_whether_everything_works() {
    let twilio = Twilio::empty().await;
    let yaml = one_account(&twilio, "");
    let (fine, _) = program(&yaml, &[]).await;
    assert_eq!(
        (fine.code, &fine.stderr[..]),
        (Some(0), ""),
        "{}",
        fine.stdout
    );
    assert!(fine.stdout.is_ascii(), "no terminal: {}", fine.stdout);
    let last = fine.stdout.lines().last().unwrap();
    assert_eq!(last, "1 warning, 8 ok", "{}", fine.stdout);
    twilio.fault("401");
    let (failed, _) = program(&yaml, &[]).await;
    assert_eq!(
        (failed.code, &failed.stderr[..]),
        (Some(1), ""),
        "{}",
        failed.stdout
    );
    let line = "failed: account default: credentials: Twilio rejects the auth token of account default (401). The token was rotated";
    assert!(failed.stdout.contains(line), "{}", failed.stdout);
    let (wrong, _) = program("accounts: 7\n", &[]).await;
    assert_eq!(
        (wrong.code, &wrong.stderr[..]),
        (Some(2), ""),
        "{}",
        wrong.stdout
    );
    assert!(
        wrong.stdout.contains("failed: configuration: "),
        "{}",
        wrong.stdout
    );
    let (usage, _) = program(&yaml, &["--format", "xml"]).await;
    assert_eq!(usage.code, Some(2), "{}", usage.stderr);
    let (offline, _) = program(&yaml, &["--offline"]).await;
    assert_eq!(offline.code, Some(0), "{}", offline.stdout);
}

/// The document without what differs from run to run.
fn stable(document: &mut Value, files: &Files, address: &str) -> String {
    document["version"] = json!("VERSION");
    document["checked"] = json!("TIME");
    let text = serde_json::to_string_pretty(document).unwrap();
    let directory = files.config.parent().unwrap().to_str().unwrap();
    text.replace(directory, "DIR").replace(address, "TWILIO") + "\n"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_json_document_is_as_documented() {
    let twilio = Twilio::empty().await;
    let id = twilio_email_exporter::simulator::operation_id(Clock::System.now() - HOUR, 1);
    twilio.set(
        id,
        id.created(),
        "COMPLETED",
        json!({"total": 1, "delivered": 1}),
    );
    let refused = account_at("refused", &twilio.base_url().replace("/v1", "/v2"), "");
    let yaml = one_account(&twilio, "operation_files: [none.yml]") + &refused;
    let (ended, files) = program(&yaml, &["--format=json"]).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let mut document: Value = serde_json::from_str(&ended.stdout).unwrap();
    let text = stable(&mut document, &files, &twilio.address.to_string());
    let text = text.replace(&id.to_string(), "OPERATION");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    assert_eq!(text, golden, "UPDATE_GOLDEN=1 writes it anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigint_ends_a_check_that_waits() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", silent.local_addr().unwrap());
    let files = files(&format!("accounts:\n{}", account_at("a", &url, "")));
    let config = files.config.to_str().unwrap();
    let arguments = ["check", "--config.file", config];
    let listen = ["--web.listen-address", "127.0.0.1:0"];
    let mut running = Program::start(command(&[&arguments[..], &listen].concat(), &[]));
    eventually("the account is being checked", || async {
        running.stdout().contains("state_directory")
    })
    .await;
    running.signal("INT");
    let last = running.line(&["stopped before everything was checked"]);
    assert_eq!(running.wait().code, Some(1), "{last}");
}
