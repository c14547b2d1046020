//! What partners and their groups hold already, as far as a new entitlement is measured by it (D12).

use std::collections::HashMap;

use sqlx::PgConnection;

use super::Result;
use crate::domain::{
    cap::{GroupSeats, Seats},
    core_difference::CoreRow,
    money::{Amount, Currency},
};

/// The core rows of silver and gold of partners, by partner; what has ended as well.
pub async fn core_rows(conn: &mut PgConnection, partner_ids: &[i64]) -> Result<HashMap<i64, Vec<CoreRow>>> {
    let rows = sqlx::query!(
        r#"select m.partner_id, m.order_id, (m.offer = 'gold') as "gold!", (m.status = 'cancelled') as "refunded!",
                  e.entitlement_id, e.membership_id, e.benefit, e.starts_on,
                  least(e.expires_on, m.anniversary_on - 1, e.ended_on) as "until!", e.ended_on, e.known_on, e.quantity,
                  e.amount_minor, e.currency
           from membership m join entitlement e using (membership_id)
           where m.partner_id = any($1) and m.offer in ('silver', 'gold') and e.benefit_type = 'core'"#,
        partner_ids
    )
    .fetch_all(conn)
    .await?;
    let mut found = HashMap::<_, Vec<_>>::new();
    for r in rows {
        let currency = r.currency.as_deref().and_then(Currency::stored);
        found.entry(r.partner_id).or_default().push(CoreRow {
            entitlement_id: r.entitlement_id,
            membership_id: r.membership_id,
            benefit: r.benefit,
            starts_on: r.starts_on,
            until: r.until,
            ended_on: r.ended_on,
            known_on: r.known_on,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            order_id: r.order_id,
            gold: r.gold,
            refunded: r.refunded,
            amount: r.amount_minor.zip(currency).map(|(minor, currency)| Amount::new(minor, currency)),
        });
    }
    Ok(found)
}

/// Groups of partners, with what their caps count.
#[derive(Debug, Default)]
pub struct Groups {
    /// The group of a partner, and its country.
    pub of: HashMap<i64, (String, String)>,
    /// By group.
    pub groups: HashMap<String, GroupSeats>,
}

/// The groups of partners.
pub async fn groups(conn: &mut PgConnection, partner_ids: &[i64]) -> Result<Groups> {
    let rows = sqlx::query!(
        r#"select partner_id, partner_group(group_id, number) as "group!", country from partner
           where partner_id = any($1)"#,
        partner_ids
    )
    .fetch_all(&mut *conn)
    .await?;
    let of: HashMap<_, _> = rows.into_iter().map(|r| (r.partner_id, (r.group, r.country))).collect();
    let mut names: Vec<String> = of.values().map(|(group, _)| group.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut groups = HashMap::<String, GroupSeats>::new();
    let rows = sqlx::query!(
        r#"select partner_group(p.group_id, p.number) as "group!", p.country, e.entitlement_id, e.quantity, e.starts_on,
                  least(e.expires_on, m.anniversary_on - 1) as "until!"
           from partner p join membership m using (partner_id) join entitlement e using (membership_id)
           where partner_group(p.group_id, p.number) = any($1) and e.benefit like 'visual_studio%'
             and e.ended_on is null"#,
        &names
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        groups.entry(r.group).or_default().seats.push(Seats {
            entitlement_id: r.entitlement_id,
            country: r.country,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()).unwrap_or(0),
            from: r.starts_on,
            until: r.until,
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
