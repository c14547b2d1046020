//! What programs leave in a cell on its way: spreadsheets in identifiers; a wrong encoding, or a careless copy, in names.
//! Such a cell is refused, because what it was before cannot be told.

use serde::{Deserialize, Serialize};

use super::{
    super::reason::{Reason, Trace},
    schema::{Column, Type},
};

/// Which characters an identifier may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierForm {
    /// Printable ASCII.
    #[default]
    Ascii,
    /// Any that can be seen.
    Any,
}

/// What is wrong with a trimmed cell of a column, whatever else it holds.
#[must_use]
pub fn of_cell(column: &Column, text: &str, form: IdentifierForm) -> Option<Reason> {
    match column.of {
        Type::PartnerId | Type::Id | Type::Guid | Type::GuidOrId | Type::KeyRef => {
            of_spreadsheet(text).or_else(|| strange_in_identifier(text, form))
        }
        Type::User => of_spreadsheet(text).or_else(|| of_text(text)),
        Type::Text(_) if column.key => of_spreadsheet(text).or_else(|| of_text(text)),
        Type::Text(_) | Type::Email | Type::SignInName => of_text(text),
        _ => None,
    }
}

fn of_spreadsheet(text: &str) -> Option<Reason> {
    let trace = match text.as_bytes().first()? {
        b'#' => Trace::ErrorValue,
        b'=' => Trace::Formula,
        b'\'' => Trace::Apostrophe,
        b'0'..=b'9' | b'-' if is_scientific(text) => Trace::ScientificNumber,
        b't' | b'T' | b'f' | b'F'
            if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") =>
        {
            Trace::TruthValue
        }
        _ => return None,
    };
    Some(Reason::LeftBySpreadsheet { trace })
}

/// `1.23E+15`, `1,23E+15`, `1E-05`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let whole = match mantissa.split_once(['.', ',']) {
        Some((whole, decimals)) => digits(whole) && digits(decimals),
        None => digits(mantissa),
    };
    whole && exponent.strip_prefix(['+', '-']).is_some_and(digits)
}

fn strange_in_identifier(text: &str, form: IdentifierForm) -> Option<Reason> {
    let strange = |c: char| match form {
        IdentifierForm::Ascii => !c.is_ascii(),
        IdentifierForm::Any => is_hidden(c),
    };
    let character = text.chars().find(|c| strange(*c))?;
    Some(Reason::CharacterInIdentifier { character: named(character) })
}

fn of_text(text: &str) -> Option<Reason> {
    if text.is_ascii() {
        return None;
    }
    if let Some(character) = text.chars().find(|c| is_hidden(*c)) {
        return Some(Reason::HiddenCharacter { character: named(character) });
    }
    is_garbled(text).then_some(Reason::Garbled)
}

/// `U+2013 “–”`, and of what is not seen the number alone.
fn named(character: char) -> String {
    let number = format!("U+{:04X}", u32::from(character));
    if is_hidden(character) || character.is_whitespace() || character.is_control() {
        number
    } else {
        format!("{number} {character}")
    }
}

/// Characters that are not seen and change what is: zero width, directions of writing, line ends of another kind.
const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// What an identifier has in common with those that differ from it in nothing but case, width, dashes or leading zeros.
#[must_use]
pub fn alike(identifier: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c).wrapping_sub(0xFEE0)).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c => c,
    };
    identifier.chars().map(narrow).collect::<String>().trim_start_matches('0').to_lowercase()
}

/// Whether a text was read in a wrong encoding somewhere: `Ã…keri` for Åkeri, or U+FFFD for what could not be read.
#[must_use]
pub fn is_garbled(text: &str) -> bool {
    let mut rest = text;
    let mut in_a_row = 0_u32;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\u{fffd}' {
            return true;
        }
        let Some((meant, length)) = misread(c, after) else {
            (in_a_row, rest) = (0, after);
            continue;
        };
        in_a_row = in_a_row.saturating_add(1);
        // Letters and signs of western Europe at once; of elsewhere, where two come together.
        let western = matches!(meant, 0x80..=0x17F | 0x2010..=0x2044 | 0x20AC | 0x2122);
        if western || in_a_row > 1 {
            return true;
        }
        rest = after.char_indices().nth(length).map_or("", |(at, _)| after.get(at..).unwrap_or_default());
    }
    false
}

/// If a character and those behind it are the bytes of one character of UTF-8 as Windows-1252 shows them: that character,
/// and how many stand behind.
fn misread(first: char, after: &str) -> Option<(u32, usize)> {
    let lead = byte(first)?;
    let (length, bits) = match lead {
        0xC2..=0xDF => (1, u32::from(lead & 0x1F)),
        0xE0..=0xEF => (2, u32::from(lead & 0x0F)),
        0xF0..=0xF4 => (3, u32::from(lead & 0x07)),
        _ => return None,
    };
    let mut behind = after.chars();
    let mut meant = bits;
    for _ in 0..length {
        let next = byte(behind.next()?).filter(|byte| (0x80..=0xBF).contains(byte))?;
        meant = meant.wrapping_shl(6) | u32::from(next & 0x3F);
    }
    Some((meant, length))
}

/// The byte that Windows-1252 shows as a character outside ASCII.
fn byte(c: char) -> Option<u8> {
    /// What the bytes from 0x80 to 0x9F show; the five that show nothing are themselves.
    const SIGNS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    if matches!(c, '\u{a0}'..='\u{ff}') {
        return u8::try_from(u32::from(c)).ok();
    }
    let at = SIGNS.iter().position(|sign| *sign == c)?;
    u8::try_from(at).ok()?.checked_add(0x80)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{assignments, credit_usage, entitlements, partners},
        *,
    };

    fn column(columns: &'static [Column], name: &str) -> &'static Column {
        columns.iter().find(|column| column.name == name).unwrap()
    }

    fn of_order(text: &str, form: IdentifierForm) -> Option<Reason> {
        of_cell(column(entitlements::KIND.columns, "order_id"), text, form)
    }

    #[test]
    fn f4_what_a_spreadsheet_leaves_is_no_identifier() {
        for (text, trace) in [
            ("5.66891E+17", Trace::ScientificNumber),
            ("1,23E+15", Trace::ScientificNumber),
            ("-1e-5", Trace::ScientificNumber),
            ("#N/A", Trace::ErrorValue),
            ("#REF!", Trace::ErrorValue),
            ("########", Trace::ErrorValue),
            ("TRUE", Trace::TruthValue),
            ("False", Trace::TruthValue),
            ("=\"FY-2\"", Trace::Formula),
            ("'FY-1", Trace::Apostrophe),
        ] {
            let left = Some(Reason::LeftBySpreadsheet { trace });
            for form in [IdentifierForm::Ascii, IdentifierForm::Any] {
                assert_eq!(of_order(text, form), left, "{text}");
            }
            assert_eq!(
                of_cell(column(credit_usage::KIND.columns, "reference"), text, IdentifierForm::Ascii),
                left
            );
        }
        for (text, character) in [
            ("FY\u{2013}2", "U+2013 –"),
            ("FY\u{200b}-2", "U+200B"),
            ("\u{ff26}Y-2", "U+FF26 Ｆ"),
            ("FY\u{a0}2", "U+00A0"),
        ] {
            let reason = Reason::CharacterInIdentifier { character: character.into() };
            assert_eq!(of_order(text, IdentifierForm::Ascii), Some(reason), "{text}");
        }
        assert_eq!(of_order("FY\u{2013}2", IdentifierForm::Any), None);
        assert!(of_order("FY\u{200b}2", IdentifierForm::Any).is_some());
        for good in
            ["MPN-240131-101", "1E5", "12E4", "E+17", "TRUE-1", "a'b", "A=1", "0042", "x#EXT#@y", "1.2E+x"]
        {
            assert_eq!(of_order(good, IdentifierForm::Ascii), None, "{good}");
        }
        assert!(of_order("Åsa@akeri.example", IdentifierForm::Ascii).is_some());
    }

    #[test]
    fn f4_a_user_is_named_by_a_sign_in_name_of_any_letters_that_are_seen() {
        let of_user =
            |text: &str| of_cell(column(assignments::KIND.columns, "user"), text, IdentifierForm::Ascii);
        assert_eq!(of_user("Åsa@akeri.example"), None);
        assert!(of_user("Åsa\u{200b}@akeri.example").is_some());
        assert!(of_user("#N/A").is_some());
    }

    #[test]
    fn f4_f9_identifiers_are_alike_in_case_width_dashes_and_leading_zeros() {
        for (one, other) in
            [("0042017", "42017"), ("FY-2", "fy\u{2013}2"), ("FY-2", "\u{ff26}\u{ff39}-2"), ("000", "")]
        {
            assert_eq!(alike(one), alike(other), "{one}");
        }
        for (one, other) in [("420170", "42017"), ("FY-2", "FY2"), ("A01", "A1")] {
            assert_ne!(alike(one), alike(other), "{one}");
        }
    }

    #[test]
    fn f9_a_name_that_was_garbled_or_hides_something_is_refused() {
        let of_name =
            |text: &str| of_cell(column(partners::KIND.columns, "name"), text, IdentifierForm::Ascii);
        for bad in [
            "Ã…keri",
            "SÃ¶ner",
            "CafÃ©",
            "Firma â€“ Nord",
            "Ã\u{a0} la carte",
            "ÐœÐ¾ÑÐºÐ²Ð°",
            "\u{fffd}keri",
            "Å\u{81}Ã³dÅº",
        ] {
            assert_eq!(of_name(bad), Some(Reason::Garbled), "{bad}");
        }
        for (bad, character) in [
            ("a\u{202e}b", "U+202E"),
            ("a\u{2028}b", "U+2028"),
            ("a\u{200b}b", "U+200B"),
            ("\u{feff}a", "U+FEFF"),
        ] {
            let reason = Reason::HiddenCharacter { character: character.into() };
            assert_eq!(of_name(bad), Some(reason), "{bad:?}");
        }
        for good in [
            "Åkeri & Söner",
            "SÃO PAULO",
            "CAFÉ®",
            "Łódź",
            "Москва",
            "L’Oréal",
            "日本語",
            "ÄÖÜ",
            "naïve ½",
            "Ñandú €",
            "#1 Consulting",
            "=HYPERLINK()",
            "TRUE",
        ] {
            assert_eq!(of_name(good), None, "{good}");
        }
    }
}
