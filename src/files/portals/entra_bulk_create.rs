//! The template with which the Entra admin centre creates many users at once. Whoever is in it is not in the directory yet:
//! nothing can be assigned to them before an export of the directory has them. Their first passwords are not read.

use crate::{
    domain::{
        directory_user::{address, unconfirmed, user_type},
        kinds::Kind,
        language::Bilingual,
    },
    files::portal::{Portal, example, given, needed, portal},
};

const SIGN_IN_NAME: &str = "User name [userPrincipalName] Required";
const NAME: &str = "Name [displayName] Required";

/// The portal.
pub const PORTAL: Portal = portal(
    "entra_bulk_create",
    Bilingual::new(
        "the template of Microsoft Entra ID to create users",
        "mallen i Microsoft Entra ID för att skapa användare",
    ),
    Kind::Users,
)
.reads(&[needed(&[SIGN_IN_NAME]), needed(&[NAME])])
.marks(&[
    SIGN_IN_NAME,
    NAME,
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
    given("object_id", &[SIGN_IN_NAME], |row| unconfirmed(row.text(SIGN_IN_NAME))),
    given("user_principal_name", &[SIGN_IN_NAME], |row| row.text(SIGN_IN_NAME).to_owned()),
    given("display_name", &[NAME], |row| row.text(NAME).to_owned()),
    given("mail", &[SIGN_IN_NAME], |row| address("", row.text(SIGN_IN_NAME))),
    given("user_type", &[SIGN_IN_NAME], |row| {
        match user_type("", row.text(SIGN_IN_NAME)) {
            "" => "member",
            guest => guest,
        }
        .to_owned()
    }),
    given("enabled", &[], |_| "false".to_owned()),
]);
