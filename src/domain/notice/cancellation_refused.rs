//! A cancellation was refused, with every failed criterion (D7, D13).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::{id::{OrderId, RequestId}, reason::Reason};

/// A cancellation was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationRefused {
    /// The service request.
    pub request_id: RequestId,
    /// The order.
    pub order_id: OrderId,
    /// When it was asked for.
    pub requested_on: NaiveDate,
    /// When the request came, if that is known.
    #[serde(default)]
    pub received_on: Option<NaiveDate>,
    /// Every failed criterion.
    pub reasons: Vec<Reason>,
}

impl NoticeContent for CancellationRefused {
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
            .day("requested", self.requested_on)
            .received(self.received_on, self.requested_on)
            .reasons(&self.reasons)
    }

    fn line(&self) -> String {
        format!("cancellation {} is refused", self.request_id)
    }

    fn samples() -> Vec<Self> {
        let of = |reasons| Self {
            request_id: "SR-77".into(),
            order_id: Sample::order(),
            requested_on: Sample::day(2024, 3, 2),
            received_on: Some(Sample::day(2024, 3, 4)),
            reasons,
        };
        let revealed = Reason::RefundBlocked {
            event: "software_key_revealed".to_owned(),
            benefit: "software".to_owned(),
            on: Sample::day(2024, 2, 10),
        };
        vec![
            of(vec![Reason::RefundWindowPassed { latest_on: Sample::day(2024, 3, 1) }, revealed]),
            of(vec![Reason::RequestedBeforePurchase { earliest_on: Sample::day(2024, 3, 5) }]),
            of(vec![Reason::UnknownOrder]),
        ]
    }
}
