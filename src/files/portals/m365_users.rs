//! Users as the Microsoft 365 admin centre exports them, active ones and deleted ones. Licences and addresses stand several
//! in a cell, joined by `+`; of the addresses the one that begins with `SMTP:` in capitals is where mail goes.

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
    "m365_users",
    Bilingual::new(
        "the user export of the Microsoft 365 admin centre",
        "användarexporten från administrationscentret för Microsoft 365",
    ),
    Kind::Users,
)
.reads(&[
    needed(&["User principal name"]),
    needed(&["Object Id"]),
    needed(&["Block credential"]).of(Type::Flag),
    read(&["Display name"]),
    read(&["Proxy addresses"]),
    read(&["Preferred language"]),
    read(&["User type"]),
    read(&["Soft deletion time stamp", "Soft deleted", "Deleted on"]),
])
.marks(&[
    "Block credential",
    "DirSyncEnabled",
    "Last dirsync time",
    "Last password change time stamp",
    "License assignment details",
    "Licenses",
    "Oath token metadata",
    "Password never expires",
    "Preferred data location",
    "Proxy addresses",
    "Release track",
    "Soft deletion time stamp",
    "Strong password required",
    "When created",
])
.gives(&[
    given("object_id", &["Object Id"], |row| row.text("Object Id").to_owned()),
    given("user_principal_name", &["User principal name"], |row| row.text("User principal name").to_owned()),
    given("display_name", &["Display name"], |row| row.text("Display name").to_owned()),
    given("mail", &["Proxy addresses"], |row| {
        let own = row.text("Proxy addresses").split('+').find_map(|one| one.trim().strip_prefix("SMTP:"));
        address(own.unwrap_or_default(), row.text("User principal name"))
    }),
    given("user_type", &["User principal name", "User type"], |row| {
        user_type(row.text("User type"), row.text("User principal name")).to_owned()
    }),
    given("enabled", &["Block credential", "Soft deletion time stamp"], |row| {
        match row.text("Block credential") {
            _ if is_gone(row.text("Soft deletion time stamp")) => "false",
            blocked if blocked.eq_ignore_ascii_case("true") => "false",
            blocked if blocked.eq_ignore_ascii_case("false") => "true",
            other => other,
        }
        .to_owned()
    }),
    given("language", &["Preferred language"], |row| row.text("Preferred language").to_owned()),
]);
