//! Partners: the last file wins, an absent column keeps, an empty cell clears (D16).

use sqlx::PgConnection;

use crate::{
    domain::{
        kinds::{cell::Patch, partners},
        reason::Reason,
    },
    jobs::{
        engine::{Context, Result},
        intake::staged::{StagedFile, Verdict, parse, partner_of},
    },
    store::{file::StagedRow, keys, people},
};

/// Applies rows of a partners file.
pub async fn apply(
    _: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let mut verdicts = Vec::with_capacity(rows.len());
    for row in rows {
        let row = match parse(staged, row, partners::parse) {
            Ok(row) => row,
            Err(problems) => {
                verdicts.push(Verdict::Rejected(problems));
                continue;
            }
        };
        if staged.partner_id.is_some()
            && let Err(problems) = partner_of(conn, staged, &row.partner_id).await?
        {
            verdicts.push(Verdict::Rejected(problems));
            continue;
        }
        // The contact's address differs from the account's, also when that changes (R8).
        if people::contact_email(conn, &row.partner_id)
            .await?
            .is_some_and(|contact| row.account_email.same_as(&contact))
        {
            verdicts.push(Verdict::no("account_email", row.account_email.as_str(), Reason::ContactIsAccount));
            continue;
        }
        // Keys were redeemed onto a tenant; it stays the partner's (R3).
        let pinned = match &row.tenant_id {
            Patch::Keep => None,
            _ => keys::pinned_tenant(conn, &row.partner_id).await?,
        };
        let tenant_id = row.tenant_id.as_set().map_or("", String::as_str);
        if let Some(expected) = pinned.filter(|pinned| !pinned.eq_ignore_ascii_case(tenant_id)) {
            verdicts.push(Verdict::no("tenant_id", tenant_id, Reason::TenantPinned { expected }));
            continue;
        }
        let put = people::put_partner(conn, staged.file_id, staged.received_on, &row).await?;
        verdicts.push(put.into());
    }
    Ok(verdicts)
}
