//! What people are written to in: a folder of texts a language.
//!
//! A folder has `names.toml` (what things are called, and how dates, amounts and counts are written), `frame.toml` (what stands
//! around the notices of a mail), `unsubscribe.toml` (the page that unsubscribes), `night.txt` (the mail of a night to operators),
//! a file a notice with its subject and text, and `reasons.toml`. The sentences of reasons in
//! English and Swedish, the languages of answers, stand with the reasons instead. A new language takes its folder, a line in the
//! list below and a line in that of the notices; the compiler names a file that is missing, and `benefactor check` renders all of
//! them and names a text that is missing or that asks for what is not there.

use oxilangtag::LanguageTag;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::language::Language;

pub mod names;

/// Declares the languages by their BCP 47 tags, which name the folders.
macro_rules! languages {
    ($($name:ident = $tag:literal, answers: $answers:ident, reasons: $reasons:expr;)+) => {
        /// A language that people are written to in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ReaderLanguage {
            $(#[doc = concat!("`", $tag, "`")] #[serde(rename = $tag)] $name,)+
        }

        impl ReaderLanguage {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its BCP 47 tag.
            #[must_use]
            pub const fn tag(self) -> &'static str {
                match self { $(Self::$name => $tag,)+ }
            }

            /// The language of answers that its readers read, or read best.
            #[must_use]
            pub const fn of_answers(self) -> Language {
                match self { $(Self::$name => Language::$answers,)+ }
            }

            /// What stands around the notices of a mail, as TOML.
            #[must_use]
            pub const fn frame(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!($tag, "/frame.toml")),)+ }
            }

            /// The mail of a night to an operator, as a template: its subject, its first paragraph, and its sections.
            #[must_use]
            pub const fn night_mail(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!($tag, "/night.txt")),)+ }
            }

            /// The page that unsubscribes, as TOML.
            #[must_use]
            pub const fn unsubscribe_page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!($tag, "/unsubscribe.toml")),)+ }
            }

            pub(super) const fn names_toml(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!($tag, "/names.toml")),)+ }
            }

            /// Its sentences of reasons, unless they stand with the reasons.
            pub(super) const fn reasons_toml(self) -> Option<&'static str> {
                match self { $(Self::$name => $reasons,)+ }
            }
        }
    };
}

languages! {
    English = "en", answers: English, reasons: None;
    Swedish = "sv", answers: Swedish, reasons: None;
    German = "de", answers: English, reasons: Some(include_str!("de/reasons.toml"));
}

impl ReaderLanguage {
    /// Whether this is a BCP 47 tag, of whatever language.
    #[must_use]
    pub fn is_tag(text: &str) -> bool {
        LanguageTag::parse(text).is_ok()
    }

    /// The language for a BCP 47 tag: the tag's own, else that of the tag without its last part, and so on (the look-up of RFC
    /// 4647, section 3.4), else English. `de-AT` reads German.
    #[must_use]
    pub fn matching(tag: &str) -> Self {
        let mut range = tag.replace('_', "-");
        loop {
            if let Some(found) = Self::ALL.iter().find(|language| language.tag().eq_ignore_ascii_case(&range))
            {
                return *found;
            }
            match range.rfind('-') {
                Some(end) => range.truncate(end),
                None => return Self::English,
            }
        }
    }
}

impl From<Language> for ReaderLanguage {
    fn from(language: Language) -> Self {
        match language {
            Language::English => Self::English,
            Language::Swedish => Self::Swedish,
        }
    }
}

/// A text of a language that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct TextFault {
    /// The file in the folder of texts, such as `de/names.toml`.
    pub file: String,
    /// What about it.
    pub problem: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_looked_up_part_by_part_and_everybody_else_reads_english() {
        for (tag, language) in [
            ("sv-SE", ReaderLanguage::Swedish),
            ("SV", ReaderLanguage::Swedish),
            ("de-Latn-AT", ReaderLanguage::German),
            ("de_CH", ReaderLanguage::German),
            ("en-GB", ReaderLanguage::English),
            ("svx", ReaderLanguage::English),
            ("ja", ReaderLanguage::English),
            ("", ReaderLanguage::English),
            ("-", ReaderLanguage::English),
        ] {
            assert_eq!(ReaderLanguage::matching(tag), language, "{tag}");
        }
        for language in ReaderLanguage::ALL {
            assert_eq!(ReaderLanguage::matching(language.tag()), *language);
        }
    }
}
