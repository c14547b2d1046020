//! The languages that contacts are written to in, and that partners' files are answered in.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

/// A language that every notice and every reason is written in (D13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// English; also what everybody else is written to in.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Swedish.
    #[serde(rename = "sv")]
    Swedish,
}

impl Language {
    /// The best of our languages for a BCP 47 tag such as `sv`, `sv-SE` or `en-GB`.
    #[must_use]
    pub fn matching(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("sv") { Self::Swedish } else { Self::English }
    }

    /// The BCP 47 tag, which also names the template folder.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Swedish => "sv",
        }
    }
}

/// What is said in every language that files are answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bilingual<T = String> {
    /// In English, as it is on record.
    pub english: T,
    /// In Swedish.
    pub swedish: T,
}

impl<T> Bilingual<T> {
    /// The same, said in both.
    pub const fn new(english: T, swedish: T) -> Self {
        Self { english, swedish }
    }

    /// It in one of them.
    pub const fn of(&self, language: Language) -> &T {
        match language {
            Language::English => &self.english,
            Language::Swedish => &self.swedish,
        }
    }
}

impl Bilingual {
    /// What a program or a system says, which is English only.
    pub fn technical(said: impl Display) -> Self {
        Self { english: said.to_string(), swedish: format!("på engelska: {said}") }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bilingual, Language};

    #[test]
    fn what_is_said_in_both_languages_is_said_in_the_readers() {
        let both = Bilingual::new("a row", "en rad");
        assert_eq!((*both.of(Language::English), *both.of(Language::Swedish)), ("a row", "en rad"));
        let said = Bilingual::technical("no space left");
        assert_eq!(said.of(Language::Swedish), "på engelska: no space left");
    }

    #[test]
    fn the_primary_subtag_decides_and_everybody_else_reads_english() {
        assert_eq!(Language::matching("sv-SE"), Language::Swedish);
        assert_eq!(Language::matching("SV"), Language::Swedish);
        assert_eq!(Language::matching("svx"), Language::English);
        assert_eq!(Language::matching("ja"), Language::English);
        assert_eq!(Language::matching(""), Language::English);
    }

    #[test]
    fn a_languages_tag_leads_back_to_it() {
        assert_eq!((Language::English.tag(), Language::Swedish.tag()), ("en", "sv"));
        for language in [Language::English, Language::Swedish] {
            assert_eq!(Language::matching(language.tag()), language);
        }
    }
}
