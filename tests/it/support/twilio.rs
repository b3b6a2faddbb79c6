//! The simulated Twilio, served.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{self, Handle, Simulator, SimulatorSettings};
use twilio_email_exporter::timestamp::Timestamp;

use super::client::client;

/// A simulated Twilio that listens. It stops when the value is dropped.
pub(crate) struct Twilio {
    pub(crate) handle: Handle,
    pub(crate) address: SocketAddr,
    simulator: Simulator,
    server: Option<Server>,
}

struct Server {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Twilio {
    /// An account in which only the test creates operations.
    pub(crate) async fn empty() -> Self {
        Self::start(SimulatorSettings::empty(), Clock::System).await
    }

    pub(crate) async fn start(settings: impl Into<SimulatorSettings>, clock: Clock) -> Self {
        let simulator = Simulator::new(settings.into(), move || clock.now());
        let handle = simulator.handle();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Some(Server::start(listener, simulator.clone()));
        Self {
            handle,
            address,
            simulator,
            server,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Creates a completed operation of this age with these stats. Returns its id.
    pub(crate) fn put(&self, age: Duration, stats: Value) -> OperationId {
        self.put_as(age, "COMPLETED", stats)
    }

    pub(crate) fn put_as(&self, age: Duration, status: &str, stats: Value) -> OperationId {
        let created = self.handle.now() - age;
        // A counter, so that two operations of the same time differ.
        let id = simulator::operation_id(
            created,
            u128::from(self.handle.now().as_millis().unsigned_abs()) ^ next(),
        );
        self.set(id, created, status, stats);
        id
    }

    /// Creates the operation with this id, or changes it.
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…)")]
    pub(crate) fn set(&self, id: OperationId, created: Timestamp, status: &str, stats: Value) {
        let times = (created.to_string(), self.handle.now().to_string());
        self.handle.put(json!({
            "id": id.to_string(), "status": status, "stats": stats, "createdAt": times.0, "updatedAt": times.1,
        }));
    }

    /// Sends to two people through the API, with `more` fields; returns the operation's id.
    pub(crate) async fn send(&self, more: Value) -> OperationId {
        let mut body = json!({
            "from": {"address": "us@example.com"},
            "to": [{"address": "jane@example.com"}, {"address": "joe@example.com"}],
            "content": {"subject": "Hi"},
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let sent = client()
            .post(format!("{}/Emails", self.base_url()))
            .basic_auth("AC00000000000000000000000000000000", Some("x"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
        answer["operationId"].as_str().unwrap().parse().unwrap()
    }

    /// Injects a fault; `simulator::Fault` documents the grammar.
    pub(crate) fn fault(&self, text: &str) {
        self.handle.fault(text.parse().unwrap());
    }

    /// Stops listening and closes idle connections.
    pub(crate) async fn vanish(&mut self) {
        if let Some(Server { stop, running }) = self.server.take() {
            let _ = stop.send(());
            running.await.unwrap();
        }
    }

    /// Listens again on the same address.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.server = Some(Server::start(listener, self.simulator.clone()));
    }
}

impl Server {
    fn start(listener: TcpListener, simulator: Simulator) -> Self {
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let serving = simulator.serve(listener, async {
                let _ = stopped.await;
            });
            serving.await.unwrap();
        });
        Self { stop, running }
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.running.abort();
        }
    }
}

fn next() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 50
}
