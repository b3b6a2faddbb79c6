//! Reads a secret from a file, or takes it from a variable, and shows it nowhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::sid::Sid;

/// The largest secret file. Twilio's tokens have 32 characters; a file of this size is something else.
const LARGEST: u64 = 64 * 1024;

/// Something that only Twilio and the account's owner know, and the file it came from, if it did.
#[derive(Debug, Clone)]
pub struct Secret {
    text: SecretString,
    file: Option<SecretFile>,
}

/// A file that holds a secret and nothing else. What is read from it again is held to what was asked of it at first.
#[derive(Debug, Clone)]
pub struct SecretFile {
    place: String,
    path: PathBuf,
    sid: Option<Sid>,
}

/// Why something is not a secret. Never says what it is.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system does not let us read it.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// Far more than a secret.
    #[error("{} is larger than 64 KiB; it must hold the secret and nothing else", .0.display())]
    TooLarge(PathBuf),
    /// Nothing.
    #[error("{} is empty; write the secret into it", .0.display())]
    EmptyFile(PathBuf),
    /// No text.
    #[error("is not readable text (UTF-8)")]
    NotText,
    /// Several words or lines.
    #[error("holds white space or control characters; it must be the secret and nothing else")]
    NotAlone,
    /// Text, but no SID where one belongs.
    #[error("{0}")]
    NotASid(String),
}

impl Secret {
    /// One that stands where it was given, so it never changes.
    pub(super) const fn standing(text: SecretString) -> Self {
        Self { text, file: None }
    }

    /// The one in the file at `path`, which `place` names.
    pub(super) fn in_file(place: &str, path: &Path) -> Result<Self, SecretError> {
        let file = SecretFile {
            place: place.to_owned(),
            path: path.to_owned(),
            sid: None,
        };
        Ok(Self {
            text: file.read()?,
            file: Some(file),
        })
    }

    /// Held to be a SID of the kind `sid`, now and whenever its file is read again.
    pub(super) fn held_to(mut self, sid: Sid) -> Result<Self, String> {
        sid.check(self.text.expose_secret())?;
        if let Some(file) = &mut self.file {
            file.sid = Some(sid);
        }
        Ok(self)
    }

    /// As it was when the configuration was loaded.
    #[must_use]
    pub const fn text(&self) -> &SecretString {
        &self.text
    }

    /// Where to look for a newer one.
    #[must_use]
    pub const fn file(&self) -> Option<&SecretFile> {
        self.file.as_ref()
    }
}

impl SecretFile {
    /// The key or variable that names the file: `accounts[1].auth_token_file`, `TWILIO_API_SECRET_FILE`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is in it now; `None` where looking again makes no sense: a pipe or a shell's `<(…)` gives its content once, and
    /// might never answer again.
    ///
    /// # Errors
    /// When there is no secret in it just now.
    pub fn read_again(&self) -> Result<Option<SecretString>, SecretError> {
        let about = std::fs::metadata(&self.path).map_err(|cause| unreadable(&self.path, cause))?;
        if about.is_file() {
            self.read().map(Some)
        } else {
            Ok(None)
        }
    }

    fn read(&self) -> Result<SecretString, SecretError> {
        let text = from_file(&self.path)?;
        if let Some(sid) = self.sid {
            sid.check(text.expose_secret())
                .map_err(SecretError::NotASid)?;
        }
        Ok(text)
    }
}

/// The secret in the file at `path`, without the line break most editors put at its end.
pub(crate) fn from_file(path: &Path) -> Result<SecretString, SecretError> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|cause| unreadable(path, cause))?;
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

fn unreadable(path: &Path, cause: io::Error) -> SecretError {
    SecretError::Unreadable {
        path: path.to_owned(),
        cause,
    }
}

fn without_line_break(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        match Secret::in_file("place", &path) {
            Ok(secret) => secret.text().expose_secret().to_owned(),
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
        let missing = Secret::in_file("place", Path::new("no/such/file")).unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("cannot read no/such/file: ")
        );
    }

    #[test]
    fn what_is_read_again_is_held_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sid");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let sid = |digit: &str| format!("SK{}", digit.repeat(32));
        write(&sid("0"));
        let secret = Secret::in_file("TWILIO_API_KEY_FILE", &path).unwrap();
        let secret = secret.held_to(Sid::ApiKey).unwrap();
        let file = secret.file().unwrap();
        assert_eq!(file.place(), "TWILIO_API_KEY_FILE");
        write(&sid("1"));
        let again = file.read_again().unwrap().unwrap();
        assert_eq!(again.expose_secret(), sid("1"));
        write("s3cret");
        let error = file.read_again().unwrap_err().to_string();
        assert_eq!(error, "an API key SID is `SK` and 32 hexadecimal digits");
        std::fs::remove_file(&path).unwrap();
        let error = file.read_again().unwrap_err().to_string();
        assert!(error.starts_with("cannot read "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_read_again() {
        let file = SecretFile {
            place: String::new(),
            path: PathBuf::from("/dev/null"),
            sid: None,
        };
        assert!(file.read_again().unwrap().is_none());
    }
}
