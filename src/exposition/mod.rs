//! Everything about Prometheus: which metrics there are, and what a scrape reads.
//!
//! [`catalogue`] is the table of metrics. What a scrape shows of Twilio is written anew from a [`Snapshot`], straight to the buffer;
//! what the exporter counts itself is in [`Instruments`].

pub mod catalogue;
mod connections;
mod families;
mod gathered;
mod instruments;
mod labels;
mod metric;
mod reference;
mod source_figures;
mod state_figures;
mod text;

pub use connections::{Closed, ConnectionInstruments};
pub use instruments::{AccountInstruments, Build, Endpoint, Instruments};
pub use reference::reference;
pub use source_figures::SourceInstruments;
pub use state_figures::StateInstruments;

use std::sync::Arc;
use std::time::Duration;

use crate::operation::CountingMode;
use crate::snapshot::{AccountSnapshot, CollectionStatus, ShownOperation, Snapshot, Totals};
use families::Labelled;
use labels::LabelTexts;
use text::Text;

/// The `Content-Type` of what [`Renderer`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes expositions; it keeps its working memory from one to the next.
#[derive(Debug, Default)]
pub struct Renderer {
    accounts: LabelTexts,
    operations: LabelTexts,
}

impl Renderer {
    /// Appends everything that `/metrics` shows to `out`.
    pub fn render(&mut self, snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
        self.render_snapshot(snapshot, out);
        instruments.encode(out);
    }

    /// Appends what there is to show of Twilio to `out`, without the exporter's own figures.
    pub fn render_snapshot(&mut self, snapshot: &Snapshot, out: &mut Vec<u8>) {
        let labelled = Labelled::new(snapshot, &mut self.accounts, &mut self.operations);
        // At once instead of by doubling, which leaves copies behind; what is not written to costs no memory.
        out.reserve(labelled.usual_len());
        labelled.write(&mut Text::new(out));
    }

    /// Appends what a probe shows to `out`.
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

/// What `/probe` shows.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The name of the operation's account.
    pub account: &'a Arc<str>,
    /// What is known of the operation now.
    pub operation: &'a ShownOperation,
    /// Whether it could be read just now.
    pub success: bool,
    /// How long that took.
    pub duration: Duration,
}

/// Appends everything that `/metrics` shows to `out`; for those who do so once.
pub fn render(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render(snapshot, instruments, out);
}

/// Appends what `/metrics` shows of accounts to `out`, and nothing of the exporter itself.
///
/// For node exporter's textfile collector: it exposes several files and its own metrics as one. A series that two of them
/// have makes it drop the sample and report an error, and `process_*` and the exporter's own metrics are the same series in
/// each file.
pub fn render_accounts(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render_snapshot(snapshot, out);
    instruments.encode_accounts(out);
}

#[cfg(test)]
mod tests;
