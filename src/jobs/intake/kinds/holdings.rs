//! What rows of entitlements are checked against, beside their own orders: the partner's other core rows, the seats of
//! its group, and what excludes bulk credit (D12, D14). Each is read only if a row needs it, and updated as rows go in.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::agreements::stays;
use crate::{
    domain::{
        agreement::{Exclusion, KnownExclusion, overlaps},
        benefit::{BenefitKind, Offer},
        cap::{self, GroupSeats, Once, Seats},
        core_difference::{self, CoreRow, HeldBeside, Own},
        entitlement_change::Stated,
        id::{EntitlementNo, OrderNo, PartnerId, PartnerNo},
        kinds::entitlements::EntitlementRow,
        membership::Year,
        reason::Problem,
    },
    jobs::engine::{Context, Result},
    store::{
        agreement::{self, Granted},
        holding::{self, Groups},
    },
};

/// See the module.
pub struct Holdings<'a> {
    cx: &'a Context,
    core: HashMap<PartnerNo, Vec<CoreRow>>,
    groups: Groups,
    /// What excludes the bulk credit of partners that rows bring bulk credit to.
    exclusions: HashMap<PartnerNo, Vec<Exclusion>>,
    /// Granted bulk credit of partners that rows bring an Action Pack to.
    granted: HashMap<PartnerNo, Vec<Granted>>,
}

/// A row that goes in, with the numbers it has in the store.
#[derive(Clone, Copy)]
pub struct Entered<'a> {
    pub row: &'a EntitlementRow,
    pub partner_id: PartnerNo,
    pub membership_id: OrderNo,
    pub entitlement_id: EntitlementNo,
    pub stated: &'a Stated,
    /// Its order's.
    pub year: Year,
    pub arrived_on: NaiveDate,
}

impl<'a> Holdings<'a> {
    pub async fn load<'r>(
        cx: &'a Context,
        conn: &mut PgConnection,
        partner: impl Fn(&PartnerId) -> Option<PartnerNo>,
        rows: impl Iterator<Item = &'r EntitlementRow> + Clone,
    ) -> Result<Self> {
        let of = |asks: fn(&EntitlementRow) -> bool| -> Vec<PartnerNo> {
            let asking = rows.clone().filter(|row| asks(row)).filter_map(|row| partner(&row.partner_id));
            asking.collect::<BTreeSet<_>>().into_iter().collect()
        };
        let (mut core, mut groups) = (HashMap::new(), Groups::default());
        let (mut exclusions, mut granted) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        let ids = of(core_difference::concerns);
        if !ids.is_empty() {
            core = holding::core_rows(conn, &ids).await?;
        }
        let ids = of(|row| row.benefit.kind() == BenefitKind::VisualStudio);
        if !ids.is_empty() {
            groups = holding::groups(conn, &ids).await?;
        }
        let ids = of(|row| row.benefit.kind() == BenefitKind::AzureBulkCredit);
        if !ids.is_empty() {
            let grace_days = cx.policies.expire_benefits.policy.grace_days;
            let standing = agreement::standing(conn, &cx.catalogue, &ids, grace_days).await?;
            exclusions.extend(ids.iter().map(|id| (*id, vec![])));
            let of = |standing: Vec<KnownExclusion>| {
                standing.into_iter().map(|standing| standing.exclusion).collect()
            };
            exclusions.extend(standing.into_iter().map(|(id, standing)| (id, of(standing))));
        }
        let ids = of(|row| row.offer == Offer::ActionPack);
        if !ids.is_empty() && cx.catalogue.excludes_bulk(Offer::ActionPack.name()) {
            for one in agreement::granted(conn, &ids).await? {
                granted.entry(one.partner_id).or_default().push(one);
            }
        }
        Ok(Self { cx, core, groups, exclusions, granted })
    }

    /// What core rows of other orders of the same offer hold of the row's benefit for its whole term. Those of the other offer
    /// do only while they run (D12).
    pub fn held(&self, row: &EntitlementRow, partner_id: PartnerNo, own: &Own<'_>) -> HeldBeside {
        match self.core.get(&partner_id) {
            Some(rows) if core_difference::concerns(row) => {
                let gold = row.offer == Offer::Gold;
                core_difference::held(rows.iter().filter(|other| other.gold == gold), own)
            }
            _ => HeldBeside::default(),
        }
    }

    /// What is held back of a core benefit, or because of it, while silver and gold both run (D12).
    pub fn beside(
        &self,
        row: &EntitlementRow,
        partner_id: PartnerNo,
        own: &Own<'_>,
        stated: &Stated,
    ) -> Option<Problem> {
        let rows = self.core.get(&partner_id).filter(|_| core_difference::concerns(row))?;
        let (gold, kind) = (row.offer == Offer::Gold, row.benefit.kind());
        let reason = core_difference::told(rows, own, gold, kind, stated.quantity, stated.amount)?;
        Some(Problem::at("benefit", row.benefit.as_str(), reason))
    }

    /// Every cap of the partner's group that the row would break with more seats than it had (D12).
    pub fn caps(
        &self,
        row: &EntitlementRow,
        partner_id: PartnerNo,
        known: Option<(EntitlementNo, Option<u32>)>,
        stated: &Stated,
    ) -> Vec<Problem> {
        let seats = stated.quantity.unwrap_or(0);
        let had = known.and_then(|(_, quantity)| quantity).unwrap_or(0);
        let Some((group, country)) = self.groups.of.get(&partner_id) else { return vec![] };
        if row.benefit.kind() != BenefitKind::VisualStudio || seats <= had {
            return vec![];
        }
        let (from, until) = (stated.starts_on, stated.expires_on);
        let none = GroupSeats::default();
        let group = self.groups.groups.get(group).unwrap_or(&none);
        let gold = row.offer == Offer::Gold || group.has_gold(from, until);
        let Some(cap) = self.cx.catalogue.cap(gold) else { return vec![] };
        let own = Seats {
            entitlement_id: known.map_or(0.into(), |(entitlement_id, _)| entitlement_id),
            country: country.clone(),
            quantity: seats,
            from,
            until,
            once: once(row, partner_id),
        };
        let broken = cap::check(cap, group.most_with(&own), country, 0);
        broken.into_iter().map(|reason| Problem::at("quantity", &seats.to_string(), reason)).collect()
    }

    /// Bulk credit that is blocked on some day of it is taken in, with word of it (D14).
    pub fn blocked(
        &self,
        row: &EntitlementRow,
        partner_id: PartnerNo,
        stated: &Stated,
        year: Year,
    ) -> Option<Problem> {
        let exclusions = self.exclusions.get(&partner_id)?;
        if row.benefit.kind() != BenefitKind::AzureBulkCredit {
            return None;
        }
        let reason = overlaps(exclusions, stated.starts_on, year.last_usable_on(stated.expires_on))?;
        Some(Problem::at("benefit", row.benefit.as_str(), reason))
    }

    /// An Action Pack that arrives leaves granted bulk credit as it is, with word of it (D14).
    pub fn stays(&self, row: &EntitlementRow, partner_id: PartnerNo, year: Year) -> Vec<Problem> {
        if row.offer != Offer::ActionPack {
            return vec![];
        }
        let granted = self.granted.get(&partner_id).into_iter().flatten();
        let overlapping = granted.filter(|credit| {
            year.starts_on <= credit.last_usable_on && credit.starts_on <= year.grace_ends_on()
        });
        overlapping.map(|credit| Problem::at("offer", row.offer.name(), stays(credit))).collect()
    }

    /// Enters a row that goes in, so that the next one sees it.
    pub fn enter(&mut self, entered: &Entered<'_>) {
        let Entered { row, partner_id, membership_id, entitlement_id, stated, year, arrived_on } = *entered;
        let (from, until) = (stated.starts_on, stated.expires_on.min(year.last_day_on()));
        if core_difference::concerns(row) {
            let rows = self.core.entry(partner_id).or_default();
            let earlier = rows.iter().position(|earlier| earlier.entitlement_id == entitlement_id);
            let known_on = earlier.map_or(arrived_on, |at| rows.swap_remove(at).known_on);
            rows.push(CoreRow {
                entitlement_id,
                membership_id,
                benefit: row.benefit.as_str().to_owned(),
                starts_on: from,
                until,
                ended_on: None,
                known_on,
                quantity: stated.quantity,
                amount: stated.amount,
                order_id: row.order_id.clone(),
                gold: row.offer == Offer::Gold,
                refunded: false,
            });
        }
        if let Some((group, country)) = self.groups.of.get(&partner_id) {
            let group = self.groups.groups.entry(group.clone()).or_default();
            if row.benefit.kind() == BenefitKind::VisualStudio {
                group.seats.retain(|seats| seats.entitlement_id != entitlement_id);
                let quantity = stated.quantity.unwrap_or(0);
                let (country, once) = (country.clone(), once(row, partner_id));
                group.seats.push(Seats { entitlement_id, country, quantity, from, until, once });
            }
            let days = (year.starts_on, year.last_day_on());
            if row.offer == Offer::Gold && !group.gold.contains(&days) {
                group.gold.push(days);
            }
        }
        let name = Offer::ActionPack.name();
        if row.offer == Offer::ActionPack
            && let Some(exclusions) = self.exclusions.get_mut(&partner_id)
            && self.cx.catalogue.excludes_bulk(name)
        {
            let days = (year.starts_on, Some(year.grace_ends_on()));
            if !exclusions.iter().any(|e| (e.from, e.until) == days && e.name == name) {
                exclusions.push(Exclusion { name: name.to_owned(), from: days.0, until: days.1 });
            }
        }
    }
}

fn once(row: &EntitlementRow, partner_id: PartnerNo) -> Option<Once> {
    let core = core_difference::concerns(row);
    Once::of(core, Some(row.offer.name()), partner_id, row.benefit.as_str())
}
