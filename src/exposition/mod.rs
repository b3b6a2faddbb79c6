//! Everything about Prometheus: which metrics there are, and what a scrape reads.
//!
//! [`catalogue`] is the table of metrics. What a scrape shows of Twilio is written anew from a [`Snapshot`], straight to the buffer;
//! what the exporter counts itself is in [`Instruments`].

pub mod catalogue;
mod families;
mod instruments;
mod labels;
mod metric;
mod reference;
mod source_figures;
mod text;

pub use instruments::{AccountInstruments, Build, Endpoint, Instruments, StateInstruments};
pub use reference::reference;
pub use source_figures::SourceInstruments;

use crate::snapshot::Snapshot;
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
}

/// Appends everything that `/metrics` shows to `out`; for those who do so once.
pub fn render(snapshot: &Snapshot, instruments: &Instruments, out: &mut Vec<u8>) {
    Renderer::default().render(snapshot, instruments, out);
}

#[cfg(test)]
mod tests;
