//! What a history's figures and notices are called.

use chrono::NaiveDate;

use crate::domain::{
    calendar::sub_days,
    draw::Unit,
    language::Language,
    money::{Amount, Currency, plain},
    naming,
    notice::Notice,
};

/// `SEK 1,038.34`; a count as it is.
pub(in super::super) fn money(minor: i64, currency: Option<&str>) -> String {
    let currency = currency.and_then(Currency::stored);
    currency.map_or_else(|| minor.to_string(), |currency| Amount::new(minor, currency).to_string())
}

/// What a movement of the ledger moves: money, or hours or incidents, which have no currency.
pub(super) fn figure(kind: &str, count: i64, currency: Option<&str>) -> String {
    let unit = match kind.split('_').next() {
        Some("hours") => Unit::Hours,
        Some("incidents") => Unit::Incidents,
        _ => return money(count, currency),
    };
    naming::units(unit, count, Language::English).replace('\u{a0}', " ")
}

/// `10.3979`: a rate in billionths without the zeros at its end.
pub(super) fn rate(nano: i64) -> String {
    plain(nano, 9).trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2024-01-31 to 2024-02-28`, both included.
pub(super) fn span(from: NaiveDate, until: NaiveDate) -> String {
    format!("{from} to {}", sub_days(until, 1))
}

/// A status in words.
pub(in super::super) fn standing(status: &str) -> String {
    status.replace('_', " ")
}

/// What a notice says, in one breath.
pub(super) fn notice(notice: &Notice) -> String {
    match notice {
        Notice::EntitlementEnding { last_usable_on, .. } => {
            format!("the benefit ends, last usable day {last_usable_on}")
        }
        Notice::MembershipEnding { last_day_on, renew_until, .. } => {
            format!(
                "the membership's last day before grace is {last_day_on}; renewal is possible until {renew_until}"
            )
        }
        Notice::MembershipInGrace { renew_until, .. } => {
            format!("the membership is in grace; renewal is possible until {renew_until}")
        }
        Notice::CreditAboutToLapse { unspent, last_usable_on, unassigned, .. } => {
            let nobody = if *unassigned { "; nobody is assigned" } else { "" };
            format!("{unspent} lapses unless spent by {last_usable_on}{nobody}")
        }
        Notice::CreditLapsedUnassigned { lost, period_from, period_until, .. } => {
            format!("{lost} of {} was lost: nobody was assigned", span(*period_from, *period_until))
        }
        Notice::EntitlementEnded { ended_on, .. } => {
            format!("the benefit has ended, last usable day {ended_on}")
        }
        Notice::MembershipEnded { ended_on, .. } => {
            format!("the membership has ended, last usable day {ended_on}")
        }
        Notice::CancellationAccepted { request_id, ended_on, .. } => {
            format!("cancellation {request_id} is accepted; the order's last day is {ended_on}")
        }
        Notice::CancellationRefused { request_id, .. } => format!("cancellation {request_id} is refused"),
        Notice::OfferInstructions { live_on, last_usable_on, .. } => {
            format!(
                "the offer is activated: what to do until it is live on {live_on}, and through {last_usable_on}"
            )
        }
        Notice::OfferLive { live_on, last_usable_on, .. } => {
            format!("the offer is live since {live_on}, usable through {last_usable_on}")
        }
        Notice::ContactNeeded { last_usable_on, .. } => {
            format!("the offer needs a marketing contact before it is activated; it ends on {last_usable_on}")
        }
    }
}

/// What a notice is about: the order, or the order and the benefit.
pub(super) fn subject(notice: &Notice) -> String {
    match notice {
        Notice::EntitlementEnding { order_id, benefit, .. }
        | Notice::CreditAboutToLapse { order_id, benefit, .. }
        | Notice::CreditLapsedUnassigned { order_id, benefit, .. }
        | Notice::OfferInstructions { order_id, benefit, .. }
        | Notice::OfferLive { order_id, benefit, .. }
        | Notice::ContactNeeded { order_id, benefit, .. }
        | Notice::EntitlementEnded { order_id, benefit, .. } => format!("{order_id}/{benefit}"),
        Notice::MembershipEnding { order_id, .. }
        | Notice::MembershipInGrace { order_id, .. }
        | Notice::MembershipEnded { order_id, .. }
        | Notice::CancellationAccepted { order_id, .. }
        | Notice::CancellationRefused { order_id, .. } => order_id.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!(money(103_979, Some("SEK")), "SEK 1,039.79");
        assert_eq!(money(15_119, Some("JPY")), "JPY 15,119");
        assert_eq!(money(90, None), "90");
        assert_eq!(figure("hours_used", 90, None), "1.5 hours");
        assert_eq!(figure("incidents_granted", 1, None), "1 incident");
        assert_eq!(
            (rate(913_659_205), rate(10_397_940_000), rate(1_000_000_000)),
            ("0.913659205".into(), "10.39794".into(), "1".into())
        );
        assert_eq!(
            span("2024-02-29".parse().unwrap(), "2024-03-31".parse().unwrap()),
            "2024-02-29 to 2024-03-30"
        );
    }
}
