//! What a chunk writes of credit: entries, where entitlements stand, and the notices that follow from them.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{context::Context, error::Result};
use crate::{
    domain::{
        credit::{Schedule, Shape},
        id::{EntitlementNo, PartnerNo, RunNo, UsageNo},
        ledger::{EntryKind, Transfer},
        notice::CreditLapsedUnassigned,
        own_currency::Exchange,
        settlement::{self, Settled, SettlementFacts},
    },
    jobs::provision_credits::policy::Backdate,
    store::{
        credit::{Credit, Lapse, open_schedules, put_schedules, unassigned},
        ledger::{CreditEntry, append_credit},
        notice::{self, NoticeSubject, Owed},
        settlement::{booked, mark_settled, settled, unsettled, usage},
    },
};

/// Settles whole entitlements: what all their facts say, against what is booked.
pub async fn settle(
    cx: &Context,
    conn: &mut PgConnection,
    credits: &[Credit],
) -> Result<(Booking, HashMap<EntitlementNo, Settled>)> {
    settle_by(cx, conn, credits, |_| cx.today).await
}

/// The same, but closes of each only what is over by its day.
pub async fn settle_by(
    cx: &Context,
    conn: &mut PgConnection,
    credits: &[Credit],
    day: impl Fn(&Credit) -> NaiveDate,
) -> Result<(Booking, HashMap<EntitlementNo, Settled>)> {
    let ids: Vec<EntitlementNo> = credits.iter().map(|c| c.entitlement_id).collect();
    let mut entries = HashMap::<_, Vec<_>>::new();
    for (id, entry) in booked(conn, &ids).await? {
        entries.entry(id).or_default().push(entry);
    }
    let mut used = HashMap::<_, Vec<_>>::new();
    for (id, usage) in usage(conn, &ids, cx.today).await? {
        used.entry(id).or_default().push(usage);
    }
    let moved = unsettled(conn, &ids, cx.today).await?;
    let rates = cx.rates(conn).await?;
    let from_import = cx.policies.provision_credits.policy.backdate == Backdate::FromImport;
    let (mut booking, mut found, mut out) = (Booking::default(), HashMap::new(), Vec::new());
    for credit in credits {
        let id = credit.entitlement_id;
        let booked = entries.remove(&id).unwrap_or_default();
        let usage = used.remove(&id).unwrap_or_default();
        let terms = credit.terms.as_booked(&booked);
        let mut schedule = credit.schedule.clone();
        let rule = moved.get(&id);
        let first = Schedule::new(&terms, from_import.then_some(credit.known_on));
        if rule.is_some() && (schedule.is_some() || terms.ended.is_none()) {
            schedule = Some(settlement::reschedule(&terms, schedule.as_ref(), &booked, &first, cx.today));
        }
        let facts = SettlementFacts {
            schedule: schedule.as_ref(),
            booked: &booked,
            usage: &usage,
            moved: rule.is_some(),
            first: first.next_period,
            exchange: Exchange { rates, changes: &credit.changes },
            today: day(credit),
        };
        let settled = settlement::settle(&terms, &facts, &mut out);
        let mut reopened = false;
        if let Some(schedule) = schedule {
            // Of bulk credit, all that it came in is open.
            let open = schedule.next_period.checked_sub(1);
            let found = settled.open.iter().filter(|(no, _)| Some(*no) == open || terms.shape == Shape::Bulk);
            let open_minor = found.fold(0_i64, |sum, (_, amount)| sum.saturating_add(amount.minor));
            reopened = open_minor > 0 && open.is_some_and(|no| settlement::was_closed(no, &booked));
            let more = terms.ended.is_none() || terms.grants(schedule.next_period);
            let any = !booked.is_empty() || !out.is_empty();
            let scheme = schedule.scheme.or(terms.scheme().filter(|_| any));
            let after = more.then_some(Schedule { open_minor, scheme, ..schedule });
            if after.is_some() && credit.schedule.is_none() {
                booking.opened.push((id, credit.partner_id));
            }
            booking.stands.push((id, after));
        }
        booking.settled.extend(&settled.usage_ids);
        if let Some(rule) = rule {
            // A period that is open again closes by a correction of the entry that closed it, and a grant that is missing and
            // waits for its rate is looked at again: both are settled until then.
            if !reopened && settled.waits.is_none() {
                let opens_on = settlement::opens_on(&terms, &booked);
                // What is not granted yet is looked at as soon as it is.
                let after = if booked.is_empty() { opens_on } else { day(credit) };
                let next = terms.next_part_on(opens_on, after).filter(|_| terms.comes_in_parts());
                booking.moved.push((id, credit.partner_id, next));
            }
            booking.corrected(credit, rule, &mut out);
        }
        booking.add(credit, &mut out);
        found.insert(id, settled);
    }
    Ok((booking, found))
}

/// What a chunk is about to write.
#[derive(Debug, Default)]
pub struct Booking {
    /// Transfers, in order.
    pub entries: Vec<CreditEntry>,
    /// Where entitlements stand afterwards.
    pub stands: Vec<(EntitlementNo, Option<Schedule>)>,
    settled: Vec<UsageNo>,
    /// Entitlements that are to stand in the schedule again, and whose they are.
    opened: Vec<(EntitlementNo, PartnerNo)>,
    /// Entitlements whose year moved, and whose they are: they are settled with this, until the next part of bulk credit
    /// comes that silver held back.
    moved: Vec<(EntitlementNo, PartnerNo, Option<NaiveDate>)>,
}

impl Booking {
    /// Takes what was decided for one entitlement.
    pub fn add(&mut self, credit: &Credit, out: &mut Vec<Transfer>) {
        let (entitlement_id, partner_id) = (credit.entitlement_id, credit.partner_id);
        self.entries.extend(out.drain(..).map(|transfer| CreditEntry {
            entitlement_id,
            partner_id,
            transfer,
            rule: None,
        }));
    }

    /// Takes what settles an entitlement anew: its corrections say by which rule.
    fn corrected(&mut self, credit: &Credit, rule: &str, out: &mut Vec<Transfer>) {
        let (entitlement_id, partner_id) = (credit.entitlement_id, credit.partner_id);
        self.entries.extend(out.drain(..).map(|transfer| {
            let late = transfer.corrects.is_some() || transfer.kind == EntryKind::CreditGranted;
            let rule = late.then(|| rule.to_owned());
            CreditEntry { entitlement_id, partner_id, transfer, rule }
        }));
    }

    /// Entries, where everybody stands, and a notice for each credit lost for want of an assignment (D3, D10).
    pub async fn write(self, conn: &mut PgConnection, run_id: RunNo, credits: &[Credit]) -> Result<()> {
        append_credit(conn, run_id, &self.entries).await?;
        open_schedules(conn, &self.opened).await?;
        put_schedules(conn, &self.stands).await?;
        settled(conn, &self.moved).await?;
        mark_settled(conn, &self.settled).await?;
        let known: HashMap<EntitlementNo, _> = credits.iter().map(|c| (c.entitlement_id, c)).collect();
        let lapsed: Vec<&CreditEntry> = self
            .entries
            .iter()
            .filter(|e| e.transfer.kind == EntryKind::CreditLapsed && e.transfer.corrects.is_none())
            .filter(|e| {
                known.get(&e.entitlement_id).is_some_and(|credit| e.transfer.effective_on >= credit.known_on)
            })
            .collect();
        let periods: Vec<Lapse> = lapsed
            .iter()
            .map(|e| Lapse { entitlement_id: e.entitlement_id, period: e.transfer.period })
            .collect();
        let mut owed = Vec::new();
        for lost in unassigned(conn, &periods).await? {
            let CreditEntry { entitlement_id, partner_id, transfer: t, .. } = lapsed[lost.at];
            let after = t.period_no.saturating_add(1);
            let terms = known.get(entitlement_id).map(|credit| &credit.terms);
            owed.push(Owed {
                partner_id: *partner_id,
                subject: NoticeSubject::Entitlement(*entitlement_id),
                anchor_on: t.effective_on,
                true_until: None,
                notice: CreditLapsedUnassigned {
                    order_id: lost.order_id,
                    benefit: lost.benefit,
                    lost: t.amount,
                    period_from: lost.usable_from,
                    period_until: t.period.until,
                    over: lost.over,
                    next: terms.filter(|terms| terms.grants(after)).map(|terms| terms.period(after)),
                }
                .into(),
            });
        }
        notice::owe(conn, run_id, &owed).await?;
        Ok(())
    }
}
