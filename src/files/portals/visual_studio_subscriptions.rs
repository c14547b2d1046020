//! Who has Visual Studio subscriptions, as their admin portal exports it.

use crate::files::portal::{Portal, comparison, needed, read};

/// The portal.
pub const PORTAL: Portal =
    comparison("visual_studio_subscriptions", "the subscriber export of the Visual Studio admin portal")
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
