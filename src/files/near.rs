//! Names that come close to known ones: a typing error, a plural, a unit in brackets, other words around the same stem.

use super::reader::normalised;
use crate::domain::typing_error::is_typing_error;

/// Words around a stem that say no more than it does.
const AROUND: [&str; 8] = ["on", "at", "id", "date", "code", "utc", "number", "no"];

/// The known name that a name, as somebody wrote it, comes close to.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = normalised(written);
    let name = match name.split_once(['(', '[']) {
        Some((before, _)) if !before.is_empty() => before.trim_end_matches('_'),
        _ => &name,
    };
    known.into_iter().find(|known| is_near(name, known))
}

fn is_near(name: &str, known: &str) -> bool {
    let joined = |name: &str| name.replace('_', "");
    let (stem, of_known) = (stem(name), stem(known));
    joined(name) == joined(known)
        || is_typing_error(&joined(name), &joined(known))
        || stem.len() > 2 && (stem == of_known || is_typing_error(&stem, &of_known))
}

/// A name without the words around its stem, in the singular.
fn stem(name: &str) -> String {
    let words: Vec<&str> = name.split('_').filter(|word| !AROUND.contains(word)).collect();
    let stem = words.concat();
    if let Some(singular) = stem.strip_suffix("ies") {
        return format!("{singular}y");
    }
    stem.strip_suffix('s').filter(|stem| stem.len() > 2).map_or(stem.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f6_near_misses_are_told_from_other_names() {
        let known = [
            "partner_id",
            "amount",
            "expires_on",
            "starts_on",
            "purchased_on",
            "account_email",
            "mode",
            "quantity",
        ];
        for (written, meant) in [
            ("Amount (USD)", "amount"),
            ("amounts", "amount"),
            ("Quantities", "quantity"),
            ("Amuont", "amount"),
            ("amont", "amount"),
            ("Expires", "expires_on"),
            ("Expiry date", "expires_on"),
            ("Start date", "starts_on"),
            ("Purchase Date (UTC)", "purchased_on"),
            ("PartnerID", "partner_id"),
            ("Partner", "partner_id"),
            ("Account e-mail", "account_email"),
            ("quanttity", "quantity"),
            ("qantity", "quantity"),
            ("quantitt", "quantity"),
        ] {
            assert_eq!(nearest(written, known), Some(meant), "{written}");
        }
        for other in [
            "Sales region",
            "colour",
            "remark",
            "code",
            "(USD)",
            "account",
            "id",
            "date",
            "e-mail",
            "",
            "Count",
        ] {
            assert_eq!(nearest(other, known), None, "{other}");
        }
    }
}
