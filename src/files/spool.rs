//! Taking a dropped file safely: a copy under its SHA-256, made while hashing, or a refusal. What was dropped stays
//! where it was.

use std::{
    fs::{self, File, Metadata},
    io::{Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    Refusal,
    look::{self, Look},
    shown::{shown, shown_path},
};

/// Bytes copied at a time.
const CHUNK: usize = 128 * 1024;

/// A file in the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spooled {
    /// The name under which it was dropped.
    pub name: String,
    /// SHA-256 of its bytes: 64 hex digits, lower case.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Where the copy is: `<spool>/<sha256>`.
    pub path: PathBuf,
    /// What the file looked like when it was read.
    pub look: Look,
}

/// Copies the file at `source` into the folder `spool` (made if need be).
///
/// Refuses what is not a regular file (a symbolic link is not followed), an empty or odd name, a file of more than
/// `limit` bytes, and one that is written to, replaced or shortened meanwhile. Nothing is left behind then.
pub fn take(source: &Path, spool: &Path, limit: u64) -> Result<Spooled, Refusal> {
    let name = plain_name(source)?;
    let listed = fs::symlink_metadata(source)?;
    refuse_irregular(&name, &listed)?;
    // Whatever has taken its place since: no link is followed and no pipe waited for.
    let input = match fs::OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(source)
    {
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return Err(Refusal::Changed { name }),
        opened => opened?,
    };
    let opened = input.metadata()?;
    refuse_irregular(&name, &opened)?;
    if opened.len() > limit {
        return Err(Refusal::FileTooLarge { limit });
    }
    fs::create_dir_all(spool)?;
    let mut copy = tempfile::Builder::new().prefix(".taking-").tempfile_in(spool)?;
    // One that grows on and on is not read for ever.
    let mut input = input.take(opened.len().saturating_add(1));
    let (sha256, bytes) = copy_hashed(&mut input, copy.as_file_mut(), limit)?;
    let input = input.into_inner();
    let unchanged = |now: &Metadata| stamp(now) == stamp(&opened);
    let still_there = fs::symlink_metadata(source).is_ok_and(|now| unchanged(&now));
    if bytes != opened.len() || !still_there || !unchanged(&input.metadata()?) || !unchanged(&listed) {
        return Err(Refusal::Changed { name });
    }
    copy.as_file().sync_all()?;
    let path = spool.join(&sha256);
    copy.persist(&path).map_err(|failed| failed.error)?;
    File::open(spool)?.sync_all()?;
    Ok(Spooled { name, sha256, bytes, path, look: Look::of(&opened) })
}

/// The file name, if it is a plain one: one component, UTF-8, no control characters.
fn plain_name(source: &Path) -> Result<String, Refusal> {
    let refusal = || Refusal::BadName { name: shown_path(source) };
    let name = source.file_name().and_then(|name| name.to_str()).ok_or_else(refusal)?;
    if name.chars().any(char::is_control) || name.contains("..") {
        Err(refusal())
    } else {
        Ok(shown(std::ffi::OsStr::new(name)))
    }
}

fn refuse_irregular(name: &str, metadata: &Metadata) -> Result<(), Refusal> {
    let Some(what) = look::no_file(metadata.file_type()) else { return Ok(()) };
    Err(Refusal::NotRegular { name: name.to_owned(), what })
}

/// What differs when a file was written to or another one put in its place.
fn stamp(metadata: &Metadata) -> [i128; 7] {
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.len().into(),
        metadata.mtime().into(),
        metadata.mtime_nsec().into(),
        metadata.ctime().into(),
        metadata.ctime_nsec().into(),
    ]
}

/// SHA-256 of a file, which is not followed if it is a link.
///
/// # Errors
/// It cannot be read, or is no file.
pub fn sha256_of(path: &Path) -> std::io::Result<String> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut input = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let limit = input.metadata()?.len();
    let hashed = copy_hashed(&mut (&mut input).take(limit), &mut std::io::sink(), limit);
    hashed.map(|(sha256, _)| sha256).map_err(std::io::Error::other)
}

fn copy_hashed(input: &mut impl Read, output: &mut impl Write, limit: u64) -> Result<(String, u64), Refusal> {
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0_u64, vec![0; CHUNK]);
    loop {
        let got = match input.read(&mut buffer) {
            Ok(0) => break,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        bytes = bytes.saturating_add(got as u64);
        if bytes > limit {
            return Err(Refusal::FileTooLarge { limit });
        }
        let piece = buffer.get(..got).unwrap_or_default();
        hash.update(piece);
        output.write_all(piece)?;
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok((digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect(), bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_file_is_copied_under_its_hash_and_stays_where_it_was() {
        let dir = folder();
        let (source, spool) = (dir.path().join("users.csv"), dir.path().join("data/spool"));
        fs::write(&source, "abc").unwrap();
        let taken = take(&source, &spool, 3).unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((taken.name.as_str(), taken.sha256.as_str(), taken.bytes), ("users.csv", sha256, 3));
        assert_eq!(taken.path, spool.join(sha256));
        assert_eq!(fs::read(&taken.path).unwrap(), b"abc");
        assert_eq!(take(&source, &spool, 3).unwrap(), taken, "the same bytes again are the same copy");
        assert_eq!(fs::read_dir(&spool).unwrap().count(), 1);
        assert!(source.exists());
    }

    #[test]
    fn links_folders_devices_pipes_and_sockets_are_refused() {
        let dir = folder();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("real.csv"), "abc").unwrap();
        symlink(at("real.csv"), at("link.csv")).unwrap();
        fs::create_dir(at("folder.csv")).unwrap();
        let _socket = UnixListener::bind(at("socket.csv")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe.csv")).status().unwrap().success());
        let refused = |path: &Path| match take(path, &at("spool"), 100).unwrap_err() {
            Refusal::NotRegular { what, .. } => what.english,
            other => panic!("{other}"),
        };
        assert_eq!(refused(&at("link.csv")), "a symbolic link");
        assert_eq!(refused(&at("folder.csv")), "a directory");
        assert_eq!(refused(&at("socket.csv")), "a socket");
        assert_eq!(refused(&at("pipe.csv")), "a pipe");
        assert_eq!(refused(Path::new("/dev/zero")), "a device");
        assert!(!at("spool").exists());
    }

    #[test]
    fn a_name_must_be_a_plain_one() {
        let dir = folder();
        fs::write(dir.path().join("a\nb.csv"), "abc").unwrap();
        for bad in ["..", "x/..", "a\nb.csv", "..csv"] {
            let refusal = take(&dir.path().join(bad), dir.path(), 100).unwrap_err();
            assert!(matches!(refusal, Refusal::BadName { .. }), "{bad}: {refusal}");
        }
        assert!(matches!(take(&dir.path().join("gone.csv"), dir.path(), 100), Err(Refusal::Io(_))));
    }

    #[test]
    fn a_file_over_the_limit_is_refused_and_leaves_nothing() {
        let dir = folder();
        fs::write(dir.path().join("big.csv"), "abcd").unwrap();
        let refusal = take(&dir.path().join("big.csv"), &dir.path().join("spool"), 3).unwrap_err();
        assert!(matches!(refusal, Refusal::FileTooLarge { limit: 3 }));
        // Also one that grows only after it was measured.
        let refusal = copy_hashed(&mut b"abcd".as_slice(), &mut Vec::new(), 3).unwrap_err();
        assert!(matches!(refusal, Refusal::FileTooLarge { limit: 3 }));
    }

    #[test]
    fn a_file_that_is_written_to_while_it_is_read_is_never_taken_half() {
        let dir = folder();
        let (source, spool) = (dir.path().join("a.csv"), dir.path().join("spool"));
        fs::write(&source, vec![b'a'; 4 << 20]).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut round = 0_usize;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    round += 1;
                    let other = dir.path().join("b.csv");
                    let size = (4 << 20) + (round % 2);
                    fs::write(&other, vec![b"ab"[round % 2]; size]).unwrap();
                    fs::rename(&other, &source).unwrap();
                }
            });
            for _ in 0..20 {
                match take(&source, &spool, 1 << 30) {
                    Ok(taken) => {
                        let bytes = fs::read(&taken.path).unwrap();
                        assert!(bytes.iter().all(|byte| *byte == bytes[0]));
                    }
                    Err(Refusal::Changed { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            writer.join().unwrap();
        });
        assert!(fs::read_dir(&spool).is_ok_and(|entries| entries.count() <= 2));
    }
}
