//! Of the emails that a probe reads, it uses only the providers of known domains, statuses and times.

use std::path::Path;

use serde_json::{Value, json};
use twilio_email_exporter::operation::OperationId;

use super::list::{self, ESCAPED_M, List, Pages, row};
use crate::support::client::client;
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;

/// The word that every piece of personal data contains.
const WORD: &str = "marker";

/// Rows with personal data in every possible place; some rows cannot be used.
fn rows(id: OperationId) -> Vec<Value> {
    let address = "marker.person@marker-domain.example";
    let escaped = &format!("{ESCAPED_M}arker \"quoted\" \\ \n <b>marker</b>");
    let content = json!({"subject": escaped, "html": format!("<p>{address}</p>").repeat(100), "text": [address]});
    let person = json!({"address": address, "name": escaped, "email": address, "variables": {address: escaped}});
    let mut rows: Vec<Value> = (0..30)
        .map(|number| {
            let mut row = row(id, number, "DELIVERED", "marker-domain.example", 5);
            row["to"] = json!([person]);
            row["from"] = person.clone();
            row["replyTo"] = person.clone();
            row["content"] = content.clone();
            row["tags"] = json!({address: escaped, "campaign": address});
            row[address] = json!({escaped: [[person]]});
            row
        })
        .collect();
    rows[1]["status"] = json!(address);
    rows[2]["to"] = json!(address);
    rows[3]["to"] = json!({address: [address]});
    rows[4]["from"] = json!([[address]]);
    rows[5]["updatedAt"] = json!(address);
    rows
}

/// The rows, and the same with rows that cannot be used.
fn lists(id: OperationId) -> [Vec<Value>; 2] {
    let mut broken = rows(id);
    broken[6]["id"] = json!("marker.person@marker-domain.example");
    broken[7]["scheduledFor"] = json!("marker.person@marker-domain.example");
    broken[8]["operationId"] = json!("marker.person@marker-domain.example");
    broken[9]["status"] = json!({"marker": "marker"});
    [rows(id), broken]
}

fn assert_no_personal_data(text: &str, what: &str) {
    let found = text.lines().find(|line| line.to_lowercase().contains(WORD));
    assert_eq!(found, None, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_personal_data_of_probed_emails_is_in_responses_the_log_or_the_store() {
    let id = list::operation();
    for (rows, complete) in lists(id).into_iter().zip(["1", "0"]) {
        let list = List::start(id, rows, Pages::Next).await;
        let base_url = list.server.base_url();
        let variables = [
            ("TWILIO_ACCOUNT_SID", SID),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_EMAIL_BASE_URL", &base_url),
        ];
        let directory = tempfile::tempdir().unwrap();
        let storage = format!("--storage.path={}", directory.path().display());
        let mut program = Program::exporter(&["--log.level=trace", &storage], &variables);
        let address = program.address();
        let probe = format!("/probe?target={id}&emails=true");
        let debug = format!("{probe}&debug=true");
        let api = format!("/operations/{id}");
        for path in [probe.as_str(), &debug, "/metrics", "/", &api, "/sd"] {
            let url = format!("http://{address}{path}");
            let text = client()
                .get(url)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            assert_no_personal_data(&text, path);
            let shown = format!("}} {complete}\n");
            let line = text
                .lines()
                .find(|line| line.starts_with("twilio_email_probe_emails_complete{"));
            assert_eq!(
                line.is_some_and(|line| format!("{line}\n").ends_with(&shown)),
                path.starts_with("/probe")
            );
        }
        program.signal("TERM");
        let finished = program.wait();
        assert!(
            finished.stderr.contains("request to Twilio"),
            "{}",
            finished.stderr
        );
        assert_no_personal_data(&finished.stderr, "the log");
        assert_no_personal_data(&finished.stdout, "stdout");
        the_state_holds_no_mail(directory.path());
    }
}

fn the_state_holds_no_mail(directory: &Path) {
    let files: Vec<_> = std::fs::read_dir(directory).unwrap().collect();
    assert!(!files.is_empty());
    for file in files {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        let content = String::from_utf8_lossy(&content).to_lowercase();
        assert!(!content.contains(WORD));
    }
}
