//! Writes an event of the log as one line, in logfmt or JSON.
//!
//! The keys are those of Prometheus' components: `ts` in milliseconds, `level` in lower case, `msg`, then the fields of the event.
//! This is our own code, because the crates for both formats write `message` and times in nanoseconds.

use std::fmt;

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

use super::options::LogFormat;
use crate::clock::Clock;

/// The field in which `tracing` passes the text of an event.
const MESSAGE: &str = "message";

/// The format of the lines.
pub(super) struct LogLine(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let start = [
            ("ts", Clock::System.now().to_millis().into()),
            ("level", level(*event.metadata().level()).into()),
            ("msg", fields.message.into()),
        ];
        let pairs = start.into_iter().chain(fields.others);
        match self.0 {
            LogFormat::Logfmt => logfmt(&mut writer, pairs)?,
            LogFormat::Json => json(&mut writer, pairs)?,
        }
        writeln!(writer)
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.push((field.name(), value.into()));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            value.clone_into(&mut self.message);
        } else {
            self.add(field, value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn logfmt(
    out: &mut impl fmt::Write,
    pairs: impl Iterator<Item = (&'static str, Value)>,
) -> fmt::Result {
    for (at, (key, value)) in pairs.enumerate() {
        let space = if at == 0 { "" } else { " " };
        match &value {
            Value::String(text) if is_bare(text) => write!(out, "{space}{key}={text}")?,
            other => write!(out, "{space}{key}={other}")?,
        }
    }
    Ok(())
}

/// Whether a text needs no quotes in logfmt. In quotes it has the escapes of JSON, so a line break never starts another line.
fn is_bare(text: &str) -> bool {
    let needs_quotes = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | '"');
    !text.is_empty() && !text.contains(needs_quotes)
}

fn json(
    out: &mut impl fmt::Write,
    pairs: impl Iterator<Item = (&'static str, Value)>,
) -> fmt::Result {
    for (at, (key, value)) in pairs.enumerate() {
        let start = if at == 0 { "{" } else { "," };
        write!(out, "{start}\"{key}\":{value}")?;
    }
    out.write_str("}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> impl Iterator<Item = (&'static str, Value)> {
        [
            ("msg", "two words".into()),
            ("account", "default".into()),
            ("path", "a\\b".into()),
            ("error", "a \"quote\",\na = b".into()),
            ("empty", "".into()),
            ("seconds", 8.0.into()),
            ("rows", 7.into()),
            ("complete", true.into()),
        ]
        .into_iter()
    }

    #[test]
    fn logfmt_quotes_only_texts_that_need_it_and_keeps_one_line() {
        let mut line = String::new();
        logfmt(&mut line, pairs()).unwrap();
        let wanted = r#"msg="two words" account=default path=a\b error="a \"quote\",\na = b" empty="" seconds=8.0 rows=7 complete=true"#;
        assert_eq!(line, wanted);
    }

    #[test]
    fn json_keeps_the_order_and_the_types_of_the_fields() {
        let mut line = String::new();
        json(&mut line, pairs()).unwrap();
        assert!(
            line.starts_with(r#"{"msg":"two words","account":"default","#),
            "{line}"
        );
        let parsed: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(parsed["seconds"], 8.0);
        assert_eq!(parsed["error"], "a \"quote\",\na = b");
    }
}
