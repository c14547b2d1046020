//! A row of `users`: a person in a partner's directory, and the roles that people hold there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    cell::{self, Cells, Column, Patch, optional, required},
    contact::Email,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("object_id"),
    required("user_principal_name"),
    optional("display_name"),
    optional("mail"),
    optional("user_type"),
    optional("enabled"),
    optional("role"),
    optional("language"),
    optional("requested_by"),
];

/// What a directory user may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Whether a user is a member of the directory or a guest in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// A directory user as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Whose directory.
    pub partner_id: String,
    /// The key within it; lower case if it is a GUID.
    pub object_id: String,
    /// The sign-in name, `name@domain`, as written (compared without case).
    pub user_principal_name: String,
    /// What people call them.
    pub display_name: Patch<String>,
    /// Their mail address.
    pub mail: Patch<Email>,
    /// Member or guest.
    pub user_type: Patch<UserType>,
    /// Whether they can sign in.
    pub enabled: Patch<bool>,
    /// The roles they hold.
    pub roles: Patch<BTreeSet<Role>>,
    /// A BCP 47 tag.
    pub language: Patch<String>,
    /// Which directory user asks for it; `None`: the operator.
    pub requested_by: Option<String>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<UserRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let object_id = row.need("object_id", Expected::Text, |text| cell::guid(text).or_else(|| cell::id(text)));
    let user_principal_name = row.need("user_principal_name", Expected::Email, principal_name);
    let display_name = row.patch("display_name", Expected::Text, cell::text(200));
    let mail = row.patch("mail", Expected::Email, Email::parse);
    let user_type = row.patch("user_type", Expected::UserType, UserType::parse);
    let enabled = row.patch("enabled", Expected::Flag, cell::flag);
    let roles = row.patch("role", Expected::Role, roles);
    let language = row.patch("language", Expected::Language, cell::language_tag);
    let requested_by = row.patch("requested_by", Expected::Text, cell::id);
    let assemble = || {
        Some(UserRow {
            partner_id: partner_id?,
            object_id: object_id?,
            user_principal_name: user_principal_name?,
            display_name: display_name?,
            mail: mail?,
            user_type: user_type?,
            enabled: enabled?,
            roles: roles?,
            language: language?,
            requested_by: requested_by?.into_set(),
        })
    };
    row.finish(assemble())
}

/// `name@domain`; a guest's may hold `#EXT#`.
fn principal_name(text: &str) -> Option<String> {
    let (name, domain) = text.rsplit_once('@')?;
    if name.is_empty() || domain.is_empty() { None } else { cell::id(text) }
}

/// One role or several, joined by `+`.
fn roles(text: &str) -> Option<BTreeSet<Role>> {
    text.split('+').map(|name| Role::parse(name.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::cell::tests as row, *};

    const TIDY: &[(&str, &str)] = &[
        ("partner_id", "4201"),
        ("object_id", "6A1D41C5-0000-4000-8000-00000000ABCD"),
        ("user_principal_name", "Anna@akeri.example"),
    ];

    #[test]
    fn what_a_file_leaves_out_is_kept_and_what_it_empties_is_cleared() {
        let user = row::parse(COLUMNS, parse, TIDY).unwrap();
        assert_eq!(user.object_id, "6a1d41c5-0000-4000-8000-00000000abcd");
        assert_eq!((user.roles, user.enabled, user.mail), (Patch::Keep, Patch::Keep, Patch::Keep));
        let full = row::with(
            TIDY,
            &[
                ("object_id", "EMP-17"),
                ("user_principal_name", "bo_example.com#EXT#@akeri.example"),
                ("role", "mpn_partner_admin + Global_Admin+global_admin"),
                ("user_type", "Guest"),
                ("enabled", "FALSE"),
                ("mail", ""),
            ],
        );
        let user = row::parse(COLUMNS, parse, &full).unwrap();
        assert_eq!(user.object_id, "EMP-17");
        assert_eq!(user.roles, Patch::Set(BTreeSet::from([Role::GlobalAdmin, Role::MpnPartnerAdmin])));
        assert_eq!((user.user_type, user.enabled), (Patch::Set(UserType::Guest), Patch::Set(false)));
        assert_eq!(user.mail, Patch::Clear);
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            COLUMNS,
            parse,
            TIDY,
            &[
                ("partner_id", "42.01", Expected::Digits),
                ("object_id", "a b", Expected::Text),
                ("user_principal_name", "anna", Expected::Email),
                ("user_principal_name", "@akeri.example", Expected::Email),
                ("display_name", "a\tb", Expected::Text),
                ("mail", "a@b", Expected::Email),
                ("user_type", "admin", Expected::UserType),
                ("enabled", "1", Expected::Flag),
                ("role", "global_admin+king", Expected::Role),
                ("role", "global_admin+", Expected::Role),
                ("language", "x", Expected::Language),
                ("requested_by", "Bo Ek", Expected::Text),
            ],
        );
    }
}
