//! The table of mailbox providers that `collectors.emails.providers_file` names.

use std::path::Path;
use std::sync::Arc;

use super::bounded_file;
use super::problem::Findings;
use super::walk::Value;
use crate::email::Providers;

/// Reads the table; a relative path starts at `directory`. `None` if a problem was reported.
pub(super) fn read(
    value: &Value<'_>,
    directory: &Path,
    findings: &mut Findings,
) -> Option<Arc<Providers>> {
    let path = directory.join(value.text(findings)?);
    let shown = path.display();
    let text = match bounded_file::read(&path) {
        Ok(text) => text,
        Err(error) => {
            let message = format_args!("cannot read {shown}: {error}");
            findings.problem(&value.place, message);
            return None;
        }
    };
    match Providers::read(&text) {
        Ok(table) => Some(Arc::new(table)),
        Err(problems) => {
            for problem in problems {
                findings.problem(&value.place, format_args!("{shown}: {problem}"));
            }
            None
        }
    }
}
