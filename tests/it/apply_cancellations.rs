//! Cancellation with refund: R9, D1, D7. The order of these stories was bought on 31 January 2024, so that the last
//! refundable request is of 1 March.

use crate::{
    cast::{ENTITLEMENTS, assign, cancel, contact, monthly, partner, rates, row, usage, users},
    house::House,
    story::day,
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";

async fn bought(house: &mut House) {
    let rows = [
        row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "100,USD"),
        row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-30", "6000,USD"),
        row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ","),
    ];
    let order = ENTITLEMENTS.to_owned() + &rows.concat();
    let (partner, users, contact) = (partner("4301", "USD"), users("4301"), contact("4301", "en"));
    let files = [("p.csv", &*partner), ("u.csv", &users), ("c.csv", &contact), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
}

async fn order(house: &House) -> Vec<String> {
    house.lines("select concat_ws(' ', order_id, status, ended_on) from report.membership").await
}

async fn again(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn r9_a_request_of_day_30_is_refunded_and_one_of_day_31_is_refused_for_ever() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-29").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-03-01"), "2024-03-01").await.applied();
    house.night("2024-03-01").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-03-01"]);
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
    again(&house, "2024-03-01").await;

    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-03-01").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-03-02"), "2024-03-02").await.applied();
    house.night("2024-03-02").await;
    assert_eq!(order(&house).await, ["ORD-1 active"]);
    assert_eq!(house.decisions().await, ["cancel ORD-1 refused refund_window_passed"]);
    let latest = house
        .one::<String>("select reasons -> 0 ->> 'latest_on' from decision where action = 'cancel'")
        .await;
    assert_eq!(latest, "2024-03-01");
    assert_eq!(house.ledger_of("reversed").await, [""; 0]);
    again(&house, "2024-03-02").await;
}

#[tokio::test]
async fn d1_the_request_s_date_decides_and_not_the_night_that_processes_it() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-03-06").await;
    // Asked on day 30, known a week later.
    let late = cancel("4301", "SR-1", "ORD-1", "2024-03-01T23:59:59Z");
    house.import_one("c.csv", &late, "2024-03-08").await.applied();
    house.night("2024-03-08").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-03-01"]);
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
}

#[tokio::test]
async fn d1_an_instant_counts_by_its_utc_date() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-03-01").await;
    // Half past midnight in Stockholm on day 31 is day 30.
    let asked = cancel("4301", "SR-1", "ORD-1", "2024-03-02T00:30:00+01:00");
    house.import_one("c.csv", &asked, "2024-03-02").await.applied();
    house.night("2024-03-02").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-03-01"]);
}

#[tokio::test]
async fn d1_a_request_of_the_future_is_refused_seven_days_ago_will_do_and_eight_wait_for_the_operator() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-18").await;
    let future =
        house.import_one("f.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-20"), "2024-02-19").await;
    assert_eq!(future.rows, ["2 rejected requested_on requested_in_future"]);
    let eight = cancel("4301", "SR-2", "ORD-1", "2024-02-11");
    let waits = house.import_one("e.csv", &eight, "2024-02-19").await;
    assert_eq!(waits.rows, ["2 waiting requested_on waits_for_operator"]);
    house.night("2024-02-19").await;
    assert_eq!(order(&house).await, ["ORD-1 active"]);
    assert_eq!(house.decisions().await, ["cancel ORD-1 refused requested_in_future 2024-02-20"]);
    // Dropped again it still waits; the operator lets it in.
    for _ in 0..3 {
        let again_waits = house.import_one("e.csv", &eight, "2024-02-20").await;
        assert_eq!(again_waits.rows, ["2 waiting requested_on waits_for_operator"], "{again_waits:?}");
    }
    let released = house.import_backdated("e.csv", &eight, "2024-02-20").await;
    assert_eq!(released.rows, ["2 applied decided_at_night"]);
    house.night("2024-02-20").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-02-11"]);

    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-18").await;
    let seven = house.import_one("s.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-12"), "2024-02-19").await;
    assert_eq!(seven.rows, ["2 applied decided_at_night"]);
    house.night("2024-02-19").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-02-12"]);
}

#[tokio::test]
async fn d7_the_running_period_s_rest_is_reversed_later_grants_whole_and_what_was_spent_stays_spent() {
    let mut house = House::open().await;
    bought(&mut house).await;
    let assigned = assign("4301", "ORD-1", BULK, "assign", "ben", "2024-02-01");
    let spent = usage("4301", "ORD-1", MONTHLY, "2024-02-05", "30.00,USD", "U-1")
        + "4301,ORD-1,azure_bulk_credit/cloud_platform,2024-02-06,1000.00,USD,U-2\n";
    house.import(&[("a.csv", &assigned), ("u.csv", &spent)], "2024-02-06").await;
    house.night("2024-03-04").await;
    // Asked on 26 February, known when the period of the 29th is granted and the first has lapsed.
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-27"), "2024-03-05").await.applied();
    house.night("2024-03-05").await;
    let ledger = house.ledger().await;
    let net = house
        .lines(
            "select concat_ws(' ', benefit, period_from, replace(kind, 'credit_', ''), sum(amount_minor))
             from (select benefit, period_from, amount_minor,
                          case when corrects is null or kind <> 'credit_reversed' then kind else 'credit_granted' end as kind
                   from report.ledger) l
             group by benefit, period_from, kind having sum(amount_minor) <> 0 order by benefit, period_from, kind",
        )
        .await;
    assert_eq!(
        net,
        [
            "azure_bulk_credit/cloud_platform 2024-01-31 granted 600000",
            "azure_bulk_credit/cloud_platform 2024-01-31 reversed -500000",
            "azure_bulk_credit/cloud_platform 2024-01-31 used -100000",
            "azure_monthly_credit 2024-01-31 granted 10000",
            "azure_monthly_credit 2024-01-31 reversed -7000",
            "azure_monthly_credit 2024-01-31 used -3000",
        ],
        "{ledger:#?}"
    );
    let told = house.mailbox().await;
    let mail =
        told.iter().find(|m| m.notices.iter().any(|n| n.starts_with("cancellation_accepted"))).unwrap();
    for stated in ["1,030.00", "ORD-1", "SR-1"] {
        assert!(mail.body.contains(stated), "{stated}: {}", mail.body);
    }
    let live = "select count(*) from assignment where removed_on is null";
    assert_eq!(house.one::<i64>(live).await, 0);
    again(&house, "2024-03-05").await;
}

#[tokio::test]
async fn d15_usage_that_arrives_after_the_refund_is_taken_from_what_was_given_back() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-09").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-12").await;
    assert_eq!(house.ledger_of("2024-02-10 reversed -100 USD").await.len(), 1);
    let late = usage("4301", "ORD-1", MONTHLY, "2024-02-09", "40.00,USD", "U-1");
    house.import_one("u.csv", &late, "2024-02-13").await.applied();
    house.night("2024-02-13").await;
    let monthly: Vec<_> = house.ledger().await.into_iter().filter(|l| !l.contains("bulk")).collect();
    assert_eq!(
        monthly,
        [
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-29)",
            "2024-02-09 used -40 USD (2024-01-31..2024-02-29)",
            "2024-02-10 reversed -100 USD (2024-01-31..2024-02-29)",
            "corrects 2024-02-10 reversed 40 USD (2024-01-31..2024-02-29)",
        ]
    );
    again(&house, "2024-02-13").await;
}

#[tokio::test]
async fn d7_under_any_benefit_used_usage_blocks_and_every_failed_criterion_is_listed() {
    let policy = "[\"any_benefit_used\"]";
    let mut house = House::open().await.policy("apply_cancellations", "refund_blockers", policy);
    bought(&mut house).await;
    let spent = usage("4301", "ORD-1", MONTHLY, "2024-02-05", "30.00,USD", "U-1");
    house.import_one("u.csv", &spent, "2024-02-06").await.applied();
    house.night("2024-03-01").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-03-02"), "2024-03-02").await.applied();
    house.night("2024-03-02").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 refused refund_window_passed+refund_blocked"]);
    let told = house.mailbox().await;
    let mail = told.iter().find(|m| m.notices.iter().any(|n| n.starts_with("cancellation_refused"))).unwrap();
    assert!(
        mail.body.contains("1 March 2024") && mail.body.contains("5 February 2024"),
        "both are told: {}",
        mail.body
    );
}

#[tokio::test]
async fn d7_only_what_was_done_by_the_day_the_request_came_blocks() {
    let policy = "[\"any_benefit_used\"]";
    for (used_on, outcome) in [("2024-02-12", "refused refund_blocked"), ("2024-02-13", "accepted")] {
        let mut house = House::open().await.policy("apply_cancellations", "refund_blockers", policy);
        bought(&mut house).await;
        house.night("2024-02-09").await;
        let spent = usage("4301", "ORD-1", MONTHLY, used_on, "30.00,USD", "U-1");
        let asked = cancel("4301", "SR-1", "ORD-1", "2024-02-10");
        house.import_one("c.csv", &asked, "2024-02-12").await.applied();
        house.import_one("u.csv", &spent, "2024-02-13").await.applied();
        house.night("2024-02-13").await;
        assert_eq!(house.decisions().await, [format!("cancel ORD-1 {outcome}")]);
    }
}

#[tokio::test]
async fn d7_a_revealed_key_blocks_under_the_default_policy() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-09").await;
    sqlx::query(
        "insert into benefit_use (partner_id, entitlement_id, event, used_on, used_by)
         select partner_id, entitlement_id, 'software_key_revealed', '2024-02-05', 'ada' from entitlement where benefit = 'software'",
    )
    .execute(&house.owner)
    .await
    .unwrap();
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 refused refund_blocked"]);
    assert_eq!(order(&house).await, ["ORD-1 active"]);
}

#[tokio::test]
async fn d7_an_order_without_software_passes_that_criterion() {
    let mut house = House::open().await;
    let only = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &only)];
    house.import(&files, "2024-01-31").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
}

#[tokio::test]
async fn promise_1_an_order_is_refunded_once_and_a_second_request_is_told_that_it_has_ended() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-09").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    let reversed = house.ledger_of("reversed").await;
    house.import_one("c2.csv", &cancel("4301", "SR-2", "ORD-1", "2024-02-11"), "2024-02-11").await;
    house.night("2024-02-11").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted", "cancel ORD-1 refused already_ended"]);
    assert_eq!(house.ledger_of("reversed").await, reversed);
    let changed =
        house.import_one("c3.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-12"), "2024-02-12").await;
    assert_eq!(changed.rows, ["2 rejected requested_on conflicts_with_earlier"]);
}

#[tokio::test]
async fn d7_a_refund_known_late_takes_back_what_ran_out_between_the_request_and_its_night() {
    let told = async |down: bool| {
        let mut house = House::open().await;
        let rows = row("4301", "ORD-1", MONTHLY, "2024-01-31", "2024-02-12", "100,USD")
            + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
        let order = ENTITLEMENTS.to_owned() + &rows;
        let (partner, users) = (partner("4301", "USD"), users("4301"));
        house.import(&[("p.csv", &*partner), ("u.csv", &users), ("e.csv", &order)], "2024-01-31").await;
        house.night("2024-02-09").await;
        if !down {
            house.night("2024-02-13").await;
        }
        house
            .import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-14")
            .await
            .applied();
        house.night("2024-02-14").await;
        again(&house, "2024-02-14").await;
        let ends = house
            .lines("select concat_ws(' ', benefit, ended_on, status) from report.entitlement order by 1")
            .await;
        (house.digest().await, ends)
    };
    let (up, down) = (told(false).await, told(true).await);
    assert_eq!(up, down);
    assert_eq!(up.1[0], "azure_monthly_credit 2024-02-10 cancelled");
}

/// An activation of the software of ORD-1, by Ada.
fn activation(on: &str) -> String {
    format!(
        "partner_id,order_id,benefit,requested_by,requested_on\n4301,ORD-1,software,ada@p4301.example,{on}\n"
    )
}

#[tokio::test]
async fn promise_10_what_was_activated_before_the_request_came_blocks_it_whatever_the_request_s_date() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-09").await;
    house.import_one("a.csv", &activation("2024-02-10"), "2024-02-10").await.applied();
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-09"), "2024-02-11").await.applied();
    house.night("2024-02-11").await;
    let cancelled = house.decisions().await.pop();
    assert_eq!(cancelled.as_deref(), Some("cancel ORD-1 refused refund_blocked"));
}

#[tokio::test]
async fn promise_10_nothing_of_a_refunded_order_is_activated_whatever_the_activation_s_date() {
    let mut house = House::open().await;
    bought(&mut house).await;
    house.night("2024-02-09").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    for (on, codes) in
        [("2024-02-10", "already_ended"), ("2024-02-11", "already_ended+outside_benefit_dates")]
    {
        let answer = house.import_one(&format!("{on}.csv"), &activation(on), "2024-02-11").await;
        let told = answer.rows[0].split(' ').next_back();
        assert_eq!(told, Some(codes), "{on}");
    }
}

#[tokio::test]
async fn d7_what_is_granted_in_the_night_of_its_refund_goes_back_in_that_night() {
    let mut house = House::open().await;
    let only = monthly("4301", "ORD-1", "2024-02-10", "2025-02-09");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &only)];
    house.import(&files, "2024-02-10").await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
    assert_eq!(
        house.one::<i64>("select coalesce(sum(balance_minor), 0)::bigint from report.balance").await,
        0
    );
    again(&house, "2024-02-10").await;
}

#[tokio::test]
async fn d7_of_many_requests_of_a_night_each_is_decided_after_those_before_it_and_told_its_own_refund() {
    let mut house = House::open().await;
    bought(&mut house).await;
    let order = monthly("4302", "ORD-2", "2024-01-31", "2025-01-30");
    let files = [("p2.csv", &*partner("4302", "USD")), ("u2.csv", &users("4302")), ("e2.csv", &order)];
    house.import(&files, "2024-01-31").await;
    house.night("2024-02-09").await;
    let asked = cancel("4301", "SR-1", "ORD-1", "2024-02-09")
        + "4302,SR-1,cancel,ada@p4302.example,2024-02-10,ORD-2\n\
           4301,SR-2,cancel,ada@p4301.example,2024-02-10,ORD-1\n";
    house.import_one("c.csv", &asked, "2024-02-10").await;
    house.night("2024-02-10").await;
    assert_eq!(
        house.decisions().await,
        ["cancel ORD-1 accepted", "cancel ORD-2 accepted", "cancel ORD-1 refused already_ended"]
    );
    let mails = house.mailbox().await;
    let told = |to: &str| mails.iter().find(|mail| mail.recipient == to).unwrap().body.as_str();
    assert!(told("marketing@p4301.example").contains("6,100.00"), "{mails:#?}");
    let other = told("accounts@p4302.example");
    assert!(other.contains("100.00") && !other.contains("6,100.00"), "{other}");
    again(&house, "2024-02-10").await;
}

/// The body of the mail that says that a cancellation was accepted, without line ends and no-break spaces.
async fn accepted(house: &House) -> String {
    let told = house.mailbox().await;
    let mail =
        told.iter().find(|m| m.notices.iter().any(|n| n.starts_with("cancellation_accepted"))).unwrap();
    mail.body.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a command says.
fn said(house: &House, args: [&str; 2]) -> String {
    house.run(args).ended(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asserts that a text says each of these.
fn says(text: &str, each: &[&str]) {
    assert!(each.iter().all(|stated| text.contains(stated)), "{each:#?}: {text}");
}

/// A house with an order from 15 April 2024 whose cancellation is dated day 30, the first day of period 1, and received two
/// days later. The nights before either ran or did not.
async fn on_the_first_day_of_period_1(currency: &str, spent: &str, down: bool) -> House {
    let mut house = House::open().await;
    let only = monthly("4301", "ORD-1", "2024-04-15", "2025-04-14");
    let files = [("p.csv", &*partner("4301", currency)), ("u.csv", &users("4301")), ("e.csv", &only)];
    house.import(&files, "2024-04-15").await;
    if !spent.is_empty() {
        house.import_one("us.csv", spent, "2024-05-16").await.applied();
    }
    if !down {
        house.nights("2024-04-15", "2024-05-16").await;
    }
    let asked = cancel("4301", "SR-1", "ORD-1", "2024-05-15");
    house.import_one("c.csv", &asked, "2024-05-17").await.applied();
    house.night("2024-05-17").await;
    assert_eq!(order(&house).await, ["ORD-1 cancelled 2024-05-15"]);
    again(&house, "2024-05-17").await;
    for job in ["apply_cancellations", "provision_credits"] {
        let before = house.state().await;
        house.job(job, "2024-05-17").await;
        assert_eq!(house.state().await, before, "{job}");
    }
    house
}

#[tokio::test]
async fn d7_what_is_due_through_the_request_s_date_is_booked_before_the_refund_is_decided_and_told() {
    let spent = usage("4301", "ORD-1", MONTHLY, "2024-05-15", "30.00,USD", "U-1")
        + "4301,ORD-1,azure_monthly_credit,2024-05-14,40.00,USD,U-2\n";
    for (spent, reversed, stays) in [("", "100.00", "0.00"), (&*spent, "70.00", "70.00")] {
        let mut digests = Vec::new();
        for down in [false, true] {
            let house = on_the_first_day_of_period_1("USD", spent, down).await;
            let taken = format!("taken back: USD {reversed}.");
            let kept = format!("stays spent: USD {stays}.");
            let amounts: Vec<&str> =
                [&*taken, &*kept].into_iter().take(if spent.is_empty() { 1 } else { 2 }).collect();
            let told = accepted(&house).await;
            says(&told, &["SR-1 of 15 May 2024, received on 17 May 2024,"]);
            says(&told, &amounts);
            let history = said(&house, ["explain", "ORD-1"]);
            says(&history, &["on 2024-05-15, received on 2024-05-17"]);
            says(&history, &amounts);
            let exported = house.run(["export", "refunds"]).ended(0).stdout;
            let row =
                format!("2024-05-15,2024-05-17,2024-05-17,azure_monthly_credit,{reversed},{stays},USD,\n");
            let row = if down { row.replace("-17,azure", "-15,azure") } else { row };
            assert!(exported.ends_with(&row), "{row} {exported}");
            let stored = house.lines("select refund::text from decision where action = 'cancel'").await;
            assert_eq!(stored[0].matches("minor").count(), amounts.len(), "{stored:?}");
            digests.push(house.digest().await);
        }
        assert_eq!(digests[0], digests[1]);
    }
}

#[tokio::test]
async fn d7_a_grant_of_the_request_s_date_that_waits_for_its_rate_is_told_to_wait_and_goes_back_with_it() {
    let days: Vec<String> = day("2024-04-12").iter_days().take(40).map(|on| on.to_string()).collect();
    let quotes: Vec<_> = days.iter().map(|on| (&**on, "1.0", "10.0", "160")).collect();
    let spent = usage("4301", "ORD-1", MONTHLY, "2024-05-15", "300.00,SEK", "U-1");
    let mut digests = Vec::new();
    for down in [false, true] {
        let mut house = on_the_first_day_of_period_1("SEK", &spent, down).await;
        let told = accepted(&house).await;
        assert!(!told.contains("no unspent credit") && !told.contains("taken back: "), "{told}");
        says(&told, &["USD 100.00 of Azure monthly credit for the period from 15 April 2024."]);
        says(&told, &["USD 100.00 of Azure monthly credit for the period from 15 May 2024."]);
        let waits = "USD 100.00 of azure_monthly_credit for the period from 2024-05-15 waits";
        says(&said(&house, ["explain", "ORD-1"]), &[waits]);
        let exported = house.run(["export", "refunds"]).ended(0).stdout;
        let waits = ",azure_monthly_credit,,,,100.00 USD from 2024-04-15; 100.00 USD from 2024-05-15\n";
        assert!(exported.ends_with(waits), "{exported}");

        house.import_one("r.csv", &rates(&quotes), "2024-05-22").await;
        house.night("2024-05-22").await;
        let exported = house.run(["export", "refunds"]).ended(0).stdout;
        assert!(exported.ends_with(",azure_monthly_credit,700.00,300.00,SEK,\n"), "{exported}");
        assert_eq!(house.one::<i64>("select sum(balance_minor)::bigint from report.balance").await, 0);
        again(&house, "2024-05-22").await;
        digests.push(house.digest().await);
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn d7_every_grant_of_the_order_that_waits_is_told_beside_what_is_taken_back() {
    let mut house = House::open().await;
    let order = row("4301", "ORD-1", MONTHLY, "2024-02-12", "2025-02-11", "100,USD")
        + &row("4301", "ORD-1", BULK, "2024-02-12", "2025-02-11", "6000,USD")
        + &row("4301", "ORD-1", "azure_monthly_credit/own", "2024-02-12", "2025-02-11", "500,SEK");
    let order = ENTITLEMENTS.to_owned() + &order;
    let files = [("p.csv", &*partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &order)];
    house.import(&files, "2024-02-12").await;
    house.night("2024-03-12").await;
    let asked = cancel("4301", "SR-1", "ORD-1", "2024-03-13");
    house.import_one("c.csv", &asked, "2024-03-13").await.applied();
    house.night("2024-03-13").await;
    let told = accepted(&house).await;
    let bulk = "USD 6,000.00 of Azure bulk";
    says(&told, &["SR-1 of 13 March 2024 to", "taken back: SEK 500.00.", bulk]);
    let exported = house.run(["export", "refunds"]).ended(0).stdout;
    let rows = [
        ",azure_bulk_credit/cloud_platform,,,,6000.00 USD from 2024-02-12\n",
        ",azure_monthly_credit,,,,100.00 USD from 2024-02-12; 100.00 USD from 2024-03-12\n",
        ",azure_monthly_credit/own,500.00,0.00,SEK,\n",
    ];
    says(&exported, &rows);
    again(&house, "2024-03-13").await;
}
