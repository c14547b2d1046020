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
    let to: Vec<_> = message.to().into_iter().flat_map(|to| to.iter()).collect();
    let addresses: Vec<&str> = to.iter().filter_map(|to| to.address()).collect();
    if addresses.iter().any(|address| known.is_one(address)) {
        if !dry_run {
            fs::remove_file(path)?;
            File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        }
        return Ok(MailRedacted::Removed);
    }
    let names = |text: &str| known.replaced_in(text).is_some();
    let (by_subject, by_name) =
        (names(message.subject().unwrap_or_default()), to.iter().filter_map(|to| to.name()).any(names));
    let parts = message.parts.iter().filter_map(|part| part.text_contents());
    if !by_subject && !by_name && !parts.into_iter().any(names) {
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
                left_out = OF_THE_TEXT.iter().any(|of| name.starts_with(of))
                    || by_subject && name.starts_with("subject:")
                    || by_name && name.starts_with("to:");
            }
            if !left_out {
                out.extend_from_slice(known.replaced_in(line).as_deref().unwrap_or(line).as_bytes());
                out.extend_from_slice(b"\r\n");
            }
        }
        // What names them may be encoded there.
        if by_name {
            write!(out, "To: {}\r\n", addresses.join(", "))?;
        }
        if by_subject {
            write!(out, "Subject: {}\r\n", known.pseudonym)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A message to somebody, whose subject and text are encoded as ours are.
    fn message(to: &str, subject: &str, text: &str) -> String {
        format!(
            "DKIM-Signature: v=1; h=subject;\r\n b=AAAA\r\nFrom: Benefits <b@x.example>\r\nTo: {to}\r\nSubject: {subject}\r\n\
             Message-ID: <1@x.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"=_1\"\r\n\r\n\
             --=_1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{text}\r\n\
             --=_1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>{text}</p>\r\n\
             --=_1--\r\n"
        )
    }

    /// What becomes of it, and what is left.
    fn redacted(message: &str, dry_run: bool) -> (io::Result<MailRedacted>, Option<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.eml");
        fs::write(&path, message).unwrap();
        let names = ["bo@a.example".to_owned()];
        let known = KnownNames::new("erased-1".to_owned(), None, &names, &["Bo Ék".to_owned()]);
        let became = redact(&path, &known, dry_run);
        assert!(fs::read_dir(folder.path()).unwrap().count() <= 1, "nothing is left beside it");
        (became, fs::read_to_string(&path).ok())
    }

    #[test]
    fn a_mail_to_somebody_goes_and_one_that_does_not_concern_them_stays_as_it_is() {
        let theirs = message("\"Bo\" <BO@a.example>", "Hello", "you");
        assert!(matches!(redacted(&theirs, false), (Ok(MailRedacted::Removed), None)));
        assert_eq!(redacted(&theirs, true).1, Some(theirs), "a dry run only says so");
        let other = message("Ebo <ebo@a.example>", "Hello", "Bo =C3=89ker and ebo@a.example");
        let (became, left) = redacted(&other, false);
        assert_eq!((became.unwrap(), left), (MailRedacted::Untouched, Some(other)));
        let (became, left) = redacted("", false);
        assert_eq!((became.unwrap_err().kind(), left), (io::ErrorKind::InvalidData, Some(String::new())));
    }

    #[test]
    fn a_mail_to_another_that_names_them_loses_its_text_and_keeps_whose_it_is() {
        for (to, subject, text) in [
            ("Ada", "Hello", "asked for by Bo =C3=89k"),
            ("Ada", "Hello", "asked for by bo=40A.example"),
            ("Ada", "asked for by Bo@a.example,\r\n soon", "nobody"),
            ("Ada", "=?utf-8?q?asked_for_by_Bo_=C3=89k?=", "nobody"),
            ("Ada", "=?utf-8?b?Qm8gw4lr?=", "nobody"),
            ("=?utf-8?b?Qm8gw4lr?=", "Hello", "nobody"),
        ] {
            let others = message(&format!("{to} <ada@a.example>"), subject, text);
            let (became, left) = redacted(&others, false);
            let left = left.unwrap();
            assert_eq!(became.unwrap(), MailRedacted::Emptied, "{subject} {text}");
            let read = MessageParser::default().parse(left.as_bytes()).unwrap();
            assert_eq!(read.message_id(), Some("1@x.example"));
            assert_eq!(read.to().unwrap().first().unwrap().address(), Some("ada@a.example"));
            let shown =
                format!("{left} {} {}", read.subject().unwrap(), read.body_text(0).unwrap()).to_lowercase();
            for gone in ["bo ék", "bo@a.example", "=c3=89k", "bo=40a", "qm8gw4lr", "dkim", "multipart"] {
                assert!(!shown.contains(gone), "{gone}: {left}");
            }
            assert!(read.body_text(0).unwrap().contains("erased-1"), "{left}");
            assert_eq!(redacted(&left, false).0.unwrap(), MailRedacted::Untouched, "once");
        }
    }
}
