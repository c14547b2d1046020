//! What a new row is measured by beside its own order: core benefits once, and the seats of a group (D12).

use crate::{cast::ENTITLEMENTS, house::House};

fn partners() -> String {
    "partner_id,name,account_email,country,currency,group_id\n\
     4301,One,accounts@p4301.example,SE,USD,G-1\n\
     4302,Two,accounts@p4302.example,SE,USD,G-1\n\
     4303,Three,accounts@p4303.example,NO,USD,G-1\n\
     4304,Four,accounts@p4304.example,SE,USD,\n"
        .to_owned()
}

async fn house() -> House {
    let mut house = House::open().await;
    house.import_one("partners.csv", &partners(), "2024-01-01").await.applied();
    house
}

/// A row from 31 January 2024 for a year.
fn row(
    number: &str,
    order: &str,
    offer: &str,
    benefit: &str,
    kind: &str,
    quantity: &str,
    amount: &str,
) -> String {
    format!(
        "{number},{order},{offer},{benefit},{kind},{quantity},2024-01-31,2024-01-31,2025-01-30,{amount},\n"
    )
}

fn core(order: &str, offer: &str, benefit: &str, quantity: &str) -> String {
    row("4301", order, offer, benefit, "core", quantity, ",")
}

fn seats(number: &str, order: &str, offer: &str, benefit: &str, quantity: &str) -> String {
    row(number, order, offer, &format!("visual_studio/{benefit}"), "incremental", quantity, ",")
}

fn file(rows: &[String]) -> String {
    ENTITLEMENTS.to_owned() + &rows.concat()
}

async fn held(house: &House) -> Vec<String> {
    let all = "select concat_ws(' ', m.order_id, e.benefit, e.quantity, e.amount_minor) from entitlement e
        join membership m using (membership_id) order by 1";
    house.lines(all).await
}

#[tokio::test]
async fn d12_gold_brings_the_difference_to_silvers_core_and_incremental_benefits_whole() {
    let mut house = house().await;
    let silver = [
        core("ORD-S", "silver", "visual_studio", ""),
        core("ORD-S", "silver", "advisory_hours", ""),
        core("ORD-S", "silver", "azure_monthly_credit", ""),
    ];
    let gold = [
        core("ORD-G", "gold", "visual_studio", ""),
        core("ORD-G", "gold", "advisory_hours", "50"),
        core("ORD-G", "gold", "azure_monthly_credit", ""),
        seats("4301", "ORD-G", "gold", "app_dev", ""),
        core("ORD-G", "gold", "product_support", ""),
    ];
    // In one span, the later row sees the earlier one; and so it does in a later file.
    let mut apart = self::house().await;
    house.import_one("e.csv", &file(&[&silver[..], &gold[..]].concat()), "2024-01-31").await;
    apart.import_one("s.csv", &file(&silver), "2024-01-31").await.applied();
    let answer = apart.import_one("g.csv", &file(&gold), "2024-01-31").await;
    assert_eq!(
        answer.rows,
        [
            "2 applied benefit held_back",
            "3 applied benefit held_back",
            "4 applied benefit held_back",
            "5 applied",
            "6 applied"
        ]
    );
    for held in ["5 is held back through 2025-01-30", "20 is held back through 2025-01-30"] {
        assert!(answer.text.contains(held), "{}", answer.text);
    }
    for house in [&mut house, &mut apart] {
        assert_eq!(
            held(house).await,
            [
                "ORD-G advisory_hours 50",
                "ORD-G azure_monthly_credit 1 10000",
                "ORD-G product_support 20",
                "ORD-G visual_studio 10",
                "ORD-G visual_studio/app_dev 25",
                "ORD-S advisory_hours 20",
                "ORD-S azure_monthly_credit 1 10000",
                "ORD-S visual_studio 5"
            ]
        );
        house.night("2024-02-29").await;
        let granted = "select concat_ws(' ', order_id, kind, amount_minor) from report.ledger
            where kind like '%_granted' order by 1";
        assert_eq!(
            house.lines(granted).await,
            [
                "ORD-G hours_granted 1800",
                "ORD-G incidents_granted 20",
                "ORD-S credit_granted 10000",
                "ORD-S credit_granted 10000",
                "ORD-S hours_granted 1200"
            ],
            "of nothing, nothing is granted"
        );
        // Dropped again, in whatever order, nothing changes.
        let again = file(&[&gold[..], &silver[..]].concat());
        let answer = house.import_one("again.csv", &again, "2024-03-01").await;
        assert!(answer.rows.iter().all(|row| row.contains("unchanged")), "{:?}", answer.rows);
    }
}

#[tokio::test]
async fn d12_core_of_days_that_do_not_meet_of_an_action_pack_and_of_other_partners_takes_nothing_off() {
    let mut house = house().await;
    let before = core("ORD-0", "silver", "visual_studio", "")
        .replace("2024-01-31", "2023-01-31")
        .replace("2025", "2024");
    let rows = [
        before,
        core("ORD-A", "action_pack", "visual_studio", ""),
        row("4302", "ORD-2", "silver", "visual_studio", "core", "", ","),
        core("ORD-G", "gold", "visual_studio", ""),
    ];
    house.import_one("e.csv", &file(&rows), "2024-01-30").await.applied();
    assert_eq!(held(&house).await[3], "ORD-G visual_studio 10");
}

#[tokio::test]
async fn d12_the_seats_of_a_group_are_capped_in_a_country_and_in_all() {
    let mut house = house().await;
    let answer = house
        .import_one(
            "e.csv",
            &file(&[
                seats("4301", "ORD-1", "silver", "app_dev", "20"),
                seats("4302", "ORD-2", "silver", "cloud_crm", "6"),
                seats("4302", "ORD-2", "silver", "app_dev", "5"),
                seats("4302", "ORD-2", "silver", "devops", "1"),
                seats("4303", "ORD-3", "silver", "app_dev", "25"),
                seats("4304", "ORD-4", "silver", "app_dev", "25"),
            ]),
            "2024-01-31",
        )
        .await;
    let codes: Vec<_> =
        answer.rows.iter().map(|row| row.replace(" quantity differs_from_catalogue", "")).collect();
    assert_eq!(
        codes,
        [
            "2 applied",
            "3 rejected quantity cap_reached",
            "4 applied",
            "5 rejected quantity cap_reached",
            "6 applied",
            "7 applied"
        ],
        "a partner without a group is alone"
    );
    // What is stated anew takes the place of what it was: down is free, up to the cap is free, beyond is not.
    let again = |quantity| file(&[seats("4301", "ORD-1", "silver", "app_dev", quantity)]);
    for (name, quantity, verdict) in [("a", "21", "rejected"), ("b", "15", "applied"), ("c", "20", "applied")]
    {
        let answer = house.import_one(&format!("{name}.csv"), &again(quantity), "2024-02-01").await;
        assert!(answer.rows[0].starts_with(&format!("2 {verdict}")), "{quantity}: {:?}", answer.rows);
    }
}

#[tokio::test]
async fn d12_with_any_gold_in_the_group_the_caps_are_golds() {
    let mut house = house().await;
    let rows = [
        seats("4301", "ORD-1", "silver", "app_dev", "25"),
        seats("4302", "ORD-2", "silver", "app_dev", "1"),
        // Its own order counts.
        seats("4302", "ORD-3", "gold", "app_dev", "25"),
        seats("4302", "ORD-2", "silver", "app_dev", "1"),
        seats("4303", "ORD-4", "silver", "app_dev", "50"),
        seats("4303", "ORD-4", "silver", "devops", "51"),
    ];
    let answer = house.import_one("e.csv", &file(&rows), "2024-01-31").await;
    let verdicts: Vec<_> = answer.rows.iter().map(|row| row.split(' ').nth(1).unwrap()).collect();
    assert_eq!(verdicts, ["applied", "rejected", "applied", "rejected", "applied", "rejected"]);
    assert_eq!(
        answer.rows[5], "7 rejected quantity+quantity cap_reached+cap_reached",
        "the country and all together"
    );
    let ended =
        house.one::<i64>("select count(*) from entitlement where benefit like 'visual_studio%'").await;
    assert_eq!(ended, 3);
}

/// Rows of which no two neighbours are of the same partner: seats of a group up to its cap and past it, and core benefits
/// that a partner has once.
fn interleaved() -> String {
    let mut rows = Vec::new();
    for nth in 0..12 {
        for number in ["4301", "4302", "4303", "4304"] {
            let order = format!("{number}-{nth}");
            rows.push(seats(number, &order, "silver", "app_dev", "20"));
            let benefit = ["visual_studio", "advisory_hours", "product_support"][nth % 3];
            rows.push(row(number, &order, "silver", benefit, "core", "", ","));
        }
    }
    file(&rows)
}

#[tokio::test]
async fn d12_a_file_comes_to_the_same_whether_it_is_applied_partner_by_partner_or_as_it_stands() {
    let mut found = Vec::new();
    for rows_at_once in ["2", "7", "10000"] {
        let mut house = house().await.policy("import_entitlements", "chunk_rows", rows_at_once);
        let answer = house.import_one("e.csv", &interleaved(), "2024-02-01").await;
        let chunks: i64 = house.one("select count(distinct bucket) from file_chunk").await;
        assert_eq!(chunks > 1, rows_at_once != "10000", "{rows_at_once}: {chunks}");
        found.push((answer.text, held(&house).await, house.digest().await));
    }
    assert_eq!(found[0], found[2]);
    assert_eq!(found[1], found[2]);
    let told = &found[2].0;
    assert!(told.contains("cap_reached") && told.contains(",applied,"), "{told}");
    // Two partners name one order: whoever is first in the file has it, wherever its rows are put.
    let disputed = interleaved().replace("4304-5", "4301-9").replace("4304-9", "4303-0");
    let mut told = Vec::new();
    for rows_at_once in ["2", "10000"] {
        let mut house = house().await.policy("import_entitlements", "chunk_rows", rows_at_once);
        told.push(house.import_one("e.csv", &disputed, "2024-02-01").await.text);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].matches("order_of_another_partner").count(), 4, "{}", told[0]);
}
