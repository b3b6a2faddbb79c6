//! Replaces a file with a complete one. A reader, such as node exporter's textfile collector, never reads a part of it, and a crash
//! leaves the old file in place.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::Builder;

/// The owner writes the file and everyone reads it: node exporter usually runs as another user.
const MODE: u32 = 0o644;
/// The start of a temporary file's name. Textfile collectors ignore it, because it does not end in `.prom`.
const PREFIX: &str = ".twilio-email-exporter-";

/// Writes `content` to a temporary file next to `path`, flushes it to the disk, and renames it to `path`.
///
/// # Errors
/// When any of these steps fails. The file at `path` is unchanged then.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = Builder::new().prefix(PREFIX).tempfile_in(directory)?;
    file.write_all(content)?;
    // Set after the creation, because the umask would restrict the mode.
    let permissions = Permissions::from_mode(MODE);
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // Without this, the old file may be back after a power cut.
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = directory.read_dir().unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_everyone_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("email.prom");
        for content in ["twilio_email_up 1\n", "a 1\n"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert_eq!(mode(&path), 0o644);
        }
        assert_eq!(names(directory.path()), ["email.prom"]);
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_and_leaves_no_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing/email.prom");
        let error = replace(&missing, b"a 1\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = replace(directory.path(), b"a 1\n").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(names(directory.path()), Vec::<String>::new());
    }

    /// The rename replaces the link, so that whoever can create files in the directory cannot redirect the write.
    #[test]
    fn a_link_is_replaced_and_its_target_keeps_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let (path, target) = (
            directory.path().join("email.prom"),
            directory.path().join("target"),
        );
        std::fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        replace(&path, b"a 1\n").unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "kept");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a 1\n");
    }
}
