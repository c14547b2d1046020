//! Entitlements: each row is decided against what is known of its order, in the order of the file; the span's
//! writes go out together. The first row of an order makes its membership (D5, D12, D16).

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    alike::Alike,
    holdings::{Entered, Holdings},
};
use crate::{
    domain::{
        benefit::{BenefitKind, BenefitType, Offer},
        core_difference::Own,
        credit::Schedule,
        entitlement_change::{self, Against, Change, Known, KnownOrder, Stated},
        id::{EntitlementNo, OrderId, OrderNo, PartnerId, PartnerNo},
        kinds::entitlements::{self, EntitlementRow},
        membership::Year,
        money::Currency,
        own_currency::currency_on,
        reason::Reason,
    },
    jobs::{
        engine::{Context, Result},
        intake::{
            schedules,
            staged::{StagedFile, Verdict, distinct, parse},
        },
    },
    store::{
        file::StagedRow,
        intake::{self, PutEntitlement, PutOrder, StoredEntitlement},
        order,
        own_currency::{self, Changes},
        settlement,
    },
};

/// What is known of an order, and what this span makes of it.
struct OrderInSpan {
    membership_id: OrderNo,
    partner_id: PartnerNo,
    order: KnownOrder,
    fixed: bool,
    changed: bool,
}

/// An entitlement that this span makes or changes.
struct EntitlementToPut {
    entitlement_id: EntitlementNo,
    version_no: i32,
    order_id: OrderId,
    benefit: String,
    kind: BenefitKind,
    stated: Stated,
    granted: bool,
    local: Currency,
    /// Why bulk credit is not granted yet: what excludes it (D14).
    waits: Option<Reason>,
    line: i32,
}

struct EntitlementsSpan<'a> {
    cx: &'a Context,
    staged: &'a StagedFile,
    grace_days: u32,
    partners: HashMap<PartnerId, (PartnerNo, Currency)>,
    changes: HashMap<PartnerNo, Changes>,
    orders: HashMap<OrderId, OrderInSpan>,
    /// Orders that are like the orders that are new here, by those.
    alike: Alike,
    known: HashMap<(OrderNo, String), StoredEntitlement>,
    holdings: Holdings<'a>,
    ids: Vec<EntitlementNo>,
    order_ids: Vec<OrderNo>,
    puts: Vec<EntitlementToPut>,
    /// Where in `puts` an entitlement of this span is: a later row of the same key takes its place.
    at: HashMap<EntitlementNo, usize>,
    /// Orders whose earliest start may have moved later.
    moved: BTreeSet<OrderNo>,
    /// Entitlements of gold of which silver holds something back.
    beside: BTreeSet<EntitlementNo>,
}

/// Applies rows of an entitlements file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, entitlements::parse)).collect();
    let mut span = EntitlementsSpan::load(cx, conn, staged, parsed.iter().flatten()).await?;
    let verdicts = rows
        .iter()
        .zip(parsed)
        .map(|(row, parsed)| match parsed {
            Ok(wanted) => span.decide(&wanted, row.line),
            Err(problems) => Verdict::Rejected(problems),
        })
        .collect();
    span.write(conn).await?;
    Ok(verdicts)
}

impl<'a> EntitlementsSpan<'a> {
    async fn load(
        cx: &'a Context,
        conn: &mut PgConnection,
        staged: &'a StagedFile,
        rows: impl Iterator<Item = &EntitlementRow> + Clone,
    ) -> Result<Self> {
        let numbers = distinct(rows.clone(), |row| &row.partner_id);
        let order_ids = distinct(rows.clone(), |row| &row.order_id);
        let stored = intake::orders(conn, &order_ids).await?;
        let memberships: Vec<OrderNo> = stored.values().map(|order| order.membership_id).collect();
        let known = intake::entitlements(conn, &memberships).await?;
        let grace_days = cx.policies.expire_benefits.policy.grace_days;
        let new_orders = i32::try_from(order_ids.len() - stored.len()).unwrap_or(i32::MAX);
        let new_rows = i32::try_from(rows.clone().count()).unwrap_or(i32::MAX);
        let orders = stored.into_iter().map(|(order_id, s)| {
            let year = Year { starts_on: s.starts_on, anniversary_on: s.anniversary_on, grace_days };
            let (offer, purchased_on, ended_on) = (s.offer, s.purchased_on, s.ended_on);
            let order = KnownOrder { offer, purchased_on, year, ended_on, new: false };
            let held = OrderInSpan {
                membership_id: s.membership_id,
                partner_id: s.partner_id,
                order,
                fixed: s.fixed,
                changed: false,
            };
            (order_id, held)
        });
        let orders: HashMap<OrderId, OrderInSpan> = orders.collect();
        let partners = intake::partners(conn, &numbers).await?;
        let fresh = rows.clone().filter(|row| !orders.contains_key(&row.order_id));
        let fresh: BTreeSet<(PartnerNo, &OrderId)> =
            fresh.filter_map(|row| Some((partners.get(&row.partner_id)?.0, &row.order_id))).collect();
        let alike = Alike::orders(conn, fresh, staged.accept_alike).await?;
        let partner_ids: Vec<PartnerNo> = partners.values().map(|(id, _)| *id).collect();
        let changes = own_currency::changes(conn, &partner_ids).await?;
        let partner = |number: &PartnerId| partners.get(number).map(|(id, _)| *id);
        let holdings = Holdings::load(cx, conn, partner, rows).await?;
        // Numbers that the span does not use are gaps; what arrives later has the higher one.
        let mut ids = intake::new_entitlements(conn, new_rows).await?;
        ids.reverse();
        Ok(Self {
            cx,
            staged,
            grace_days,
            partners,
            changes,
            orders,
            alike,
            known,
            holdings,
            ids,
            order_ids: intake::new_memberships(conn, new_orders).await?,
            puts: Vec::new(),
            at: HashMap::new(),
            moved: BTreeSet::new(),
            beside: BTreeSet::new(),
        })
    }

    fn decide(&mut self, row: &EntitlementRow, line: i32) -> Verdict {
        let known = self.partners.get(&row.partner_id).copied();
        let (partner_id, local) = match self.staged.admit(&row.partner_id, known.map(|(id, _)| id)) {
            Ok(partner_id) => (partner_id, known.map_or(Currency::USD, |(_, local)| local)),
            Err(problem) => return Verdict::Rejected(vec![problem]),
        };
        if let Some(reason) = self.against_order(row, partner_id) {
            return Verdict::no("order_id", row.order_id.as_str(), reason);
        }
        let held = self.orders.get(&row.order_id);
        let key = held.map(|held| (held.membership_id, row.benefit.as_str().to_owned()));
        let stored = key.as_ref().and_then(|key| self.known.get(key));
        let own = Own {
            benefit: row.benefit.as_str(),
            membership_id: held.map(|held| held.membership_id),
            entitlement_id: stored.map(|stored| stored.entitlement_id),
            order_id: &row.order_id,
            starts_on: row.starts_on,
            expires_on: row.expires_on,
            arrives_on: self.staged.received_on,
        };
        let (local, at_start) = self.currencies(partner_id, local, row.starts_on);
        let against = Against {
            local,
            at_start,
            order: held.map(|held| &held.order),
            known: stored.map(|stored| &stored.known),
            catalogue: &self.cx.catalogue,
            held: self.holdings.held(row, partner_id, &own),
            arrived_on: self.staged.received_on,
        };
        let (change, mut remarks) = match entitlement_change::decide(row, &against) {
            Err(problems) => return Verdict::Rejected(problems),
            Ok(decided) => decided,
        };
        let year =
            held.map_or_else(|| Year::starting(row.starts_on, self.grace_days), |held| held.order.year);
        let granted = stored.is_some_and(|stored| stored.known.granted);
        let is_known = stored.is_some();
        let known = stored.map(|stored| (stored.entitlement_id, stored.known.stated.quantity));
        match change {
            Change::Unchanged => {
                remarks.extend(
                    stored.and_then(|s| self.holdings.beside(row, partner_id, &own, &s.known.stated)),
                );
                let stated = stored.filter(|_| !granted).map(|stored| &stored.known.stated);
                remarks.extend(stated.and_then(|s| self.holdings.blocked(row, partner_id, s, year)));
                Verdict::Unchanged(remarks)
            }
            Change::Put(stated) => {
                let broken = self.holdings.caps(row, partner_id, known, &stated);
                if !broken.is_empty() {
                    return Verdict::Rejected(broken);
                }
                let blocked = self.holdings.blocked(row, partner_id, &stated, year).filter(|_| !granted);
                // Before its first day it is pending: the night of that day sees what stands against it then.
                let began = stated.starts_on <= self.staged.received_on;
                let waits = blocked.as_ref().filter(|_| began).map(|problem| problem.reason.clone());
                remarks.extend(blocked);
                remarks.extend(self.holdings.stays(row, partner_id, year));
                let beside = self.holdings.beside(row, partner_id, &own, &stated);
                let entitlement_id = self.put(row, line, (partner_id, local), stated, waits);
                if beside.is_some() {
                    self.beside.insert(entitlement_id);
                }
                remarks.extend(beside);
                Verdict::put(is_known, remarks)
            }
        }
    }

    /// Why a row cannot be of the order that it names.
    fn against_order(&self, row: &EntitlementRow, partner_id: PartnerNo) -> Option<Reason> {
        match self.orders.get(&row.order_id) {
            Some(held) if held.partner_id != partner_id => Some(Reason::OrderOfAnotherPartner),
            Some(_) => None,
            None => self.alike.known(partner_id, &row.order_id).map(|known| Reason::AlikeKnown { known }),
        }
    }

    /// A partner's currency when the file arrived, and when a benefit starts (D4).
    fn currencies(
        &self,
        partner_id: PartnerNo,
        local: Currency,
        starts_on: NaiveDate,
    ) -> (Currency, Currency) {
        let changes = self.changes.get(&partner_id).map_or(&[][..], Vec::as_slice);
        let of = |day| currency_on(local, changes, day);
        (of(self.staged.received_on), of(starts_on))
    }

    fn put(
        &mut self,
        row: &EntitlementRow,
        line: i32,
        (partner_id, local): (PartnerNo, Currency),
        stated: Stated,
        waits: Option<Reason>,
    ) -> EntitlementNo {
        if !self.orders.contains_key(&row.order_id) {
            self.alike.enter(partner_id, &row.order_id);
        }
        let membership_id = self.take_order(row, partner_id, stated.starts_on);
        let key = (membership_id, row.benefit.as_str().to_owned());
        let (entitlement_id, version_no, granted) = match self.known.get(&key) {
            None => (self.ids.pop().unwrap_or_default(), 1, false),
            Some(earlier) => {
                if earlier.known.stated.starts_on != stated.starts_on {
                    self.moved.insert(membership_id);
                }
                let again = self.at.contains_key(&earlier.entitlement_id);
                (earlier.entitlement_id, earlier.version_no + i32::from(!again), earlier.known.granted)
            }
        };
        let year = self.orders[&row.order_id].order.year;
        let arrived_on = self.staged.received_on;
        let entered =
            Entered { row, partner_id, membership_id, entitlement_id, stated: &stated, year, arrived_on };
        self.holdings.enter(&entered);
        let known = Known { stated: stated.clone(), granted, ended_on: None, missing_until: None };
        self.known.insert(key, StoredEntitlement { entitlement_id, version_no, known });
        let put = EntitlementToPut {
            entitlement_id,
            version_no,
            order_id: row.order_id.clone(),
            benefit: row.benefit.as_str().to_owned(),
            kind: row.benefit.kind(),
            stated,
            granted,
            local,
            waits,
            line,
        };
        if let Some(at) = self.at.get(&entitlement_id) {
            self.puts[*at] = put;
        } else {
            self.at.insert(entitlement_id, self.puts.len());
            self.puts.push(put);
        }
        entitlement_id
    }

    /// The order of a row that goes in: made by its first row, started by its earliest, unless a renewal fixed it.
    fn take_order(&mut self, row: &EntitlementRow, partner_id: PartnerNo, starts_on: NaiveDate) -> OrderNo {
        let grace_days = self.grace_days;
        let numbers = &mut self.order_ids;
        let held = self.orders.entry(row.order_id.clone()).or_insert_with(|| OrderInSpan {
            membership_id: numbers.pop().unwrap_or_default(),
            partner_id,
            order: KnownOrder {
                offer: Some(row.offer),
                purchased_on: Some(row.purchased_on),
                year: Year::starting(starts_on, grace_days),
                ended_on: None,
                new: true,
            },
            fixed: false,
            changed: false,
        });
        if held.order.offer.is_none() {
            held.order.offer = Some(row.offer);
            held.order.purchased_on = Some(row.purchased_on);
            held.changed = true;
        }
        if !held.fixed && starts_on < held.order.year.starts_on {
            held.order.year = Year::starting(starts_on, grace_days);
            held.changed = true;
        }
        held.membership_id
    }

    async fn write(self, conn: &mut PgConnection) -> Result<()> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (order_id, held) in &self.orders {
            let (Some(offer), Some(purchased_on)) = (held.order.offer, held.order.purchased_on) else {
                continue;
            };
            if !held.order.new && !held.changed {
                continue;
            }
            let put = PutOrder {
                membership_id: held.membership_id,
                partner_id: held.partner_id,
                order_id: order_id.clone(),
                offer,
                purchased_on,
                starts_on: held.order.year.starts_on,
                anniversary_on: held.order.year.anniversary_on,
                status: held.order.year.status_on_arrival(self.staged.received_on),
            };
            if held.order.new { new.push(put) } else { changed.push(put) }
        }
        new.sort_by_key(|put| put.membership_id);
        intake::append_orders(conn, &new).await?;
        intake::put_orders(conn, &changed).await?;
        let puts: Vec<PutEntitlement> = self.puts.iter().map(|put| self.complete(put)).collect();
        intake::put_entitlements(conn, self.staged.file_id, self.staged.received_on, &puts).await?;
        let core = |put: &&EntitlementToPut| put.stated.benefit_type == BenefitType::Core.name();
        let touched = self.puts.iter().filter(core).filter_map(|put| {
            let held = &self.orders[&put.order_id];
            let silver = held.order.offer == Some(Offer::Silver);
            (silver || self.beside.contains(&put.entitlement_id)).then_some(held.membership_id)
        });
        let touched: BTreeSet<OrderNo> = touched.collect();
        if !touched.is_empty() {
            settlement::unsettle_beside(conn, &touched.into_iter().collect::<Vec<_>>()).await?;
        }
        let refit: Vec<OrderNo> = changed.iter().map(|put| put.membership_id).collect();
        self.refit(conn, refit).await
    }

    fn complete(&self, put: &EntitlementToPut) -> PutEntitlement {
        let held = &self.orders[&put.order_id];
        let year = held.order.year;
        let last_usable_on = year.last_usable_on(put.stated.expires_on);
        PutEntitlement {
            entitlement_id: put.entitlement_id,
            partner_id: held.partner_id,
            membership_id: held.membership_id,
            benefit: put.benefit.clone(),
            stated: put.stated.clone(),
            last_usable_on,
            version_no: put.version_no,
            line: put.line,
            schedule: if put.granted { None } else { self.schedule(put, year) },
        }
    }

    /// Where the credit, or the balance, of an entitlement starts that nothing was granted of.
    fn schedule(&self, put: &EntitlementToPut, year: Year) -> Option<Schedule> {
        let of = (put.kind, &put.stated, put.local);
        let schedule = schedules::first(self.cx, of, year, self.staged.received_on)?;
        Some(Schedule { waits: put.waits.clone(), ..schedule })
    }

    /// Orders whose year moved: their start is that of their earliest row, their rows run with the new year.
    async fn refit(&self, conn: &mut PgConnection, mut touched: Vec<OrderNo>) -> Result<()> {
        let moved: Vec<OrderNo> = self.moved.iter().copied().collect();
        if !moved.is_empty() {
            let held = self.orders.iter().filter(|(_, held)| !held.fixed);
            let held: HashMap<OrderNo, _> = held.map(|of| (of.1.membership_id, of)).collect();
            let mut puts = Vec::new();
            for (membership_id, starts_on) in intake::earliest_starts(conn, &moved).await? {
                let Some((order_id, held)) = held.get(&membership_id) else { continue };
                let (Some(offer), Some(purchased_on)) = (held.order.offer, held.order.purchased_on) else {
                    continue;
                };
                let year = Year::starting(starts_on, self.grace_days);
                puts.push(PutOrder {
                    membership_id,
                    partner_id: held.partner_id,
                    order_id: (*order_id).clone(),
                    offer,
                    purchased_on,
                    starts_on,
                    anniversary_on: year.anniversary_on,
                    status: year.status_on_arrival(self.staged.received_on),
                });
                touched.push(membership_id);
            }
            intake::put_orders(conn, &puts).await?;
        }
        if !touched.is_empty() {
            order::refit(conn, &touched, i32::try_from(self.grace_days).unwrap_or(i32::MAX)).await?;
            settlement::unsettle(conn, &touched, "D16").await?;
            settlement::unsettle_beside(conn, &touched).await?;
        }
        Ok(())
    }
}
