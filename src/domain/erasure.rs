//! What stands for somebody who was taken out: a number that nothing of them goes into. And where in a text they are named.

use std::collections::HashSet;

use super::id::PartnerId;

/// What the pseudonym of that number is: `erased-17`.
#[must_use]
pub fn pseudonym(number: i64) -> String {
    format!("erased-{number}")
}

/// Whether a name is of the form of a pseudonym; no file may bring one.
#[must_use]
pub fn is_pseudonym(name: &str) -> bool {
    let Some(numbers) = name.strip_prefix("erased-") else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match numbers.split_once('.') {
        Some((number, nth)) => is_number(number) && is_number(nth),
        None => is_number(numbers),
    }
}

/// What somebody is known by, and what takes its place.
#[derive(Clone, Debug)]
pub struct KnownNames {
    /// What takes its place.
    pub pseudonym: String,
    /// At which partner, by its Partner ID; `None`: wherever.
    pub partner: Option<PartnerId>,
    /// Names and addresses, in lower case.
    whole: HashSet<String>,
    /// Those and how they are called, letter by letter, the longest first.
    letters: Vec<Vec<char>>,
}

impl KnownNames {
    /// Whoever has these names and addresses, and is called so.
    #[must_use]
    pub fn new(pseudonym: String, partner: Option<PartnerId>, names: &[String], called: &[String]) -> Self {
        let mut letters: Vec<Vec<char>> =
            names.iter().chain(called).map(|name| name.chars().map(lower).collect()).collect();
        letters.sort_by_key(|name| std::cmp::Reverse(name.len()));
        letters.retain(|name| !name.is_empty());
        let whole = names.iter().map(|name| lowered(name)).collect();
        Self { pseudonym, partner, whole, letters }
    }

    /// Whether a cell is one of the names or addresses, whatever its case, with an apostrophe before it or without.
    #[must_use]
    pub fn is_one(&self, cell: &str) -> bool {
        let cell = cell.trim();
        self.whole.contains(&lowered(cell.strip_prefix('\'').unwrap_or(cell)))
    }

    /// A text with the pseudonym in the place of what it names; `None`: it names nobody. A longer name or address that one of them
    /// is a part of is another's.
    #[must_use]
    pub fn replaced_in(&self, text: &str) -> Option<String> {
        let chars: Vec<char> = text.chars().collect();
        let lower: Vec<char> = chars.iter().copied().map(lower).collect();
        let (mut out, mut at, mut found) = (String::new(), 0, false);
        while let Some(c) = chars.get(at) {
            let begins =
                at.checked_sub(1).and_then(|before| chars.get(before)).is_none_or(|c| !goes_before(*c));
            let name = self.letters.iter().find(|name| {
                let end = at.saturating_add(name.len());
                begins
                    && lower.get(at..end) == Some(name.as_slice())
                    && ends(chars.get(end..).unwrap_or_default())
            });
            if let Some(name) = name {
                out.push_str(&self.pseudonym);
                at = at.saturating_add(name.len());
                found = true;
            } else {
                out.push(*c);
                at = at.saturating_add(1);
            }
        }
        found.then_some(out)
    }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn lowered(text: &str) -> String {
    text.chars().map(lower).collect()
}

/// Whether a longer name or address goes on with it before one.
fn goes_before(c: char) -> bool {
    c.is_alphanumeric() || "._%+@-".contains(c)
}

/// Whether no longer name or address goes on with what stands behind one.
fn ends(rest: &[char]) -> bool {
    match rest {
        ['.', c, ..] => !c.is_alphanumeric(),
        [c, ..] => !c.is_alphanumeric() && !"_@-".contains(*c),
        [] => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_is_known_by_its_form() {
        assert!(is_pseudonym(&pseudonym(17)) && is_pseudonym("erased-17.2"));
        for other in ["erased-", "erased-x", "erased-1.", "erased-.1", "erased-1@a.example", "ERASED-1", "1"]
        {
            assert!(!is_pseudonym(other), "{other}");
        }
    }

    #[test]
    fn names_are_found_whole_and_in_any_case_and_longer_ones_are_others() {
        let names = ["bo@a.example".to_owned(), "7e1f".to_owned()];
        let known = KnownNames::new("erased-1".to_owned(), None, &names, &["Bo Ék".to_owned()]);
        assert!(known.is_one(" BO@a.example ") && known.is_one("'7E1F") && !known.is_one("Bo Ék"));
        for (text, is) in [
            ("<Bo@A.example>, or BO ÉK.", "<erased-1>, or erased-1."),
            ("smtp;bo@a.example", "smtp;erased-1"),
            ("bo@a.example.", "erased-1."),
            ("bo@a.example\nbo@a.example", "erased-1\nerased-1"),
        ] {
            assert_eq!(known.replaced_in(text).as_deref(), Some(is));
        }
        for other in
            ["ebo@a.example", "e.bo@a.example", "bo@a.example.org", "x7e1f", "Bo Éker", "bo@a.examples", ""]
        {
            assert_eq!(known.replaced_in(other), None, "{other}");
        }
    }
}
