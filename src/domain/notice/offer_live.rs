//! A Go-To-Market offer is live (R8).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// A Go-To-Market offer is live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferLive {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The day from which it is.
    pub live_on: NaiveDate,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
}

impl NoticeContent for OfferLive {
    const AUDIENCE: Audience = Audience::Contact;
    const STREAM: Stream = Stream::Marketing;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_usable_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .benefit(&self.order_id, &self.benefit)
            .day("live", self.live_on)
            .limit("last_day", self.last_usable_on)
    }

    fn line(&self) -> String {
        format!("the offer is live since {}, usable through {}", self.live_on, self.last_usable_on)
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            order_id: Sample::order(),
            benefit: "go_to_market/gold_core".to_owned(),
            live_on: Sample::day(2024, 2, 23),
            last_usable_on: Sample::day(2025, 3, 2),
        }]
    }
}
