//! What waits for an operator, one by one, with what to do about each.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgConnection;

use super::status::LATELY_DAYS;
use crate::{
    domain::{
        calendar::sub_days,
        id::{OrderId, PartnerId, RequestId},
        language::Language,
        money::{Currency, plain},
        reason::Reason,
    },
    store::{
        self, bounce,
        open_rates::{self, OpenRate},
        waiting::{self, HeldRequest},
    },
};

/// Identifiers that are named one by one at most.
const NAMED: i64 = 50;
/// Decimals of a rate as it is told.
const PLACES: u32 = 6;

/// What waits for an operator.
#[derive(Clone, Debug, Default, Serialize)]
pub struct WaitingForOperator {
    /// Requests that are dated long before they came (D1).
    pub requests: Vec<RequestView>,
    /// Reference rates that differ greatly from the one before (D16).
    pub rates: Vec<HeldRateView>,
    /// Files that a guard held back in the last days (promise 6).
    pub files: Vec<GuardedFileView>,
    /// Identifiers that were not taken in in the last days, because they are like known ones.
    pub alike: Vec<AlikeView>,
    /// Partners whose address no mail goes to since mails came back (promise 14).
    pub unreached: Vec<UnreachedView>,
    /// Chunks that failed for good.
    pub dead_letters: i64,
}

/// A partner who is not reached any more.
#[derive(Clone, Debug, Serialize)]
pub struct UnreachedView {
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// The address that nothing goes to.
    pub address: String,
    /// `contact`: the marketing contact's; `account`: the account's.
    pub of: &'static str,
    /// Since when.
    pub since: NaiveDate,
    /// Why.
    pub why: String,
}

/// A file that a guard held back.
#[derive(Clone, Debug, Serialize)]
pub struct GuardedFileView {
    /// What it is called.
    pub file: String,
    /// When it arrived.
    pub received_on: NaiveDate,
    /// Why it is held, and what to do.
    pub reason: String,
}

/// An identifier that is like a known one.
#[derive(Clone, Debug, Serialize)]
pub struct AlikeView {
    /// The file.
    pub file: String,
    /// The line.
    pub line: i32,
    /// When that arrived.
    pub received_on: NaiveDate,
    /// The identifier.
    pub identifier: String,
    /// The known one.
    pub known: String,
}

/// A reference rate that waits.
#[derive(Clone, Debug, Serialize)]
pub struct HeldRateView {
    /// Its day.
    pub day: NaiveDate,
    /// Its currency.
    pub currency: Currency,
    /// Units for one euro.
    pub rate: String,
    /// The one before.
    pub before: String,
    /// Its day.
    pub before_on: NaiveDate,
    /// The file that brought it.
    pub file: String,
}

/// A request that waits, or that an operator refused.
#[derive(Clone, Debug, Serialize)]
pub struct RequestView {
    /// Its number, by which it is admitted or refused.
    pub id: i64,
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: Option<OrderId>,
    /// The benefit.
    pub benefit: Option<String>,
    /// `assign`, `cancel` …
    pub action: String,
    /// Whom an assignment names.
    pub user: Option<String>,
    /// Whom it goes to.
    pub to_user: Option<String>,
    /// The key that it names.
    pub key_ref: Option<String>,
    /// What the partner calls a service request.
    pub request_id: Option<RequestId>,
    /// Who asks.
    pub requested_by: String,
    /// The date that counts (D1).
    pub requested_on: NaiveDate,
    /// The file it came in.
    pub file: String,
    /// Its line there.
    pub line: i32,
    /// The business date on which that arrived.
    pub received_on: NaiveDate,
    /// `waiting` or `refused`.
    pub status: String,
    /// The code of why.
    pub reason_code: Option<&'static str>,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// What is asked for, with what it names, in a few words.
    #[serde(skip)]
    pub what: String,
}

/// Everything that waits for an operator, of all partners or of one, told in a language.
///
/// # Errors
/// Those of the store.
pub async fn read(
    conn: &mut PgConnection,
    partner: Option<&PartnerId>,
    today: NaiveDate,
    language: Language,
) -> store::Result<WaitingForOperator> {
    let numbers = waiting::requests(conn, partner).await?;
    let requests = waiting::load(conn, &numbers).await?;
    let mut told = WaitingForOperator {
        requests: requests.iter().map(|request| RequestView::of(request, language)).collect(),
        ..WaitingForOperator::default()
    };
    let unreached = bounce::unreached(&mut *conn, partner).await?.into_iter();
    told.unreached = unreached
        .map(|of| UnreachedView {
            partner_id: of.partner_id,
            address: of.address,
            of: if of.is_contact { "contact" } else { "account" },
            since: of.since,
            why: of.why,
        })
        .collect();
    if partner.is_some() {
        return Ok(told); // the rest is of no one partner
    }
    told.rates = open_rates::list(&mut *conn).await?.iter().filter_map(HeldRateView::of).collect();
    let since = sub_days(today, LATELY_DAYS);
    let files = waiting::guarded_files(&mut *conn, since).await?.into_iter();
    told.files = files
        .map(|file| GuardedFileView { file: file.name, received_on: file.received_on, reason: file.refusal })
        .collect();
    let alike = waiting::alike_rows(&mut *conn, since, NAMED).await?.into_iter();
    told.alike = alike
        .map(|row| AlikeView {
            file: row.file,
            line: row.line,
            received_on: row.received_on,
            identifier: row.identifier,
            known: row.known,
        })
        .collect();
    told.dead_letters = store::status::chunks(conn).await?.1;
    Ok(told)
}

impl HeldRateView {
    /// A rate that waits, as the store has it; `None`: it was taken back.
    fn of(open: &OpenRate) -> Option<Self> {
        let (rate, (before_on, before)) = open.waits?;
        Some(Self {
            day: open.on,
            currency: open.currency,
            rate: plain(rate.micro(), PLACES),
            before: plain(before.micro(), PLACES),
            before_on,
            file: open.file.clone(),
        })
    }
}

impl RequestView {
    /// A request as the store has it, told in a language.
    pub(super) fn of(request: &HeldRequest, language: Language) -> Self {
        let reason = why(request);
        Self {
            id: request.request_no.get(),
            partner_id: request.partner.clone(),
            order_id: request.order_id.clone(),
            benefit: request.benefit.clone(),
            action: request.kind.clone(),
            user: request.user.clone(),
            to_user: request.to_user.clone(),
            key_ref: request.key_ref.clone(),
            request_id: request.request_id.clone(),
            requested_by: request.requested_by.clone(),
            requested_on: request.requested_on,
            file: request.file.clone(),
            line: request.line,
            received_on: request.received_on,
            status: request.status.clone(),
            reason_code: reason.as_ref().map(Reason::code),
            reason: reason.as_ref().map(|reason| reason.sentence(language)),
            what: what(request),
        }
    }

    /// What it is about: the order and the benefit, the order, or the partner.
    #[must_use]
    pub fn about(&self) -> String {
        match (&self.order_id, &self.benefit) {
            (Some(order), Some(benefit)) => format!("{order}/{benefit}"),
            (Some(order), None) => order.to_string(),
            (None, _) => format!("partner {}", self.partner_id),
        }
    }
}

/// Why it waits, or was refused.
fn why(request: &HeldRequest) -> Option<Reason> {
    if let (Some(by), Some(why)) = (&request.refused_by, &request.refused_why) {
        return Some(Reason::RefusedByOperator { by: by.clone(), why: why.clone() });
    }
    let mut remarks = request.remarks.iter().flat_map(|remarks| remarks.0.iter());
    remarks
        .find(|remark| matches!(remark.reason, Reason::WaitsForOperator { .. }))
        .map(|of| of.reason.clone())
}

/// What is asked for, with what it names: `assign anna@…`, `cancel SR-1`.
fn what(request: &HeldRequest) -> String {
    let to = request.to_user.as_ref().map(|to| format!("to {to}"));
    let id = request.request_id.as_ref().map(RequestId::to_string);
    let named = [id, request.key_ref.clone(), request.user.clone(), to].into_iter().flatten();
    let words = std::iter::once(request.kind.replace('_', " ")).chain(named);
    words.collect::<Vec<_>>().join(" ")
}
