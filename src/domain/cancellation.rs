//! Cancellation with refund (R9, D1, D7): the whole order, within the window, nothing of it used that blocks.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    calendar::add_days,
    credit::{Schedule, Terms},
    money::Amount,
    reason::Reason,
};

/// The order as it stood on the day the request was made, and what was done with it by the day it came (D7).
#[derive(Clone, Debug)]
pub struct OrderToCancel {
    /// When it was bought.
    pub purchased_on: NaiveDate,
    /// Its last usable day, had it ended before.
    pub ended_on: Option<NaiveDate>,
    /// What was done with its benefits, each with its event's name (D7).
    pub uses: Vec<Use>,
}

/// Something that was done with a benefit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// An event's name, such as `software_key_revealed`, or `credit_used`.
    pub event: String,
    /// The benefit code.
    pub benefit: String,
    /// The day.
    pub on: NaiveDate,
}

/// What an accepted cancellation did with the credit of its order (D7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Taken back, one amount a currency.
    pub reversed: Vec<Amount>,
    /// Spent, and so kept, one amount a currency.
    pub spent: Vec<Amount>,
    /// Grants that were due by the request and wait: each is booked together with its reversal once it can be.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
}

/// A grant that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The benefit code.
    pub benefit: String,
    /// The number of its period.
    pub period_no: u32,
    /// First day of its period.
    pub period_from: NaiveDate,
    /// How much, as its file states it, less what silver brings beside it (D12).
    pub amount: Amount,
    /// Why it waits.
    pub reason: Reason,
}

/// The grants of a refunded credit that wait, where it `stands` after its end; one that an agreement excludes is lost.
#[must_use]
pub fn waiting(benefit: &str, terms: &Terms, stands: &Schedule) -> Vec<Waiting> {
    let Some(reason) = stands.waits.as_ref() else { return vec![] };
    if matches!(reason, Reason::BulkBlocked { .. }) {
        return vec![];
    }
    let due = (stands.next_period..).take_while(|number| terms.grants(*number));
    due.map(|period_no| Waiting {
        benefit: benefit.to_owned(),
        period_no,
        period_from: terms.period(period_no).from,
        amount: terms.brings(period_no, terms.period(period_no).from),
        reason: reason.clone(),
    })
    .filter(|waiting| waiting.amount.minor > 0)
    .collect()
}

/// The policy name under which every use blocks.
pub const ANY_BENEFIT_USED: &str = "any_benefit_used";

/// Every criterion that a request of `requested_on` fails; none: the order is refunded.
///
/// Windows count days inclusively: bought on day P, the last refundable request is of P + `window_days` (D1).
#[must_use]
pub fn decide(
    order: &OrderToCancel,
    requested_on: NaiveDate,
    window_days: u32,
    blockers: &[String],
) -> Vec<Reason> {
    let mut failed = Vec::new();
    if let Some(ended_on) = order.ended_on {
        failed.push(Reason::AlreadyEnded { ended_on });
    }
    if requested_on < order.purchased_on {
        failed.push(Reason::RequestedBeforePurchase { earliest_on: order.purchased_on });
    }
    let latest_on = add_days(order.purchased_on, window_days);
    if requested_on > latest_on {
        failed.push(Reason::RefundWindowPassed { latest_on });
    }
    let blocks = |used: &&Use| blockers.iter().any(|name| *name == used.event || name == ANY_BENEFIT_USED);
    failed.extend(order.uses.iter().filter(blocks).map(|used| Reason::RefundBlocked {
        event: used.event.clone(),
        benefit: used.benefit.clone(),
        on: used.on,
    }));
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn bought_on_31_january() -> OrderToCancel {
        OrderToCancel { purchased_on: day("2024-01-31"), ended_on: None, uses: vec![] }
    }

    #[test]
    fn r9_the_thirtieth_day_is_refunded_and_the_thirty_first_is_not() {
        let order = bought_on_31_january();
        assert_eq!(decide(&order, day("2024-01-31"), 30, &[]), []);
        assert_eq!(decide(&order, day("2024-03-01"), 30, &[]), []);
        let late = Reason::RefundWindowPassed { latest_on: day("2024-03-01") };
        assert_eq!(decide(&order, day("2024-03-02"), 30, &[]), [late]);
    }

    #[test]
    fn d7_every_failed_criterion_is_listed() {
        let revealed = Use {
            event: "software_key_revealed".into(),
            benefit: "software/windows".into(),
            on: day("2024-02-01"),
        };
        let spent = Use {
            event: "credit_used".into(),
            benefit: "azure_monthly_credit".into(),
            on: day("2024-02-02"),
        };
        let order = OrderToCancel { uses: vec![revealed, spent], ..bought_on_31_january() };
        let default = vec!["software_key_revealed".to_owned()];
        let codes = |blockers: &[String]| -> Vec<&str> {
            decide(&order, day("2024-03-02"), 30, blockers).iter().map(Reason::code).collect()
        };
        assert_eq!(codes(&default), ["refund_window_passed", "refund_blocked"]);
        assert_eq!(codes(&[ANY_BENEFIT_USED.to_owned()]).len(), 3);
        assert_eq!(codes(&[]), ["refund_window_passed"]);
    }

    #[test]
    fn d7_an_event_blocks_if_policy_names_it_and_no_other_does() {
        let used = |event: &str| Use {
            event: event.into(),
            benefit: "software/windows".into(),
            on: day("2024-02-01"),
        };
        let both = vec![used("software_key_revealed"), used("credit_used")];
        let order = OrderToCancel { uses: both, ..bought_on_31_january() };
        let blocked = |blockers: &[&str]| -> Vec<String> {
            let blockers: Vec<String> = blockers.iter().map(|&name| name.to_owned()).collect();
            let failed = decide(&order, day("2024-03-01"), 30, &blockers);
            let event = |reason| match reason {
                Reason::RefundBlocked { event, .. } => event,
                other => panic!("{other:?}"),
            };
            failed.into_iter().map(event).collect()
        };
        assert_eq!(blocked(&["software_key_revealed"]), ["software_key_revealed"]);
        assert_eq!(blocked(&["software_key_redeemed", "credit_used"]), ["credit_used"]);
        assert_eq!(blocked(&["software_activated"]), [""; 0]);
        assert_eq!(blocked(&[ANY_BENEFIT_USED]), ["software_key_revealed", "credit_used"]);
    }

    #[test]
    fn d7_what_has_ended_or_is_not_bought_yet_is_not_refunded() {
        let ended = OrderToCancel { ended_on: Some(day("2024-02-10")), ..bought_on_31_january() };
        let already = Reason::AlreadyEnded { ended_on: day("2024-02-10") };
        assert_eq!(decide(&ended, day("2024-02-09"), 30, &[]), [already]);
        let early = Reason::RequestedBeforePurchase { earliest_on: day("2024-01-31") };
        assert_eq!(decide(&bought_on_31_january(), day("2024-01-30"), 30, &[]), [early]);
    }
}
