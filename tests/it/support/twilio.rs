//! The simulated Twilio, served.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::operation::OperationId;
use twilio_email_exporter::simulator::{self, Handle, Settings, Simulator};
use twilio_email_exporter::timestamp::Timestamp;

/// A simulated Twilio that listens; it ends with the value.
pub(crate) struct Twilio {
    pub(crate) handle: Handle,
    address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
}

impl Twilio {
    /// An account in which only the test makes operations.
    pub(crate) async fn empty() -> Self {
        Self::start(Settings::empty(), Clock::System).await
    }

    pub(crate) async fn start(settings: Settings, clock: Clock) -> Self {
        let simulator = Simulator::new(settings, move || clock.now());
        let handle = simulator.handle();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = simulator.router();
        Self {
            handle,
            address,
            server: tokio::spawn(async move { axum::serve(listener, router).await }),
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Makes an operation `age` old with these stats, completed; returns its id.
    pub(crate) fn put(&self, age: Duration, stats: Value) -> OperationId {
        self.put_as(age, "COMPLETED", stats)
    }

    pub(crate) fn put_as(&self, age: Duration, status: &str, stats: Value) -> OperationId {
        let created = self.handle.now() - age;
        // Counted, so that two operations of one moment differ.
        let id = simulator::operation_id(
            created,
            u128::from(self.handle.now().as_millis().unsigned_abs()) ^ next(),
        );
        self.set(id, created, status, stats);
        id
    }

    /// Makes the operation with this id, or changes it.
    #[expect(clippy::needless_pass_by_value, reason = "callers write json!(…)")]
    pub(crate) fn set(&self, id: OperationId, created: Timestamp, status: &str, stats: Value) {
        let times = (created.to_string(), self.handle.now().to_string());
        self.handle.put(json!({
            "id": id.to_string(), "status": status, "stats": stats, "createdAt": times.0, "updatedAt": times.1,
        }));
    }

    /// Lets something go wrong; the grammar stands at `simulator::Fault`.
    pub(crate) fn fault(&self, text: &str) {
        self.handle.fault(text.parse().unwrap());
    }

    /// Nobody listens from now on.
    pub(crate) async fn vanish(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn next() -> u128 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 50
}
