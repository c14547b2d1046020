//! The ledger: its kinds and accounts, and transfers of one row each, so that the books always balance (promise 2).

use chrono::NaiveDate;

use super::{calendar::Period, id::UsageNo, money::Amount};

/// What a transfer is (stable names, `report.ledger`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// A period's credit becomes available (R1, R2, D3).
    CreditGranted,
    /// Usage draws from it (D15).
    CreditUsed,
    /// Usage beyond what there is (D15).
    CreditOverage,
    /// The unspent rest at the period's end (D3).
    CreditLapsed,
    /// Taken back by a cancellation (D7).
    CreditReversed,
}

/// Where an amount is, within one period of one entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    /// The programme, which grants and takes back.
    Programme,
    /// What can be spent.
    Available,
    /// What was spent.
    Used,
    /// What was lost.
    Lapsed,
    /// What the vendor bills beyond the credit.
    Billed,
    /// What was used beyond the credit.
    Overage,
}

impl EntryKind {
    /// All kinds, in the order a period sees them.
    pub const ALL: [Self; 5] = [
        Self::CreditGranted,
        Self::CreditUsed,
        Self::CreditOverage,
        Self::CreditLapsed,
        Self::CreditReversed,
    ];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreditGranted => "credit_granted",
            Self::CreditUsed => "credit_used",
            Self::CreditOverage => "credit_overage",
            Self::CreditLapsed => "credit_lapsed",
            Self::CreditReversed => "credit_reversed",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// From which account to which an original of this kind moves.
    #[must_use]
    pub const fn accounts(self) -> (Account, Account) {
        match self {
            Self::CreditGranted => (Account::Programme, Account::Available),
            Self::CreditUsed => (Account::Available, Account::Used),
            Self::CreditOverage => (Account::Billed, Account::Overage),
            Self::CreditLapsed => (Account::Available, Account::Lapsed),
            Self::CreditReversed => (Account::Available, Account::Programme),
        }
    }
}

impl Account {
    const ALL: [Self; 6] =
        [Self::Programme, Self::Available, Self::Used, Self::Lapsed, Self::Billed, Self::Overage];

    /// The account of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.name() == name)
    }

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Programme => "programme",
            Self::Available => "available",
            Self::Used => "used",
            Self::Lapsed => "lapsed",
            Self::Billed => "billed",
            Self::Overage => "overage",
        }
    }
}

/// The rate by which a grant was converted, frozen on it (D4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenRate {
    /// Local units per US dollar, in billionths.
    pub nano: i64,
    /// The day it was published.
    pub published_on: NaiveDate,
}

/// One movement of one entitlement's credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What it is.
    pub kind: EntryKind,
    /// The account it leaves.
    pub from: Account,
    /// The account it reaches.
    pub to: Account,
    /// The credit period's number, counted from the entitlement's start.
    pub period_no: u32,
    /// The credit period.
    pub period: Period,
    /// The date the facts give it, whenever it is recorded.
    pub effective_on: NaiveDate,
    /// More than zero.
    pub amount: Amount,
    /// US cents behind a grant, where it was dollars.
    pub usd_minor: Option<i64>,
    /// The rate behind a converted grant.
    pub rate: Option<FrozenRate>,
    /// The usage behind a draw or an overage.
    pub usage_id: Option<UsageNo>,
    /// The transfer it corrects, and which correction of it this is, counted from 1.
    pub corrects: Option<(i64, u32)>,
}

/// A transfer that stands in the ledger.
#[derive(Clone, Debug)]
pub struct Booked {
    /// Its number.
    pub transfer_id: i64,
    /// What it says.
    pub transfer: Transfer,
}

/// The amount of an original with all its corrections; never below zero.
#[must_use]
pub fn net(original: &Booked, booked: &[Booked]) -> i64 {
    corrections(original, booked).fold(original.transfer.amount.minor, |sum, correction| {
        if correction.transfer.from == original.transfer.from {
            sum.saturating_add(correction.transfer.amount.minor)
        } else {
            sum.saturating_sub(correction.transfer.amount.minor)
        }
    })
}

/// The corrections that name `original`.
pub fn corrections<'a>(original: &'a Booked, booked: &'a [Booked]) -> impl Iterator<Item = &'a Booked> {
    booked.iter().filter(|b| b.transfer.corrects.is_some_and(|(id, _)| id == original.transfer_id))
}

/// The entry whose dates hold for an original: the last that went its way, itself or a correction.
#[must_use]
pub fn latest<'a>(original: &'a Booked, booked: &'a [Booked]) -> &'a Transfer {
    corrections(original, booked)
        .map(|correction| &correction.transfer)
        .filter(|correction| correction.from == original.transfer.from)
        .max_by_key(|correction| correction.corrects)
        .unwrap_or(&original.transfer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_accounts_have_stored_names_that_lead_back_to_them() {
        let kinds = ["credit_granted", "credit_used", "credit_overage", "credit_lapsed", "credit_reversed"];
        assert_eq!(EntryKind::ALL.map(EntryKind::name), kinds);
        assert_eq!(kinds.map(EntryKind::parse), EntryKind::ALL.map(Some));
        let accounts = ["programme", "available", "used", "lapsed", "billed", "overage"];
        assert_eq!(Account::ALL.map(Account::name), accounts);
        assert_eq!(accounts.map(Account::parse), Account::ALL.map(Some));
        assert_eq!((EntryKind::parse("hours_granted"), Account::parse("bank")), (None, None));
    }
}
