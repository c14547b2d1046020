//! How spreadsheets of different countries read a CSV that is opened in them: what separates cells and decimals. Dates are
//! ISO in all of them, which they all take as dates.

/// What a spreadsheet of a country expects.
#[derive(Debug, PartialEq, Eq)]
pub struct Locale {
    /// Its BCP 47 tag.
    pub tag: &'static str,
    /// Between cells.
    pub delimiter: char,
    /// Before the decimals.
    pub decimal: char,
}

const fn points(tag: &'static str) -> Locale {
    Locale { tag, delimiter: ',', decimal: '.' }
}

const fn commas(tag: &'static str) -> Locale {
    Locale { tag, delimiter: ';', decimal: ',' }
}

impl Locale {
    /// As the canonical form has it, and English spreadsheets too.
    pub const CANONICAL: Self = points("en-GB");

    /// All that are known.
    pub const ALL: [Self; 13] = [
        Self::CANONICAL,
        points("en-US"),
        points("en-IE"),
        commas("sv-SE"),
        commas("da-DK"),
        commas("nb-NO"),
        commas("fi-FI"),
        commas("de-DE"),
        Self { tag: "de-CH", delimiter: ';', decimal: '.' },
        commas("fr-FR"),
        commas("es-ES"),
        commas("it-IT"),
        commas("nl-NL"),
    ];

    /// The locale of that tag; case and `_` for `-` do not matter.
    ///
    /// # Errors
    /// It is not known: which are.
    pub fn named(tag: &str) -> Result<&'static Self, String> {
        const LOCALES: &[Locale] = &Locale::ALL;
        let asked = tag.replace('_', "-");
        LOCALES.iter().find(|locale| locale.tag.eq_ignore_ascii_case(&asked)).ok_or_else(|| {
            let known: Vec<&str> = LOCALES.iter().map(|locale| locale.tag).collect();
            format!("there is no locale '{tag}'; there are: {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_found_by_its_tag_or_the_known_ones_are_told() {
        assert_eq!(Locale::named("sv_se").map(|locale| (locale.delimiter, locale.decimal)), Ok((';', ',')));
        assert_eq!(Locale::named("en-GB"), Ok(&Locale::CANONICAL));
        for locale in &Locale::ALL {
            assert_eq!(Locale::named(locale.tag), Ok(locale), "each tag stands once");
            assert_ne!(locale.delimiter, locale.decimal);
        }
        let told = Locale::named("sv").unwrap_err();
        assert!(told.contains("'sv'") && told.contains("en-GB, en-US") && told.contains("sv-SE"), "{told}");
    }
}
