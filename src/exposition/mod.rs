//! Prometheus' exposition formats: the metrics and how a scrape's response is written.
//!
//! [`catalogue`] is the table of metrics. [`Renderer`] writes the values about Twilio from a [`Snapshot`]; [`BlockRenderer`] does the
//! same, and reuses the text of the previous scrape where nothing has changed. The exporter's own metrics are in [`Instruments`].

mod blocks;
pub mod catalogue;
mod connections;
mod families;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gathered;
#[cfg(test)]
pub(crate) mod histories;
mod instruments;
mod labels;
mod metric;
mod mx_metrics;
mod probe;
mod reference;
mod source_metrics;
mod start_times;
mod state_metrics;
mod syntax;
mod text;
mod value;
mod web_metrics;

pub use blocks::{Block, BlockRenderer};
pub use connections::{Closed, ConnectionInstruments, Refused};
pub use instruments::{AccountInstruments, Build, Endpoint, Instruments};
pub use mx_metrics::{MxInstruments, MxResult};
pub use probe::{Probe, ProbeEmails, ProbeProvider, ProbeRows};
pub use reference::reference;
pub use source_metrics::SourceInstruments;
pub use state_metrics::StateInstruments;
pub use syntax::Syntax;
pub use web_metrics::WebInstruments;

use std::sync::Arc;

use crate::operation::CountingMode;
use crate::snapshot::{AccountSnapshot, CollectionStatus, CounterOrigins, Snapshot, Totals};
use families::{LabeledAccounts, LabeledOperations};
use labels::LabelTexts;
use text::Text;

/// Writes expositions. It reuses its working memory.
#[derive(Debug, Default)]
pub struct Renderer {
    accounts: LabelTexts,
    operations: LabelTexts,
}

impl Renderer {
    /// Appends the exposition of `/metrics` to `out`.
    pub fn render(
        &mut self,
        snapshot: &Snapshot,
        instruments: &Instruments,
        syntax: Syntax,
        out: &mut Vec<u8>,
    ) {
        self.render_snapshot(snapshot, syntax, out);
        let mut text = Text::new(out, syntax);
        instruments.encode(&mut text);
        text.end();
    }

    /// Appends the values about Twilio to `out`, without the exporter's own metrics and without an end.
    pub fn render_snapshot(&mut self, snapshot: &Snapshot, syntax: Syntax, out: &mut Vec<u8>) {
        let accounts = LabeledAccounts::new(snapshot, &mut self.accounts);
        let operations = LabeledOperations::new(accounts, &mut self.operations);
        // One allocation instead of repeated doubling, which copies. The system backs only written pages with memory.
        out.reserve(operations.usual_len());
        let mut text = Text::new(out, syntax);
        operations.write(&mut text);
        accounts.write(&mut text);
    }

    /// Appends the exposition of `/probe` to `out`.
    pub fn render_probe(&mut self, probe: &Probe<'_>, syntax: Syntax, out: &mut Vec<u8>) {
        let snapshot = Snapshot {
            accounts: vec![AccountSnapshot {
                operations: vec![probe.operation.clone()],
                ..empty_account(probe.account)
            }],
        };
        let accounts = LabeledAccounts::new(&snapshot, &mut self.accounts);
        let operations = LabeledOperations::new(accounts, &mut self.operations);
        let mut text = Text::new(out, syntax);
        operations.write(&mut text);
        if let (Some(emails), Some((labels, _))) = (&probe.emails, operations.iter().next()) {
            emails.write(labels, &mut text);
        }
        let mut success = text.family(&catalogue::PROBE_SUCCESS);
        success.sample_alone(probe.success);
        let mut duration = text.family(&catalogue::PROBE_DURATION);
        duration.sample_alone(probe.duration);
        text.end();
    }
}

/// An account of which nothing is known.
pub(crate) fn empty_account(name: &Arc<str>) -> AccountSnapshot {
    AccountSnapshot {
        name: Arc::clone(name),
        status: CollectionStatus::default(),
        collectors: Vec::new(),
        emails: None,
        counters: None,
        origins: CounterOrigins::default(),
        counting_mode: CountingMode::Exclusive,
        totals: Totals::default(),
        unconfirmed: None,
        without_series: 0,
        groups: Vec::new(),
        operations: Vec::new(),
    }
}

/// Appends the exposition of `/metrics` to `out`, for callers that do this once.
pub fn render(snapshot: &Snapshot, instruments: &Instruments, syntax: Syntax, out: &mut Vec<u8>) {
    Renderer::default().render(snapshot, instruments, syntax, out);
}

/// Appends the metrics about accounts and operations to `out` in the text format, without those about the exporter itself.
///
/// For the textfile collector of node exporter: it exposes several files and its own metrics together, and drops a sample with an
/// error if two of them have the same series. `process_*` and the exporter's own metrics would be the same series in each file.
pub fn render_accounts(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render_snapshot(snapshot, Syntax::Text, out);
    instruments.encode_accounts(&mut Text::new(out, Syntax::Text));
}

#[cfg(test)]
mod tests;
