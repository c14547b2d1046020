use std::collections::BTreeSet;

use super::{
    samples::{Sample, samples},
    *,
};
use crate::domain::money::Currency;

const LANGUAGES: [Language; 2] = [Language::English, Language::Swedish];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The names that serde knows of an enum: it lists them when it is given another.
fn every_name<T: serde::de::DeserializeOwned + std::fmt::Debug>(
    other: serde_json::Value,
) -> BTreeSet<String> {
    let complaint = serde_json::from_value::<T>(other).unwrap_err().to_string();
    let (_, names) = complaint.split_once("expected one of ").unwrap();
    names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()
}

#[test]
fn the_samples_hold_every_reason_once() {
    let samples = samples();
    let codes: BTreeSet<String> = samples.iter().map(|sample| sample.reason.code().to_owned()).collect();
    assert_eq!(codes, every_name::<Reason>(serde_json::json!({"code": "?"})));
    assert_eq!(codes.len(), samples.len());
}

#[test]
fn d13_every_reason_is_one_sentence_of_its_own_in_both_languages() {
    let mut seen = BTreeSet::new();
    for language in LANGUAGES {
        for Sample { reason, .. } in samples() {
            let sentence = reason.sentence(language);
            assert_ne!(sentence, reason.code(), "no words in {}", language.tag());
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence}");
            assert!(seen.insert(sentence.clone()), "said twice: {sentence}");
        }
    }
}

#[test]
fn every_column_type_has_a_phrase_of_its_own_in_both_languages() {
    let names = every_name::<Expected>(serde_json::json!("?"));
    for language in LANGUAGES {
        let phrases: BTreeSet<&str> = names
            .iter()
            .map(|name| serde_json::from_value::<Expected>(name.as_str().into()).unwrap().phrase(language))
            .collect();
        assert_eq!(phrases.len(), names.len());
        assert!(phrases.iter().all(|phrase| !phrase.is_empty()));
    }
}

#[test]
fn r9_a_refusal_says_until_when_it_could_have_been_asked_for() {
    let late = Reason::RefundWindowPassed { latest_on: day("2024-03-01") };
    assert_eq!(
        late.sentence(Language::English),
        "A refund could be asked for through 2024-03-01, and that day has passed."
    );
    assert_eq!(
        late.prose(Language::Swedish),
        "Återbetalning kunde begäras till och med 1\u{a0}mars\u{a0}2024, och den dagen har passerat."
    );
}

#[test]
fn d15_a_half_open_span_is_said_with_its_last_day() {
    let outside = Reason::OutsideCredit { from: day("2024-01-31"), until: day("2024-02-29") };
    assert_eq!(
        outside.sentence(Language::English),
        "This credit runs from 2024-01-31 through 2024-02-28; correct the date of use."
    );
}

#[test]
fn d13_when_a_no_becomes_a_yes_is_said_in_words() {
    assert_eq!(Earliest::On(day("2024-03-01")).phrase(Language::English), "from 2024-03-01");
    assert_eq!(Earliest::On(day("2024-03-01")).phrase(Language::Swedish), "från och med 2024-03-01");
    assert_eq!(Earliest::Never.phrase(Language::Swedish), "aldrig");
    assert_eq!(Earliest::WhenCorrected.phrase(Language::English), "once it is corrected");
}

#[test]
fn d13_a_sentence_says_what_it_was_given_and_has_words_for_what_is_not_there() {
    let said = |reason: &Reason| LANGUAGES.map(|language| reason.sentence(language));
    let recorded = |expected: &str| Reason::DiffersFromCatalogue {
        column: "quantity".into(),
        expected: expected.into(),
    };
    let [english, swedish] = said(&recorded("5"));
    assert!(english.contains("has “5” for quantity") && swedish.contains("har ”5” för quantity"));
    let [english, swedish] = said(&recorded(""));
    assert!(english.contains("has nothing for quantity") && swedish.contains("har inget värde för quantity"));
    let accepted = |code| said(&Reason::CurrencyNotAccepted { expected: Currency::parse(code).unwrap() });
    let [english, swedish] = accepted("USD");
    assert_eq!(english, "The amount must be in USD; correct the currency.");
    assert_eq!(swedish, "Beloppet måste vara i USD; rätta valutan.");
    let [english, swedish] = accepted("SEK");
    assert!(english.contains("own currency, SEK;") && swedish.contains("egen valuta, SEK;"));
    let [english, swedish] = said(&Reason::BulkBlocked { agreement: "csp".into(), earliest_on: None });
    assert!(english.ends_with("Cloud Solution Provider (CSP), which outlasts it."), "{english}");
    assert!(swedish.ends_with("Cloud Solution Provider (CSP), som varar längre än den."), "{swedish}");
    let supported = |versions: &[&str]| {
        let supported = versions.iter().map(|&version| version.to_owned()).collect();
        said(&Reason::VersionNotSupported { supported })
    };
    let [english, swedish] = supported(&[]);
    assert_eq!(english, "No version of this product is supported on that day.");
    assert_eq!(swedish, "Ingen version av produkten stöds den dagen.");
    let [english, swedish] = supported(&["2019", "2022"]);
    assert!(english.ends_with("supported: 2019, 2022.") && swedish.ends_with("stöds: 2019, 2022."));
}
