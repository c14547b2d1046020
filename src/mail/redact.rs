//! Mails in the outbox that are for somebody who was erased, or name them.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use mail_parser::MessageParser;

use crate::domain::erasure::KnownNames;

/// What became of a mail in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailRedacted {
    /// It does not concern them.
    Untouched,
    /// It was for them, and is gone.
    Removed,
    /// It names them: its text is gone.
    Emptied,
}

/// Fields of a message that stand for its text, or vouch for it.
const OF_THE_TEXT: [&str; 3] = ["content-", "mime-", "dkim-"];

/// Takes somebody out of a message: one that is for them is removed, one to somebody else that names them loses its text. A dry
/// run only says so.
///
/// # Errors
/// The disk's; it is no message (`InvalidData`).
pub fn redact(path: &Path, known: &KnownNames, dry_run: bool) -> io::Result<MailRedacted> {
    let bytes = fs::read(path)?;
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "it cannot be read as a mail");
    let message = MessageParser::default().parse(&bytes).ok_or_else(unreadable)?;
    let addresses = message.to().into_iter().flat_map(|to| to.iter()).filter_map(|to| to.address());
    if addresses.into_iter().any(|address| known.is_one(address)) {
        if !dry_run {
            fs::remove_file(path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        }
        return Ok(MailRedacted::Removed);
    }
    let names = |text: &str| known.replaced_in(text).is_some();
    let parts = message.parts.iter().filter_map(|part| part.text_contents());
    if !names(message.subject().unwrap_or_default()) && !parts.into_iter().any(names) {
        return Ok(MailRedacted::Untouched);
    }
    if !dry_run {
        let text = String::from_utf8_lossy(&bytes);
        let head = text.split_once("\r\n\r\n").map_or(&*text, |(head, _)| head);
        let mut out = Vec::new();
        let mut left_out = false;
        for line in head.split("\r\n") {
            if !line.starts_with([' ', '\t']) {
                let name = line.to_ascii_lowercase();
                left_out = OF_THE_TEXT.iter().any(|of| name.starts_with(of));
            }
            if !left_out {
                out.extend_from_slice(known.replaced_in(line).as_deref().unwrap_or(line).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
        let pseudonym = &known.pseudonym;
        write!(out, "\r\nThe text is not kept: it named somebody who was erased ({pseudonym}).\r\n")?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(folder)?;
        file.write_all(&out)?;
        file.as_file().sync_all()?;
        file.as_file().set_permissions(fs::metadata(path)?.permissions())?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
    }
    Ok(MailRedacted::Emptied)
}
