//! Credit lapsed to which nobody was assigned on any day of its period (D3).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::{id::OrderId, 
    calendar::{Period, sub_days},
    money::{Amount, Currency},
};

/// A credit lapsed to which nobody was assigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditLapsedUnassigned {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// What was lost.
    pub lost: Amount,
    /// First day on which it could be used.
    pub period_from: NaiveDate,
    /// First day after its period.
    pub period_until: NaiveDate,
    /// The benefit has ended: nobody need be assigned any more.
    #[serde(default)]
    pub over: bool,
    /// The period after it, which is granted as well (D3), and lost in the same way unless somebody is assigned.
    #[serde(default)]
    pub next: Option<Period>,
}

impl CreditLapsedUnassigned {
    /// The period for which something can still be done.
    fn to_keep(&self) -> Option<Period> {
        self.next.filter(|_| !self.over)
    }
}

impl NoticeContent for CreditLapsedUnassigned {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        // It can be kept from happening again until the next period is over.
        self.to_keep().map_or(NaiveDate::MAX, |next| next.until)
    }

    fn facts(&self, facts: Facts) -> Facts {
        let facts = match self.to_keep() {
            Some(next) => facts.day("next_from", next.from).limit("next_until", next.until),
            None => facts.text("next_from", "").text("next_until", ""),
        };
        facts
            .benefit(&self.order_id, &self.benefit)
            .amounts("lost", &[self.lost])
            .day("from", self.period_from)
            .day("last_day", sub_days(self.period_until, 1))
            .flag("over", self.over)
    }

    fn line(&self) -> String {
        let last = sub_days(self.period_until, 1);
        format!("{} of {} to {last} was lost: nobody was assigned", self.lost, self.period_from)
    }

    fn samples() -> Vec<Self> {
        let next = Period { from: Sample::day(2024, 2, 29), until: Sample::day(2024, 3, 31) };
        let of = |benefit: &str, over, next| Self {
            order_id: Sample::order(),
            benefit: benefit.to_owned(),
            lost: Amount::new(103_834, Currency::parse("SEK").unwrap_or(Currency::EUR)),
            period_from: Sample::day(2024, 1, 31),
            period_until: Sample::day(2024, 2, 29),
            over,
            next,
        };
        vec![
            of("azure_monthly_credit", false, Some(next)),
            of("azure_monthly_credit", false, None),
            of("azure_bulk_credit/cloud_platform", true, None),
        ]
    }
}
