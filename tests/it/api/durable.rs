//! A registration is on disk before its response.

use std::time::Duration;

use serde_json::json;

use super::OPERATIONS;
use crate::support::client::{client, scrape};
use crate::support::exporter::{SID, TOKEN};
use crate::support::program::Program;
use crate::support::twilio::Twilio;

/// The number of kills of the exporter.
const KILLS: usize = 5;

#[tokio::test]
async fn a_registration_survives_kill_9_right_after_the_response() {
    let twilio = Twilio::empty().await;
    let directory = tempfile::tempdir().unwrap();
    let base_url = twilio.base_url();
    let start = || {
        let variables = [
            ("TWILIO_ACCOUNT_SID", SID),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_EMAIL_BASE_URL", &base_url),
        ];
        let storage = ["--storage.path", directory.path().to_str().unwrap()];
        let options = ["--discovery", "false", "--web.enable-api"];
        Program::exporter(&[&storage[..], &options[..]].concat(), &variables)
    };
    let client = client();
    let mut registered = Vec::new();
    for kill in 0..KILLS {
        let mut program = start();
        let address = program.address();
        let id = twilio.put(Duration::ZERO, json!({"total": 7}));
        let body = json!({"id": id.to_string(), "labels": {"campaign": format!("c{kill}")}});
        let request = client.post(format!("http://{address}{OPERATIONS}"));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        assert_eq!(request.send().await.unwrap().status(), 201);
        program.signal("KILL");
        program.wait();
        registered.push(id);
    }
    let gone = registered.pop().unwrap();
    let mut program = start();
    let address = program.address();
    let url = format!("http://{address}{OPERATIONS}/{gone}");
    assert_eq!(client.delete(url).send().await.unwrap().status(), 200);
    program.signal("KILL");
    program.wait();
    let mut program = start();
    let address = program.address();
    let seen = scrape(&client, address).await.unwrap();
    for (kill, id) in registered.iter().enumerate() {
        assert_eq!(seen.of_operation(*id, "size"), Some(7.0));
        let (id, campaign) = (id.to_string(), format!("c{kill}"));
        let labels = [("operation_id", id.as_str()), ("campaign", &campaign)];
        assert_eq!(
            seen.value("twilio_email_operation_info", &labels),
            Some(1.0)
        );
    }
    assert_eq!(
        seen.of_operation(gone, "size"),
        None,
        "a removed registration stays removed"
    );
}
