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
    const ENGLISH: &'static str = "
Name a marketing contact: {{ benefit }} waits for one
The {{ benefit }} of order {{ order }} can be used through {{ last_day }}, but it cannot be activated, because no marketing contact is named.

What to do: have a global administrator or an MPN partner administrator name a user of your directory as the marketing contact, with an e-mail address other than this one, a telephone number and a language. Then have one of them activate the offer; once it is live, it can be used through {{ last_day }}.
";
    const SWEDISH: &'static str = "
Ange en marknadsföringskontakt: {{ benefit }} väntar på en
Ert {{ benefit }} i order {{ order }} kan användas till och med den {{ last_day }}, men det kan inte aktiveras eftersom ingen marknadsföringskontakt är angiven.

Att göra: låt en global administratör eller en MPN-partneradministratör ange en användare i er katalog som marknadsföringskontakt, med en annan e-postadress än den här, ett telefonnummer och ett språk. Låt sedan någon av dem aktivera erbjudandet; när det är tillgängligt kan det användas till och med den {{ last_day }}.
";

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
