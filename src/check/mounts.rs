//! The file system that a directory is on: from `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`), so only on Linux.

use std::path::{Path, PathBuf};

/// The list of mounts of this process.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Why counters do not survive on a file system of this type; `None` if they do.
pub(super) fn risk(file_system: &str) -> Option<&'static str> {
    Some(match file_system {
        "tmpfs" | "ramfs" => "It is in memory: counters begin at 0 when this machine restarts.",
        "overlay" | "aufs" => {
            "It is the file system of a container: counters begin at 0 in the next container."
        }
        "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "9p" | "fuse.sshfs" => {
            "It is on another machine: a network failure stops saves, and some servers lose locks or writes."
        }
        _ => return None,
    })
}

/// The type of the file system that `path` is on, such as `ext4`; `None` if that cannot be known.
pub(super) fn file_system(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    find(&std::fs::read_to_string(MOUNTS).ok()?, &path)
}

/// The type in `mounts` of the innermost mount that contains `path`. Of two mounts at one place, the later one is visible.
fn find(mounts: &str, path: &Path) -> Option<String> {
    let found = mounts.lines().filter_map(mount);
    let around = found.filter(|(point, _)| path.starts_with(point));
    let innermost = around.max_by_key(|(point, _)| point.components().count());
    innermost.map(|(_, file_system)| file_system.to_owned())
}

/// The place and the type of a mount: the fifth field, and the first one after the separator.
fn mount(line: &str) -> Option<(PathBuf, &str)> {
    let (fields, rest) = line.split_once(" - ")?;
    let point = fields.split(' ').nth(4)?;
    let file_system = rest.split(' ').next()?;
    Some((PathBuf::from(unescaped(point)), file_system))
}

/// The kernel writes four characters as three octal digits after a backslash.
fn unescaped(text: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    escapes
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=1024k
24 22 0:40 / /data rw - nfs4 server:/export rw
25 22 0:41 / /data rw - xfs /dev/vdb rw
26 22 0:42 / /srv/two\\040words rw - overlay overlay rw,lowerdir=/a
a line that is no mount
";

    #[test]
    fn a_path_is_on_the_innermost_mount_and_on_the_last_one_at_its_place() {
        for (path, expected) in [
            ("/var/lib/x", "ext4"),
            ("/run/x", "tmpfs"),
            ("/running", "ext4"),
            ("/data", "xfs"),
            ("/srv/two words/x", "overlay"),
        ] {
            let found = find(SAMPLE, Path::new(path));
            assert_eq!(found.as_deref(), Some(expected), "{path}");
        }
        assert_eq!(find("", Path::new("/")), None);
    }

    #[test]
    fn only_file_systems_on_which_counters_may_be_lost_are_a_risk() {
        for lost in ["tmpfs", "overlay", "nfs4", "cifs"] {
            assert!(risk(lost).is_some(), "{lost}");
        }
        for kept in ["ext4", "xfs", "btrfs", "zfs"] {
            assert_eq!(risk(kept), None, "{kept}");
        }
    }
}
