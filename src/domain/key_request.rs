//! A row of `key_requests`: a key is revealed, or redeemed onto a subscription (R3, R5, D8).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    book::{Case, Held, Ruling},
    cell::{self, Cells, Column, optional, required},
    entitlement::Benefit,
    license_key::parse_key_ref,
    reason::{Expected, Problem},
};

/// The columns, in canonical order.
pub const COLUMNS: &[Column] = &[
    required("partner_id"),
    required("order_id"),
    required("benefit"),
    required("action"),
    required("requested_by"),
    required("requested_on"),
    optional("key_ref"),
    optional("tenant_id"),
    optional("mode"),
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Show the key.
    Reveal,
    /// Redeem it, once for ever.
    Redeem,
}

impl Action {
    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reveal => "reveal",
            Self::Redeem => "redeem",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reveal, Self::Redeem].into_iter().find(|action| action.name() == name)
    }
}

/// How a key is redeemed (R3, D8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It begins a subscription.
    New,
    /// It adds its seats to a live one, whose end moves to what all seats together have left.
    AddSeats,
    /// It moves the end of a live one.
    Extend,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::New, Self::AddSeats, Self::Extend];

    /// The name, as in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::AddSeats => "add_seats",
            Self::Extend => "extend",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// A key request as a file states it. All but requester, tenant and mode is the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequestRow {
    /// Whose key.
    pub partner_id: String,
    /// The order.
    pub order_id: String,
    /// The benefit.
    pub benefit: Benefit,
    /// What is asked for.
    pub action: Action,
    /// By whom.
    pub requested_by: String,
    /// On which UTC date (D1).
    pub requested_on: NaiveDate,
    /// Which key; `None`: the oldest unrevealed one.
    pub key_ref: Option<i64>,
    /// The tenant to redeem onto; `None`: the partner's own.
    pub tenant_id: Option<String>,
    /// How to redeem; `None`: as a new subscription, if there is none.
    pub mode: Option<Mode>,
}

/// Reads a row; all its problems if there are any.
pub fn parse(cells: &Cells<'_>) -> Result<KeyRequestRow, Vec<Problem>> {
    let mut row = cells.read();
    let partner_id = row.need("partner_id", Expected::Digits, cell::digits);
    let order_id = row.need("order_id", Expected::Text, cell::id);
    let benefit = row.need("benefit", Expected::Benefit, Benefit::parse);
    let action = row.need("action", Expected::Action, Action::parse);
    let requested_by = row.need("requested_by", Expected::Text, cell::id);
    let requested_on = row.need("requested_on", Expected::DateOrInstant, cell::date_or_instant);
    let key_ref = row.patch("key_ref", Expected::KeyRef, parse_key_ref);
    let tenant_id = row.patch("tenant_id", Expected::Guid, cell::guid);
    let mode = row.patch("mode", Expected::RedeemMode, Mode::parse);
    let assemble = || {
        Some(KeyRequestRow {
            partner_id: partner_id?,
            order_id: order_id?,
            benefit: benefit?,
            action: action?,
            requested_by: requested_by?,
            requested_on: requested_on?,
            key_ref: key_ref?.into_set(),
            tenant_id: tenant_id?.into_set(),
            mode: mode?.into_set(),
        })
    };
    row.finish(assemble())
}

/// Rules on a reveal or a redemption.
pub fn decide(_case: &Case<'_>, _held: &Held, _row: &KeyRequestRow) -> Ruling {
    Err(vec![])
}
