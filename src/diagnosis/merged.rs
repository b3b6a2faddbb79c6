//! One finding for what several accounts share, such as the clock and the disk of this machine. The page then shows one problem instead
//! of the same text for every account.

use super::finding::Finding;

/// The findings, in their order. Those whose texts are the same are one finding: about the exporter, since the first of them began.
#[must_use]
pub fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        let same = merged
            .iter_mut()
            .find(|known| texts(known) == texts(&finding));
        match same {
            Some(known) => {
                known.account = None;
                known.since = match (known.since, finding.since) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
            None => merged.push(finding),
        }
    }
    merged
}

fn texts(finding: &Finding) -> [&str; 4] {
    [finding.code, &finding.what, &finding.cause, &finding.cure]
}
