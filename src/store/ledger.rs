//! The one door to the ledger: whatever is entered in `transfer` is entered here. It only grows; nothing in it is ever
//! changed or removed.

use sqlx::PgConnection;

use super::{Result, bulk::CopyRows};
use crate::domain::{
    draw::UnitTransfer,
    id::{EntitlementNo, PartnerNo, RunNo},
    ledger::Transfer,
};

/// A transfer of credit, and whose it is.
#[derive(Clone, Debug)]
pub struct CreditEntry {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Its partner.
    pub partner_id: PartnerNo,
    /// What moves.
    pub transfer: Transfer,
    /// The rule by which a correction puts right what was booked under a year that moved (D2, D16).
    pub rule: Option<String>,
}

/// A transfer of hours or incidents, and whose it is (R6, R7).
#[derive(Clone, Debug)]
pub struct UnitEntry {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Its partner.
    pub partner_id: PartnerNo,
    /// The kind of entry, as it is stored.
    pub kind: &'static str,
    /// What moves.
    pub transfer: UnitTransfer,
}

/// Enters transfers of credit, in this order. Says how many.
pub async fn append_credit(conn: &mut PgConnection, run_id: RunNo, entries: &[CreditEntry]) -> Result<u64> {
    let mut rows = CopyRows::into("transfer");
    for CreditEntry { entitlement_id, partner_id, transfer: t, rule } in entries {
        rows.cell(partner_id).cell(entitlement_id).cell(run_id).cell(t.kind.name());
        rows.cell(t.from.name()).cell(t.to.name()).cell(t.period_no);
        rows.cell(t.corrects.map_or(0, |(_, nth)| nth)).date(t.period.from).date(t.period.until);
        rows.date(t.effective_on).cell(t.amount.minor).cell(t.amount.currency).maybe(t.usd_minor);
        rows.maybe(t.rate.map(|r| r.nano));
        match t.rate {
            Some(rate) => rows.date(rate.published_on),
            None => rows.null(),
        };
        rows.maybe(t.usage_id).maybe(t.corrects.map(|(id, _)| id)).maybe_text(rule.as_deref()).null().end();
    }
    rows.copy(conn).await
}

/// Enters transfers of hours and incidents, in this order. Says how many.
pub async fn append_units(conn: &mut PgConnection, run_id: RunNo, entries: &[UnitEntry]) -> Result<u64> {
    let mut rows = CopyRows::into("transfer");
    for UnitEntry { entitlement_id, partner_id, kind, transfer: t } in entries {
        rows.cell(partner_id).cell(entitlement_id).cell(run_id).cell(kind);
        rows.cell(t.from.name()).cell(t.to.name()).cell(t.number);
        rows.cell(t.corrects.map_or(0, |(_, nth)| nth)).date(t.period.from).date(t.period.until);
        // They have no currency, hence no rate; and no usage but a request draws them.
        rows.date(t.on).cell(t.count).null().null().null().null().null();
        rows.maybe(t.corrects.map(|(id, _)| id)).maybe_text(t.rule).maybe(t.request_no).end();
    }
    rows.copy(conn).await
}
