//! A row of `users`: a person in a partner's directory, and the roles that people hold there.

use std::collections::BTreeSet;

use strum::VariantNames;

use super::{
    super::{
        directory_role::{Role, UserType},
        email::Email,
        id::{ObjectId, PartnerId},
        reason::{Expected, Problem},
    },
    cell::{Cells, Patch},
    forms,
    schema::{Field, Naming, RowMeaning, Schema, Type, Typed, ask, key, kind, optional, required},
    types::{ASKED_BY, DIRECTORY_OBJECT, EMAIL, FLAG, LANGUAGE as TAG, PARTNER_ID, one_of, text},
};

const OBJECT_ID: Field<ObjectId> =
    key("object_id", DIRECTORY_OBJECT).help("Their object id").naming(Naming::Whom);
const USER_PRINCIPAL_NAME: Field<String> =
    required("user_principal_name", Typed { of: Type::SignInName, parse: principal_name })
        .help("Their sign-in name; a guest's may hold #EXT#");
const DISPLAY_NAME: Field<String> =
    optional("display_name", text::<200>()).help("What people call them").naming(Naming::Whom);
const MAIL: Field<Email> = optional("mail", EMAIL).help("Their address").naming(Naming::Whom);
const USER_TYPE: Field<UserType> =
    optional("user_type", one_of(UserType::VARIANTS, Expected::UserType, UserType::parse))
        .help("Whether they belong to the directory or are a guest in it");
const ENABLED: Field<bool> = optional("enabled", FLAG).help("Whether they can sign in");
const ROLE: Field<BTreeSet<Role>> =
    optional("role", Typed { of: Type::SomeOf(Role::VARIANTS, Expected::Role), parse: roles })
        .help("One role, or several joined by +");
const LANGUAGE: Field<String> = optional("language", TAG).help("BCP 47 tag, such as sv-SE");

/// The kind.
pub const KIND: Schema = kind("users", RowMeaning::State, "People in a partner's directory")
    .columns(&[
        PARTNER_ID.column,
        OBJECT_ID.column,
        USER_PRINCIPAL_NAME.column,
        DISPLAY_NAME.column,
        MAIL.column,
        USER_TYPE.column,
        ENABLED.column,
        ROLE.column,
        LANGUAGE.column,
        ASKED_BY.column,
    ])
    .examples(&["4100101,7e1f,bo@norrsken.example,Bo Ek,bo.ek@norrsken.example,member,true,global_admin,sv,"])
    .asks(&[ask("user", "Add or change a directory user")]);

/// A directory user as a file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Whose directory.
    pub partner_id: PartnerId,
    /// The key within it; lower case if it is a GUID.
    pub object_id: ObjectId,
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
    let partner_id = row.need(&PARTNER_ID);
    let object_id = row.need(&OBJECT_ID);
    let user_principal_name = row.need(&USER_PRINCIPAL_NAME);
    let display_name = row.patch(&DISPLAY_NAME);
    let mail = row.patch(&MAIL);
    let user_type = row.patch(&USER_TYPE);
    let enabled = row.patch(&ENABLED);
    let roles = row.patch(&ROLE);
    let language = row.patch(&LANGUAGE);
    let requested_by = row.patch(&ASKED_BY);
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
    if name.is_empty() || domain.is_empty() { None } else { forms::id(text) }
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
        let user = row::parse(KIND.columns, parse, TIDY).unwrap();
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
        let user = row::parse(KIND.columns, parse, &full).unwrap();
        assert_eq!(user.object_id, "EMP-17");
        assert_eq!(user.roles, Patch::Set(BTreeSet::from([Role::GlobalAdmin, Role::MpnPartnerAdmin])));
        assert_eq!((user.user_type, user.enabled), (Patch::Set(UserType::Guest), Patch::Set(false)));
        assert_eq!(user.mail, Patch::Clear);
    }

    #[test]
    fn every_problem_names_its_column_and_value() {
        row::each_alone(
            KIND.columns,
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
                ("language", "swedish", Expected::Language),
                ("role", "global_admin+king", Expected::Role),
                ("role", "global_admin+", Expected::Role),
                ("language", "x", Expected::Language),
                ("requested_by", "Bo Ek", Expected::Text),
            ],
        );
    }
}
