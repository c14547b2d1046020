//! The note beside a file that was answered: what became of it, and what to do, in a few lines that a person reads.

use super::{file_reason::FileReason, shown::shown_text};
use crate::domain::language::Language::{self, English, Swedish};

/// What became of a dropped file.
#[derive(Clone, Copy, Debug)]
pub enum NoteOf<'a> {
    /// Its rows are answered.
    Taken {
        /// What it is.
        kind: &'a str,
        /// Of a workbook, the sheet that was read.
        sheet: Option<&'a str>,
        /// Rows taken in, known already, and not taken in.
        rows: [i64; 3],
        /// Rows that wait for an operator.
        waiting: i64,
        /// The name of its answer.
        answer: &'a str,
        /// Columns that mean nothing.
        unknown: &'a [String],
        /// Rows of a portal's file that nothing was done with, and that were booked with others as one.
        of_portal: [u64; 2],
        /// What came of its being a full snapshot, a line each.
        snapshot: &'a [String],
        /// What is left of a file of product keys.
        keys: Option<KeysLeft>,
    },
    /// The same bytes were taken in before.
    Known,
    /// Refused whole, and why.
    Refused(&'a FileReason),
    /// It is not read, and stays where it is; why.
    Left(&'a FileReason),
}

/// What is left of a file of product keys (promise 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysLeft {
    /// Nothing: they are sealed in the store.
    Deleted,
    /// The file, because keys of it were rejected and the answer has them masked.
    Original,
}

/// A note's text. `again`: the file was written to after it had been taken in, and is taken in whole once more.
#[must_use]
pub fn text(name: &str, of: NoteOf<'_>, again: bool, language: Language) -> String {
    let mut lines = vec![name.to_owned(), String::new()];
    if again {
        lines.push(
            match language {
                English => {
                    "This file was written to after it had been taken in. All of it was read once more."
                }
                Swedish => "Filen ändrades efter att den lästs in. Hela filen har lästs en gång till.",
            }
            .to_owned(),
        );
    }
    match of {
        NoteOf::Taken { kind, sheet, rows, waiting, answer, unknown, of_portal: [passed_over, summed], snapshot, keys } => {
            lines.extend(taken(kind, rows, waiting, answer, language));
            lines.extend(sheet.map(|sheet| match language {
                English => format!("The sheet that was read: {}.", shown_text(sheet)),
                Swedish => format!("Bladet som lästes: {}.", shown_text(sheet)),
            }));
            lines.extend((passed_over > 0).then(|| match language {
                English => format!("Rows that were passed over: {passed_over}."),
                Swedish => format!("Rader som hoppades över: {passed_over}."),
            }));
            lines.extend((summed > 0).then(|| match language {
                English => format!("Rows that were booked with others as one sum: {summed}."),
                Swedish => format!("Rader som bokfördes med andra som en summa: {summed}."),
            }));
            if !unknown.is_empty() {
                let unknown = unknown.join(", ");
                lines.push(match language {
                    English => format!("Columns that were not read: {unknown}."),
                    Swedish => format!("Kolumner som inte lästes: {unknown}."),
                });
            }
            lines.extend(snapshot.iter().cloned());
            lines.extend(keys.map(|left| keys_left(left, language).to_owned()));
        }
        NoteOf::Known => lines.push(
            match language {
                English => "The same file was taken in before, and nothing has changed since. There is nothing to do.",
                Swedish => "Samma fil har lästs in tidigare och inget har ändrats sedan dess. Du behöver inte göra något.",
            }
            .to_owned(),
        ),
        NoteOf::Refused(why) => {
            let (refused, then) = match language {
                English => (
                    "Refused: nothing of this file was taken in.",
                    "Correct it and drop it again.",
                ),
                Swedish => (
                    "Avvisad: inget i filen har lästs in.",
                    "Rätta filen och lägg den i inkorgen igen.",
                ),
            };
            lines.extend([refused.to_owned(), sentence(why, language), then.to_owned(), code(why, language)]);
        }
        NoteOf::Left(why) => {
            let left = match language {
                English => "This was not read, and stays where it is.",
                Swedish => "Detta har inte lästs och ligger kvar.",
            };
            lines.extend([left.to_owned(), sentence(why, language), code(why, language)]);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn taken(kind: &str, rows: [i64; 3], waiting: i64, answer: &str, language: Language) -> Vec<String> {
    let [applied, unchanged, rejected] = rows;
    let mut lines = vec![match language {
        English => {
            format!(
                "Taken in as {kind}. Rows: {applied} applied, {unchanged} unchanged, {rejected} rejected."
            )
        }
        Swedish => format!(
            "Inläst som {kind}. Rader: {applied} införda, {unchanged} oförändrade, {rejected} avvisade."
        ),
    }];
    lines.push(match (language, rejected > 0) {
        (English, false) => format!("Every row has its answer in {answer}."),
        (Swedish, false) => format!("Svaret på varje rad finns i {answer}."),
        (English, true) => format!(
            "{answer} says of every rejected row why. Correct the rows there and drop that file into the inbox; rows that \
             are in already change nothing."
        ),
        (Swedish, true) => format!(
            "I {answer} står varför varje avvisad rad avvisades. Rätta raderna där och lägg den filen i inkorgen; rader som \
             redan är införda ändrar inget."
        ),
    });
    lines.extend((waiting > 0).then(|| match language {
        English => format!("Rows that wait until an operator has decided on them: {waiting}."),
        Swedish => format!("Rader som väntar på operatörens beslut: {waiting}."),
    }));
    lines
}

/// What a reason begins with.
fn sentence(why: &FileReason, language: Language) -> String {
    let told = why.told.of(language);
    let stop = if told.ends_with('?') { "" } else { "." };
    match language {
        English => format!("Why: {told}{stop}"),
        Swedish => format!("Skäl: {told}{stop}"),
    }
}

/// The code by which a program, or whoever is asked, knows the reason.
fn code(why: &FileReason, language: Language) -> String {
    match language {
        English => format!("Code: {}", why.code),
        Swedish => format!("Kod: {}", why.code),
    }
}

const fn keys_left(left: KeysLeft, language: Language) -> &'static str {
    match (left, language) {
        (KeysLeft::Deleted, English) => "Its product keys are sealed in the store, and the file was deleted.",
        (KeysLeft::Deleted, Swedish) => "Produktnycklarna är förseglade och filen har raderats.",
        (KeysLeft::Original, English) => {
            "Rejected product keys are in the original beside this note alone: correct that file, not the answer, and drop it \
             again."
        }
        (KeysLeft::Original, Swedish) => {
            "Avvisade produktnycklar finns bara i originalet bredvid: rätta den filen, inte svaret, och lägg den i inkorgen \
             igen."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_became_of_a_file_and_what_to_do_in_both_languages() {
        let of = |rejected, keys| NoteOf::Taken {
            kind: "users",
            sheet: None,
            rows: [2, 1, rejected],
            waiting: 0,
            answer: "u.result.csv",
            unknown: &[],
            of_portal: [0, 0],
            snapshot: &[],
            keys,
        };
        let good = text("u.csv", of(0, None), false, English);
        assert_eq!(
            good,
            "u.csv\n\nTaken in as users. Rows: 2 applied, 1 unchanged, 0 rejected.\nEvery row has its answer in u.result.csv.\n"
        );
        assert!(text("u.csv", of(1, None), true, English).contains("drop that file"));
        let swedish = text("u.csv", of(1, Some(KeysLeft::Original)), true, Swedish);
        for part in ["1 avvisade", "Rätta raderna", "Avvisade produktnycklar", "en gång till"] {
            assert!(swedish.contains(part), "{swedish}");
        }
        let why = FileReason::new("file_foreign", "it is a zip archive", "det är ett zip-arkiv");
        assert_eq!(
            text("x.zip", NoteOf::Refused(&why), false, Swedish),
            "x.zip\n\nAvvisad: inget i filen har lästs in.\nSkäl: det är ett zip-arkiv.\nRätta filen och lägg den i inkorgen \
             igen.\nKod: file_foreign\n"
        );
        assert!(text("x.zip", NoteOf::Refused(&why), false, English).ends_with("Code: file_foreign\n"));
        let left = text("x", NoteOf::Left(&why), false, Swedish);
        assert!(left.contains("ligger kvar") && left.contains("Skäl: det är ett zip-arkiv."), "{left}");
        assert!(text("x", NoteOf::Known, false, Swedish).contains("tidigare"));
    }
}
