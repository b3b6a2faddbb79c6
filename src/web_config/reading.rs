//! What the sections of the file have in common.

use std::path::Path;

use super::read_files::ReadFiles;
use crate::document::Findings;
use crate::document::walk::Mapping;
use crate::timestamp::Timestamp;

/// What the sections need besides the document.
pub(super) struct Reading<'f> {
    /// The directory of the web configuration, for relative paths.
    pub(super) directory: &'f Path,
    /// For the validity of certificates.
    pub(super) now: Timestamp,
    pub(super) files: &'f mut ReadFiles,
}

/// The value of `key`, which is true or false.
pub(super) fn flag(
    section: &mut Mapping<'_>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<bool> {
    section.take(key)?.boolean(findings)
}

/// The text of `key`. An empty one counts as missing, as in the exporter-toolkit.
pub(super) fn text<'d>(
    section: &mut Mapping<'d>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<&'d str> {
    let text = section.take(key)?.text(findings)?;
    (!text.is_empty()).then_some(text)
}
