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
    const ENGLISH: &'static str = "
Cancellation refused: order {{ order }}
Your request {{ request }} of {{ requested }}{{ ', received on ' ~ received ~ ',' if received else '' }} to cancel order {{ order }} has been refused.{{ ' The order and its benefits go on unchanged.' if not ended else '' }}

Why:
{% for reason in reasons %}
- {{ reason }}
{% endfor %}

{% if never %}
What to do: the order can no longer be refunded, so a new request would be refused as well.{{ ' Its benefits remain yours to use until they end.' if not ended else '' }}
{% elif earliest %}
What to do: send the request again, dated {{ earliest }} or later.
{% else %}
What to do: correct what is named above, and send the request again.
{% endif %}
";
    const SWEDISH: &'static str = "
Annullering avslagen: order {{ order }}
Er begäran {{ request }} från den {{ requested }}{{ ', mottagen den ' ~ received ~ ',' if received else '' }} om att annullera order {{ order }} har avslagits.{{ ' Ordern och dess förmåner fortsätter oförändrade.' if not ended else '' }}

Skäl:
{% for reason in reasons %}
- {{ reason }}
{% endfor %}

{% if never %}
Att göra: köpet kan inte längre återbetalas, så även en ny begäran skulle avslås.{{ ' Förmånerna är era att använda tills de upphör.' if not ended else '' }}
{% elif earliest %}
Att göra: skicka in begäran på nytt, daterad den {{ earliest }} eller senare.
{% else %}
Att göra: rätta det som nämns ovan och skicka in begäran på nytt.
{% endif %}
";

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
