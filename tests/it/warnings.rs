//! Nobody loses a credit unwarned (D10, promise 14): what is about to lapse is told with its value on the first night on
//! which it is due or overdue, while there is time to spend it.

use crate::{
    cast::{ENTITLEMENTS, contact, monthly, partner, rates, row, usage, users},
    house::House,
};

const BULK: &str = "azure_bulk_credit/cloud_platform";

/// A partner with a contact, in `currency`.
async fn known(house: &mut House, currency: &str, on: &str) {
    let (partner, users, contact) = (partner("4301", currency), users("4301"), contact("4301", "en"));
    for answer in house.import(&[("p.csv", &partner), ("u.csv", &users), ("c.csv", &contact)], on).await {
        answer.applied();
    }
}

/// Of one kind.
fn of(kind: &str, notices: Vec<String>) -> Vec<String> {
    notices.into_iter().filter(|notice| notice.starts_with(kind)).collect()
}

/// The text without its line breaks.
fn flat(body: &str) -> String {
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bodies of mails of a day, in one line.
async fn mail_of(house: &House, day: &str) -> String {
    let mails = house.mailbox().await.into_iter().filter(|mail| mail.day == day);
    mails.map(|mail| flat(&mail.body)).collect()
}

async fn again(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    house.job("remind_contacts", on).await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn c6_bulk_credit_is_told_30_and_7_days_before_the_last_day_of_grace_and_named_by_every_mail_of_the_end()
 {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-01-31").await;
    let order =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-30", "12000,USD");
    house.import_one("e.csv", &order, "2024-01-31").await.applied();
    house.night("2024-11-20").await;
    house.nights("2024-11-21", "2025-01-20").await;
    let some = usage("4301", "ORD-1", BULK, "2025-01-21", "2000.00,USD", "U-1");
    house.import_one("u.csv", &some, "2025-01-21").await.applied();
    house.nights("2025-01-21", "2025-03-05").await;
    // AD is 31 January 2025; the last day on which it can be spent is 2 March.
    assert_eq!(
        of("credit_about_to_lapse", house.notices().await),
        ["credit_about_to_lapse 2025-01-31 sent", "credit_about_to_lapse 2025-02-23 sent"]
    );
    let told = mail_of(&house, "2025-01-30").await;
    assert!(told.contains("USD 10,000.00") && told.contains("by the end of 2 March 2025 (UTC)"), "{told}");
    for (day, amount) in [
        ("2024-11-30", "USD 12,000.00"),
        ("2025-01-15", "USD 12,000.00"),
        ("2025-01-29", "USD 10,000.00"),
        ("2025-02-06", "USD 10,000.00"),
        ("2025-02-22", "USD 10,000.00"),
        ("2025-02-28", "USD 10,000.00"),
    ] {
        let told = mail_of(&house, day).await;
        let named =
            format!("{amount} of Azure bulk credit (cloud platform): by the end of 2 March 2025 (UTC)");
        assert!(told.contains(&named), "{day}: {told}");
    }
    assert_eq!(house.ledger_of("lapsed").await.len(), 1);
    again(&house, "2025-03-05").await;
}

#[tokio::test]
async fn c6_bulk_credit_that_is_spent_is_not_told_and_of_a_short_one_the_end_is_told_once_a_night_with_its_value()
 {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-01-31").await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", BULK, "2024-01-31", "2024-06-30", "12000,USD")
        + &row("4301", "ORD-2", BULK, "2024-01-31", "2024-06-30", "6000,USD");
    house.import_one("e.csv", &order, "2024-01-31").await.applied();
    let all = usage("4301", "ORD-2", BULK, "2024-02-10", "6000.00,USD", "U-1");
    house.import_one("u.csv", &all, "2024-02-10").await.applied();
    house.nights("2024-04-28", "2024-07-02").await;
    let told = |of: &'static str| {
        let house = &house;
        async move {
            house
                .lines(&format!(
                    "select concat_ws(' ', kind, anchor_on, n.status) from notice_told n
            join entitlement e on e.entitlement_id = subject_id join membership m using (membership_id)
            where order_id = '{of}' and kind like '%ing' or order_id = '{of}' and kind like 'credit_about%'
            order by anchor_on, kind"
                ))
                .await
        }
    };
    assert_eq!(
        told("ORD-1").await,
        [
            "entitlement_ending 2024-05-01 mailed",
            "credit_about_to_lapse 2024-05-31 mailed",
            "entitlement_ending 2024-05-31 superseded",
            "entitlement_ending 2024-06-16 mailed",
            "credit_about_to_lapse 2024-06-23 mailed",
            "entitlement_ending 2024-06-23 superseded",
            "entitlement_ending 2024-06-29 mailed",
            "entitlement_ending 2024-06-30 mailed",
        ],
        "of one end and night the most urgent"
    );
    assert!(told("ORD-2").await.iter().all(|line| !line.starts_with("credit")), "{:?}", told("ORD-2").await);
    let mail = mail_of(&house, "2024-05-30").await;
    assert!(
        mail.contains("USD 12,000.00") && mail.contains("The benefit itself ends on that day."),
        "{mail}"
    );
    let mail = mail_of(&house, "2024-06-15").await;
    assert!(
        mail.contains(
            "USD 12,000.00 of Azure bulk credit (cloud platform): by the end of 30 June 2024 (UTC)"
        ),
        "{mail}"
    );
    again(&house, "2024-07-02").await;
}

#[tokio::test]
async fn c7_a_credit_whose_rates_come_late_is_told_on_the_night_on_which_it_is_granted() {
    let mut house = House::open().await;
    known(&mut house, "SEK", "2024-01-31").await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import_one("e.csv", &order, "2024-01-31").await.applied();
    house.nights("2024-01-31", "2024-02-24").await;
    assert_eq!(house.notices().await, [] as [&str; 0]);
    let late =
        rates(&[("2024-02-01", "1.0814", "11.2755", "158.5"), ("2024-01-31", "1.0837", "11.2682", "160.19")]);
    house.import_one("r.csv", &late, "2024-02-25").await.applied();
    house.night("2024-02-25").await;
    assert_eq!(house.ledger_of("granted").await, ["2024-01-31 granted 1039.79 SEK (2024-01-31..2024-02-29)"]);
    assert_eq!(house.notices().await, ["credit_about_to_lapse 2024-02-21 sent"]);
    let mail = mail_of(&house, "2024-02-25").await;
    assert!(mail.contains("SEK 1,039.79") && mail.contains("by the end of 28 February 2024 (UTC)"), "{mail}");
    again(&house, "2024-02-25").await;
    house.nights("2024-02-26", "2024-02-28").await;
    assert_eq!(house.notices().await.len(), 1, "once");
}

#[tokio::test]
async fn c7_what_becomes_known_within_days_of_its_end_is_told_the_most_urgent_step_and_then_the_ones_to_come()
{
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-06-19").await;
    // Ends on 30 June; its file comes on 20 June, ten days before.
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-01-31", "2024-06-30", ",")
        + &row("4301", "ORD-2", "software", "2023-07-10", "2024-07-09", ",");
    house.import_one("e.csv", &order, "2024-06-20").await.applied();
    house.nights("2024-06-20", "2024-07-01").await;
    assert_eq!(
        house.notices().await,
        [
            "membership_ending 2024-06-09 sent",
            "entitlement_ending 2024-06-16 sent",
            "entitlement_ending 2024-06-23 sent",
            "membership_ending 2024-06-25 sent",
            "entitlement_ending 2024-06-29 sent",
            "entitlement_ended 2024-06-30 sent",
            "entitlement_ending 2024-06-30 sent",
            "membership_ending 2024-07-02 sent",
        ]
    );
    again(&house, "2024-07-01").await;
}

#[tokio::test]
async fn c7_a_membership_known_in_grace_is_told_the_step_that_is_past_and_one_known_on_its_last_day_nothing()
{
    for (arrives, first) in [
        ("2025-02-10", "membership_in_grace 2025-02-07 sent"),
        ("2025-03-02", "membership_ended 2025-03-02 sent"),
    ] {
        let mut house = House::open().await;
        known(&mut house, "USD", arrives).await;
        let order =
            ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
        house.import_one("e.csv", &order, arrives).await.applied();
        house.nights(arrives, "2025-03-04").await;
        assert_eq!(house.notices().await[0], first, "{arrives}");
    }
}

#[tokio::test]
async fn c8_the_period_of_a_row_that_ends_before_it_ends_with_the_row_and_is_told_7_days_before() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-01-31").await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2024-06-14");
    house.import_one("e.csv", &order, "2024-01-31").await.applied();
    house.nights("2024-05-01", "2024-06-17").await;
    let told = mail_of(&house, "2024-06-06").await;
    assert!(told.contains("USD 100.00") && told.contains("by the end of 14 June 2024 (UTC)"), "{told}");
    let lost = mail_of(&house, "2024-06-15").await;
    assert!(lost.contains("from 31 May 2024 through 14 June 2024"), "{lost}");
    assert!(lost.contains("the benefit has ended") && !lost.contains("began on"), "{lost}");
    assert!(house.mailbox().await.iter().all(|m| !m.body.contains("29 June") && !m.body.contains("30 June")));
}

#[tokio::test]
async fn c13_a_credit_that_closes_for_want_of_an_assignment_is_told_before_and_after_and_nobody_is_asked_to_assign()
 {
    let mut house = House::open().await.policy("expire_benefits", "activate_by_days", "40");
    known(&mut house, "USD", "2024-01-31").await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import_one("e.csv", &order, "2024-01-31").await.applied();
    house.nights("2024-01-31", "2024-03-15").await;
    // Somebody can be assigned through 11 March.
    let told = mail_of(&house, "2024-03-03").await;
    assert!(
        told.contains("USD 100.00") && told.contains("Unless somebody is by the end of 11 March 2024 (UTC)"),
        "{told}"
    );
    let closed = mail_of(&house, "2024-03-12").await;
    assert!(closed.contains("Nobody had been assigned to it by then, so it was closed"), "{closed}");
    assert!(!closed.contains("have a global administrator assign"), "{closed}");
    assert_eq!(of("entitlement_ended", house.notices().await), ["entitlement_ended 2024-03-11 sent"]);
    again(&house, "2024-03-15").await;
}

#[tokio::test]
async fn d3_the_word_of_lost_credit_names_the_period_after_it_only_where_one_is_granted() {
    let nothing = "There is nothing to do for this credit any more.";
    let of = |starts_on: &str, expires_on: &str| monthly("4301", "ORD-1", starts_on, expires_on);
    for (order, known_on, lost_on, words) in [
        (
            of("2024-01-31", "2025-01-30"),
            "2024-02-27",
            "2024-02-29",
            "The credit of the period that began on 29 February 2024 is lost in the same way unless somebody is \
             assigned and spends it before 31 March 2024 (UTC).",
        ),
        (
            of("2024-01-31", "2025-01-30"),
            "2024-12-29",
            "2024-12-31",
            "began on 31 December 2024 is lost in the same way unless somebody is assigned and spends it before \
             31 January 2025 (UTC).",
        ),
        (of("2024-01-31", "2025-01-30"), "2025-01-29", "2025-01-31", nothing),
        (of("2024-02-29", "2025-02-28"), "2025-02-26", "2025-02-28", nothing),
    ] {
        let mut house = House::open().await;
        known(&mut house, "USD", known_on).await;
        house.import_one("e.csv", &order, known_on).await.applied();
        house.nights(known_on, lost_on).await;
        let lost = mail_of(&house, lost_on).await;
        assert!(lost.contains("has lapsed unspent"), "{lost}");
        assert!(lost.contains(words), "{lost}");
        assert!(words != nothing || !lost.contains("began on"), "{lost}");
        again(&house, lost_on).await;
    }
}

#[tokio::test]
async fn d3_the_word_of_credit_lost_at_a_year_that_moved_names_no_period_after_it() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2025-01-02").await;
    let bought = |row: String| row.replace(",core,1,2024-04-01,", ",core,1,2024-01-05,");
    let credit = bought(row("4301", "ORD-1", "azure_monthly_credit", "2024-04-01", "2025-03-31", "100,USD"));
    let hours = row("4301", "ORD-1", "advisory_hours", "2024-01-05", "2025-01-04", ",");
    house.import_one("e.csv", &(ENTITLEMENTS.to_owned() + &credit), "2025-01-02").await.applied();
    house.nights("2025-01-02", "2025-01-09").await;
    let hours = ENTITLEMENTS.to_owned() + &hours.replace(",core,1,", ",core,20,");
    house.import_one("h.csv", &hours, "2025-01-10").await.applied();
    house.nights("2025-01-10", "2025-01-11").await;
    let lost = of("credit_lapsed_unassigned", house.notices().await);
    assert_eq!(lost.len(), 1, "{lost:?}");
    for mail in house.mailbox().await {
        assert!(!mail.body.contains("began on"), "{}", mail.body);
    }
}

#[tokio::test]
async fn c8_the_word_of_lost_bulk_credit_names_no_day_on_which_an_agreement_blocked_it() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-03-01").await;
    let csp = "partner_id,agreement,valid_from,valid_until\n4301,csp,2024-01-01,2024-03-09\n";
    house.import_one("a.csv", csp, "2024-03-01").await.applied();
    let order =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2024-03-12", "12000.50,USD");
    house.import_one("e.csv", &order, "2024-03-01").await.applied();
    house.nights("2024-03-01", "2024-03-13").await;
    let lost = mail_of(&house, "2024-03-13").await;
    assert!(lost.contains("It could be used from 10 March 2024 through 12 March 2024"), "{lost}");
    again(&house, "2024-03-13").await;
}

/// The mails of ends, by the night that wrote them, that name a value.
async fn naming(house: &House, value: &str) -> Vec<String> {
    let mails = house.mailbox().await.into_iter().filter(|mail| flat(&mail.body).contains(value));
    mails.map(|mail| mail.day).collect()
}

#[tokio::test]
async fn c6_credit_that_is_usable_for_a_day_is_told_with_its_value_before_it_is_granted() {
    for (benefit, amount, value, known_on) in [
        (BULK, "6000,USD", "USD 6,000.00 of Azure bulk credit (cloud platform)", "2024-02-20"),
        ("azure_monthly_credit", "100,USD", "USD 100.00 of Azure monthly credit", "2024-02-20"),
        ("azure_monthly_credit", "100,USD", "USD 100.00 of Azure monthly credit", "2024-02-28"),
    ] {
        let mut house = House::open().await;
        // The rates of kronor never come: the dollars of the file are named.
        known(&mut house, "SEK", known_on).await;
        let order =
            ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", benefit, "2024-03-01", "2024-03-01", amount);
        house.import_one("e.csv", &order, known_on).await.applied();
        house.nights(known_on, "2024-02-29").await;
        let on_the_day = format!("{value}, for use from 1 March 2024: by the end of 1 March 2024 (UTC)");
        let told = naming(&house, &on_the_day).await;
        assert_eq!(told.last().map(String::as_str), Some("2024-02-29"), "{:#?}", house.mailbox().await);
        assert!(told.len() > 1, "{told:?}");
        again(&house, "2024-02-29").await;
    }
}

#[tokio::test]
async fn p14_credit_that_stands_only_between_two_nights_is_told_with_its_value_before() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-02-01").await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-02-01", "2024-03-05", "100,USD");
    house.import_one("e.csv", &order, "2024-02-01").await.applied();
    for night in ["2024-02-17", "2024-02-23", "2024-02-29", "2024-03-06"] {
        house.night(night).await;
    }
    let last =
        "USD 100.00 of Azure monthly credit, for use from 1 March 2024: by the end of 5 March 2024 (UTC)";
    assert_eq!(naming(&house, last).await.last().map(String::as_str), Some("2024-02-29"));
    let untold = "select not_told_because from report.credit_lapse where period_no = 1 and told_on is null";
    assert_eq!(house.lines(untold).await, [""; 0]);
}

#[tokio::test]
async fn d14_while_an_agreement_blocks_bulk_credit_its_end_is_told_with_why_and_until_when() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2024-02-25").await;
    let csp =
        |until: &str| format!("partner_id,agreement,valid_from,valid_until\n4301,csp,2024-01-01,{until}\n");
    house.import_one("a.csv", &csp(""), "2024-02-25").await.applied();
    let order =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2024-03-12", "12000.50,USD");
    house.import_one("e.csv", &order, "2024-02-25").await.applied();
    house.nights("2024-02-25", "2024-02-26").await;
    let told = mail_of(&house, "2024-02-26").await;
    assert!(told.contains("cannot be used yet, and ends on 12 March 2024 (UTC)."), "{told}");
    assert!(told.contains("USD 12,000.50 of Azure bulk credit (cloud platform), blocked today"), "{told}");
    assert!(!told.contains("use what you need of it"), "{told}");
    house.import_one("a2.csv", &csp("2024-03-09"), "2024-02-27").await.applied();
    house.nights("2024-02-27", "2024-03-11").await;
    let told = mail_of(&house, "2024-03-04").await;
    assert!(told.contains("it can be used from 10 March 2024."), "{told}");
    assert!(told.contains("on 10 March 2024 (UTC) or later, and use what you need of it"), "{told}");
    let told = mail_of(&house, "2024-03-11").await;
    assert!(told.contains("can be used through 12 March 2024 (UTC)"), "{told}");
    assert!(told.contains("USD 12,000.50") && !told.contains("blocked"), "{told}");
    again(&house, "2024-03-11").await;
}

#[tokio::test]
async fn d10_an_end_that_moved_is_told_though_another_was_told_under_the_same_date() {
    let mut house = House::open().await;
    known(&mut house, "USD", "2025-02-22").await;
    let bought = |row: String| row.replace("2024-02-24,2024-02-24,", "2024-02-01,2024-02-24,");
    let order = bought(row("4301", "ORD-1", BULK, "2024-02-24", "2025-02-23", "12000,USD"));
    house.import_one("e.csv", &(ENTITLEMENTS.to_owned() + &order), "2025-02-22").await.applied();
    house.nights("2025-02-22", "2025-02-24").await;
    let about = |notices| of("credit_about_to_lapse", notices);
    assert_eq!(about(house.notices().await), ["credit_about_to_lapse 2025-02-24 sent"]);
    let told = mail_of(&house, "2025-02-23").await;
    assert!(told.contains("by the end of 26 March 2025 (UTC)"), "{told}");
    let hours = row("4301", "ORD-1", "advisory_hours", "2024-02-01", "2025-01-31", ",");
    let hours = ENTITLEMENTS.to_owned() + &hours.replace(",core,1,", ",core,20,");
    house.import_one("h.csv", &hours, "2025-02-25").await.applied();
    house.night("2025-02-25").await;
    assert_eq!(about(house.notices().await).len(), 2, "{:?}", house.notices().await);
    let told = mail_of(&house, "2025-02-25").await;
    assert!(told.contains("USD 12,000.00") && told.contains("by the end of 3 March 2025 (UTC)"), "{told}");
    again(&house, "2025-02-25").await;
    house.nights("2025-02-26", "2025-02-27").await;
    assert_eq!(about(house.notices().await).len(), 2, "once");
}
