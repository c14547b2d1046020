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
    const ENGLISH: &'static str = "
{{ lost }} of {{ benefit }} was lost: nobody was assigned
{{ lost }} of the {{ benefit }} of order {{ order }} has lapsed unspent. It could be used from {{ from }} through {{ last_day }}, but nobody was assigned to it on any of those days. What has lapsed cannot be brought back.

{% if over %}
There is nothing to do for this credit any more: the benefit has ended.
{% elif next_until %}
What to do: have a global administrator assign the credit to a user of your directory (guests included). The credit of the period that began on {{ next_from }} is lost in the same way unless somebody is assigned and spends it before {{ next_until }}.
{% else %}
There is nothing to do for this credit any more. If you are granted another one, assign it to a user as soon as it is granted, so that it can be spent.
{% endif %}
";
    const SWEDISH: &'static str = "
{{ lost }} av {{ benefit }} gick förlorat: ingen var tilldelad
{{ lost }} av förmånen {{ benefit }} i order {{ order }} har förfallit utan att användas. Krediten gällde från och med den {{ from }} till och med den {{ last_day }}, men ingen var tilldelad den någon av de dagarna. Det som har förfallit kan inte återfås.

{% if over %}
För den här krediten finns inget mer att göra: förmånen har upphört.
{% elif next_until %}
Att göra: låt en global administratör tilldela krediten till en användare i er katalog (även gäster går bra). Krediten för perioden som började den {{ next_from }} går förlorad på samma sätt, om inte någon tilldelas den och använder den före den {{ next_until }}.
{% else %}
För den här krediten finns inget mer att göra. Om ni beviljas en ny kredit, tilldela den till en användare så snart den har beviljats, så att den kan användas.
{% endif %}
";

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
