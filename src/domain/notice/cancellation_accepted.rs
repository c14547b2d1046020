//! A cancellation was accepted and the purchase is refunded (R9, D7).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, Told},
};
use crate::domain::money::{Amount, Currency};

/// A cancellation was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationAccepted {
    /// The service request.
    pub request_id: String,
    /// The order.
    pub order_id: String,
    /// The last day of the order.
    pub ended_on: NaiveDate,
    /// Credit taken back, one amount a currency.
    pub reversed: Vec<Amount>,
    /// Credit that was spent and stays spent.
    pub spent: Vec<Amount>,
}

impl Told for CancellationAccepted {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;
    const ENGLISH: &'static str = "
Cancellation accepted: order {{ order }}
Your request {{ request }} to cancel order {{ order }} has been accepted, and the purchase is refunded. The last day of the order and of all its benefits was {{ last_day }}.

{% if reversed %}
Unspent credit that was taken back: {{ reversed }}.
{% else %}
There was no unspent credit to take back.
{% endif %}
{% if spent %}
Credit that was already spent and stays spent: {{ spent }}.
{% endif %}

There is nothing you need to do.
";
    const SWEDISH: &'static str = "
Annullering godkänd: order {{ order }}
Er begäran {{ request }} om att annullera order {{ order }} har godkänts och köpet återbetalas. Orderns och alla dess förmåners sista dag var den {{ last_day }}.

{% if reversed %}
Outnyttjad kredit som har återtagits: {{ reversed }}.
{% else %}
Det fanns ingen outnyttjad kredit att återta.
{% endif %}
{% if spent %}
Kredit som redan var använd och förblir använd: {{ spent }}.
{% endif %}

Ni behöver inte göra något.
";

    fn about(&self) -> (&str, Option<&str>) {
        (&self.order_id, None)
    }

    fn act_by(&self, today: NaiveDate) -> NaiveDate {
        today
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .request(&self.request_id, &self.order_id)
            .day("last_day", self.ended_on)
            .amounts("reversed", &self.reversed)
            .amounts("spent", &self.spent)
    }

    fn line(&self) -> String {
        format!("cancellation {} is accepted; the order's last day is {}", self.request_id, self.ended_on)
    }

    fn samples() -> Vec<Self> {
        let dollars = |minor| vec![Amount::new(minor, Currency::USD)];
        let of = |reversed, spent| Self {
            request_id: "SR-77".to_owned(),
            order_id: Sample::order(),
            ended_on: Sample::day(2024, 2, 20),
            reversed,
            spent,
        };
        vec![of(dollars(6_000), dollars(4_000)), of(vec![], vec![])]
    }
}
