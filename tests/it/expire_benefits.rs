//! Grace, expiry and renewal on both sides of each date: D5, D6.
//!
//! The order of these stories starts on 31 January 2024: AD is 31 January 2025, its last day of grace 2 March, and on
//! 3 March it and its benefits expire.

use crate::{
    cast::{ENTITLEMENTS, assign, contact, monthly, partner, renewal, row, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";

/// Monthly and bulk credit and support through the year, software that ends on 30 June; the files arrive on a day.
async fn silver(on: &str) -> House {
    let mut house = House::open().await;
    let rows = [
        row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "100,USD"),
        row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-31", "6000,USD"),
        row("4301", "ORD-1", "product_support", "2024-01-31", "2025-01-29", ",")
            .replace(",core,1,", ",core,15,"),
        row("4301", "ORD-1", "software", "2024-01-31", "2024-06-30", ","),
    ];
    let order = ENTITLEMENTS.to_owned() + &rows.concat();
    let (partner, users, contact) = (partner("4301", "USD"), users("4301"), contact("4301", "en"));
    let files = [("p.csv", &*partner), ("u.csv", &users), ("c.csv", &contact), ("e.csv", &order)];
    for answer in house.import(&files, on).await {
        answer.applied();
    }
    house
}

async fn memberships(house: &House) -> Vec<String> {
    house
        .lines("select concat_ws(' ', order_id, status, anniversary_on, ended_on) from report.membership order by 1")
        .await
}

async fn benefits(house: &House) -> Vec<String> {
    house
        .lines(
            "select concat_ws(' ', order_id, benefit, status, ended_on, assigned_to) from report.entitlement
             order by order_id, benefit",
        )
        .await
}

async fn again(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn d5_a_membership_is_active_to_ad_minus_1_in_grace_to_ad_plus_30_and_expires_on_ad_plus_31() {
    let house = silver("2025-01-20").await;
    for (on, status) in [
        ("2025-01-30", "ORD-1 active 2025-01-31"),
        ("2025-01-31", "ORD-1 in_grace 2025-01-31"),
        ("2025-03-02", "ORD-1 in_grace 2025-01-31"),
        ("2025-03-03", "ORD-1 expired 2025-01-31 2025-03-02"),
    ] {
        house.night(on).await;
        assert_eq!(memberships(&house).await, [status], "night of {on}");
        again(&house, on).await;
    }
}

#[tokio::test]
async fn d5_a_row_that_ends_on_ad_minus_1_runs_through_grace_and_an_earlier_one_ends_without() {
    let house = silver("2024-01-31").await;
    house.night("2024-06-30").await;
    assert_eq!(benefits(&house).await[3], "ORD-1 software active");
    house.night("2024-07-01").await;
    assert_eq!(benefits(&house).await[3], "ORD-1 software expired 2024-06-30");
    house.night("2025-01-30").await;
    assert_eq!(
        benefits(&house).await[2],
        "ORD-1 product_support expired 2025-01-29",
        "one day before AD − 1"
    );
    house.night("2025-03-02").await;
    assert_eq!(
        benefits(&house).await[..2],
        ["ORD-1 azure_bulk_credit/cloud_platform in_grace", "ORD-1 azure_monthly_credit in_grace"]
    );
    house.night("2025-03-03").await;
    assert_eq!(
        benefits(&house).await[..2],
        [
            "ORD-1 azure_bulk_credit/cloud_platform expired 2025-03-02",
            "ORD-1 azure_monthly_credit expired 2025-03-02"
        ]
    );
}

#[tokio::test]
async fn d6_an_end_takes_its_assignments_and_its_credit_with_it_once() {
    let mut house = silver("2024-01-31").await;
    let bulk = assign("4301", "ORD-1", BULK, "assign", "ben", "2024-02-01");
    let monthly = assign("4301", "ORD-1", MONTHLY, "assign", "ada", "2024-02-01");
    for answer in house.import(&[("a.csv", &bulk), ("b.csv", &monthly)], "2024-02-01").await {
        answer.applied();
    }
    house.night("2025-03-02").await;
    assert!(benefits(&house).await[0].ends_with("ben@p4301.example"));
    assert_eq!(house.ledger_of("2025-03-03").await.len(), 1, "only the grant that names its end");
    house.night("2025-03-03").await;
    let lapsed = "2025-03-03 lapsed -6000 USD (2024-01-31..2025-03-03) azure_bulk_credit/cloud_platform";
    assert_eq!(house.ledger_of("2025-03-03 lapsed").await, [lapsed]);
    let live = house.one::<i64>("select count(*) from assignment where removed_on is null").await;
    let removed = house.lines("select distinct removed_on::text from assignment").await;
    assert_eq!((live, removed), (0, vec!["2025-03-03".to_owned()]), "the last day still counted");
    let versions = "select count(*) from entitlement_version where ended_on is not null";
    assert_eq!(house.one::<i64>(versions).await, 4);
    again(&house, "2025-03-03").await;
    house.night("2025-03-20").await;
    assert_eq!(house.one::<i64>(versions).await, 4);
    assert_eq!(house.one::<i64>("select count(*) from credit_schedule").await, 0, "nothing is to come");
}

#[tokio::test]
async fn d5_a_renewal_before_ad_is_refused_with_the_earliest_date_and_after_ad_plus_30_for_ever() {
    let mut house = silver("2025-01-20").await;
    house.night("2025-01-29").await;
    let answer =
        house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-01-30", "ORD-2"), "2025-01-30").await;
    assert_eq!(answer.rows, ["2 rejected renewed_on renewed_too_early"]);
    assert!(answer.text.contains("2025-01-31"), "the earliest date is said: {}", answer.text);
    house.night("2025-03-02").await;
    let answer =
        house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-03-03", "ORD-2"), "2025-03-03").await;
    assert_eq!(answer.rows, ["2 rejected renewed_on renewed_too_late"]);
    house.night("2025-03-03").await;
    assert_eq!(memberships(&house).await, ["ORD-1 expired 2025-01-31 2025-03-02"]);
    assert_eq!(
        house.decisions().await,
        ["renew ORD-1 refused renewed_too_early 2025-01-31", "renew ORD-1 refused renewed_too_late"],
        "D13: both are on record"
    );
    let history = house.run(["explain", "ORD-1"]).ended(0).stdout;
    assert!(history.contains("from 2025-01-31") && history.contains("never"), "{history}");
}

#[tokio::test]
async fn d5_any_enabled_directory_user_renews_and_nobody_else_and_who_asked_is_on_record() {
    let mut house = silver("2025-01-20").await;
    let dan = "4301,00000000-0000-4000-8000-000000043019,dan@p4301.example,member,false,global_admin\n";
    let users = "partner_id,object_id,user_principal_name,user_type,enabled,role\n".to_owned() + dan;
    house.import_one("u.csv", &users, "2025-01-29").await.applied();
    house.night("2025-01-30").await;
    let file = |by: &str| {
        format!(
            "partner_id,order_id,renewed_on,new_order_id,requested_by\n4301,ORD-1,2025-01-31,ORD-2,{by}\n"
        )
    };
    for (by, reason) in [("mallory@p4301.example", "unknown_user"), ("dan@p4301.example", "user_disabled")] {
        let answer = house.import_one("r.csv", &file(by), "2025-01-31").await;
        assert_eq!(answer.rows, [format!("2 rejected requested_by {reason}")]);
    }
    let refused = ["renew ORD-1 refused unknown_user", "renew ORD-1 refused user_disabled"];
    assert_eq!(house.decisions().await, refused);
    house.import_one("r.csv", &file("BEN@p4301.example"), "2025-01-31").await.applied();
    let again = file("ben@p4301.example") + "\n";
    assert_eq!(house.import_one("r.csv", &again, "2025-01-31").await.rows, ["2 unchanged"]);
    for other in ["", "ada@p4301.example"] {
        let answer = house.import_one("r.csv", &file(other), "2025-01-31").await;
        assert_eq!(answer.rows, ["2 rejected requested_by conflicts_with_earlier"], "{other}");
    }
    house.night("2025-01-31").await;
    assert_eq!(house.decisions().await[2..], ["renew ORD-1 accepted"]);
    let history = house.run(["explain", "ORD-1"]).ended(0).stdout;
    assert!(history.contains("renewal by order ORD-2, by BEN@p4301.example"), "{history}");
    assert!(
        history.contains("renewal by order ORD-2, asked for by mallory@p4301.example on 2025-01-31"),
        "{history}"
    );
    let exported = house.run(["export", "renewals"]).ended(0).stdout;
    assert_eq!(exported, file("ben@p4301.example"), "an export is taken in as unchanged");
    assert_eq!(house.import_one("x.csv", &(exported + "\n\n"), "2025-01-31").await.rows, ["2 unchanged"]);
}

#[tokio::test]
async fn d5_a_renewal_on_ad_and_one_on_ad_plus_30_close_the_old_order_and_fix_the_new_one_s_year() {
    for (on, ended, lapse) in
        [("2025-01-31", "2025-01-30", "2025-01-31"), ("2025-03-02", "2025-03-01", "2025-03-02")]
    {
        let mut house = silver("2025-01-20").await;
        house.night(&crate::story::day(ended).to_string()).await;
        house.import_one("r.csv", &renewal("4301", "ORD-1", on, "ORD-2"), on).await.applied();
        house.night(on).await;
        assert_eq!(
            memberships(&house).await,
            [format!("ORD-1 renewed 2025-01-31 {ended}"), "ORD-2 active 2026-01-31".to_owned()],
            "old AD + 365 days, and nothing of the old in grace"
        );
        assert_eq!(
            benefits(&house).await[..2],
            [
                format!("ORD-1 azure_bulk_credit/cloud_platform renewed {ended}"),
                format!("ORD-1 azure_monthly_credit renewed {ended}")
            ]
        );
        let bulk = house.ledger_of("azure_bulk").await;
        assert!(bulk[1].starts_with(&format!("{lapse} lapsed -6000 USD")), "nothing is topped up: {bulk:#?}");
        again(&house, on).await;
    }
}

#[tokio::test]
async fn d5_the_new_order_awaits_its_entitlements_and_keeps_its_year_whatever_their_file_says() {
    let mut house = silver("2025-01-20").await;
    house.night("2025-02-09").await;
    house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-02-10", "ORD-2"), "2025-02-10").await.applied();
    house.night("2025-02-14").await;
    let awaiting = "select order_id from report.membership where offer is null";
    assert_eq!(house.lines(awaiting).await, ["ORD-2"]);
    let mut conn = house.pool.acquire().await.unwrap();
    assert_eq!(benefactor::store::status::awaiting_entitlements(&mut conn, 10).await.unwrap(), ["ORD-2"]);
    drop(conn);
    // The file says another start and a whole year.
    let set = monthly("4301", "ORD-2", "2025-02-12", "2026-02-11");
    house.import_one("e.csv", &set, "2025-02-15").await.applied();
    house.night("2025-02-15").await;
    assert_eq!(house.lines(awaiting).await, [""; 0]);
    let year = "select concat_ws(' ', order_id, starts_on, anniversary_on, status) from report.membership where order_id = 'ORD-2'";
    assert_eq!(house.lines(year).await, ["ORD-2 2025-02-10 2026-01-31 active"]);
    assert_eq!(house.ledger_of("2025-02-12 granted").await.len(), 1);
    house.night("2026-03-03").await;
    assert_eq!(house.lines(year).await, ["ORD-2 2025-02-10 2026-01-31 expired"]);
    let granted = house.ledger_of("granted").await;
    assert_eq!(
        granted.last().unwrap(),
        "2026-01-12 granted 100 USD (2026-01-12..2026-01-31)",
        "none from AD on, and the last ends with the last usable day before grace (D2)"
    );
}

#[tokio::test]
async fn d5_a_membership_that_starts_later_is_pending_until_its_start() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-03-15", "2025-03-14");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-03-01").await;
    house.night("2024-03-14").await;
    assert_eq!(memberships(&house).await, ["ORD-1 pending 2025-03-15"]);
    house.night("2024-03-15").await;
    assert_eq!(memberships(&house).await, ["ORD-1 active 2025-03-15"]);
}

#[tokio::test]
async fn d5_offer_and_purchase_date_agree_on_all_rows_and_the_earliest_start_is_the_membership_s() {
    let mut house = House::open().await;
    let first = row("4301", "ORD-1", MONTHLY, "2024-02-15", "2025-01-30", "100,USD")
        .replace("2024-02-15,2024-02-15", "2024-01-31,2024-02-15");
    let early = row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    let offer =
        row("4301", "ORD-1", "product_support", "2024-01-31", "2025-01-30", ",").replace("silver", "gold");
    let bought = row("4301", "ORD-1", "go_to_market/silver_core", "2024-02-01", "2025-01-30", ",");
    let file = ENTITLEMENTS.to_owned() + &[first, early, offer, bought].concat();
    let answers = house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &file)], "2024-02-15").await;
    assert_eq!(
        answers[1].rows,
        [
            "2 applied",
            "3 applied",
            "4 rejected offer order_mismatch",
            "5 rejected purchased_on order_mismatch"
        ]
    );
    house.night("2024-02-15").await;
    assert_eq!(memberships(&house).await, ["ORD-1 active 2025-01-31"]);
}

#[tokio::test]
async fn d16_no_file_revives_what_has_expired() {
    let mut house = silver("2025-01-20").await;
    house.night("2025-03-03").await;
    let but_decisions = async |house: &House| -> Vec<String> {
        house.state().await.into_iter().filter(|line| !line.contains("decision")).collect()
    };
    let before = but_decisions(&house).await;
    let renew =
        house.import_one("r.csv", &renewal("4301", "ORD-1", "2025-03-01", "ORD-2"), "2025-03-04").await;
    assert_eq!(renew.rows, ["2 rejected order_id already_ended"]);
    assert_eq!(house.decisions().await, ["renew ORD-1 refused already_ended"]);
    let longer = row("4301", "ORD-1", MONTHLY, "2024-01-31", "2026-01-30", "100,USD");
    let same = row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "100,USD");
    for (name, row, answer) in
        [("e2.csv", longer, "2 rejected order_id already_ended"), ("e3.csv", same, "2 unchanged")]
    {
        let file = ENTITLEMENTS.to_owned() + &row;
        assert_eq!(house.import_one(name, &file, "2025-03-04").await.rows, [answer]);
    }
    assert_eq!(but_decisions(&house).await, before);
}

#[tokio::test]
async fn d5_an_order_renews_one_other_and_a_second_that_names_it_is_refused() {
    let mut house = House::open().await;
    let order = |name: &str| monthly("4301", name, "2024-01-31", "2025-01-30");
    let files = [("p.csv", &*partner("4301", "USD")), ("a.csv", &order("ORD-A")), ("b.csv", &order("ORD-B"))];
    house.import(&files, "2024-01-31").await;
    let both = renewal("4301", "ORD-A", "2025-02-05", "ORD-C") + "4301,ORD-B,2025-02-10,ORD-C\n";
    house.import_one("r.csv", &both, "2025-02-10").await.applied();
    house.night("2025-02-10").await;
    assert_eq!(
        house.decisions().await,
        ["renew ORD-A accepted", "renew ORD-B refused new_order_taken"],
        "the year that the first gave it stays"
    );
    let year =
        "select concat_ws(' ', starts_on, anniversary_on) from report.membership where order_id = 'ORD-C'";
    assert_eq!(house.one::<String>(year).await, "2025-02-05 2026-01-31");
}

#[tokio::test]
async fn d5_renewals_that_one_night_takes_stand_on_each_other() {
    let mut house = House::open().await;
    let order = |name: &str, from: &str, until: &str| monthly("4301", name, from, until);
    let files = [
        ("p.csv", &*partner("4301", "USD")),
        ("a.csv", &order("ORD-A", "2024-01-31", "2025-01-30")),
        ("b.csv", &order("ORD-B", "2025-02-01", "2026-01-31")),
        ("x.csv", &order("ORD-X", "2025-01-31", "2026-01-30")),
    ];
    house.import(&files, "2025-02-01").await;
    // No night is run between them.
    let first = renewal("4301", "ORD-A", "2025-02-05", "ORD-B");
    house.import_one("r.csv", &first, "2025-02-05").await.applied();
    let then = renewal("4301", "ORD-B", "2026-02-01", "ORD-C") + "4301,ORD-X,2026-02-01,ORD-C\n";
    house.import_one("s.csv", &then, "2026-02-05").await.applied();
    house.job("expire_benefits", "2026-02-05").await;
    assert_eq!(
        house.decisions().await,
        ["renew ORD-A accepted", "renew ORD-B accepted", "renew ORD-X refused new_order_taken"]
    );
    let years = "select concat_ws(' ', order_id, starts_on, anniversary_on, ended_on) from report.membership
                 where order_id <> 'ORD-X' order by 1";
    assert_eq!(
        house.lines(years).await,
        [
            "ORD-A 2024-01-31 2025-01-31 2025-02-04",
            "ORD-B 2025-02-05 2026-01-31 2026-01-31",
            "ORD-C 2026-02-01 2027-01-31",
        ],
        "the year of ORD-C follows the one that its renewal gave to ORD-B, not ORD-B's own"
    );
}

#[tokio::test]
async fn d6_an_assignment_known_only_after_its_benefit_ended_has_ended_with_it() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2024-02-10");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &order)];
    house.import(&files, "2024-01-31").await;
    house.night("2024-02-12").await;
    let late = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-09");
    house.import_one("a.csv", &late, "2024-02-13").await.applied();
    let held = house.lines("select concat_ws(' ', assigned_on, removed_on) from assignment").await;
    assert_eq!(held, ["2024-02-09 2024-02-11"]);
}

/// A partner with monthly and bulk credit whose file arrived ten days after their start; the policy closes after 30 days.
async fn unassigned(days: &str) -> House {
    let mut house = House::open().await.policy("expire_benefits", "activate_by_days", days);
    let rows =
        [MONTHLY, BULK].map(|benefit| row("4301", "ORD-1", benefit, "2024-01-31", "2025-01-30", "100,USD"));
    let order = ENTITLEMENTS.to_owned() + &rows.concat();
    let (partner, users) = (partner("4301", "USD"), users("4301"));
    for answer in
        house.import(&[("p.csv", &partner), ("u.csv", &users), ("e.csv", &order)], "2024-02-10").await
    {
        answer.applied();
    }
    house
}

#[tokio::test]
async fn d11_a_credit_that_nobody_was_assigned_to_in_time_is_closed_the_day_after_once_and_nothing_else() {
    let mut house = unassigned("30").await;
    // Known on 10 February: the last day is 11 March.
    let on = assign("4301", "ORD-1", MONTHLY, "assign", "ada", "2024-03-11");
    house.import_one("a.csv", &on, "2024-03-11").await.applied();
    house.night("2024-03-11").await;
    assert_eq!(benefits(&house).await.iter().filter(|b| b.contains("active")).count(), 2);
    house.night("2024-03-12").await;
    assert_eq!(
        benefits(&house).await,
        [
            format!("ORD-1 {BULK} not_activated 2024-03-11"),
            format!("ORD-1 {MONTHLY} active ada@p4301.example")
        ]
    );
    assert_eq!(
        house.ledger_of(BULK).await,
        [
            format!("2024-01-31 granted 100 USD (2024-01-31..2025-03-03) {BULK}"),
            format!("2024-03-12 lapsed -100 USD (2024-01-31..2025-03-03) {BULK}")
        ]
    );
    let closed = format!("close ORD-1/{BULK} accepted activate_by_passed");
    assert_eq!(house.decisions().await.last(), Some(&closed));
    assert_eq!(
        house.one::<String>("select requested_by from decision where action = 'close'").await,
        "policy"
    );
    again(&house, "2024-03-12").await;
    house.night("2024-03-20").await;
    assert_eq!(house.decisions().await.len(), 2);
    assert_eq!(memberships(&house).await, ["ORD-1 active 2025-01-31"]);
}

#[tokio::test]
async fn d11_an_assignment_on_the_day_after_comes_too_late_and_one_that_was_removed_counts() {
    let mut house = unassigned("30").await;
    let on = assign("4301", "ORD-1", MONTHLY, "assign", "ada", "2024-02-10");
    house.import_one("a.csv", &on, "2024-02-10").await.applied();
    let off = assign("4301", "ORD-1", MONTHLY, "remove", "ada", "2024-02-11");
    house.import_one("r.csv", &off, "2024-02-11").await.applied();
    // The machine was down: what is dated the day after does not count.
    let late = assign("4301", "ORD-1", BULK, "assign", "ada", "2024-03-12");
    house.import_one("l.csv", &late, "2024-03-12").await.applied();
    house.night("2024-03-12").await;
    assert_eq!(
        benefits(&house).await,
        [format!("ORD-1 {BULK} not_activated 2024-03-11"), format!("ORD-1 {MONTHLY} active")]
    );
}

#[tokio::test]
async fn d11_the_policy_is_off_unless_it_is_switched_on_and_then_takes_back_what_came_after_the_day() {
    let mut house = unassigned("0").await;
    house.night("2024-05-10").await;
    assert_eq!(house.decisions().await, [""; 0]);
    house = house.policy("expire_benefits", "activate_by_days", "30");
    house.night("2024-05-11").await;
    assert_eq!(house.decisions().await.len(), 2);
    let left = "select sum(balance_minor)::bigint from report.balance";
    assert_eq!(house.one::<i64>(left).await, 0);
    assert_eq!(
        house.ledger_of("reversed").await.len(),
        2,
        "the grants of 31 March and 30 April: {:#?}",
        house.ledger().await
    );
    again(&house, "2024-05-11").await;
}
