//! What excludes bulk credit in the night in which it is due (D14).

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{agreement::KnownExclusion, credit::Shape},
    jobs::engine::{Context, Result},
    store::{agreement, credit::Credit},
};

/// What stands against the bulk credit that is due, by partner; a night of monthly credit asks nothing (D14).
pub async fn against(
    cx: &Context,
    conn: &mut PgConnection,
    credits: &[Credit],
) -> Result<HashMap<i64, Vec<KnownExclusion>>> {
    let bulk = credits.iter().filter(|c| c.terms.shape == Shape::Bulk).map(|c| c.partner_id);
    let partners: Vec<i64> = bulk.collect::<BTreeSet<_>>().into_iter().collect();
    if partners.is_empty() {
        return Ok(HashMap::new());
    }
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    Ok(agreement::standing(conn, &cx.catalogue, &partners, grace_days).await?)
}
