//! Reasons as sentences, in English and Swedish (D13). The only place that words them.
//!
//! A new reason gets its words in `english.rs` and `swedish.rs`; the tests here name the codes that lack them.

use chrono::NaiveDate;

use super::{
    language::Language,
    naming,
    reason::{Earliest, Expected, Reason},
};

mod english;
pub mod samples;
mod swedish;

/// How a date is written within a sentence.
type Day<'a> = &'a dyn Fn(NaiveDate) -> String;

impl Reason {
    /// One sentence: what is wrong, and what to do or until when. Dates are ISO (`2024-01-31`).
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        self.worded(language, &|day| day.to_string())
    }

    /// The same sentence for running text: dates are written out (`31 January 2024`).
    #[must_use]
    pub fn prose(&self, language: Language) -> String {
        self.worded(language, &|day| naming::day(day, language))
    }

    fn worded(&self, language: Language, day: Day<'_>) -> String {
        let words = match language {
            Language::English => english::reason(self, day),
            Language::Swedish => swedish::reason(self, day),
        };
        words.unwrap_or_else(|| self.code().to_owned())
    }
}

impl Expected {
    /// What the column asks for, to follow "must be".
    #[must_use]
    pub const fn phrase(self, language: Language) -> &'static str {
        match language {
            Language::English => english::expected(self),
            Language::Swedish => swedish::expected(self),
        }
    }
}

impl Earliest {
    /// When a "no" becomes a "yes", in words: `from 2024-03-01`, `never`.
    #[must_use]
    pub fn phrase(self, language: Language) -> String {
        match (self, language) {
            (Self::WhenCorrected, Language::English) => "once it is corrected".to_owned(),
            (Self::WhenCorrected, Language::Swedish) => "när felet är rättat".to_owned(),
            (Self::On(day), Language::English) => format!("from {day}"),
            (Self::On(day), Language::Swedish) => format!("från och med {day}"),
            (Self::Never, Language::English) => "never".to_owned(),
            (Self::Never, Language::Swedish) => "aldrig".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
