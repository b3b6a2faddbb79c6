//! The counters of lookups of mail exchangers. One set of lookups serves all accounts, so they have no label `account`.

use prometheus::{Error, IntCounterVec, Opts};

use super::catalogue;

/// The result of a lookup: the value of the label `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MxResult {
    /// A mail exchanger belongs to a provider of the table.
    Found,
    /// No mail exchanger belongs to a provider of the table, or the domain has none.
    Unknown,
    /// No name server responded, or all responded with an error.
    Failed,
    /// Too many lookups were pending.
    Skipped,
}

impl MxResult {
    /// The closed set.
    const ALL: [Self; 4] = [Self::Found, Self::Unknown, Self::Failed, Self::Skipped];

    /// The label's value.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Counts lookups of mail exchangers. Clones share the values.
#[derive(Debug, Clone)]
pub struct MxInstruments {
    lookups: IntCounterVec,
}

impl MxInstruments {
    pub(super) fn new() -> Result<Self, Error> {
        let metric = &catalogue::MX_LOOKUPS;
        let lookups = IntCounterVec::new(Opts::new(metric.name, metric.help), &["result"])?;
        Ok(Self { lookups })
    }

    /// The counters begin at 0 now.
    pub fn start(&self) {
        for result in MxResult::ALL {
            self.lookups.with_label_values(&[result.as_str()]);
        }
    }

    /// Counts a lookup.
    pub fn count(&self, result: MxResult) {
        self.lookups.with_label_values(&[result.as_str()]).inc();
    }

    pub(super) const fn lookups(&self) -> &IntCounterVec {
        &self.lookups
    }
}
