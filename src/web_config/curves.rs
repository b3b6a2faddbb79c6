//! The key `curve_preferences`: the groups of the key exchange, by their names in Go.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::ring::kx_group::{SECP256R1, SECP384R1, X25519};

use crate::document::Findings;
use crate::document::walk::Value;

/// The groups in the order of the list. An empty list counts as missing.
pub(super) fn read(
    list: &Value<'_>,
    findings: &mut Findings,
) -> Option<Vec<&'static dyn SupportedKxGroup>> {
    let names = list.list(findings)?;
    let mut groups = Vec::new();
    for value in &names {
        let Some(name) = value.text(findings) else {
            continue;
        };
        match name {
            "X25519" => groups.push(X25519),
            "CurveP256" => groups.push(SECP256R1),
            "CurveP384" => groups.push(SECP384R1),
            "CurveP521" => findings.problem(
                &value.place,
                "CurveP521 is not supported by rustls with ring. Remove it, or write some of: X25519, CurveP256, CurveP384",
            ),
            _ => findings.problem(&value.place, "expected X25519, CurveP256 or CurveP384"),
        }
    }
    (!names.is_empty()).then_some(groups)
}
