//! The currencies that partners account in, where they changed (D4).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    money::Currency,
    own_currency::{Stated, currency_on},
};

/// Before any change.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// From which day on a partner accounts in which currency.
pub type Changes = Vec<(NaiveDate, Currency)>;

/// What partners changed, in the order of the days; the first is what they had before. Of one that never did there is
/// nothing.
pub async fn changes(conn: &mut PgConnection, partner_ids: &[i64]) -> Result<HashMap<i64, Changes>> {
    let rows = sqlx::query!(
        "select partner_id, from_on, currency from partner_currency where partner_id = any($1)
         order by partner_id, from_on",
        partner_ids
    )
    .fetch_all(conn)
    .await?;
    let mut changes = HashMap::<i64, Changes>::new();
    for r in rows {
        if let Some(currency) = Currency::stored(&r.currency) {
            changes.entry(r.partner_id).or_default().push((r.from_on, currency));
        }
    }
    Ok(changes)
}

/// Takes in what a row states of a partner that had `before` so far; `None`: it is new. Says whether that changed
/// anything, and which currency the partner has by its latest change.
pub async fn put(
    conn: &mut PgConnection,
    file_id: i64,
    arrived_on: NaiveDate,
    partner_id: i64,
    before: Option<Currency>,
    stated: Stated,
) -> Result<(bool, Currency)> {
    let mut known = changes(conn, &[partner_id]).await?.remove(&partner_id).unwrap_or_default();
    let fresh = known.is_empty();
    if fresh {
        known.push((FIRST, before.unwrap_or(stated.currency)));
    }
    let Some(from_on) = stated.change(&known, arrived_on) else {
        return Ok((false, currency_on(stated.currency, &known, NaiveDate::MAX)));
    };
    let mut rows = if fresh { known.clone() } else { Changes::new() };
    rows.push((from_on, stated.currency));
    known.retain(|(on, _)| *on != from_on);
    known.push((from_on, stated.currency));
    known.sort_unstable();
    let (days, currencies): (Vec<NaiveDate>, Vec<String>) =
        rows.into_iter().map(|(on, currency)| (on, String::from(currency))).unzip();
    sqlx::query!(
        "insert into partner_currency (partner_id, from_on, currency, file_id)
         select $1, n.from_on, n.currency, $4 from unnest($2::date[], $3::text[]) as n (from_on, currency)
         on conflict (partner_id, from_on) do update set currency = excluded.currency, file_id = excluded.file_id",
        partner_id,
        &days,
        &currencies,
        file_id
    )
    .execute(conn)
    .await?;
    Ok((true, currency_on(stated.currency, &known, NaiveDate::MAX)))
}
