//! The collector uses only domains, statuses and times of emails.

use std::path::Path;

use serde_json::{Value, json};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::operation_id;

use super::*;
use crate::support::client::client;
use crate::support::eventually;
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;
use crate::support::stub_server::{StubResponse, StubServer};

/// Every piece of somebody's mail has this word in it. The domain of the recipients has not: it may be a label.
const WORD: &str = "marker";
/// In a text of a row: the letter m, which is written as an escape.
const ESCAPED_M: &str = "(m)";
const DOMAIN: &str = "crm.example";

/// Rows with personal data wherever there is room for any; some rows cannot be used.
fn rows(id: OperationId) -> Vec<Value> {
    let address = format!("marker.person@{DOMAIN}");
    let escaped = format!("{ESCAPED_M}arker \"quoted\" \\ \n <b>marker</b>");
    let html = format!("<p>{address}</p>").repeat(200);
    let content = json!({"subject": escaped, "html": html, "text": [address], "attachments": [{"marker": {"marker": [escaped]}}]});
    let person = json!({"address": address, "name": escaped, "email": address, "variables": {address.clone(): escaped}});
    let row = |number: usize| {
        let email = operation_id(id.created(), number as u128).to_string();
        json!({
            "id": email.replace("comms_operation_", "comms_email_"), "operationId": id.to_string(), "status": "DELIVERED",
            "createdAt": id.created().to_string(), "updatedAt": (id.created() + Duration::from_secs(5)).to_string(),
            "to": [person], "from": person, "replyTo": person, "content": content,
            "tags": {address.clone(): escaped, "campaign": address}, address.clone(): {escaped.clone(): [[person]]},
        })
    };
    let mut rows: Vec<Value> = (0..40).map(row).collect();
    let display = format!("\"Marker, {escaped}\" <{address}> (marker)");
    for (at, (field, value)) in [
        ("status", json!(address)),
        ("to", json!(display)),
        ("to", json!({address.clone(): [address]})),
        ("from", json!([[address]])),
        ("updatedAt", json!(address)),
        ("id", json!(address)),
        ("scheduledFor", json!(address)),
        ("operationId", json!(address)),
        ("status", json!({"marker": "marker"})),
        ("createdAt", json!(escaped)),
        ("to", json!([display, {"address": escaped}])),
    ]
    .into_iter()
    .enumerate()
    {
        rows[at][field] = value;
    }
    rows
}

async fn server(id: OperationId) -> StubServer {
    let emails =
        json!({"emails": rows(id), "pagination": {"next": null}, "marker": [{"marker": "marker"}]});
    let emails = emails.to_string().replace(ESCAPED_M, "\\u006d");
    let operation = json!({
        "id": id.to_string(), "status": "COMPLETED", "stats": {"total": 40, "delivered": 40},
        "createdAt": id.created().to_string(), "updatedAt": id.created().to_string(),
    });
    let operations =
        json!({"operations": [operation.clone()], "pagination": {"next": null}}).to_string();
    let operation = operation.to_string();
    StubServer::start(move |path| {
        StubResponse::json(if path.contains("/Emails?") {
            emails.clone()
        } else if path.contains("/Operations?") {
            operations.clone()
        } else {
            operation.clone()
        })
    })
    .await
}

fn assert_no_mail(text: &str, what: &str) {
    let found = text.lines().find(|line| line.to_lowercase().contains(WORD));
    assert_eq!(found, None, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_piece_of_the_collected_emails_is_in_answers_the_log_or_the_state() {
    let id = operation_id(Clock::System.now() - Duration::from_hours(1), 7);
    let server = server(id).await;
    let base_url = server.base_url();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("config.yml");
    let token = directory.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    let yaml = format!(
        "accounts: [{{name: default, account_sid: {SID}, auth_token_file: token, base_url: {base_url}}}]\n\
         collectors: {{emails: {{enabled: true, max_domains: 10}}}}\nstorage: {{path: state}}\n"
    );
    std::fs::write(&config, yaml).unwrap();
    let state = directory.path().join("state");
    let options = [
        "--log.level=trace",
        "--web.enable-api",
        &format!("--config.file={}", config.display()),
        &format!("--storage.path={}", state.display()),
    ];
    let mut program = Program::exporter(&options, &[]);
    let address = program.address();
    let get = |path: String| async move {
        let response = client().get(format!("http://{address}{path}")).send();
        response.await.unwrap().text().await.unwrap()
    };
    eventually("the emails", || async {
        let text = get("/metrics".to_owned()).await;
        text.contains(&format!("recipient_domain=\"{DOMAIN}\""))
    })
    .await;
    let probe = format!("/probe?target={id}&emails=true");
    for path in [
        probe.clone(),
        format!("{probe}&debug=true"),
        "/metrics".to_owned(),
        "/".to_owned(),
        format!("/operations/{id}"),
        "/sd".to_owned(),
        "/api/v1/operations".to_owned(),
    ] {
        let text = get(path.clone()).await;
        assert!(!text.is_empty(), "{path}");
        assert_no_mail(&text, &path);
    }
    program.signal("TERM");
    let ended = program.wait();
    assert!(
        ended.stderr.contains("request to Twilio"),
        "{}",
        ended.stderr
    );
    assert_no_mail(&ended.stderr, "the log");
    assert_no_mail(&ended.stdout, "stdout");
    the_state_holds_no_mail(&state);
}

fn the_state_holds_no_mail(directory: &Path) {
    let mut has_emails = false;
    for file in std::fs::read_dir(directory).unwrap() {
        let content = std::fs::read(file.unwrap().path()).unwrap();
        let content = String::from_utf8_lossy(&content).to_lowercase();
        assert!(!content.contains(WORD));
        has_emails |= content.contains(DOMAIN);
    }
    assert!(has_emails, "the emails were saved");
}
