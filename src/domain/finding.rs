//! What is wrong in a file of facts (`jobs/*.toml`, the catalogue), and where.

use std::fmt;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// One fault in a file of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the configuration directory: `jobs/expire_benefits.toml`.
    pub file: String,
    /// Its line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// The key with its table (`policy.grace_days`), or the line's text where the file has not the right shape.
    pub key: String,
    /// The value as it stands there; empty where there is none.
    pub value: String,
    /// What is wrong and what to do, as a sentence.
    pub advice: String,
}

impl fmt::Display for Finding {
    /// `jobs/expire_benefits.toml:7: policy.grace_days = 9000: write a whole number from 0 to 366`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        if !self.value.is_empty() {
            write!(f, " = {}", self.value)?;
        }
        write!(f, ": {}", self.advice)
    }
}

/// Reads TOML into its type.
///
/// # Errors
/// What is wrong with its shape is one finding.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Finding> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().trim().replace('\n', "; ");
        let todo = if message.starts_with("unknown field") {
            ": take it out, or correct its name"
        } else if message.starts_with("missing field") {
            ": add it"
        } else {
            ""
        };
        let line = error.span().map(|span| line_of(text, span.start));
        let (key, value) = line
            .and_then(|number| text.lines().nth(number.saturating_sub(1)))
            .map(|written| written.split_once('=').unwrap_or((written, "")))
            .map_or_else(Default::default, |(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
        Finding { file: file.to_owned(), line, key, value, advice: format!("{message}{todo}") }
    })
}

/// The line of byte `at`, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.matches('\n').count()).saturating_add(1)
}

/// The line of a dotted key, in which a number is a place in a list, from 0: `policy.recipients.1.address`.
#[must_use]
pub fn line_at(text: &str, key: &str) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut parts = key.split('.');
    let first = parts.next()?;
    let (name, mut value) = root.get_ref().iter().find(|(name, _)| name.get_ref().as_ref() == first)?;
    let mut found = name.span().start;
    for part in parts {
        match value.get_ref() {
            DeValue::Table(inner) => {
                let (name, of_name) = inner.iter().find(|(name, _)| name.get_ref().as_ref() == part)?;
                (found, value) = (name.span().start, of_name);
            }
            DeValue::Array(items) => {
                let nth: usize = part.parse().ok()?;
                value = items.get(nth)?;
                found = value.span().start;
            }
            _ => break,
        }
    }
    Some(line_of(text, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "# first\n[policy]\n\ngrace_days = 30\n[work]\nlanes = 1\n";
        assert_eq!(line_at(text, "policy.grace_days"), Some(4));
        assert_eq!(line_at(text, "work.lanes"), Some(6));
        assert_eq!(line_at(text, "work.nothing"), None);
        let list = "[policy]\nto = [\n  { a = 1 },\n  { a = 2,\n    b = 3 },\n]\n";
        assert_eq!(line_at(list, "policy.to.1"), Some(4));
        assert_eq!(line_at(list, "policy.to.1.b"), Some(5));
        assert_eq!(line_at("[[policy.to]]\na = 1\n[[policy.to]]\na = 2\n", "policy.to.1.a"), Some(4));
        assert_eq!(line_at(list, "policy.to.2"), None);
        assert_eq!(line_of(text, 0), 1);
    }
}
