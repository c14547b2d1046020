//! The forms that cells are written in: dates, identifiers, codes. `None`: the text has not the form.

use chrono::{DateTime, NaiveDate};
use iso_currency::Country;
use oxilangtag::LanguageTag;

/// Longest identifier (order, request, user, reference …), in bytes.
const ID_BYTES: usize = 200;

/// A date `YYYY-MM-DD`, in exactly that form.
#[must_use]
pub fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let (year, month, day) = (bytes.get(0..4)?, bytes.get(5..7)?, bytes.get(8..)?);
    if (bytes.get(4), bytes.get(7), day.len()) != (Some(&b'-'), Some(&b'-'), 2) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |sum, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            sum.checked_mul(10)?.checked_add(digit)
        })
    };
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, number(month)?, number(day)?)
}

/// A date, or an RFC 3339 instant, of which the UTC date counts (D1).
#[must_use]
pub fn date_or_instant(text: &str) -> Option<NaiveDate> {
    date(text)
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc().date_naive()))
}

/// A partner's number: up to 20 digits, leading zeros kept.
#[must_use]
pub fn digits(text: &str) -> Option<String> {
    (text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.to_owned())
}

/// An identifier: up to 200 bytes without white space or control characters.
#[must_use]
pub fn id(text: &str) -> Option<String> {
    let allowed = text.len() <= ID_BYTES && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    allowed.then(|| text.to_owned())
}

/// Text of at most `MOST` characters, none of them a control character.
#[must_use]
pub fn text<const MOST: usize>(text: &str) -> Option<String> {
    (text.chars().count() <= MOST && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

/// A GUID with its hyphens, in lower case.
#[must_use]
pub fn guid(text: &str) -> Option<String> {
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    shaped.then(|| text.to_ascii_lowercase())
}

/// A BCP 47 tag such as `sv` or `pt-BR`, in its canonical case (whether we write that language is another matter). Its
/// language is registered in ISO 639; of its codes there the shortest stands, `sv` for `swe`.
#[must_use]
pub fn language_tag(text: &str) -> Option<String> {
    let tag = LanguageTag::parse_and_normalize(text).ok()?;
    let written = tag.primary_language();
    let language = match written.len() {
        2 => isolang::Language::from_639_1(written)?,
        3 => isolang::Language::from_639_3(written)?,
        _ => return None,
    };
    let rest = tag.as_str().strip_prefix(written)?;
    let code = language.to_639_1().unwrap_or_else(|| language.to_639_3());
    (text.len() <= 35).then(|| format!("{code}{rest}"))
}

/// An ISO 3166-1 alpha-2 code, in upper case; or `XK`, by which the European Union names Kosovo, which has none.
#[must_use]
pub fn country(text: &str) -> Option<String> {
    let code = text.to_ascii_uppercase();
    (code == "XK" || (code.len() == 2 && code.parse::<Country>().is_ok())).then_some(code)
}

/// `true` or `false`, in any case.
#[must_use]
pub fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
