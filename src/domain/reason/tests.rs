use std::collections::BTreeSet;

use strum::{VariantArray, VariantNames};

use super::{
    super::{language::Language, money::Currency},
    samples::day,
    *,
};

const LANGUAGES: [Language; 2] = [Language::English, Language::Swedish];

#[test]
fn the_samples_hold_every_reason_once() {
    let codes: Vec<&str> = samples().iter().map(Reason::code).collect();
    let once: BTreeSet<&str> = codes.iter().copied().collect();
    let lacking: Vec<&&str> = Reason::VARIANTS.iter().filter(|code| !once.contains(*code)).collect();
    assert_eq!(lacking, [&""; 0], "a sample of it goes into `samples()` of its file in src/domain/reason/");
    assert_eq!(codes.len(), Reason::VARIANTS.len(), "one sample each");
}

#[test]
fn a_code_is_the_one_that_the_store_has() {
    for reason in samples() {
        let json = serde_json::to_value(&reason).unwrap();
        assert_eq!(json["code"], reason.code());
        assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
    }
}

/// A reason of every code as a store has them from before. Lines are added here, and never changed: what was written once
/// is read for ever.
const STORED: &str = include_str!("stored.jsonl");

#[test]
fn what_a_store_has_from_before_is_read() {
    for line in STORED.lines() {
        let stored: serde_json::Value = serde_json::from_str(line).unwrap();
        let read: Reason = serde_json::from_value(stored.clone()).unwrap_or_else(|e| panic!("{line}: {e}"));
        let again = serde_json::to_value(&read).unwrap();
        for (name, value) in stored.as_object().unwrap() {
            assert_eq!(&again[name], value, "{line}");
        }
    }
}

#[test]
fn d13_every_reason_is_one_sentence_of_its_own_in_both_languages() {
    let mut seen = BTreeSet::new();
    for language in LANGUAGES {
        for reason in samples() {
            let sentence = reason.sentence(language);
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence}");
            assert!(seen.insert(sentence.clone()), "said twice: {sentence}");
        }
    }
}

#[test]
fn every_column_type_has_a_phrase_of_its_own_in_both_languages() {
    for language in LANGUAGES {
        let phrases: BTreeSet<&str> = Expected::VARIANTS.iter().map(|it| it.phrase(language)).collect();
        assert_eq!(phrases.len(), Expected::VARIANTS.len());
        assert!(phrases.iter().all(|phrase| !phrase.is_empty()));
        for named in LANGUAGES.map(|of| format!("{} f", of.tag())) {
            assert!(Expected::Language.phrase(language).contains(&named), "{named}");
        }
    }
}

#[test]
fn a_reason_is_stored_as_its_code_and_arguments_and_read_back() {
    let reason = Reason::RefundWindowPassed { latest_on: "2024-03-01".parse().unwrap() };
    let json = serde_json::to_value(&reason).unwrap();
    assert_eq!(json, serde_json::json!({"code": "refund_window_passed", "latest_on": "2024-03-01"}));
    assert_eq!(json["code"], reason.code());
    assert_eq!(serde_json::from_value::<Reason>(json).unwrap(), reason);
}

#[test]
fn d13_the_latest_of_all_reasons_decides_and_never_is_never() {
    let early = Reason::RenewedTooEarly { earliest_on: "2024-03-01".parse().unwrap() };
    assert_eq!(earliest(&[early.clone(), Reason::Missing]), early.earliest());
    assert_eq!(earliest(&[early, Reason::BulkNeverRemoved]), Earliest::Never);
}

#[test]
fn d13_a_no_that_becomes_a_yes_says_on_which_day() {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let first = day("2024-03-01");
    let outside = |on: Option<&str>, ends_on| Reason::OutsideBenefitDates {
        on: on.map(day),
        starts_on: first,
        ends_on: day(ends_on),
    };
    assert_eq!(outside(Some("2024-02-29"), "2024-03-31").earliest(), Earliest::On(first));
    assert_eq!(outside(Some("2024-04-01"), "2024-03-31").earliest(), Earliest::Never);
    let never_began = outside(Some("2024-03-01"), "2024-02-29");
    assert_eq!(never_began.earliest(), Earliest::Never, "it ended before it began");
    assert_eq!(outside(None, "2024-03-31").earliest(), Earliest::WhenCorrected);
    let future = |on| Reason::RequestedInFuture { received_on: day("2024-02-28"), requested_on: on };
    assert_eq!(future(Some(first)).earliest(), Earliest::On(first));
    assert_eq!(future(None).earliest(), Earliest::WhenCorrected);
    let blocked = |earliest_on| Reason::BulkBlocked { agreement: "csp".into(), earliest_on };
    for reason in [
        Reason::RenewedTooEarly { earliest_on: first },
        Reason::RequestedBeforePurchase { earliest_on: first },
        Reason::SeatOpensLater { earliest_on: first },
        Reason::ReassignedTooEarly { assigned_on: day("2023-12-02"), earliest_on: first },
        blocked(Some(first)),
    ] {
        assert_eq!(reason.earliest(), Earliest::On(first), "{}", reason.code());
    }
    assert_eq!(blocked(None).earliest(), Earliest::Never);
}

#[test]
fn r9_a_refusal_says_until_when_it_could_have_been_asked_for() {
    let late = Reason::RefundWindowPassed { latest_on: day("2024-03-01") };
    assert_eq!(
        late.sentence(Language::English),
        "A refund could be asked for through 2024-03-01 (UTC), and that day has passed."
    );
    assert_eq!(
        late.prose(Language::Swedish),
        "Återbetalning kunde begäras till och med 1\u{a0}mars\u{a0}2024 (UTC), och den dagen har passerat."
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

#[test]
fn a_language_with_a_folder_of_reasons_tells_each_in_its_own_words() {
    for &language in ReaderLanguage::ALL {
        assert_eq!(check_sentences(language), Ok(()));
    }
    for reason in samples() {
        let (german, english) = (reason.prose(ReaderLanguage::German), reason.prose(ReaderLanguage::English));
        assert_ne!(german, english, "{}", reason.code());
        assert!(german.ends_with('.') && !german.contains(['{', '}']), "{german}");
        assert!(!german.contains("2024-") || german.contains("„2024-"), "a date is written out: {german}");
    }
}
