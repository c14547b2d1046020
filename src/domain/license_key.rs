//! A row of `keys`: a product key and what it is for (R3, R5); what it would do to a subscription (D8).

use std::fmt;

use chrono::NaiveDate;

use serde::{Deserialize, Serialize};

use super::id::KeyNo;

/// A product key. Never shown by accident: neither `Debug` nor `Display` says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A key as written, in upper case; `None` unless it is 8 to 100 letters, digits and hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = (8..=100).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        shaped.then(|| Self(text.to_ascii_uppercase()))
    }

    /// The key itself: to be sealed, or to be shown by an audited reveal.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its last five characters, which tell it from others without giving it away.
    #[must_use]
    pub fn tail(&self) -> &str {
        self.0.get(self.0.len().saturating_sub(5)..).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What stands in a key's place wherever it is named: `*****-3V66T`.
#[must_use]
pub fn masked(tail: &str) -> String {
    format!("*****-{}", tail.to_ascii_uppercase())
}

/// The last characters that a masked key shows; `None`: it is no masked key.
#[must_use]
pub fn parse_masked(text: &str) -> Option<String> {
    let tail = text.strip_prefix("*****-")?;
    let shaped = tail.len() == 5 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    shaped.then(|| tail.to_ascii_uppercase())
}

/// Groups of characters that a text must have to look like a product key, and how long each is.
const GROUPS: usize = 4;
const GROUP_CHARS: std::ops::RangeInclusive<usize> = 4..=6;

/// A text without product keys: `known`, however it is written, and everything that looks like one (four and more groups
/// of four to six letters and digits, joined by hyphens) gives way to its mask.
#[must_use]
pub fn without_keys(text: &str, known: Option<&Secret>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let end = rest.find(|c: char| word(c) != word(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if word(first) {
            mask_run(run, known, &mut out);
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out
}

/// Masks what looks like a key, or is `known`, within letters, digits and hyphens.
fn mask_run(run: &str, known: Option<&Secret>, out: &mut String) {
    let upper = run.to_ascii_uppercase();
    if let Some(known) = known
        && let Some(at) = upper.find(known.expose())
    {
        let (before, found) = run.split_at(at);
        let (_, after) = found.split_at(known.expose().len());
        mask_run(before, None, out);
        out.push_str(&masked(known.tail()));
        mask_run(after, Some(known), out);
        return;
    }
    let mut groups = run.split('-').peekable();
    let mut first = true;
    while groups.peek().is_some() {
        let mut like: Vec<&str> = Vec::new();
        while let Some(group) = groups.next_if(|group| GROUP_CHARS.contains(&group.len())) {
            like.push(group);
        }
        let separator = if first { "" } else { "-" };
        if like.len() >= GROUPS {
            out.push_str(separator);
            let tail = like.last().copied().unwrap_or_default();
            out.push_str(&masked(tail.get(tail.len().saturating_sub(5)..).unwrap_or_default()));
            first = false;
        } else if !like.is_empty() {
            out.push_str(separator);
            out.push_str(&like.join("-"));
            first = false;
        }
        if let Some(other) = groups.next() {
            out.push_str(if first { "" } else { "-" });
            out.push_str(other);
            first = false;
        }
    }
}

/// What stands in the place of a key's cell: its mask, also of what is no key; a mask stays.
#[must_use]
pub fn masked_cell(cell: &str) -> String {
    let cell = cell.trim();
    match (parse_masked(cell), Secret::parse(cell)) {
        (Some(tail), _) => masked(&tail),
        (None, Some(secret)) => masked(secret.tail()),
        (None, None) if cell.is_empty() => String::new(),
        (None, None) => "*****".to_owned(),
    }
}

/// What the store calls a key: `K17`.
#[must_use]
pub fn key_ref(key_id: KeyNo) -> String {
    format!("K{key_id}")
}

/// The key that is called so; in any case.
#[must_use]
pub fn parse_key_ref(text: &str) -> Option<KeyNo> {
    let digits = text.strip_prefix(['K', 'k'])?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// How a key is redeemed (R3, D8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    /// It begins a subscription.
    New,
    /// It adds its seats to a live one, whose end moves to what all seats together have left.
    AddSeats,
    /// It moves the end of a live one.
    Extend,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::New, Self::AddSeats, Self::Extend];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::AddSeats => "add_seats",
            Self::Extend => "extend",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name))
    }
}

/// A licence subscription: its seats, and the day on which it ends (D8). Live before that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Seats.
    pub seats: u32,
    /// The day on which it ends.
    pub ends_on: NaiveDate,
}
