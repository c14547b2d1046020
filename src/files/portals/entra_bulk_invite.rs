//! The template with which the Entra admin centre invites many guests at once. Whoever is in it is not in the directory yet:
//! nothing can be assigned to them before an export of the directory has them.

use crate::{
    domain::{directory_user::unconfirmed, kinds::Kind, language::Bilingual},
    files::portal::{Portal, example, given, needed, portal, read},
};

const ADDRESS: &str = "Email address to invite [inviteeEmail] Required";
const NAME: &str = "Name of invitee [inviteeName]";

/// The portal.
pub const PORTAL: Portal = portal(
    "entra_bulk_invite",
    Bilingual::new(
        "the template of Microsoft Entra ID to invite guests",
        "mallen i Microsoft Entra ID för att bjuda in gäster",
    ),
    Kind::Users,
)
.reads(&[needed(&[ADDRESS]), read(&[NAME])])
.marks(&[
    ADDRESS,
    NAME,
    "Redirection url [inviteRedirectURL] Required",
    "Send invitation message (true or false) [sendEmail]",
    "Customized invitation message [customizedMessageBody]",
])
.passes_over(example)
.gives(&[
    given("object_id", &[ADDRESS], |row| unconfirmed(row.text(ADDRESS))),
    given("user_principal_name", &[ADDRESS], |row| row.text(ADDRESS).to_owned()),
    given("display_name", &[NAME], |row| row.text(NAME).to_owned()),
    given("mail", &[ADDRESS], |row| row.text(ADDRESS).to_owned()),
    given("user_type", &[], |_| "guest".to_owned()),
    given("enabled", &[], |_| "false".to_owned()),
]);
