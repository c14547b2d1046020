//! What was ruled, written: requests, decisions, and what accepted ones do.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        benefit::BenefitKind,
        book::{Book, Effect, Held},
        id::{EntitlementNo, FileNo, OrderNo, PartnerNo, RequestNo, UserNo},
        reason::{Earliest, Problem, Reason, earliest},
        request::{Asked, Outcome, Ruled},
    },
    store::{Result, bulk::CopyRows, units},
};

/// A request, what was ruled on it, and where it came from.
#[derive(Debug)]
pub struct RuledRequest<'a> {
    /// The request.
    pub asked: &'a Asked,
    /// What was ruled.
    pub ruled: &'a Ruled,
    /// Its file.
    pub file_id: FileNo,
    /// Its line there.
    pub line: i32,
    /// The business date of its arrival, which is when it was decided.
    pub received_on: NaiveDate,
}

/// Writes what was ruled on a span of requests, in their order.
pub async fn write(conn: &mut PgConnection, book: &Book, entries: &[RuledRequest<'_>]) -> Result<()> {
    requests(conn, book, entries).await?;
    decisions(conn, entries).await?;
    let mut work = RequestWrites::default();
    for entry in entries {
        if let Outcome::Accepted { effects, .. } = &entry.ruled.outcome {
            for effect in effects {
                work.take(book, entry, effect);
            }
        }
    }
    work.write(conn).await
}

/// Requests that are recorded, and those that waited and are ruled on again.
async fn requests(conn: &mut PgConnection, book: &Book, entries: &[RuledRequest<'_>]) -> Result<()> {
    let status = |entry: &RuledRequest<'_>| match entry.ruled.outcome {
        Outcome::Waits(_) => Some("waiting"),
        Outcome::Pending(_) => Some("pending"),
        Outcome::Accepted { .. } => Some("accepted"),
        Outcome::Refused(_) if entry.ruled.waited => Some("refused"),
        _ => None,
    };
    // A span may hold a request twice: as one that waits, and let in.
    let last: HashMap<RequestNo, &str> =
        entries.iter().filter_map(|entry| Some((entry.ruled.request_no, status(entry)?))).collect();
    let (mut rows, mut again) = (CopyRows::into("request"), BTreeMap::new());
    for entry in entries {
        let Ruled { request_no, partner_id: Some(partner_id), .. } = entry.ruled else { continue };
        let Some(status) = status(entry) else { continue };
        if entry.ruled.waited {
            again.insert(*request_no, entry);
            continue;
        }
        let ruled = entry.ruled;
        rows.cell(request_no).cell(partner_id).cell(entry.asked.kind()).text(&ruled.key);
        let drawn = drawn_from(book, ruled);
        rows.text(&ruled.content.to_string())
            .maybe(ruled.membership_id.or(drawn.map(|held| held.membership_id)));
        rows.maybe(ruled.entitlement_id.or(drawn.map(|held| held.entitlement_id)))
            .text(entry.asked.requested_by())
            .date(entry.asked.requested_on());
        rows.cell(entry.file_id).cell(entry.line).cell(last.get(request_no).copied().unwrap_or(status)).end();
    }
    rows.copy(&mut *conn).await?;
    ask_again(conn, book, &again, &last).await
}

/// Requests on record that were ruled on again, by their numbers: each says what was asked for last.
async fn ask_again(
    conn: &mut PgConnection,
    book: &Book,
    again: &BTreeMap<RequestNo, &RuledRequest<'_>>,
    status: &HashMap<RequestNo, &str>,
) -> Result<()> {
    if again.is_empty() {
        return Ok(());
    }
    let of = |entry: &RuledRequest<'_>| {
        let (ruled, drawn) = (entry.ruled, drawn_from(book, entry.ruled));
        (
            ruled.membership_id.or(drawn.map(|held| held.membership_id)),
            ruled.entitlement_id.or(drawn.map(|held| held.entitlement_id)),
        )
    };
    let (orders, benefits): (Vec<Option<OrderNo>>, Vec<Option<EntitlementNo>>) =
        again.values().map(|entry| of(entry)).unzip();
    let numbers: Vec<RequestNo> = again.keys().copied().collect();
    let statuses: Vec<String> =
        numbers.iter().map(|no| status.get(no).copied().unwrap_or("refused").to_owned()).collect();
    let kinds: Vec<String> = again.values().map(|entry| entry.asked.kind().to_owned()).collect();
    let contents: Vec<serde_json::Value> = again.values().map(|entry| entry.ruled.content.clone()).collect();
    let by: Vec<String> = again.values().map(|entry| entry.asked.requested_by().to_owned()).collect();
    let on: Vec<NaiveDate> = again.values().map(|entry| entry.asked.requested_on()).collect();
    sqlx::query!(
        "update request r set status = n.status, kind = n.kind, content = n.content, membership_id = n.membership_id,
             entitlement_id = n.entitlement_id, requested_by = n.requested_by, requested_on = n.requested_on,
             refused_by = null, refused_why = null
         from unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::bigint[], $7::text[], $8::date[])
              as n (no, status, kind, content, membership_id, entitlement_id, requested_by, requested_on)
         where r.request_no = n.no",
        &numbers as &[RequestNo],
        &statuses,
        &kinds,
        &contents,
        orders as _,
        benefits as _,
        &by,
        &on
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a request draws from that need not name an order.
fn drawn_from<'a>(book: &'a Book, ruled: &Ruled) -> Option<&'a Held> {
    let Outcome::Accepted { effects, .. } = &ruled.outcome else { return None };
    effects.iter().find_map(|effect| match effect {
        Effect::Drawn { entitlement_id, .. } => book.benefits.get(entitlement_id),
        _ => None,
    })
}

/// Every yes and every no of a partner that is known (D13).
async fn decisions(conn: &mut PgConnection, entries: &[RuledRequest<'_>]) -> Result<()> {
    let mut rows = CopyRows::into("decision");
    for entry in entries {
        let Some(partner_id) = entry.ruled.partner_id else { continue };
        let (accepted, problems): (bool, &[Problem]) = match &entry.ruled.outcome {
            Outcome::Accepted { .. } => (true, &[]),
            Outcome::Refused(problems) => (false, problems),
            _ => continue,
        };
        let reasons: Vec<&Reason> = problems.iter().map(|problem| &problem.reason).collect();
        let earliest_on = match earliest(problems.iter().map(|problem| &problem.reason)) {
            Earliest::On(day) if !accepted => Some(day),
            _ => None,
        };
        let (kind, subject) = entry.asked.subject();
        // A request has one decision: of one that is refused more may follow, and they stand by themselves.
        let request_no = accepted.then_some(entry.ruled.request_no);
        rows.cell(partner_id).maybe(request_no).cell(kind).text(&subject).cell(entry.asked.kind());
        rows.text(entry.asked.requested_by()).cell(if accepted { "accepted" } else { "refused" });
        rows.text(&serde_json::to_string(&reasons).unwrap_or_default());
        rows.maybe(earliest_on);
        rows.date(entry.received_on).cell(entry.file_id).text(&entry.asked.told().to_string()).end();
    }
    rows.copy(conn).await?;
    Ok(())
}

/// An assignment that a span makes; it may end it as well.
struct Given {
    partner_id: PartnerNo,
    entitlement_id: EntitlementNo,
    user_id: UserNo,
    assigned_on: NaiveDate,
    removed_on: Option<NaiveDate>,
    seat_no: Option<u32>,
    request_no: RequestNo,
    removed_by: Option<RequestNo>,
}

struct RequestWrites {
    assigned: Vec<Given>,
    /// Ends of stored assignments: benefit, user, day, request.
    removed: (Vec<EntitlementNo>, Vec<UserNo>, Vec<NaiveDate>, Vec<RequestNo>),
    reveals: CopyRows,
    redemptions: CopyRows,
    uses: CopyRows,
    activations: CopyRows,
    contracts: CopyRows,
    draws: Vec<units::UnitDraw>,
}

impl Default for RequestWrites {
    fn default() -> Self {
        Self {
            assigned: Vec::new(),
            removed: <_>::default(),
            reveals: CopyRows::into("key_reveal"),
            redemptions: CopyRows::into("redemption"),
            uses: CopyRows::into("benefit_use"),
            activations: CopyRows::into("activation"),
            contracts: CopyRows::into("support_contract"),
            draws: Vec::new(),
        }
    }
}

impl RequestWrites {
    fn take(&mut self, book: &Book, entry: &RuledRequest<'_>, effect: &Effect) {
        let (Some(partner_id), on) = (entry.ruled.partner_id, entry.asked.requested_on()) else { return };
        let (request_no, by) = (entry.ruled.request_no, entry.asked.requested_by());
        match effect {
            Effect::Assigned { entitlement_id, user_id, seat_no, removed_on, .. } => {
                self.assigned.push(Given {
                    partner_id,
                    entitlement_id: *entitlement_id,
                    user_id: *user_id,
                    assigned_on: on,
                    removed_on: *removed_on,
                    seat_no: *seat_no,
                    request_no,
                    removed_by: None,
                });
            }
            Effect::Removed { entitlement_id, user_id } => {
                let mut fresh = self.assigned.iter_mut().rev();
                let of = |a: &&mut Given| a.entitlement_id == *entitlement_id && a.user_id == *user_id;
                if let Some(fresh) = fresh.find(of).filter(|a| a.removed_on.is_none()) {
                    fresh.removed_on = Some(on.max(fresh.assigned_on));
                    fresh.removed_by = Some(request_no);
                } else {
                    self.removed.0.push(*entitlement_id);
                    self.removed.1.push(*user_id);
                    self.removed.2.push(on);
                    self.removed.3.push(request_no);
                }
            }
            Effect::Revealed { entitlement_id, key_id } => {
                self.reveals.cell(key_id).cell(partner_id).date(on).text(by).cell(request_no).end();
                self.used(partner_id, *entitlement_id, "software_key_revealed", on, by, request_no);
            }
            Effect::Redeemed { entitlement_id, key_id, mode, tenant_id, before, after } => {
                let benefit = book.benefits.get(entitlement_id).map_or("", |held| held.benefit.as_str());
                let rows = self.redemptions.cell(key_id).cell(partner_id).cell(entitlement_id).text(benefit);
                rows.cell(mode.name()).date(on).text(tenant_id.as_str()).maybe(before.map(|b| b.seats));
                rows.maybe(before.map(|b| b.ends_on))
                    .cell(after.seats)
                    .date(after.ends_on)
                    .cell(request_no)
                    .end();
                self.used(partner_id, *entitlement_id, "software_key_redeemed", on, by, request_no);
            }
            Effect::Activated { entitlement_id, live_on } => {
                self.activations
                    .cell(entitlement_id)
                    .cell(partner_id)
                    .date(on)
                    .maybe(*live_on)
                    .cell(request_no)
                    .end();
                let kind = book.benefits.get(entitlement_id).map(|held| held.benefit.kind());
                let event = match kind {
                    Some(BenefitKind::Software) => "software_activated",
                    Some(BenefitKind::GoToMarket) => "offer_activated",
                    _ => "support_activated",
                };
                self.used(partner_id, *entitlement_id, event, on, by, request_no);
            }
            Effect::SupportOpened { membership_id, access_id, contract_id } => {
                let rows = self.contracts.cell(membership_id).cell(partner_id);
                let rows = rows.text(access_id.as_str()).text(contract_id.as_str());
                rows.date(on).cell(request_no).end();
            }
            Effect::Drawn { entitlement_id, count } => {
                let draw = units::UnitDraw { entitlement_id: *entitlement_id, request_no, on, count: *count };
                self.draws.push(draw);
            }
        }
    }

    /// What a refund policy may name (D7).
    fn used(
        &mut self,
        partner_id: PartnerNo,
        entitlement_id: EntitlementNo,
        event: &str,
        on: NaiveDate,
        by: &str,
        request_no: RequestNo,
    ) {
        self.uses.cell(partner_id).cell(entitlement_id).cell(event).date(on).text(by).cell(request_no).end();
    }

    async fn write(self, conn: &mut PgConnection) -> Result<()> {
        if !self.removed.0.is_empty() {
            sqlx::query!(
                "update assignment a set removed_on = greatest(a.assigned_on, n.removed_on), removed_by_no = n.request_no
                 from unnest($1::bigint[], $2::bigint[], $3::date[], $4::bigint[]) as n (id, user_id, removed_on, request_no)
                 where a.entitlement_id = n.id and a.user_id = n.user_id and a.removed_on is null",
                &self.removed.0 as &[EntitlementNo],
                &self.removed.1 as &[UserNo],
                &self.removed.2,
                &self.removed.3 as &[RequestNo]
            )
            .execute(&mut *conn)
            .await?;
        }
        let mut rows = CopyRows::into("assignment");
        for a in self.assigned {
            rows.cell(a.partner_id)
                .cell(a.entitlement_id)
                .cell(a.user_id)
                .date(a.assigned_on)
                .maybe(a.removed_on);
            rows.maybe(a.seat_no).cell(a.request_no).maybe(a.removed_by).end();
        }
        rows.copy(&mut *conn).await?;
        self.reveals.copy(&mut *conn).await?;
        self.redemptions.copy(&mut *conn).await?;
        self.uses.copy(&mut *conn).await?;
        self.activations.copy(&mut *conn).await?;
        self.contracts.copy(&mut *conn).await?;
        units::draw(conn, &self.draws).await
    }
}
