//! Where a mail server leaves what comes back: a maildir, or an mbox. It is read and left as it is, so that other programs may
//! read it too; nothing is moved, marked or removed.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};
use thiserror::Error;

/// Bytes of a message that are read; what a report says stands at its begin.
const MOST: u64 = 8 * 1024 * 1024;
/// How a message of an mbox begins, after an empty line.
const BEGINS: &[u8] = b"From ";

/// Why there is no mailbox.
#[derive(Debug, Error)]
pub enum MailboxError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// There is something else.
    #[error("{0} is neither a maildir, with the folders new and cur, nor a file of messages (mbox)")]
    Other(String),
}

/// A message, or why it cannot be read.
#[derive(Debug)]
pub struct MailboxMessage {
    /// Where it is.
    pub place: String,
    /// Its bytes.
    pub bytes: io::Result<Vec<u8>>,
}

/// The messages of a mailbox, one after the other.
pub enum Mailbox {
    /// One file a message.
    Maildir(std::vec::IntoIter<PathBuf>),
    /// All in one file.
    Mbox {
        /// Which.
        path: PathBuf,
        /// Its lines.
        lines: BufReader<File>,
        /// The number of the next message.
        next: u64,
        /// It is at its end.
        ended: bool,
    },
}

impl Mailbox {
    /// Opens one.
    ///
    /// # Errors
    /// See [`MailboxError`].
    pub fn open(path: &Path) -> Result<Self, MailboxError> {
        let unreadable = |error| MailboxError::Unreadable { path: path.display().to_string(), error };
        let found = fs::metadata(path).map_err(unreadable)?;
        if found.is_file() {
            let lines = BufReader::new(File::open(path).map_err(unreadable)?);
            return Ok(Self::Mbox { path: path.to_owned(), lines, next: 1, ended: false });
        }
        let folders = [path.join("new"), path.join("cur")];
        if !folders.iter().all(|folder| folder.is_dir()) {
            return Err(MailboxError::Other(path.display().to_string()));
        }
        let mut messages = Vec::new();
        for folder in folders {
            for entry in fs::read_dir(folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                    messages.push(entry.path());
                }
            }
        }
        messages.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
        Ok(Self::Maildir(messages.into_iter()))
    }
}

impl Iterator for Mailbox {
    type Item = MailboxMessage;

    fn next(&mut self) -> Option<MailboxMessage> {
        match self {
            Self::Maildir(paths) => {
                let path = paths.next()?;
                Some(MailboxMessage { place: path.display().to_string(), bytes: whole(&path) })
            }
            Self::Mbox { ended: true, .. } => None,
            Self::Mbox { path, lines, next, ended } => {
                let place = format!("{} message {next}", path.display());
                *next += 1;
                match message(lines) {
                    Ok((bytes, last)) => {
                        *ended = last;
                        (!last || !bytes.is_empty()).then_some(MailboxMessage { place, bytes: Ok(bytes) })
                    }
                    Err(error) => {
                        *ended = true;
                        Some(MailboxMessage { place, bytes: Err(error) })
                    }
                }
            }
        }
    }
}

/// A file of a maildir; nothing else is opened there, and nothing is waited for.
fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The next message of an mbox, and whether it is the last. A line of a message that began like a message has a `>` in front.
fn message(lines: &mut BufReader<File>) -> io::Result<(Vec<u8>, bool)> {
    let (mut bytes, mut blank) = (Vec::new(), true);
    loop {
        let mut line = Vec::new();
        let read = lines.by_ref().take(MOST).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok((bytes, true));
        }
        if blank && line.starts_with(BEGINS) {
            if bytes.is_empty() {
                continue;
            }
            return Ok((bytes, false));
        }
        blank = line.iter().all(u8::is_ascii_whitespace);
        if u64::try_from(bytes.len()).is_ok_and(|held| held < MOST) {
            let quoted = line
                .iter()
                .position(|byte| *byte != b'>')
                .is_some_and(|at| at > 0 && line[at..].starts_with(BEGINS));
            bytes.extend_from_slice(if quoted { &line[1..] } else { &line });
        }
    }
}
