//! Gold's core beside silver's: of monthly credit the difference is taken period by period, of all else silver's part comes on
//! the day after silver ends (D12, C2). The digest is the same in whatever order the files came.

use crate::{
    cast::{ENTITLEMENTS, cancel, partner, rates, usage, users},
    house::{House, Ran},
    story::Answer,
};

const MONTHLY: &str = "azure_monthly_credit";
const SILVER: (&str, &str, &str, &str) = ("ORD-S", "silver", "2024-01-01", "2024-12-31");
const GOLD: (&str, &str, &str, &str) = ("ORD-G", "gold", "2024-12-20", "2025-12-19");

fn file((order, offer, from, until): (&str, &str, &str, &str), amount: &str) -> String {
    format!("{ENTITLEMENTS}4301,{order},{offer},{MONTHLY},core,1,{from},{from},{until},{amount},\n")
}

/// A partner whose files arrive from a day on.
async fn house(currency: &str, on: &str) -> House {
    let mut house = House::open().await;
    let files = [("p.csv", &*partner("4301", currency)), ("u.csv", &users("4301"))];
    for answer in house.import(&files, on).await {
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
        union all select 'unsettled' from credit_unsettled where due_on is null or due_on <= date '{night}'";
    assert_eq!(house.lines(&broken.replace("{night}", night)).await, [""; 0]);
}

/// Drops each file on its day, in the order of days, and runs the night of that day.
async fn arrive(house: &mut House, files: &[String], days: &[&str]) {
    let mut on: Vec<(&&str, &String)> = days.iter().zip(files).collect();
    on.sort_by_key(|(day, _)| *day);
    for (nth, (day, text)) in on.into_iter().enumerate() {
        let answer = house.import_one(&format!("{nth}.csv"), text, day).await;
        assert!(answer.rows.iter().all(|row| row.contains("applied")), "{:?}", answer.rows);
        house.night(day).await;
    }
}

/// The digest of a ledger that D12 alone has corrected, and the ledger.
async fn corrected(house: &House) -> (String, Vec<String>) {
    let rules = "select distinct rule from report.ledger where rule is not null";
    assert!(house.lines(rules).await.iter().all(|rule| rule == "D12"));
    (house.digest().await, house.ledger().await)
}

fn alike(ledgers: &[(String, Vec<String>)]) {
    for (digest, ledger) in &ledgers[1..] {
        assert_eq!(*digest, ledgers[0].0, "{ledger:#?}\n{:#?}", ledgers[0].1);
    }
}

fn held(answer: &Answer) -> bool {
    answer.rows == ["2 applied benefit held_back"]
}

#[tokio::test]
async fn d12_a_few_days_of_silver_take_only_the_period_that_begins_in_them() {
    let mut house = house("USD", "2024-12-19").await;
    house.import_one("s.csv", &file(SILVER, ","), "2024-12-19").await.applied();
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
    sound(&house, "2025-03-20").await;
    let gold = granted(&house, "ORD-G").await;
    assert_eq!((gold.len(), &*gold[0]), (3, "2025-01-20 10000 USD"), "{gold:?}");
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
        let mut house = house("SEK", "2024-11-15").await;
        arrive(&mut house, &files, &arrives).await;
        sound(&house, "2025-03-20").await;
        let gold = granted(&house, "ORD-G").await;
        assert_eq!(gold.len(), 4, "{arrives:?} {gold:?}");
        digests.push(corrected(&house).await);
    }
    alike(&digests);
}

#[tokio::test]
async fn d12_a_refunded_silver_counts_as_never_having_run_and_what_was_spent_stays_spent() {
    let silver = ("ORD-S", "silver", "2025-01-15", "2026-01-14");
    let mut house = house("USD", "2024-12-20").await;
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
    let mut never = self::house("USD", "2024-12-20").await;
    never.import_one("g.csv", &file(GOLD, "150,USD"), "2024-12-20").await.applied();
    never.import_one("u.csv", &spent, "2025-01-21").await.applied();
    never.night("2025-01-31").await;
    assert_eq!(house.ledger_of("used").await, never.ledger_of("used").await);
    assert_eq!(granted(&never, "ORD-G").await, granted(&house, "ORD-G").await);
}

#[tokio::test]
async fn d12_periods_that_went_by_with_nothing_are_granted_when_silver_is_refunded() {
    let silver = ("ORD-S", "silver", "2024-12-10", "2025-12-09");
    let mut house = house("USD", "2024-12-10").await;
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
        let mut house = house("SEK", "2024-12-19").await;
        house.import_one("s.csv", &file(SILVER, silver), "2024-12-19").await;
        let answer = house.import_one("g.csv", &file(GOLD, gold), "2024-12-20").await;
        assert_eq!(answer.rows, [format!("2 applied benefit {code}")]);
        house.night("2024-12-21").await;
        assert_eq!(granted(&house, "ORD-G").await, [format!("2024-12-20 {period}")]);
    }
}

/// A row of a core benefit of an order.
fn core((order, offer, from, until): (&str, &str, &str, &str), benefit: &str, quantity: &str) -> String {
    let amount = match (benefit, offer) {
        (BULK, "gold") => "12000.00,USD",
        (BULK, _) => "6000.00,USD",
        _ => ",",
    };
    format!("4301,{order},{offer},{benefit},core,{quantity},{from},{from},{until},{amount},\n")
}

fn core_file(order: (&str, &str, &str, &str), benefits: &[(&str, &str)]) -> String {
    let rows: Vec<String> =
        benefits.iter().map(|(benefit, quantity)| core(order, benefit, quantity)).collect();
    ENTITLEMENTS.to_owned() + &rows.concat()
}

const COUNTED: [(&str, &str); 4] =
    [("visual_studio", ""), ("product_support", ""), ("signature_cloud_support", ""), ("advisory_hours", "")];
const BULK: &str = "azure_bulk_credit/cloud_platform";

/// What there is of an order's benefits: what the report says, and what is granted and left.
async fn there_is(house: &House, order: &str) -> Vec<String> {
    let query = format!(
        "select concat_ws(' ', e.benefit, e.quantity, b.balance_minor) from report.entitlement e
         left join report.balance b on (b.order_id, b.benefit) = (e.order_id, e.benefit)
         where e.order_id = '{order}' order by 1"
    );
    house.lines(&query).await
}

/// What `benefits` says on a day.
fn benefits(house: &House, on: &str) -> String {
    let now = format!("{on}T10:00:00Z");
    Ran::of(house.command(["--now", &now]).args(["benefits", "--partner", "4301"])).ended(0).stdout
}

#[tokio::test]
async fn d12_seats_hours_and_incidents_of_gold_are_less_on_the_days_of_silver_and_whole_on_the_day_after() {
    let mut house = house("USD", "2024-12-19").await;
    house.import_one("s.csv", &core_file(SILVER, &COUNTED), "2024-12-19").await.applied();
    let answer = house.import_one("g.csv", &core_file(GOLD, &COUNTED), "2024-12-20").await;
    assert!(answer.rows.iter().all(|row| row.ends_with("applied benefit held_back")), "{:?}", answer.rows);
    assert!(answer.text.contains("5 is held back through 2024-12-31"), "{}", answer.text);
    house.night("2024-12-20").await;
    assert_eq!(
        there_is(&house, "ORD-G").await,
        ["advisory_hours 30 1800", "product_support 5 5", "signature_cloud_support 5 5", "visual_studio 5"]
    );
    let told = benefits(&house, "2024-12-21");
    assert!(told.contains("5 of 5 seats"), "{told}");
    house.night("2024-12-31").await;
    assert_eq!(there_is(&house, "ORD-G").await[0], "advisory_hours 30 1800", "silver runs on its last day");
    house.night("2025-01-01").await;
    let whole = [
        "advisory_hours 50 3000",
        "product_support 20 20",
        "signature_cloud_support 10 10",
        "visual_studio 10",
    ];
    assert_eq!(there_is(&house, "ORD-G").await, whole);
    let came = "select concat_ws(' ', kind, effective_on, amount_minor, rule) from report.ledger
        where order_id = 'ORD-G' and benefit = 'product_support' order by entry_id";
    assert_eq!(
        house.lines(came).await,
        ["incidents_granted 2024-12-20 5", "incidents_granted 2025-01-01 15"],
        "each under its own date, and none is a correction"
    );
    let told = house.run(["explain", "ORD-G"]).ended(0).stdout;
    assert!(told.contains("quantity 5 ") && told.contains("quantity 10"), "each is a version: {told}");
    // The file that brought it says nothing new, and neither does an export.
    house.import_one("again.csv", &core_file(GOLD, &COUNTED), "2025-01-02").await;
    sound(&house, "2025-01-02").await;
    assert_eq!(there_is(&house, "ORD-G").await, whole);
}

#[tokio::test]
async fn d12_counted_benefits_and_bulk_credit_end_in_one_digest_in_whatever_order_silver_and_gold_come() {
    let silver = ("ORD-S", "silver", "2024-12-01", "2025-02-25");
    let gold = ("ORD-G", "gold", "2024-12-20", "2025-12-19");
    let all = [&COUNTED[..], &[(BULK, "1")]].concat();
    let files = [core_file(silver, &all), core_file(gold, &all)];
    let spent = usage("4301", "ORD-G", BULK, "2025-03-02", "7000.00,USD", "U-1");
    let mut digests = Vec::new();
    for arrives in [
        ["2024-12-01", "2024-12-20"],
        ["2025-01-25", "2024-12-20"],
        ["2024-12-01", "2025-01-25"],
        ["2025-03-01", "2025-02-28"],
        ["2025-03-01", "2025-03-01"],
        ["2025-03-04", "2024-12-20"],
    ] {
        let mut house = house("USD", "2024-12-01").await;
        arrive(&mut house, &files, &arrives).await;
        house.night("2025-03-04").await;
        house.import_one("u.csv", &spent, "2025-03-05").await.applied();
        sound(&house, "2025-03-05").await;
        assert_eq!(there_is(&house, "ORD-G").await[1], format!("{BULK} 1 500000"), "{arrives:?}");
        digests.push(corrected(&house).await);
    }
    alike(&digests);
}

#[tokio::test]
async fn d12_bulk_credit_of_gold_comes_in_two_parts_and_what_was_spent_beyond_the_first_is_taken_off_the_second()
 {
    let bulk = |order| core_file(order, &[(BULK, "1")]);
    let mut house = house("USD", "2024-12-19").await;
    house.import_one("s.csv", &bulk(SILVER), "2024-12-19").await.applied();
    let answer = house.import_one("g.csv", &bulk(GOLD), "2024-12-20").await;
    assert!(held(&answer), "{:?}", answer.rows);
    assert!(
        answer.text.contains("USD 6,000.00 of gold's credit is held back through 2024-12-31"),
        "{}",
        answer.text
    );
    house.night("2024-12-30").await;
    assert_eq!(granted(&house, "ORD-G").await, ["2024-12-20 600000 USD"]);
    let told = benefits(&house, "2024-12-31");
    assert!(told.contains("is held back through 2024-12-31"), "{told}");
    house.night("2025-01-01").await;
    let parts = ["2024-12-20 600000 USD", "2025-01-01 600000 USD"];
    assert_eq!(granted(&house, "ORD-G").await, parts);
    let told = benefits(&house, "2025-01-02");
    assert!(!told.contains("held back"), "nothing is any more: {told}");
    sound(&house, "2025-01-02").await;

    // A late silver takes back what is unspent until it ends, and no more than its own comes then.
    let mut late = self::house("USD", "2024-12-20").await;
    late.import_one("g.csv", &bulk(GOLD), "2024-12-20").await.applied();
    late.night("2024-12-22").await;
    assert_eq!(granted(&late, "ORD-G").await, ["2024-12-20 1200000 USD"]);
    let spent = usage("4301", "ORD-G", BULK, "2024-12-22", "8000.00,USD", "U-1");
    late.import_one("u.csv", &spent, "2024-12-23").await.applied();
    late.night("2024-12-23").await;
    assert!(held(&late.import_one("s.csv", &bulk(SILVER), "2024-12-24").await));
    late.night("2024-12-24").await;
    assert_eq!(granted(&late, "ORD-G").await, ["2024-12-20 800000 USD"], "what was spent stays spent");
    sound(&late, "2025-01-02").await;
    assert_eq!(granted(&late, "ORD-G").await, ["2024-12-20 800000 USD", "2025-01-01 400000 USD"]);
}

#[tokio::test]
async fn d12_a_refunded_silver_gives_gold_its_seats_hours_incidents_and_bulk_credit_at_once() {
    let silver = ("ORD-S", "silver", "2024-12-10", "2025-12-09");
    let all = [&COUNTED[..], &[(BULK, "1")]].concat();
    let mut house = house("USD", "2024-12-10").await;
    house.import_one("s.csv", &core_file(silver, &all), "2024-12-10").await.applied();
    house.import_one("g.csv", &core_file(GOLD, &all), "2024-12-20").await;
    let hours = "partner_id,request_id,kind,requested_by,requested_on,order_id,product,product_version,access_id,contract_id,hours\n\
        4301,SR-9,advisory_hours,ada@p4301.example,2024-12-22,ORD-G,,,,,31.00\n";
    house.night("2024-12-21").await;
    let answer = house.import_one("h.csv", hours, "2024-12-22").await;
    assert_eq!(answer.rows, ["2 rejected hours not_enough_left"]);
    assert!(answer.text.contains("comes on 2025-12-10"), "{}", answer.text);
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-S", "2024-12-30"), "2024-12-30").await.applied();
    sound(&house, "2024-12-31").await;
    assert_eq!(
        there_is(&house, "ORD-G").await,
        [
            "advisory_hours 50 3000",
            "azure_bulk_credit/cloud_platform 1 1200000",
            "product_support 20 20",
            "signature_cloud_support 10 10",
            "visual_studio 10"
        ]
    );
    let mut never = self::house("USD", "2024-12-20").await;
    never.import_one("g.csv", &core_file(GOLD, &all), "2024-12-20").await.applied();
    never.night("2024-12-31").await;
    assert_eq!(there_is(&never, "ORD-G").await, there_is(&house, "ORD-G").await);
    let answer = house.import_one("h2.csv", &hours.replace("2024-12-22", "2025-01-02"), "2025-01-02").await;
    assert_eq!(answer.rows, ["2 applied left_over"], "{}", answer.text);
}

#[tokio::test]
async fn d12_a_seat_that_silver_holds_back_is_refused_with_the_day_on_which_it_comes() {
    let mut house = house("USD", "2024-12-19").await;
    house.import_one("s.csv", &core_file(SILVER, &[("visual_studio", "")]), "2024-12-19").await.applied();
    house.import_one("g.csv", &core_file(GOLD, &[("visual_studio", "5")]), "2024-12-20").await;
    house.night("2024-12-20").await;
    let assign = |on: &str| {
        format!(
            "partner_id,order_id,benefit,action,user,requested_by,requested_on\n\
             4301,ORD-G,visual_studio,assign,ben@p4301.example,ada@p4301.example,{on}\n"
        )
    };
    let answer = house.import_one("a.csv", &assign("2024-12-21"), "2024-12-21").await;
    assert_eq!(answer.rows, ["2 rejected user no_seat_left"]);
    assert!(answer.text.contains("the first comes on 2025-01-01"), "{}", answer.text);
    house.import_one("b.csv", &assign("2025-01-01"), "2025-01-01").await.applied();
}
