//! A cancellation was accepted and the purchase is refunded (R9, D7).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::{id::{OrderId, RequestId}, 
    cancellation::{Refund, Waiting},
    money::{Amount, Currency},
    reason::Reason,
};

/// A cancellation was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationAccepted {
    /// The service request.
    pub request_id: RequestId,
    /// The order.
    pub order_id: OrderId,
    /// The last day of the order.
    pub ended_on: NaiveDate,
    /// When the request came, if that is known.
    #[serde(default)]
    pub received_on: Option<NaiveDate>,
    /// What became of the order's credit.
    #[serde(flatten)]
    pub refund: Refund,
}

impl NoticeContent for CancellationAccepted {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, None)
    }

    fn act_by(&self, today: NaiveDate) -> NaiveDate {
        today
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .request(&self.request_id, &self.order_id)
            .day("last_day", self.ended_on)
            .received(self.received_on, self.ended_on)
            .amounts("reversed", &self.refund.reversed)
            .amounts("spent", &self.refund.spent)
            .waiting(&self.refund.waiting)
    }

    fn line(&self) -> String {
        format!("cancellation {} is accepted; the order's last day is {}", self.request_id, self.ended_on)
    }

    fn samples() -> Vec<Self> {
        let dollars = |minor| vec![Amount::new(minor, Currency::USD)];
        let of = |reversed, spent, waiting| Self {
            request_id: "SR-77".into(),
            order_id: Sample::order(),
            ended_on: Sample::day(2024, 2, 20),
            received_on: Some(Sample::day(2024, 2, 22)),
            refund: Refund { reversed, spent, waiting },
        };
        let waits = Waiting {
            benefit: "azure_monthly_credit".to_owned(),
            period_no: 0,
            period_from: Sample::day(2024, 2, 20),
            amount: Amount::new(10_000, Currency::USD),
            reason: Reason::RateMissing {
                currency: Currency::parse("SEK").unwrap_or(Currency::EUR),
                on: Sample::day(2024, 2, 20),
            },
        };
        vec![
            of(dollars(6_000), dollars(4_000), vec![]),
            of(vec![], vec![], vec![]),
            of(vec![], dollars(4_000), vec![waits]),
        ]
    }
}
