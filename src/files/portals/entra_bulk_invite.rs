//! The template with which the Entra admin centre invites many guests at once. Whoever is in it is not in the directory yet:
//! nothing can be assigned to them before an export of the directory has them.

use crate::{
    domain::{directory_user::unconfirmed, kinds::Kind},
    files::portal::{Portal, example, given, needed, portal, read},
};

/// The portal.
pub const PORTAL: Portal =
    portal("entra_bulk_invite", "the template of Microsoft Entra ID to invite guests", Kind::Users)
        .reads(&[
            needed(&["Email address to invite [inviteeEmail] Required"]),
            read(&["Name of invitee [inviteeName]"]),
        ])
        .marks(&[
            "Email address to invite [inviteeEmail] Required",
            "Name of invitee [inviteeName]",
            "Redirection url [inviteRedirectURL] Required",
            "Send invitation message (true or false) [sendEmail]",
            "Customized invitation message [customizedMessageBody]",
        ])
        .passes_over(example)
        .gives(&[
            given("object_id", &["Email address to invite [inviteeEmail] Required"], |row| {
                unconfirmed(row.text("Email address to invite [inviteeEmail] Required"))
            }),
            given("user_principal_name", &["Email address to invite [inviteeEmail] Required"], |row| {
                row.text("Email address to invite [inviteeEmail] Required").to_owned()
            }),
            given("display_name", &["Name of invitee [inviteeName]"], |row| {
                row.text("Name of invitee [inviteeName]").to_owned()
            }),
            given("mail", &["Email address to invite [inviteeEmail] Required"], |row| {
                row.text("Email address to invite [inviteeEmail] Required").to_owned()
            }),
            given("user_type", &[], |_| "guest".to_owned()),
            given("enabled", &[], |_| "false".to_owned()),
        ]);
