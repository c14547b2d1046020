//! Where files are kept once they are answered: `done/` or `refused/` beside what they were dropped in, with their answer and
//! their note under names that belong together, and that nothing else has. Nothing that is there is ever replaced.

use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::{
    answer::{NAME_BYTES, short},
    look::have_same_bytes,
    marker,
};

/// What is added to a name at most: a number and the longest ending.
const ROOM: usize = NAME_BYTES - ".4294967295.result.xlsx".len();

/// The names under which a file, its answer and its note are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptNames {
    /// Of the file itself.
    pub original: String,
    /// Of its answer.
    pub answer: String,
    /// Of its note.
    pub note: String,
}

/// A name without the ending that says what a file is, and without what an answer adds: an answer that is dropped again,
/// `daily.2.result.csv`, is of `daily`.
#[must_use]
pub fn stem(name: &str) -> &str {
    let (stem, _) = parts(name);
    stem
}

fn parts(name: &str) -> (&str, &str) {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => name.split_at(stem.len()),
        _ => (name, ""),
    };
    let Some(at) = stem.len().checked_sub(".result".len()).filter(|at| *at > 0) else {
        return (stem, ending);
    };
    match stem.get(at..) {
        Some(tail) if tail.eq_ignore_ascii_case(".result") => {
            let stem = &stem[..at];
            let numbered =
                stem.rsplit_once('.').filter(|(_, number)| number.bytes().all(|b| b.is_ascii_digit()));
            (numbered.map_or(stem, |(stem, _)| stem), ending)
        }
        _ => (stem, ending),
    }
}

/// The form of a file, and of the answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileForm {
    /// Text in rows.
    #[default]
    Text,
    /// A workbook.
    Workbook,
}

impl FileForm {
    /// What the name of an answer ends in.
    const fn ending(self) -> &'static str {
        match self {
            Self::Text => ".result.csv",
            Self::Workbook => ".result.xlsx",
        }
    }
}

/// The names of a file of that form that was dropped under `name`, of those whose stem is the same the `nth`.
#[must_use]
pub fn names(name: &str, form: FileForm, nth: u32) -> KeptNames {
    let (stem, ending) = parts(name);
    let ending = if ending.len() > ROOM / 4 { "" } else { ending };
    let numbered = |nth: u32| if nth == 1 { String::new() } else { format!(".{nth}") };
    let stem = format!("{}{}", short(stem, ROOM), numbered(nth));
    // `x.note.txt` and `x.result.csv` are names that people may drop as well.
    let clashes = [".note", ".result"].iter().any(|of_ours| stem.to_ascii_lowercase().ends_with(of_ours));
    let original = if clashes { format!("{stem}.original{ending}") } else { format!("{stem}{ending}") };
    KeptNames { original, answer: format!("{stem}{}", form.ending()), note: format!("{stem}.note.txt") }
}

impl KeptNames {
    /// Whether nothing is there under any of them.
    #[must_use]
    pub fn are_free(&self, folder: &Path) -> bool {
        let marker = marker::of(Path::new(&self.original));
        [Path::new(&self.original), Path::new(&self.answer), Path::new(&self.note), &marker]
            .iter()
            .all(|name| is_free(&folder.join(name)))
    }
}

/// Whether nothing is at a path, not even a link to nothing.
#[must_use]
pub fn is_free(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Moves a file to `name` in the folder `kept` beside what it was dropped in, made if need be; no link is followed there.
/// What is there already stays; if it is the same byte for byte, it was put there before a crash.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]: something else is there. It cannot be moved.
pub fn put(from: &Path, folder: &Path, kept: &str, name: &str) -> io::Result<()> {
    match rustix::fs::mkdirat(CWD, folder.join(kept), Mode::from_raw_mode(0o777)) {
        Err(Errno::EXIST) => {}
        made => made?,
    }
    let opened = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let into =
        rustix::fs::openat(CWD, folder.join(kept), opened, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR | Errno::LOOP => io::Error::new(
                ErrorKind::NotADirectory,
                format!("'{kept}' is in the way and no folder: move it away"),
            ),
            other => other.into(),
        })?;
    let moved = match rustix::fs::renameat_with(CWD, from, &into, name, RenameFlags::NOREPLACE) {
        // A file system that cannot promise this at once promises it of a second name.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(CWD, from, &into, name, AtFlags::empty())
                .and_then(|()| rustix::fs::unlinkat(CWD, from, AtFlags::empty()))
        }
        moved => moved,
    };
    match moved {
        Err(Errno::EXIST) if have_same_bytes(from, &folder.join(kept).join(name)) => fs::remove_file(from),
        moved => Ok(moved?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_its_answer_and_its_note_have_one_stem_and_a_number_from_the_second_on() {
        let named = |name: &str, nth: u32| {
            let KeptNames { original, answer, note } = names(name, FileForm::Text, nth);
            [original, answer, note].join(" ")
        };
        assert_eq!(named("daily.csv", 1), "daily.csv daily.result.csv daily.note.txt");
        assert_eq!(named("daily.csv", 2), "daily.2.csv daily.2.result.csv daily.2.note.txt");
        let book = names("Q2.result.XLSX", FileForm::Workbook, 2);
        assert_eq!(book.answer, "Q2.2.result.xlsx");
        assert_eq!(named("daily", 1), "daily daily.result.csv daily.note.txt");
        assert_eq!(named("Q2.CSV", 2), "Q2.2.CSV Q2.2.result.csv Q2.2.note.txt");
        assert_eq!(named("daily.2.result.csv", 3), "daily.3.csv daily.3.result.csv daily.3.note.txt");
        assert_eq!(named("x.note.txt", 1), "x.note.original.txt x.note.result.csv x.note.note.txt");
        for (name, its) in [
            ("daily.csv", "daily"),
            ("daily.result.csv", "daily"),
            ("daily.2.result.csv", "daily"),
            ("daily.2.csv", "daily.2"),
            (".result.csv", ".result"),
            ("daily", "daily"),
        ] {
            assert_eq!(stem(name), its, "{name}");
        }
        for name in
            ["n".repeat(251) + ".csv", "n".repeat(255), "å".repeat(127), format!("n.{}", "x".repeat(250))]
        {
            let KeptNames { original, answer, note } = names(&name, FileForm::Workbook, u32::MAX);
            assert!([original, answer, note].iter().all(|name| name.len() <= NAME_BYTES), "{name}");
        }
    }

    #[test]
    fn nothing_that_is_there_is_replaced_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let drop_it = |text: &str| {
            fs::write(at("x"), text).unwrap();
            put(&at("x"), dir.path(), "done", "x.csv")
        };
        drop_it("one").unwrap();
        assert_eq!(drop_it("two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(
            (fs::read(at("x")).unwrap(), fs::read(at("done/x.csv")).unwrap()),
            (b"two".into(), b"one".into())
        );
        drop_it("one").unwrap();
        assert!(!at("x").exists(), "the same bytes were put there before");
        fs::create_dir(at("elsewhere")).unwrap();
        std::os::unix::fs::symlink(at("elsewhere"), at("refused")).unwrap();
        fs::write(at("x"), "three").unwrap();
        let refused = put(&at("x"), dir.path(), "refused", "x.csv").unwrap_err();
        assert!(refused.to_string().contains("in the way"), "{refused}");
        assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 0);
    }
}
