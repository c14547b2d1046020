//! Credit lapses unseen and memberships run out because nobody was told in time. So what is owed is decided apart
//! from sending it, once for ever by subject, kind and date (D10). A night's mail is read on the morning after, so
//! the days are counted from that morning: "last day today" is true when it is read.

use futures::future::FutureExt;
use sqlx::PgConnection;

use super::engine::{Context, Job, Result, Stage};
use crate::{
    domain::{
        calendar::{add_days, sub_days},
        money::{Amount, Currency},
        notice::{CreditAboutToLapse, EntitlementEnding, MembershipEnding, MembershipInGrace},
    },
    store::{
        notice::{self, NoticeSubject, Owed},
        reminder::{self, Days, Near},
        run::{Chunk, Counts},
        work::Rows,
    },
};

mod offers;

const NAME: &str = "remind_contacts";

/// The job.
pub const JOB: Job = Job {
    name: NAME,
    stages: &[Stage {
        covers: "partners, their offers that go live, and the notices they are owed",
        rows: Rows::Partners,
    }],
    plan: |cx, conn, _| {
        async move { Ok(reminder::partner_spans(conn, &days(cx), cx.today, cx.chunk_rows(NAME)).await?) }
            .boxed()
    },
    work: |cx, conn, chunk| work(cx, conn, chunk).boxed(),
    courier: false,
};

/// The dates that make something due on the morning after the business date.
fn days(cx: &Context) -> Days {
    let policy = &cx.policies.remind_contacts.policy;
    let morning = add_days(cx.today, 1);
    Days {
        ending: policy.ending_days.iter().map(|days| add_days(morning, *days)).collect(),
        grace: policy.grace_days_after.iter().map(|days| sub_days(morning, *days)).collect(),
        period_until: add_days(morning, policy.credit_lapse_days),
    }
}

async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk) -> Result<Counts> {
    let (days, morning) = (days(cx), add_days(cx.today, 1));
    let grace_days = cx.policies.expire_benefits.policy.grace_days;
    let owe = |subject, near: &Near, until, notice| Owed {
        partner_id: near.partner_id,
        subject,
        anchor_on: morning,
        true_until: Some(until),
        notice,
    };
    let mut owed = Vec::new();
    for near in reminder::ending_entitlements(conn, chunk.span, &days).await? {
        let (order_id, benefit) = (near.order_id.clone(), near.name.clone());
        let notice = EntitlementEnding { order_id, benefit, last_usable_on: near.on }.into();
        owed.push(owe(NoticeSubject::Entitlement(near.subject_id), &near, near.on, notice));
    }
    for near in reminder::ending_memberships(conn, chunk.span, &days).await? {
        let (last_day_on, renew_until) = (sub_days(near.on, 1), add_days(near.on, grace_days));
        let (order_id, offer) = (near.order_id.clone(), near.name.clone());
        let notice = MembershipEnding { order_id, offer, last_day_on, renew_until }.into();
        owed.push(owe(NoticeSubject::Membership(near.subject_id), &near, last_day_on, notice));
    }
    for near in reminder::in_grace(conn, chunk.span, &days).await? {
        let renew_until = add_days(near.on, grace_days);
        let (order_id, offer) = (near.order_id.clone(), near.name.clone());
        let notice = MembershipInGrace { order_id, offer, anniversary_on: near.on, renew_until }.into();
        owed.push(owe(NoticeSubject::Membership(near.subject_id), &near, renew_until, notice));
    }
    for credit in reminder::unspent(conn, chunk.span, &days).await? {
        let Some(currency) = Currency::stored(&credit.currency) else { continue };
        let last_usable_on = sub_days(credit.period_until, 1);
        owed.push(Owed {
            partner_id: credit.partner_id,
            subject: NoticeSubject::Entitlement(credit.entitlement_id),
            anchor_on: morning,
            true_until: Some(last_usable_on),
            notice: CreditAboutToLapse {
                order_id: credit.order_id,
                benefit: credit.benefit,
                unspent: Amount::new(credit.open_minor, currency),
                last_usable_on,
                unassigned: credit.unassigned,
            }
            .into(),
        });
    }
    let live = offers::work(cx, conn, chunk, &mut owed).await?;
    Ok(Counts::done(live + notice::owe(conn, chunk.run_id, &owed).await?))
}
