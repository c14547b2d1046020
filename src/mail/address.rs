//! An address as lettre has it. What is one to the rules is one here: lettre knows letters outside ASCII, but not the marks that
//! many scripts write on them.

use lettre::{Address, address::AddressError};

use crate::domain::email::Email;

/// Reads an address, as it is on the wire.
///
/// # Errors
/// It is none, to the rules or else to lettre.
pub(super) fn address(text: &str) -> Result<Address, AddressError> {
    match Email::parse(text).filter(Email::is_international) {
        Some(email) => {
            let (name, domain) = email.as_str().rsplit_once('@').unwrap_or_default();
            Ok(Address::new_dangerous(name, domain))
        }
        None => text.parse(),
    }
}
