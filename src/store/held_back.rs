//! What silver holds back of gold's core benefits, as a night sees it (D12).

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::Result;
use crate::domain::{
    core_difference::{Beside, units_on},
    held_back::Part,
    id::{EntitlementNo, OrderId, RunNo},
    reason::{Earliest, Reason},
};

/// Seats, incidents or hours of gold that have not ended.
#[derive(Clone, Copy, Debug)]
pub struct CountedBenefit<'a> {
    /// Whose.
    pub entitlement_id: EntitlementNo,
    /// How many of them.
    pub quantity: u32,
    /// Their first day.
    pub starts_on: NaiveDate,
    /// What silver brings beside them.
    pub beside: &'a [Beside],
    /// What is noted of them.
    pub noted: Option<&'a Reason>,
}

/// Notes what silver holds back from today on: each change is a version, and where nothing is left, a decision.
pub async fn note(
    conn: &mut PgConnection,
    run_id: RunNo,
    counted: impl Iterator<Item = CountedBenefit<'_>>,
    today: NaiveDate,
) -> Result<()> {
    let (mut ids, mut reasons, mut nothing) = (vec![], vec![], vec![]);
    for one in counted {
        let (left, reason) = units_on(one.quantity, one.beside, today.max(one.starts_on));
        if held(reason.as_ref()) == held(one.noted) {
            continue;
        }
        ids.push(one.entitlement_id);
        if left == 0 {
            nothing.extend(reason.clone().map(|reason| (one.entitlement_id, reason)));
        }
        reasons.push(reason.map(Json));
    }
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with changed as (
             update entitlement e set held_back = n.reason
             from unnest((select $1::bigint[]), (select $2::jsonb[])) as n (id, reason) where e.entitlement_id = n.id
             returning e.*
         )
         insert into entitlement_version (entitlement_id, version_no, partner_id, run_id, quantity, starts_on, expires_on,
             amount_minor, currency, competency, subscription_id, benefit_type, ended_on, ended_as)
         select e.entitlement_id, v.version_no + 1, e.partner_id, $3, quantity_left(e), e.starts_on, e.expires_on,
             e.amount_minor, e.currency, e.competency, e.subscription_id, e.benefit_type, e.ended_on, e.ended_as
         from changed e, lateral (select max(version_no) as version_no from entitlement_version v
                                  where v.entitlement_id = e.entitlement_id) v",
        &ids as &[EntitlementNo],
        reasons as _,
        run_id.get()
    )
    .execute(&mut *conn)
    .await?;
    decide(conn, run_id, today, &nothing).await
}

/// Of whom how much is held back until when: what a version is about.
fn held(reason: Option<&Reason>) -> Option<(&Part, &OrderId, NaiveDate)> {
    match reason {
        Some(Reason::HeldBack { held, order_id, until, .. }) => Some((held, order_id, *until)),
        _ => None,
    }
}

/// Records each benefit, or period of one, of which silver leaves nothing, with its reason.
pub async fn decide(
    conn: &mut PgConnection,
    run_id: RunNo,
    today: NaiveDate,
    held: &[(EntitlementNo, Reason)],
) -> Result<()> {
    if held.is_empty() {
        return Ok(());
    }
    let ids: Vec<EntitlementNo> = held.iter().map(|(id, _)| *id).collect();
    let reasons: Vec<Json<[Reason; 1]>> = held.iter().map(|(_, reason)| Json([reason.clone()])).collect();
    let earliest: Vec<Option<NaiveDate>> = held
        .iter()
        .map(|(_, reason)| match reason.earliest() {
            Earliest::On(day) => Some(day),
            Earliest::WhenCorrected | Earliest::Never => None,
        })
        .collect();
    sqlx::query!(
        "insert into decision (partner_id, subject_kind, subject, action, requested_by, outcome, reasons, earliest_on,
             decided_on, run_id)
         select e.partner_id, 'entitlement', m.order_id || '/' || e.benefit, 'grant', 'policy', 'refused', n.reasons,
                n.earliest_on, $4, $5
         from unnest($1::bigint[], $2::jsonb[], $3::date[]) with ordinality as n (id, reasons, earliest_on, nth)
         join entitlement e on e.entitlement_id = n.id join membership m on m.membership_id = e.membership_id
         order by n.nth",
        &ids as &[EntitlementNo],
        reasons as _,
        earliest as _,
        today,
        run_id.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}
