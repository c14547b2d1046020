//! True and false as spreadsheets of other languages write them.

/// Words that spreadsheets of other languages have for true and false.
const FLAGS: [(&str, &str); 9] = [
    ("sant", "falskt"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("verdadero", "falso"),
    ("vero", "falso"),
    ("sand", "falsk"),
    ("sann", "usann"),
    ("tosi", "epätosi"),
    ("waar", "onwaar"),
];

/// `true` or `false` for what a spreadsheet of another language makes of it.
#[must_use]
pub fn read(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    if FLAGS.iter().any(|(yes, _)| *yes == text) {
        Some("true")
    } else {
        FLAGS.iter().any(|(_, no)| *no == text).then_some("false")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_other_languages_are_flags() {
        assert_eq!(
            (read("SANT"), read("Falsch"), read("EPÄTOSI"), read("ja")),
            (Some("true"), Some("false"), Some("false"), None)
        );
    }
}
