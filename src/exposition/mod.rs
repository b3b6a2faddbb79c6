//! Prometheus' exposition format: the metrics and how a scrape's response is written.
//!
//! [`catalogue`] is the table of metrics. A scrape writes the values about Twilio anew from a [`Snapshot`], directly to the buffer.
//! The exporter's own metrics are in [`Instruments`].

pub mod catalogue;
mod connections;
mod families;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gathered;
mod instruments;
mod labels;
mod metric;
mod reference;
mod source_metrics;
mod state_metrics;
mod text;

pub use connections::{Closed, ConnectionInstruments};
pub use instruments::{AccountInstruments, Build, Endpoint, Instruments};
pub use reference::reference;
pub use source_metrics::SourceInstruments;
pub use state_metrics::StateInstruments;

use std::sync::Arc;
use std::time::Duration;

use crate::operation::CountingMode;
use crate::snapshot::{AccountSnapshot, CollectionStatus, ShownOperation, Snapshot, Totals};
use families::Labelled;
use labels::LabelTexts;
use text::Text;

/// The `Content-Type` of an exposition.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes expositions. It reuses its working memory.
#[derive(Debug, Default)]
pub struct Renderer {
    accounts: LabelTexts,
    operations: LabelTexts,
}

impl Renderer {
    /// Appends the exposition of `/metrics` to `out`.
    pub fn render(&mut self, snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
        self.render_snapshot(snapshot, out);
        instruments.encode(out);
    }

    /// Appends the values about Twilio to `out`, without the exporter's own metrics.
    pub fn render_snapshot(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) {
        let labelled = Labelled::new(snapshot, &mut self.accounts, &mut self.operations);
        // One allocation instead of repeated doubling, which copies. The system backs only written pages with memory.
        out.reserve(labelled.usual_len());
        labelled.write(&mut Text::new(out));
    }

    /// Appends the exposition of `/probe` to `out`.
    pub fn render_probe(&mut self, probe: &Probe<'_>, out: &mut Vec<u8>) {
        let snapshot = Snapshot {
            accounts: vec![AccountSnapshot {
                name: Arc::clone(probe.account),
                status: CollectionStatus::default(),
                collectors: Vec::new(),
                counters: None,
                counting_mode: CountingMode::Exclusive,
                totals: Totals::default(),
                without_series: 0,
                groups: Vec::new(),
                operations: vec![probe.operation.clone()],
            }],
        };
        let labelled = Labelled::new(&snapshot, &mut self.accounts, &mut self.operations);
        let mut text = Text::new(out);
        labelled.write_operations(&mut text);
        let mut success = text.family(&catalogue::PROBE_SUCCESS);
        success.sample_alone(probe.success);
        let mut duration = text.family(&catalogue::PROBE_DURATION);
        duration.sample_alone(probe.duration);
    }
}

/// The result of a probe, for its exposition.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The name of the operation's account.
    pub account: &'a Arc<str>,
    /// The operation's current values.
    pub operation: &'a ShownOperation,
    /// Whether the probe read the operation.
    pub success: bool,
    /// How long the probe took.
    pub duration: Duration,
}

/// Appends the exposition of `/metrics` to `out`, for callers that do this once.
pub fn render(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render(snapshot, instruments, out);
}

/// Appends the metrics about accounts and operations to `out`, without those about the exporter itself.
///
/// For the textfile collector of node exporter: it exposes several files and its own metrics together, and drops a sample with an
/// error if two of them have the same series. `process_*` and the exporter's own metrics would be the same series in each file.
pub fn render_accounts(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render_snapshot(snapshot, out);
    instruments.encode_accounts(out);
}

#[cfg(test)]
mod tests;
