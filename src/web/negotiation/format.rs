//! The format of an exposition, by `Accept` (<https://prometheus.io/docs/instrumenting/content_negotiation/>).
//!
//! A client that accepts none of the formats gets the default, as from every exporter with Prometheus' own libraries.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

use super::preferences::{Preference, preferences};
use crate::exposition::Syntax;

/// A format with its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Text0_0_4,
    Text1_0_0,
    OpenMetrics1_0_0,
    /// The draft of OpenMetrics, which Prometheus before 2.27 requests. Its text is the same.
    OpenMetrics0_0_1,
}

/// How names that older versions of Prometheus do not accept would be escaped. All names of this exporter are accepted by every
/// version, so the text is the same for each.
const ESCAPINGS: [&str; 4] = ["allow-utf-8", "underscores", "dots", "values"];

/// The escaping of the text format 1.0.0 unless the client requests another one.
const DEFAULT_ESCAPING: &str = "underscores";

/// The format of one exposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    version: Version,
    escaping: Option<&'static str>,
}

impl Version {
    /// In the order of preference, which decides if several match an entry equally well.
    const ALL: [Self; 4] = [
        Self::Text0_0_4,
        Self::Text1_0_0,
        Self::OpenMetrics1_0_0,
        Self::OpenMetrics0_0_1,
    ];

    const fn media_type(self) -> &'static str {
        match self {
            Self::Text0_0_4 | Self::Text1_0_0 => "text/plain",
            Self::OpenMetrics1_0_0 | Self::OpenMetrics0_0_1 => "application/openmetrics-text",
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::Text0_0_4 => "0.0.4",
            Self::Text1_0_0 | Self::OpenMetrics1_0_0 => "1.0.0",
            Self::OpenMetrics0_0_1 => "0.0.1",
        }
    }

    /// How closely the entry describes this format: 0 for any media type, 3 for its version; `None` for another format.
    fn matched_by(self, entry: &Preference) -> Option<u8> {
        let version = entry.parameter("version");
        let charset = entry.parameter("charset").unwrap_or("utf-8");
        if version.is_some_and(|version| version != self.version())
            || !charset.eq_ignore_ascii_case("utf-8")
        {
            return None;
        }
        let kind = self.media_type().split('/').next().unwrap_or_default();
        match entry.name.as_str() {
            name if name == self.media_type() => Some(2 + u8::from(version.is_some())),
            name if name.strip_suffix("/*") == Some(kind) => Some(1),
            "*/*" => Some(0),
            _ => None,
        }
    }
}

impl Format {
    /// The format that the client prefers.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let entries = preferences(headers, &ACCEPT);
        let mut best: Option<(u16, usize, Version)> = None;
        for version in Version::ALL {
            let matching = entries.iter().enumerate();
            let matching =
                matching.filter_map(|(at, entry)| Some((version.matched_by(entry)?, at)));
            // The entry that describes the format most closely counts, and of equal ones the first.
            let Some((_, at)) =
                matching.max_by_key(|(closeness, at)| (*closeness, usize::MAX - at))
            else {
                continue;
            };
            let quality = entries[at].quality;
            let is_better = best.is_none_or(|(most, earlier, _)| {
                quality > most || (quality == most && at < earlier)
            });
            if quality > 0 && is_better {
                best = Some((quality, at, version));
            }
        }
        match best {
            Some((_, at, version)) => Self::requested(version, &entries[at]),
            None => Self::DEFAULT,
        }
    }

    /// The format for clients that accept none in particular.
    pub const DEFAULT: Self = Self {
        version: Version::Text0_0_4,
        escaping: None,
    };

    fn requested(version: Version, entry: &Preference) -> Self {
        let requested = entry.parameter("escaping");
        let requested = requested.and_then(|given| ESCAPINGS.into_iter().find(|one| *one == given));
        let default = (version == Version::Text1_0_0).then_some(DEFAULT_ESCAPING);
        Self {
            version,
            escaping: requested.or(default),
        }
    }

    /// How its text is written.
    #[must_use]
    pub const fn syntax(self) -> Syntax {
        match self.version {
            Version::Text0_0_4 | Version::Text1_0_0 => Syntax::Text,
            Version::OpenMetrics1_0_0 | Version::OpenMetrics0_0_1 => Syntax::OpenMetrics,
        }
    }

    /// The `Content-Type` of a response in this format.
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        let (media_type, version) = (self.version.media_type(), self.version.version());
        let mut text = format!("{media_type}; version={version}; charset=utf-8");
        if let Some(escaping) = self.escaping {
            text.push_str("; escaping=");
            text.push_str(escaping);
        }
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("text/plain"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const TEXT_1: &str = "text/plain; version=1.0.0; charset=utf-8; escaping=underscores";
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn negotiated(accept: &str) -> String {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        let content_type = Format::negotiate(&headers).content_type();
        content_type.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_default_is_text_0_0_4() {
        let without = Format::negotiate(&HeaderMap::new());
        assert_eq!(without, Format::DEFAULT);
        assert_eq!(without.content_type(), TEXT);
        for accept in [
            "",
            "*/*",
            "text/*",
            "text/plain",
            "text/plain;version=0.0.4",
            "image/png",
            "text/plain;version=9.9.9",
            "text/plain;charset=latin-1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;q=0",
            "*/*;q=0",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "\u{7f}, =;=",
        ] {
            let Ok(value) = HeaderValue::from_bytes(accept.as_bytes()) else {
                continue;
            };
            let headers = HeaderMap::from_iter([(ACCEPT, value)]);
            let format = Format::negotiate(&headers);
            assert_eq!(format.content_type(), TEXT, "{accept}");
            assert_eq!(format.syntax(), Syntax::Text);
        }
    }

    #[test]
    fn scrapers_get_the_format_that_they_request_first() {
        for (scraper, accept, expected) in [
            (
                "Prometheus 2.42",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                OPEN_METRICS,
            ),
            (
                "Prometheus 3.5",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
            (
                "Prometheus 2.20",
                "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                "application/openmetrics-text; version=0.0.1; charset=utf-8",
            ),
            (
                "scrape_protocols: [PrometheusText1.0.0]",
                "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.2,*/*;q=0.1",
                "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
            ),
            (
                "VictoriaMetrics",
                "text/plain;version=0.0.4;q=1,*/*;q=0.1",
                TEXT,
            ),
        ] {
            assert_eq!(negotiated(accept), expected, "{scraper}");
        }
    }

    #[test]
    fn the_highest_quality_of_the_closest_entry_wins() {
        for (accept, expected) in [
            ("application/openmetrics-text", OPEN_METRICS),
            ("application/*", OPEN_METRICS),
            (
                "application/openmetrics-text;version=\"1.0.0\"",
                OPEN_METRICS,
            ),
            (
                "text/plain;q=0.5,application/openmetrics-text;q=0.6",
                OPEN_METRICS,
            ),
            ("text/plain;q=0.6,application/openmetrics-text;q=0.5", TEXT),
            ("text/plain,application/openmetrics-text", TEXT),
            ("application/openmetrics-text,text/plain", OPEN_METRICS),
            // The closest entry counts, even if its quality is lower than that of a general one.
            (
                "*/*,text/plain;q=0.1,application/openmetrics-text;q=0.2",
                OPEN_METRICS,
            ),
            ("text/plain;version=0.0.4;q=0,text/plain", TEXT_1),
            ("text/*;q=0,*/*", OPEN_METRICS),
            ("text/plain;version=1.0.0", TEXT_1),
            ("TEXT/PLAIN;VERSION=1.0.0", TEXT_1),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_known_escaping_is_echoed_and_an_unknown_one_is_ignored() {
        for escaping in ESCAPINGS {
            for (media_type, version) in [
                ("text/plain", "0.0.4"),
                ("text/plain", "1.0.0"),
                ("application/openmetrics-text", "1.0.0"),
            ] {
                let accept = format!("{media_type};version={version};escaping={escaping}");
                let expected =
                    format!("{media_type}; version={version}; charset=utf-8; escaping={escaping}");
                assert_eq!(negotiated(&accept), expected);
            }
        }
        assert_eq!(
            negotiated("text/plain;version=1.0.0;escaping=rot13"),
            TEXT_1
        );
    }

    proptest! {
        #[test]
        fn any_accept_header_gets_a_format(accept in "[ -~]{0,200}") {
            let content_type = negotiated(&accept);
            prop_assert!(content_type.contains("; version="), "{content_type}");
        }
    }
}
