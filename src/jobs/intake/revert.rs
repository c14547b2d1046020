//! What a file did is taken back, all of it or, where something was built on it, nothing (D16). Facts do not change meanwhile.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection};

use crate::{
    domain::{
        benefit::{Benefit, BenefitType, Offer},
        id::OrderNo,
        kinds::Kind,
        membership::Year,
        reversal::{BuiltOn, Hindrance},
    },
    jobs::engine::{Context, Result},
    store::{
        intake::{self, PutOrder},
        open_rates::{self, Reversal, WhichRates},
        order,
        reversal::{self, FileGroup, TakenBack, entitlements, events, people, snapshots},
        settlement,
        work::By,
    },
};

use super::schedules;

/// What became of taking a file back.
#[derive(Clone, Debug)]
pub enum Reverted {
    /// It is taken back, and what that came to; later files of its kind may have said the same.
    Done(TakenBack, Vec<String>),
    /// It changed nothing that is still there.
    Nothing,
    /// Something was built on what it did.
    Refused(Vec<Hindrance>),
    /// Grants count on its rates: how many, the first ones by their entitlement and period.
    Granted(Vec<String>, i64),
}

/// Takes a file back; in a dry run whoever calls rolls back.
///
/// # Errors
/// The store's.
pub async fn revert(
    cx: &Context,
    conn: &mut PgConnection,
    group: &FileGroup,
    by: By<'_>,
) -> Result<Reverted> {
    let mut tx = conn.begin().await?;
    let Some(kind) = group.kind() else { return Ok(Reverted::Nothing) };
    if kind == Kind::Rates {
        let which = WhichRates::OfFile { sha256: group.sha256.clone(), name: group.name.clone() };
        return Ok(match open_rates::revert(&mut tx, &which, by).await? {
            Reversal::Nothing => Reverted::Nothing,
            Reversal::Granted(grants, count) => {
                let named = grants.into_iter();
                let line = |of: open_rates::CountingGrant| {
                    format!(
                        "{} {}/{}: the period from {}",
                        of.partner, of.order_id, of.benefit, of.period_from
                    )
                };
                Reverted::Granted(named.map(line).collect(), count)
            }
            Reversal::Done { rates, .. } => {
                let removed = usize::try_from(rates).unwrap_or(usize::MAX);
                tx.commit().await?;
                Reverted::Done(TakenBack { removed, ..TakenBack::default() }, vec![])
            }
        });
    }
    if group.applied == 0 && !snapshots::any(&mut tx, group).await? {
        return Ok(Reverted::Nothing);
    }
    let mut taken = TakenBack::default();
    let hindrances = of_kind(cx, &mut tx, group, kind, &mut taken).await?;
    if !hindrances.is_empty() {
        return Ok(Reverted::Refused(hindrances));
    }
    if taken.all() == 0 {
        return Ok(Reverted::Nothing);
    }
    let same = reversal::said_the_same(&mut tx, group).await?;
    reversal::record(&mut tx, group, &taken, cx.arrived_on, by).await?;
    tx.commit().await?;
    Ok(Reverted::Done(taken, same))
}

/// Takes back what a file of a kind did, or says what stands against it.
async fn of_kind(
    cx: &Context,
    conn: &mut PgConnection,
    group: &FileGroup,
    kind: Kind,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let on = cx.arrived_on;
    // Of these it is kept beside them how they stood before.
    let overwrites = matches!(kind, Kind::Partners | Kind::Users | Kind::Agreements | Kind::Keys);
    if overwrites && !group.keeps_changes {
        return Ok(vec![not_kept(group)]);
    }
    let hindrances = match kind {
        Kind::Entitlements => return entitlements(cx, conn, group, taken).await,
        Kind::Partners => people::partners(conn, group, on, taken).await?,
        Kind::Users => people::users(conn, group, on, taken).await?,
        Kind::Contacts => events::contacts(conn, group, on, taken).await?,
        Kind::Agreements => events::agreements(conn, group, on, taken).await?,
        Kind::CreditUsage => events::usage(conn, group, on, taken).await?,
        Kind::Keys => events::keys(conn, group, on, taken).await?,
        Kind::Renewals
        | Kind::Assignments
        | Kind::KeyRequests
        | Kind::Activations
        | Kind::ServiceRequests => events::requests(conn, group, on, taken).await?,
        Kind::Rates => vec![],
    };
    Ok(hindrances)
}

fn not_kept(group: &FileGroup) -> Hindrance {
    Hindrance {
        partner: group.partner.clone().unwrap_or_default(),
        subject: group.name.clone(),
        built: BuiltOn::NotKept,
        what: "how things stood before it".to_owned(),
        on: None,
    }
}

/// Takes entitlements back, and with them what their orders began and ran by.
async fn entitlements(
    cx: &Context,
    conn: &mut PgConnection,
    group: &FileGroup,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let mut against = entitlements::against(conn, group).await?;
    against.extend(snapshots::against(conn, group).await?);
    if !against.is_empty() {
        return Ok(against);
    }
    let before = entitlements::orders(conn, group).await?;
    // While they are there: gold is settled beside what silver brings (D12).
    let beside = before.iter().filter(|order| matches!(order.offer, Some(Offer::Silver | Offer::Gold)));
    let beside: Vec<OrderNo> = beside.map(|order| order.membership_id).collect();
    settlement::unsettle_beside(conn, &beside).await?;
    let restored = entitlements::take_back(conn, group, cx.arrived_on, taken).await?;
    snapshots::take_back(conn, group, cx.arrived_on, taken).await?;

    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let left = entitlements::orders_again(conn, &before).await?;
    let empty: Vec<OrderNo> =
        left.iter().filter(|order| order.earliest.is_none()).map(|order| order.membership_id).collect();
    let mut years = HashMap::new();
    let (mut puts, mut touched) = (Vec::new(), Vec::new());
    for order in &left {
        let Some(earliest) = order.earliest else { continue };
        touched.push(order.membership_id);
        let (Some(offer), Some(purchased_on)) = (order.offer, order.purchased_on) else { continue };
        let stands = Year { starts_on: order.starts_on, anniversary_on: order.anniversary_on, grace_days };
        if order.fixed || earliest == order.starts_on {
            years.insert(order.membership_id, stands);
            continue;
        }
        let year = Year::starting(earliest, grace_days);
        years.insert(order.membership_id, year);
        puts.push(PutOrder {
            membership_id: order.membership_id,
            partner_id: order.partner_id,
            order_id: order.order_id.clone(),
            offer,
            purchased_on,
            starts_on: year.starts_on,
            anniversary_on: year.anniversary_on,
            status: year.status_on_arrival(cx.arrived_on),
        });
    }
    intake::put_orders(conn, &puts).await?;
    order::refit(conn, &touched, i32::try_from(grace_days).unwrap_or(i32::MAX)).await?;
    let schedules = restored.iter().filter(|of| !of.booked).map(|of| {
        let year = years.get(&of.membership_id).copied();
        let kind = Benefit::parse(&of.benefit).map(|benefit| benefit.kind());
        let schedule = kind
            .zip(year)
            .and_then(|(kind, year)| schedules::first(cx, (kind, &of.stated, of.local), year, of.known_on));
        (of.entitlement_id, schedule)
    });
    entitlements::reschedule(conn, &schedules.collect::<Vec<_>>()).await?;
    let core = |of: &&entitlements::Restored| of.stated.benefit_type == BenefitType::Core.name();
    let changed: Vec<OrderNo> = restored.iter().filter(core).map(|of| of.membership_id).collect();
    settlement::unsettle_beside(conn, &changed).await?;
    let moved: Vec<OrderNo> = puts.iter().map(|put| put.membership_id).collect();
    settlement::unsettle(conn, &moved, "D16").await?;
    entitlements::remove_orders(conn, group, &empty, cx.arrived_on).await?;
    Ok(vec![])
}
