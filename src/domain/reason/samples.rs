//! What samples of reasons are made with.

use chrono::NaiveDate;

use super::super::money::Currency;

/// A day for a sample.
pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_default()
}

/// A currency for a sample.
pub(super) fn sek() -> Currency {
    Currency::parse("SEK").unwrap_or(Currency::USD)
}
