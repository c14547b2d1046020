//! What is told of a reason: its rules, when the "no" becomes a "yes", and its sentence in every language (D13).

use chrono::NaiveDate;

use super::super::language::Language;

/// What a reason is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of a no.
    Refusal,
    /// Of what waits for a date, a rate or the operator, and is neither a yes nor a no until then.
    Waiting,
    /// Of a yes.
    Remark,
}

/// When a "no" becomes a "yes" (D13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Earliest {
    /// Once the file is corrected or what it refers to is there; no date is known.
    WhenCorrected,
    /// On that date.
    On(NaiveDate),
    /// Never.
    Never,
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

/// How a date is written within a sentence.
type Day<'a> = &'a dyn Fn(NaiveDate) -> String;

/// A sentence that is made when it is asked for.
type Words<'a> = Box<dyn Fn(Day<'_>) -> String + 'a>;

/// What is told of a reason.
pub struct Told<'a> {
    /// The rules that it comes from, joined by `, `; empty where every file has it.
    pub rules: &'static str,
    /// What it is said of.
    pub said: Said,
    /// When the no becomes a yes.
    pub earliest: Earliest,
    english: Words<'a>,
    swedish: Words<'a>,
}

impl Told<'_> {
    /// One sentence: what is wrong, and what to do or until when. `day` says how a date is written.
    #[must_use]
    pub fn sentence(&self, language: Language, day: Day<'_>) -> String {
        match language {
            Language::English => (self.english)(day),
            Language::Swedish => (self.swedish)(day),
        }
    }

    /// When reasons of this kind become a yes, in a word or two: for a list of them.
    #[must_use]
    pub const fn becomes_a_yes(&self) -> &'static str {
        match (self.said, self.earliest) {
            (Said::Remark, _) => "said of a yes",
            (Said::Waiting, _) => "waits",
            (Said::Refusal, Earliest::Never) => "never",
            (Said::Refusal, Earliest::On(_)) => "from a date",
            (Said::Refusal, Earliest::WhenCorrected) => "once corrected",
        }
    }
}

/// What is told, but for the sentences.
pub(super) struct Unworded(&'static str, Said, Earliest);

/// A no that becomes a yes once the file is corrected, or what it refers to is there.
pub(super) const fn refusal(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::WhenCorrected)
}

/// A no that becomes a yes on a day.
pub(super) const fn opens(rules: &'static str, on: NaiveDate) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::On(on))
}

/// A no that never becomes a yes.
pub(super) const fn never(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Refusal, Earliest::Never)
}

/// What is said of what waits.
pub(super) const fn waits(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Waiting, Earliest::WhenCorrected)
}

/// What is said of a yes.
pub(super) const fn remark(rules: &'static str) -> Unworded {
    Unworded(rules, Said::Remark, Earliest::WhenCorrected)
}

impl Unworded {
    /// With its sentence in English and in Swedish.
    pub(super) fn words<'a>(
        self,
        english: impl Fn(Day<'_>) -> String + 'a,
        swedish: impl Fn(Day<'_>) -> String + 'a,
    ) -> Told<'a> {
        let Self(rules, said, earliest) = self;
        Told { rules, said, earliest, english: Box::new(english), swedish: Box::new(swedish) }
    }

    /// With sentences that are always the same.
    pub(super) fn plain(self, english: &'static str, swedish: &'static str) -> Told<'static> {
        self.words(|_| english.to_owned(), |_| swedish.to_owned())
    }
}
