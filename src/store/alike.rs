//! Known identifiers that new ones are like: the same but for case, width, dashes or leading zeros.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::Result;
use crate::domain::id::{OrderId, PartnerId, PartnerNo};

/// Of these partners and orders those that are like another order of the same partner, with that.
pub async fn orders(
    conn: &mut PgConnection,
    orders: &[(PartnerNo, OrderId)],
) -> Result<HashMap<(PartnerNo, OrderId), OrderId>> {
    let of: Vec<i64> = orders.iter().map(|(partner_id, _)| partner_id.get()).collect();
    let order_ids: Vec<OrderId> = orders.iter().map(|(_, order_id)| order_id.clone()).collect();
    let rows = sqlx::query!(
        r#"select n.partner_id as "partner_id!: PartnerNo", n.order_id as "order_id!", m.order_id as "known!"
           from unnest($1::bigint[], $2::text[]) as n (partner_id, order_id)
           cross join lateral (select m.order_id from membership m
                               where m.partner_id = n.partner_id and alike(m.order_id) = alike(n.order_id)
                                 and m.order_id <> n.order_id limit 1) m"#,
        &of,
        &order_ids as &[OrderId]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.partner_id, row.order_id.into()), row.known.into())).collect())
}

/// Of these Partner IDs those that are like another one, with that.
pub async fn partners(
    conn: &mut PgConnection,
    numbers: &[PartnerId],
) -> Result<HashMap<PartnerId, PartnerId>> {
    let rows = sqlx::query!(
        r#"select n.number as "number!", p.number as "known!"
           from unnest($1::text[]) as n (number)
           cross join lateral (select p.number from partner p
                               where alike(p.number) = alike(n.number) and p.number <> n.number limit 1) p"#,
        numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.number.into(), row.known.into())).collect())
}
