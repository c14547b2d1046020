//! A membership is in grace and not renewed: on the 7th, 23rd and 29th day of it, with what is lost at its end.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    stake::Stake,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// A membership is in grace and not renewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipInGrace {
    /// The order.
    pub order_id: OrderId,
    /// The offer.
    pub offer: String,
    /// The anniversary date that has passed.
    pub anniversary_on: NaiveDate,
    /// Last day of grace, on which benefits still work and renewal is possible (AD + 30).
    pub renew_until: NaiveDate,
    /// Credit that is lost at its end unless it is spent before.
    #[serde(default)]
    pub at_stake: Vec<Stake>,
}

impl NoticeContent for MembershipInGrace {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = Some(Steps::InGrace);

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, None)
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.renew_until
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .membership(&self.order_id, &self.offer)
            .day("anniversary", self.anniversary_on)
            .limit("renew_until", self.renew_until).stakes(&self.at_stake)
    }

    fn line(&self) -> String {
        format!("the membership is in grace; renewal is possible until {}", self.renew_until) + &Stake::line(&self.at_stake)
    }

    fn samples() -> Vec<Self> {
        let of = |at_stake| Self {
            order_id: Sample::order(),
            offer: "gold".to_owned(),
            anniversary_on: Sample::day(2025, 1, 31),
            renew_until: Sample::day(2025, 3, 2),
            at_stake,
        };
        vec![of(vec![]), of(vec![Stake::sample("azure_bulk_credit/cloud_platform", 1_200_000, Sample::day(2025, 3, 2))])]
    }
}
