//! What a file looks like from outside: enough to tell whether it was written to, or is another one.

use std::{
    fs::{self, File, FileType, Metadata},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
    time::Duration,
};

use crate::domain::language::Bilingual;

/// A file from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which file it is: device and number.
    pub file: (u64, u64),
    /// Its length.
    pub bytes: u64,
    /// When its bytes last changed, in nanoseconds since 1970; programs may set it.
    pub modified_ns: i64,
    /// When anything of it last changed, its name included; only the system sets it.
    pub changed_ns: i64,
}

impl Look {
    /// Of what `metadata` says.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        Self {
            file: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Of what lies at a path, which is not followed.
    ///
    /// # Errors
    /// Nothing is there, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::symlink_metadata(path)?))
    }

    /// Whether it is the same file with, as far as can be told from outside, the same bytes; under whatever name.
    #[must_use]
    pub fn has_same_bytes(&self, other: &Self) -> bool {
        self.file == other.file && self.bytes == other.bytes && self.modified_ns == other.modified_ns
    }

    /// Whether nothing has changed of it for so long, by the clock of its file system.
    #[must_use]
    pub fn has_rested(&self, now_ns: i64, rest: Duration) -> bool {
        self.rests_in(now_ns, rest).is_zero()
    }

    /// How long it still has to be left alone to have rested.
    #[must_use]
    pub fn rests_in(&self, now_ns: i64, rest: Duration) -> Duration {
        // A time that is still to come was set by a program, and says nothing.
        let modified = if self.modified_ns <= now_ns { self.modified_ns } else { self.changed_ns };
        let rested = now_ns.saturating_sub(modified.max(self.changed_ns));
        rest.saturating_sub(Duration::from_nanos(u64::try_from(rested).unwrap_or(0)))
    }
}

/// Whether two regular files hold the same; no link is followed.
pub(super) fn have_same_bytes(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len());
    if length(one).is_none() || length(one) != length(other) {
        return false;
    }
    let (Ok(mut one), Ok(mut other)) = (File::open(one), File::open(other)) else { return false };
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let Ok(read) = one.read(&mut left) else { return false };
        if read == 0 {
            return other.read(&mut right).is_ok_and(|more| more == 0);
        }
        let (Some(piece), Some(beside)) = (left.get(..read), right.get_mut(..read)) else { return false };
        if other.read_exact(beside).is_err() || piece != beside {
            return false;
        }
    }
}

/// What something is that is no file; `None`: a file.
#[must_use]
pub fn no_file(kind: FileType) -> Option<Bilingual<&'static str>> {
    Some(if kind.is_file() {
        return None;
    } else if kind.is_symlink() {
        Bilingual::new("a symbolic link", "en symbolisk länk")
    } else if kind.is_dir() {
        Bilingual::new("a directory", "en mapp")
    } else if kind.is_fifo() {
        Bilingual::new("a pipe", "ett namngivet rör")
    } else if kind.is_socket() {
        Bilingual::new("a socket", "en socket")
    } else {
        Bilingual::new("a device", "en enhet")
    })
}
