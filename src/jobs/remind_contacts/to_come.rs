//! Credit that is granted before an end and ends with it: it is named with its value before it is granted (D10).

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;

use crate::{
    domain::{
        calendar::sub_days,
        id::{EntitlementNo, OrderNo, PartnerNo},
        notice::Stake,
    },
    jobs::engine::{Context, Result},
    store::{agreement, credit::of_entitlements, reminder},
};

/// What is to come of the credits of ends that come near.
#[derive(Debug, Default)]
pub struct CreditsToCome(Vec<(OrderNo, EntitlementNo, Stake)>);

impl CreditsToCome {
    /// Of a membership.
    pub fn of_membership(&self, membership_id: OrderNo) -> impl Iterator<Item = &Stake> {
        self.0.iter().filter(move |(of, _, _)| *of == membership_id).map(|(_, _, stake)| stake)
    }

    /// Of a benefit.
    pub fn of_entitlement(&self, entitlement_id: EntitlementNo) -> Vec<Stake> {
        let of = self.0.iter().filter(|(_, of, _)| *of == entitlement_id);
        of.map(|(_, _, stake)| stake.clone()).collect()
    }
}

/// Looks up what is to come of what is due: its amount is that of its file, which is converted when it is granted.
pub async fn to_come(cx: &Context, conn: &mut PgConnection, due: &reminder::Due) -> Result<CreditsToCome> {
    let credits = reminder::ending_credits(conn, &due.memberships, &due.entitlements).await?;
    if credits.is_empty() {
        return Ok(CreditsToCome::default());
    }
    let ids: Vec<EntitlementNo> = credits.iter().map(|credit| credit.entitlement_id).collect();
    let of: HashMap<EntitlementNo, _> =
        credits.into_iter().map(|credit| (credit.entitlement_id, credit)).collect();
    let credits = of_entitlements(conn, &ids, &cx.credit_policy()).await?;
    let partners: Vec<PartnerNo> =
        credits.iter().map(|c| c.partner_id).collect::<BTreeSet<_>>().into_iter().collect();
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let standing = agreement::standing(conn, &cx.catalogue, &partners, grace_days).await?;
    let mut all = Vec::new();
    for credit in credits {
        let against = standing.get(&credit.partner_id).map_or(&[][..], Vec::as_slice);
        let (Some(schedule), Some(of)) = (&credit.schedule, of.get(&credit.entitlement_id)) else { continue };
        let Some(last) = credit.terms.to_come(schedule, against, credit.known_on, cx.today) else { continue };
        // Of gold, less what silver holds back (D12).
        let brings = credit.terms.brings(last.period_no, last.period.from);
        if brings.minor <= 0 {
            continue;
        }
        let stake = Stake {
            benefit: of.benefit.clone(),
            period_no: i32::try_from(last.period_no).unwrap_or(i32::MAX),
            unspent: brings,
            last_usable_on: sub_days(last.period.until, 1),
            granted_on: Some(last.period.from),
            blocked: last.blocked,
        };
        all.push((of.membership_id, credit.entitlement_id, stake));
    }
    Ok(CreditsToCome(all))
}
