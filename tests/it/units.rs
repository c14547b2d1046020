//! Hours and incidents in the ledger: R6, R7, D6, D7. Granted once, drawn by requests, lapsed with their benefit.

use benefactor::store::{
    summary,
    units::{UnitDraw, draw},
};

use crate::{
    cast::{ENTITLEMENTS, cancel, partner, renewal, users},
    house::House,
    story::day,
};

fn row(order: &str, benefit: &str, quantity: &str, starts_on: &str, expires_on: &str) -> String {
    format!("4301,{order},gold,{benefit},core,{quantity},{starts_on},{starts_on},{expires_on},,,\n")
}

/// A partner with hours, incidents of one kind, and incidents without limit.
async fn house() -> House {
    let mut house = House::open().await;
    let rows =
        [("advisory_hours", "50"), ("product_support", "20"), ("signature_cloud_support", "unlimited")];
    let rows = rows.map(|(benefit, quantity)| row("ORD-1", benefit, quantity, "2024-01-31", "2025-01-30"));
    let order = ENTITLEMENTS.to_owned() + &rows.concat();
    let files =
        [("partners.csv", &*partner("4301", "USD")), ("users.csv", &users("4301")), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-15").await {
        assert!(answer.refused.is_none(), "{answer:?}");
    }
    house
}

/// Draws as an accepted request does.
async fn drawn(house: &House, benefit: &str, request_no: i64, on: &str, count: i64) {
    let of = format!("select entitlement_id from entitlement where benefit = '{benefit}'");
    let draws = [UnitDraw {
        entitlement_id: house.one(&of).await,
        request_no: request_no.into(),
        on: day(on),
        count,
    }];
    draw(&mut house.pool.acquire().await.unwrap(), &draws).await.unwrap();
}

async fn ledger(house: &House) -> Vec<String> {
    let all = "select concat_ws(' ', effective_on, kind, amount_minor, currency, case when corrects is not null then 'corrects' end)
        from report.ledger order by entry_id";
    house.lines(all).await
}

async fn balances(house: &House) -> Vec<String> {
    house
        .lines("select concat_ws(' ', benefit, balance_minor, currency) from report.balance order by 1")
        .await
}

/// Nothing is out of balance, and the night that was run last changes nothing when it is run again.
async fn sound(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, before);
    let proof = summary::proof(&mut house.owner.acquire().await.unwrap()).await.unwrap();
    assert_eq!((proof.unbalanced, proof.overdrawn, proof.astray, proof.unclosed), (0, 0, 0, 0));
}

#[tokio::test]
async fn r6_r7_hours_and_incidents_are_granted_once_with_their_start_and_lapse_with_their_benefit() {
    let house = house().await;
    house.night("2024-01-30").await;
    assert_eq!(ledger(&house).await, [""; 0]);
    house.night("2024-01-31").await;
    let granted = ["2024-01-31 hours_granted 3000", "2024-01-31 incidents_granted 20"];
    assert_eq!(ledger(&house).await, granted, "of what is unlimited nothing is booked");
    sound(&house, "2024-01-31").await;
    drawn(&house, "advisory_hours", 7, "2024-05-01", 90).await;
    drawn(&house, "advisory_hours", 7, "2024-05-01", 90).await;
    assert_eq!(balances(&house).await, ["advisory_hours 2910", "product_support 20"]);
    house.night("2025-03-02").await;
    assert_eq!(ledger(&house).await.len(), 3);
    sound(&house, "2025-03-02").await;
    house.night("2025-03-03").await;
    assert_eq!(
        ledger(&house).await[2..],
        ["2024-05-01 hours_used -90", "2025-03-03 hours_lapsed -2910", "2025-03-03 incidents_lapsed -20"]
    );
    assert_eq!(balances(&house).await, ["advisory_hours 0", "product_support 0"]);
    sound(&house, "2025-03-03").await;
}

#[tokio::test]
async fn r7_a_draw_that_comes_before_the_night_books_the_grant_and_one_after_the_lapse_corrects_it() {
    let (early, late) = (house().await, house().await);
    drawn(&early, "advisory_hours", 7, "2024-02-01", 60).await;
    drawn(&early, "product_support", 8, "2025-03-02", 1).await;
    assert_eq!(ledger(&early).await[..2], ["2024-01-31 hours_granted 3000", "2024-02-01 hours_used -60"]);
    for house in [&early, &late] {
        house.night("2025-03-05").await;
    }
    assert_eq!(ledger(&late).await.len(), 4);
    drawn(&late, "advisory_hours", 7, "2024-02-01", 60).await;
    drawn(&late, "product_support", 8, "2025-03-02", 1).await;
    assert_eq!(
        ledger(&late).await[4..],
        [
            "2025-03-03 hours_lapsed 60 corrects",
            "2024-02-01 hours_used -60",
            "2025-03-03 incidents_lapsed 1 corrects",
            "2025-03-02 incidents_used -1"
        ]
    );
    for house in [&early, &late] {
        sound(house, "2025-03-05").await;
    }
    assert_eq!(early.digest().await, late.digest().await);
}

#[tokio::test]
async fn d7_a_cancellation_leaves_draws_and_lapses_what_is_left_the_day_after() {
    let mut house = house().await;
    house.night("2024-02-10").await;
    drawn(&house, "advisory_hours", 7, "2024-02-12", 120).await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-12").await.applied();
    house.night("2024-02-12").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
    assert_eq!(
        ledger(&house).await[2..],
        ["2024-02-12 hours_used -120", "2024-02-11 hours_lapsed -2880", "2024-02-11 incidents_lapsed -20"]
    );
    sound(&house, "2024-02-12").await;
}

#[tokio::test]
async fn d5_a_renewal_lapses_what_the_old_order_had_left_and_the_new_set_is_granted_whole() {
    let mut house = house().await;
    house.night("2025-02-09").await;
    let renewed = renewal("4301", "ORD-1", "2025-02-10", "ORD-2");
    house.import_one("r.csv", &renewed, "2025-02-10").await.applied();
    house.night("2025-02-10").await;
    let new = ENTITLEMENTS.to_owned() + &row("ORD-2", "advisory_hours", "", "2025-02-10", "2026-01-30");
    house.import_one("n.csv", &new, "2025-02-12").await.applied();
    house.night("2025-02-12").await;
    assert_eq!(
        ledger(&house).await[2..],
        ["2025-02-10 hours_lapsed -3000", "2025-02-10 incidents_lapsed -20", "2025-02-10 hours_granted 3000"]
    );
    sound(&house, "2025-02-12").await;
}

#[tokio::test]
async fn r7_what_becomes_known_after_its_end_is_granted_and_lapsed_under_its_own_dates() {
    let mut house = House::open().await;
    let order = ENTITLEMENTS.to_owned() + &row("ORD-1", "advisory_hours", "50", "2024-01-31", "2024-02-20");
    house.import(&[("p.csv", &partner("4301", "USD")), ("e.csv", &order)], "2024-02-21").await;
    house.night("2024-02-21").await;
    assert_eq!(ledger(&house).await, ["2024-01-31 hours_granted 3000", "2024-02-21 hours_lapsed -3000"]);
    sound(&house, "2024-02-21").await;
}

#[tokio::test]
async fn d16_hours_may_be_stated_anew_until_they_are_granted() {
    let mut house = house().await;
    let with = |quantity| {
        ENTITLEMENTS.to_owned() + &row("ORD-1", "advisory_hours", quantity, "2024-01-31", "2025-01-30")
    };
    assert_eq!(
        house.import_one("a.csv", &with("40"), "2024-01-30").await.rows,
        ["2 applied quantity differs_from_catalogue"]
    );
    house.night("2024-01-31").await;
    assert_eq!(ledger(&house).await[0], "2024-01-31 hours_granted 2400");
    let answer = house.import_one("b.csv", &with("50"), "2024-02-01").await;
    assert_eq!(answer.rows, ["2 rejected quantity already_granted"]);
}

/// A row of an order that was bought on 31 January 2024.
fn bought(benefit: &str, quantity: &str, starts_on: &str, expires_on: &str) -> String {
    let (header, money) = (ENTITLEMENTS, if quantity.is_empty() { "100,USD" } else { "," });
    let quantity = if quantity.is_empty() { "1" } else { quantity };
    format!(
        "{header}4301,ORD-1,gold,{benefit},core,{quantity},2024-01-31,{starts_on},{expires_on},{money},\n"
    )
}

/// What stands in the ledger, corrections netted: a line a benefit, kind and period.
async fn stands(house: &House) -> Vec<String> {
    let all = "select concat_ws(' ', benefit, kind, period_from, period_until, sum(amount_minor)) from report.ledger
        where currency is null group by benefit, kind, period_from, period_until having sum(amount_minor) <> 0 order by 1";
    house.lines(all).await
}

#[tokio::test]
async fn d16_hours_and_incidents_end_with_their_order_s_year_whichever_file_came_first() {
    let hours = bought("advisory_hours", "50", "2024-03-01", "2025-02-28");
    let credit = |starts_on| bought("azure_monthly_credit", "", starts_on, "2025-01-30");
    let incidents = bought("product_support", "20", "2024-01-31", "2025-01-30");
    // An earlier row moves the year to an earlier day; credit that waits for its rate may still start later, and moves it on.
    let cases = [
        (None, incidents, "2025-04-01", "2025-03-03"),
        (Some(credit("2024-01-31")), credit("2024-02-15"), "2025-03-03", "2025-03-18"),
    ];
    for (at_first, moves, before, after) in cases {
        let (mut early, mut late) = (House::open().await, House::open().await);
        for house in [&mut early, &mut late] {
            let first: Vec<&str> = at_first.as_deref().into_iter().chain([&*hours]).collect();
            house
                .import(&[("p.csv", &partner("4301", "SEK")), ("u.csv", &users("4301"))], "2024-01-15")
                .await;
            for file in first {
                assert!(house.import_one("e.csv", file, "2024-01-15").await.refused.is_none());
            }
        }
        let _ = late.import_one("m.csv", &moves, "2024-01-16").await;
        for house in [&early, &late] {
            house.night("2024-05-31").await;
            drawn(house, "advisory_hours", 7, "2024-05-01", 90).await;
        }
        let granted = |until| format!("advisory_hours hours_granted 2024-03-01 {until} 3000");
        assert_eq!(stands(&early).await[0], granted(before));
        assert_eq!(stands(&late).await[0], granted(after));
        let _ = early.import_one("m.csv", &moves, "2024-06-01").await;
        let noted = "select count(*) from credit_unsettled join entitlement using (entitlement_id) where benefit like 'adv%'";
        assert_eq!(early.one::<i64>(noted).await, 1);
        // A store of before that did not note it is settled by its migration.
        let owner = &early.owner;
        sqlx::raw_sql("delete from credit_unsettled").execute(owner).await.unwrap();
        sqlx::raw_sql(include_str!("../../migrations/0042_unit_dates.sql")).execute(owner).await.unwrap();
        assert_eq!(early.one::<i64>("select count(*) from credit_unsettled where rule = 'D16'").await, 1);
        for house in [&early, &late] {
            house.night("2024-06-01").await;
            sound(house, "2024-06-01").await;
        }
        assert_eq!(
            early.lines("select distinct rule from transfer where corrects is not null").await,
            ["D16"]
        );
        assert_eq!(stands(&early).await, stands(&late).await);
        assert_eq!(stands(&early).await[1], format!("advisory_hours hours_used 2024-03-01 {after} -90"));
        if at_first.is_none() {
            for house in [&early, &late] {
                house.night("2025-03-04").await;
                sound(house, "2025-03-04").await;
            }
        }
        assert_eq!(stands(&early).await, stands(&late).await);
        assert_eq!(early.digest().await, late.digest().await);
    }
}

#[tokio::test]
async fn d7_under_any_benefit_used_a_request_for_hours_or_support_blocks_the_refund() {
    let mut house = house().await.policy("apply_cancellations", "refund_blockers", "[\"any_benefit_used\"]");
    house.night("2024-02-10").await;
    let asked = "insert into request (partner_id, kind, request_key, content, membership_id, entitlement_id, requested_by,
            requested_on, file_id, line, status)
        select e.partner_id, 'advisory_hours', 'SR-7', '{}', membership_id, entitlement_id, 'ada', '2024-02-11', file_id, 2,
            'accepted'
        from entitlement e, file f where benefit = 'advisory_hours' and f.kind = 'entitlements'
        returning request_key";
    assert_eq!(house.one::<String>(asked).await, "SR-7");
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-11"), "2024-02-11").await.applied();
    house.night("2024-02-11").await;
    assert_eq!(house.decisions().await, ["cancel ORD-1 refused refund_blocked"]);
}
