//! Parses the text of a fault. The grammar is in the documentation of [`Fault`]. Every error names the part that is wrong and what
//! may be there.

use std::str::FromStr;
use std::time::Duration;

use super::effect::{Effect, InvalidValue, Parameter, RetryAfterHeader, WrongStatus};
use super::rule::{Fault, FaultScope};

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The effect is missing.
    #[error("the effect is missing; write for instance `429:retry-after=5` or `list=403`")]
    Missing,
    /// The scope has an unknown option.
    #[error(
        "unknown option `{option}` of the scope `{scope}`; `list` and `emails` take `page=N`, `operation` takes `id=ID`"
    )]
    FaultScope {
        /// The scope.
        scope: String,
        /// What follows it.
        option: String,
    },
    /// No such effect.
    #[error(
        "unknown effect `{0}`; the effects are a status from 400 to 599, slow, hang, cut, close, no-body, early-hints, deaf, oversized, gzip, gzip-bomb, gzip-cut, encoding, html, wrong-json, empty, repeat-token, endless, empty-pages, moving-rows, ignore-dates, ignore-status, ignore-page-size, ignore-operation, other-status, no-rows-of-status, odd-figure, no-stats, no-status, odd-times, odd-byte, odd-words or byte-order-mark"
    )]
    Effect(String),
    /// No such option for this effect.
    #[error(
        "unknown option `{option}` of `{effect}`; all take `times=N`, a status takes `retry-after=N` or `retry-after-date=N`"
    )]
    Option {
        /// The effect.
        effect: String,
        /// What follows it.
        option: String,
    },
    /// Not a whole number from 1, or from 0 for seconds.
    #[error("`{0}` needs a whole number")]
    Number(String),
    /// Not a span.
    #[error("`slow` needs a duration such as 500ms, 2s or 1m")]
    Span,
    /// Without a name.
    #[error("`encoding` needs a name such as br or zstd")]
    Encoding,
    /// An effect on lists for another scope.
    #[error("`{0}` has an effect on lists only: on `list`, `emails` or `all`")]
    NotAList(String),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (scope, rest) = scope(text.trim())?;
        let mut parts = rest.split(':').peekable();
        let name = parts.next().unwrap_or_default();
        let mut fault = Self::new(match name {
            "" => return Err(FaultError::Missing),
            "slow" => Effect::Slow(parts.next().and_then(span).ok_or(FaultError::Span)?),
            "hang" => Effect::Hang,
            "cut" => Effect::Cut,
            "close" => match parts.next_if(|part| !part.contains('=')) {
                Some(bytes) => {
                    let bytes = bytes.parse();
                    Effect::Close(bytes.map_err(|_| FaultError::Number(name.to_owned()))?)
                }
                None => Effect::Close(0),
            },
            "no-body" => Effect::NoBody,
            "deaf" => Effect::Deaf,
            "oversized" => Effect::Oversized,
            "gzip" => Effect::Gzip,
            "gzip-bomb" => Effect::GzipBomb,
            "gzip-cut" => Effect::GzipCut,
            "encoding" => match parts.next_if(|part| !part.is_empty() && !part.contains('=')) {
                Some(encoding) => Effect::Encoding(encoding.to_owned()),
                None => return Err(FaultError::Encoding),
            },
            "html" => match parts.next_if(|part| !part.contains('=')) {
                Some(code) => Effect::Html(
                    code.parse()
                        .ok()
                        .filter(|code| (200..600).contains(code))
                        .ok_or_else(|| FaultError::Number(name.to_owned()))?,
                ),
                None => Effect::Html(200),
            },
            "wrong-json" => Effect::WrongJson,
            "empty" => Effect::Empty,
            "repeat-token" => Effect::RepeatToken,
            "early-hints" => Effect::EarlyHints,
            "endless" => Effect::Endless,
            "empty-pages" => {
                let pages = parts.next().and_then(|pages| pages.parse().ok());
                Effect::EmptyPages(pages.ok_or_else(|| FaultError::Number(name.to_owned()))?)
            }
            "moving-rows" => Effect::MovingRows,
            "ignore-dates" => Effect::Ignore(Parameter::Dates),
            "ignore-status" => Effect::Ignore(Parameter::Status),
            "ignore-page-size" => Effect::Ignore(Parameter::PageSize),
            "ignore-operation" => Effect::Ignore(Parameter::Operation),
            "other-status" => Effect::WrongStatus(WrongStatus::Other),
            "no-rows-of-status" => Effect::WrongStatus(WrongStatus::Nothing),
            "odd-figure" => Effect::Invalid(InvalidValue::Count),
            "no-stats" => Effect::Invalid(InvalidValue::NoStats),
            "no-status" => Effect::Invalid(InvalidValue::NoStatus),
            "odd-times" => Effect::Invalid(InvalidValue::Times),
            "odd-byte" => Effect::Invalid(InvalidValue::Byte),
            "odd-words" => Effect::Invalid(InvalidValue::Words),
            "byte-order-mark" => Effect::Invalid(InvalidValue::ByteOrderMark),
            code => Effect::Status {
                code: code
                    .parse()
                    .ok()
                    .filter(|code| (400..600).contains(code))
                    .ok_or_else(|| FaultError::Effect(code.to_owned()))?,
                retry_after: None,
            },
        })
        .on(scope);
        if fault.effect.is_of_lists()
            && matches!(
                fault.scope,
                FaultScope::Operation(_) | FaultScope::Send | FaultScope::Token
            )
        {
            return Err(FaultError::NotAList(name.to_owned()));
        }
        for option in parts {
            fault.take(name, option)?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn take(&mut self, effect: &str, option: &str) -> Result<(), FaultError> {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let number = || {
            let number: Option<u32> = value.parse().ok();
            number.ok_or_else(|| FaultError::Number(key.to_owned()))
        };
        match (key, &mut self.effect) {
            ("times", _) => self.times = Some(at_least_one(key, value)?),
            ("retry-after", Effect::Status { retry_after, .. }) => {
                let is_digit = |c: char| c.is_ascii_digit() || c == '.';
                if value.is_empty() || !value.chars().all(is_digit) {
                    return Err(FaultError::Number(key.to_owned()));
                }
                *retry_after = Some(RetryAfterHeader::Seconds(value.to_owned()));
            }
            ("retry-after-date", Effect::Status { retry_after, .. }) => {
                *retry_after = Some(RetryAfterHeader::Date(number()?));
            }
            _ => {
                return Err(FaultError::Option {
                    effect: effect.to_owned(),
                    option: option.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Splits `text` into its scope and the rest. It parses from the left, because a scope's own option contains `=`.
fn scope(text: &str) -> Result<(FaultScope, &str), FaultError> {
    let end = text.find([':', '=']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if !matches!(
        word,
        "all" | "list" | "operation" | "emails" | "unfiltered-emails" | "send" | "token"
    ) {
        return Ok((FaultScope::All, text));
    }
    let (option, effect) = match rest.strip_prefix(':') {
        None => (None, rest.strip_prefix('=').unwrap_or(rest)),
        Some(options) => {
            let (key, rest) = options.split_once('=').unwrap_or((options, ""));
            let (value, effect) = rest.split_once('=').unwrap_or((rest, ""));
            (Some((key, value)), effect)
        }
    };
    let page = |option: Option<(&str, &str)>| {
        option
            .map(|(key, value)| at_least_one(key, value))
            .transpose()
    };
    let scope = match (word, option) {
        ("all", None) => FaultScope::All,
        ("send", None) => FaultScope::Send,
        ("unfiltered-emails", None) => FaultScope::UnfilteredEmails,
        ("token", None) => FaultScope::Token,
        ("list", None | Some(("page", _))) => FaultScope::List(page(option)?),
        ("emails", None | Some(("page", _))) => FaultScope::Emails(page(option)?),
        ("operation", None) => FaultScope::Operation(None),
        ("operation", Some(("id", id))) if !id.is_empty() => {
            FaultScope::Operation(Some(id.to_owned()))
        }
        _ => {
            return Err(FaultError::FaultScope {
                scope: word.to_owned(),
                option: option.map(|(key, _)| key.to_owned()).unwrap_or_default(),
            });
        }
    };
    Ok((scope, effect))
}

fn at_least_one(key: &str, value: &str) -> Result<u32, FaultError> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| FaultError::Number(key.to_owned()))
}

fn span(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let number: u32 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_mins(number.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_parsed() {
        let status = |code, retry_after| Fault::new(Effect::Status { code, retry_after });
        let forms = [
            (
                "429:retry-after=5",
                status(429, Some(RetryAfterHeader::Seconds("5".to_owned()))),
            ),
            (
                "429:retry-after=60.5",
                status(429, Some(RetryAfterHeader::Seconds("60.5".to_owned()))),
            ),
            (
                "503:retry-after-date=9:times=2",
                status(503, Some(RetryAfterHeader::Date(9))).times(2),
            ),
            ("list=403", Fault::status(403).on(FaultScope::List(None))),
            (
                "operation=slow:500ms",
                Fault::new(Effect::Slow(Duration::from_millis(500)))
                    .on(FaultScope::Operation(None)),
            ),
            (
                "list:page=3=500",
                Fault::status(500).on(FaultScope::List(Some(3))),
            ),
            (
                "emails:page=2=cut:times=1",
                Fault::new(Effect::Cut)
                    .on(FaultScope::Emails(Some(2)))
                    .times(1),
            ),
            (
                "operation:id=comms_operation_x=404",
                Fault::status(404).on(FaultScope::Operation(Some("comms_operation_x".to_owned()))),
            ),
            ("all=hang", Fault::new(Effect::Hang)),
            (
                "send=oversized",
                Fault::new(Effect::Oversized).on(FaultScope::Send),
            ),
            (
                "token=401:times=1",
                Fault::status(401).on(FaultScope::Token).times(1),
            ),
            ("gzip", Fault::new(Effect::Gzip)),
            (
                "list=gzip-bomb",
                Fault::new(Effect::GzipBomb).on(FaultScope::List(None)),
            ),
            ("gzip-cut:times=1", Fault::new(Effect::GzipCut).times(1)),
            ("close:times=1", Fault::new(Effect::Close(0)).times(1)),
            (
                "list=close:20",
                Fault::new(Effect::Close(20)).on(FaultScope::List(None)),
            ),
            ("no-body", Fault::new(Effect::NoBody)),
            ("early-hints", Fault::new(Effect::EarlyHints)),
            (
                "operation=deaf",
                Fault::new(Effect::Deaf).on(FaultScope::Operation(None)),
            ),
            (
                "token=encoding:br:times=2",
                Fault::new(Effect::Encoding("br".to_owned()))
                    .on(FaultScope::Token)
                    .times(2),
            ),
            ("html", Fault::new(Effect::Html(200))),
            ("html:502:times=3", Fault::new(Effect::Html(502)).times(3)),
            ("html:times=3", Fault::new(Effect::Html(200)).times(3)),
            ("wrong-json", Fault::new(Effect::WrongJson)),
            ("empty", Fault::new(Effect::Empty)),
            (
                "list=repeat-token",
                Fault::new(Effect::RepeatToken).on(FaultScope::List(None)),
            ),
            ("endless", Fault::new(Effect::Endless)),
            ("odd-byte", Fault::new(Effect::Invalid(InvalidValue::Byte))),
        ];
        for (text, fault) in forms {
            assert_eq!(text.parse(), Ok(fault), "{text}");
        }
    }

    #[test]
    fn errors_name_the_wrong_part() {
        let wrong = [
            ("", "the effect is missing; write for instance"),
            ("list=", "the effect is missing"),
            ("list", "the effect is missing"),
            ("operations=500", "unknown effect `operations=500`"),
            ("200", "unknown effect `200`"),
            ("list:id=7=500", "unknown option `id` of the scope `list`"),
            (
                "send:page=1=500",
                "unknown option `page` of the scope `send`",
            ),
            ("list:page=0=500", "`page` needs a whole number"),
            ("slow", "`slow` needs a duration"),
            ("slow:5h", "`slow` needs a duration"),
            ("slow:500", "`slow` needs a duration"),
            (
                "hang:retry-after=5",
                "unknown option `retry-after=5` of `hang`",
            ),
            ("429:retry-after=soon", "`retry-after` needs a whole number"),
            ("429:times=0", "`times` needs a whole number"),
            ("html:teapot", "`html` needs a whole number"),
            ("operation=empty", "`empty` has an effect on lists only"),
            ("token=endless", "`endless` has an effect on lists only"),
            ("token:id=1=500", "unknown option `id` of the scope `token`"),
        ];
        for (text, message) in wrong {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
