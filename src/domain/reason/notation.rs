//! What is wrong with how a cell or a row is written, though it may be meant well: notations that leave two readings, and
//! what programs made of a cell on its way.

use chrono::NaiveDate;

use super::super::language::Language::{English, Swedish};
use super::{
    samples::day,
    told::{Told, refusal},
    trace::Trace,
    variants::Reason,
};

/// One of each.
pub(super) fn samples() -> Vec<Reason> {
    vec![
        Reason::TextWithoutColumn { cell: 12 },
        Reason::CutOff,
        Reason::AmbiguousNumber { decimal: "1.234".into(), whole: "1234".into() },
        Reason::AmbiguousDate { day_first: day("2021-04-03"), month_first: day("2021-03-04") },
        Reason::NumbersDisagree { line: 7 },
        Reason::DatesDisagree { line: 9 },
        Reason::AgainstDialect { stated: "decimal=comma".into() },
        Reason::LeftBySpreadsheet { trace: Trace::ScientificNumber },
        Reason::CharacterInIdentifier { character: "U+2013 –".into() },
        Reason::HiddenCharacter { character: "U+202E".into() },
        Reason::Garbled,
        Reason::AlikeKnown { known: "0042017".into() },
    ]
}

pub(super) fn text_without_column(cell: usize) -> Told<'static> {
    refusal("").words(
        move |_| {
            format!("Cell {cell} has text and its column has no name; name the column, or empty the cell.")
        },
        move |_| {
            format!(
                "Cell {cell} har text men kolumnen har inget namn; ge kolumnen ett namn eller töm cellen."
            )
        },
    )
}

pub(super) fn cut_off() -> Told<'static> {
    refusal("").plain(
        "The file ends in this row without a line end, so the row may be cut off; complete it and end its line, or \
         import the file with --complete if it is whole.",
        "Filen slutar på den här raden utan radslut, så raden kan vara avklippt; fyll i den och avsluta den, eller läs in \
         filen med --complete om den är hel.",
    )
}

pub(super) fn ambiguous_number<'a>(decimal: &'a str, whole: &'a str) -> Told<'a> {
    refusal("").words(
        move |_| {
            format!(
                "This may be {decimal} or {whole}, and no row of the file says which; write it without a mark between \
                 thousands, or import the file with --dialect decimal=point or decimal=comma."
            )
        },
        move |_| {
            format!(
                "Detta kan vara {decimal} eller {whole} och ingen rad i filen säger vilket; skriv det utan \
                 tusentalsavgränsare eller läs in filen med --dialect decimal=point eller decimal=comma."
            )
        },
    )
}

pub(super) fn ambiguous_date(day_first: NaiveDate, month_first: NaiveDate) -> Told<'static> {
    refusal("").words(
        move |day| {
            format!(
                "This may be {} or {}, and no row of the file says which; write dates as YYYY-MM-DD, or import the file \
                 with --dialect dates=dmy or dates=mdy.",
                day(day_first),
                day(month_first)
            )
        },
        move |day| {
            format!(
                "Detta kan vara {} eller {} och ingen rad i filen säger vilket; skriv datum som ÅÅÅÅ-MM-DD eller läs in \
                 filen med --dialect dates=dmy eller dates=mdy.",
                day(day_first),
                day(month_first)
            )
        },
    )
}

pub(super) fn numbers_disagree(line: i32) -> Told<'static> {
    refusal("").words(
        move |_| {
            format!(
                "Line {line} of this file has the other decimal mark, so neither is sure; write all numbers of the file in \
                 one way."
            )
        },
        move |_| {
            format!(
                "Rad {line} i filen har det andra decimaltecknet, så inget av dem är säkert; skriv alla tal i filen på ett \
                 och samma sätt."
            )
        },
    )
}

pub(super) fn dates_disagree(line: i32) -> Told<'static> {
    refusal("").words(
        move |_| {
            format!(
                "Line {line} of this file has day and month in the other order, so neither is sure; write all dates of the \
                 file in one way, best as YYYY-MM-DD."
            )
        },
        move |_| {
            format!(
                "Rad {line} i filen har dag och månad i den andra ordningen, så inget av dem är säkert; skriv alla datum i \
                 filen på ett och samma sätt, helst som ÅÅÅÅ-MM-DD."
            )
        },
    )
}

pub(super) fn against_dialect(stated: &str) -> Told<'_> {
    refusal("").words(
        move |_| format!("This is not written as {stated} says the file is; correct the cell, or what is said of the file."),
        move |_| format!("Detta är inte skrivet så som {stated} säger om filen; rätta cellen eller uppgiften om filen."),
    )
}

pub(super) fn left_by_spreadsheet(trace: Trace) -> Told<'static> {
    refusal("").plain(trace.sentence(English), trace.sentence(Swedish))
}

pub(super) fn character_in_identifier(character: &str) -> Told<'_> {
    refusal("").words(
        move |_| {
            format!(
                "Identifiers are of printable ASCII, and this one has the character {character}; write it as it is in the \
                 source."
            )
        },
        move |_| {
            format!(
                "Identifierare består av skrivbara ASCII-tecken och den här har tecknet {character}; skriv den så som den \
                 står i källan."
            )
        },
    )
}

pub(super) fn hidden_character(character: &str) -> Told<'_> {
    refusal("").words(
        move |_| {
            format!(
                "The text has the character {character}, which is not seen; write the text anew without it."
            )
        },
        move |_| format!("Texten har tecknet {character}, som inte syns; skriv texten på nytt utan det."),
    )
}

pub(super) fn garbled() -> Told<'static> {
    refusal("").plain(
        "The letters of this text were lost when it was read in a wrong encoding; take it from the source again, as UTF-8.",
        "Bokstäver i texten gick förlorade när den lästes i fel teckenkodning; hämta den på nytt från källan, som UTF-8.",
    )
}

pub(super) fn alike_known(known: &str) -> Told<'_> {
    refusal("").words(
        move |_| {
            format!(
                "Known is “{known}”, which differs in nothing but case, width, dashes or leading zeros; write it so if it is \
                 the same, or import the file with --accept-alike if it is another."
            )
        },
        move |_| {
            format!(
                "Känd är ”{known}”, som skiljer sig bara i versaler, bredd, streck eller inledande nollor; skriv så om det är \
                 densamma, eller läs in filen med --accept-alike om det är en annan."
            )
        },
    )
}
