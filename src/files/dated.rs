//! Folders named by a business date, each with a file that a job writes anew every night; and their removal. Links are never
//! followed, and nothing is removed but that file, what was left of writing it, and a folder that is empty then.

use std::{
    fs, io,
    io::ErrorKind::{DirectoryNotEmpty, NotFound},
    path::Path,
};

use chrono::NaiveDate;

/// What the name of a file ends in that is being written.
const PART: &str = ".part";

/// The dates for which `folder` has a folder, in order. None, if there is no such folder or if it is a link.
///
/// # Errors
/// It cannot be read.
pub fn dates(folder: &Path) -> io::Result<Vec<NaiveDate>> {
    let mut dates = Vec::new();
    if !is_folder(folder)? {
        return Ok(dates);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| Some((name, name.parse::<NaiveDate>().ok()?)));
        // Only as they are written: no `2024-1-5`.
        if let Some((_, date)) = date.filter(|(name, date)| date.to_string() == *name)
            && entry.file_type()?.is_dir()
        {
            dates.push(date);
        }
    }
    dates.sort_unstable();
    Ok(dates)
}

/// Removes from the folder of a date the file of that name and what was left of writing it, and the folder if nothing else is in
/// it. Whether there was anything to remove.
///
/// # Errors
/// The disk's.
pub fn remove(folder: &Path, date: NaiveDate, file: &str) -> io::Result<bool> {
    let of_date = folder.join(date.to_string());
    if !is_folder(folder)? || !is_folder(&of_date)? {
        return Ok(false);
    }
    let mut removed = false;
    let part = format!(".{file}.");
    for entry in fs::read_dir(&of_date)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_own = name.to_str().is_some_and(|name| {
            name == file || name.strip_prefix(&part).is_some_and(|rest| rest.strip_suffix(PART).is_some())
        });
        if is_own && entry.file_type()?.is_file() {
            removed |= unless_gone(fs::remove_file(entry.path()))?;
        }
    }
    match unless_gone(fs::remove_dir(&of_date)) {
        Err(error) if error.kind() == DirectoryNotEmpty => Ok(removed),
        emptied => Ok(emptied? || removed),
    }
}

/// Whether it is a folder and no link to one.
fn is_folder(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.is_dir()),
        Err(error) if error.kind() == NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether it was done; not, if somebody else did it before.
fn unless_gone(done: io::Result<()>) -> io::Result<bool> {
    match done {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_not_the_jobs_own_stays_and_links_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("2024-01-03")).unwrap();
        fs::write(outside.path().join("2024-01-03/x.csv"), "elsewhere").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("exports");
        assert!(dates(&folder).unwrap().is_empty(), "none is there yet");
        for name in ["2024-01-02", "2024-01-01", "2024-1-5", "2024-02-30", "notes"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("x.csv"), "ours").unwrap();
        }
        symlink(outside.path().join("2024-01-03"), folder.join("2024-01-03")).unwrap();
        fs::write(folder.join("2024-01-04"), "a file").unwrap();
        let day = |day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        assert_eq!(dates(&folder).unwrap(), [day(1), day(2)]);

        let first = folder.join("2024-01-01");
        fs::write(first.join(".x.csv.a1b2.part"), "half").unwrap();
        assert!(remove(&folder, day(1), "x.csv").unwrap() && !first.exists());
        assert!(!remove(&folder, day(1), "x.csv").unwrap(), "again there is nothing");
        let second = folder.join("2024-01-02");
        fs::write(second.join("mine.csv"), "a person's").unwrap();
        symlink(outside.path().join("2024-01-03/x.csv"), second.join(".x.csv.c.part")).unwrap();
        assert!(remove(&folder, day(2), "x.csv").unwrap() && !second.join("x.csv").exists());
        assert!(second.join("mine.csv").exists() && second.join(".x.csv.c.part").is_symlink());
        assert!(!remove(&folder, day(2), "x.csv").unwrap(), "nothing more of it is ours");
        assert!(!remove(&folder, day(3), "x.csv").unwrap() && !remove(&folder, day(4), "x.csv").unwrap());

        symlink(outside.path(), dir.path().join("linked")).unwrap();
        let linked = dir.path().join("linked");
        assert!(dates(&linked).unwrap().is_empty() && !remove(&linked, day(3), "x.csv").unwrap());
        assert!(outside.path().join("2024-01-03/x.csv").exists());
    }
}
