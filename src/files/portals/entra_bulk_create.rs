//! The template with which the Entra admin centre creates many users at once. Whoever is in it is not in the directory yet:
//! nothing can be assigned to them before an export of the directory has them. Their first passwords are not read.

use crate::{
    domain::{
        directory_user::{address, unconfirmed, user_type},
        kinds::Kind,
    },
    files::portal::{Portal, example, given, needed, portal},
};

/// The portal.
pub const PORTAL: Portal =
    portal("entra_bulk_create", "the template of Microsoft Entra ID to create users", Kind::Users)
        .reads(&[
            needed(&["User name [userPrincipalName] Required"]),
            needed(&["Name [displayName] Required"]),
        ])
        .marks(&[
            "User name [userPrincipalName] Required",
            "Name [displayName] Required",
            "Initial password [passwordProfile] Required",
            "Block sign in (Yes/No) [accountEnabled] Required",
            "First name [givenName]",
            "Last name [surname]",
            "Job title [jobTitle]",
            "Department [department]",
            "Usage location [usageLocation]",
        ])
        .passes_over(example)
        .gives(&[
            given("object_id", &["User name [userPrincipalName] Required"], |row| {
                unconfirmed(row.text("User name [userPrincipalName] Required"))
            }),
            given("user_principal_name", &["User name [userPrincipalName] Required"], |row| {
                row.text("User name [userPrincipalName] Required").to_owned()
            }),
            given("display_name", &["Name [displayName] Required"], |row| {
                row.text("Name [displayName] Required").to_owned()
            }),
            given("mail", &["User name [userPrincipalName] Required"], |row| {
                address("", row.text("User name [userPrincipalName] Required"))
            }),
            given("user_type", &["User name [userPrincipalName] Required"], |row| {
                match user_type("", row.text("User name [userPrincipalName] Required")) {
                    "" => "member",
                    guest => guest,
                }
                .to_owned()
            }),
            given("enabled", &[], |_| "false".to_owned()),
        ]);
