//! Reads a secret from a file, or takes it from a variable, and shows it nowhere.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::form::Form;

/// The largest secret file. Twilio's tokens have 32 characters; a file of this size is something else.
const LARGEST: u64 = 64 * 1024;

/// Some editors put it before the text; it is no part of it.
const BYTE_ORDER_MARK: char = '\u{feff}';

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
    form: Form,
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
    /// The system does not let us read it, and what should be its name may be the secret itself.
    #[error(
        "cannot read it: {0}. What is written here does not look like a path (/run/secrets/token, ./token): is it the secret itself?"
    )]
    Unnamed(io::Error),
    /// Nothing.
    #[error("{} is empty; write the secret into it", .0.display())]
    EmptyFile(PathBuf),
    /// Nothing where it was given itself.
    #[error("is empty")]
    Empty,
    /// No text.
    #[error("is not readable text (UTF-8)")]
    NotText,
    /// Text of another encoding.
    #[error("is text in UTF-16; write it in UTF-8")]
    Utf16,
    /// Text that cannot be this secret.
    #[error("{0}")]
    NotIt(String),
}

impl Secret {
    /// One that stands where it was given, so it never changes.
    pub(super) const fn standing(text: SecretString) -> Self {
        Self { text, file: None }
    }

    /// One that was given itself.
    pub(super) fn given(text: &str, form: Form) -> Result<Self, SecretError> {
        from_text(text, form).map(Self::standing)
    }

    /// The one in the file that `named` names at `place`, seen from `directory`. It is held to `form` whenever it is read again.
    pub(super) fn in_file(
        place: &str,
        directory: &Path,
        named: &str,
        form: Form,
    ) -> Result<Self, SecretError> {
        let file = SecretFile {
            place: place.to_owned(),
            path: directory.join(named),
            form,
        };
        Ok(Self {
            text: file.read().map_err(|error| error.naming(named))?,
            file: Some(file),
        })
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
        from_file(&self.path, self.form)
    }
}

impl SecretError {
    /// Without the path, if what `named` it may be the secret.
    pub(super) fn naming(self, named: &str) -> Self {
        match self {
            Self::Unreadable { path, cause } if !may_be_shown(named, &path) => Self::Unnamed(cause),
            other => other,
        }
    }
}

/// Says why the file at `path`, which is `named` so, cannot be read.
pub(super) fn readable(named: &str, path: &Path) -> Result<(), SecretError> {
    let opened = File::open(path).map_err(|cause| unreadable(path, cause));
    opened.map(drop).map_err(|error| error.naming(named))
}

/// Whether `named`, which stands for `path`, is surely no secret: it looks like a path, and its directory exists.
fn may_be_shown(named: &str, path: &Path) -> bool {
    let name = named.rsplit_once('/').map_or("", |(_, name)| name);
    // Many a secret begins with a slash, and the root is always there.
    let directory = path.parent().filter(|parent| parent.parent().is_some());
    path.exists() || (!matches!(name, "" | ".") && directory.is_some_and(Path::is_dir))
}

/// The secret in the file at `path`, without a byte order mark and without the line break most editors put at its end.
pub(crate) fn from_file(path: &Path, form: Form) -> Result<SecretString, SecretError> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|cause| unreadable(path, cause))?;
    if bytes.len() as u64 > LARGEST {
        return Err(SecretError::TooLarge(path.to_owned()));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(SecretError::Utf16);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText)?;
    match from_text(text, form) {
        Err(SecretError::Empty) => Err(SecretError::EmptyFile(path.to_owned())),
        other => other,
    }
}

/// `text` as a secret.
fn from_text(text: &str, form: Form) -> Result<SecretString, SecretError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = if form.is_trimmed() {
        text.trim()
    } else {
        text.trim_end_matches(['\n', '\r'])
    };
    if text.is_empty() {
        return Err(SecretError::Empty);
    }
    form.check(text).map_err(SecretError::NotIt)?;
    Ok(SecretString::from(text))
}

fn unreadable(path: &Path, cause: io::Error) -> SecretError {
    SecretError::Unreadable {
        path: path.to_owned(),
        cause,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::super::sid::Sid;
    use super::*;

    fn told(content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, content).unwrap();
        match Secret::in_file("place", folder.path(), "./secret", Form::Secret) {
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
    fn a_byte_order_mark_is_no_part_of_it() {
        assert_eq!(told(b"\xef\xbb\xbfs3cret\n"), "s3cret");
        let given = Secret::given("\u{feff}s3cret", Form::Secret).unwrap();
        assert_eq!(given.text().expose_secret(), "s3cret");
        let sid = format!("\u{feff}AC{}", "0".repeat(32));
        assert!(Secret::given(&sid, Form::Sid(Sid::Account)).is_ok());
        let empty = "…/./secret is empty; write the secret into it";
        assert_eq!(told(b"\xef\xbb\xbf\r\n"), empty);
        let error = Secret::given("\u{feff}", Form::Secret).unwrap_err();
        assert_eq!(error.to_string(), "is empty");
        assert_eq!(told(b"\xff\xfes\0"), "is text in UTF-16; write it in UTF-8");
    }

    #[test]
    fn a_password_is_trimmed_as_prometheus_does() {
        let read = |form| {
            from_text("\u{feff} s3 cret \n", form).map(|text| text.expose_secret().to_owned())
        };
        assert_eq!(read(Form::Password).unwrap(), "s3 cret");
        assert!(read(Form::Secret).is_err());
    }

    #[test]
    fn what_should_name_a_file_is_shown_only_if_it_cannot_be_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let told = |named: &str| {
            let secret = Secret::in_file("place", folder.path(), named, Form::Secret);
            secret.unwrap_err().to_string()
        };
        for secret in [
            "s3cret",
            "a/s3cret",
            "/s3cret",
            "/a/s3cret",
            "s3cret/",
            "s3cret\0",
        ] {
            let told = told(secret);
            assert!(!told.contains("s3cret"), "{told}");
            assert!(told.contains("is it the secret itself?"), "{told}");
        }
        let path = folder.path().join("missing").display().to_string();
        for (named, shown) in [(&*path, &*path), ("./missing", "/./missing")] {
            let told = told(named);
            assert!(
                told.starts_with("cannot read /") && told.contains(shown),
                "{told}"
            );
        }
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert!(told("empty").ends_with("/empty is empty; write the secret into it"));
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        assert_eq!(told(b"\n"), "…/./secret is empty; write the secret into it");
        assert_eq!(told(b"\xffs3cret"), "is not readable text (UTF-8)");
        for content in [&b"s3 cret"[..], b"s3\ncret", b"\0s3cret"] {
            let text = told(content);
            assert!(text.starts_with("holds white space"), "{text}");
        }
        assert_eq!(told(&vec![b'x'; 64 * 1024]).len(), 64 * 1024);
        let large = told(&vec![b'x'; 64 * 1024 + 1]);
        assert!(
            large.starts_with("…/./secret is larger than 64 KiB"),
            "{large}"
        );
    }

    #[test]
    fn what_is_read_again_is_held_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sid");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let sid = |digit: &str| format!("SK{}", digit.repeat(32));
        write(&sid("0"));
        let named = path.to_str().unwrap();
        let form = Form::Sid(Sid::ApiKey);
        let secret = Secret::in_file("TWILIO_API_KEY_FILE", Path::new(""), named, form).unwrap();
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
            form: Form::Secret,
        };
        assert!(file.read_again().unwrap().is_none());
    }
}
