//! What every notice has to tell: to whom it goes, when, its texts and facts.

use chrono::NaiveDate;
use serde::Serialize;
use strum::VariantNames;

use super::facts::Facts;
use crate::domain::id::OrderId;

/// To whom a notice goes (D10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The marketing contact, else the account e-mail: what tells of decisions, endings and lapses.
    ContactElseAccount,
    /// The marketing contact and nobody else, now or once there is one: what an offer's contact has to do.
    Contact,
    /// The account e-mail: that there is no contact.
    Account,
}

impl Audience {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContactElseAccount => "contact_else_account",
            Self::Contact => "contact",
            Self::Account => "account",
        }
    }
}

/// What a mail is: somebody may unsubscribe from marketing, and never from the rest (D10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Stream {
    /// Decisions, endings, lapses, and what somebody asked for.
    Transactional,
    /// That an offer is live, and what follows from it.
    Marketing,
    /// What a night came to, for whoever operates the store; it carries no notice.
    Operator,
}

impl Stream {
    /// As stored and reported.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Marketing => "marketing",
            Self::Operator => "operator",
        }
    }

    /// The stream of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Transactional, Self::Marketing, Self::Operator]
            .into_iter()
            .find(|stream| stream.as_str() == name)
    }
}

/// When a notice of something that comes near is told: which of the policy's days it goes by (D10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Days before a last usable day, `ending_days`.
    BeforeTheEnd,
    /// Days after the anniversary date, `grace_days_after`.
    InGrace,
    /// Days before credit can no longer be spent: `credit_lapse_days` of a period, `bulk_lapse_days` of bulk credit.
    BeforeTheLapse,
}

/// What there is to a notice.
pub(super) trait NoticeContent: Sized {
    /// To whom it goes.
    const AUDIENCE: Audience;
    /// What a mail that carries it is.
    const STREAM: Stream;
    /// When it is told, if it reminds of something that comes near; of several such of one subject only the most urgent
    /// is sent.
    const STEPS: Option<Steps>;

    /// The order, and the benefit if it is about one.
    fn about(&self) -> (&OrderId, Option<&str>);
    /// The day by which something can still be done about it; what came of somebody's request is news of `today`.
    fn act_by(&self, today: NaiveDate) -> NaiveDate;
    /// Its facts, under the names that its texts use.
    fn facts(&self, facts: Facts) -> Facts;
    /// What it says, in one breath: its line in a history.
    fn line(&self) -> String;
    /// Invented ones: one for each turn that its text can take.
    fn samples() -> Vec<Self>;
}

/// The order, benefit and day of samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample;

impl Sample {
    pub(super) fn order() -> OrderId {
        "ORD-1001".into()
    }

    pub(super) fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
    }
}
