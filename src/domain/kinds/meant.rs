//! What a cell probably means that does not hold what its column asks for: `Azure monthly credit` is probably
//! `azure_monthly_credit`, and `UK` is `GB`. It is said beside the refusal and never taken.

use iso_currency::Country;

use super::{
    super::{benefit::BenefitKind, typing_error::is_typing_error},
    schema::Type,
};

/// Codes that are no country's by ISO 3166-1 but are written for one.
const FOR_COUNTRIES: [(&str, &str); 2] = [("UK", "GB"), ("EL", "GR")];

impl Type {
    /// What a cell that does not hold this type probably means; `None`: nothing comes close, or more than one does.
    #[must_use]
    pub fn meant(self, text: &str) -> Option<String> {
        match self {
            Self::OneOf(words, _) => word(text, words.iter().copied()).map(str::to_owned),
            Self::SomeOf(words, _) => {
                let each = text.split('+').map(|part| word(part, words.iter().copied()));
                each.collect::<Option<Vec<_>>>().map(|words| words.join("+"))
            }
            Self::Flag => flag(text).map(str::to_owned),
            Self::Benefit => benefit(text),
            Self::Country => country(text),
            _ => None,
        }
    }
}

/// Small letters and digits, with `_` in place of all between.
fn snake_case(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// The one word that a text is, but for case, marks between and a typing error.
fn word<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let written = snake_case(text);
    let joined = |name: &str| name.replace('_', "");
    if let Some(same) = words.clone().find(|word| joined(word) == joined(&written)) {
        return Some(same);
    }
    let mut close = words.filter(|word| is_typing_error(&joined(word), &joined(&written)));
    close.next().filter(|_| close.next().is_none())
}

fn flag(text: &str) -> Option<&'static str> {
    match text.to_lowercase().as_str() {
        "yes" | "y" | "ja" | "1" => Some("true"),
        "no" | "n" | "nej" | "0" => Some("false"),
        _ => None,
    }
}

/// `Visual Studio Enterprise` is `visual_studio/enterprise`.
fn benefit(text: &str) -> Option<String> {
    let written = snake_case(text);
    let kinds = || BenefitKind::ALL.iter().map(|kind| kind.name());
    let of_kind = kinds().find_map(|kind| {
        let detail = written.strip_prefix(kind)?.strip_prefix('_')?;
        Some(format!("{kind}/{detail}"))
    });
    of_kind.or_else(|| word(text, kinds()).map(str::to_owned))
}

fn country(text: &str) -> Option<String> {
    let code = text.to_uppercase();
    if let Some((_, country)) = FOR_COUNTRIES.iter().find(|(written, _)| *written == code) {
        return Some((*country).to_owned());
    }
    let codes =
        || ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| String::from_iter([first, second])));
    codes()
        .find(|code| code.parse::<Country>().is_ok_and(|country| country.name().eq_ignore_ascii_case(text)))
}

#[cfg(test)]
mod tests {
    use super::super::{entitlements, partners, users};

    #[test]
    fn what_comes_close_to_one_word_is_named_and_what_comes_close_to_none_or_two_is_not() {
        for (column, written, meant) in [
            (&entitlements::KIND, ("offer", "Action Pack"), Some("action_pack")),
            (&entitlements::KIND, ("offer", "sliver"), Some("silver")),
            (&entitlements::KIND, ("offer", "platinum"), None),
            (&entitlements::KIND, ("benefit", "Azure monthly credit"), Some("azure_monthly_credit")),
            (&entitlements::KIND, ("benefit", "azure_montly_credit"), Some("azure_monthly_credit")),
            (
                &entitlements::KIND,
                ("benefit", "Visual Studio - Enterprise"),
                Some("visual_studio/enterprise"),
            ),
            (&entitlements::KIND, ("benefit", "Windows"), None),
            (&entitlements::KIND, ("benefit_type", "Incremental."), Some("incremental")),
            (&users::KIND, ("role", "Global Admin + billing admin"), None),
            (&users::KIND, ("role", "Global Admin"), Some("global_admin")),
            (&users::KIND, ("enabled", "Ja"), Some("true")),
            (&partners::KIND, ("country", "UK"), Some("GB")),
            (&partners::KIND, ("country", "sweden"), Some("SE")),
            (&partners::KIND, ("country", "Atlantis"), None),
        ]
        .map(|(kind, (column, written), meant)| {
            (kind.columns.iter().find(|known| known.name == column).unwrap(), written, meant)
        }) {
            assert_eq!(column.of.meant(written).as_deref(), meant, "{}: {written}", column.name);
        }
    }
}
