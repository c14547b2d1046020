//! A Go-To-Market offer was activated: what is to be done until it is live, and then (R8). Somebody asked for it, so it
//! is no marketing.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::id::OrderId;

/// A Go-To-Market offer was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferInstructions {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The day from which the offer is live.
    pub live_on: NaiveDate,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
}

impl NoticeContent for OfferInstructions {
    const AUDIENCE: Audience = Audience::Contact;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = None;
    const ENGLISH: &'static str = "
{{ benefit }}: what to do, live on {{ live }}
The {{ benefit }} of order {{ order }} has been activated, and you are its marketing contact. It is live from {{ live }} and can be used through {{ last_day }}.

What to do:
- By {{ live }}: check that your telephone number and preferred language are right, and decide what you want to promote. You are called or written to about it, and nobody else is.
- From {{ live }}: use the offer's marketing services and materials. You are told again once it is live.
- By {{ last_day }}: finish what you have begun; after that day the offer is closed, and nothing of it is carried over.

If somebody else is to do this, have a global administrator or an MPN partner administrator name them as the marketing contact.
";
    const SWEDISH: &'static str = "
{{ benefit }}: att göra, tillgängligt från den {{ live }}
Ert {{ benefit }} i order {{ order }} har aktiverats, och du är dess marknadsföringskontakt. Erbjudandet är tillgängligt från och med den {{ live }} och kan användas till och med den {{ last_day }}.

Att göra:
- Senast den {{ live }}: kontrollera att ditt telefonnummer och ditt språk stämmer, och bestäm vad ni vill marknadsföra. Det är du, och ingen annan, som blir kontaktad om det.
- Från och med den {{ live }}: använd erbjudandets marknadsföringstjänster och material. Du får ett nytt meddelande när det är tillgängligt.
- Senast den {{ last_day }}: avsluta det ni har påbörjat; efter den dagen är erbjudandet stängt och inget förs över till senare.

Om någon annan ska göra detta, låt en global administratör eller en MPN-partneradministratör ange den personen som marknadsföringskontakt.
";

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.live_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .benefit(&self.order_id, &self.benefit)
            .limit("live", self.live_on)
            .limit("last_day", self.last_usable_on)
    }

    fn line(&self) -> String {
        let (live, last) = (self.live_on, self.last_usable_on);
        format!("the offer is activated: what to do until it is live on {live}, and through {last}")
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
