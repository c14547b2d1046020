//! What a history is made of, as the store tells it.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use crate::{
    domain::{
        id::{OrderId, RequestId, SubscriptionId},
        reason::Reason,
    },
    store::notice::StoredNotice,
};

/// What an entitlement became, one row a change.
#[derive(Clone, Debug)]
pub struct EntitlementVersion {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// From 1: its arrival.
    pub version_no: i32,
    /// The file, if a file said it.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<i32>,
    /// The business date: of the file's arrival, or of the night that ended it.
    pub on: NaiveDate,
    /// When that was recorded, by the database's clock.
    pub recorded_at: DateTime<Utc>,
    /// `core` or `incremental`.
    pub benefit_type: String,
    /// `None`: unlimited.
    pub quantity: Option<i32>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// Its last usable day as the file says it.
    pub expires_on: NaiveDate,
    /// Minor units a period and unit.
    pub amount_minor: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// The competency it comes with.
    pub competency: Option<String>,
    /// The subscription it is used through.
    pub subscription_id: Option<SubscriptionId>,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// How it ended.
    pub ended_as: Option<String>,
}

/// A movement, with the one it corrects.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// A kind of the ledger.
    pub kind: String,
    /// First day of its period.
    pub period_from: NaiveDate,
    /// First day after it.
    pub period_until: NaiveDate,
    /// The date the facts give it.
    pub effective_on: NaiveDate,
    /// The business date of the run that booked it.
    pub booked_on: NaiveDate,
    /// More than zero.
    pub amount_minor: i64,
    /// `None`: minutes or counts.
    pub currency: Option<String>,
    /// US cents behind a grant.
    pub usd_minor: Option<i64>,
    /// Local units per US dollar, in billionths (D4).
    pub rate_nano: Option<i64>,
    /// The day it was published.
    pub rate_on: Option<NaiveDate>,
    /// The usage that drew it.
    pub reference: Option<String>,
    /// The request that drew it.
    pub request_id: Option<RequestId>,
    /// Who asked for that.
    pub asked_by: Option<String>,
    /// When the entry that this one corrects had its effect.
    pub corrects_of: Option<NaiveDate>,
    /// A correction that takes away from what it corrects; else it adds to it.
    pub takes_away: bool,
    /// A lapse to which nobody was assigned on any day of its period (D3).
    pub unassigned: bool,
}

/// A grant that is due and waits.
#[derive(Clone, Debug)]
pub struct WaitingGrant {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// Since when.
    pub since: NaiveDate,
    /// Why.
    pub reason: Json<Reason>,
}

/// Word that was owed, and the mail that carried it.
#[derive(Clone, Debug)]
pub struct NoticeTold {
    /// The date that made it owed.
    pub anchor_on: NaiveDate,
    /// `owed`, `mailed` or `superseded`.
    pub status: String,
    /// What it says.
    pub notice: Json<StoredNotice>,
    /// To whom it went.
    pub recipient: Option<String>,
    /// The business date of its mail.
    pub day: Option<NaiveDate>,
    /// Where the mail stands.
    pub mail_status: Option<String>,
    /// What was last answered to it.
    pub last_reply: Option<String>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
}
