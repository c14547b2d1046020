//! The file that says of another that it is whole: `users.csv.done` of `users.csv`. It may be empty, or say how many rows there
//! are and what their SHA-256 is, a line each, in any order:
//!
//! ```text
//! rows=1200
//! sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! Rows are those after the header. What `sha256sum` prints is read too. Of a file of entitlements it may say as well that it is
//! a full snapshot, all that partners hold as of a date, and what its columns come to ([`FullSnapshot`]):
//!
//! ```text
//! snapshot_as_of=2024-03-31
//! snapshot_of=4100101
//! quantity=3400
//! amount=12500.00 USD
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs, io,
    io::Read as _,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use chrono::NaiveDate;

use super::file_reason::FileReason;
use crate::domain::{
    full_snapshot::{ControlTotals, FullSnapshot, parse_partners},
    id::PartnerId,
    language::Bilingual,
    money::Currency,
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
    /// It is all that partners hold as of a date.
    pub snapshot: Option<FullSnapshot>,
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
pub fn read(path: &Path) -> Result<Option<Marker>, FileReason> {
    let unusable = |why: Bilingual| {
        FileReason::new(
            "marker_unusable",
            format!("its .done file cannot be used: {}", why.english),
            format!("filens .done-fil kan inte användas: {}", why.swedish),
        )
    };
    match text_of(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(Bilingual::technical(error))),
        Ok(None) => Err(unusable(both("it is not a regular file", "den är ingen vanlig fil"))),
        Ok(Some(text)) => parse(&text).map(Some).map_err(unusable),
    }
}

/// What stands in it; `None`: it is no file.
fn text_of(path: &Path) -> io::Result<Option<String>> {
    let file =
        fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    Ok(Some(text))
}

fn both(english: &str, swedish: &str) -> Bilingual {
    Bilingual::new(english.to_owned(), swedish.to_owned())
}

/// The lines that a marker may have, as they are told.
const LINES: Bilingual<&str> = Bilingual::new(
    "`rows=` and a number, `sha256=` and 64 hexadecimal digits, `snapshot_as_of=` and a date such as 2024-03-31, `snapshot_of=` \
     and Partner IDs, `quantity=` and a number, `amount=` and an amount with its currency such as 12500.00 USD",
    "`rows=` och ett tal, `sha256=` och 64 hexadecimala siffror, `snapshot_as_of=` och ett datum som 2024-03-31, `snapshot_of=` \
     och partner-ID:n, `quantity=` och ett tal, `amount=` och ett belopp med valuta som 12500.00 USD",
);

/// What is said of a snapshot, line by line.
#[derive(Default)]
struct SnapshotLines {
    as_of: Option<NaiveDate>,
    partners: BTreeSet<PartnerId>,
    quantity: Option<u64>,
    amounts: BTreeMap<Currency, i64>,
}

fn parse(text: &str) -> Result<Marker, Bilingual> {
    let mut marker = Marker::default();
    let mut lines = SnapshotLines::default();
    for (line, at) in text.trim_start_matches('\u{FEFF}').lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let lower = line.to_ascii_lowercase();
        let (name, value) = lower.split_once(['=', ':']).unwrap_or(("", &lower));
        let (name, value) = (name.trim(), value.trim());
        let digest = value.split_whitespace().next().unwrap_or_default();
        let is_digest = digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        let understood = match name {
            "rows" => value.parse().map(|rows| marker.rows = Some(rows)).is_ok(),
            "sha256" | "sha-256" | "" if is_digest => {
                marker.sha256 = Some(digest.to_owned());
                true
            }
            _ => lines.read(name, value),
        };
        if !understood {
            return Err(Bilingual::new(
                format!("its line {at} is none of {}", LINES.english),
                format!("dess rad {at} är inget av {}", LINES.swedish),
            ));
        }
    }
    marker.snapshot = lines.snapshot(marker.rows)?;
    Ok(marker)
}

impl SnapshotLines {
    /// Reads a line; `false`: it is none of a snapshot's.
    fn read(&mut self, name: &str, value: &str) -> bool {
        match name {
            "snapshot_as_of" => {
                self.as_of = value.parse().ok();
                self.as_of.is_some()
            }
            "snapshot_of" => parse_partners(value).map(|partners| self.partners.extend(partners)).is_some(),
            "quantity" => value.parse().map(|quantity| self.quantity = Some(quantity)).is_ok(),
            "amount" => ControlTotals::parse_amount(value)
                .is_some_and(|(currency, minor)| self.amounts.insert(currency, minor).is_none()),
            _ => false,
        }
    }

    /// The snapshot that they tell of, if any.
    fn snapshot(self, rows: Option<u64>) -> Result<Option<FullSnapshot>, Bilingual> {
        let Self { as_of, partners, quantity, amounts } = self;
        match (as_of, rows) {
            (Some(as_of), Some(rows)) => {
                let totals = ControlTotals { rows, quantity, amounts };
                Ok(Some(FullSnapshot { as_of, partners, totals }))
            }
            (Some(_), None) => Err(both(
                "it says that the file is a full snapshot, and not how many rows that has: add a line `rows=` and the number of \
                 rows after the header",
                "den säger att filen är en fullständig förteckning, men inte hur många rader den har: lägg till en rad `rows=` \
                 med antalet rader efter rubrikraden",
            )),
            (None, _) if partners.is_empty() && quantity.is_none() && amounts.is_empty() => Ok(None),
            (None, _) => Err(both(
                "it says something of a full snapshot, and not as of when it is one: add a line `snapshot_as_of=` and the date",
                "den säger något om en fullständig förteckning, men inte per vilken dag: lägg till en rad `snapshot_as_of=` med \
                 dagen",
            )),
        }
    }
}

impl Marker {
    /// What it says otherwise than a file of that SHA-256 is.
    #[must_use]
    pub fn disputes_sha256(&self, is: &str) -> Option<FileReason> {
        let said = self.sha256.as_deref().filter(|said| *said != is)?;
        Some(FileReason::new(
            "marker_other_sha256",
            format!(
                "its .done file says that its SHA-256 is {said}, and it is {is}: it is not whole, or another file"
            ),
            format!(
                "enligt dess .done-fil är filens SHA-256 {said}, men den är {is}: filen är inte hel, eller en annan"
            ),
        ))
    }

    /// What it says otherwise than a file of so many rows is.
    #[must_use]
    pub fn disputes_rows(&self, are: u64) -> Option<FileReason> {
        let said = self.rows.filter(|said| *said != are)?;
        Some(FileReason::new(
            "marker_other_rows",
            format!(
                "its .done file says that it has {said} rows after the header, and it has {are}: it is not whole"
            ),
            format!(
                "enligt dess .done-fil har filen {said} rader efter rubrikraden, men den har {are}: filen är inte hel"
            ),
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
        let both = Marker { rows: Some(12), sha256: lower.clone(), snapshot: None };
        assert_eq!(parse(&format!("rows=12\r\nsha256={sum}\r\n")), Ok(both.clone()));
        assert_eq!(parse(&format!("SHA-256: {sum}\n\nRows: 12")), Ok(both));
        assert_eq!(
            parse(&format!("{sum}  users.csv\n")),
            Ok(Marker { rows: None, sha256: lower, snapshot: None })
        );
        for wrong in ["rows=many", "sha256=abc", "whole", "rows"] {
            let told = parse(wrong).unwrap_err();
            assert!(told.english.contains("line 1") && told.swedish.contains("rad 1"), "{wrong}");
        }
        let two = Marker { rows: Some(2), ..Marker::default() };
        assert_eq!(two.disputes_rows(2), None);
        let told = two.disputes_rows(3).unwrap().told;
        assert!(told.english.contains("it has 3") && told.swedish.contains("den har 3"), "{told:?}");
        assert_eq!(is_of(Path::new("a/u.csv.done")), Some("a/u.csv".into()));
        assert_eq!(is_of(Path::new("a/.done")), None);
        assert_eq!(of(Path::new("a/u.csv")), Path::new("a/u.csv.done"));
    }

    #[test]
    fn a_marker_says_that_its_file_is_a_full_snapshot_and_what_it_comes_to() {
        let told = "rows=3\nsnapshot_as_of=2024-03-31\nsnapshot_of=4100101\nsnapshot_of=4100102+4100103\n";
        let snapshot = parse(told).unwrap().snapshot.unwrap();
        assert_eq!((snapshot.as_of.to_string(), snapshot.partners.len()), ("2024-03-31".into(), 3));
        assert_eq!(snapshot.totals, ControlTotals { rows: 3, ..ControlTotals::default() });
        let totals =
            parse("Snapshot_As_Of: 2024-03-31\nrows: 3\nquantity=12\namount=99.50 usd\namount=7 JPY")
                .unwrap()
                .snapshot
                .unwrap()
                .totals;
        assert_eq!(
            (totals.quantity, totals.amounts[&Currency::USD], totals.amounts.len()),
            (Some(12), 9_950, 2)
        );
        for (wrong, why) in [
            ("snapshot_as_of=2024-03-31", "rows="),
            ("rows=3\nsnapshot_of=4100101", "snapshot_as_of="),
            ("rows=3\nquantity=5", "snapshot_as_of="),
            ("snapshot_as_of=31/03/2024", "line 1"),
            ("rows=3\nsnapshot_of=all", "line 2"),
            ("amount=5", "line 1"),
            ("amount=5 USD\namount=6 USD", "line 2"),
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.english.contains(why), "{wrong}: {told:?}");
            assert!(told.swedish.contains(&why.replace("line", "rad")), "{wrong}: {told:?}");
        }
    }
}
