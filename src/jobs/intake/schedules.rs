//! Where the credit, or the balance, of an entitlement starts that nothing was granted of (D2, D3).

use chrono::NaiveDate;

use crate::{
    domain::{
        benefit::{BenefitKind, Unit},
        credit::{Schedule, Shape, Terms},
        entitlement_change::Stated,
        membership::Year,
        money::Currency,
    },
    jobs::{engine::Context, provision_credits::policy::Backdate},
};

/// The schedule of a benefit of that kind, as it is stated, of a partner that accounts in `local`; its first file arrived on
/// `known_on`. `None`: nothing of it is ever granted.
pub(super) fn first(
    cx: &Context,
    (kind, stated, local): (BenefitKind, &Stated, Currency),
    year: Year,
    known_on: NaiveDate,
) -> Option<Schedule> {
    let policy = cx.credit_policy();
    let shape = match kind {
        BenefitKind::AzureMonthlyCredit => Shape::Monthly(policy.scheme),
        BenefitKind::AzureBulkCredit => Shape::Bulk,
        // Hours and incidents are granted when they begin; of what is unlimited, or nothing, nothing is.
        kind => {
            let _unit = Unit::of(kind)?;
            stated.quantity.filter(|quantity| *quantity > 0)?;
            return Some(Schedule::once(stated.starts_on));
        }
    };
    let terms = Terms {
        shape,
        starts_on: stated.starts_on,
        expires_on: stated.expires_on,
        last_usable_on: year.last_usable_on(stated.expires_on),
        anniversary_on: year.anniversary_on,
        ended: None,
        per_period: stated.amount?,
        beside: vec![],
        local,
        periods_in_a_year: policy.periods_in_a_year,
        max_rate_age_days: policy.max_rate_age_days,
    };
    let from_import = cx.policies.provision_credits.policy.backdate == Backdate::FromImport;
    Some(Schedule::new(&terms, from_import.then_some(known_on)))
}
