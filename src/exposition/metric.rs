//! The type of the catalogue's rows: a metric family with its labels, its help and its text for the reference page. A row has
//! everything that the text format, OpenMetrics and the reference page write about a family.

use super::syntax::Syntax;

/// One metric family.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What one series is about.
    pub scope: Scope,
    /// Labels beyond those of the scope.
    pub own_labels: &'static [&'static str],
    /// One sentence, exposed as `# HELP`.
    pub help: &'static str,
    /// Further sentences for the reference page.
    pub details: &'static str,
    /// When there is no such series: the text after "Absent". Empty if there always is one.
    pub absent: &'static str,
    /// A value for the reference page.
    pub example: &'static str,
}

impl Metric {
    /// All its labels, those of the scope first, without users' labels.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.scope.labels().iter().chain(self.own_labels).copied()
    }
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Its values rise and fall.
    Gauge,
    /// Its values only rise.
    Counter,
    /// Its values only rise, in cumulative buckets.
    Histogram,
    /// One series per state, with 1 or 0. Only OpenMetrics has this type; in the text format it is a gauge.
    StateSet,
    /// A constant 1 with labels. Only OpenMetrics has this type; in the text format it is a gauge.
    Info,
}

impl Kind {
    /// The word in the `# TYPE` line of the text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word(Syntax::Text)
    }

    /// The word in the `# TYPE` line.
    pub(super) const fn word(self, syntax: Syntax) -> &'static str {
        match (self, syntax) {
            (Self::Counter, _) => "counter",
            (Self::Histogram, _) => "histogram",
            (Self::StateSet, Syntax::OpenMetrics) => "stateset",
            (Self::Info, Syntax::OpenMetrics) => "info",
            (Self::Gauge | Self::StateSet | Self::Info, _) => "gauge",
        }
    }
}

/// What one series of a metric is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One operation.
    Operation,
    /// One configured account.
    Account,
    /// The exporter itself.
    Exporter,
}

impl Scope {
    /// The closed set, in the order of the reference page.
    pub const ALL: [Self; 3] = [Self::Operation, Self::Account, Self::Exporter];

    /// The labels that every metric of the scope has.
    #[must_use]
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Operation => &["account", "operation_id"],
            Self::Account => &["account"],
            Self::Exporter => &[],
        }
    }
}
