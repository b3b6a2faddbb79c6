//! The key `cipher_suites`: the suites of TLS 1.2, by their names in Go. The suites of TLS 1.3 are always offered, as in Go.

use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite as ring;

use crate::document::Findings;
use crate::document::walk::Value;

/// The suites of TLS 1.2 that rustls supports.
const TLS_12: [(&str, SupportedCipherSuite); 6] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ring::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        ring::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ring::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        ring::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        ring::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ring::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

/// The suites of TLS 1.3.
const TLS_13: [(&str, SupportedCipherSuite); 3] = [
    ("TLS_AES_256_GCM_SHA384", ring::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", ring::TLS13_AES_128_GCM_SHA256),
    (
        "TLS_CHACHA20_POLY1305_SHA256",
        ring::TLS13_CHACHA20_POLY1305_SHA256,
    ),
];

/// The suites of TLS 1.3, then those of TLS 1.2 in the order of the list. An empty list counts as missing.
pub(super) fn read(list: &Value<'_>, findings: &mut Findings) -> Option<Vec<SupportedCipherSuite>> {
    let mut suites: Vec<_> = TLS_13.iter().map(|(_, suite)| *suite).collect();
    let names = list.list(findings)?;
    if names.is_empty() {
        return None;
    }
    for value in names {
        let Some(name) = value.text(findings) else {
            continue;
        };
        if TLS_13.iter().any(|(known, _)| *known == name) {
            continue;
        }
        match TLS_12.iter().find(|(known, _)| *known == name) {
            Some((_, suite)) => suites.push(*suite),
            None => findings.problem(&value.place, unsupported(name)),
        }
    }
    Some(suites)
}

fn unsupported(name: &str) -> String {
    // Go's names; any other text is not repeated.
    let is_name = name.len() <= 64
        && name.starts_with("TLS_")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let why = if !is_name {
        "no cipher suite of Go".to_owned()
    } else if name.contains("_CBC_") {
        format!("{name} is not supported: rustls has no suites with CBC")
    } else if name.starts_with("TLS_RSA_") {
        format!(
            "{name} is not supported: rustls has no suites without forward secrecy (RSA key exchange)"
        )
    } else {
        format!("{name} is not supported by rustls")
    };
    format!(
        "{why}. Remove it, or write TLS_ECDHE_ECDSA_WITH_… or TLS_ECDHE_RSA_WITH_… with AES_128_GCM_SHA256, AES_256_GCM_SHA384 or CHACHA20_POLY1305_SHA256"
    )
}
