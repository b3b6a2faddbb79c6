//! An exporter in a runtime of its own. It can be killed at any time, with everything that it does.

use std::ops::Deref;

use tokio::runtime::{Builder, Runtime};
use twilio_email_exporter::clock::Clock;

use super::PATIENCE;
use super::exporter::Exporter;

pub(crate) struct KillableExporter {
    exporter: Exporter,
    runtime: Runtime,
}

impl KillableExporter {
    /// After its first collection.
    pub(crate) async fn start(yaml: String, clock: Clock) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let exporter =
            runtime.spawn(async move { Exporter::start_at(&yaml, clock).await.settled().await });
        Self {
            exporter: exporter.await.unwrap(),
            runtime,
        }
    }

    /// Ends it as if its process were killed: nothing is finished.
    pub(crate) async fn kill(self) {
        let Self { exporter, runtime } = self;
        drop(exporter);
        let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE));
        ended.await.unwrap();
    }
}

impl Deref for KillableExporter {
    type Target = Exporter;

    fn deref(&self) -> &Exporter {
        &self.exporter
    }
}
