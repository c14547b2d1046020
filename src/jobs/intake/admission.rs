//! What an operator decides of requests that wait (D1): admitted they are ruled on like rows of a file that lets them in,
//! by the same code under the same locks; refused they are decisions too.

use chrono::NaiveDate;
use sqlx::{Connection, PgConnection};

use super::requests::{self, Arrived};
use crate::{
    domain::{
        id::RequestNo,
        kinds::{Kind, activations, assignments, cell::Cells, key_requests, service_requests},
        notice::CancellationRefused,
        reason::{Problem, Reason},
        request::{Arrival, Asked, Outcome, Ruled},
    },
    jobs::engine::{Context, Result},
    store::{
        notice::{self, NoticeSubject, Owed},
        request::{self, Decision},
        run,
        waiting::{self, HeldRequest, RequestAction},
        work::By,
    },
};

/// What is told of a notice that no run owes.
const NO_RUN: i64 = 0;

/// Why a request cannot be admitted or refused.
#[derive(Clone, Debug)]
pub enum NotHeld {
    /// There is none of that number.
    Unknown(RequestNo),
    /// It does not wait: how it stands.
    Decided(Box<HeldRequest>),
    /// What is on record of it can no longer be read as a request.
    Unreadable(RequestNo, Vec<Problem>),
}

/// A request that an operator let in, and what became of it.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The request, as it was.
    pub request: HeldRequest,
    /// What the rules say.
    pub outcome: Outcome,
}

/// Lets requests in that wait, or that an operator refused before: all of them or, where that cannot be, none. They are ruled
/// on in the order of their dates, and decided on the day on which they are let in.
///
/// # Errors
/// The store's.
pub async fn admit(
    cx: &Context,
    conn: &mut PgConnection,
    numbers: &[RequestNo],
    by: By<'_>,
) -> Result<std::result::Result<Vec<Admitted>, Vec<NotHeld>>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let (held, asked) = match held(&mut tx, numbers, true).await? {
        Ok(found) => found,
        Err(against) => return Ok(Err(against)),
    };
    let arrived = held.iter().zip(&asked).map(|(request, asked)| Arrived {
        asked,
        arrival: Arrival {
            received_on: cx.arrived_on,
            accept_backdated: true,
            by_operator: request.by_operator,
            partner: request.file_partner_id.zip(request.file_partner.as_ref()),
        },
        file_id: request.file_id,
        line: request.line,
    });
    let arrived: Vec<Arrived<'_>> = arrived.collect();
    let mut book = requests::open(cx, &mut tx, &asked.iter().collect::<Vec<_>>()).await?;
    for recorded in book.recorded.values_mut() {
        recorded.refusal = None; // the operator thinks better of it
    }
    let mut ruled = requests::rule(cx, &mut book, &arrived, numbers_of(&held).as_slice());
    for (ruled, request) in ruled.iter_mut().zip(&held) {
        keep_what_is_known(ruled, request);
    }
    requests::write(&mut tx, &book, &arrived, &ruled).await?;
    waiting::record(&mut tx, RequestAction::Admit, &held, cx.arrived_on, by).await?;
    tx.commit().await?;
    let admitted = held.into_iter().zip(ruled);
    Ok(Ok(admitted.map(|(request, ruled)| Admitted { request, outcome: ruled.outcome }).collect()))
}

/// Refuses requests that wait, all of them or, where that cannot be, none.
///
/// # Errors
/// The store's.
pub async fn refuse(
    cx: &Context,
    conn: &mut PgConnection,
    numbers: &[RequestNo],
    by: By<'_>,
) -> Result<std::result::Result<Vec<HeldRequest>, Vec<NotHeld>>> {
    let mut tx = conn.begin().await?;
    run::change_facts(&mut tx).await?;
    let (held, asked) = match held(&mut tx, numbers, false).await? {
        Ok(found) => found,
        Err(against) => return Ok(Err(against)),
    };
    let reasons = [Reason::RefusedByOperator { by: by.by.to_owned(), why: by.why.to_owned() }];
    let subjects: Vec<(&str, String)> = asked.iter().map(Asked::subject).collect();
    let decisions =
        held.iter().zip(&asked).zip(&subjects).map(|((request, asked), (kind, subject))| Decision {
            partner_id: request.partner_id,
            // It may be admitted yet: its one decision would be that.
            request_no: None,
            subject_kind: kind,
            subject,
            action: asked.kind(),
            content: Some(asked.told()),
            requested_by: asked.requested_by(),
            reasons: &reasons,
            refund: None,
            decided_on: cx.arrived_on,
            run_id: None,
            file_id: Some(request.file_id),
        });
    request::decide(&mut tx, &decisions.collect::<Vec<_>>()).await?;
    let owed = held.iter().filter_map(|request| word_of_refusal(request, &reasons));
    notice::owe(&mut tx, NO_RUN.into(), &owed.collect::<Vec<_>>()).await?;
    waiting::mark_refused(&mut tx, &numbers_of(&held), by).await?;
    waiting::record(&mut tx, RequestAction::Refuse, &held, cx.arrived_on, by).await?;
    tx.commit().await?;
    Ok(Ok(held))
}

/// The requests of these numbers, each once, in the order of their dates, with what each asks for; or those that do not wait
/// or cannot be read. One that an operator refused can be let in nevertheless.
async fn held(
    conn: &mut PgConnection,
    numbers: &[RequestNo],
    refused_too: bool,
) -> Result<std::result::Result<(Vec<HeldRequest>, Vec<Asked>), Vec<NotHeld>>> {
    let found = waiting::load(conn, numbers).await?;
    let unknown = numbers.iter().filter(|no| !found.iter().any(|request| request.request_no == **no));
    let mut against: Vec<NotHeld> = unknown.map(|no| NotHeld::Unknown(*no)).collect();
    let waits = |request: &HeldRequest| match request.status.as_str() {
        "waiting" => true,
        "refused" => refused_too && request.refused_by.is_some(),
        _ => false,
    };
    let (held, decided): (Vec<_>, Vec<_>) = found.into_iter().partition(waits);
    against.extend(decided.into_iter().map(|request| NotHeld::Decided(Box::new(request))));
    let mut asked = Vec::with_capacity(held.len());
    for request in &held {
        match understood(request) {
            Ok(one) => asked.push(one),
            Err(problems) => against.push(NotHeld::Unreadable(request.request_no, problems)),
        }
    }
    Ok(if against.is_empty() { Ok((held, asked)) } else { Err(against) })
}

fn numbers_of(held: &[HeldRequest]) -> Vec<RequestNo> {
    held.iter().map(|request| request.request_no).collect()
}

/// What names something that is no longer found is refused as the request that it is on record as.
fn keep_what_is_known(ruled: &mut Ruled, request: &HeldRequest) {
    if matches!(ruled.outcome, Outcome::Refused(_)) && !ruled.waited {
        ruled.waited = true;
        ruled.content = request.content.0.clone();
        ruled.membership_id = ruled.membership_id.or(request.membership_id);
        ruled.entitlement_id = ruled.entitlement_id.or(request.entitlement_id);
    }
}

/// The notice that a cancellation was refused (D10).
fn word_of_refusal(request: &HeldRequest, reasons: &[Reason]) -> Option<Owed> {
    let (HeldRequest { order_id: Some(order_id), .. }, "cancel") = (request, request.kind.as_str()) else {
        return None;
    };
    let notice = CancellationRefused {
        request_id: request.request_id.clone().unwrap_or_default(),
        order_id: order_id.clone(),
        requested_on: request.requested_on,
        received_on: Some(request.received_on),
        reasons: reasons.to_vec(),
    };
    Some(Owed {
        partner_id: request.partner_id,
        subject: NoticeSubject::Request(request.request_no),
        anchor_on: request.requested_on,
        true_until: None,
        notice: notice.into(),
    })
}

/// A request on record as its file's kind reads it from a row.
fn understood(request: &HeldRequest) -> std::result::Result<Asked, Vec<Problem>> {
    let kind = match request.kind.as_str() {
        "reveal" | "redeem" => Kind::KeyRequests,
        "activate" => Kind::Activations,
        _ if request.family == "service" => Kind::ServiceRequests,
        _ => Kind::Assignments,
    };
    let (mut text, mut ends, mut places) = (String::new(), Vec::new(), Vec::new());
    for (place, column) in kind.columns().iter().enumerate() {
        text.push_str(&cell(request, column.name));
        ends.push(text.len());
        places.push(Some(place));
    }
    let cells = Cells::new(kind.columns(), &places, &text, &ends);
    match kind {
        Kind::KeyRequests => key_requests::parse(&cells).map(Asked::Key),
        Kind::Activations => activations::parse(&cells).map(Asked::Activation),
        Kind::ServiceRequests => service_requests::parse(&cells).map(Asked::Service),
        _ => assignments::parse(&cells).map(Asked::Assignment),
    }
}

/// What stands in a column of a request's row; nothing where it says nothing.
fn cell(request: &HeldRequest, column: &str) -> String {
    let said = |text: &Option<String>| text.clone().unwrap_or_default();
    match column {
        "partner_id" => request.partner.as_str().to_owned(),
        "order_id" => request.order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        "benefit" => said(&request.benefit),
        "action" | "kind" => request.kind.clone(),
        "user" => said(&request.user),
        "to_user" => said(&request.to_user),
        "requested_by" => request.requested_by.clone(),
        "requested_on" => NaiveDate::to_string(&request.requested_on),
        "key_ref" => said(&request.key_ref),
        "request_id" => request.request_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        "hours" => said(&request.hours),
        column => request.content.get(column).and_then(|text| text.as_str()).unwrap_or_default().to_owned(),
    }
}
