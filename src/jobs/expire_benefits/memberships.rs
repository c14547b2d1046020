//! Memberships move on: pending, active, in grace, expired (D5).

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        id::OrderNo,
        membership::{Standing, Year},
        notice::MembershipEnded,
    },
    jobs::engine::{Context, Result},
    store::{
        notice::{self, NoticeSubject, Owed},
        order::{self, How},
        run::Chunk,
    },
};

/// Days of grace after a membership's last day.
pub fn grace(cx: &Context) -> i32 {
    i32::try_from(cx.policies.expire_benefits.policy.grace_days).unwrap_or(i32::MAX)
}

/// Moves the memberships of a span on, and owes word of those that expired. Says how many moved.
pub async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<usize> {
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let changing = order::changing(conn, chunk.span, cx.today, grace(cx)).await?;
    let ids: Vec<OrderNo> = changing.iter().map(|m| m.membership_id).collect();
    let known: HashMap<OrderNo, NaiveDate> = order::known_on(conn, &ids).await?.into_iter().collect();
    let (mut going, mut statuses) = (vec![], vec![]);
    let (mut expired, mut ended, mut owed) = (vec![], vec![], vec![]);
    for m in &changing {
        let year = Year { starts_on: m.starts_on, anniversary_on: m.anniversary_on, grace_days };
        let status = match year.standing(cx.today) {
            Standing::Pending => "pending",
            Standing::Active => "active",
            Standing::InGrace => "in_grace",
            Standing::Expired { ended_on } => {
                expired.push(m.membership_id);
                ended.push(ended_on);
                // Nothing that was over before its file arrived is mailed (D10).
                if known.get(&m.membership_id).is_some_and(|known_on| ended_on >= *known_on) {
                    owed.push(Owed {
                        partner_id: m.partner_id,
                        subject: NoticeSubject::Membership(m.membership_id),
                        anchor_on: ended_on,
                        true_until: None,
                        notice: MembershipEnded {
                            order_id: m.order_id.clone(),
                            offer: m.offer.clone().unwrap_or_default(),
                            ended_on,
                        }
                        .into(),
                    });
                }
                continue;
            }
        };
        going.push(m.membership_id);
        statuses.push(status.to_owned());
    }
    order::put_statuses(conn, &going, &statuses).await?;
    order::end_memberships(conn, &expired, &ended, How::Expired).await?;
    notice::owe(conn, chunk.run_id, &owed).await?;
    Ok(changing.len())
}
