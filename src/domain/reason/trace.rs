//! What a spreadsheet makes of an identifier, by a stable name and in words.

use serde::{Deserialize, Serialize};
use strum::VariantArray;

use super::super::language::Language;

/// What a spreadsheet made of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// `5.66891E+17`: its last digits are lost.
    ScientificNumber,
    /// `#N/A`, `#REF!`
    ErrorValue,
    /// `TRUE`
    TruthValue,
    /// `="FY-2"`
    Formula,
    /// `'FY-1`
    Apostrophe,
    /// A date, where `3-4` or `MAR1` was written.
    Date,
}

impl Trace {
    /// What it is and what to do, as a sentence.
    #[must_use]
    pub const fn sentence(self, language: Language) -> &'static str {
        let (english, swedish) = match self {
            Self::ScientificNumber => (
                "A spreadsheet made a number of this identifier and its last digits are lost; take it from the source \
                 again, into a column that is formatted as text.",
                "Ett kalkylprogram har gjort ett tal av identifieraren och dess sista siffror är borta; hämta den på nytt \
                 från källan, till en kolumn som är formaterad som text.",
            ),
            Self::ErrorValue => (
                "This is the error of a spreadsheet's formula and no identifier; write the identifier itself.",
                "Detta är ett felvärde från ett kalkylprograms formel och ingen identifierare; skriv själva identifieraren.",
            ),
            Self::TruthValue => (
                "A spreadsheet made true or false of this cell, which is no identifier; write the identifier itself, as text.",
                "Ett kalkylprogram har gjort sant eller falskt av cellen, som inte är någon identifierare; skriv själva \
                 identifieraren, som text.",
            ),
            Self::Formula => (
                "This is a spreadsheet's formula and no identifier; write what it shows.",
                "Detta är ett kalkylprograms formel och ingen identifierare; skriv det som den visar.",
            ),
            Self::Apostrophe => (
                "The apostrophe before this identifier is a spreadsheet's mark for text; remove it.",
                "Apostrofen före identifieraren är ett kalkylprograms märke för text; ta bort den.",
            ),
            Self::Date => (
                "A spreadsheet made a date of this identifier; write it again, into a column that is formatted as text.",
                "Ett kalkylprogram har gjort ett datum av identifieraren; skriv den på nytt, i en kolumn som är formaterad \
                 som text.",
            ),
        };
        match language {
            Language::English => english,
            Language::Swedish => swedish,
        }
    }
}
