//! Hours and incidents in the ledger: granted once, drawn by requests, lapsed with their entitlement (R6, R7, D6).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{
    Error, Result,
    ledger::{UnitEntry, append_units},
};
use crate::domain::{
    benefit::{Benefit, Move, Unit},
    draw::{self, BookedUnits, Drawable, UnitTransfer},
    ledger::Account,
};

/// Draws are booked when their request arrives, which is outside any run.
const NO_RUN: i64 = 0;

/// Minutes or incidents that a request draws.
#[derive(Clone, Copy, Debug)]
pub struct UnitDraw {
    /// From which benefit.
    pub entitlement_id: i64,
    /// By which request.
    pub request_no: i64,
    /// On which day.
    pub on: NaiveDate,
    /// How many; more than zero.
    pub count: i64,
}

/// Books draws; what is drawn from is granted first if it was not, and if it has lapsed, the lapse is corrected.
pub async fn draw(conn: &mut PgConnection, draws: &[UnitDraw]) -> Result<()> {
    let mut of = HashMap::<i64, Vec<draw::Draw>>::new();
    for UnitDraw { entitlement_id, request_no, on, count } in draws {
        let draw = draw::Draw { request_no: *request_no, on: *on, count: *count };
        of.entry(*entitlement_id).or_default().push(draw);
    }
    let mut ids: Vec<i64> = of.keys().copied().collect();
    ids.sort_unstable();
    book(conn, NO_RUN, &ids, &of).await?;
    Ok(())
}

/// Of these entitlements, books what is missing of hours and incidents that have begun or ended: the grant, and the lapse
/// of what is left. Says how many entries that took. Others are left alone.
pub async fn settle(conn: &mut PgConnection, run_id: i64, entitlement_ids: &[i64]) -> Result<usize> {
    book(conn, run_id, entitlement_ids, &HashMap::new()).await
}

async fn book(
    conn: &mut PgConnection,
    run_id: i64,
    entitlement_ids: &[i64],
    draws: &HashMap<i64, Vec<draw::Draw>>,
) -> Result<usize> {
    let found = drawables(conn, entitlement_ids).await?;
    if found.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = found.iter().map(|one| one.entitlement_id).collect();
    let mut booked = booked(conn, &ids).await?;
    let (mut entries, mut stands, mut out) = (Vec::new(), Vec::new(), Vec::new());
    for one in &found {
        let booked = booked.remove(&one.entitlement_id).unwrap_or_default();
        let draws = draws.get(&one.entitlement_id).map_or(&[][..], Vec::as_slice);
        let left = draw::settle(&one.of, &booked, draws, &mut out);
        let stays = one.of.ended_on.is_none() && one.of.granted() > 0;
        stands.push((one.entitlement_id, one.partner_id, stays.then_some(left)));
        entries.extend(out.drain(..).map(|transfer| UnitEntry {
            entitlement_id: one.entitlement_id,
            partner_id: one.partner_id,
            kind: one.of.unit.kind(transfer.moved),
            period: one.of.period(),
            transfer,
        }));
    }
    append_units(conn, run_id, &entries).await?;
    put_stands(conn, &stands).await?;
    Ok(entries.len())
}

/// A benefit that is drawn from, and whose it is.
struct Found {
    entitlement_id: i64,
    partner_id: i64,
    of: Drawable,
}

/// Those of the entitlements that are drawn from.
async fn drawables(conn: &mut PgConnection, ids: &[i64]) -> Result<Vec<Found>> {
    let rows = sqlx::query!(
        "select entitlement_id, partner_id, benefit, quantity, starts_on, last_usable_on, ended_on from entitlement
         where entitlement_id = any($1)
           and (benefit like 'advisory_hours%' or benefit like 'product_support%'
                or benefit like 'signature_cloud_support%')
         order by entitlement_id",
        ids
    )
    .fetch_all(conn)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for r in rows {
        let unit = Benefit::parse(&r.benefit).and_then(|benefit| Unit::of(benefit.kind()));
        let unit = unit.ok_or_else(|| Error::Unknown { what: r.benefit.clone() })?;
        let of = Drawable {
            unit,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            starts_on: r.starts_on,
            last_usable_on: r.last_usable_on,
            ended_on: r.ended_on,
        };
        found.push(Found { entitlement_id: r.entitlement_id, partner_id: r.partner_id, of });
    }
    Ok(found)
}

/// What is booked of them.
async fn booked(conn: &mut PgConnection, ids: &[i64]) -> Result<HashMap<i64, Vec<BookedUnits>>> {
    let rows = sqlx::query!(
        r#"select transfer_id, entitlement_id, kind::text as "kind!", from_account::text as "from_account!",
                  to_account::text as "to_account!", effective_on, amount_minor, request_no, corrects, correction_no
           from (select distinct unnest($1::bigint[]) as id) asked
           cross join lateral (select * from transfer where entitlement_id = asked.id offset 0) booked
           where currency is null order by transfer_id"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    let mut booked = HashMap::<_, Vec<_>>::new();
    for r in rows {
        let unknown = || Error::Unknown { what: format!("transfer {}", r.transfer_id) };
        let transfer = UnitTransfer {
            moved: Move::of_kind(&r.kind).ok_or_else(unknown)?,
            from: Account::parse(&r.from_account).ok_or_else(unknown)?,
            to: Account::parse(&r.to_account).ok_or_else(unknown)?,
            on: r.effective_on,
            count: r.amount_minor,
            request_no: r.request_no,
            corrects: r.corrects.map(|id| (id, u32::try_from(r.correction_no).unwrap_or(0))),
        };
        booked
            .entry(r.entitlement_id)
            .or_default()
            .push(BookedUnits { transfer_id: r.transfer_id, transfer });
    }
    Ok(booked)
}

/// Keeps what is left of each beside the ledger; what has ended, and what has no limit, leaves the schedule.
async fn put_stands(conn: &mut PgConnection, stands: &[(i64, i64, Option<i64>)]) -> Result<()> {
    let gone: Vec<i64> = stands.iter().filter(|(_, _, left)| left.is_none()).map(|(id, ..)| *id).collect();
    if !gone.is_empty() {
        sqlx::query!("delete from credit_schedule where entitlement_id = any($1)", &gone)
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
            &ids,
            &partners,
            &lefts
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}
