//! Booked and wanted where a later file moves an order's year: settled by corrections, so that the order of files does not
//! matter (C10; D2, D3, D5, D16). Every story ends in the digest of a store that ran its nights only afterwards.

use crate::{
    cast::{ENTITLEMENTS, partner, row, usage, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";

/// A row of an order bought on 31 January 2024.
fn of_order(benefit: &str, starts_on: &str, expires_on: &str, amount: &str) -> String {
    row("4301", "ORD-1", benefit, starts_on, expires_on, amount)
        .replace(&format!("{starts_on},{starts_on}"), &format!("2024-01-31,{starts_on}"))
}

fn file(rows: &[String]) -> String {
    ENTITLEMENTS.to_owned() + &rows.concat()
}

async fn house() -> House {
    let mut house = House::open().await;
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301"))];
    for answer in house.import(&files, "2024-02-01").await {
        answer.applied();
    }
    house
}

/// Two stores of the same files on the same days: one whose nights ran, and one whose nights run only on the last.
async fn both(files: &[(&str, String)], last: &str) -> (House, House) {
    let (mut up, mut down) = (house().await, house().await);
    for (nth, (on, text)) in files.iter().enumerate() {
        if nth > 0 {
            up.night(on).await;
        }
        for house in [&mut up, &mut down] {
            house.import_one(&format!("{nth}.csv"), text, on).await.applied();
        }
    }
    for house in [&up, &down] {
        house.night(last).await;
        let before = house.state().await;
        house.night(last).await;
        assert_eq!(house.state().await, before, "the night again");
        let broken = "select 'overdrawn' from report.balance where balance_minor < 0
            union all select 'unsettled' from credit_unsettled";
        assert_eq!(house.lines(broken).await, [""; 0]);
    }
    (up, down)
}

/// Both stores have one digest.
async fn alike(up: &House, down: &House) {
    let (there, here) = (up.ledger().await, down.ledger().await);
    assert_eq!(up.digest().await, down.digest().await, "{there:#?}\n{here:#?}");
}

async fn granted(house: &House) -> Vec<String> {
    let net = "select concat_ws(' ', g.period_from, g.amount_minor + coalesce(sum(c.amount_minor), 0))
        from report.ledger g left join report.ledger c on c.corrects = g.entry_id
        where g.kind = 'credit_granted'
        group by g.entry_id, g.period_from, g.amount_minor
        having g.amount_minor + coalesce(sum(c.amount_minor), 0) <> 0 order by 1";
    house.lines(net).await
}

#[tokio::test]
async fn d16_a_late_row_that_moves_the_start_back_reverses_what_was_granted_in_grace() {
    let credit = file(&[of_order(MONTHLY, "2024-03-01", "2025-02-28", "100,USD")]);
    let hours = file(&[of_order("advisory_hours", "2024-01-31", "2025-01-30", ",")]);
    let (up, down) = both(&[("2024-03-01", credit), ("2025-02-02", hours)], "2025-02-20").await;
    alike(&up, &down).await;
    let granted = granted(&up).await;
    assert_eq!((granted.len(), &*granted[10]), (11, "2025-01-01 10000"));
    let rules = "select distinct rule from report.ledger where corrects is not null";
    assert_eq!(up.lines(rules).await, ["D16"]);
    assert_eq!(
        up.lines("select balance_minor::text from report.balance where currency = 'USD'").await,
        ["0"]
    );
}

#[tokio::test]
async fn d16_what_was_spent_of_a_grant_that_is_reversed_stays_spent() {
    let credit = file(&[of_order(MONTHLY, "2024-03-01", "2025-02-28", "100,USD")]);
    let hours = file(&[of_order("advisory_hours", "2024-01-31", "2025-01-30", ",")]);
    let spent = usage("4301", "ORD-1", MONTHLY, "2025-02-01", "30.00,USD", "U-1");
    let mut up = house().await;
    up.import_one("e.csv", &credit, "2024-03-01").await.applied();
    up.import_one("u.csv", &spent, "2025-02-02").await.applied();
    up.night("2025-02-02").await;
    up.import_one("h.csv", &hours, "2025-02-03").await.applied();
    up.night("2025-02-03").await;
    assert_eq!(granted(&up).await[11], "2025-02-01 3000");
    assert_eq!(up.ledger_of("overage").await, [""; 0]);
    // Usage that comes later finds nothing left of it, and moves nothing.
    let more = usage("4301", "ORD-1", MONTHLY, "2025-02-01", "5.00,USD", "U-2");
    up.import_one("u2.csv", &more, "2025-02-04").await.applied();
    up.night("2025-02-04").await;
    assert_eq!(granted(&up).await[11], "2025-02-01 3000");
    let told = "select concat_ws(' ', kind, sum(amount_minor)) from report.ledger
        where kind in ('credit_used', 'credit_overage') group by kind order by 1";
    assert_eq!(up.lines(told).await, ["credit_overage -500", "credit_used -3000"]);
}

#[tokio::test]
async fn d16_bulk_credit_ends_with_the_grace_of_the_year_that_holds() {
    let bulk = file(&[of_order(BULK, "2024-03-01", "2025-02-28", "6000,USD")]);
    let hours = file(&[of_order("advisory_hours", "2024-01-31", "2025-01-30", ",")]);
    let spent = usage("4301", "ORD-1", BULK, "2024-05-01", "1000,USD", "U-1");
    let files = [("2024-03-01", bulk), ("2024-05-02", spent), ("2024-06-01", hours)];
    let (up, down) = both(&files, "2025-03-10").await;
    alike(&up, &down).await;
    let lapsed = "select concat_ws(' ', period_until, effective_on, amount_minor) from report.ledger
        where kind = 'credit_lapsed'";
    assert_eq!(up.lines(lapsed).await, ["2025-03-03 2025-03-03 -500000"]);
}

#[tokio::test]
async fn d16_a_start_that_moves_there_and_back_restores_what_was_reversed_and_grants_the_twelfth() {
    let credit = file(&[of_order(MONTHLY, "2024-03-01", "2025-02-28", "100,USD")]);
    let software = |from: &str| file(&[of_order("software/windows", from, "2025-01-30", ",")]);
    let files = [
        ("2024-03-01", credit),
        ("2025-02-02", software("2024-01-31")),
        ("2025-02-05", software("2024-03-01")),
    ];
    let (up, down) = both(&files, "2025-03-05").await;
    alike(&up, &down).await;
    assert_eq!(granted(&up).await.len(), 12);
    let restored = "select concat_ws(' ', effective_on, amount_minor) from report.ledger
        where kind = 'credit_reversed' and period_from = '2025-02-01' order by entry_id";
    assert_eq!(up.lines(restored).await, ["2025-02-01 -10000", "2025-02-01 10000"]);
    // And where the twelfth was never granted: its month began while the year was the shorter one.
    let early = [
        ("2024-03-01", file(&[of_order(MONTHLY, "2024-03-01", "2025-02-28", "100,USD")])),
        ("2024-03-10", software("2024-01-31")),
        ("2025-02-05", software("2024-03-01")),
    ];
    let (up, down) = both(&early, "2025-03-05").await;
    alike(&up, &down).await;
    assert_eq!(granted(&up).await.len(), 12);
}

#[tokio::test]
async fn d16_a_period_that_is_open_again_after_it_lapsed_lapses_once_more_and_stops_nobody() {
    let software = |from: &str| file(&[of_order("software/windows", from, "2025-01-30", ",")]);
    for (until, lapsed_on) in [("2025-02-09", "2025-02-10"), ("2025-02-05", "2025-02-06")] {
        let files = [
            ("2024-02-10", file(&[of_order(MONTHLY, "2024-02-10", until, "100,USD")])),
            ("2024-02-11", software("2024-01-31")),
            ("2025-02-02", software("2024-02-10")),
        ];
        let (up, down) = both(&files, "2025-02-12").await;
        alike(&up, &down).await;
        let lapsed = "select concat_ws(' ', effective_on, amount_minor, rule) from report.ledger
            where kind = 'credit_lapsed' and period_from = '2025-01-10' order by entry_id";
        let told = up.lines(lapsed).await;
        assert_eq!(told[0], "2025-01-31 -10000", "{told:?}");
        assert_eq!(told.last().unwrap(), &format!("{lapsed_on} -10000 D16"), "{told:?}");
    }
}
