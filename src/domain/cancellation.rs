//! Cancellation with refund (R9, D1, D7): the whole order, within the window, nothing of it used that blocks.

use chrono::NaiveDate;

use super::{calendar::add_days, reason::Reason};

/// The order as it stood on the day the request was made.
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
