//! Hours and incidents in the ledger: granted once, drawn by requests, lapsed with their entitlement (R6, R7, D6).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::{
    Error, Result,
    held_back::{self, CountedBenefit},
    holding,
    ledger::{UnitEntry, append_units},
    settlement,
};
use crate::domain::{
    benefit::{Benefit, Move, Unit},
    calendar::Period,
    draw::{self, BookedUnits, Drawable, UnitTransfer},
    id::{EntitlementNo, PartnerNo, RequestNo, RunNo},
    ledger::Account,
    reason::Reason,
};

/// Minutes or incidents that a request draws.
#[derive(Clone, Copy, Debug)]
pub struct UnitDraw {
    /// From which benefit.
    pub entitlement_id: EntitlementNo,
    /// By which request.
    pub request_no: RequestNo,
    /// On which day.
    pub on: NaiveDate,
    /// How many; more than zero.
    pub count: i64,
}

/// Books draws; what is drawn from is granted first if it was not, and if it has lapsed, the lapse is corrected.
pub async fn draw(conn: &mut PgConnection, draws: &[UnitDraw]) -> Result<()> {
    let mut of = HashMap::<EntitlementNo, Vec<draw::Draw>>::new();
    for UnitDraw { entitlement_id, request_no, on, count } in draws {
        let draw = draw::Draw { request_no: *request_no, on: *on, count: *count };
        of.entry(*entitlement_id).or_default().push(draw);
    }
    let Some(last) = draws.iter().map(|draw| draw.on).max() else { return Ok(()) };
    let mut ids: Vec<EntitlementNo> = of.keys().copied().collect();
    ids.sort_unstable();
    let found = drawables(conn, &ids).await?;
    // Draws are booked when their request arrives, which is outside any run.
    book(conn, RunNo::default(), &found, &of, last).await?;
    Ok(())
}

/// Of these entitlements, books what is missing by `today` of hours and incidents that have begun or ended: what is granted, and
/// the lapse of what is left; and notes what silver holds back of these, and of seats (D12). Says how many entries that took.
/// Others are left alone.
pub async fn settle(
    conn: &mut PgConnection,
    run_id: RunNo,
    entitlement_ids: &[EntitlementNo],
    today: NaiveDate,
) -> Result<usize> {
    let found = drawables(conn, entitlement_ids).await?;
    bring_up(conn, run_id, &found, today).await
}

/// The same for those of which what silver leaves has changed by `today`, or whose order's year moved; notes when it changes
/// next (D12, D16).
pub async fn settle_beside(
    conn: &mut PgConnection,
    run_id: RunNo,
    ids: &[EntitlementNo],
    today: NaiveDate,
) -> Result<usize> {
    let found = drawables(conn, ids).await?;
    let entries = bring_up(conn, run_id, &found, today).await?;
    let next = found.iter().map(|one| (one.entitlement_id, one.partner_id, one.of.changes_after(today)));
    settlement::settled(conn, &next.collect::<Vec<_>>()).await?;
    Ok(entries)
}

async fn bring_up(
    conn: &mut PgConnection,
    run_id: RunNo,
    found: &[FoundBenefit],
    today: NaiveDate,
) -> Result<usize> {
    held_back::note(conn, run_id, found.iter().filter_map(FoundBenefit::counted), today).await?;
    book(conn, run_id, found, &HashMap::new(), today).await
}

async fn book(
    conn: &mut PgConnection,
    run_id: RunNo,
    found: &[FoundBenefit],
    draws: &HashMap<EntitlementNo, Vec<draw::Draw>>,
    today: NaiveDate,
) -> Result<usize> {
    let counted: Vec<(&FoundBenefit, Unit)> = found.iter().filter_map(|one| Some((one, one.unit?))).collect();
    if counted.is_empty() {
        return Ok(0);
    }
    let ids: Vec<EntitlementNo> = counted.iter().map(|(one, _)| one.entitlement_id).collect();
    let mut booked = booked(conn, &ids).await?;
    let (mut entries, mut stands, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for (one, unit) in counted {
        let booked = booked.remove(&one.entitlement_id).unwrap_or_default();
        let draws = draws.get(&one.entitlement_id).map_or(&[][..], Vec::as_slice);
        let left = draw::settle(&one.of, &booked, draws, today, &mut out);
        let began = one.of.starts_on <= today || !booked.is_empty() || !out.is_empty();
        let stays = one.of.ended_on.is_none() && one.of.quantity.is_some_and(|quantity| quantity > 0);
        if began || !stays {
            stands.push((one.entitlement_id, one.partner_id, stays.then_some(left)));
        }
        entries.extend(out.drain(..).map(|transfer| UnitEntry {
            entitlement_id: one.entitlement_id,
            partner_id: one.partner_id,
            kind: unit.kind(transfer.moved),
            transfer,
        }));
    }
    append_units(conn, run_id, &entries).await?;
    put_stands(conn, &stands).await?;
    Ok(entries.len())
}

/// A benefit that is counted, and whose it is.
struct FoundBenefit {
    entitlement_id: EntitlementNo,
    partner_id: PartnerNo,
    /// What is drawn from it; `None`: seats, or what else is counted.
    unit: Option<Unit>,
    of: Drawable,
    /// What is noted that silver holds back of it.
    held_back: Option<Reason>,
}

impl FoundBenefit {
    /// What silver may hold back of it.
    fn counted(&self) -> Option<CountedBenefit<'_>> {
        Some(CountedBenefit {
            entitlement_id: self.entitlement_id,
            quantity: self.of.quantity.filter(|_| self.of.ended_on.is_none())?,
            starts_on: self.of.starts_on,
            beside: &self.of.beside,
            noted: self.held_back.as_ref(),
        })
    }
}

/// Those of the entitlements that are drawn from, and the core benefits of gold, each found along its key whatever the database
/// knows of its tables.
async fn drawables(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<Vec<FoundBenefit>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, e.partner_id, e.benefit, e.quantity, e.starts_on, e.last_usable_on, e.ended_on,
                  least(e.expires_on, m.anniversary_on - 1) as "last_grant_on!",
                  (m.offer is not distinct from 'gold' and e.benefit_type = 'core') as "gold!",
                  e.held_back as "held_back: Json<Reason>"
           from (select distinct unnest($1::bigint[]) as id) asked
           cross join lateral (select * from entitlement where entitlement_id = asked.id offset 0) e
           cross join lateral (select * from membership where membership_id = e.membership_id offset 0) m
           where e.benefit not like 'azure%'
             and (m.offer = 'gold' and e.benefit_type = 'core'
                  or e.benefit like 'advisory_hours%' or e.benefit like 'product_support%'
                  or e.benefit like 'signature_cloud_support%')
           order by e.entitlement_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    let gold: Vec<PartnerNo> = rows.iter().filter(|r| r.gold).map(|r| r.partner_id.into()).collect();
    let silver = holding::silver(conn, &gold).await?;
    let mut found = Vec::with_capacity(rows.len());
    for r in rows {
        let benefit = Benefit::parse(&r.benefit).ok_or_else(|| Error::Unknown { what: r.benefit.clone() })?;
        let beside =
            silver.get(&(r.partner_id.into(), r.benefit)).filter(|_| r.gold).cloned().unwrap_or_default();
        let of = Drawable {
            unit: Unit::of(benefit.kind()).unwrap_or(Unit::Incidents),
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            starts_on: r.starts_on,
            last_usable_on: r.last_usable_on,
            last_grant_on: r.last_grant_on,
            ended_on: r.ended_on,
            beside,
        };
        found.push(FoundBenefit {
            entitlement_id: r.entitlement_id.into(),
            partner_id: r.partner_id.into(),
            unit: Unit::of(benefit.kind()),
            of,
            held_back: r.held_back.map(|Json(reason)| reason),
        });
    }
    Ok(found)
}

/// What is booked of them.
async fn booked(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
) -> Result<HashMap<EntitlementNo, Vec<BookedUnits>>> {
    let rows = sqlx::query!(
        r#"select transfer_id, entitlement_id, kind::text as "kind!", period_no, from_account::text as "from_account!",
                  to_account::text as "to_account!", period_from, period_until, effective_on, amount_minor, request_no,
                  corrects, correction_no
           from (select distinct unnest($1::bigint[]) as id) asked
           cross join lateral (select * from transfer where entitlement_id = asked.id offset 0) booked
           where currency is null order by transfer_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    let mut booked = HashMap::<_, Vec<_>>::new();
    for r in rows {
        let unknown = || Error::Unknown { what: format!("transfer {}", r.transfer_id) };
        let transfer = UnitTransfer {
            moved: Move::of_kind(&r.kind).ok_or_else(unknown)?,
            number: u32::try_from(r.period_no).map_err(|_| unknown())?,
            from: Account::parse(&r.from_account).ok_or_else(unknown)?,
            to: Account::parse(&r.to_account).ok_or_else(unknown)?,
            on: r.effective_on,
            count: r.amount_minor,
            request_no: r.request_no.map(RequestNo::from),
            corrects: r.corrects.map(|id| (id, u32::try_from(r.correction_no).unwrap_or(0))),
            period: Period { from: r.period_from, until: r.period_until },
            rule: None,
        };
        booked
            .entry(r.entitlement_id.into())
            .or_default()
            .push(BookedUnits { transfer_id: r.transfer_id, transfer });
    }
    Ok(booked)
}

/// Keeps what is left of each beside the ledger; what has ended, and what has no limit, leaves the schedule.
async fn put_stands(
    conn: &mut PgConnection,
    stands: &[(EntitlementNo, PartnerNo, Option<i64>)],
) -> Result<()> {
    let gone: Vec<EntitlementNo> =
        stands.iter().filter(|(_, _, left)| left.is_none()).map(|(id, ..)| *id).collect();
    if !gone.is_empty() {
        sqlx::query!("delete from credit_schedule where entitlement_id = any($1)", &gone as &[EntitlementNo])
            .execute(&mut *conn)
            .await?;
    }
    let (mut ids, mut partners, mut lefts) = (vec![], vec![], vec![]);
    for (id, partner_id, left) in stands {
        if let Some(left) = left {
            ids.push(*id);
            partners.push(*partner_id);
            lefts.push(*left);
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            "insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on, open_minor)
             select id, partner_id, 1, null, left_over
             from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as n (id, partner_id, left_over)
             on conflict (entitlement_id) do update set next_period_no = 1, next_on = null, open_minor = excluded.open_minor",
            &ids as &[EntitlementNo],
            &partners as &[PartnerNo],
            &lefts
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}
