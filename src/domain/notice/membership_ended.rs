//! A membership has ended without renewal, and its benefits with it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// A membership has ended without renewal, and its benefits with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipEnded {
    /// The order.
    pub order_id: OrderId,
    /// The offer.
    pub offer: String,
    /// Last usable day.
    pub ended_on: NaiveDate,
}

impl NoticeContent for MembershipEnded {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, None)
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        NaiveDate::MAX
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts.membership(&self.order_id, &self.offer).day("last_day", self.ended_on)
    }

    fn line(&self) -> String {
        format!("the membership has ended, last usable day {}", self.ended_on)
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            order_id: Sample::order(),
            offer: "gold".to_owned(),
            ended_on: Sample::day(2025, 3, 2),
        }]
    }
}
