//! Who may do what: the matrix, as data. What an operator does on the operator's machine needs no role.

use std::collections::BTreeSet;

use super::{
    directory_role::Role::{self, AdminAgent, GlobalAdmin, MpnPartnerAdmin, UserManagementAdmin},
    reason::Reason,
};

/// Something a directory user may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Buy a membership, or renew one.
    Buy,
    /// See benefits.
    SeeBenefits,
    /// See Access ID and Contract ID, once activated.
    SeeSupportIds,
    /// Submit support tickets and advisory-hour requests.
    AskForHelp,
    /// Assign, remove, transfer or reassign a benefit.
    Assign,
    /// Reveal software keys, preview and redeem keys.
    UseKeys,
    /// Activate a benefit.
    Activate,
    /// Set the marketing contact.
    SetContact,
    /// Activate a Go-To-Market offer.
    ActivateOffer,
    /// Ask for a cancellation.
    Cancel,
    /// Add or change directory users.
    ChangeUsers,
    /// Give or take the roles of a global admin or an MPN partner admin.
    ChangeAdmins,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Buy,
        Self::SeeBenefits,
        Self::SeeSupportIds,
        Self::AskForHelp,
        Self::Assign,
        Self::UseKeys,
        Self::Activate,
        Self::SetContact,
        Self::ActivateOffer,
        Self::Cancel,
        Self::ChangeUsers,
        Self::ChangeAdmins,
    ];

    /// The roles of which one is needed; none: every enabled directory user may.
    #[must_use]
    pub const fn roles(self) -> &'static [Role] {
        match self {
            Self::Buy | Self::SeeBenefits | Self::SeeSupportIds | Self::AskForHelp => &[],
            Self::Assign | Self::ChangeAdmins => &[GlobalAdmin],
            Self::UseKeys | Self::Activate | Self::SetContact | Self::ActivateOffer => {
                &[GlobalAdmin, MpnPartnerAdmin]
            }
            Self::Cancel => &[GlobalAdmin, MpnPartnerAdmin, AdminAgent],
            Self::ChangeUsers => &[GlobalAdmin, UserManagementAdmin],
        }
    }

    /// What it is to change a directory user who holds some roles into one who holds others.
    #[must_use]
    pub fn of_role_change(held: &BTreeSet<Role>, wanted: &BTreeSet<Role>) -> Self {
        let admin = |role: &Role| matches!(role, GlobalAdmin | MpnPartnerAdmin);
        if held.symmetric_difference(wanted).any(admin) { Self::ChangeAdmins } else { Self::ChangeUsers }
    }

    /// Whether somebody who holds `held` may.
    #[must_use]
    pub fn allows(self, held: &[Role]) -> bool {
        self.roles().is_empty() || self.roles().iter().any(|role| held.contains(role))
    }

    /// The refusal of somebody who may not, with who may: `holders` by user principal name and roles.
    #[must_use]
    pub fn refusal<'a>(self, holders: impl Iterator<Item = (&'a str, &'a [Role])>) -> Reason {
        let may = holders.filter(|(_, held)| self.allows(held));
        let mut held_by: Vec<String> = may.map(|(name, _)| name.to_owned()).collect();
        held_by.sort();
        Reason::RoleMissing { roles: self.roles().to_vec(), held_by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The matrix of RULES.md, cell by cell: global admin, user management admin, admin agent, MPN partner admin, and
    /// nobody's role.
    const MATRIX: [(Action, [bool; 5]); 12] = [
        (Action::Buy, [true, true, true, true, true]),
        (Action::SeeBenefits, [true, true, true, true, true]),
        (Action::SeeSupportIds, [true, true, true, true, true]),
        (Action::AskForHelp, [true, true, true, true, true]),
        (Action::Assign, [true, false, false, false, false]),
        (Action::UseKeys, [true, false, false, true, false]),
        (Action::Activate, [true, false, false, true, false]),
        (Action::SetContact, [true, false, false, true, false]),
        (Action::ActivateOffer, [true, false, false, true, false]),
        (Action::Cancel, [true, false, true, true, false]),
        (Action::ChangeUsers, [true, true, false, false, false]),
        (Action::ChangeAdmins, [true, false, false, false, false]),
    ];

    #[test]
    fn every_cell_of_the_matrix_allows_or_denies() {
        assert_eq!(MATRIX.map(|(action, _)| action), Action::ALL);
        for (action, cells) in MATRIX {
            for (role, allowed) in Role::ALL.into_iter().zip(cells) {
                assert_eq!(action.allows(&[role]), allowed, "{action:?} {role:?}");
            }
            assert_eq!(action.allows(&[]), cells[4], "{action:?} without a role");
        }
    }

    #[test]
    fn one_of_several_roles_is_enough_and_no_number_of_others_is() {
        assert!(Action::Assign.allows(&[AdminAgent, GlobalAdmin]));
        assert!(!Action::Assign.allows(&[AdminAgent, UserManagementAdmin, MpnPartnerAdmin]));
    }

    #[test]
    fn c14_who_gives_or_takes_an_admin_s_role_changes_admins_and_who_leaves_it_does_not() {
        for role in Role::ALL {
            let (none, one) = (BTreeSet::new(), BTreeSet::from([role]));
            let admin = matches!(role, GlobalAdmin | MpnPartnerAdmin);
            let action = if admin { Action::ChangeAdmins } else { Action::ChangeUsers };
            assert_eq!(Action::of_role_change(&none, &one), action, "gives {role:?}");
            assert_eq!(Action::of_role_change(&one, &none), action, "takes {role:?}");
            let more = BTreeSet::from([role, AdminAgent, UserManagementAdmin]);
            assert_eq!(Action::of_role_change(&one, &one), Action::ChangeUsers, "keeps {role:?}");
            assert_eq!(
                Action::of_role_change(&one, &more),
                Action::ChangeUsers,
                "gives others beside {role:?}"
            );
        }
    }

    #[test]
    fn a_refusal_names_the_missing_roles_and_who_holds_one() {
        let holders: [(&str, &[Role]); 3] = [
            ("zoe@a.example", &[GlobalAdmin]),
            ("bo@a.example", &[AdminAgent, MpnPartnerAdmin]),
            ("cy@a.example", &[UserManagementAdmin]),
        ];
        assert_eq!(
            Action::UseKeys.refusal(holders.into_iter()),
            Reason::RoleMissing {
                roles: vec![GlobalAdmin, MpnPartnerAdmin],
                held_by: vec!["bo@a.example".into(), "zoe@a.example".into()],
            }
        );
    }
}
