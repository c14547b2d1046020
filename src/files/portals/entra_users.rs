//! The users of a directory as the Entra admin centre exports them, in both generations: the older names the key `objectId`,
//! the newer `id`.

use crate::{
    domain::{
        directory_user::{address, is_gone, user_type},
        kinds::{Kind, schema::Type},
        language::Bilingual,
    },
    files::portal::{Portal, given, needed, portal, read},
};

/// The portal.
pub const PORTAL: Portal = portal(
    "entra_users",
    Bilingual::new("the user export of Microsoft Entra ID", "användarexporten från Microsoft Entra ID"),
    Kind::Users,
)
.reads(&[
    needed(&["userPrincipalName"]),
    needed(&["id", "objectId"]),
    needed(&["accountEnabled"]).of(Type::Flag),
    read(&["displayName"]),
    read(&["mail"]),
    read(&["userType"]),
    read(&["preferredLanguage"]),
    read(&["deletedDateTime", "deletionTimestamp", "Soft deleted"]),
])
.marks(&[
    "accountEnabled",
    "surname",
    "givenName",
    "usageLocation",
    "physicalDeliveryOfficeName",
    "alternateEmailAddress",
    "authenticationPhoneNumber",
    "consentProvidedForMinor",
    "legalAgeGroupClassification",
    "creationType",
    "directorySynced",
    "isDirSynced",
    "invitationState",
    "identityIssuer",
    "createdDateTime",
    "deletedDateTime",
])
.gives(&[
    given("object_id", &["id"], |row| row.text("id").to_owned()),
    given("user_principal_name", &["userPrincipalName"], |row| row.text("userPrincipalName").to_owned()),
    given("display_name", &["displayName"], |row| row.text("displayName").to_owned()),
    given("mail", &["mail"], |row| address(row.text("mail"), row.text("userPrincipalName"))),
    given("user_type", &["userPrincipalName", "userType"], |row| {
        user_type(row.text("userType"), row.text("userPrincipalName")).to_owned()
    }),
    given("enabled", &["accountEnabled", "deletedDateTime"], |row| {
        if is_gone(row.text("deletedDateTime")) { "false" } else { row.text("accountEnabled") }.to_owned()
    }),
    given("language", &["preferredLanguage"], |row| row.text("preferredLanguage").to_owned()),
]);
