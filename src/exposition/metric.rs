//! What the catalogue says of each metric.

/// One metric family.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// The full name.
    pub name: &'static str,
    /// What its values may do.
    pub kind: Kind,
    /// What one series stands for.
    pub scope: Scope,
    /// Labels beyond those of the scope.
    pub own_labels: &'static [&'static str],
    /// One sentence, shown as `# HELP`.
    pub help: &'static str,
    /// What the reference page says beyond that.
    pub details: &'static str,
    /// When there is no such series, to be read after "Absent"; empty if there always is one.
    pub absent: &'static str,
    /// A value for the reference page.
    pub example: &'static str,
}

impl Metric {
    /// All its labels, those of the scope first; users' labels are not among them.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.scope.labels().iter().chain(self.own_labels).copied()
    }
}

/// What the values of a metric may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rise and fall.
    Gauge,
    /// Only rise.
    Counter,
    /// Rise, in cumulative buckets.
    Histogram,
}

impl Kind {
    /// The word after `# TYPE` and the name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// What one series of a metric stands for.
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
    /// All of them, in the order of the reference page.
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
