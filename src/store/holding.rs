//! What partners and their groups hold already, as far as a new entitlement is measured by it (D12).

use std::collections::HashMap;

use sqlx::PgConnection;

use super::{Error, Result};
use crate::domain::{
    cap::{GroupSeats, Once, Seats},
    core_difference::{Beside, CoreRow},
    id::PartnerNo,
    money::{Amount, Currency},
};

/// The core rows of silver and gold of partners, by partner; what has ended as well.
pub async fn core_rows(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
) -> Result<HashMap<PartnerNo, Vec<CoreRow>>> {
    let rows = sqlx::query!(
        r#"select m.partner_id, m.order_id, (m.offer = 'gold') as "gold!", (m.status = 'cancelled') as "refunded!",
                  e.entitlement_id, e.membership_id, e.benefit, e.starts_on,
                  least(e.expires_on, m.anniversary_on - 1, e.ended_on) as "until!", e.ended_on, e.known_on, e.quantity,
                  e.amount_minor, e.currency
           from membership m join entitlement e using (membership_id)
           where m.partner_id = any($1) and m.offer in ('silver', 'gold') and e.benefit_type = 'core'"#,
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows {
        let currency = r.currency.as_deref().and_then(Currency::stored);
        found.entry(r.partner_id.into()).or_default().push(CoreRow {
            entitlement_id: r.entitlement_id.into(),
            membership_id: r.membership_id.into(),
            benefit: r.benefit,
            starts_on: r.starts_on,
            until: r.until,
            ended_on: r.ended_on,
            known_on: r.known_on,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            order_id: r.order_id.into(),
            gold: r.gold,
            refunded: r.refunded,
            amount: r.amount_minor.zip(currency).map(|(minor, currency)| Amount::new(minor, currency)),
        });
    }
    Ok(found)
}

/// The core benefits of partners' silver orders by partner and benefit; a refunded order never ran (D12).
pub async fn silver(
    conn: &mut PgConnection,
    partner_ids: &[PartnerNo],
) -> Result<HashMap<(PartnerNo, String), Vec<Beside>>> {
    let mut found = HashMap::<_, Vec<_>>::new();
    if partner_ids.is_empty() {
        return Ok(found);
    }
    let rows = sqlx::query!(
        r#"select m.partner_id, m.order_id, e.benefit, e.starts_on,
                  least(e.expires_on, m.anniversary_on - 1, e.ended_on) as "until!", e.amount_minor, e.quantity, e.currency
           from (select distinct id from unnest((select $1::bigint[])) as asked (id)) asked
           join membership m on m.partner_id = asked.id
           join entitlement e on e.membership_id = m.membership_id
           where m.offer = 'silver' and m.status <> 'cancelled' and e.benefit_type = 'core'
           order by e.starts_on, m.order_id"#,
        partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        let unknown = || Error::Unknown { what: format!("a currency of order {}", r.order_id) };
        let amount = r.amount_minor.zip(r.currency).map(|(unit, code)| {
            let minor = unit.saturating_mul(r.quantity.map_or(1, i64::from));
            Currency::stored(&code).map(|currency| Amount::new(minor, currency)).ok_or_else(unknown)
        });
        let beside = Beside {
            starts_on: r.starts_on,
            until: r.until,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            amount: amount.transpose()?,
            order_id: r.order_id.into(),
        };
        found.entry((r.partner_id.into(), r.benefit)).or_default().push(beside);
    }
    Ok(found)
}

/// Groups of partners, with what their caps count.
#[derive(Debug, Default)]
pub struct Groups {
    /// The group of a partner, and its country.
    pub of: HashMap<PartnerNo, (String, String)>,
    /// By group.
    pub groups: HashMap<String, GroupSeats>,
}

/// The groups of partners.
pub async fn groups(conn: &mut PgConnection, partner_ids: &[PartnerNo]) -> Result<Groups> {
    let rows = sqlx::query!(
        r#"select partner_id, partner_group(group_id, number) as "group!", country from partner
           where partner_id = any($1)"#,
        partner_ids as &[PartnerNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    let of: HashMap<_, _> = rows.into_iter().map(|r| (r.partner_id.into(), (r.group, r.country))).collect();
    let mut names: Vec<String> = of.values().map(|(group, _)| group.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut groups = HashMap::<String, GroupSeats>::new();
    let rows = sqlx::query!(
        r#"select partner_group(p.group_id, p.number) as "group!", p.country, e.entitlement_id as "entitlement_id!",
                  e.quantity, e.starts_on as "starts_on!", least(e.expires_on, m.anniversary_on - 1) as "until!",
                  p.partner_id, e.benefit as "benefit!", m.offer as "offer?",
                  (e.benefit_type = 'core') as "core!"
           from partner p
           cross join lateral (select * from entitlement
                               where partner_id = p.partner_id and benefit like 'visual_studio%' and ended_on is null
                               offset 0) e -- along its index, whatever is known of the tables
           cross join lateral (select * from membership where membership_id = e.membership_id offset 0) m
           where partner_group(p.group_id, p.number) = any($1)"#,
        &names
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        groups.entry(r.group).or_default().seats.push(Seats {
            entitlement_id: r.entitlement_id.into(),
            country: r.country,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()).unwrap_or(0),
            from: r.starts_on,
            until: r.until,
            once: Once::of(r.core, r.offer.as_deref(), r.partner_id.into(), &r.benefit),
        });
    }
    let rows = sqlx::query!(
        r#"select partner_group(p.group_id, p.number) as "group!", m.starts_on, m.anniversary_on - 1 as "until!"
           from partner p join membership m using (partner_id)
           where partner_group(p.group_id, p.number) = any($1) and m.offer = 'gold' and m.ended_on is null"#,
        &names
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        groups.entry(r.group).or_default().gold.push((r.starts_on, r.until));
    }
    Ok(Groups { of, groups })
}
