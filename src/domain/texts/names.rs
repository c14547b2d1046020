//! What things are called in a language, and how dates, amounts and counts are written: its `names.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use intl_pluralrules::{PluralCategory, PluralRuleType, PluralRules};
use serde::Deserialize;
use unic_langid::LanguageIdentifier;

use super::{ReaderLanguage, TextFault};
use crate::domain::benefit::Unit;

/// The names of a language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// A day, of `{day}`, `{month}` and `{year}`.
    pub day: String,
    /// A day that decides something, of `{day}`.
    pub limit: String,
    /// January to December.
    pub months: Vec<String>,
    /// An amount, of `{code}` and `{number}`.
    pub amount: String,
    /// Between the whole and its parts.
    pub decimal: String,
    /// Between thousands.
    pub group: String,
    /// Before a number below zero.
    pub minus: String,
    /// Words for counts.
    pub units: Units,
    /// Kinds of benefit by their codes.
    pub benefits: BTreeMap<String, String>,
    /// What is said of unspent credit.
    pub stakes: Stakes,
}

/// The words for a count of each unit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    hours: Plural,
    incidents: Plural,
}

/// A word by the plural categories of CLDR; those that a language lacks are left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plural {
    zero: Option<String>,
    one: Option<String>,
    two: Option<String>,
    few: Option<String>,
    many: Option<String>,
    other: String,
}

/// What is said of unspent credit, of `{amount}`, `{benefit}` and more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stakes {
    /// The line above a list of them.
    pub heading: String,
    /// Can be spent until the end of `{by}`.
    pub unspent: String,
    /// Will be granted, and can be spent from `{from}`.
    pub to_come: String,
    /// Cannot be spent today: `{why}`.
    pub blocked: String,
    /// Waits to be granted for the period that begins on `{from}`: `{why}`.
    pub waiting: String,
}

static NAMES: LazyLock<Vec<(ReaderLanguage, Names)>> = LazyLock::new(|| {
    ReaderLanguage::ALL.iter().map(|&language| (language, parse(language).unwrap_or_default())).collect()
});

static NONE: LazyLock<Names> = LazyLock::new(Names::default);

impl ReaderLanguage {
    /// Its names; empty ones where its file cannot be read, which `benefactor check` tells.
    #[must_use]
    pub fn names(self) -> &'static Names {
        NAMES.iter().find(|(language, _)| *language == self).map_or(&NONE, |(_, names)| names)
    }
}

impl Names {
    /// The word for a count, written as a number of this program (`1.5`).
    #[must_use]
    pub fn unit(&self, unit: Unit, number: &str, language: ReaderLanguage) -> &str {
        let plural = match unit {
            Unit::Hours => &self.units.hours,
            Unit::Incidents => &self.units.incidents,
        };
        plural.of(&category(number, language))
    }
}

impl Plural {
    fn of(&self, category: &PluralCategory) -> &str {
        let word = match category {
            PluralCategory::ZERO => &self.zero,
            PluralCategory::ONE => &self.one,
            PluralCategory::TWO => &self.two,
            PluralCategory::FEW => &self.few,
            PluralCategory::MANY => &self.many,
            PluralCategory::OTHER => &None,
        };
        word.as_ref().unwrap_or(&self.other)
    }
}

/// The plural category of a number in a language (CLDR); of what is no number, such as `1:20`, `other`.
fn category(number: &str, language: ReaderLanguage) -> PluralCategory {
    let rules = language
        .tag()
        .parse()
        .ok()
        .map(|tag: LanguageIdentifier| PluralRules::create(tag, PluralRuleType::CARDINAL));
    let category = rules.and_then(Result::ok).and_then(|rules| rules.select(number).ok());
    category.unwrap_or(PluralCategory::OTHER)
}

/// The names of a language, from its file.
fn parse(language: ReaderLanguage) -> Result<Names, TextFault> {
    toml::from_str(language.names_toml()).map_err(|error| fault(language, error.message()))
}

/// Whether everything is named that is named in English, and every phrase has what stands in the English one.
///
/// # Errors
/// The first name or phrase that is not as it must be.
pub fn check(language: ReaderLanguage) -> Result<(), TextFault> {
    let (names, english) = (parse(language)?, parse(ReaderLanguage::English)?);
    if names.months.len() != 12 {
        return Err(fault(language, "there are twelve months"));
    }
    if !names.benefits.keys().eq(english.benefits.keys()) {
        return Err(fault(language, "the benefits are not those of en/names.toml"));
    }
    for (phrase, like) in names.phrases().into_iter().zip(english.phrases()) {
        if holes(phrase) != holes(like) {
            return Err(fault(language, &format!("\"{phrase}\" has not what \"{like}\" has")));
        }
    }
    Ok(())
}

impl Names {
    fn phrases(&self) -> [&str; 8] {
        let Stakes { heading, unspent, to_come, blocked, waiting } = &self.stakes;
        [&self.day, &self.limit, &self.amount, heading, unspent, to_come, blocked, waiting]
    }
}

/// What is to be filled in, in the order of the alphabet.
fn holes(phrase: &str) -> Vec<&str> {
    let mut holes: Vec<&str> = phrase.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    holes.sort_unstable();
    holes
}

fn fault(language: ReaderLanguage, problem: &str) -> TextFault {
    TextFault { file: format!("{}/names.toml", language.tag()), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_name_in_every_language() {
        for language in ReaderLanguage::ALL {
            assert_eq!(check(*language), Ok(()));
        }
    }

    #[test]
    fn a_count_has_the_plural_of_its_language() {
        let word = |number, language: ReaderLanguage| language.names().unit(Unit::Hours, number, language);
        assert_eq!(
            (word("1", ReaderLanguage::German), word("2", ReaderLanguage::German)),
            ("Stunde", "Stunden")
        );
        assert_eq!(
            (word("1.5", ReaderLanguage::German), word("0", ReaderLanguage::German)),
            ("Stunden", "Stunden")
        );
        assert_eq!(
            (word("1:20", ReaderLanguage::English), word("1", ReaderLanguage::Swedish)),
            ("hours", "timme")
        );
    }
}
