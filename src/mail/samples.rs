//! One invented notice of each kind and of each turn its template can take, to check the templates with.

use chrono::NaiveDate;

use crate::domain::{
    money::{Amount, Currency},
    notice::Notice,
    reason::Reason,
};

/// Every kind of notice; those whose template has branches appear once for each.
pub(super) fn notices() -> Vec<Notice> {
    let mut all = endings();
    all.extend(credits());
    all.extend(cancellations());
    all.extend(offers());
    all
}

fn order() -> String {
    "ORD-1001".to_owned()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn endings() -> Vec<Notice> {
    let offer = || "gold".to_owned();
    vec![
        Notice::EntitlementEnding {
            order_id: order(),
            benefit: "visual_studio/app_dev".to_owned(),
            last_usable_on: day(2024, 6, 30),
        },
        Notice::MembershipEnding {
            order_id: order(),
            offer: offer(),
            last_day_on: day(2025, 1, 30),
            renew_until: day(2025, 3, 2),
        },
        Notice::MembershipInGrace {
            order_id: order(),
            offer: offer(),
            anniversary_on: day(2025, 1, 31),
            renew_until: day(2025, 3, 2),
        },
        Notice::EntitlementEnded {
            order_id: order(),
            benefit: "license_subscription/office_365".to_owned(),
            ended_on: day(2024, 6, 30),
        },
        Notice::MembershipEnded { order_id: order(), offer: offer(), ended_on: day(2025, 3, 2) },
    ]
}

fn credits() -> Vec<Notice> {
    let kronor = Amount::new(103_834, Currency::parse("SEK").unwrap_or(Currency::EUR));
    let lapsing = |benefit: &str, unassigned| Notice::CreditAboutToLapse {
        order_id: order(),
        benefit: benefit.to_owned(),
        unspent: kronor,
        last_usable_on: day(2024, 2, 28),
        unassigned,
    };
    let lapsed = |benefit: &str| Notice::CreditLapsedUnassigned {
        order_id: order(),
        benefit: benefit.to_owned(),
        lost: kronor,
        period_from: day(2024, 1, 31),
        period_until: day(2024, 2, 29),
    };
    vec![
        lapsing("azure_monthly_credit", false),
        lapsing("azure_monthly_credit", true),
        lapsing("azure_bulk_credit/cloud_platform", true),
        lapsed("azure_monthly_credit"),
        lapsed("azure_bulk_credit/cloud_platform"),
    ]
}

fn cancellations() -> Vec<Notice> {
    let dollars = |minor| Amount::new(minor, Currency::USD);
    let accepted = |reversed, spent| Notice::CancellationAccepted {
        request_id: "SR-77".to_owned(),
        order_id: order(),
        ended_on: day(2024, 2, 20),
        reversed,
        spent,
    };
    let refused = |reasons| Notice::CancellationRefused {
        request_id: "SR-77".to_owned(),
        order_id: order(),
        requested_on: day(2024, 3, 2),
        reasons,
    };
    let revealed = Reason::RefundBlocked {
        event: "software_key_revealed".to_owned(),
        benefit: "software".to_owned(),
        on: day(2024, 2, 10),
    };
    vec![
        accepted(vec![dollars(6_000)], vec![dollars(4_000)]),
        accepted(vec![], vec![]),
        refused(vec![Reason::RefundWindowPassed { latest_on: day(2024, 3, 1) }, revealed]),
        refused(vec![Reason::RequestedBeforePurchase { earliest_on: day(2024, 3, 5) }]),
        refused(vec![Reason::UnknownOrder]),
    ]
}

fn offers() -> Vec<Notice> {
    let benefit = || "go_to_market/gold_core".to_owned();
    let (live_on, last_usable_on) = (day(2024, 2, 23), day(2025, 3, 2));
    vec![
        Notice::OfferInstructions { order_id: order(), benefit: benefit(), live_on, last_usable_on },
        Notice::OfferLive { order_id: order(), benefit: benefit(), live_on, last_usable_on },
        Notice::ContactNeeded { order_id: order(), benefit: benefit(), last_usable_on },
    ]
}
