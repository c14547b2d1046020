//! Who has a file open for writing, as Linux tells in `/proc`: of every process of this machine that may be looked into,
//! so of all of them as root, and of one's own otherwise.

use std::{collections::HashSet, fs, io, os::unix::fs::MetadataExt as _, path::Path};

/// Where Linux tells of processes.
const PROC: &str = "/proc";
/// Of a file's flags: how it may be used; 0 is reading alone.
const ACCESS: u32 = 0o3;
/// Of a file's flags: that it is only a place, which nobody writes to.
const PLACE_ONLY: u32 = 0o10_000_000;

/// What is open for writing.
#[derive(Clone, Debug, Default)]
pub struct Writers {
    open: HashSet<(u64, u64)>,
    /// Every process could be looked into. If not, or if there is no `/proc`, nobody known is not nobody.
    pub all_seen: bool,
}

impl Writers {
    /// Looks which of these files (device and number) are open for writing anywhere.
    #[must_use]
    pub fn look(files: &HashSet<(u64, u64)>) -> Self {
        let mut writers = Self::default();
        if files.is_empty() {
            writers.all_seen = true;
            return writers;
        }
        let Ok(processes) = fs::read_dir(PROC) else { return writers };
        if !Path::new("/proc/self/fdinfo").exists() {
            return writers;
        }
        let inodes: HashSet<u64> = files.iter().map(|(_, inode)| *inode).collect();
        writers.all_seen = true;
        for process in processes.flatten() {
            let name = process.file_name();
            if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            if let Err(error) = writers.look_into(&process.path(), files, &inodes) {
                // Gone meanwhile, which is none; or not ours to look into.
                writers.all_seen &= is_gone(&error);
            }
        }
        writers
    }

    /// Whether a file is known to be open for writing.
    #[must_use]
    pub fn has_open(&self, file: (u64, u64)) -> bool {
        self.open.contains(&file)
    }

    fn look_into(
        &mut self,
        process: &Path,
        files: &HashSet<(u64, u64)>,
        inodes: &HashSet<u64>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(process.join("fdinfo"))? {
            let entry = entry?;
            let told = match fs::read_to_string(entry.path()) {
                Err(error) if is_gone(&error) => continue,
                told => told?,
            };
            let number = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let flags =
                number("flags:").and_then(|flags| u32::from_str_radix(flags, 8).ok()).unwrap_or(ACCESS);
            let inode = number("ino:").and_then(|inode| inode.parse::<u64>().ok());
            if flags & ACCESS == 0
                || flags & PLACE_ONLY != 0
                || inode.is_some_and(|inode| !inodes.contains(&inode))
            {
                continue;
            }
            match fs::metadata(process.join("fd").join(entry.file_name())) {
                Err(error) if is_gone(&error) => {}
                found => {
                    let found = found?;
                    let file = (found.dev(), found.ino());
                    if files.contains(&file) {
                        self.open.insert(file);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a process or its file is there no more.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::files::look::Look;

    #[test]
    fn a_file_is_known_to_be_open_for_writing_until_it_is_closed_by_whatever_name_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let writer = File::create(&path).unwrap();
        let _reader = File::open(&path).unwrap();
        let file = Look::at(&path).unwrap().file;
        let open = || Writers::look(&HashSet::from([file])).has_open(file);
        assert!(open());
        std::fs::rename(&path, dir.path().join("b.csv")).unwrap();
        assert!(open());
        drop(writer);
        assert!(!open(), "who only reads is no writer");
    }
}
