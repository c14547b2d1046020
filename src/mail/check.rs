//! Whether every mail can be written in every language.

use super::{digest::check_digests, error::Error, night::check_nights};

/// Renders every template of every language with invented facts.
///
/// # Errors
/// The first text that lacks or does not render, by name and line.
pub fn check_templates() -> Result<(), Error> {
    check_digests()?;
    check_nights()
}
