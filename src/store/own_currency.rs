//! The currencies that partners account in, where they changed (D4).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    id::{FileNo, PartnerNo},
    money::Currency,
    own_currency::StatedCurrency,
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
pub async fn changes(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
) -> Result<HashMap<PartnerNo, Changes>> {
    let rows = sqlx::query!(
        "select partner_id, from_on, currency from partner_currency where partner_id = any($1)
         order by partner_id, from_on",
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?;
    let mut changes = HashMap::<PartnerNo, Changes>::new();
    for r in rows {
        if let Some(currency) = Currency::stored(&r.currency) {
            changes.entry(r.partner_id.into()).or_default().push((r.from_on, currency));
        }
    }
    Ok(changes)
}

/// Takes what a row states into the changes of a partner that had `before` them; hands back those that are to be written.
pub fn take(
    changes: &mut Changes,
    before: Currency,
    stated: StatedCurrency,
    arrived_on: NaiveDate,
) -> Changes {
    let fresh = changes.is_empty();
    let mut known = if fresh { vec![(FIRST, before)] } else { changes.clone() };
    let Some(from_on) = stated.change(&known, arrived_on) else { return Changes::new() };
    known.retain(|(on, _)| *on != from_on);
    known.push((from_on, stated.currency));
    known.sort_unstable();
    changes.clone_from(&known);
    if fresh { known } else { vec![(from_on, stated.currency)] }
}

/// Writes changes of partners: whose, from which day on, which currency.
pub async fn put(
    conn: &mut PgConnection,
    file_id: FileNo,
    changes: &[(PartnerNo, NaiveDate, Currency)],
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let partners: Vec<PartnerNo> = changes.iter().map(|(partner_id, ..)| *partner_id).collect();
    let days: Vec<NaiveDate> = changes.iter().map(|(_, from_on, _)| *from_on).collect();
    let currencies: Vec<String> = changes.iter().map(|(.., currency)| String::from(*currency)).collect();
    sqlx::query!(
        "insert into overwritten (file_id, partner_id, subject_kind, subject_id, was)
         select $1, c.partner_id, 'partner_currency', c.partner_id, to_jsonb(c)
         from unnest($2::bigint[], $3::date[]) as n (partner_id, from_on) join partner_currency c using (partner_id, from_on)",
        file_id.get(),
        &partners as &[PartnerNo],
        &days
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into partner_currency (partner_id, from_on, currency, file_id)
         select n.partner_id, n.from_on, n.currency, $1
         from unnest($2::bigint[], $3::date[], $4::text[]) as n (partner_id, from_on, currency)
         on conflict (partner_id, from_on) do update set currency = excluded.currency, file_id = excluded.file_id",
        file_id.get(),
        &partners as &[PartnerNo],
        &days,
        &currencies
    )
    .execute(conn)
    .await?;
    Ok(())
}
