//! Who has Visual Studio subscriptions, as their admin portal exports it.

use crate::{
    domain::language::Bilingual,
    files::portal::{Portal, comparison, needed, read},
};

/// The portal.
pub const PORTAL: Portal = comparison(
    "visual_studio_subscriptions",
    Bilingual::new(
        "the subscriber export of the Visual Studio admin portal",
        "prenumerantexporten från administrationsportalen för Visual Studio",
    ),
)
.reads(&[
    needed(&["Subscriber Name"]),
    needed(&["Email", "Sign-in Email"]),
    needed(&["Subscription Level"]),
    read(&["Subscription GUID"]),
])
.marks(&[
    "Subscriber Name",
    "Notification Email Address",
    "Microsoft Entra group",
    "Azure AD group",
    "AAD group",
    "Subscription Level",
    "Expiration Date (UTC)",
    "Subscription Status",
    "Subscription GUID",
    "Usage Status",
]);
