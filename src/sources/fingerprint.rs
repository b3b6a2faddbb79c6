//! The metadata that shows whether a file has changed, without reading it.
//!
//! Crates that watch files need inotify, which network mounts do not have and which misses a changed link of Kubernetes. A comparison of
//! metadata before each collection works everywhere and needs no thread.

use std::fs::Metadata;
use std::time::Duration;

use crate::timestamp::Timestamp;

/// Two changes within one tick of the file system's clock look like one, so a file that has just changed is read again the next time. Ticks
/// are milliseconds on local disks and two seconds on FAT.
const UNSETTLED: Duration = Duration::from_secs(2);

/// The metadata that changes with a file: a new file under the old name and a changed symbolic link have another inode, new
/// content has another size or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size: u64,
    /// Device and inode.
    place: (u64, u64),
    /// When the content was changed, in nanoseconds since 1970; a program can set it.
    modified: i128,
    /// When content or metadata was changed, in nanoseconds since 1970; no program can set it.
    changed: i128,
}

impl Fingerprint {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: metadata.len(),
            place: (metadata.dev(), metadata.ino()),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let since = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok();
        let modified = metadata.modified().ok().and_then(since);
        let modified = modified.map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0));
        Self {
            size: metadata.len(),
            place: (0, 0),
            modified,
            changed: modified,
        }
    }

    /// Whether the same fingerprint at a later check means the same content.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        let now = i128::from(now.as_millis()) * 1_000_000;
        let unsettled = i128::try_from(UNSETTLED.as_nanos()).unwrap_or(0);
        self.changed.saturating_add(unsettled) < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_within_the_clock_tick_is_not_visible() {
        let fingerprint = Fingerprint {
            size: 1,
            place: (1, 1),
            modified: 0,
            changed: 10_000_000_000,
        };
        for (now, settled) in [(0, false), (10_000, false), (12_000, false), (12_001, true)] {
            assert_eq!(
                fingerprint.is_settled(Timestamp::from_millis(now)),
                settled,
                "{now}"
            );
        }
    }
}
