//! The outbox folder: one `.eml` file a message, whole or not at all.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Rendered, message::local_part};

/// Where the message of that Message-ID is, or will be, in `outbox`.
///
/// # Errors
/// `InvalidInput` when the Message-ID cannot name a file.
pub fn path(outbox: &Path, message_id: &str) -> io::Result<PathBuf> {
    let local = local_part(message_id).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the Message-ID cannot name a file in the outbox")
    })?;
    Ok(outbox.join(format!("{local}.eml")))
}

/// Puts the message into `outbox` as `<local part of its Message-ID>.eml` and returns the path.
///
/// It is written beside its place, made durable and renamed, so that a reader never sees half of it. Delivered
/// again, it takes the same place with the same bytes.
///
/// # Errors
/// `InvalidInput` when the Message-ID cannot name a file; otherwise whatever the file system refuses.
pub fn deliver(outbox: &Path, rendered: &Rendered) -> io::Result<PathBuf> {
    let path = path(outbox, &rendered.message_id)?;
    let mut file = tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(outbox)?;
    file.write_all(&rendered.eml)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    File::open(outbox)?.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(message_id: &str) -> Rendered {
        Rendered {
            html: None,
            message_id: message_id.to_owned(),
            subject: "Subject".to_owned(),
            text: "Text\n".to_owned(),
            eml: b"Subject: Subject\r\n\r\nText\r\n".to_vec(),
        }
    }

    #[test]
    fn a_message_delivered_twice_is_one_file_with_its_bytes() {
        let outbox = tempfile::tempdir().unwrap();
        let message = rendered("<0a1b@mail.example>");
        let path = deliver(outbox.path(), &message).unwrap();
        assert_eq!(deliver(outbox.path(), &message).unwrap(), path);
        assert_eq!(path, outbox.path().join("0a1b.eml"));
        assert_eq!(std::fs::read(&path).unwrap(), message.eml);
        assert_eq!(std::fs::read_dir(outbox.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_message_id_cannot_lead_out_of_the_outbox() {
        let outbox = tempfile::tempdir().unwrap();
        for bad in
            ["<../x@mail.example>", "<a/b@mail.example>", "<.x@mail.example>", "x@mail.example", "<@x>", ""]
        {
            assert_eq!(
                deliver(outbox.path(), &rendered(bad)).unwrap_err().kind(),
                io::ErrorKind::InvalidInput
            );
        }
        assert_eq!(std::fs::read_dir(outbox.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_outbox_folder_is_an_error() {
        let gone = tempfile::tempdir().unwrap().path().join("gone");
        assert!(deliver(&gone, &rendered("<a@mail.example>")).is_err());
    }
}
