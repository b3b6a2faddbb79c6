//! Writes the text format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>) directly to a buffer.
//!
//! A scrape of several thousand operations has a hundred thousand lines. A line therefore is a few pushes of prepared text and
//! one number, without `fmt` and without an allocation per sample.

use std::time::Duration;

use super::catalogue::Metric;
use crate::timestamp::Timestamp;

/// Appends families to a buffer, one after another.
///
/// The code that writes families uses only this and [`Family`]. Another format would differ in header, suffix and end, which are
/// all in this module.
pub(super) struct Text<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Text<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Starts a family. All its samples must be written before the next family starts. A family without samples writes nothing.
    pub(super) fn family(&mut self, metric: &'static Metric) -> Family<'_> {
        self.headed(Header {
            name: metric.name,
            help: metric.help,
            kind: metric.kind.as_str(),
        })
    }

    /// Like [`Self::family`], for a family that is not in the catalogue.
    pub(super) fn headed<'b>(&'b mut self, header: Header<'b>) -> Family<'b> {
        Family {
            out: self.out,
            header,
            head: String::new(),
        }
    }
}

/// The header of a family: the content of its `# HELP` and `# TYPE` lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    pub(super) kind: &'a str,
}

/// One family that is being written.
pub(super) struct Family<'a> {
    out: &'a mut Vec<u8>,
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
        if self.head.is_empty() {
            self.start();
        }
        self.out.extend_from_slice(self.head.as_bytes());
        self.out.extend_from_slice(labels.as_bytes());
        self.out.extend_from_slice(further.as_bytes());
        self.out.extend_from_slice(b"} ");
        value.into().push_to(self.out);
        self.out.push(b'\n');
    }

    /// Writes a sample without labels.
    pub(super) fn sample_alone(&mut self, value: impl Into<SampleValue>) {
        if self.head.is_empty() {
            self.start();
        }
        self.out.extend_from_slice(self.header.name.as_bytes());
        self.out.push(b' ');
        value.into().push_to(self.out);
        self.out.push(b'\n');
    }

    /// Writes a sample whose name ends with `suffix`; `labels` is ready-made text with a comma before each, or empty.
    pub(super) fn suffixed(&mut self, suffix: &str, labels: &str, value: impl Into<SampleValue>) {
        if self.head.is_empty() {
            self.start();
        }
        self.out.extend_from_slice(self.header.name.as_bytes());
        self.out.extend_from_slice(suffix.as_bytes());
        if let Some(labels) = labels.strip_prefix(',') {
            self.out.push(b'{');
            self.out.extend_from_slice(labels.as_bytes());
            self.out.push(b'}');
        }
        self.out.push(b' ');
        value.into().push_to(self.out);
        self.out.push(b'\n');
    }

    #[cold]
    fn start(&mut self) {
        let Header { name, help, kind } = self.header;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let header = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self.out.extend_from_slice(header.as_bytes());
        self.head = format!("{name}{{");
    }
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum SampleValue {
    Count(u64),
    Moment(Timestamp),
    Number(f64),
}

impl SampleValue {
    fn push_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Count(count) => push_count(out, count),
            Self::Moment(moment) => push_moment(out, moment),
            Self::Number(number) => push_number(out, number),
        }
    }
}

impl From<u64> for SampleValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for SampleValue {
    fn from(count: u32) -> Self {
        Self::Count(u64::from(count))
    }
}

impl From<bool> for SampleValue {
    fn from(yes: bool) -> Self {
        Self::Count(u64::from(yes))
    }
}

impl From<Timestamp> for SampleValue {
    fn from(moment: Timestamp) -> Self {
        Self::Moment(moment)
    }
}

impl From<f64> for SampleValue {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for SampleValue {
    fn from(span: Duration) -> Self {
        Self::Number(span.as_secs_f64())
    }
}

fn push_count(out: &mut Vec<u8>, count: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
}

/// Writes seconds from integer milliseconds: exact, and faster than by a float.
fn push_moment(out: &mut Vec<u8>, moment: Timestamp) {
    let millis = moment.as_millis();
    if millis < 0 {
        out.push(b'-');
    }
    let millis = millis.unsigned_abs();
    push_count(out, millis / 1000);
    let fraction = millis % 1000;
    if fraction > 0 {
        out.push(b'.');
        // The leading 1 keeps the zeros before the first digit.
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(1000 + fraction)[1..].trim_end_matches('0');
        out.extend_from_slice(digits.as_bytes());
    }
}

/// Writes the shortest text that parses to the same number, as `Display` does.
fn push_number(out: &mut Vec<u8>, number: f64) {
    let text = match number {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        finite_or_nan => finite_or_nan.to_string(),
    };
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::catalogue::{Kind, Scope};

    static AWKWARD: Metric = Metric {
        name: "awkward",
        kind: Kind::Counter,
        scope: Scope::Account,
        own_labels: &[],
        help: "A \\ and a\nbreak and a \".",
        details: "",
        absent: "",
        example: "",
    };

    fn written(value: impl Into<SampleValue>) -> String {
        let mut out = Vec::new();
        value.into().push_to(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_header_is_written_with_the_first_sample() {
        let mut out = Vec::new();
        let mut text = Text::new(&mut out);
        let _ = text.family(&AWKWARD);
        let mut family = text.family(&AWKWARD);
        family.sample("a=\"b\"", true);
        family.sample_with("a=\"b\"", ",c=\"d\"", 2_u32);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "# HELP awkward A \\\\ and a\\nbreak and a \".\n# TYPE awkward counter\n\
             awkward{a=\"b\"} 1\nawkward{a=\"b\",c=\"d\"} 2\n"
        );
    }

    #[test]
    fn times_have_a_fraction_only_if_it_is_not_zero() {
        for (millis, text) in [
            (0, "0"),
            (1_775_370_000_000, "1775370000"),
            (1_775_370_000_066, "1775370000.066"),
            (1_775_370_000_250, "1775370000.25"),
            (7, "0.007"),
            (-1_500, "-1.5"),
            (i64::MAX, "9223372036854775.807"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(written(Timestamp::from_millis(millis)), text);
        }
    }

    #[test]
    fn numbers_are_short_and_parse_to_the_same_value() {
        assert_eq!(written(u64::MAX), "18446744073709551615");
        assert_eq!(written(Duration::from_millis(184)), "0.184");
        assert_eq!(written(Duration::from_secs(3)), "3");
        assert_eq!(written(Duration::from_nanos(1)), "0.000000001");
        assert_eq!(written(SampleValue::Number(f64::INFINITY)), "+Inf");
        assert_eq!(written(SampleValue::Number(f64::NEG_INFINITY)), "-Inf");
        assert_eq!(written(SampleValue::Number(-f64::NAN)), "NaN");
        for number in [f64::MAX, f64::MIN_POSITIVE, 0.1 + 0.2] {
            assert_eq!(written(SampleValue::Number(number)).parse(), Ok(number));
        }
    }
}
