//! Agreements that exclude bulk credit: R2, D14. Checked when the credit arrives and when the agreement does.

use crate::{
    cast::{ENTITLEMENTS, partner, row, usage, users},
    house::House,
};

const BULK: &str = "azure_bulk_credit/cloud_platform";
const HEADER: &str = "partner_id,agreement,valid_from,valid_until\n";

fn agreement(name: &str, from: &str, until: &str) -> String {
    format!("{HEADER}4301,{name},{from},{until}\n")
}

fn bulk() -> String {
    ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-30", "6000,USD")
}

fn action_pack(starts_on: &str, expires_on: &str) -> String {
    let row = row("4301", "ORD-2", "advisory_hours", starts_on, expires_on, ",");
    ENTITLEMENTS.to_owned() + &row.replace(",silver,", ",action_pack,").replace(",core,1,", ",core,5,")
}

/// A partner of dollars.
async fn house() -> House {
    let mut house = House::open().await;
    let files = [("partners.csv", &*partner("4301", "USD")), ("users.csv", &users("4301"))];
    for answer in house.import(&files, "2024-01-01").await {
        answer.applied();
    }
    house
}

async fn status(house: &House) -> String {
    house.one(&format!("select status from report.entitlement where benefit = '{BULK}'")).await
}

/// Runs the night that was run last again: nothing may change.
async fn again(house: &House, on: &str) {
    let before = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn d16_an_agreement_is_an_event_whose_open_end_may_be_given_later() {
    let mut house = house().await;
    let open = agreement("csp", "2024-03-01", "");
    assert_eq!(house.import_one("a.csv", &open, "2024-03-01").await.rows, ["2 applied"]);
    let more = format!(
        "{open}4301,csp,2024-03-01,2024-06-30\n4301,csp,2024-03-01,2024-06-30\n4301,csp,2024-03-01,\n"
    );
    assert_eq!(
        house.import_one("b.csv", &more, "2024-03-02").await.rows,
        ["2 unchanged", "3 applied", "4 unchanged", "5 rejected valid_until conflicts_with_earlier"]
    );
    let other = format!(
        "{HEADER}4301,csp,2024-03-01,2024-07-31\n4399,csp,2024-03-01,\n4301,own_house,2024-03-01,\n4301,csp,2024-07-01,2024-06-30\n"
    );
    assert_eq!(
        house.import_one("c.csv", &other, "2024-03-03").await.rows,
        [
            "2 rejected valid_until conflicts_with_earlier",
            "3 rejected partner_id unknown_partner",
            "4 applied agreement agreement_not_listed",
            "5 rejected valid_until ends_before_start"
        ]
    );
    let stored = "select concat_ws(' ', name, valid_from, valid_until) from agreement order by 1";
    assert_eq!(house.lines(stored).await, ["csp 2024-03-01 2024-06-30", "own_house 2024-03-01"]);
}

#[tokio::test]
async fn d14_bulk_that_overlaps_an_agreement_is_taken_in_blocked_and_granted_from_the_first_day_without() {
    let mut houses = vec![];
    for _ in 0..2 {
        let mut house = house().await;
        house
            .import_one("a.csv", &agreement("csp", "2024-01-01", "2024-03-31"), "2024-01-15")
            .await
            .applied();
        let answer = house.import_one("e.csv", &bulk(), "2024-01-31").await;
        assert_eq!(answer.rows, ["2 applied benefit bulk_blocked"]);
        assert!(
            answer.text.contains("2024-04-01") || answer.text.contains("1 April 2024"),
            "{}",
            answer.text
        );
        assert_eq!(status(&house).await, "blocked", "from its arrival on");
        houses.push(house);
    }
    let (up, down) = (&houses[0], &houses[1]);
    up.nights("2024-01-31", "2024-02-03").await;
    up.night("2024-03-31").await;
    assert_eq!((up.ledger().await, status(up).await.as_str()), (vec![], "blocked"));
    again(up, "2024-03-31").await;
    up.nights("2024-04-01", "2024-04-05").await;
    assert_eq!(up.ledger().await, [format!("2024-04-01 granted 6000 USD (2024-01-31..2025-03-03) {BULK}")]);
    assert_eq!(status(up).await, "active");
    down.night("2024-04-05").await;
    assert_eq!((down.ledger().await, down.digest().await), (up.ledger().await, up.digest().await));
    down.night("2025-03-03").await;
    assert_eq!(down.ledger_of("lapsed").await.len(), 1);
}

#[tokio::test]
async fn d14_an_agreement_that_arrives_later_leaves_what_was_granted_and_says_so_and_nights_missed_change_nothing()
 {
    let mut houses = vec![];
    for up in [true, false] {
        let mut house = house().await;
        house.import_one("e.csv", &bulk(), "2024-01-31").await.applied();
        if up {
            house.nights("2024-01-31", "2024-02-10").await;
        }
        // Valid since before the grant, known since after it.
        let answer = house.import_one("a.csv", &agreement("csp", "2024-01-01", ""), "2024-02-11").await;
        let told = if up { "2 applied agreement bulk_stays" } else { "2 applied" };
        assert_eq!(answer.rows, [told]);
        house.night("2024-02-20").await;
        assert_eq!(status(&house).await, "active");
        houses.push((house.ledger().await, house.digest().await));
        let again = bulk().replace("6000", "6000.00");
        assert_eq!(house.import_one("e2.csv", &again, "2024-02-21").await.rows, ["2 unchanged"]);
    }
    assert_eq!(houses[0], houses[1]);
    assert_eq!(houses[0].0.len(), 1);
}

#[tokio::test]
async fn d14_a_live_action_pack_counts_as_an_agreement_whichever_comes_first() {
    let mut house = house().await;
    house.import_one("p.csv", &action_pack("2023-06-01", "2024-05-31"), "2024-01-01").await.applied();
    let answer = house.import_one("e.csv", &bulk(), "2024-01-31").await;
    assert_eq!(answer.rows, ["2 applied benefit bulk_blocked"]);
    house.night("2024-07-01").await;
    assert_eq!(status(&house).await, "blocked");
    // Its grace ends on 1 July.
    house.night("2024-07-02").await;
    assert_eq!(house.ledger_of("granted").await.len(), 2, "{:?}", house.ledger().await);
    assert_eq!(
        house.ledger_of(BULK).await,
        [format!("2024-07-02 granted 6000 USD (2024-01-31..2025-03-03) {BULK}")]
    );
    let again = action_pack("2024-08-01", "2025-07-31").replace("ORD-2", "ORD-3");
    let answer = house.import_one("p2.csv", &again, "2024-08-01").await;
    assert_eq!(answer.rows, ["2 applied offer bulk_stays"]);
}

#[tokio::test]
async fn d14_rows_of_one_file_see_each_other() {
    let mut house = house().await;
    let both = action_pack("2024-01-01", "2024-12-31") + bulk().split_once('\n').unwrap().1;
    let answer = house.import_one("e.csv", &both, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 applied", "3 applied benefit bulk_blocked"]);
}

#[tokio::test]
async fn d14_bulk_that_is_blocked_for_good_is_never_granted_and_what_was_used_of_it_is_overage() {
    let mut house = house().await;
    house
        .import_one("a.csv", &agreement("enterprise_agreement", "2024-01-01", ""), "2024-01-15")
        .await
        .applied();
    house.import_one("e.csv", &bulk(), "2024-01-31").await;
    let used = usage("4301", "ORD-1", BULK, "2024-02-10", "100,USD", "U-1");
    house.import_one("u.csv", &used, "2024-02-12").await.applied();
    house.night("2025-03-02").await;
    assert_eq!((house.ledger().await, status(&house).await.as_str()), (vec![], "blocked"));
    let waits = "select waits ->> 'code' || coalesce(waits ->> 'earliest_on', ' never') from credit_schedule";
    assert_eq!(house.lines(waits).await, ["bulk_blocked never"]);
    house.night("2025-03-03").await;
    assert_eq!(
        house.ledger().await,
        [format!("2024-02-10 overage -100 USD (2024-01-31..2025-03-03) {BULK}")]
    );
    assert_eq!(status(&house).await, "expired");
    again(&house, "2025-03-03").await;
}

#[tokio::test]
async fn d14_an_agreement_that_is_not_listed_and_one_that_begins_after_the_grant_block_no_grant() {
    let mut house = house().await;
    let text = format!("{}4301,csp,2024-02-01,\n", agreement("own_house", "2024-01-01", ""));
    house.import_one("a.csv", &text, "2024-01-15").await;
    assert_eq!(
        house.import_one("e.csv", &bulk(), "2024-01-31").await.rows,
        ["2 applied benefit bulk_blocked"]
    );
    house.night("2024-02-05").await;
    assert_eq!(house.ledger_of("granted").await.len(), 1);
    assert_eq!(house.ledger().await[0][..10], *"2024-01-31");
}
