//! A Go-To-Market offer runs and cannot be activated, for its partner has no marketing contact (R8). It goes to the
//! account, and is no marketing.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// A Go-To-Market offer waits for a marketing contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactNeeded {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
}

impl NoticeContent for ContactNeeded {
    const AUDIENCE: Audience = Audience::Account;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_usable_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts.benefit(&self.order_id, &self.benefit).limit("last_day", self.last_usable_on)
    }

    fn line(&self) -> String {
        let last = self.last_usable_on;
        format!("the offer needs a marketing contact before it is activated; it ends on {last}")
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            order_id: Sample::order(),
            benefit: "go_to_market/gold_core".to_owned(),
            last_usable_on: Sample::day(2025, 3, 2),
        }]
    }
}
