//! The results of a check: one result per thing that was tried, in sections. The text and the JSON are written from them.

use std::fmt::Display;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::diagnosis::{Finding, Severity};
use crate::timestamp::Timestamp;

/// The check of the configuration.
pub(super) const CONFIGURATION: &str = "configuration";
/// The check of the web configuration.
pub(super) const WEB_CONFIGURATION: &str = "web_configuration";

/// How one thing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    Ok,
    /// It works, with a risk or a limitation.
    Warning,
    /// It does not work.
    Failed,
    /// It was not tried.
    Skipped,
}

/// What a result is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// The configuration as a whole.
    Configuration,
    /// The HTTP server: its addresses and its web configuration.
    Server,
    /// The state directory.
    Storage,
    /// One account.
    Account(Arc<str>),
}

/// The result of one check. All texts are complete sentences; the first has no full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// How it went.
    pub status: Status,
    /// The stable name of the check, for programs.
    pub check: &'static str,
    /// The stable name of the problem, for programs: that of the finding on the page.
    pub code: Option<&'static str>,
    /// What was found.
    pub what: String,
    /// Why; empty if everything works.
    pub cause: String,
    /// What to do; empty if there is nothing to do.
    pub cure: String,
}

/// The results about one area, in the order in which things were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What they are about.
    pub area: Area,
    /// At least one.
    pub results: Vec<CheckResult>,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether only what needs no network was tried.
    pub offline: bool,
    /// When the check began.
    pub at: Timestamp,
    /// The sections, in a fixed order.
    pub sections: Vec<Section>,
}

impl Status {
    /// All, in the order of a summary.
    pub const ALL: [Self; 4] = [Self::Failed, Self::Warning, Self::Ok, Self::Skipped];

    /// The status in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Area {
    /// Its stable name, for programs.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Server => "server",
            Self::Storage => "storage",
            Self::Account(_) => "account",
        }
    }

    /// The name of the account.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Account(name) => Some(name),
            _ => None,
        }
    }
}

impl CheckResult {
    /// Something that works.
    pub(super) fn ok(check: &'static str, what: impl Display) -> Self {
        Self::new(Status::Ok, check, what)
    }

    /// Something that does not work, whose text has its cause and its cure.
    pub(super) fn failed(check: &'static str, what: impl Display) -> Self {
        Self::new(Status::Failed, check, what)
    }

    /// Something that works, with `what` as a warning.
    pub(super) fn warning(check: &'static str, what: impl Display) -> Self {
        Self::new(Status::Warning, check, what)
    }

    /// Something that was not tried, because of `why`.
    pub(super) fn skipped(check: &'static str, why: impl Display) -> Self {
        Self::new(Status::Skipped, check, why)
    }

    /// The finding as the page would show it.
    pub(super) fn finding(check: &'static str, finding: Finding) -> Self {
        Self {
            status: match finding.severity {
                Severity::Error => Status::Failed,
                Severity::Warning | Severity::Notice => Status::Warning,
            },
            check,
            code: Some(finding.code),
            what: finding.what,
            cause: finding.cause,
            cure: finding.cure,
        }
    }

    fn new(status: Status, check: &'static str, what: impl Display) -> Self {
        Self {
            status,
            check,
            code: None,
            what: what.to_string(),
            cause: String::new(),
            cure: String::new(),
        }
    }
}

impl Report {
    pub(super) const fn new(offline: bool, at: Timestamp) -> Self {
        Self {
            offline,
            at,
            sections: Vec::new(),
        }
    }

    /// All results, in their order.
    pub fn results(&self) -> impl Iterator<Item = &CheckResult> {
        self.sections.iter().flat_map(|section| &section.results)
    }

    /// How many results have this status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        let results = self.results();
        results.filter(|result| result.status == status).count()
    }

    /// Whether the configuration or the web configuration is wrong, so that the exporter would not start.
    #[must_use]
    pub fn is_misconfigured(&self) -> bool {
        let files = [CONFIGURATION, WEB_CONFIGURATION];
        self.results()
            .any(|result| result.status == Status::Failed && files.contains(&result.check))
    }

    /// The report as one JSON document, with a line break at its end.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Nothing in it can fail to be written: all keys are texts.
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let results: Vec<_> = self
            .sections
            .iter()
            .flat_map(|section| section.results.iter().map(|result| InArea(section, result)))
            .collect();
        let mut report = serializer.serialize_struct("Report", 8)?;
        report.serialize_field("version", crate::build_info::VERSION)?;
        report.serialize_field("checked", &self.at.to_string())?;
        report.serialize_field("offline", &self.offline)?;
        for status in Status::ALL {
            report.serialize_field(status.as_str(), &self.count(status))?;
        }
        report.serialize_field("results", &results)?;
        report.end()
    }
}

/// A result with the area of its section.
struct InArea<'a>(&'a Section, &'a CheckResult);

impl Serialize for InArea<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Section { area, .. }, result) = self;
        let text = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        let mut fields = serializer.serialize_struct("Result", 8)?;
        fields.serialize_field("status", &result.status)?;
        fields.serialize_field("area", area.as_str())?;
        fields.serialize_field("account", &area.account())?;
        fields.serialize_field("check", result.check)?;
        fields.serialize_field("code", &result.code)?;
        fields.serialize_field("what", &result.what)?;
        fields.serialize_field("cause", &text(&result.cause))?;
        fields.serialize_field("cure", &text(&result.cure))?;
        fields.end()
    }
}
