//! A membership reaches the last day before grace, AD − 1: 60, 30, 14, 7, 1 days before and on that day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    stake::Stake,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::{id::OrderId, calendar::add_days};

/// A membership reaches the last day before grace (AD − 1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipEnding {
    /// The order.
    pub order_id: OrderId,
    /// The offer.
    pub offer: String,
    /// AD − 1.
    pub last_day_on: NaiveDate,
    /// The last day on which a renewal is possible (AD + 30).
    pub renew_until: NaiveDate,
    /// Credit that is lost at its end unless it is spent before.
    #[serde(default)]
    pub at_stake: Vec<Stake>,
}

impl NoticeContent for MembershipEnding {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = Some(Steps::BeforeTheEnd);

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, None)
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_day_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .membership(&self.order_id, &self.offer)
            .limit("last_day", self.last_day_on)
            .limit("anniversary", add_days(self.last_day_on, 1))
            .limit("renew_until", self.renew_until).stakes(&self.at_stake)
    }

    fn line(&self) -> String {
        let (last, renew) = (self.last_day_on, self.renew_until);
        format!("the membership's last day before grace is {last}; renewal is possible until {renew}") + &Stake::line(&self.at_stake)
    }

    fn samples() -> Vec<Self> {
        let of = |at_stake| Self {
            order_id: Sample::order(),
            offer: "gold".to_owned(),
            last_day_on: Sample::day(2025, 1, 30),
            renew_until: Sample::day(2025, 3, 2),
            at_stake,
        };
        vec![of(vec![]), of(vec![Stake::sample("azure_bulk_credit/cloud_platform", 1_200_000, Sample::day(2025, 3, 2))])]
    }
}
