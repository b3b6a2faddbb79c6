//! Probes of emails with lookups of mail exchangers.

use serde_json::json;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::SimulatorSettings;

use super::collecting::{DOMAINS, configuration, name_server};
use super::*;
use crate::support::exporter::Exporter;
use crate::support::twilio::Twilio;

struct Scene {
    id: OperationId,
    exporter: Exporter,
    // Ends with the test.
    _twilio: Twilio,
}

impl Scene {
    /// An exporter that has not collected yet, and an operation with three delivered emails to each domain.
    async fn new(server: &NameServer) -> Self {
        let clock = morning();
        let twilio = Twilio::start(SimulatorSettings::empty(), clock.clone()).await;
        let id = twilio.put(Duration::from_mins(5), json!({"total": 9, "delivered": 9}));
        let yaml = configuration(&twilio, server, None);
        let exporter = Exporter::start_at(&yaml, clock).await;
        Self {
            id,
            exporter,
            _twilio: twilio,
        }
    }

    /// The delivered emails by provider: Google Workspace, Microsoft 365, other.
    async fn probe(&self) -> [Option<f64>; 3] {
        let path = format!("/probe?target={}&emails=true", self.id);
        let text = self.exporter.get(&path).await.text().await.unwrap();
        let seen = Exposition::parse(&text).unwrap();
        assert_eq!(seen.value("probe_success", &[]), Some(1.0), "{text}");
        ["google_workspace", "microsoft_365", "other"].map(|provider| {
            let labels = [("provider", provider), ("status", "delivered")];
            seen.value("twilio_email_probe_provider_emails", &labels)
        })
    }
}

#[tokio::test]
async fn a_probe_counts_emails_under_the_provider_of_their_mail_exchangers_at_once() {
    let server = name_server().await;
    let scene = Scene::new(&server).await;
    assert_eq!(scene.probe().await, [Some(3.0); 3]);
    let mut requested = server.asked();
    requested.sort();
    assert_eq!(requested, DOMAINS.map(|domain| format!("{domain}.")));
    assert_eq!(scene.probe().await, [Some(3.0); 3]);
    assert_eq!(server.asked().len(), DOMAINS.len(), "looked up once");
}

#[tokio::test]
async fn a_probe_waits_for_a_silent_name_server_for_seconds_only() {
    let server = NameServer::start().await;
    for domain in DOMAINS {
        server.answer(domain, Answer::Silence);
    }
    let scene = Scene::new(&server).await;
    assert_eq!(scene.probe().await, [None, None, Some(9.0)]);
}
