//! Reads a secret from a file, or takes it from a variable, and shows it nowhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// The largest secret file. Twilio's tokens have 32 characters; a file of this size is something else.
const LARGEST: u64 = 64 * 1024;

/// Why something is not a secret. Never says what it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{} is larger than 64 KiB; it must hold the secret and nothing else", .0.display())]
    TooLarge(PathBuf),
    #[error("{} is empty; write the secret into it", .0.display())]
    EmptyFile(PathBuf),
    #[error("is not readable text (UTF-8)")]
    NotText,
    #[error("holds white space or control characters; it must be the secret and nothing else")]
    NotAlone,
}

/// The secret in the file at `path`, without the line break most editors put at its end.
pub(crate) fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|cause| SecretError::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
    if bytes.len() as u64 > LARGEST {
        return Err(SecretError::TooLarge(path.to_owned()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText)?;
    match without_line_break(text) {
        "" => Err(SecretError::EmptyFile(path.to_owned())),
        text => from_text(text),
    }
}

/// `text` as a secret.
pub(super) fn from_text(text: &str) -> Result<SecretString, SecretError> {
    let text = without_line_break(text);
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(SecretError::NotAlone);
    }
    Ok(SecretString::from(text))
}

fn without_line_break(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn told(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        match from_file(&path) {
            Ok(secret) => secret.expose_secret().to_owned(),
            Err(error) => {
                let folder = folder.path().display().to_string();
                error.to_string().replace(&folder, "…")
            }
        }
    }

    #[test]
    fn the_line_break_at_the_end_does_not_count() {
        assert_eq!(told(b"s3cret"), "s3cret");
        assert_eq!(told(b"s3cret\n"), "s3cret");
        assert_eq!(told(b"s3cret\r\n"), "s3cret");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        assert_eq!(told(b"\n"), "…/secret is empty; write the secret into it");
        assert_eq!(told(b"\xffs3cret"), "is not readable text (UTF-8)");
        for content in [&b"s3 cret"[..], b"s3\ncret", b"\0s3cret"] {
            let text = told(content);
            assert!(text.starts_with("holds white space"), "{text}");
        }
        let large = told(&vec![b'x'; 64 * 1024 + 1]);
        assert!(
            large.starts_with("…/secret is larger than 64 KiB"),
            "{large}"
        );
        let missing = from_file(Path::new("no/such/file")).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot read no/such/file: ")
        );
    }
}
