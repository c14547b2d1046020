//! Why a file is not taken in as a whole, or is held back: a stable code, and the sentence in the languages that partners'
//! files are answered in (D13).

use std::fmt;

use crate::domain::language::Bilingual;

/// Why a file is not taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReason {
    /// The stable code.
    pub code: &'static str,
    /// The sentence, without a full stop.
    pub told: Bilingual,
}

impl FileReason {
    /// A reason, said in both languages.
    #[must_use]
    pub fn new(code: &'static str, english: impl Into<String>, swedish: impl Into<String>) -> Self {
        Self { code, told: Bilingual::new(english.into(), swedish.into()) }
    }

    /// No partner of that number is known.
    #[must_use]
    pub fn unknown_partner(number: impl fmt::Display) -> Self {
        Self::new(
            "file_of_unknown_partner",
            format!("no partner {number} is known: take in its partners file first"),
            format!("ingen partner {number} är känd: läs in filen med partnern först"),
        )
    }
}

impl fmt::Display for FileReason {
    /// In English, as it is on record and in the log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told.english)
    }
}
