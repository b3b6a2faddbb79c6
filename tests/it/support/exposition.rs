//! A strict reader of the text format 0.0.4, which knows nothing of the writer that it checks.
//!
//! It refuses more than Prometheus does: what Prometheus forgives or only drops is a mistake of the exporter all the same.

use std::collections::{BTreeMap, HashSet};
use std::str::Chars;

use twilio_email_exporter::operation::OperationId;

/// A whole exposition, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// In the order of the text.
    pub(crate) families: Vec<Family>,
}

/// One family.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    /// The word after `# TYPE`.
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// One sample. In a histogram its name is the family's with a suffix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Exposition {
    /// Reads `text`, or says which line is wrong and why.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::default();
        if !text.is_empty() {
            let lines = text.strip_suffix('\n').ok_or("no line feed at the end")?;
            // Not `lines()`, which would take a carriage return for a part of the line's end.
            for (at, line) in lines.split('\n').enumerate() {
                let read = reader.line(line);
                read.map_err(|why| format!("line {}: {why}: {line}", at + 1))?;
            }
        }
        reader.end_family()?;
        Ok(reader.exposition)
    }

    /// The family of that name.
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// The samples of that name, which in a histogram has a suffix.
    pub(crate) fn samples(&self, name: &str) -> Vec<&Sample> {
        let samples = self.families.iter().flat_map(|family| &family.samples);
        samples.filter(|sample| sample.name == name).collect()
    }

    /// The value of the only sample of that name that has (at least) these labels; `None` if there is no such sample.
    ///
    /// # Panics
    ///
    /// If several samples have these labels.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut matching = self.samples(name);
        matching.retain(|sample| sample.has(labels));
        assert!(
            matching.len() <= 1,
            "{name} with {labels:?} stands for {matching:#?}"
        );
        matching.first().map(|sample| sample.value)
    }
}

impl Exposition {
    /// The value of a family of the account `default`, without `twilio_email_` in front.
    #[track_caller]
    pub(crate) fn of_account(&self, family: &str) -> Option<f64> {
        self.of("default", family)
    }

    /// The value of a family of that account.
    #[track_caller]
    pub(crate) fn of(&self, account: &str, family: &str) -> Option<f64> {
        self.value(&format!("twilio_email_{family}"), &[("account", account)])
    }

    /// The value of `twilio_email_operation_…` of that operation, whatever its account.
    #[track_caller]
    pub(crate) fn of_operation(&self, id: OperationId, family: &str) -> Option<f64> {
        let id = id.to_string();
        let labels = [("operation_id", id.as_str())];
        self.value(&format!("twilio_email_operation_{family}"), &labels)
    }

    /// The operation's emails at that status.
    #[track_caller]
    pub(crate) fn emails(&self, id: OperationId, status: &str) -> Option<f64> {
        let id = id.to_string();
        let labels = [("operation_id", id.as_str()), ("status", status)];
        self.value("twilio_email_operation_emails", &labels)
    }

    /// Requests of the account `default` that failed, by endpoint and reason; only those that did.
    pub(crate) fn failures(&self) -> BTreeMap<(String, String), f64> {
        let failures = self.samples("twilio_email_api_request_failures_total");
        let failures = failures
            .into_iter()
            .filter(|sample| sample.value > 0.0 && sample.has(&[("account", "default")]));
        let named = |sample: &Sample| {
            let label = |name: &str| sample.labels[name].clone();
            ((label("endpoint"), label("reason")), sample.value)
        };
        failures.map(named).collect()
    }

    /// Panics unless each of these families of the account `default` has this value.
    #[track_caller]
    pub(crate) fn expect(&self, when: &str, wanted: &[(&str, f64)]) {
        for (family, wanted) in wanted {
            let found = self.of_account(family);
            assert_eq!(found, Some(*wanted), "{family} {when}: found, wanted");
        }
    }
}

impl Sample {
    /// Whether it has all of these labels.
    pub(crate) fn has(&self, labels: &[(&str, &str)]) -> bool {
        let has =
            |(name, value): &(&str, &str)| self.labels.get(*name).is_some_and(|own| own == value);
        labels.iter().all(has)
    }
}

#[derive(Default)]
struct Reader {
    exposition: Exposition,
    /// Help that waits for its type.
    help: Option<(String, String)>,
    series: HashSet<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(help) = line.strip_prefix("# HELP ") {
            self.help(help)
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            self.kind(kind)
        } else if line.starts_with('#') {
            Err("neither HELP nor TYPE".to_owned())
        } else {
            self.sample(line)
        }
    }

    fn help(&mut self, line: &str) -> Result<(), String> {
        self.end_family()?;
        let (name, help) = line.split_once(' ').ok_or("help without text")?;
        self.help = Some((name.to_owned(), unescape(help, false)?));
        Ok(())
    }

    fn kind(&mut self, line: &str) -> Result<(), String> {
        let (name, kind) = line.split_once(' ').ok_or("type without a word")?;
        let (helped, help) = self.help.take().ok_or("type without help before it")?;
        if helped != name {
            return Err(format!("type after the help of {helped}"));
        }
        if !is_name(name, true) {
            return Err(format!("bad name {name}"));
        }
        if !["gauge", "counter", "histogram"].contains(&kind) {
            return Err(format!("type {kind}"));
        }
        if self.exposition.family(name).is_some() {
            return Err(format!("{name} a second time"));
        }
        self.exposition.families.push(Family {
            name: name.to_owned(),
            kind: kind.to_owned(),
            help,
            samples: Vec::new(),
        });
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        if self.help.is_some() {
            return Err("sample between help and type".to_owned());
        }
        let sample = sample(line)?;
        let family = self.exposition.families.last_mut();
        let family = family.ok_or("sample before any type")?;
        if !family.takes(&sample) {
            return Err(format!("sample of another family than {}", family.name));
        }
        if !self
            .series
            .insert(format!("{}{:?}", sample.name, sample.labels))
        {
            return Err("series a second time".to_owned());
        }
        family.samples.push(sample);
        Ok(())
    }

    /// Checks what can only be said of a family as a whole.
    fn end_family(&mut self) -> Result<(), String> {
        if let Some((name, _)) = &self.help {
            return Err(format!("{name} has help and no type"));
        }
        match self.exposition.families.last() {
            Some(family) if family.samples.is_empty() => {
                Err(format!("{} has no samples", family.name))
            }
            Some(family) if family.kind == "histogram" => family.check_histogram(),
            _ => Ok(()),
        }
    }
}

impl Family {
    fn takes(&self, sample: &Sample) -> bool {
        let Some(suffix) = sample.name.strip_prefix(&self.name) else {
            return false;
        };
        match suffix {
            "" => self.kind != "histogram",
            "_bucket" => self.kind == "histogram" && sample.labels.contains_key("le"),
            "_sum" | "_count" => self.kind == "histogram",
            _ => false,
        }
    }

    /// Every histogram has rising buckets, of which the last is `+Inf` and equals the count.
    fn check_histogram(&self) -> Result<(), String> {
        let counts = self
            .samples
            .iter()
            .filter(|sample| sample.name.ends_with("_count"));
        for count in counts {
            let buckets = self.samples.iter().filter(|sample| {
                let mut labels = sample.labels.clone();
                labels.remove("le").is_some() && labels == count.labels
            });
            let buckets: Vec<_> = buckets.collect();
            let rising = buckets.is_sorted_by(|a, b| a.value <= b.value);
            let last = buckets.last().filter(|last| last.has(&[("le", "+Inf")]));
            if !rising || last.map(|last| last.value) != Some(count.value) {
                return Err(format!(
                    "{} {:?} has wrong buckets",
                    self.name, count.labels
                ));
            }
        }
        Ok(())
    }
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("sample without value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err(format!("bad name {name}"));
    }
    let mut rest = rest.chars();
    let labels = if rest.as_str().starts_with('{') {
        labels(&mut rest)?
    } else {
        BTreeMap::new()
    };
    let value = rest
        .as_str()
        .strip_prefix(' ')
        .ok_or("no space before the value")?;
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value: number(value)?,
    })
}

/// Reads `{name="value",…}`; neither spaces nor a last comma are taken.
fn labels(rest: &mut Chars<'_>) -> Result<BTreeMap<String, String>, String> {
    let mut labels = BTreeMap::new();
    rest.next();
    loop {
        let (name, after) = rest
            .as_str()
            .split_once("=\"")
            .ok_or("label without value")?;
        if !is_name(name, false) || name.starts_with("__") {
            return Err(format!("bad label name {name:?}"));
        }
        let end = closing_quote(after).ok_or("label's value without end")?;
        let value = unescape(&after[..end], true)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label {name} a second time"));
        }
        *rest = after[end + 1..].chars();
        match rest.next() {
            Some(',') => {}
            Some('}') => return Ok(labels),
            _ => return Err("neither comma nor brace after a label".to_owned()),
        }
    }
}

/// Where the first quote stands that no backslash takes its meaning from.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quotes => '"',
                other => return Err(format!("bad escape {other:?}")),
            },
            other => other,
        });
    }
    Ok(plain)
}

/// Reads a number as Go writes it; no timestamp may follow.
fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ if text
            .chars()
            .all(|c| c.is_ascii_digit() || "+-.e".contains(c)) =>
        {
            text.parse().map_err(|_| format!("bad value {text:?}"))
        }
        _ => Err(format!("bad value {text:?}")),
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit())
}

#[test]
fn a_good_exposition_is_taken_apart() {
    let text = "# HELP a Help \\\\ \\n \".\n# TYPE a gauge\na 1.5\na{b=\"\\\"\\\\\\n\\r\"} +Inf\n"
        .replace("\\r", "\r");
    let read = Exposition::parse(&text).unwrap();
    assert_eq!(read.family("a").unwrap().help, "Help \\ \n \".");
    assert_eq!(read.value("a", &[("b", "\"\\\n\r")]), Some(f64::INFINITY));
    assert_eq!(read.value("a", &[("b", "other")]), None);
    assert_eq!(read.samples("a").len(), 2);
    assert!(Exposition::parse("").unwrap().families.is_empty());
}

#[test]
fn each_mistake_is_refused() {
    for (body, why) in [
        ("a 1", "no line feed at the end"),
        ("\n", "sample without value"),
        ("b 1\n", "sample of another family than a"),
        ("a_total 1\n", "sample of another family than a"),
        ("a 1\na 1\n", "series a second time"),
        (
            "a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 2\n",
            "series a second time",
        ),
        ("a{b=\"1\",b=\"2\"} 1\n", "label b a second time"),
        ("a{b=\"\\x\"} 1\n", "bad escape"),
        ("a{b=\"\\\"} 1\n", "label's value without end"),
        ("a{1b=\"\"} 1\n", "bad label name"),
        ("a{__b=\"\"} 1\n", "bad label name"),
        ("a{} 1\n", "label without value"),
        ("a{b=\"\",} 1\n", "label without value"),
        ("a{b=\"\"}1\n", "no space before the value"),
        ("a 1 1775370000000\n", "bad value"),
        ("a inf\n", "bad value"),
        ("a 1\r\n", "bad value"),
        ("# EOF\n", "neither HELP nor TYPE"),
        ("", "a has no samples"),
        ("a 1\n# HELP b B.\n", "b has help and no type"),
        ("a 1\n# TYPE b gauge\nb 1\n", "type without help"),
        (
            "a 1\n# HELP b B.\n# TYPE b gauge\nb 1\na{c=\"d\"} 1\n",
            "another family than b",
        ),
        (
            "a 1\n# HELP a A.\n# TYPE a gauge\na{c=\"d\"} 1\n",
            "a a second time",
        ),
        ("a 1\n# HELP b B.\n# TYPE b untyped\nb 1\n", "type untyped"),
        (
            "a 1\n# HELP b B.\n# TYPE b histogram\nb 1\n",
            "another family than b",
        ),
        (
            "a 1\n# HELP b B.\n# TYPE b histogram\nb_bucket{le=\"+Inf\"} 1\nb_sum 1\nb_count 2\n",
            "wrong buckets",
        ),
    ] {
        let text = format!("# HELP a A.\n# TYPE a gauge\n{body}");
        let refused = Exposition::parse(&text).expect_err(&text);
        assert!(refused.contains(why), "{refused} for {text}");
    }
    let untyped = Exposition::parse("a 1\n").unwrap_err();
    assert!(untyped.contains("before any type"), "{untyped}");
}

#[test]
#[should_panic(expected = "stands for")]
fn an_ambiguous_question_is_no_answer() {
    let text = "# HELP a A.\n# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\n";
    let _ = Exposition::parse(text).unwrap().value("a", &[]);
}
