//! Renewals: events that the night of their date decides; the same order with other content is a conflict (D5, D16).

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::{
    domain::{
        id::{OrderId, PartnerId, PartnerNo},
        kinds::renewals::{self, RenewalRow},
        membership::{self, Year},
        reason::{Problem, Reason},
        request::OPERATOR,
        role::Action,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, asker, distinct, load, may, order_of, parse},
    },
    store::{
        directory::Directory,
        file::StagedRow,
        intake::{self, NewRenewal, RecordedRenewal, StoredOrder},
    },
};

/// The column of who asks.
const BY: &str = "requested_by";

/// What a span of renewals is decided against, and what it brings.
struct RenewalsSpan<'a> {
    cx: &'a Context,
    staged: &'a StagedFile,
    partners: HashMap<PartnerId, PartnerNo>,
    directory: Directory,
    /// The orders that rows name, as what is renewed and as what follows.
    orders: HashMap<OrderId, StoredOrder>,
    /// On record, by partner and order.
    known: HashMap<(PartnerNo, OrderId), RecordedRenewal>,
    new: Vec<NewRenewal<'a>>,
}

/// Records renewals, which take effect in the night of their date (D5).
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let parsed: Vec<_> = rows.iter().map(|row| parse(staged, row, renewals::parse)).collect();
    let understood: Vec<&RenewalRow> = parsed.iter().flatten().collect();
    let mut span = RenewalsSpan::load(cx, conn, staged, &understood).await?;
    let verdicts = rows
        .iter()
        .zip(&parsed)
        .map(|(StagedRow { line, .. }, parsed)| match parsed {
            Ok(row) => span.decide(row, *line),
            Err(problems) => Verdict::Rejected(problems.clone()),
        })
        .collect();
    intake::append_renewals(conn, staged.file_id, &span.new).await?;
    Ok(verdicts)
}

impl<'a> RenewalsSpan<'a> {
    async fn load(
        cx: &'a Context,
        conn: &mut PgConnection,
        staged: &'a StagedFile,
        rows: &[&'a RenewalRow],
    ) -> Result<Self> {
        let each = || rows.iter().copied();
        let partners = intake::partners(conn, &distinct(each(), |row| &row.partner_id)).await?;
        let partners: HashMap<PartnerId, PartnerNo> =
            partners.into_iter().map(|(number, (partner_id, _))| (number, partner_id)).collect();
        let named = |row: &&'a RenewalRow| {
            Some((*partners.get(&row.partner_id)?, asker(staged, row.requested_by.as_deref())?))
        };
        let named: Vec<(PartnerNo, &str)> = rows.iter().filter_map(named).collect();
        let askers = named.iter().copied().collect();
        let directory = load(conn, &named, &askers, &BTreeSet::new()).await?;
        let renewed = distinct(each(), |row| &row.order_id);
        let mut followed = distinct(each(), |row| &row.new_order_id);
        followed.extend_from_slice(&renewed);
        let orders = intake::lock_orders(conn, &followed).await?;
        let of_partners =
            rows.iter().filter_map(|row| Some((*partners.get(&row.partner_id)?, &row.order_id)));
        let known = intake::renewals(conn, &of_partners.collect::<Vec<_>>()).await?;
        Ok(Self { cx, staged, partners, directory, orders, known, new: Vec::new() })
    }

    /// Notes the renewal of a partner's order, or says why not.
    fn decide(&mut self, row: &'a RenewalRow, line: i32) -> Verdict {
        let known = self.partners.get(&row.partner_id).copied();
        let partner_id = match self.staged.admit(&row.partner_id, known) {
            Ok(partner_id) => partner_id,
            Err(problem) => return Verdict::Rejected(vec![problem]),
        };
        let asker = asker(self.staged, row.requested_by.as_deref());
        let by = asker
            .and_then(|named| self.directory.find(partner_id, named).ok())
            .map(|user| user.user_id.get());
        let content = json!({
            "renewed_on": row.renewed_on,
            "new_order_id": row.new_order_id,
            BY: by.map_or(OPERATOR.into(), Value::from),
        });
        let is_known = asker.is_none() || by.is_some();
        let key = (partner_id, row.order_id.clone());
        if let Some(earlier) = self.known.get(&key).filter(|_| is_known) {
            let conflicts = conflicts(row, &content, earlier);
            let same = conflicts.is_empty();
            return if same { Verdict::Unchanged(vec![]) } else { Verdict::Rejected(conflicts) };
        }
        // Who may buy may renew.
        let mut problems: Vec<Problem> =
            may(self.staged, &self.directory, partner_id, asker, Action::Buy).into_iter().collect();
        let order = match order_of(&self.orders, &row.order_id, partner_id) {
            Ok(order) => order,
            Err(problem) => {
                problems.insert(0, problem);
                return Verdict::Rejected(problems);
            }
        };
        problems.extend(self.problems(row, order));
        if !problems.is_empty() {
            return Verdict::Rejected(problems);
        }
        let requested_by = asker.unwrap_or(OPERATOR);
        self.known
            .insert(key, RecordedRenewal { content: content.clone(), requested_by: requested_by.to_owned() });
        self.new.push(NewRenewal {
            partner_id,
            order_id: &row.order_id,
            membership_id: order.membership_id,
            content,
            requested_by,
            renewed_on: row.renewed_on,
            line,
        });
        Verdict::Applied(vec![Problem::of_row(Reason::DecidedAtNight { night_of: self.staged.received_on })])
    }

    /// Everything that speaks against the renewal of an order (D5).
    fn problems(&self, row: &RenewalRow, order: &StoredOrder) -> Vec<Problem> {
        let received_on = self.staged.received_on;
        let grace_days = self.cx.policies.expire_benefits.policy.grace_days;
        let year = Year { starts_on: order.starts_on, anniversary_on: order.anniversary_on, grace_days };
        let on_day = |reason| Problem::at("renewed_on", &row.renewed_on.to_string(), reason);
        let mut problems = Vec::new();
        if row.renewed_on > received_on {
            let requested_on = Some(row.renewed_on);
            problems.push(on_day(Reason::RequestedInFuture { received_on, requested_on }));
        }
        problems.extend(year.check_renewal(row.renewed_on).err().map(on_day));
        let over = membership::over_before(year.grace_ends_on(), received_on);
        if let Some(ended_on) = order.ended_on.or_else(|| over.then(|| year.grace_ends_on())) {
            problems.push(Problem::at("order_id", row.order_id.as_str(), Reason::AlreadyEnded { ended_on }));
        }
        if self.orders.get(&row.new_order_id).is_some_and(|new| is_taken(new, order)) {
            problems.push(Problem::at("new_order_id", row.new_order_id.as_str(), Reason::NewOrderTaken));
        }
        problems
    }
}

/// Whether an order cannot renew `old`: it is another partner's or `old` itself, renews another already, has ended, or
/// began on its own before `old` could be renewed.
fn is_taken(new: &StoredOrder, old: &StoredOrder) -> bool {
    new.partner_id != old.partner_id
        || new.membership_id == old.membership_id
        || new.fixed
        || new.ended_on.is_some()
        || new.starts_on < old.anniversary_on
}

/// Every column in which a row differs from the renewal on record (D16). What was recorded before a row could say who asks
/// is the operator's.
fn conflicts(row: &RenewalRow, content: &Value, earlier: &RecordedRenewal) -> Vec<Problem> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let operator = Value::from(OPERATOR);
    ["renewed_on", "new_order_id", BY]
        .into_iter()
        .filter_map(|column| {
            let then = earlier.content.get(column).unwrap_or(&operator);
            let now = &content[column];
            let (value, expected) = match column {
                BY => (row.requested_by.clone().unwrap_or_default(), earlier.requested_by.clone()),
                _ => (text(now), text(then)),
            };
            let reason = Reason::ConflictsWithEarlier { column: column.to_owned(), expected };
            (then != now).then(|| Problem::at(column, &value, reason))
        })
        .collect()
}
