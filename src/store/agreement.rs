//! Agreements of partners, and what stands against bulk credit (R2, D14).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    agreement::{Exclusion, KnownExclusion},
    catalogue::Catalogue,
    id::{FileNo, OrderId, PartnerNo},
};

/// An agreement as it is stored, or as a row states it.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// Whose.
    pub partner_id: PartnerNo,
    /// Its name.
    pub name: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Last day; `None`: until further notice.
    pub valid_until: Option<NaiveDate>,
    /// The line it came from.
    pub line: i32,
}

/// The agreements of partners.
pub async fn of_partners(conn: &mut PgConnection, partner_ids: &[PartnerNo]) -> Result<Vec<Agreement>> {
    Ok(sqlx::query_as!(
        Agreement,
        "select partner_id, name, valid_from, valid_until, line from agreement where partner_id = any($1)",
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?)
}

/// Records agreements, and the ends of those that had none, of which it is kept how they were.
pub async fn put(
    conn: &mut PgConnection,
    file_id: FileNo,
    known_on: NaiveDate,
    agreements: &[Agreement],
) -> Result<()> {
    let partner_ids: Vec<PartnerNo> = agreements.iter().map(|a| a.partner_id).collect();
    let names: Vec<String> = agreements.iter().map(|a| a.name.clone()).collect();
    let from: Vec<NaiveDate> = agreements.iter().map(|a| a.valid_from).collect();
    let until: Vec<Option<NaiveDate>> = agreements.iter().map(|a| a.valid_until).collect();
    let lines: Vec<i32> = agreements.iter().map(|a| a.line).collect();
    sqlx::query!(
        "insert into overwritten (file_id, partner_id, subject_kind, subject_id, was)
         select $1, a.partner_id, 'agreement', a.agreement_id, to_jsonb(a)
         from unnest($2::bigint[], $3::text[], $4::date[]) as n (partner_id, name, valid_from)
         join agreement a using (partner_id, name, valid_from)",
        file_id.get(),
        &partner_ids as &[PartnerNo],
        &names,
        &from
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into agreement (partner_id, name, valid_from, valid_until, known_on, file_id, line)
         select n.partner_id, n.name, n.valid_from, n.valid_until, $6, $7, n.line
         from unnest($1::bigint[], $2::text[], $3::date[], $4::date[], $5::int[])
              as n (partner_id, name, valid_from, valid_until, line)
         on conflict (partner_id, name, valid_from) do update set valid_until = excluded.valid_until",
        &partner_ids as &[PartnerNo],
        &names,
        &from,
        until as _,
        &lines,
        known_on,
        file_id.get()
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What stands against bulk credit of partners, as the catalogue lists it: their agreements, and their Action Pack orders
/// through their grace (D14).
pub async fn standing(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    partner_ids: &[PartnerNo],
    grace_days: u32,
) -> Result<HashMap<PartnerNo, Vec<KnownExclusion>>> {
    let rows = sqlx::query!(
        r#"select partner_id as "partner_id!", name as "name!", valid_from as "from!", valid_until as until,
                  known_on as "known_on!"
           from agreement where partner_id = any($1)
           union all
           select m.partner_id, 'action_pack', m.starts_on, coalesce(m.ended_on, m.anniversary_on + $2::int),
                  coalesce((select min(e.known_on) from entitlement e where e.membership_id = m.membership_id), m.starts_on)
           from membership m where m.partner_id = any($1) and m.offer = 'action_pack'
             and (m.ended_on is null or m.ended_on >= m.starts_on)"#,
        partner_ids as &[PartnerNo],
        i32::try_from(grace_days).unwrap_or(i32::MAX)
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows.into_iter().filter(|r| catalogue.excludes_bulk(&r.name)) {
        let exclusion = Exclusion { name: r.name, from: r.from, until: r.until };
        found
            .entry(r.partner_id.into())
            .or_default()
            .push(KnownExclusion { exclusion, known_on: r.known_on });
    }
    Ok(found)
}

/// Bulk credit that was granted and has not ended.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: String,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day, grace included.
    pub last_usable_on: NaiveDate,
}

/// The bulk credit of partners that was granted and has not ended.
pub async fn granted(conn: &mut PgConnection, partner_ids: &[PartnerNo]) -> Result<Vec<Granted>> {
    Ok(sqlx::query_as!(
        Granted,
        r#"select m.partner_id, m.order_id, e.benefit, e.starts_on,
                  least(e.last_usable_on, e.missing_until) as "last_usable_on!"
         from membership m join entitlement e using (membership_id)
         where m.partner_id = any($1) and e.benefit like 'azure_bulk_credit%' and e.ended_on is null
           and exists (select from transfer t where t.entitlement_id = e.entitlement_id and t.kind = 'credit_granted')
         order by m.order_id, e.benefit"#,
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?)
}
