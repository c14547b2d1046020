//! A row of `keys`: a product key and what it is for (R3, R5); what it would do to a subscription (D8).

use std::fmt;

use chrono::NaiveDate;

use super::{
    cell::{self, Cells, Column, optional, required},
    entitlement::Benefit,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("key"),
    optional("seats"),
    optional("months"),
    optional("product"),
    optional("language"),
    optional("os"),
    optional("download_url"),
    optional("instructions"),
];

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
    format!("*****-{tail}")
}

/// What the store calls a key: `K17`.
#[must_use]
pub fn key_ref(key_id: i64) -> String {
    format!("K{key_id}")
}

/// The key that is called so; in any case.
#[must_use]
pub fn parse_key_ref(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['K', 'k'])?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// A key as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Whose.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// The key; the key of the row as well.
    pub key: Secret,
    /// For how many seats it is.
    pub seats: Option<u32>,
    /// For how many months; `None`: as many as policy says (12).
    pub months: Option<u16>,
    /// The product.
    pub product: Option<String>,
    /// Its languages, as written.
    pub language: Option<String>,
    /// The operating systems, as written.
    pub os: Option<String>,
    /// Where to fetch it.
    pub download_url: Option<String>,
    /// What to do with it.
    pub instructions: Option<String>,
}

/// Reads a row; all its problems if there are any. What is wrong with the key is told without saying it.
pub fn parse(cells: &Cells<'_>) -> Result<KeyRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let key = row.need("key", Expected::Key, Secret::parse);
    let seats = row.patch("seats", Expected::Positive, |text| positive(text, 1_000_000));
    let months = row.patch("months", Expected::Positive, |text| {
        positive(text, 1_200).and_then(|n| u16::try_from(n).ok())
    });
    let product = row.patch("product", Expected::Text, cell::text(200));
    let language = row.patch("language", Expected::Text, cell::text(200));
    let os = row.patch("os", Expected::Text, cell::text(200));
    let download_url = row.patch("download_url", Expected::Url, url);
    let instructions = row.patch("instructions", Expected::Text, cell::text(2_000));
    let assemble = || {
        Some(KeyRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            key: key?,
            seats: seats?.into_set(),
            months: months?.into_set(),
            product: product?.into_set(),
            language: language?.into_set(),
            os: os?.into_set(),
            download_url: download_url?.into_set(),
            instructions: instructions?.into_set(),
        })
    };
    row.finish(assemble()).map_err(|mut problems| {
        for problem in problems.iter_mut().filter(|problem| problem.column == "key") {
            problem.value = String::new();
        }
        problems
    })
}

/// A whole number from 1 to `most`.
fn positive(text: &str, most: u32) -> Option<u32> {
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().filter(|count| (1..=most).contains(count)) } else { None }
}

/// An `https://` address without white space.
fn url(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("https://").filter(|(before, _)| before.is_empty())?;
    let whole =
        !rest.is_empty() && text.len() <= 500 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    whole.then(|| text.to_owned())
}

/// A licence subscription: its seats, and the day on which it ends (D8). Live before that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Seats.
    pub seats: u32,
    /// The day on which it ends.
    pub ends_on: NaiveDate,
}
