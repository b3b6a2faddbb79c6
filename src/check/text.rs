//! The report as text. On a terminal it has paragraphs with marks; otherwise one line per result with words.

use std::fmt::Write;

use super::result::{Area, CheckResult, Report, Section, Status};

/// A narrower terminal wraps by itself.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 100;
/// The columns before a text.
const INDENT: usize = 4;

/// How a status is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// `✓`, `!`, `✗` and `-`.
    Signs,
    /// `ok`, `warning`, `failed` and `skipped`, for outputs that may not show others.
    Words,
}

/// How the text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The columns of the terminal; `None`: one line per result, for programs and files.
    pub columns: Option<usize>,
    /// The marks of a terminal.
    pub marks: Marks,
    /// Whether a terminal shows colors.
    pub color: bool,
}

impl Style {
    /// A section as text.
    #[must_use]
    pub fn section(&self, section: &Section) -> String {
        match self.columns {
            None => lines(section),
            Some(columns) => self.paragraphs(section, columns.clamp(NARROWEST, WIDEST)),
        }
    }

    /// The line at the end.
    #[must_use]
    pub fn summary(&self, report: &Report) -> String {
        let counts: Vec<_> = Status::ALL
            .into_iter()
            .map(|status| (status, report.count(status)))
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| {
                let text = format!("{count} {}", status.as_str());
                self.paint(status, &text)
            })
            .collect();
        format!("{}\n", counts.join(", "))
    }

    fn paragraphs(&self, section: &Section, columns: usize) -> String {
        let mut text = format!("{}\n", self.bold(&title(&section.area)));
        let is_skipped = |result: &&CheckResult| result.status == Status::Skipped;
        for result in section.results.iter().filter(|result| !is_skipped(result)) {
            self.paragraph(result.status, &result.what, columns, &mut text);
            wrap(&result.cause, columns, (INDENT, INDENT), &mut text);
            if !result.cure.is_empty() {
                let arrow = self.arrow();
                let cure = format!("{arrow} {}", result.cure);
                let hanging = INDENT + arrow.chars().count() + 1;
                wrap(&cure, columns, (INDENT, hanging), &mut text);
            }
        }
        // Skipped results are one line after the failure, so that they do not hide it.
        let skipped: Vec<_> = section.results.iter().filter(is_skipped).collect();
        for group in skipped.chunk_by(|one, other| one.what == other.what) {
            let names: Vec<_> = group.iter().map(|result| words(result.check)).collect();
            let names = names.join(", ");
            let what = format!("Not checked: {names}. {}.", group[0].what);
            self.paragraph(Status::Skipped, &what, columns, &mut text);
        }
        text.push('\n');
        text
    }

    fn paragraph(&self, status: Status, what: &str, columns: usize, text: &mut String) {
        let mark = self.mark(status);
        let mut wrapped = String::new();
        let indent = match self.marks {
            Marks::Signs => INDENT,
            Marks::Words => mark.len() + 3,
        };
        wrap(what, columns, (indent, indent), &mut wrapped);
        let painted = self.paint(status, mark);
        let _ = write!(text, "  {painted} {}", wrapped.trim_start());
    }

    /// The arrow before the cure.
    const fn arrow(&self) -> &'static str {
        match self.marks {
            Marks::Signs => "→",
            Marks::Words => "->",
        }
    }

    const fn mark(&self, status: Status) -> &'static str {
        match (self.marks, status) {
            (Marks::Words, status) => status.as_str(),
            (Marks::Signs, Status::Ok) => "✓",
            (Marks::Signs, Status::Warning) => "!",
            (Marks::Signs, Status::Failed) => "✗",
            (Marks::Signs, Status::Skipped) => "-",
        }
    }

    fn paint(&self, status: Status, text: &str) -> String {
        let color = match status {
            Status::Ok => "32",
            Status::Warning => "33",
            Status::Failed => "31",
            Status::Skipped => "2",
        };
        self.with(color, text)
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    /// `text` with an attribute of ECMA-48, section 8.3.117.
    fn with(&self, attribute: &str, text: &str) -> String {
        if self.color && self.columns.is_some() {
            format!("\x1b[{attribute}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// One line per result: status, area, check, text.
fn lines(section: &Section) -> String {
    let area = match &section.area {
        Area::Account(name) => format!("account {name}"),
        other => other.as_str().to_owned(),
    };
    let mut text = String::new();
    for result in &section.results {
        let CheckResult {
            status,
            check,
            what,
            cause,
            cure,
            ..
        } = result;
        let parts = [what, cause, cure].map(|part| clean(part));
        let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
        let mut sentences = String::new();
        for part in parts {
            if !sentences.is_empty() {
                let end = if sentences.ends_with('.') { " " } else { ". " };
                sentences.push_str(end);
            }
            sentences.push_str(part);
        }
        let status = status.as_str();
        let _ = writeln!(text, "{status}: {}: {check}: {sentences}", clean(&area));
    }
    text
}

fn title(area: &Area) -> String {
    match area {
        Area::Configuration => "Configuration".to_owned(),
        Area::Server => "HTTP server".to_owned(),
        Area::Storage => "Storage".to_owned(),
        Area::Account(name) => format!("Account {}", clean(name)),
    }
}

fn words(check: &str) -> String {
    check.replace('_', " ")
}

/// `text` without line breaks and control sequences: paths and names may contain anything.
fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Appends `text` in lines of at most `columns`, which begin at `indent`, and after the first one at `hanging`. A word that is longer
/// has its own line.
fn wrap(text: &str, columns: usize, (indent, hanging): (usize, usize), out: &mut String) {
    let mut used = 0;
    for word in clean(text).split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length <= columns {
            out.push(' ');
            used += 1;
        } else {
            let begin = if used == 0 { indent } else { hanging };
            if used > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n(' ', begin));
            used = begin;
        }
        out.push_str(word);
        used += length;
    }
    if used > 0 {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> Section {
        let result = |status, check, what: &str| CheckResult {
            status,
            check,
            code: None,
            what: what.to_owned(),
            cause: String::new(),
            cure: String::new(),
        };
        Section {
            area: Area::Account("marketing".into()),
            results: vec![
                result(Status::Ok, "connection", "a\tb accepts\x1b[31m connections"),
                CheckResult {
                    cause: "The key was revoked or deleted long ago.".to_owned(),
                    cure: "Create a new one, and give it to the exporter.".to_owned(),
                    ..result(Status::Failed, "credentials", "Twilio rejects the key")
                },
                result(
                    Status::Skipped,
                    "list_operations",
                    "An earlier check failed",
                ),
                result(Status::Skipped, "read_operation", "An earlier check failed"),
            ],
        }
    }

    #[test]
    fn a_terminal_gets_paragraphs_that_fit_it_with_signs_and_colors() {
        let style = Style {
            columns: Some(40),
            marks: Marks::Signs,
            color: false,
        };
        let expected = "\
Account marketing
  ✓ a b accepts [31m connections
  ✗ Twilio rejects the key
    The key was revoked or deleted long
    ago.
    → Create a new one, and give it to
      the exporter.
  - Not checked: list operations, read
    operation. An earlier check failed.

";
        assert_eq!(style.section(&section()), expected);
        let colored = Style {
            color: true,
            ..style
        };
        let colored = colored.section(&section());
        assert!(colored.contains("\x1b[31m✗\x1b[0m Twilio"), "{colored:?}");
        let words = Style {
            marks: Marks::Words,
            ..style
        };
        let words = words.section(&section());
        assert!(words.is_ascii(), "{words}");
        assert!(
            words.contains("  failed Twilio rejects the key\n"),
            "{words}"
        );
        assert!(
            words.contains("    -> Create a new one, and give it to\n       the exporter.\n"),
            "{words}"
        );
    }

    #[test]
    fn a_file_gets_one_line_per_result_without_signs_or_colors() {
        let style = Style {
            columns: None,
            marks: Marks::Signs,
            color: true,
        };
        let expected = "\
ok: account marketing: connection: a b accepts [31m connections
failed: account marketing: credentials: Twilio rejects the key. The key was revoked or deleted long ago. Create a new one, and give it to the exporter.
skipped: account marketing: list_operations: An earlier check failed
skipped: account marketing: read_operation: An earlier check failed
";
        assert_eq!(style.section(&section()), expected);
    }
}
