//! A benefit ends before its membership does: 60, 30, 14, 7, 1 days before and on its last usable day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    stake::Stake,
    told::{Audience, Sample, Steps, Stream, Told},
};

/// An entitlement ends before its membership does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntitlementEnding {
    /// The order.
    pub order_id: String,
    /// The benefit code.
    pub benefit: String,
    /// Last usable day.
    pub last_usable_on: NaiveDate,
    /// Credit that is lost at its end unless it is spent before.
    #[serde(default)]
    pub at_stake: Vec<Stake>,
}

impl Told for EntitlementEnding {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = Some(Steps::BeforeTheEnd);
    const ENGLISH: &'static str = "
Benefit ends on {{ last_day }}: {{ benefit }}
The benefit {{ benefit }} of order {{ order }} can be used through {{ last_day }}. It ends before the membership does and has no period of grace: the day after, its assignments end and any credit left in it lapses.
{% include 'stakes/en' %}

What to do: use what you need of it by the end of {{ last_day }}.
";
    const SWEDISH: &'static str = "
Förmån upphör den {{ last_day }}: {{ benefit }}
Förmånen {{ benefit }} i order {{ order }} kan användas till och med den {{ last_day }}. Den upphör före medlemskapet och har ingen respittid: dagen efter avslutas dess tilldelningar och eventuell kvarvarande kredit förfaller.
{% include 'stakes/sv' %}

Att göra: använd det ni behöver av den senast den {{ last_day }}.
";

    fn about(&self) -> (&str, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_usable_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts.benefit(&self.order_id, &self.benefit).limit("last_day", self.last_usable_on).stakes(&self.at_stake)
    }

    fn line(&self) -> String {
        format!("the benefit ends, last usable day {}", self.last_usable_on) + &Stake::line(&self.at_stake)
    }

    fn samples() -> Vec<Self> {
        let of = |at_stake| Self {
            order_id: Sample::order(),
            benefit: "azure_monthly_credit".to_owned(),
            last_usable_on: Sample::day(2024, 6, 30),
            at_stake,
        };
        vec![of(vec![]), of(vec![Stake::sample("azure_monthly_credit", 1_200_000, Sample::day(2024, 6, 30))])]
    }
}
