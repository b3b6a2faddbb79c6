//! Values and helpers that the sections of the file share.

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

/// The value of `key`: true, false, or a word that the exporter-toolkit accepts for them.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::walk::Value;
    use crate::document::yaml;

    fn read(word: &str) -> Option<bool> {
        let mut findings = Findings::default();
        let node = yaml::parse_1_1(&format!("http2: {word}"), 10, &mut findings)?;
        let mut section = Value::root(&node).mapping(&mut findings)?;
        flag(&mut section, "http2", &mut findings)
    }

    #[test]
    fn a_flag_is_written_in_any_word_that_the_toolkit_accepts() {
        for (word, expected) in [
            ("true", Some(true)),
            ("yes", Some(true)),
            ("On", Some(true)),
            ("Y", Some(true)),
            ("false", Some(false)),
            ("NO", Some(false)),
            ("off", Some(false)),
            ("n", Some(false)),
            ("\"yes\"", None),
            ("1", None),
            ("perhaps", None),
        ] {
            assert_eq!(read(word), expected, "{word}");
        }
    }
}
