//! Writes the text format (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>) and OpenMetrics 1.0.0
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>) directly to a buffer.
//!
//! A scrape of several thousand operations has a hundred thousand lines. So a line is a few pushes of prepared text and one number,
//! without `fmt` and without an allocation per sample. The two formats differ in headers, in state sets, in what follows a
//! counter's value, and at the end; all of that is in this module.

use std::fmt::Write;

use super::labels::push_further;
use super::metric::{Kind, Metric};
use super::syntax::Syntax;
use super::value::SampleValue;
use crate::snapshot::Contribution;
use crate::timestamp::Timestamp;

/// The units that OpenMetrics names in a `# UNIT` line: those that a family's name ends with.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// Appends families to a buffer, one after another.
///
/// The code that writes families uses only this and [`Family`].
pub(super) struct Text<'a> {
    out: &'a mut Vec<u8>,
    syntax: Syntax,
    /// The memory for text that a sample needs before it is written.
    scratch: String,
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, syntax: Syntax) -> Self {
        Self {
            out,
            syntax,
            scratch: String::new(),
        }
    }

    /// Starts a family. All its samples must be written before the next family starts. A family without samples writes nothing.
    pub(super) fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        self.headed(Header::of(metric))
    }

    /// Like [`Self::family`], for samples that follow other samples of the family or its header.
    pub(super) fn continued(&mut self, metric: &'static Metric) -> Family<'_> {
        let mut family = self.family(metric);
        family.head = family.header.head();
        family
    }

    /// Writes the header of a family that has samples.
    pub(super) fn header(&mut self, metric: &'static Metric) {
        self.family(metric).start();
    }

    /// Like [`Self::family`], for a family that is not in the catalogue.
    pub(super) fn headed<'b>(&'b mut self, header: Header<'b>) -> Family<'b> {
        Family {
            out: self.out,
            syntax: self.syntax,
            header,
            head: String::new(),
            scratch: &mut self.scratch,
        }
    }

    /// Ends the exposition. OpenMetrics marks the end, so that a reader notices a truncated text.
    pub(super) fn end(self) {
        if self.syntax == Syntax::OpenMetrics {
            self.out.extend_from_slice(b"# EOF\n");
        }
    }
}

/// The header of a family: the content of its `# HELP` and `# TYPE` lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    /// The name of its samples.
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) kind: Kind,
}

impl<'a> Header<'a> {
    const fn of(metric: &'static Metric) -> Self {
        Self {
            name: metric.name,
            help: metric.help,
            kind: metric.kind,
        }
    }

    /// The beginning of each sample with labels.
    fn head(&self) -> String {
        [self.name, "{"].concat()
    }

    /// The name of the family. In OpenMetrics the samples of counters and infos have a suffix that their family does not have.
    fn family_name(&self, syntax: Syntax) -> &'a str {
        let suffix = match (syntax, self.kind) {
            (Syntax::OpenMetrics, Kind::Counter) => "_total",
            (Syntax::OpenMetrics, Kind::Info) => "_info",
            _ => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }
}

/// What OpenMetrics writes besides the value of a counter.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin<'a> {
    /// When the counter was 0 and began to count, if that is known.
    pub(super) since: Option<Timestamp>,
    /// The operation that made it grow last.
    pub(super) contribution: Option<&'a Contribution>,
}

/// One family that is being written.
pub(super) struct Family<'a> {
    out: &'a mut Vec<u8>,
    syntax: Syntax,
    header: Header<'a>,
    /// The name and `{`; empty until the header is written.
    head: String,
    scratch: &'a mut String,
}

impl Family<'_> {
    /// Writes a sample; `labels` is escaped label text and not empty.
    pub(super) fn sample(&mut self, labels: &str, value: impl Into<SampleValue>) {
        self.sample_with(labels, "", value);
    }

    /// Writes a sample with further labels; `further` is escaped label text with a comma before each label.
    pub(super) fn sample_with(
        &mut self,
        labels: &str,
        further: &str,
        value: impl Into<SampleValue>,
    ) {
        self.labeled(labels, further, value.into());
        self.out.push(b'\n');
    }

    /// Writes a sample with one further label.
    pub(super) fn sample_of(
        &mut self,
        labels: &str,
        name: &str,
        label: &str,
        value: impl Into<SampleValue>,
    ) {
        let mut further = std::mem::take(self.scratch);
        further.clear();
        push_further(&mut further, name, label);
        self.sample_with(labels, &further, value);
        *self.scratch = further;
    }

    /// Writes the sample of a counter.
    pub(super) fn counter(&mut self, labels: &str, further: &str, value: u64, origin: Origin<'_>) {
        self.labeled(labels, further, value.into());
        if let Some(contribution) = origin.contribution
            && self.syntax == Syntax::OpenMetrics
        {
            self.exemplar(contribution);
        }
        self.out.push(b'\n');
        if let Some(since) = origin.since
            && self.syntax == Syntax::OpenMetrics
        {
            self.push_name("_created");
            self.out.push(b'{');
            self.out.extend_from_slice(labels.as_bytes());
            self.out.extend_from_slice(further.as_bytes());
            self.out.extend_from_slice(b"} ");
            SampleValue::from(since).push_to(self.out);
            self.out.push(b'\n');
        }
    }

    /// Writes a sample without labels.
    pub(super) fn sample_alone(&mut self, value: impl Into<SampleValue>) {
        self.suffixed("", "", value);
    }

    /// Writes a sample whose name ends with `suffix`; `labels` is escaped label text with a comma before each, or empty.
    pub(super) fn suffixed(&mut self, suffix: &str, labels: &str, value: impl Into<SampleValue>) {
        if self.head.is_empty() {
            self.start();
        }
        self.out.extend_from_slice(self.header.name.as_bytes());
        self.out.extend_from_slice(suffix.as_bytes());
        self.push_labels_and(labels, value.into());
    }

    /// Writes when the counter or histogram with these labels began to count, after its other samples. Only OpenMetrics has this.
    pub(super) fn created(&mut self, labels: &str, since: Option<SampleValue>) {
        if let (Some(since), Syntax::OpenMetrics) = (since, self.syntax) {
            self.push_name("_created");
            self.push_labels_and(labels, since);
        }
    }

    /// The label text of one state, with a comma before each label.
    ///
    /// In OpenMetrics the state is in a label that has the name of the family. The label `label` stays, because queries use it.
    pub(super) fn state(&self, label: &str, state: &str) -> String {
        let mut text = String::new();
        push_further(&mut text, label, state);
        if self.syntax == Syntax::OpenMetrics && self.header.kind == Kind::StateSet {
            push_further(&mut text, self.header.name, state);
        }
        text
    }

    /// Writes a bucket of a histogram. OpenMetrics has one spelling of a bound, in which integers have a fraction.
    pub(super) fn bucket(&mut self, labels: &str, bound: f64, count: u64) {
        let mut all = std::mem::take(self.scratch);
        all.clear();
        all.push_str(labels);
        all.push_str(",le=\"");
        // Writing to a string does not fail.
        let _ = match self.syntax {
            _ if bound == f64::INFINITY => all.write_str("+Inf"),
            Syntax::Text => write!(all, "{bound}"),
            Syntax::OpenMetrics => write!(all, "{bound:?}"),
        };
        all.push('"');
        self.suffixed("_bucket", &all, count);
        *self.scratch = all;
    }

    /// Writes a line up to the value.
    fn labeled(&mut self, labels: &str, further: &str, value: SampleValue) {
        if self.head.is_empty() {
            self.start();
        }
        self.out.extend_from_slice(self.head.as_bytes());
        self.out.extend_from_slice(labels.as_bytes());
        self.out.extend_from_slice(further.as_bytes());
        self.out.extend_from_slice(b"} ");
        value.push_to(self.out);
    }

    fn push_labels_and(&mut self, labels: &str, value: SampleValue) {
        if let Some(labels) = labels.strip_prefix(',') {
            self.out.push(b'{');
            self.out.extend_from_slice(labels.as_bytes());
            self.out.push(b'}');
        }
        self.out.push(b' ');
        value.push_to(self.out);
        self.out.push(b'\n');
    }

    fn push_name(&mut self, suffix: &str) {
        let name = self.header.family_name(self.syntax);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(suffix.as_bytes());
    }

    /// Writes the operation, how many emails it added, and when the exporter read them.
    fn exemplar(&mut self, contribution: &Contribution) {
        self.out.extend_from_slice(b" # {operation_id=\"");
        self.scratch.clear();
        contribution.operation.push_to(self.scratch);
        self.out.extend_from_slice(self.scratch.as_bytes());
        self.out.extend_from_slice(b"\"} ");
        SampleValue::from(contribution.emails).push_to(self.out);
        self.out.push(b' ');
        SampleValue::from(contribution.read).push_to(self.out);
    }

    #[cold]
    fn start(&mut self) {
        let Header { help, kind, .. } = self.header;
        let family = self.header.family_name(self.syntax);
        let kind = kind.word(self.syntax);
        let mut help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let mut unit = String::new();
        if self.syntax == Syntax::OpenMetrics {
            help = help.replace('"', "\\\"");
            let last = family.rsplit('_').next().unwrap_or_default();
            if UNITS.contains(&last) {
                unit = format!("# UNIT {family} {last}\n");
            }
        }
        let header = format!("# HELP {family} {help}\n# TYPE {family} {kind}\n{unit}");
        self.out.extend_from_slice(header.as_bytes());
        self.head = self.header.head();
    }
}

#[cfg(test)]
mod tests;
