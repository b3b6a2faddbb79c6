//! Reads the text format line by line. An error names the line and what is wrong with it.

use std::collections::{BTreeMap, HashSet};
use std::str::Chars;

use super::{Exposition, Family, Sample};

impl Exposition {
    /// Reads `text`. An error names the wrong line and the reason.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::default();
        if !text.is_empty() {
            let lines = text.strip_suffix('\n').ok_or("no line feed at the end")?;
            // Not `lines()`, which would drop a carriage return at the end of a line.
            for (at, line) in lines.split('\n').enumerate() {
                let read = reader.line(line);
                read.map_err(|why| format!("line {}: {why}: {line}", at + 1))?;
            }
        }
        reader.end_family()?;
        Ok(reader.exposition)
    }
}

#[derive(Default)]
struct Reader {
    exposition: Exposition,
    /// A `# HELP` line whose `# TYPE` line has not come yet.
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

    /// Checks a whole family.
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

    /// Checks that every histogram has rising buckets, and that the last one is `+Inf` and equals the count.
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

/// Reads `{name="value",…}`, without spaces and without a trailing comma.
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

/// The position of the first quote without a backslash.
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
fn a_valid_exposition_is_parsed() {
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
fn each_mistake_is_an_error() {
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
#[should_panic(expected = "matches several samples")]
fn an_ambiguous_selection_panics() {
    let text = "# HELP a A.\n# TYPE a gauge\na{b=\"1\"} 1\na{b=\"2\"} 1\n";
    let _ = Exposition::parse(text).unwrap().value("a", &[]);
}
