//! Gold's core credit beside silver's: the difference is taken period by period (D12, C2). The digest is the same in
//! whatever order the files came.

use crate::{
    cast::{ENTITLEMENTS, cancel, partner, rates, usage, users},
    house::House,
    story::Answer,
};

const MONTHLY: &str = "azure_monthly_credit";
const SILVER: (&str, &str, &str, &str) = ("ORD-S", "silver", "2024-01-01", "2024-12-31");
const GOLD: (&str, &str, &str, &str) = ("ORD-G", "gold", "2024-12-20", "2025-12-19");

fn file((order, offer, from, until): (&str, &str, &str, &str), amount: &str) -> String {
    format!("{ENTITLEMENTS}4301,{order},{offer},{MONTHLY},core,1,{from},{from},{until},{amount},\n")
}

async fn house(currency: &str) -> House {
    let mut house = House::open().await;
    let files = [("p.csv", &*partner("4301", currency)), ("u.csv", &users("4301"))];
    for answer in house.import(&files, "2024-01-01").await {
        answer.applied();
    }
    house
}

/// What stands granted of an order, by period, corrections netted.
async fn granted(house: &House, order: &str) -> Vec<String> {
    let net = format!(
        "select concat_ws(' ', g.period_from, g.amount_minor + coalesce(sum(c.amount_minor), 0), g.currency)
         from report.ledger g left join report.ledger c on c.corrects = g.entry_id
         where g.kind = 'credit_granted' and g.order_id = '{order}'
         group by g.entry_id, g.period_from, g.amount_minor, g.currency
         having g.amount_minor + coalesce(sum(c.amount_minor), 0) <> 0 order by 1"
    );
    house.lines(&net).await
}

/// Nothing is overdrawn or left to settle, and the night again does nothing.
async fn sound(house: &House, night: &str) {
    house.night(night).await;
    let before = house.state().await;
    house.night(night).await;
    assert_eq!(house.state().await, before, "the night again");
    let broken = "select 'overdrawn' from report.balance where balance_minor < 0
        union all select 'unsettled' from credit_unsettled";
    assert_eq!(house.lines(broken).await, [""; 0]);
}

fn held(answer: &Answer) -> bool {
    answer.rows == ["2 applied benefit held_back"]
}

#[tokio::test]
async fn d12_a_few_days_of_silver_take_only_the_period_that_begins_in_them() {
    let mut house = house("USD").await;
    house.import_one("s.csv", &file(SILVER, ","), "2024-01-01").await.applied();
    let answer = house.import_one("g.csv", &file(GOLD, ","), "2024-12-20").await;
    assert!(held(&answer), "{:?}", answer.rows);
    assert!(answer.text.contains("ORD-S") && answer.text.contains("2024-12-31"), "{}", answer.text);
    house.night("2024-12-21").await;
    assert_eq!(granted(&house, "ORD-G").await, [""; 0]);
    let decided =
        "select concat_ws(' ', action, subject, outcome, earliest_on) from decision where action = 'grant'";
    assert_eq!(house.lines(decided).await, ["grant ORD-G/azure_monthly_credit refused 2025-01-01"]);
    let told = house.run(["explain", "ORD-G"]).ended(0).stdout;
    assert!(told.contains("Silver order ORD-S"), "{told}");
    sound(&house, "2025-12-20").await;
    let gold = granted(&house, "ORD-G").await;
    assert_eq!((gold.len(), &*gold[0]), (11, "2025-01-20 10000 USD"), "{gold:?}");
    assert_eq!(granted(&house, "ORD-S").await.len(), 12);
}

#[tokio::test]
async fn d12_silver_and_gold_in_any_order_of_files_end_in_one_digest() {
    let spent = usage("4301", "ORD-G", MONTHLY, "2025-02-21", "30.00,SEK", "U-1");
    let quotes: Vec<(String, String)> = (0..420)
        .map(|n| benefactor::domain::calendar::add_days("2024-11-01".parse().unwrap(), n))
        .map(|on| {
            (on.to_string(), format!("11.{}", 10 + on.to_string().bytes().map(u32::from).sum::<u32>() % 70))
        })
        .collect();
    let days: Vec<_> = quotes.iter().map(|(on, sek)| (&**on, "1.0846", &**sek, "160.1")).collect();
    let silver = ("ORD-S", "silver", "2024-11-15", "2025-02-25");
    let files = [file(silver, "100,USD"), file(GOLD, "150.50,USD"), spent, rates(&days)];
    let mut digests = Vec::new();
    for arrives in [
        ["2024-11-15", "2024-12-20", "2025-02-22", "2024-11-15"],
        ["2025-01-25", "2024-12-20", "2025-02-22", "2024-11-15"],
        ["2025-03-10", "2024-12-20", "2025-03-01", "2024-11-15"],
        ["2025-03-10", "2025-03-09", "2025-03-11", "2025-03-12"],
        ["2025-02-01", "2025-02-01", "2025-02-22", "2025-03-12"],
    ] {
        let mut house = house("SEK").await;
        let mut on: Vec<(&str, &String)> = arrives.into_iter().zip(&files).collect();
        on.sort_by_key(|(day, _)| *day);
        for (nth, (day, text)) in on.into_iter().enumerate() {
            let answer = house.import_one(&format!("{nth}.csv"), text, day).await;
            assert!(answer.rows.iter().all(|row| row.contains("applied")), "{:?}", answer.rows);
            house.night(day).await;
        }
        sound(&house, "2025-03-20").await;
        let gold = granted(&house, "ORD-G").await;
        assert_eq!(gold.len(), 4, "{arrives:?} {gold:?}");
        let rules = "select distinct rule from report.ledger where rule is not null";
        assert!(house.lines(rules).await.iter().all(|rule| rule == "D12"));
        digests.push((house.digest().await, house.ledger().await));
    }
    for (digest, ledger) in &digests[1..] {
        assert_eq!(*digest, digests[0].0, "{ledger:#?}\n{:#?}", digests[0].1);
    }
}

#[tokio::test]
async fn d12_a_refunded_silver_counts_as_never_having_run_and_what_was_spent_stays_spent() {
    let silver = ("ORD-S", "silver", "2025-01-15", "2026-01-14");
    let mut house = house("USD").await;
    house.import_one("g.csv", &file(GOLD, "150,USD"), "2024-12-20").await.applied();
    house.night("2025-01-21").await;
    let spent = usage("4301", "ORD-G", MONTHLY, "2025-01-21", "80.00,USD", "U-1");
    house.import_one("u.csv", &spent, "2025-01-21").await.applied();
    house.night("2025-01-22").await;
    // A late silver takes back what is unspent of the period that began beside it.
    assert!(held(&house.import_one("s.csv", &file(silver, "100,USD"), "2025-01-23").await));
    house.night("2025-01-23").await;
    assert_eq!(granted(&house, "ORD-G").await, ["2024-12-20 15000 USD", "2025-01-20 8000 USD"]);
    assert_eq!(
        house.lines("select balance_minor::text from report.balance where order_id = 'ORD-G'").await,
        ["0"]
    );
    let cancelled = cancel("4301", "SR-1", "ORD-S", "2025-01-30");
    house.import_one("c.csv", &cancelled, "2025-01-30").await.applied();
    sound(&house, "2025-01-31").await;
    assert_eq!(granted(&house, "ORD-G").await, ["2024-12-20 15000 USD", "2025-01-20 15000 USD"]);
    let mut never = self::house("USD").await;
    never.import_one("g.csv", &file(GOLD, "150,USD"), "2024-12-20").await.applied();
    never.import_one("u.csv", &spent, "2025-01-21").await.applied();
    never.night("2025-01-31").await;
    assert_eq!(house.ledger_of("used").await, never.ledger_of("used").await);
    assert_eq!(granted(&never, "ORD-G").await, granted(&house, "ORD-G").await);
}

#[tokio::test]
async fn d12_periods_that_went_by_with_nothing_are_granted_when_silver_is_refunded() {
    let silver = ("ORD-S", "silver", "2024-12-10", "2025-12-09");
    let mut house = house("USD").await;
    house.import_one("s.csv", &file(silver, ","), "2024-12-10").await.applied();
    assert!(held(&house.import_one("g.csv", &file(GOLD, ","), "2024-12-20").await));
    house.night("2024-12-21").await;
    assert_eq!(granted(&house, "ORD-G").await, [""; 0]);
    let cancelled = cancel("4301", "SR-1", "ORD-S", "2024-12-30");
    house.import_one("c.csv", &cancelled, "2024-12-30").await.applied();
    sound(&house, "2024-12-31").await;
    assert_eq!(granted(&house, "ORD-G").await, ["2024-12-20 10000 USD"]);
}

#[tokio::test]
async fn d12_amounts_in_the_partners_currency_are_subtracted_in_it_and_mixed_ones_are_left_whole() {
    for (silver, gold, code, period) in [
        ("900,SEK", "1000,SEK", "held_back", "10000 SEK"),
        ("100,USD", "1000,SEK", "not_held_back", "100000 SEK"),
    ] {
        let mut house = house("SEK").await;
        house.import_one("s.csv", &file(SILVER, silver), "2024-01-01").await;
        let answer = house.import_one("g.csv", &file(GOLD, gold), "2024-12-20").await;
        assert_eq!(answer.rows, [format!("2 applied benefit {code}")]);
        house.night("2024-12-21").await;
        assert_eq!(granted(&house, "ORD-G").await, [format!("2024-12-20 {period}")]);
    }
}
