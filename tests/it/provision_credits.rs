//! Credit, month by month: R1, R2, D2, D3, D4, D15. Every story runs its nights twice.

use crate::{
    cast::{ENTITLEMENTS, assign, monthly, partner, rates, renewal, row, usage, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";

/// A partner of dollars with an order of monthly credit; no rates are needed.
async fn dollars(starts_on: &str, expires_on: &str) -> House {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", starts_on, expires_on);
    let files =
        [("partners.csv", &*partner("4301", "USD")), ("users.csv", &users("4301")), ("e.csv", &order)];
    for answer in house.import(&files, starts_on).await {
        answer.applied();
    }
    house
}

/// Runs the night that was run last again: nothing may change.
async fn again(house: &House, on: &str) {
    let before = house.state().await;
    let nights = house.night(on).await;
    assert_eq!(house.state().await, before);
    assert_eq!(nights.len(), 1, "a complete night is looked at again, alone");
}

#[tokio::test]
async fn d2_periods_of_a_31_january_anchor_are_counted_from_it_and_clamped_and_there_are_twelve() {
    let house = dollars("2024-01-31", "2025-01-30").await;
    house.night("2025-04-30").await;
    let starts = [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
        "2024-06-30",
        "2024-07-31",
        "2024-08-31",
        "2024-09-30",
        "2024-10-31",
        "2024-11-30",
        "2024-12-31",
        "2025-01-31",
    ];
    let mut expected = Vec::new();
    for (from, until) in starts.iter().zip(&starts[1..]) {
        expected.push(format!("{from} granted 100 USD ({from}..{until})"));
        expected.push(format!("{until} lapsed -100 USD ({from}..{until})"));
    }
    expected.sort_by_key(|line| (line[..10].to_owned(), line.contains("granted")));
    assert_eq!(house.ledger().await, expected);
    again(&house, "2025-04-30").await;
}

#[tokio::test]
async fn d2_a_leap_day_anchor_has_its_periods_on_the_29th_and_its_year_ends_on_28_february() {
    let house = dollars("2024-02-29", "2025-02-27").await;
    house.night("2025-03-28").await;
    let granted = house.ledger_of("granted").await;
    assert_eq!(granted.len(), 12, "none in grace: {granted:#?}");
    assert_eq!(granted[1], "2024-03-29 granted 100 USD (2024-03-29..2024-04-29)");
    assert_eq!(granted[11], "2025-01-29 granted 100 USD (2025-01-29..2025-02-28)");
    assert_eq!(house.ledger_of("lapsed").await[11], "2025-02-28 lapsed -100 USD (2025-01-29..2025-02-28)");
}

#[tokio::test]
async fn d3_a_period_is_granted_on_its_first_day_and_lapses_on_the_day_after_its_last() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-03-15", "2025-03-14");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-03-01").await;
    house.night("2024-03-14").await;
    assert_eq!(house.ledger().await, [""; 0]);
    house.night("2024-03-15").await;
    assert_eq!(house.ledger().await, ["2024-03-15 granted 100 USD (2024-03-15..2024-04-15)"]);
    again(&house, "2024-03-15").await;
    house.night("2024-04-14").await;
    assert_eq!(house.ledger().await.len(), 1);
    house.night("2024-04-15").await;
    assert_eq!(
        house.ledger().await[1..],
        [
            "2024-04-15 granted 100 USD (2024-04-15..2024-05-15)",
            "2024-04-15 lapsed -100 USD (2024-03-15..2024-04-15)"
        ]
        .map(String::from)
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
    again(&house, "2024-04-15").await;
}

#[tokio::test]
async fn d2_a_calendar_policy_grants_the_whole_amount_to_the_end_of_the_first_month() {
    let mut house = House::open().await.policy("provision_credits", "period_scheme", "\"calendar\"");
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    house.night("2024-02-10").await;
    assert_eq!(
        house.ledger_of("granted").await,
        [
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-01)",
            "2024-02-01 granted 100 USD (2024-02-01..2024-03-01)"
        ]
    );
    house.night("2025-03-31").await;
    assert_eq!(house.ledger_of("granted").await.len(), 12);
}

#[tokio::test]
async fn d2_the_scheme_is_frozen_with_the_first_grant_and_usage_after_a_switch_counts_once() {
    let spent = |on: &str, reference: &str| usage("4301", "ORD-1", MONTHLY, on, "30.00,USD", reference);
    let mut house = dollars("2024-01-31", "2025-01-30").await;
    house.import_one("u1.csv", &spent("2024-02-05", "U-1"), "2024-02-06").await.applied();
    house.night("2024-02-09").await;
    let mut house = house.policy("provision_credits", "period_scheme", "\"calendar\"");
    let other =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-2", MONTHLY, "2024-02-10", "2025-02-09", "100,USD");
    house.import_one("e2.csv", &other, "2024-02-10").await.applied();
    house.import_one("u2.csv", &spent("2024-02-04", "U-2"), "2024-02-12").await.applied();
    house.night("2024-03-05").await;
    // Long over, it is settled once more: what is on record tells its periods.
    house.import_one("u3.csv", &spent("2024-02-20", "U-3"), "2025-04-01").await.applied();
    house.night("2025-04-01").await;
    let first = "select concat_ws(' ', kind, period_from, period_until, sum(amount_minor)) from report.ledger
        where order_id = 'ORD-1' and period_from < '2024-03-01' group by kind, period_from, period_until order by 1";
    assert_eq!(
        house.lines(first).await,
        [
            "credit_granted 2024-01-31 2024-02-29 10000",
            "credit_granted 2024-02-29 2024-03-31 10000",
            "credit_lapsed 2024-01-31 2024-02-29 -1000",
            "credit_lapsed 2024-02-29 2024-03-31 -10000",
            "credit_used 2024-01-31 2024-02-29 -9000",
        ]
    );
    let counted = "select count(*) from report.ledger where order_id = 'ORD-1' and kind = 'credit_granted'";
    assert_eq!(house.one::<i64>(counted).await, 12);
    let second = "select concat_ws(' ', period_from, period_until) from report.ledger
        where order_id = 'ORD-2' and kind = 'credit_granted' order by 1 limit 2";
    assert_eq!(house.lines(second).await, ["2024-02-10 2024-03-01", "2024-03-01 2024-04-01"]);
}

#[tokio::test]
async fn d3_what_was_granted_stands_whatever_the_policy_on_periods_becomes() {
    let house = dollars("2024-01-31", "2025-01-30").await;
    house.night("2025-01-10").await;
    let granted = house.ledger_of("granted").await;
    assert_eq!(granted.len(), 12);
    let mut house = house.policy("provision_credits", "periods_in_a_year", "6");
    let late = usage("4301", "ORD-1", MONTHLY, "2024-12-31", "30.00,USD", "U-1");
    house.import_one("u.csv", &late, "2025-01-11").await.applied();
    house.night("2025-01-11").await;
    assert_eq!(house.ledger_of("granted").await, granted);
    assert_eq!(house.ledger_of("reversed").await, [""; 0]);
    assert_eq!(house.ledger_of("used").await, ["2024-12-31 used -30 USD (2024-12-31..2025-01-31)"]);
}

#[tokio::test]
async fn d2_from_import_begins_with_the_period_of_the_arrival_in_the_scheme_that_it_is_granted_in() {
    let house = House::open().await.policy("provision_credits", "backdate", "\"from_import\"");
    let mut house = house;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-04-02").await;
    let house = house.policy("provision_credits", "period_scheme", "\"calendar\"");
    house.night("2024-04-02").await;
    assert_eq!(house.ledger().await, ["2024-04-01 granted 100 USD (2024-04-01..2024-05-01)"]);
}

#[tokio::test]
async fn d2_the_last_period_ends_with_the_last_usable_day_and_grace_prolongs_none() {
    // A row that ends within a period, and one that starts after its order: its last period would reach into grace.
    let mut house = House::open().await;
    let rows = row("4301", "ORD-1", MONTHLY, "2024-01-31", "2024-06-14", "100,USD")
        + &row("4301", "ORD-1", "azure_monthly_credit/second", "2024-02-03", "2025-02-02", "100,USD")
            .replace("2024-02-03,2024-02-03", "2024-01-31,2024-02-03");
    let file = ENTITLEMENTS.to_owned() + &rows;
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &file)], "2024-01-31").await;
    house.night("2024-06-14").await;
    assert_eq!(
        house.ledger_of("2024-05-31..").await,
        ["2024-05-31 granted 100 USD (2024-05-31..2024-06-15)"]
    );
    house.night("2024-06-16").await;
    assert_eq!(
        house.ledger_of("2024-05-31..").await[1],
        "2024-06-15 lapsed -100 USD (2024-05-31..2024-06-15)"
    );
    house.night("2025-01-31").await;
    assert_eq!(
        house.ledger_of("2025-01-03..").await,
        [
            "2025-01-03 granted 100 USD (2025-01-03..2025-01-31)",
            "2025-01-31 lapsed -100 USD (2025-01-03..2025-01-31)",
        ]
    );
    let second = "azure_monthly_credit/second";
    let late = usage("4301", "ORD-1", second, "2025-02-01", "30.00,USD", "U-1");
    house.import_one("u.csv", &late, "2025-02-01").await.applied();
    house.night("2025-02-01").await;
    assert_eq!(house.ledger_of("overage").await, ["2025-02-01 overage -30 USD (2025-01-03..2025-01-31)"]);
    again(&house, "2025-02-01").await;
}

#[tokio::test]
async fn d3_a_period_that_starts_on_the_last_usable_day_is_granted_and_one_that_starts_after_is_not() {
    for (expires_on, periods, last) in [
        ("2024-04-29", 3, "2024-04-30 lapsed -100 USD (2024-03-31..2024-04-30)"),
        ("2024-04-30", 4, "2024-05-01 lapsed -100 USD (2024-04-30..2024-05-01)"),
    ] {
        let house = dollars("2024-01-31", expires_on).await;
        house.night("2024-07-01").await;
        assert_eq!(house.ledger_of("granted").await.len(), periods, "{expires_on}");
        assert_eq!(house.ledger().await.last().unwrap(), last);
    }
}

#[tokio::test]
async fn d3_what_becomes_known_late_gets_every_period_under_its_own_dates() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-05-10").await;
    house.night("2024-05-10").await;
    let late = dollars("2024-01-31", "2025-01-30").await;
    late.night("2024-05-10").await;
    assert_eq!(house.ledger().await, late.ledger().await);
    assert_eq!(house.ledger_of("granted").await.len(), 4);
    assert_eq!(house.ledger_of("lapsed").await.len(), 3);
    assert_eq!(house.digest().await, late.digest().await);
}

#[tokio::test]
async fn d3_under_the_policy_from_import_it_starts_with_the_period_of_its_arrival() {
    let mut house = House::open().await.policy("provision_credits", "backdate", "\"from_import\"");
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-05-10").await;
    house.night("2024-05-10").await;
    assert_eq!(house.ledger().await, ["2024-04-30 granted 100 USD (2024-04-30..2024-05-31)"]);
    house.night("2025-03-10").await;
    assert_eq!(house.ledger_of("granted").await.len(), 9);
}

#[tokio::test]
async fn d3_a_lapse_is_told_as_lost_when_nobody_was_assigned_on_any_day_of_the_period() {
    let mut house = dollars("2024-01-31", "2025-01-30").await;
    house.night("2024-02-28").await;
    // The period of 31 January ends with nobody assigned; in the next Ben is, for its first day.
    house
        .import_one("a.csv", &assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-29"), "2024-02-29")
        .await
        .applied();
    house
        .import_one("b.csv", &assign("4301", "ORD-1", MONTHLY, "remove", "ben", "2024-02-29"), "2024-02-29")
        .await
        .applied();
    house.nights("2024-02-29", "2024-04-30").await;
    let lost =
        |notices: Vec<String>| notices.into_iter().filter(|n| n.contains("unassigned")).collect::<Vec<_>>();
    assert_eq!(
        lost(house.notices().await),
        ["credit_lapsed_unassigned 2024-02-29 sent", "credit_lapsed_unassigned 2024-04-30 sent"]
    );
    assert_eq!(house.ledger_of("lapsed").await.len(), 3, "granted and lapsed all the same");
}

#[tokio::test]
async fn d4_a_grant_is_converted_at_the_rate_of_its_first_day_to_the_currency_s_own_minor_unit() {
    // 31 January 2024: 1 EUR = 1.0837 USD = 11.2682 SEK = 160.19 JPY.
    for (currency, granted) in [
        ("SEK", "2024-01-31 granted 1039.79 SEK (2024-01-31..2024-02-29)"),
        ("JPY", "2024-01-31 granted 14782 JPY (2024-01-31..2024-02-29)"),
        ("EUR", "2024-01-31 granted 92.28 EUR (2024-01-31..2024-02-29)"),
    ] {
        let mut house = House::open().await;
        let published =
            rates(&[("2024-01-31", "1.0837", "11.2682", "160.19"), ("2024-01-30", "1", "10", "100")]);
        let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
        let files = [("p.csv", &*partner("4301", currency)), ("e.csv", &order), ("rates.csv", &published)];
        house.import(&files, "2024-01-31").await;
        house.night("2024-01-31").await;
        assert_eq!(house.ledger().await, [granted]);
        again(&house, "2024-01-31").await;
    }
}

#[tokio::test]
async fn d4_a_grant_waits_for_a_published_day_on_or_after_its_start_and_then_keeps_its_rate() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-02-03", "2025-02-02"); // a Saturday
    let friday = rates(&[("2024-02-02", "1.0883", "11.3125", "159.52")]);
    house
        .import(&[("p.csv", &partner("4301", "SEK")), ("e.csv", &order), ("r.csv", &friday)], "2024-02-03")
        .await;
    house.nights("2024-02-03", "2024-02-04").await;
    assert_eq!(house.ledger().await, [""; 0], "a later file could still name Saturday");
    let waits = house.lines("select waits ->> 'code' from credit_schedule").await;
    assert_eq!(waits, ["rate_missing"]);
    house.night("2024-02-03").await;
    again(&house, "2024-02-04").await;
    let counted =
        house.lines("select refused::text from run where job = 'provision_credits' order by due_on").await;
    assert_eq!(counted, ["1", "0"], "told by the night that found it, and not again");
    let monday = rates(&[("2024-02-05", "1.0746", "11.2825", "159.66")]);
    house.import_one("r2.csv", &monday, "2024-02-05").await.applied();
    house.night("2024-02-05").await;
    let granted = ["2024-02-03 granted 1039.47 SEK (2024-02-03..2024-03-03)"]; // Friday's: 100 ÷ 1.0883 × 11.3125
    assert_eq!(house.ledger().await, granted);
    let frozen =
        house.lines("select concat_ws(' ', trim_scale(rate), rate_on, usd_minor) from report.ledger").await;
    assert_eq!(frozen, ["10.39465221 2024-02-02 10000"]);
    // Another figure for Friday is a conflict, and changes nothing.
    let other = rates(&[("2024-02-02", "1.0883", "12.0000", "159.52")]);
    let answer = house.import_one("r3.csv", &other, "2024-02-06").await;
    assert_eq!(answer.rows, ["2 rejected SEK conflicts_with_earlier"]);
    house.night("2024-02-06").await;
    assert_eq!(house.ledger().await, granted);
    assert_eq!(house.lines("select 'x' from credit_schedule where waits is not null").await, [""; 0]);
}

#[tokio::test]
async fn d4_an_amount_in_the_partner_s_own_currency_is_granted_as_written_and_another_is_refused() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "SEK"), "2024-01-31").await.applied();
    let order = |amount: &str| {
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", amount)
    };
    let answer = house.import_one("e.csv", &order("900.00,EUR"), "2024-01-31").await;
    assert_eq!(answer.rows, ["2 rejected currency currency_not_accepted"]);
    house.import_one("e.csv", &order("900.00,SEK"), "2024-01-31").await.applied();
    house.night("2024-01-31").await;
    assert_eq!(house.ledger().await, ["2024-01-31 granted 900 SEK (2024-01-31..2024-02-29)"]);
}

#[tokio::test]
async fn d12_a_grant_is_amount_times_quantity() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30").replace("core,1,", "core,3,");
    let answers = house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    assert_eq!(answers[1].rows, ["2 applied quantity differs_from_catalogue"]);
    house.night("2024-01-31").await;
    assert_eq!(house.ledger().await, ["2024-01-31 granted 300 USD (2024-01-31..2024-02-29)"]);
}

#[tokio::test]
async fn d15_usage_draws_from_the_period_of_its_date_and_the_rest_is_overage() {
    let mut house = dollars("2024-01-31", "2025-01-30").await;
    house.night("2024-02-01").await;
    let mut file = usage("4301", "ORD-1", MONTHLY, "2024-02-28", "70.00,USD", "U-2");
    file += "4301,ORD-1,azure_monthly_credit,2024-02-29,10.00,USD,U-3\n";
    file += "4301,ORD-1,azure_monthly_credit,2024-01-31,50.00,USD,U-1\n";
    house.import_one("u.csv", &file, "2024-02-29").await.applied();
    house.night("2024-02-29").await;
    assert_eq!(
        house.ledger().await,
        [
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-29)",
            "2024-01-31 used -50 USD (2024-01-31..2024-02-29)",
            "2024-02-28 overage -20 USD (2024-01-31..2024-02-29)",
            "2024-02-28 used -50 USD (2024-01-31..2024-02-29)",
            "2024-02-29 granted 100 USD (2024-02-29..2024-03-31)",
            "2024-02-29 used -10 USD (2024-02-29..2024-03-31)",
        ]
    );
    again(&house, "2024-02-29").await;
}

#[tokio::test]
async fn d15_usage_of_a_lapsed_period_corrects_the_lapse_first_in_whatever_order_it_comes() {
    let mut late = dollars("2024-01-31", "2025-01-30").await;
    late.night("2024-03-10").await;
    let first = usage("4301", "ORD-1", MONTHLY, "2024-02-10", "30.00,USD", "U-1");
    let second = usage("4301", "ORD-1", MONTHLY, "2024-02-05", "80.00,USD", "U-2");
    late.import_one("u1.csv", &first, "2024-03-11").await.applied();
    late.night("2024-03-11").await;
    assert_eq!(
        late.ledger_of("2024-01-31..").await,
        [
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-29)",
            "2024-02-10 used -30 USD (2024-01-31..2024-02-29)",
            "2024-02-29 lapsed -100 USD (2024-01-31..2024-02-29)",
            "corrects 2024-02-29 lapsed 30 USD (2024-01-31..2024-02-29)",
        ]
    );
    again(&late, "2024-03-11").await;
    late.import_one("u2.csv", &second, "2024-03-12").await.applied();
    late.night("2024-03-12").await;
    let mut in_time = dollars("2024-01-31", "2025-01-30").await;
    in_time.import(&[("u1.csv", &first), ("u2.csv", &second)], "2024-02-11").await;
    in_time.night("2024-03-12").await;
    assert_eq!(late.digest().await, in_time.digest().await, "{:#?}", late.ledger().await);
    let balance = late.lines("select balance_minor::text from report.balance").await;
    assert_eq!(balance, ["10000"], "the running period is untouched");
}

#[tokio::test]
async fn d15_usage_in_another_currency_than_the_grant_s_is_refused() {
    let mut house = dollars("2024-01-31", "2025-01-30").await;
    let answer = house
        .import_one("u.csv", &usage("4301", "ORD-1", MONTHLY, "2024-01-31", "5.00,EUR", "U-1"), "2024-01-31")
        .await;
    assert_eq!(answer.rows, ["2 rejected currency usage_currency_differs"]);
}

#[tokio::test]
async fn r2_bulk_credit_is_granted_once_and_what_is_unspent_stays_usable_in_grace() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-30", "6000,USD");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    house.night("2025-02-28").await;
    assert_eq!(
        house.ledger().await,
        ["2024-01-31 granted 6000 USD (2024-01-31..2025-03-03) azure_bulk_credit/cloud_platform"]
    );
    // The last day of grace is 2 March.
    house
        .import_one("u.csv", &usage("4301", "ORD-1", BULK, "2025-03-02", "1500.00,USD", "U-1"), "2025-03-02")
        .await
        .applied();
    house.night("2025-03-02").await;
    house.night("2025-03-03").await;
    assert_eq!(
        house.ledger().await[1..],
        [
            "2025-03-02 used -1500 USD (2024-01-31..2025-03-03) azure_bulk_credit/cloud_platform",
            "2025-03-03 lapsed -4500 USD (2024-01-31..2025-03-03) azure_bulk_credit/cloud_platform",
        ]
    );
    again(&house, "2025-03-03").await;
}

#[tokio::test]
async fn d3_a_renewed_order_is_granted_anew_from_the_day_of_renewal() {
    let mut house = dollars("2024-01-31", "2025-01-30").await;
    house.night("2025-02-09").await;
    house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-02-10", "ORD-2"), "2025-02-10").await.applied();
    house.night("2025-02-10").await;
    let next = monthly("4301", "ORD-2", "2025-02-10", "2026-01-30");
    house.import_one("e2.csv", &next, "2025-02-12").await.applied();
    house.night("2026-01-31").await;
    let granted = house.lines("select concat_ws(' ', order_id, period_from) from report.ledger where kind = 'credit_granted' and order_id = 'ORD-2' order by period_from").await;
    assert_eq!((granted.len(), &*granted[0], &*granted[11]), (12, "ORD-2 2025-02-10", "ORD-2 2026-01-10"));
}

#[tokio::test]
async fn d15_usage_of_a_credit_that_grants_nothing_is_overage() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "0,USD");
    let used = usage("4301", "ORD-1", MONTHLY, "2024-02-05", "30.00,USD", "U-1");
    house
        .import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order), ("u.csv", &used)], "2024-02-05")
        .await;
    house.night("2024-02-05").await;
    assert_eq!(house.ledger().await, ["2024-02-05 overage -30 USD (2024-01-31..2024-02-29)"]);
    again(&house, "2024-02-05").await;
}

#[tokio::test]
async fn d15_usage_of_a_period_that_the_policy_from_import_leaves_out_is_overage() {
    let mut house = House::open().await.policy("provision_credits", "backdate", "\"from_import\"");
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let used = usage("4301", "ORD-1", MONTHLY, "2024-02-05", "30.00,USD", "U-1");
    house
        .import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order), ("u.csv", &used)], "2024-04-02")
        .await;
    house.night("2024-04-02").await;
    assert_eq!(
        house.ledger().await,
        [
            "2024-02-05 overage -30 USD (2024-01-31..2024-02-29)",
            "2024-03-31 granted 100 USD (2024-03-31..2024-04-30)",
        ]
    );
    again(&house, "2024-04-02").await;
}

#[tokio::test]
async fn d15_usage_of_a_day_after_the_last_usable_one_is_overage_and_draws_nothing() {
    let mut house = House::open().await;
    let rows = row("4301", "ORD-1", BULK, "2024-01-31", "2024-06-15", "6000,USD")
        + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2024-02-10", "100,USD")
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    house
        .import(
            &[("p.csv", &partner("4301", "USD")), ("e.csv", &(ENTITLEMENTS.to_owned() + &rows))],
            "2024-01-31",
        )
        .await;
    let used = usage("4301", "ORD-1", MONTHLY, "2024-02-11", "30.00,USD", "U-1")
        + "4301,ORD-1,azure_bulk_credit/cloud_platform,2024-06-16,1000.00,USD,U-2\n"
        + "4301,ORD-1,azure_bulk_credit/cloud_platform,2024-06-15,1.00,USD,U-3\n"
        + "4301,ORD-1,azure_monthly_credit,2024-02-10,1.00,USD,U-4\n";
    house.import_one("u.csv", &used, "2024-06-20").await.applied();
    house.night("2024-06-20").await;
    assert_eq!(
        house.ledger().await,
        [
            "2024-01-31 granted 6000 USD (2024-01-31..2024-06-16) azure_bulk_credit/cloud_platform",
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-11)",
            "2024-02-10 used -1 USD (2024-01-31..2024-02-11)",
            "2024-02-11 lapsed -99 USD (2024-01-31..2024-02-11)",
            "2024-02-11 overage -30 USD (2024-01-31..2024-02-11)",
            "2024-06-15 used -1 USD (2024-01-31..2024-06-16) azure_bulk_credit/cloud_platform",
            "2024-06-16 lapsed -5999 USD (2024-01-31..2024-06-16) azure_bulk_credit/cloud_platform",
            "2024-06-16 overage -1000 USD (2024-01-31..2024-06-16) azure_bulk_credit/cloud_platform",
        ]
    );
}

#[tokio::test]
async fn d4_a_partner_that_changes_its_currency_before_the_first_grant_is_not_granted_kronor_as_dollars() {
    let mut house = House::open().await;
    let order =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", MONTHLY, "2024-02-05", "2025-02-04", "1000,SEK");
    house.import(&[("p.csv", &partner("4301", "SEK")), ("e.csv", &order)], "2024-02-01").await;
    let published = rates(&[("2024-02-05", "1.10", "11.00", "160.0")]);
    house.import(&[("p2.csv", &partner("4301", "JPY")), ("r.csv", &published)], "2024-02-05").await;
    house.night("2024-02-06").await;
    assert_eq!(house.ledger().await, [""; 0], "it waits, visibly, for a file that states another amount");
    let waits = "select waits ->> 'code' from credit_schedule";
    assert_eq!(house.lines(waits).await, ["currency_not_accepted"]);
    let dollars =
        ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", MONTHLY, "2024-02-05", "2025-02-04", "100,USD");
    house.import_one("e2.csv", &dollars, "2024-02-07").await.applied();
    house.night("2024-02-07").await;
    assert_eq!(house.ledger().await, ["2024-02-05 granted 14545 JPY (2024-02-05..2024-03-05)"]);
}

#[tokio::test]
async fn d5_credit_whose_start_is_put_right_by_a_year_before_its_first_grant_is_granted() {
    let mut house = House::open().await;
    let wrong = monthly("4301", "ORD-1", "2024-06-01", "2025-05-31");
    let right = wrong.replace("2024-06-01,2024-06-01,2025-05-31", "2024-06-01,2025-06-01,2026-05-31");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &wrong)], "2024-05-20").await;
    house.import_one("e2.csv", &right, "2024-05-21").await.applied();
    house.night("2024-06-02").await;
    assert_eq!(house.ledger().await, [""; 0]);
    house.night("2025-06-01").await;
    assert_eq!(house.ledger().await, ["2025-06-01 granted 100 USD (2025-06-01..2025-07-01)"]);
}
