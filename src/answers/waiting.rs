//! What waits for an operator, one by one, with what to do about each.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::PgConnection;

use crate::{
    domain::{
        id::{OrderId, PartnerId, RequestId},
        language::Language,
        reason::Reason,
    },
    store::{
        self,
        waiting::{self, HeldRequest},
    },
};

/// What waits for an operator.
#[derive(Clone, Debug, Serialize)]
pub struct WaitingForOperator {
    /// Requests that are dated long before they came (D1).
    pub requests: Vec<RequestView>,
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
    language: Language,
) -> store::Result<WaitingForOperator> {
    let numbers = waiting::requests(conn, partner).await?;
    let requests = waiting::load(conn, &numbers).await?;
    Ok(WaitingForOperator {
        requests: requests.iter().map(|request| RequestView::of(request, language)).collect(),
    })
}

impl RequestView {
    /// A request as the store has it, told in a language.
    pub(super) fn of(request: &HeldRequest, language: Language) -> Self {
        let reason = why(request);
        Self {
            id: request.request_no,
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
