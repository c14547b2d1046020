//! What things are called in front of people: benefits, offers, days and amounts, in every language.

use chrono::{Datelike, NaiveDate};

use super::{benefit::Unit, money::Amount, texts::ReaderLanguage};

/// `31 January 2024`, `31 januari 2024`; the parts hold together by no-break spaces (U+00A0).
#[must_use]
pub fn day(day: NaiveDate, language: impl Into<ReaderLanguage>) -> String {
    let names = language.into().names();
    let month = names.months.get(day.month0() as usize).map_or("", String::as_str);
    let (number, year) = (day.day().to_string(), day.year().to_string());
    fill(&names.day, &[("day", &number), ("month", month), ("year", &year)])
}

/// A phrase with what is to be filled in.
#[must_use]
pub(super) fn fill(phrase: &str, values: &[(&str, &str)]) -> String {
    let mut parts = phrase.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hole, rest) = part.split_once('}').unwrap_or((part, ""));
        let value = values.iter().find(|(name, _)| *name == hole).map_or("", |(_, value)| value);
        filled.push_str(value);
        filled.push_str(rest);
    }
    filled
}

/// The number of a month, from 1, by its name in any language and case.
#[must_use]
pub fn month(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let of = |language: &ReaderLanguage| {
        language.names().months.iter().position(|month| month.to_lowercase() == name)
    };
    ReaderLanguage::ALL.iter().find_map(of).map(|at| at.saturating_add(1))
}

/// A day that decides something, `31 January 2024 (UTC)`: days are those of UTC (D1), and nobody need guess.
#[must_use]
pub fn limit(limit: NaiveDate, language: impl Into<ReaderLanguage>) -> String {
    let language = language.into();
    fill(&language.names().limit, &[("day", &day(limit, language))])
}

/// Somebody's name as they are greeted: "Öberg, Maja (Marketing)" in a directory is Maja Öberg. `None`: it is a sign-in
/// name.
#[must_use]
pub fn person(name: &str) -> Option<String> {
    if name.contains('@') {
        return None;
    }
    let name = name.split(" (").next().unwrap_or(name).trim();
    let greeted = match name.split_once(',') {
        Some((family, given)) if !given.contains(',') && !given.trim().is_empty() => {
            format!("{} {}", given.trim(), family.trim())
        }
        _ => name.to_owned(),
    };
    Some(greeted.trim().to_owned()).filter(|name| !name.is_empty())
}

/// `SEK 1,038.34` in English, `1 038,34 SEK` in Swedish; spaces are no-break spaces (U+00A0).
#[must_use]
pub fn amount(amount: Amount, language: impl Into<ReaderLanguage>) -> String {
    let names = language.into().names();
    let written = amount.to_string();
    let (code, number) = written.split_once(' ').unwrap_or(("", &written));
    let number: String = number
        .chars()
        .map(|c| match c {
            ',' => names.group.clone(),
            '.' => names.decimal.clone(),
            '-' => names.minus.clone(),
            digit => digit.to_string(),
        })
        .collect();
    fill(&names.amount, &[("code", code), ("number", &number)])
}

/// A whole number, its thousands apart as in amounts: `1,240`; in Swedish `1 240`.
#[must_use]
pub fn number(count: i64, language: impl Into<ReaderLanguage>) -> String {
    let names = language.into().names();
    let digits = count.unsigned_abs().to_string();
    let mut written = if count < 0 { names.minus.clone() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(at);
        if at > 0 && left.is_multiple_of(3) {
            written.push_str(&names.group);
        }
        written.push(digit);
    }
    written
}

/// An offer's name; a code that is not known is given back readable.
#[must_use]
pub fn offer(code: &str) -> String {
    match code {
        "action_pack" => "Action Pack".to_owned(),
        "silver" => "Silver".to_owned(),
        "gold" => "Gold".to_owned(),
        "isv_cosell_ready" => "ISV Co-sell Ready".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Hours and incidents: `1.5 hours` of 90 minutes, `1 incident`; in Swedish `1,5 timmar`. The parts hold together by
/// no-break spaces (U+00A0).
#[must_use]
pub fn units(unit: Unit, count: i64, language: impl Into<ReaderLanguage>) -> String {
    let language = language.into();
    let names = language.names();
    let number = match unit {
        Unit::Incidents => count.to_string(),
        Unit::Hours => hours(count),
    };
    let word = names.unit(unit, &number, language);
    format!("{}\u{a0}{word}", number.replace('.', &names.decimal))
}

/// Minutes as hours: a decimal if it is exact within two places (`1.5`), else hours and minutes (`1:20`).
fn hours(minutes: i64) -> String {
    let (whole, rest) = (minutes.div_euclid(60), minutes.rem_euclid(60));
    match rest {
        0 => whole.to_string(),
        15 => format!("{whole}.25"),
        30 => format!("{whole}.5"),
        45 => format!("{whole}.75"),
        rest => format!("{whole}:{rest:02}"),
    }
}

/// An agreement's name; a code that is not known is given back readable.
#[must_use]
pub fn agreement(code: &str) -> String {
    match code {
        "enterprise_agreement" => "Enterprise Agreement".to_owned(),
        "csp" => "Cloud Solution Provider (CSP)".to_owned(),
        "azure_in_open" => "Azure in Open Licensing".to_owned(),
        "azure_pass" => "Azure Pass".to_owned(),
        "action_pack" => "Action Pack".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A benefit's name: its kind, and its detail in brackets.
///
/// `azure_bulk_credit/cloud_platform` is "Azure bulk credit (cloud platform)". Details that are products
/// keep the product's own spelling; a code that is not known is given back readable.
#[must_use]
pub fn benefit(code: &str, language: impl Into<ReaderLanguage>) -> String {
    let (kind, detail) = code.split_once('/').map_or((code, None), |(kind, detail)| (kind, Some(detail)));
    let named = language.into().names().benefits.get(kind).cloned();
    let kind = named.unwrap_or_else(|| kind.replace('_', " "));
    match detail {
        Some(detail) => format!("{kind} ({})", detail_name(detail)),
        None => kind,
    }
}

/// Products and competencies are called the same in every language.
fn detail_name(detail: &str) -> String {
    match detail {
        "office_365" => "Office 365".to_owned(),
        "dynamics" => "Dynamics".to_owned(),
        "dynamics_365" => "Dynamics 365".to_owned(),
        "intune" => "Intune".to_owned(),
        "azure_ad_basic" => "Azure AD Basic".to_owned(),
        "power_bi" => "Power BI".to_owned(),
        "app_dev" => "App Dev".to_owned(),
        "cloud_crm" => "Cloud CRM".to_owned(),
        "devops" => "DevOps".to_owned(),
        "silver_core" => "Silver Core".to_owned(),
        "gold_core" => "Gold Core".to_owned(),
        "isv_cosell_ready" => "ISV Co-sell ready".to_owned(),
        other => other.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            language::Language::{English, Swedish},
            money::Currency,
        },
        *,
    };

    #[test]
    fn days_are_written_out_and_hold_together() {
        let last_of_january = "2024-01-31".parse().unwrap();
        assert_eq!(day(last_of_january, English), "31\u{a0}January\u{a0}2024");
        assert_eq!(day(last_of_january, Swedish), "31\u{a0}januari\u{a0}2024");
        assert_eq!(day("2024-12-01".parse().unwrap(), Swedish), "1\u{a0}december\u{a0}2024");
    }

    #[test]
    fn a_person_is_greeted_by_their_name_as_it_is_said() {
        let greeted = |name| person(name).unwrap_or_default();
        assert_eq!(greeted("Öberg, Maja"), "Maja Öberg");
        assert_eq!(greeted("Öberg,Maja (Marketing)"), "Maja Öberg");
        assert_eq!(greeted("Maja Öberg"), "Maja Öberg");
        assert_eq!(greeted("Maja Öberg (Consultant, North)"), "Maja Öberg");
        assert_eq!(
            (greeted("Öberg,"), greeted("Öberg, Maja, Dr.")),
            ("Öberg,".into(), "Öberg, Maja, Dr.".into())
        );
        assert_eq!((person("maja@nordvik.example"), person(" ")), (None, None));
    }

    #[test]
    fn amounts_follow_the_languages_custom() {
        let kronor = Amount::new(103_834, Currency::parse("SEK").unwrap());
        assert_eq!(amount(kronor, English), "SEK\u{a0}1,038.34");
        assert_eq!(amount(kronor, Swedish), "1\u{a0}038,34\u{a0}SEK");
        let yen = Amount::new(-14_782, Currency::parse("JPY").unwrap());
        assert_eq!(amount(yen, Swedish), "\u{2212}14\u{a0}782\u{a0}JPY");
    }

    #[test]
    fn r1_to_r8_every_kind_of_benefit_has_a_name_in_both_languages() {
        assert_eq!(benefit("azure_monthly_credit", English), "Azure monthly credit");
        assert_eq!(benefit("azure_monthly_credit", Swedish), "Azure-kredit per månad");
        assert_eq!(
            benefit("azure_bulk_credit/cloud_platform", English),
            "Azure bulk credit (cloud platform)"
        );
        assert_eq!(benefit("license_subscription/office_365", Swedish), "Licensprenumeration (Office 365)");
        assert_eq!(benefit("go_to_market/gold_core", English), "Go-To-Market offer (Gold Core)");
        assert_eq!(benefit("new_thing/some_detail", English), "new thing (some detail)");
        assert_eq!(offer("isv_cosell_ready"), "ISV Co-sell Ready");
    }

    #[test]
    fn r6_r7_hours_and_incidents_are_counted_in_both_languages() {
        let hours = |minutes, language: crate::domain::language::Language| {
            units(Unit::Hours, minutes, language).replace('\u{a0}', " ")
        };
        assert_eq!((hours(60, English), hours(60, Swedish)), ("1 hour".into(), "1 timme".into()));
        assert_eq!((hours(90, English), hours(90, Swedish)), ("1.5 hours".into(), "1,5 timmar".into()));
        assert_eq!((hours(0, English), hours(1_200, Swedish)), ("0 hours".into(), "20 timmar".into()));
        assert_eq!((hours(75, English), hours(45, Swedish)), ("1.25 hours".into(), "0,75 timmar".into()));
        assert_eq!((hours(80, English), hours(65, Swedish)), ("1:20 hours".into(), "1:05 timmar".into()));
        let incidents = |count, language: crate::domain::language::Language| {
            units(Unit::Incidents, count, language).replace('\u{a0}', " ")
        };
        assert_eq!((incidents(1, English), incidents(1, Swedish)), ("1 incident".into(), "1 ärende".into()));
        assert_eq!(
            (incidents(60, English), incidents(2, Swedish)),
            ("60 incidents".into(), "2 ärenden".into())
        );
    }

    #[test]
    fn r2_agreements_are_called_by_their_names() {
        assert_eq!(agreement("enterprise_agreement"), "Enterprise Agreement");
        assert_eq!(agreement("csp"), "Cloud Solution Provider (CSP)");
        assert_eq!(agreement("some_new_one"), "some new one");
    }
}
