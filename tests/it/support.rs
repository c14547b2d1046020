//! Support and hours by files: activated once an order, IDs for tickets that need them, and what requests draw (R5, R6,
//! R7).

use crate::{
    cast::{ENTITLEMENTS, cancel, partner, users},
    house::House,
};

const TICKETS: &str = "partner_id,request_id,kind,requested_by,requested_on,order_id,product,product_version,access_id,contract_id,hours\n";

/// A gold order of 31 January 2024 with software, support of both kinds and hours.
async fn bought() -> House {
    let mut house = House::open().await;
    let row = |benefit: &str, quantity: &str| {
        format!("4301,ORD-1,gold,{benefit},core,{quantity},2024-01-31,2024-01-31,2025-01-30,,,\n")
    };
    let order = [
        ENTITLEMENTS.to_owned(),
        row("software", "1"),
        row("product_support", "2"),
        row("signature_cloud_support", "unlimited"),
        row("advisory_hours", "2"),
    ]
    .concat();
    let files = [("p.csv", &*partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-31").await {
        assert!(answer.rows.iter().all(|row| row.contains("applied")), "{answer:#?}");
    }
    house
}

/// The one verdict of an activation.
async fn activate(house: &mut House, benefit: &str, by: &str, on: &str) -> String {
    let header = "partner_id,order_id,benefit,requested_by,requested_on\n";
    let text = format!("{header}4301,ORD-1,{benefit},{by}@p4301.example,{on}\n");
    house.import_one("a.csv", &text, on).await.rows.remove(0)
}

/// A service request by Ben, who holds no role: what stands after its order.
fn ticket(id: &str, kind: &str, on: &str, rest: &str) -> String {
    format!("4301,{id},{kind},ben@p4301.example,{on},{rest}\n")
}

#[tokio::test]
async fn r5_r6_support_and_software_are_activated_once_by_who_may() {
    let mut house = bought().await;
    let refused = activate(&mut house, "product_support", "ben", "2024-02-10").await;
    assert_eq!(refused, "2 rejected requested_by role_missing");
    assert_eq!(activate(&mut house, "product_support", "ada", "2024-02-10").await, "2 applied support_ids");
    assert_eq!(
        activate(&mut house, "product_support", "ada", "2024-02-11").await,
        "2 rejected requested_on conflicts_with_earlier"
    );
    assert_eq!(
        activate(&mut house, "signature_cloud_support", "ada", "2024-02-12").await,
        "2 applied support_ids"
    );
    let contracts = "select concat_ws(' ', length(access_id), left(access_id, 1), length(contract_id), left(contract_id, 1), activated_on)
                     from support_contract";
    assert_eq!(house.lines(contracts).await, ["10 1 10 2 2024-02-10"], "one an order");
    assert_eq!(activate(&mut house, "software", "ada", "2024-02-12").await, "2 applied");
    assert_eq!(
        activate(&mut house, "advisory_hours", "ada", "2024-02-12").await,
        "2 rejected benefit not_activatable"
    );
    house.import_one("s.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-13"), "2024-02-13").await.applied();
    assert_eq!(
        activate(&mut house, "software", "ada", "2024-02-13").await,
        "2 rejected requested_on conflicts_with_earlier"
    );
    house.night("2024-02-13").await;
    let before = house.state().await;
    house.night("2024-02-13").await;
    assert_eq!(house.state().await, before);
    assert_eq!(
        house.decisions().await.last().unwrap(),
        "cancel ORD-1 refused refund_blocked",
        "software was activated (D7)"
    );
}

#[tokio::test]
async fn d7_an_order_whose_cancellation_is_being_decided_activates_nothing() {
    let mut house = bought().await;
    house.import_one("s.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-13"), "2024-02-13").await.applied();
    for benefit in ["software", "product_support"] {
        let verdict = activate(&mut house, benefit, "ada", "2024-02-13").await;
        assert_eq!(verdict, "2 rejected order_id order_frozen");
    }
    // One that waits for the operator freezes as well: it is decided on what was on record when it came.
    let mut house = bought().await;
    let old = cancel("4301", "SR-1", "ORD-1", "2024-02-13");
    let waits = house.import_one("s.csv", &old, "2024-02-28").await;
    assert_eq!(waits.rows, ["2 waiting requested_on waits_for_operator"]);
    let verdict = activate(&mut house, "software", "ada", "2024-02-28").await;
    assert_eq!(verdict, "2 rejected order_id order_frozen");
    house.import_backdated("s2.csv", &format!("{old}\n"), "2024-02-29").await;
    house.night("2024-02-29").await;
    assert_eq!(house.decisions().await.last().unwrap(), "cancel ORD-1 accepted");
}

#[tokio::test]
async fn r6_r7_tickets_and_hours_draw_from_the_balance_in_the_order_of_their_requests() {
    let mut house = bought().await;
    assert_eq!(activate(&mut house, "product_support", "ada", "2024-02-10").await, "2 applied support_ids");
    let ids: String = house.one("select access_id || ',' || contract_id from support_contract").await;
    let server = |version: &str, ids: &str| format!(",Harbour Server,{version},{ids},");
    let file = [
        TICKETS.to_owned(),
        ticket("T-1", "product_support", "2024-02-12", &server("2022", ",")),
        ticket("T-2", "product_support", "2024-02-12", &server("2022", &ids)),
        ticket("T-3", "product_support", "2024-02-12", &server("2016", &ids)),
        ticket("T-4", "product_support", "2024-02-12", &server("2019", &ids)),
        ticket("T-5", "product_support", "2024-02-12", &server("2019", &ids)),
        ticket("T-6", "cloud_support", "2024-02-12", ",Deskside 365,,,,"),
        ticket("H-1", "advisory_hours", "2024-02-12", ",,,,,1.5"),
        ticket("H-2", "advisory_hours", "2024-02-12", ",,,,,0.75"),
        ticket("H-3", "advisory_hours", "2024-02-12", "ORD-1,,,,,0.5"),
    ]
    .concat();
    let answer = house.import_one("t.csv", &file, "2024-02-12").await;
    assert_eq!(
        answer.rows,
        [
            "2 rejected access_id+contract_id missing+missing",
            "3 applied left_over",
            "4 rejected product_version version_not_supported",
            "5 applied left_over",
            "6 rejected kind not_enough_left",
            "7 applied",
            "8 applied left_over",
            "9 rejected hours not_enough_left",
            "10 applied left_over",
        ],
        "{}",
        answer.text
    );
    let again = house.import_one("again.csv", &file, "2024-02-13").await;
    let unchanged = again.rows.iter().filter(|row| row.ends_with("unchanged")).count();
    assert_eq!(unchanged, 5, "{again:#?}");
}

#[tokio::test]
async fn r7_without_an_active_offer_there_are_no_benefits_yet_and_both_causes_are_named() {
    let mut house = bought().await;
    let file = TICKETS.to_owned() + &ticket("H-1", "advisory_hours", "2025-03-02", "ORD-1,,,,,1");
    assert_eq!(
        house.import_one("t1.csv", &file, "2025-03-02").await.rows,
        ["2 applied left_over"],
        "in grace"
    );
    let file = TICKETS.to_owned() + &ticket("H-2", "advisory_hours", "2025-03-03", "ORD-1,,,,,1");
    let answer = house.import_one("t2.csv", &file, "2025-03-03").await;
    assert_eq!(answer.rows, ["2 rejected no_benefits_yet"]);
    assert!(answer.text.contains("Looks like you don't have any benefits yet."), "{}", answer.text);
    assert!(
        answer.text.contains("no active offer") && answer.text.contains("not the account"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn r6_support_that_an_offer_does_not_bring_is_taken_in_with_the_reason_and_nothing_of_it_is_granted() {
    let mut house = House::open().await;
    let row = |order: &str, offer: &str, benefit: &str, quantity: &str| {
        format!("4301,{order},{offer},{benefit},core,{quantity},2024-01-31,2024-01-31,2025-01-30,,,\n")
    };
    let orders = [
        ENTITLEMENTS.to_owned(),
        row("ORD-A", "action_pack", "signature_cloud_support", "5"),
        row("ORD-I", "isv_cosell_ready", "product_support", "10"),
        row("ORD-A", "action_pack", "product_support", "10"),
    ]
    .concat();
    let files = [("p.csv", &*partner("4301", "SEK")), ("u.csv", &users("4301")), ("e.csv", &orders)];
    let answer = house.import(&files, "2024-01-31").await.remove(2);
    let told = ["2 applied benefit not_in_offer", "3 applied benefit not_in_offer", "4 applied"];
    assert_eq!(answer.rows, told);
    assert!(answer.text.contains("Action Pack does not bring this benefit"), "{}", answer.text);
    house.night("2024-01-31").await;
    let granted = "select concat_ws(' ', order_id, kind, amount_minor) from report.ledger";
    assert_eq!(house.lines(granted).await, ["ORD-A incidents_granted 10"]);
    let asked = TICKETS.to_owned() + &ticket("T-1", "cloud_support", "2024-02-01", ",Deskside 365,,,,");
    assert_eq!(house.import_one("t.csv", &asked, "2024-02-01").await.rows, ["2 rejected no_benefits_yet"]);
    let again = house.import_one("e2.csv", &format!("{orders}\n"), "2024-02-01").await;
    assert_eq!(again.rows, told.map(|row| row.replace("applied", "unchanged")));
}
