//! What contacts are owed, decided apart from sending it: D10. A night's mail is read on the morning after it, so a
//! notice of a day is owed by the night before.

use crate::{
    cast::{ENTITLEMENTS, contact, monthly, partner, renewal, row, usage, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";

/// An order of software from 31 January 2024: AD − 1 is 30 January 2025, grace ends on 2 March.
async fn software(house: &mut House, on: &str) {
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    let (partner, users, contact) = (partner("4301", "USD"), users("4301"), contact("4301", "en"));
    let files = [("p.csv", &*partner), ("u.csv", &users), ("c.csv", &contact), ("e.csv", &order)];
    for answer in house.import(&files, on).await {
        answer.applied();
    }
}

async fn again(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, before);
    house.job("remind_contacts", on).await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn d10_an_end_is_told_60_30_14_7_1_days_before_and_on_the_last_day_and_grace_on_its_7th_23rd_and_29th()
{
    let mut house = House::open().await;
    software(&mut house, "2024-01-31").await;
    house.night("2024-11-20").await;
    house.nights("2024-11-21", "2025-03-05").await;
    assert_eq!(
        house.notices().await,
        [
            "membership_ending 2024-12-01 sent",
            "membership_ending 2024-12-31 sent",
            "membership_ending 2025-01-16 sent",
            "membership_ending 2025-01-23 sent",
            "membership_ending 2025-01-29 sent",
            "membership_ending 2025-01-30 sent",
            "membership_in_grace 2025-02-07 sent",
            "membership_in_grace 2025-02-23 sent",
            "membership_in_grace 2025-03-01 sent",
            "membership_ended 2025-03-02 sent",
        ]
    );
    let days: Vec<String> = house.mailbox().await.into_iter().map(|mail| mail.day).collect();
    assert_eq!(days[0], "2024-11-30", "the night before, read on the morning of 1 December");
    assert_eq!(days[5], "2025-01-29");
    assert_eq!(days[9], "2025-03-03", "the night that ended it");
    again(&house, "2025-03-05").await;
}

#[tokio::test]
async fn d10_a_benefit_that_ends_before_its_membership_is_told_apart_and_its_end_as_well() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-01-31", "2024-06-30", ",")
        + &row("4301", "ORD-1", "product_support", "2024-01-31", "2025-01-30", ",")
            .replace(",core,1,", ",core,15,");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    house.nights("2024-04-25", "2024-07-02").await;
    assert_eq!(
        house.notices().await,
        [
            "entitlement_ending 2024-05-01 sent",
            "entitlement_ending 2024-05-31 sent",
            "entitlement_ending 2024-06-16 sent",
            "entitlement_ending 2024-06-23 sent",
            "entitlement_ending 2024-06-29 sent",
            "entitlement_ended 2024-06-30 sent",
            "entitlement_ending 2024-06-30 sent",
        ]
    );
    again(&house, "2024-07-02").await;
}

#[tokio::test]
async fn d10_credit_is_told_7_days_before_its_period_ends_with_its_value_and_only_if_unspent() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let files = [
        ("p.csv", &*partner("4301", "USD")),
        ("u.csv", &users("4301")),
        ("c.csv", &contact("4301", "en")),
        ("e.csv", &order),
    ];
    house.import(&files, "2024-01-31").await;
    let some = usage("4301", "ORD-1", MONTHLY, "2024-02-10", "30.00,USD", "U-1");
    house.import_one("u1.csv", &some, "2024-02-10").await.applied();
    house.nights("2024-02-10", "2024-02-24").await;
    // The last usable day of the period of 31 January is 28 February: seven days before it is the 21st.
    assert_eq!(house.notices().await, ["credit_about_to_lapse 2024-02-21 sent"]);
    let mail = house.mailbox().await.remove(0);
    assert_eq!(mail.day, "2024-02-20");
    assert!(mail.body.contains("70.00") && mail.body.contains("28 February 2024"), "{}", mail.body);
    let all = usage("4301", "ORD-1", MONTHLY, "2024-03-01", "100.00,USD", "U-2");
    house.import_one("u2.csv", &all, "2024-03-01").await.applied();
    house.nights("2024-02-25", "2024-03-30").await;
    let about = |n: &String| n.starts_with("credit_about_to_lapse");
    assert_eq!(house.notices().await.iter().filter(|n| about(n)).count(), 1, "spent: nothing is lost");
}

#[tokio::test]
async fn d10_after_an_outage_only_the_most_urgent_that_is_still_true_is_sent() {
    let mut house = House::open().await;
    software(&mut house, "2024-01-31").await;
    house.night("2024-11-20").await;
    house.night("2025-01-25").await;
    assert_eq!(
        house.notices().await,
        [
            "membership_ending 2024-12-01 superseded",
            "membership_ending 2024-12-31 superseded",
            "membership_ending 2025-01-16 superseded",
            "membership_ending 2025-01-23 sent",
        ]
    );
    house.night("2025-02-10").await;
    let last = house.notices().await.split_off(4);
    assert_eq!(
        last,
        [
            "membership_ending 2025-01-29 superseded",
            "membership_ending 2025-01-30 superseded",
            "membership_in_grace 2025-02-07 sent"
        ],
        "the last day is over: only grace is true"
    );
    house.night("2025-03-10").await;
    let last = house.notices().await.split_off(7);
    assert_eq!(
        last,
        [
            "membership_in_grace 2025-02-23 superseded",
            "membership_in_grace 2025-03-01 superseded",
            "membership_ended 2025-03-02 sent"
        ]
    );
}

#[tokio::test]
async fn d10_nothing_that_was_over_before_its_file_arrived_is_mailed() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", MONTHLY, "2023-01-31", "2024-01-30", "100,USD")
        + &row("4301", "ORD-1", "software", "2023-01-31", "2023-06-30", ",");
    // The membership is over since 1 March 2024, its credit's last period longer.
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-03-10").await;
    house.night("2024-03-10").await;
    assert_eq!(house.ledger_of("granted").await.len(), 12, "the ledger has it all the same");
    assert_eq!((house.notices().await, house.mailbox().await), (vec![], vec![]));
}

#[tokio::test]
async fn d10_what_is_renewed_or_ended_is_reminded_of_no_more() {
    let mut house = House::open().await;
    software(&mut house, "2024-01-31").await;
    house.night("2025-02-09").await;
    house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-02-10", "ORD-2"), "2025-02-10").await.applied();
    house.nights("2025-02-10", "2025-03-10").await;
    let late = |n: &&String| n.as_str() > "membership_in_grace 2025-02-08";
    assert_eq!(house.notices().await.iter().filter(late).count(), 0, "{:#?}", house.notices().await);
}

#[tokio::test]
async fn d10_after_an_outage_credit_is_told_with_what_is_unspent_then_and_not_at_all_if_nothing_is() {
    for (spent, told) in [("30.00,USD", "70.00"), ("100.00,USD", "")] {
        let mut house = House::open().await;
        let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
        house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
        house.night("2024-02-19").await;
        // The night of 20 February owes it; that night and the three after it are missed.
        let used = usage("4301", "ORD-1", MONTHLY, "2024-02-23", spent, "U-1");
        house.import_one("u.csv", &used, "2024-02-24").await.applied();
        house.night("2024-02-24").await;
        let mails = house.mailbox().await;
        if told.is_empty() {
            assert_eq!(mails, [], "nothing lapses");
        } else {
            assert!(mails[0].body.contains(told) && !mails[0].body.contains("100.00"), "{}", mails[0].body);
        }
    }
}
