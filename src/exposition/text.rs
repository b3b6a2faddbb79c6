//! Writes the text format (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>) and OpenMetrics 1.0.0
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>) directly to a buffer.
//!
//! A scrape of several thousand operations has a hundred thousand lines. A line therefore is a few pushes of prepared text and
//! one number, without `fmt` and without an allocation per sample. The two formats differ in headers, in state sets, in what follows
//! a counter's value, and at the end; all of that is in this module.

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
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, syntax: Syntax) -> Self {
        Self { out, syntax }
    }

    /// Starts a family. All its samples must be written before the next family starts. A family without samples writes nothing.
    pub(super) fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        self.headed(Header {
            name: metric.name,
            help: metric.help,
            kind: metric.kind,
        })
    }

    /// Like [`Self::family`], for a family that is not in the catalogue.
    pub(super) fn headed<'b>(&'b mut self, header: Header<'b>) -> Family<'b> {
        Family {
            out: self.out,
            syntax: self.syntax,
            header,
            head: String::new(),
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

/// What OpenMetrics has beside the value of a counter.
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
        self.labelled(labels, further, value.into());
        self.out.push(b'\n');
    }

    /// Writes the sample of a counter.
    pub(super) fn counter(&mut self, labels: &str, further: &str, value: u64, origin: Origin<'_>) {
        self.labelled(labels, further, value.into());
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

    /// Writes since when the counter or histogram with these labels counts, after its other samples. Only OpenMetrics has this.
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
        let bound = match self.syntax {
            _ if bound == f64::INFINITY => "+Inf".to_owned(),
            Syntax::Text => bound.to_string(),
            Syntax::OpenMetrics => format!("{bound:?}"),
        };
        let mut labels = labels.to_owned();
        push_further(&mut labels, "le", &bound);
        self.suffixed("_bucket", &labels, count);
    }

    /// Writes a line up to the value.
    fn labelled(&mut self, labels: &str, further: &str, value: SampleValue) {
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
        let mut id = String::new();
        contribution.operation.push_to(&mut id);
        self.out.extend_from_slice(id.as_bytes());
        self.out.extend_from_slice(b"\"} ");
        SampleValue::from(contribution.emails).push_to(self.out);
        self.out.push(b' ');
        SampleValue::from(contribution.read).push_to(self.out);
    }

    #[cold]
    fn start(&mut self) {
        let Header { name, help, kind } = self.header;
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
        self.head = format!("{name}{{");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::catalogue::Scope;

    static AWKWARD: Metric = metric(
        "awkward_seconds_total",
        Kind::Counter,
        "A \\ and a\nbreak and a \".",
    );
    static MODE: Metric = metric("mode", Kind::StateSet, "The mode.");
    static BUILD: Metric = metric("build_info", Kind::Info, "The build.");

    const fn metric(name: &'static str, kind: Kind, help: &'static str) -> Metric {
        Metric {
            name,
            kind,
            scope: Scope::Account,
            own_labels: &[],
            help,
            details: "",
            absent: "",
            example: "",
        }
    }

    fn written(syntax: Syntax, write: impl FnOnce(&mut Text<'_>)) -> String {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out, syntax);
        write(&mut text);
        text.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_header_is_written_with_the_first_sample() {
        let write = |text: &mut Text<'_>| {
            let _ = text.family(&AWKWARD);
            let mut family = text.family(&AWKWARD);
            family.sample("a=\"b\"", true);
            family.sample_with("a=\"b\"", ",c=\"d\"", 2_u32);
        };
        let samples =
            "awkward_seconds_total{a=\"b\"} 1\nawkward_seconds_total{a=\"b\",c=\"d\"} 2\n";
        assert_eq!(
            written(Syntax::Text, write),
            format!(
                "# HELP awkward_seconds_total A \\\\ and a\\nbreak and a \".\n# TYPE awkward_seconds_total counter\n{samples}"
            )
        );
        assert_eq!(
            written(Syntax::OpenMetrics, write),
            format!(
                "# HELP awkward_seconds A \\\\ and a\\nbreak and a \\\".\n# TYPE awkward_seconds counter\n\
                 # UNIT awkward_seconds seconds\n{samples}# EOF\n"
            )
        );
    }

    #[test]
    fn only_open_metrics_has_the_start_and_the_operation_beside_a_counter() {
        let contribution = Contribution {
            operation: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
                .parse()
                .unwrap(),
            emails: 12,
            read: Timestamp::from_millis(1_500),
        };
        let origin = Origin {
            since: Some(Timestamp::from_millis(7_000)),
            contribution: Some(&contribution),
        };
        let write = |text: &mut Text<'_>| {
            let mut family = text.family(&AWKWARD);
            family.counter("a=\"b\"", ",c=\"d\"", 90, origin);
        };
        assert!(
            written(Syntax::Text, write)
                .ends_with("counter\nawkward_seconds_total{a=\"b\",c=\"d\"} 90\n")
        );
        let exemplar = "{operation_id=\"comms_operation_01h2xcejqtf2nbrexx3vqjhp41\"} 12 1.5";
        assert!(written(Syntax::OpenMetrics, write).ends_with(&format!(
            "seconds\nawkward_seconds_total{{a=\"b\",c=\"d\"}} 90 # {exemplar}\n\
             awkward_seconds_created{{a=\"b\",c=\"d\"}} 7\n# EOF\n"
        )));
    }

    #[test]
    fn a_state_set_has_a_label_with_the_name_of_its_family() {
        let write = |text: &mut Text<'_>| {
            let mut family = text.family(&MODE);
            let slow = family.state("speed", "slow");
            family.sample_with("a=\"b\"", &slow, true);
        };
        assert_eq!(
            written(Syntax::Text, write),
            "# HELP mode The mode.\n# TYPE mode gauge\nmode{a=\"b\",speed=\"slow\"} 1\n"
        );
        assert_eq!(
            written(Syntax::OpenMetrics, write),
            "# HELP mode The mode.\n# TYPE mode stateset\nmode{a=\"b\",speed=\"slow\",mode=\"slow\"} 1\n# EOF\n"
        );
    }

    #[test]
    fn the_family_of_an_info_has_no_suffix_in_open_metrics() {
        let write = |text: &mut Text<'_>| text.family(&BUILD).sample("version=\"1\"", true);
        assert_eq!(
            written(Syntax::Text, write),
            "# HELP build_info The build.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"
        );
        assert_eq!(
            written(Syntax::OpenMetrics, write),
            "# HELP build The build.\n# TYPE build info\nbuild_info{version=\"1\"} 1\n# EOF\n"
        );
    }
}
