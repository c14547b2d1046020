//! What the rows of each kind of file do, one file a kind; requests, of whatever kind, are ruled on together.

use sqlx::PgConnection;

use super::staged::{StagedFile, Verdict};
use crate::{
    domain::kinds::Kind,
    jobs::engine::{Context, Result},
    store::file::StagedRow,
};

mod agreements;
mod alike;
mod contacts;
mod credit_usage;
mod entitlements;
mod holdings;
mod keys;
mod partners;
mod rates;
mod renewals;
mod users;

/// Decides and writes rows of a file, in their order: one verdict a row.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    match staged.profile.kind {
        Kind::Rates => rates::apply(cx, conn, staged, rows).await,
        Kind::Partners => partners::apply(cx, conn, staged, rows).await,
        Kind::Users => users::apply(cx, conn, staged, rows).await,
        Kind::Contacts => contacts::apply(cx, conn, staged, rows).await,
        Kind::Entitlements => entitlements::apply(cx, conn, staged, rows).await,
        Kind::Renewals => renewals::apply(cx, conn, staged, rows).await,
        Kind::CreditUsage => credit_usage::apply(cx, conn, staged, rows).await,
        Kind::Agreements => agreements::apply(cx, conn, staged, rows).await,
        Kind::Keys => keys::apply(cx, conn, staged, rows).await,
        Kind::Assignments | Kind::KeyRequests | Kind::Activations | Kind::ServiceRequests => Ok(vec![]),
    }
}
