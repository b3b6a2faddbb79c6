//! The keys `min_version` and `max_version`: versions of TLS. Versions that rustls does not support are problems.

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::document::Findings;
use crate::document::walk::Mapping;

/// A version of TLS that rustls supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Tls12,
    Tls13,
}

/// The supported versions, the newest first; `None` if a problem was reported.
pub(super) fn read(
    section: &mut Mapping<'_>,
    findings: &mut Findings,
) -> Option<Vec<&'static SupportedProtocolVersion>> {
    let min = version(section, "min_version", Version::Tls12, findings);
    let max = version(section, "max_version", Version::Tls13, findings);
    let (min, max) = (min?, max?);
    if min > max {
        let place = section.place_of("max_version");
        findings.problem(
            &place,
            "lower than min_version; no version of TLS is between them",
        );
        return None;
    }
    let all = [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)];
    let within = all
        .into_iter()
        .filter(|(version, _)| (min..=max).contains(version));
    Some(within.map(|(_, supported)| supported).collect())
}

fn version(
    section: &mut Mapping<'_>,
    key: &'static str,
    default: Version,
    findings: &mut Findings,
) -> Option<Version> {
    let Some(value) = section.take(key) else {
        return Some(default);
    };
    match value.text(findings)? {
        "TLS12" => Some(Version::Tls12),
        "TLS13" => Some(Version::Tls13),
        old @ ("TLS10" | "TLS11") => {
            let message = format!(
                "{old} is not supported: rustls has only TLS 1.2 and 1.3. Write TLS12 or TLS13; every Prometheus supports both"
            );
            findings.problem(&value.place, message);
            None
        }
        _ => {
            findings.problem(&value.place, "expected TLS12 or TLS13");
            None
        }
    }
}
