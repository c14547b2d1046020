//! What goes out, in canonical columns (formats.md), streamed by Postgres' own `COPY … TO`.

use std::fmt::Write as _;

use futures::TryStreamExt;
use sqlx::PgConnection;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{Error, Result};
use crate::domain::money::Currency;

/// The columns of an entitlements file.
const ENTITLEMENTS: &str = "select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
       coalesce(e.quantity::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
       {amount} as amount, e.currency, e.competency, e.subscription_id
from entitlement e join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
order by p.number, m.order_id, e.benefit";

/// A kind of file that can be written, and its query.
const KINDS: [(&str, &str); 1] = [("entitlements", ENTITLEMENTS)];

/// The kinds that can be written.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|(kind, _)| *kind).collect()
}

/// Writes a kind as CSV with a header: comma, UTF-8, LF, RFC 4180. Says how many bytes. Memory does not grow with it.
///
/// # Errors
/// [`Error::Unknown`] for a kind not in [`kinds`].
pub async fn write(conn: &mut PgConnection, kind: &str, out: &mut (impl AsyncWrite + Unpin)) -> Result<u64> {
    let (_, query) = KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| Error::Unknown { what: format!("no export of kind '{kind}'") })?;
    let query = query.replace("{amount}", &plain("e.amount_minor", "e.currency"));
    let mut copy = conn.copy_out_raw(&format!("copy ({query}) to stdout (format csv, header)")).await?;
    let mut written = 0;
    while let Some(part) = copy.try_next().await? {
        out.write_all(&part).await.map_err(sqlx::Error::Io)?;
        written += part.len() as u64;
    }
    out.flush().await.map_err(sqlx::Error::Io)?;
    Ok(written)
}

/// SQL that writes minor units as a plain decimal with as many places as the currency has (ISO 4217).
fn plain(minor: &str, currency: &str) -> String {
    let mut sql = format!("case {currency}");
    for (code, exponent) in Currency::unusual() {
        let _ = write!(sql, " when '{code}' then {}", decimal(minor, exponent));
    }
    let _ = write!(sql, " else {} end", decimal(minor, 2));
    sql
}

fn decimal(minor: &str, places: u32) -> String {
    if places == 0 {
        return format!("{minor}::text");
    }
    let unit = 10_i64.pow(places);
    format!(
        "case when {minor} < 0 then '-' else '' end || (abs({minor}) / {unit})::text || '.' \
         || lpad((abs({minor}) % {unit})::text, {places}, '0')"
    )
}
