//! What comes near its end: memberships, benefits, credit. Each step is told once, on the first night on which it is
//! due or past and still true; of several the most urgent, for which the others count as told (D10).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::to_come::{CreditsToCome, to_come};
use crate::{
    domain::{
        calendar::{add_days, sub_days},
        id::{EntitlementNo, OrderNo},
        notice::{CreditAboutToLapse, EntitlementEnding, MembershipEnding, MembershipInGrace, Notice, Stake},
        reminder::{after, before, due},
    },
    jobs::engine::{Context, Result},
    store::{
        notice::{NoticeSubject, Owed},
        reminder::{self, Days, NearEnd, NearMembership, OpenCredit, ReminderMark},
        run::Chunk,
    },
};

/// How long a step that was due stays looked for, if every night since has failed at it.
const OVERDUE_DAYS: u32 = 100;

/// The dates around the morning after the business date by which word may be due.
pub fn days(cx: &Context) -> Days {
    let policy = &cx.policies.remind_contacts.policy;
    let morning = add_days(cx.today, 1);
    let most = |days: &[u32]| days.iter().copied().max().unwrap_or_default();
    let ending = most(&policy.ending_days);
    let last = ending.max(most(&policy.bulk_lapse_days));
    Days {
        anniversaries: span(sub_days(morning, grace_days(cx)), add_days(morning, ending.saturating_add(1))),
        last_days: span(morning, add_days(morning, last)),
        period_ends: span(
            add_days(morning, 1),
            add_days(morning, policy.credit_lapse_days.saturating_add(1)),
        ),
        since: span(sub_days(morning, OVERDUE_DAYS), morning),
        activate_by_days: i32::try_from(cx.policies.expire_benefits.policy.activate_by_days)
            .unwrap_or(i32::MAX),
        closing: (morning, add_days(morning, policy.credit_lapse_days)),
    }
}

/// Days of grace after the anniversary date (D5).
fn grace_days(cx: &Context) -> u32 {
    cx.policies.expire_benefits.policy.grace_days
}

fn span(from: NaiveDate, through: NaiveDate) -> Vec<NaiveDate> {
    from.iter_days().take_while(|day| *day <= through).collect()
}

/// Adds what is owed at a span of partners, and notes that it was told.
pub async fn work(cx: &Context, conn: &mut PgConnection, chunk: &Chunk, owed: &mut Vec<Owed>) -> Result<()> {
    let days = days(cx);
    let found = reminder::due(conn, chunk.span, &days).await?;
    let to_come = to_come(cx, conn, &found).await?;
    let near = Nearing { cx, to_come, morning: add_days(cx.today, 1) };
    let memberships = reminder::memberships(conn, &found.memberships).await?;
    let marks: Vec<ReminderMark<_>> = memberships.iter().map(|m| near.membership(m, owed)).collect();
    reminder::mark_memberships(conn, &marks).await?;
    let endings = reminder::endings(conn, &found.entitlements).await?;
    let marks: Vec<ReminderMark<_>> = endings.iter().filter_map(|ending| near.ending(ending, owed)).collect();
    reminder::mark_entitlements(conn, &marks).await?;
    for missing in reminder::endings(conn, &found.missing).await? {
        near.missing(&missing, owed);
    }
    let credits = reminder::open_credits(conn, &found.credits).await?;
    let told: Vec<EntitlementNo> =
        credits.iter().filter(|open| near.period(open, owed)).map(|open| open.entitlement_id).collect();
    reminder::mark_credits(conn, &told).await?;
    for open in reminder::closing_credits(conn, chunk.span, &days).await? {
        near.credit(&open, sub_days(open.last_usable_on, near.lapse_days()), true, owed);
    }
    Ok(())
}

struct Nearing<'a> {
    cx: &'a Context,
    to_come: CreditsToCome,
    morning: NaiveDate,
}

impl Nearing<'_> {
    fn lapse_days(&self) -> u32 {
        self.cx.policies.remind_contacts.policy.credit_lapse_days
    }

    /// A membership's last day before grace, then its grace.
    fn membership(&self, m: &NearMembership, owed: &mut Vec<Owed>) -> ReminderMark<OrderNo> {
        let policy = &self.cx.policies.remind_contacts.policy;
        let anniversary_on = m.anniversary_on;
        let (last_day_on, renew_until) =
            (sub_days(anniversary_on, 1), add_days(anniversary_on, grace_days(self.cx)));
        let mut steps = before(last_day_on, &policy.ending_days);
        steps.extend(after(anniversary_on, &policy.grace_days_after));
        let (step, next_on) = due(&steps, self.morning);
        let mut owe = |anchor_on, until, notice: Notice| {
            owed.push(Owed {
                partner_id: m.partner_id,
                subject: NoticeSubject::Membership(m.membership_id),
                anchor_on,
                true_until: Some(until),
                notice,
            });
        };
        let (order_id, offer) = (m.order_id.clone(), m.offer.clone());
        let to_come = self.to_come.of_membership(m.membership_id);
        let at_stake = to_come.filter(|stake| stake.last_usable_on >= last_day_on).cloned().collect();
        match step {
            Some(step) if self.morning <= last_day_on => {
                let told = MembershipEnding { order_id, offer, last_day_on, renew_until, at_stake };
                owe(step, last_day_on, told.into());
            }
            Some(step) if step >= anniversary_on && self.morning <= renew_until => {
                let told = MembershipInGrace { order_id, offer, anniversary_on, renew_until, at_stake };
                owe(step, renew_until, told.into());
            }
            _ => {}
        }
        ReminderMark { subject: m.membership_id, of: anniversary_on, next_on }
    }

    /// A benefit that ends before its membership does, and bulk credit, whose last day is the benefit's. `None`: it is
    /// looked at again on the next night.
    fn ending(&self, ending: &NearEnd, owed: &mut Vec<Owed>) -> Option<ReminderMark<EntitlementNo>> {
        let policy = &self.cx.policies.remind_contacts.policy;
        let near = &ending.near;
        let steps = if ending.early { before(near.on, &policy.ending_days) } else { vec![] };
        let (step, mut next_on) = due(&steps, self.morning);
        if let Some(anchor_on) = step.filter(|_| self.morning <= near.on) {
            owed.push(ends(ending, anchor_on, self.to_come.of_entitlement(near.entitlement_id)));
        }
        if ending.bulk {
            let (step, next) = due(&before(near.on, &policy.bulk_lapse_days), self.morning);
            next_on = next_on.into_iter().chain(next).min();
            match (&ending.credit, step) {
                (Some(open), Some(anchor_on)) => self.credit(open, anchor_on, false, owed),
                // It may be granted, or given back, on any night.
                (None, Some(_)) => return None,
                (_, None) => {}
            }
        }
        Some(ReminderMark { subject: near.entitlement_id, of: near.on, next_on })
    }

    /// What a snapshot lacks: a benefit, and the credit that ends with it. It is looked at every night until then, since
    /// credit may be granted on any of them.
    fn missing(&self, ending: &NearEnd, owed: &mut Vec<Owed>) {
        let (policy, near) = (&self.cx.policies.remind_contacts.policy, &ending.near);
        if self.morning > near.on {
            return;
        }
        if let Some(anchor_on) = due(&before(near.on, &policy.ending_days), self.morning).0 {
            owed.push(ends(ending, anchor_on, vec![]));
        }
        let anchor_on = sub_days(near.on, self.lapse_days());
        if let Some(open) = ending.credit.as_ref().filter(|_| anchor_on <= self.morning) {
            self.credit(open, anchor_on, false, owed);
            if let Some(Owed { notice: Notice::CreditAboutToLapse(told), .. }) = owed.last_mut() {
                told.missing_as_of = ending.missing_as_of;
            }
        }
    }

    /// A credit's period. Says whether word of it was due.
    fn period(&self, open: &OpenCredit, owed: &mut Vec<Owed>) -> bool {
        let anchor_on = sub_days(open.last_usable_on, self.lapse_days());
        let is_due = anchor_on <= self.morning && self.morning <= open.last_usable_on;
        if is_due {
            self.credit(open, anchor_on, false, owed);
        }
        is_due
    }

    fn credit(&self, open: &OpenCredit, anchor_on: NaiveDate, closes: bool, owed: &mut Vec<Owed>) {
        if self.morning > open.last_usable_on {
            return;
        }
        owed.push(Owed {
            partner_id: open.partner_id,
            subject: NoticeSubject::Entitlement(open.entitlement_id),
            anchor_on,
            true_until: Some(open.last_usable_on),
            notice: CreditAboutToLapse {
                order_id: open.order_id.clone(),
                benefit: open.benefit.clone(),
                unspent: open.unspent,
                last_usable_on: open.last_usable_on,
                unassigned: open.unassigned,
                period_no: Some(open.period_no),
                ends: open.ends,
                closes,
                missing_as_of: None,
            }
            .into(),
        });
    }
}

/// Word that a benefit ends, due on a day.
fn ends(ending: &NearEnd, anchor_on: NaiveDate, at_stake: Vec<Stake>) -> Owed {
    let near = &ending.near;
    Owed {
        partner_id: near.partner_id,
        subject: NoticeSubject::Entitlement(near.entitlement_id),
        anchor_on,
        true_until: Some(near.on),
        notice: EntitlementEnding {
            order_id: near.order_id.clone(),
            benefit: near.name.clone(),
            last_usable_on: near.on,
            at_stake,
            missing_as_of: ending.missing_as_of,
        }
        .into(),
    }
}
