//! A secret from a variable or from a file, as it was when the configuration was loaded.
//!
//! [`SecretFile`] keeps the place and the first content of a file; `rotation` reads the file again while the exporter runs. No
//! error and no `Debug` text contains any part of a secret.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::form::Form;
use crate::rotation::{self, Content, FileError};

/// Some editors write it before the text; it is not part of the secret.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A secret, and its file if it came from one.
#[derive(Debug, Clone)]
pub struct Secret {
    text: SecretString,
    file: Option<SecretFile>,
}

/// A file that holds a secret and nothing else.
#[derive(Debug, Clone)]
pub struct SecretFile {
    place: String,
    path: PathBuf,
    form: Form,
    first: Content,
}

/// Why a text or a file is not a secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The operating system cannot read the file.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        cause: io::Error,
    },
    /// The file is far larger than a secret.
    #[error("{} is larger than 64 KiB; it must hold the secret and nothing else", .0.display())]
    TooLarge(PathBuf),
    /// The operating system cannot read the file, and the path may be the secret itself.
    #[error(
        "cannot read it: {0}. The value does not look like a path (/run/secrets/token, ./token): is it the secret itself?"
    )]
    Unnamed(io::Error),
    /// The file is empty.
    #[error("{} is empty; write the secret into it", .0.display())]
    EmptyFile(PathBuf),
    /// The variable or the key is empty.
    #[error("is empty")]
    Empty,
    /// Not UTF-8.
    #[error("is not readable text (UTF-8)")]
    NotText,
    /// Text in UTF-16.
    #[error("is text in UTF-16; write it in UTF-8")]
    Utf16,
    /// Text that cannot be this kind of secret.
    #[error("{0}")]
    NotIt(String),
}

impl Secret {
    /// A secret without a file, which never changes.
    pub(super) const fn fixed(text: SecretString) -> Self {
        Self { text, file: None }
    }

    /// A secret that the configuration or the environment holds itself.
    pub(super) fn given(text: &str, form: Form) -> Result<Self, SecretError> {
        from_text(text, form).map(Self::fixed)
    }

    /// The secret in the file `named` at `place`, relative to `directory`.
    pub(super) fn in_file(
        place: &str,
        directory: &Path,
        named: &str,
        form: Form,
    ) -> Result<Self, SecretError> {
        let (file, text) = SecretFile::read(place, directory, named, form)?;
        Ok(Self {
            text,
            file: Some(file),
        })
    }

    /// The secret when the configuration was loaded.
    #[must_use]
    pub const fn text(&self) -> &SecretString {
        &self.text
    }

    /// The file in which a rotation changes the secret.
    #[must_use]
    pub const fn file(&self) -> Option<&SecretFile> {
        self.file.as_ref()
    }
}

impl SecretFile {
    /// The largest file, in bytes. Twilio's tokens have 32 characters; a larger file is not a secret.
    pub(crate) const LARGEST: u64 = 64 * 1024;

    /// Reads the file `named` at `place`, relative to `directory`, for the first time.
    pub(super) fn read(
        place: &str,
        directory: &Path,
        named: &str,
        form: Form,
    ) -> Result<(Self, SecretString), SecretError> {
        let path = directory.join(named);
        let first = rotation::read(&path, Self::LARGEST)
            .map_err(|error| SecretError::of_file(&path, error).naming(named))?;
        let file = Self {
            place: place.to_owned(),
            path,
            form,
            first,
        };
        let text = file.parse(&file.first)?;
        Ok((file, text))
    }

    /// The key or variable that names the file: `accounts[1].auth_token_file`, `TWILIO_API_SECRET_FILE`.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content when the configuration was loaded.
    pub(crate) const fn first(&self) -> &Content {
        &self.first
    }

    /// The secret in `content`, without a byte order mark and without the line break that most editors write at the end.
    ///
    /// # Errors
    /// When `content` cannot be this kind of secret.
    pub(crate) fn parse(&self, content: &Content) -> Result<SecretString, SecretError> {
        let bytes = content.as_bytes();
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(SecretError::Utf16);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
        match from_text(text, self.form) {
            Err(SecretError::Empty) => Err(SecretError::EmptyFile(self.path.clone())),
            other => other,
        }
    }
}

/// Two files are the same if the configuration names them in the same way. A rotation does not change that.
impl PartialEq for SecretFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.place, &self.path, self.form) == (&other.place, &other.path, other.form)
    }
}

impl Eq for SecretFile {}

impl SecretError {
    fn of_file(path: &Path, error: FileError) -> Self {
        match error {
            FileError::Io(cause) => unreadable(path, cause),
            FileError::TooLarge(_) => Self::TooLarge(path.to_owned()),
        }
    }

    /// The error without the path if `named`, the text that names the file, may be the secret.
    fn naming(self, named: &str) -> Self {
        match self {
            Self::Unreadable { path, cause } if !may_be_shown(named, &path) => Self::Unnamed(cause),
            other => other,
        }
    }
}

/// Checks that the file at `path`, which the configuration names as `named`, can be opened, to report a failure early.
pub(super) fn check_readable(named: &str, path: &Path) -> Result<(), SecretError> {
    let opened = File::open(path).map_err(|cause| unreadable(path, cause));
    opened.map(drop).map_err(|error| error.naming(named))
}

/// Whether `named`, the text for `path`, is certainly not a secret: it looks like a path, and its directory exists.
fn may_be_shown(named: &str, path: &Path) -> bool {
    let name = named.rsplit_once('/').map_or("", |(_, name)| name);
    // A secret may begin with a slash, and the root directory always exists.
    let directory = path.parent().filter(|parent| parent.parent().is_some());
    path.exists() || (!matches!(name, "" | ".") && directory.is_some_and(Path::is_dir))
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

    fn reported(content: &[u8]) -> String {
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
    fn the_line_break_at_the_end_is_not_part_of_the_secret() {
        assert_eq!(reported(b"s3cret"), "s3cret");
        assert_eq!(reported(b"s3cret\n"), "s3cret");
        assert_eq!(reported(b"s3cret\r\n"), "s3cret");
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_secret() {
        assert_eq!(reported(b"\xef\xbb\xbfs3cret\n"), "s3cret");
        let given = Secret::given("\u{feff}s3cret", Form::Secret).unwrap();
        assert_eq!(given.text().expose_secret(), "s3cret");
        let sid = format!("\u{feff}AC{}", "0".repeat(32));
        assert!(Secret::given(&sid, Form::Sid(Sid::Account)).is_ok());
        let empty = "…/./secret is empty; write the secret into it";
        assert_eq!(reported(b"\xef\xbb\xbf\r\n"), empty);
        let error = Secret::given("\u{feff}", Form::Secret).unwrap_err();
        assert_eq!(error.to_string(), "is empty");
        assert_eq!(
            reported(b"\xff\xfes\0"),
            "is text in UTF-16; write it in UTF-8"
        );
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
    fn a_path_is_in_an_error_only_if_it_cannot_be_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let reported = |named: &str| {
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
            let reported = reported(secret);
            assert!(!reported.contains("s3cret"), "{reported}");
            assert!(reported.contains("is it the secret itself?"), "{reported}");
        }
        let path = folder.path().join("missing").display().to_string();
        for (named, shown) in [(&*path, &*path), ("./missing", "/./missing")] {
            let reported = reported(named);
            assert!(
                reported.starts_with("cannot read /") && reported.contains(shown),
                "{reported}"
            );
        }
        std::fs::write(folder.path().join("empty"), "").unwrap();
        assert!(reported("empty").ends_with("/empty is empty; write the secret into it"));
    }

    #[test]
    fn a_text_that_is_not_a_secret_is_refused_and_not_repeated() {
        assert_eq!(
            reported(b"\n"),
            "…/./secret is empty; write the secret into it"
        );
        assert_eq!(reported(b"\xffs3cret"), "is not readable text (UTF-8)");
        for content in [&b"s3 cret"[..], b"s3\ncret", b"\0s3cret"] {
            let text = reported(content);
            assert!(text.starts_with("holds white space"), "{text}");
        }
        assert_eq!(reported(&vec![b'x'; 64 * 1024]).len(), 64 * 1024);
        let large = reported(&vec![b'x'; 64 * 1024 + 1]);
        assert!(
            large.starts_with("…/./secret is larger than 64 KiB"),
            "{large}"
        );
    }

    #[test]
    fn a_rotated_secret_must_have_the_same_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sid");
        let sid = |digit: &str| format!("SK{}", digit.repeat(32));
        let content = |text: &str| {
            std::fs::write(&path, text).unwrap();
            rotation::read(&path, SecretFile::LARGEST).unwrap()
        };
        let first = content(&sid("0"));
        let named = path.to_str().unwrap();
        let form = Form::Sid(Sid::ApiKey);
        let secret = Secret::in_file("TWILIO_API_KEY_FILE", Path::new(""), named, form).unwrap();
        let file = secret.file().unwrap();
        assert_eq!(file.place(), "TWILIO_API_KEY_FILE");
        assert_eq!((file.path(), file.first()), (&*path, &first));
        let rotated = file.parse(&content(&sid("1"))).unwrap();
        assert_eq!(rotated.expose_secret(), sid("1"));
        let error = file.parse(&content("s3cret")).unwrap_err().to_string();
        assert_eq!(error, "an API key SID is `SK` and 32 hexadecimal digits");
        let error = file.parse(&content("\n")).unwrap_err().to_string();
        assert_eq!(error, format!("{named} is empty; write the secret into it"));
        assert!(!format!("{file:?}").contains(&sid("0")), "{file:?}");
    }
}
