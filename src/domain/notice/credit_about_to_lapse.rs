//! Credit that is about to lapse, with its value: a period's 7 days before its last usable day, bulk credit 30 and 7
//! days before the last day on which it can be spent, grace included.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    facts::Facts,
    told::{Audience, Sample, Steps, Stream, NoticeContent},
};
use crate::domain::{id::OrderId, money::{Amount, Currency}};

/// A credit can be spent for some days yet, and something of it is unspent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditAboutToLapse {
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// What is unspent.
    pub unspent: Amount,
    /// Last day on which it can be spent.
    pub last_usable_on: NaiveDate,
    /// Nobody is assigned to it today.
    pub unassigned: bool,
    /// The number of its period.
    #[serde(default)]
    pub period_no: Option<i32>,
    /// Its benefit ends on that day too, before its membership does.
    #[serde(default)]
    pub ends: bool,
    /// The benefit is closed unless somebody is assigned by then (D11).
    #[serde(default)]
    pub closes: bool,
    /// The date of the full snapshot that does not have its benefit, if it ends for that (D16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_as_of: Option<NaiveDate>,
}

impl NoticeContent for CreditAboutToLapse {
    const AUDIENCE: Audience = Audience::ContactElseAccount;
    const STREAM: Stream = Stream::Transactional;
    const STEPS: Option<Steps> = Some(Steps::BeforeTheLapse);

    fn about(&self) -> (&OrderId, Option<&str>) {
        (&self.order_id, Some(&self.benefit))
    }

    fn act_by(&self, _: NaiveDate) -> NaiveDate {
        self.last_usable_on
    }

    fn facts(&self, facts: Facts) -> Facts {
        facts
            .benefit(&self.order_id, &self.benefit)
            .amounts("unspent", &[self.unspent])
            .limit("last_day", self.last_usable_on)
            .flag("monthly", self.benefit.starts_with("azure_monthly_credit"))
            .flag("unassigned", self.unassigned)
            .flag("ends", self.ends)
            .flag("closes", self.closes)
            .snapshot(self.missing_as_of)
    }

    fn line(&self) -> String {
        let nobody = if self.unassigned { "; nobody is assigned" } else { "" };
        let unless = if self.closes { "somebody is assigned" } else { "spent" };
        format!("{} lapses unless {unless} by {}{nobody}", self.unspent, self.last_usable_on)
    }

    fn samples() -> Vec<Self> {
        let of = |benefit: &str, unassigned, ends, closes| Self {
            order_id: Sample::order(),
            benefit: benefit.to_owned(),
            unspent: Amount::new(103_834, Currency::parse("SEK").unwrap_or(Currency::EUR)),
            last_usable_on: Sample::day(2024, 2, 28),
            unassigned,
            period_no: Some(0),
            ends,
            closes,
            missing_as_of: None,
        };
        vec![
            of("azure_monthly_credit", false, false, false),
            of("azure_monthly_credit", true, true, false),
            of("azure_bulk_credit/cloud_platform", true, false, false),
            of("azure_monthly_credit", true, true, true),
            Self { missing_as_of: Some(Sample::day(2024, 2, 20)), ..of("azure_monthly_credit", false, true, false) },
        ]
    }
}
