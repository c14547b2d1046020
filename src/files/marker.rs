//! The file that says of another that it is whole: `users.csv.done` of `users.csv`. It may be empty, or say how many rows there
//! are and what their SHA-256 is, a line each, in any order:
//!
//! ```text
//! rows=1200
//! sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! Rows are those after the header. What `sha256sum` prints is read too.

use std::{
    ffi::OsString,
    fs, io,
    io::Read as _,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// What its name ends in.
pub const ENDING: &str = ".done";
/// No marker is longer.
const LONGEST: u64 = 4096;

/// What a marker says of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// Rows after the header.
    pub rows: Option<u64>,
    /// 64 hexadecimal digits, lower case.
    pub sha256: Option<String>,
}

/// The file of which `path` would be the marker.
#[must_use]
pub fn is_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let of = name.strip_suffix(ENDING.as_bytes()).filter(|of| !of.is_empty())?;
    Some(path.with_file_name(OsString::from(std::ffi::OsStr::from_bytes(of))))
}

/// Where the marker of a file is.
#[must_use]
pub fn of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    path.with_file_name(name)
}

/// Reads a marker; `None`: there is none.
///
/// # Errors
/// It cannot be read, or says something that is not understood.
pub fn read(path: &Path) -> io::Result<Option<Marker>> {
    let opened =
        fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let file = match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    parse(&text).map(Some).map_err(io::Error::other)
}

fn parse(text: &str) -> Result<Marker, String> {
    let mut marker = Marker::default();
    for (line, at) in text.trim_start_matches('\u{FEFF}').lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        let (name, value) = lower.split_once(['=', ':']).unwrap_or(("", &lower));
        let value = value.trim();
        let digest = value.split_whitespace().next().unwrap_or_default();
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        match name.trim() {
            "rows" if value.parse::<u64>().is_ok() => marker.rows = value.parse().ok(),
            "sha256" | "sha-256" | "" if is_digest => marker.sha256 = Some(digest.to_owned()),
            _ => {
                return Err(format!(
                    "its line {at} is neither `rows=` and a number nor `sha256=` and 64 hexadecimal digits"
                ));
            }
        }
    }
    Ok(marker)
}

impl Marker {
    /// What it says otherwise than a file of that SHA-256 is.
    #[must_use]
    pub fn disputes_sha256(&self, is: &str) -> Option<String> {
        let said = self.sha256.as_deref().filter(|said| *said != is)?;
        Some(format!(
            "its .done file says that its SHA-256 is {said}, and it is {is}: it is not whole, or another file"
        ))
    }

    /// What it says otherwise than a file of so many rows is.
    #[must_use]
    pub fn disputes_rows(&self, are: u64) -> Option<String> {
        let said = self.rows.filter(|said| *said != are)?;
        Some(format!(
            "its .done file says that it has {said} rows after the header, and it has {are}: it is not whole"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_says_how_many_rows_and_what_sum_or_nothing() {
        let sum = "9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let lower = Some(sum.to_lowercase());
        assert_eq!(parse(""), Ok(Marker::default()));
        let both = Marker { rows: Some(12), sha256: lower.clone() };
        assert_eq!(parse(&format!("rows=12\r\nsha256={sum}\r\n")), Ok(both.clone()));
        assert_eq!(parse(&format!("SHA-256: {sum}\n\nRows: 12")), Ok(both));
        assert_eq!(parse(&format!("{sum}  users.csv\n")), Ok(Marker { rows: None, sha256: lower }));
        for wrong in ["rows=many", "sha256=abc", "whole", "rows"] {
            assert!(parse(wrong).unwrap_err().contains("line 1"), "{wrong}");
        }
        assert_eq!(Marker { rows: Some(2), sha256: None }.disputes_rows(2), None);
        assert!(Marker { rows: Some(2), sha256: None }.disputes_rows(3).unwrap().contains("it has 3"));
        assert_eq!(is_of(Path::new("a/u.csv.done")), Some("a/u.csv".into()));
        assert_eq!(is_of(Path::new("a/.done")), None);
        assert_eq!(of(Path::new("a/u.csv")), Path::new("a/u.csv.done"));
    }
}
