//! The roles that people hold in a partner's directory, and whether they are guests there.

use serde::{Deserialize, Serialize};

/// What a directory user may hold.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Global administrator.
    GlobalAdmin,
    /// User management administrator.
    UserManagementAdmin,
    /// Admin agent.
    AdminAgent,
    /// MPN partner administrator.
    MpnPartnerAdmin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::GlobalAdmin, Self::UserManagementAdmin, Self::AdminAgent, Self::MpnPartnerAdmin];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GlobalAdmin => "global_admin",
            Self::UserManagementAdmin => "user_management_admin",
            Self::AdminAgent => "admin_agent",
            Self::MpnPartnerAdmin => "mpn_partner_admin",
        }
    }

    /// The role of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(name))
    }
}

/// Whether somebody belongs to the directory or is a guest in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UserType {
    /// Belongs to it.
    Member,
    /// A guest.
    Guest,
}

impl UserType {
    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }

    /// The type of that name, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Member, Self::Guest].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}
