//! What a history is made of, as the store tells it.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;

use crate::domain::{
    notice::Notice,
    reason::{Problem, Reason},
};

/// A partner as it stands.
#[derive(Clone, Debug)]
pub struct Partner {
    /// Its name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// Where mail goes that has no contact.
    pub account_email: String,
    /// The marketing contact.
    pub contact: Option<String>,
    /// The contact's language.
    pub contact_language: Option<String>,
}

/// An order as it stands.
#[derive(Clone, Debug)]
pub struct Order {
    /// The order.
    pub order_id: String,
    /// `None` while a renewal waits for its entitlements file.
    pub offer: Option<String>,
    /// When it was bought.
    pub purchased_on: Option<NaiveDate>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// AD (D5).
    pub anniversary_on: NaiveDate,
    /// Its status.
    pub status: String,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// The order that it renews.
    pub renews: Option<String>,
}

/// A benefit as it stands.
#[derive(Clone, Debug)]
pub struct Benefit {
    /// The order.
    pub order_id: String,
    /// The benefit code.
    pub benefit: String,
    /// `None`: unlimited.
    pub quantity: Option<i32>,
    /// Its start.
    pub starts_on: NaiveDate,
    /// The last usable day, grace included.
    pub last_usable_on: NaiveDate,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// How it ended.
    pub ended_as: Option<String>,
    /// Who is assigned to it, joined by `, `.
    pub assigned_to: Option<String>,
    /// What is unspent, in minor units.
    pub balance_minor: Option<i64>,
    /// In which currency.
    pub balance_currency: Option<String>,
}

/// What an entitlement became, one row a change.
#[derive(Clone, Debug)]
pub struct Version {
    /// The order.
    pub order_id: String,
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
    pub subscription_id: Option<String>,
    /// Its last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// How it ended.
    pub ended_as: Option<String>,
}

/// A movement, with the one it corrects.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The order.
    pub order_id: String,
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
    /// When the entry that this one corrects had its effect.
    pub corrects_of: Option<NaiveDate>,
    /// A correction that takes away from what it corrects; else it adds to it.
    pub takes_away: bool,
    /// A lapse to which nobody was assigned on any day of its period (D3).
    pub unassigned: bool,
}

/// Somebody's use of a benefit.
#[derive(Clone, Debug)]
pub struct Assigned {
    /// The order.
    pub order_id: String,
    /// The benefit code.
    pub benefit: String,
    /// Who.
    pub user: String,
    /// From this day.
    pub assigned_on: NaiveDate,
    /// Who asked for it.
    pub assigned_by: Option<String>,
    /// The first day on which it no longer was, unless it ended with the benefit.
    pub removed_on: Option<NaiveDate>,
    /// Who asked for that.
    pub removed_by: Option<String>,
}

/// A yes or a no.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The order, or the order and the benefit.
    pub subject: String,
    /// What was asked for.
    pub action: String,
    /// Who asked.
    pub requested_by: String,
    /// On which date, where a request is on record.
    pub requested_on: Option<NaiveDate>,
    /// The request's own name.
    pub request_id: Option<String>,
    /// `accepted` or `refused`.
    pub outcome: String,
    /// Every reason.
    pub reasons: Json<Vec<Reason>>,
    /// When the no becomes a yes.
    pub earliest_on: Option<NaiveDate>,
    /// The business date.
    pub decided_on: NaiveDate,
}

/// A request on record.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The order, or the order and the benefit.
    pub subject: String,
    /// `assign`, `remove`, `cancel` or `renew`.
    pub kind: String,
    /// Of a cancellation its own name, of a renewal the new order, else the user who is to be assigned or removed.
    pub of: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// The date that counts (D1).
    pub requested_on: NaiveDate,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: i32,
    /// When that arrived.
    pub received_on: NaiveDate,
    /// `waiting`, `pending`, `accepted` or `refused`.
    pub status: String,
    /// What its row was answered with.
    pub remarks: Option<Json<Vec<Problem>>>,
}

/// A grant that is due and waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The order.
    pub order_id: String,
    /// The benefit code.
    pub benefit: String,
    /// Since when.
    pub since: Option<NaiveDate>,
    /// Why.
    pub reason: Json<Reason>,
}

/// Word that was owed, and the mail that carried it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The date that made it owed.
    pub anchor_on: NaiveDate,
    /// `owed`, `mailed` or `superseded`.
    pub status: String,
    /// What it says.
    pub notice: Json<Notice>,
    /// To whom it went.
    pub recipient: Option<String>,
    /// The business date of its mail.
    pub day: Option<NaiveDate>,
    /// Where the mail stands.
    pub mail_status: Option<String>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
}
