//! What is over must stop working on its day, neither a day early nor a month late, and what was renewed must not
//! be ended as lost. So each night renewals take effect first; then memberships enter grace or expire, and every
//! benefit past its last usable day ends: its assignments, its credit, once, in one transaction (D5, D6). Where the policy
//! says so, a credit that nobody was assigned to in time is closed as well (D11), and so is what a full snapshot of a partner
//! does not have (D16).

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::{
    domain::notice::EntitlementEnded,
    store::{
        notice::{self, NoticeSubject, Owed},
        order::{self, EndingEntitlement, How},
        request,
        run::{Chunk, Counts},
        work::Rows,
    },
};

use ending::end;
use memberships::grace;

mod early;
mod ending;
mod memberships;
pub mod policy;
mod renewal;

/// Renewals, then everything else.
const RENEWALS: i16 = 0;

const NAME: &str = "expire_benefits";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[
        Stage { covers: "renewals that take effect", rows: Rows::Requests("renew") },
        Stage {
            covers: "memberships that start, enter grace or expire, and benefits that end",
            rows: Rows::Memberships,
        },
    ],
    plan: |cx, conn, stage| {
        async move {
            let rows = cx.chunk_rows(NAME);
            Ok(match stage {
                RENEWALS => request::pending_spans(conn, "renew", cx.today, rows).await?,
                _ => order::ending_spans(conn, cx.today, grace(cx), early::activate_by(cx), rows).await?,
            })
        }
        .boxed()
    },
    work: |cx, conn, chunk| {
        if chunk.stage == RENEWALS {
            renewal::work(cx, conn, chunk).boxed()
        } else {
            work(cx, conn, chunk).boxed()
        }
    },
    courier: false,
};

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let lacked = early::missing(cx, conn, chunk).await?;
    let changed = memberships::work(cx, conn, chunk).await?;
    let over = order::over(conn, chunk.span, cx.today).await?;
    let endings: Vec<EndingEntitlement> = over
        .iter()
        .map(|e| EndingEntitlement {
            entitlement_id: e.entitlement_id,
            ended_on: e.last_usable_on,
            how: How::Expired,
        })
        .collect();
    end(cx, conn, chunk.run_id, &endings).await?;
    let closed = early::unassigned(cx, conn, chunk).await?;
    let told = over.into_iter().filter(|e| !e.with_membership && e.last_usable_on >= e.known_on);
    let owed: Vec<Owed> = told
        .map(|e| Owed {
            partner_id: e.partner_id,
            subject: NoticeSubject::Entitlement(e.entitlement_id),
            anchor_on: e.last_usable_on,
            true_until: None,
            notice: EntitlementEnded {
                missing_as_of: None,
                order_id: e.order_id,
                benefit: e.benefit,
                ended_on: e.last_usable_on,
                unassigned: false,
            }
            .into(),
        })
        .collect();
    notice::owe(conn, chunk.run_id, &owed).await?;
    Ok(Counts::done(lacked + changed + endings.len() + closed))
}
