//! What is asked for by a row that is no request, and refused, is on record as a decision too (D13): renewals and marketing
//! contacts. So is a refused request of a file that is not applied, of which nothing else is recorded. A row that cannot be
//! read asks for nothing that could be named.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    requests::understood,
    staged::{StagedFile, Verdict, parse},
};
use crate::{
    domain::{
        id::PartnerId,
        kinds::{Kind, contacts, renewals},
        reason::{Problem, Reason},
        request::OPERATOR,
    },
    jobs::engine::Result,
    store::{
        file::StagedRow,
        intake,
        request::{self, Decision},
    },
};

/// What a row asks for.
struct RefusedRequest {
    partner: PartnerId,
    subject_kind: &'static str,
    subject: String,
    action: &'static str,
    content: Option<Value>,
    requested_by: String,
}

/// Records the refusals among these rows; of a partner that is not known nothing can be.
pub async fn record(
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
    verdicts: &[Verdict],
) -> Result<()> {
    let refused: Vec<(RefusedRequest, Vec<Reason>)> = rows
        .iter()
        .zip(verdicts)
        .filter_map(|(row, verdict)| {
            let reasons = against(verdict)?;
            Some((asked(staged, row)?, reasons))
        })
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let numbers: Vec<PartnerId> = refused.iter().map(|(asked, _)| asked.partner.clone()).collect();
    let partners = intake::partners(conn, &numbers).await?;
    let decisions: Vec<Decision<'_>> = refused
        .iter()
        .filter_map(|(asked, reasons)| {
            let partner_id = staged.admit(&asked.partner, partners.get(&asked.partner).map(|(id, _)| *id));
            Some(Decision {
                partner_id: partner_id.ok()?,
                request_no: None,
                subject_kind: asked.subject_kind,
                subject: &asked.subject,
                action: asked.action,
                content: asked.content.clone(),
                requested_by: &asked.requested_by,
                reasons,
                refund: None,
                decided_on: staged.received_on,
                run_id: None,
                file_id: Some(staged.file_id),
            })
        })
        .collect();
    request::decide(conn, &decisions).await?;
    Ok(())
}

fn asked(staged: &StagedFile, row: &StagedRow) -> Option<RefusedRequest> {
    match staged.profile.kind {
        Kind::Renewals => parse(staged, row, renewals::parse).ok().map(|row| RefusedRequest {
            partner: row.partner_id,
            subject_kind: "order",
            subject: row.order_id.into(),
            action: "renew",
            content: Some(json!({ "requested_on": row.renewed_on, "new_order_id": row.new_order_id })),
            requested_by: row.requested_by.unwrap_or_else(|| OPERATOR.to_owned()),
        }),
        Kind::Contacts => parse(staged, row, contacts::parse).ok().map(|row| RefusedRequest {
            subject_kind: "partner",
            subject: row.partner_id.to_string(),
            partner: row.partner_id,
            action: "set_contact",
            content: None,
            requested_by: row.requested_by.unwrap_or_else(|| OPERATOR.to_owned()),
        }),
        Kind::Assignments | Kind::KeyRequests | Kind::Activations | Kind::ServiceRequests => {
            understood(staged, row).ok().map(|asked| {
                let (subject_kind, subject) = asked.subject();
                RefusedRequest {
                    partner: asked.partner().clone(),
                    subject_kind,
                    subject,
                    action: asked.kind(),
                    content: Some(asked.told()),
                    requested_by: asked.requested_by().to_owned(),
                }
            })
        }
        Kind::Rates
        | Kind::Partners
        | Kind::Users
        | Kind::Entitlements
        | Kind::Agreements
        | Kind::Keys
        | Kind::CreditUsage => None,
    }
}

/// The reasons of a refusal; a row that differs from one on record is none, here as with requests.
fn against(verdict: &Verdict) -> Option<Vec<Reason>> {
    let Verdict::Rejected(problems) = verdict else { return None };
    let differs = |problem: &Problem| {
        matches!(
            problem.reason,
            Reason::ConflictsWithEarlier { .. }
                | Reason::StoreRefused { .. }
                | Reason::RefusedByOperator { .. }
        )
    };
    (!problems.iter().any(differs)).then(|| problems.iter().map(|problem| problem.reason.clone()).collect())
}
