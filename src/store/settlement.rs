//! What is booked and used of entitlements, and which of them are to be settled: usage was not drawn yet, their order's year
//! moved (D16), or silver came or went beside gold (D12).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Error, Result, credit::spans, run::Span};
use crate::domain::{
    calendar::Period,
    id::{EntitlementNo, OrderNo, PartnerNo, UsageNo},
    ledger::{Account, Booked, EntryKind, FrozenRate, Transfer},
    money::{Amount, Currency},
    settlement::Usage,
};

/// Cuts the entitlements that are to be settled, and those with unsettled usage dated by `today`, into spans; the date of
/// their keys is `today`.
pub async fn usage_spans(conn: &mut PgConnection, today: NaiveDate, rows: i64) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select entitlement_id as "id!"
           from (select entitlement_id, row_number() over (order by entitlement_id) as nth
                 from due_usage($1)) due
           where (nth - 1) % $2 = 0 order by 1"#,
        today,
        rows
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// The entitlements of a span that are to be settled, or have unsettled usage dated by `today`.
pub async fn with_usage(conn: &mut PgConnection, span: Span, today: NaiveDate) -> Result<Vec<EntitlementNo>> {
    Ok(sqlx::query_scalar!(
        r#"select entitlement_id as "id!: EntitlementNo"
           from due_usage($1) where entitlement_id >= $2 and entitlement_id < $3 order by 1"#,
        today,
        span.from.1,
        span.until.1
    )
    .fetch_all(conn)
    .await?)
}

/// Those of the entitlements that are to be settled, or have unsettled usage dated by `today`: each is looked up by its key.
pub async fn with_open_usage(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
    today: NaiveDate,
) -> Result<Vec<EntitlementNo>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id!: EntitlementNo" from unnest((select $1::bigint[])) as asked (id)
           cross join lateral (select from credit_usage
                               where entitlement_id = id and not settled and used_on <= $2
                               union all
                               select from credit_unsettled
                               where entitlement_id = id and coalesce(due_on, $2) <= $2 limit 1) open
           order by 1"#,
        ids as &[EntitlementNo],
        today
    )
    .fetch_all(conn)
    .await?)
}

/// What is booked for these entitlements, by entitlement. Each is looked up by its key: without statistics a chunk would read
/// the whole ledger.
pub async fn booked(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<Vec<(EntitlementNo, Booked)>> {
    let rows = sqlx::query!(
        r#"select transfer_id, entitlement_id, kind::text as "kind!", from_account::text as "from_account!",
                  to_account::text as "to_account!", period_no, correction_no, period_from, period_until, effective_on,
                  amount_minor, currency as "currency!", usd_minor, rate_nano, rate_on, usage_id, corrects
           from (select distinct unnest($1::bigint[]) as id) asked
           cross join lateral (select * from transfer where entitlement_id = asked.id offset 0) booked
           where kind::text like 'credit%'
           order by entitlement_id, transfer_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    let mut booked = Vec::with_capacity(rows.len());
    for r in rows {
        let unknown = || Error::Unknown { what: format!("transfer {}", r.transfer_id) };
        let transfer = Transfer {
            kind: EntryKind::parse(&r.kind).ok_or_else(unknown)?,
            from: Account::parse(&r.from_account).ok_or_else(unknown)?,
            to: Account::parse(&r.to_account).ok_or_else(unknown)?,
            period_no: u32::try_from(r.period_no).map_err(|_| unknown())?,
            period: Period { from: r.period_from, until: r.period_until },
            effective_on: r.effective_on,
            amount: Amount::new(r.amount_minor, Currency::stored(&r.currency).ok_or_else(unknown)?),
            usd_minor: r.usd_minor,
            rate: r.rate_nano.zip(r.rate_on).map(|(nano, published_on)| FrozenRate { nano, published_on }),
            usage_id: r.usage_id.map(UsageNo::from),
            corrects: r.corrects.map(|id| (id, u32::try_from(r.correction_no).unwrap_or(0))),
        };
        booked.push((r.entitlement_id.into(), Booked { transfer_id: r.transfer_id, transfer }));
    }
    Ok(booked)
}

/// All usage of these entitlements dated by `today`, by entitlement; what was taken back is of nothing.
pub async fn usage(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
    today: NaiveDate,
) -> Result<Vec<(EntitlementNo, Usage)>> {
    let rows = sqlx::query!(
        r#"select entitlement_id, usage_id, reference, used_on,
                  case when withdrawn_at is null then amount_minor else 0 end as "amount_minor!", currency
           from (select distinct unnest($1::bigint[]) as id) asked
           cross join lateral (select * from credit_usage where entitlement_id = asked.id offset 0) used
           where used_on <= $2 order by entitlement_id, usage_id"#,
        ids as &[EntitlementNo],
        today
    )
    .fetch_all(conn)
    .await?;
    let mut usage = Vec::with_capacity(rows.len());
    for r in rows {
        let unknown = || Error::Unknown { what: format!("currency {} of usage {}", r.currency, r.usage_id) };
        let amount = Amount::new(r.amount_minor, Currency::stored(&r.currency).ok_or_else(unknown)?);
        let one = Usage { usage_id: r.usage_id.into(), reference: r.reference, used_on: r.used_on, amount };
        usage.push((r.entitlement_id.into(), one));
    }
    Ok(usage)
}

/// Marks usage as booked.
pub async fn mark_settled(conn: &mut PgConnection, usage_ids: &[UsageNo]) -> Result<()> {
    sqlx::query!(
        "update credit_usage set settled = true where usage_id = any($1) and not settled",
        usage_ids as &[UsageNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the year of orders moved: what is booked of their credits, hours and incidents is settled against it by the next
/// night (D16).
pub async fn unsettle(conn: &mut PgConnection, membership_ids: &[OrderNo], rule: &str) -> Result<()> {
    sqlx::query!(
        "insert into credit_unsettled (entitlement_id, partner_id, rule)
         select e.entitlement_id, e.partner_id, $2
         from unnest((select $1::bigint[])) as moved (id) join entitlement e on e.membership_id = moved.id
         where e.benefit like 'azure_monthly_credit%' or e.benefit like 'azure_bulk_credit%'
            or exists (select from credit_schedule s
                       where s.entitlement_id = e.entitlement_id and s.next_period_no > 0)
         on conflict (entitlement_id) do update set due_on = null",
        membership_ids as &[OrderNo],
        rule
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that orders of silver came, went or changed, or of gold: what is booked of gold's core benefits beside silver is
/// settled by the next night (D12). A month of credit that is not granted yet is decided when it is.
pub async fn unsettle_beside(conn: &mut PgConnection, membership_ids: &[OrderNo]) -> Result<()> {
    sqlx::query!(
        "insert into credit_unsettled (entitlement_id, partner_id, rule)
         select distinct g.entitlement_id, g.partner_id, 'D12'
         from (select distinct t.partner_id, t.membership_id, t.offer
               from unnest((select $1::bigint[])) as touched (id)
               join membership t on t.membership_id = touched.id where t.offer in ('silver', 'gold')) t
         join membership m on m.partner_id = t.partner_id
         join entitlement g on g.membership_id = m.membership_id
         left join credit_schedule c on c.entitlement_id = g.entitlement_id
         where m.offer = 'gold' and g.benefit_type = 'core' and (t.offer = 'silver' or t.membership_id = m.membership_id)
           and (g.benefit not like 'azure_monthly_credit%' or c.entitlement_id is null or c.next_period_no > 0)
           and exists (select from membership s join entitlement b on b.membership_id = s.membership_id
                       where s.partner_id = t.partner_id and s.offer = 'silver' and b.benefit = g.benefit
                         and b.benefit_type = 'core')
         on conflict (entitlement_id) do update set due_on = null",
        membership_ids as &[OrderNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of the entitlements that are to be settled by `today`, with the rule that says why.
pub async fn unsettled(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
    today: NaiveDate,
) -> Result<HashMap<EntitlementNo, String>> {
    let rows = sqlx::query!(
        "select entitlement_id, rule from credit_unsettled
         where entitlement_id = any($1) and coalesce(due_on, $2) <= $2",
        ids as &[EntitlementNo],
        today
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.entitlement_id.into(), r.rule)).collect())
}

/// These entitlements of these partners are settled, until a day on which more of what silver held back comes (D12).
pub async fn settled(
    conn: &mut PgConnection,
    done: &[(EntitlementNo, PartnerNo, Option<NaiveDate>)],
) -> Result<()> {
    let gone: Vec<EntitlementNo> =
        done.iter().filter(|(_, _, due)| due.is_none()).map(|(id, ..)| *id).collect();
    if !gone.is_empty() {
        sqlx::query!(
            "delete from credit_unsettled where entitlement_id = any($1)",
            &gone as &[EntitlementNo]
        )
        .execute(&mut *conn)
        .await?;
    }
    let (mut ids, mut partners, mut days) = (vec![], vec![], vec![]);
    for (id, partner_id, due) in done {
        if let Some(day) = due {
            ids.push(*id);
            partners.push(*partner_id);
            days.push(*day);
        }
    }
    if !ids.is_empty() {
        sqlx::query!(
            "insert into credit_unsettled (entitlement_id, partner_id, rule, due_on)
             select id, partner_id, 'D12', due_on from unnest($1::bigint[], $2::bigint[], $3::date[]) as n (id, partner_id, due_on)
             on conflict (entitlement_id) do update set rule = excluded.rule, due_on = excluded.due_on",
            &ids as &[EntitlementNo],
            &partners as &[PartnerNo],
            &days
        )
        .execute(conn)
        .await?;
    }
    Ok(())
}
