//! Reference rates and what waits for them: D4. TARGET's business days, holes that are filled later, days without rates,
//! currencies that leave the list.

use std::fmt::Write as _;

use chrono::NaiveDate;
use serde_json::Value;

use crate::{
    cast::{ENTITLEMENTS, monthly, partner, rates, row, usage},
    house::{House, Ran},
    story::day,
};

const TUESDAY: (&str, &str, &str, &str) = ("2024-01-30", "1.0846", "11.2970", "160.10");
const WEDNESDAY: (&str, &str, &str, &str) = ("2024-01-31", "1.0837", "11.2682", "160.19");
const THURSDAY: (&str, &str, &str, &str) = ("2024-02-01", "1.0814", "11.2640", "158.96");
const GRANTED: [&str; 1] = ["2024-01-31 granted 1039.79 SEK (2024-01-31..2024-02-29)"];

/// An order of 100 dollars a month from `starts_on` by a partner of `currency`.
async fn ordered(currency: &str, starts_on: &str) -> House {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", starts_on, "2025-01-30");
    for answer in house.import(&[("p.csv", &partner("4301", currency)), ("e.csv", &order)], starts_on).await {
        answer.applied();
    }
    house
}

async fn waits(house: &House) -> Vec<String> {
    house.lines("select waits ->> 'code' from credit_schedule where waits is not null").await
}

#[tokio::test]
async fn d4_a_hole_that_is_filled_later_makes_the_grant_wait_and_the_order_of_files_does_not_matter() {
    let mut digests = Vec::new();
    for order in
        [[TUESDAY, THURSDAY, WEDNESDAY], [WEDNESDAY, TUESDAY, THURSDAY], [THURSDAY, WEDNESDAY, TUESDAY]]
    {
        let mut house = ordered("SEK", "2024-01-31").await;
        for (nth, day) in order.into_iter().enumerate() {
            house.import_one(&format!("r{nth}.csv"), &rates(&[day]), "2024-02-01").await.applied();
            house.night("2024-02-01").await;
        }
        assert_eq!(house.ledger().await, GRANTED, "{order:?}");
        digests.push(house.digest().await);
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    let mut house = ordered("SEK", "2024-01-31").await;
    house.import_one("r.csv", &rates(&[TUESDAY, THURSDAY]), "2024-02-01").await.applied();
    house.night("2024-02-01").await;
    assert_eq!((house.ledger().await.len(), waits(&house).await), (0, vec!["rates_incomplete".to_owned()]));
    let said = house.run(["explain", "ORD-1"]).ended(0).stdout;
    assert!(said.contains("2024-01-31"), "{said}");
}

fn by_command(house: &House, args: &[&str]) -> Ran {
    let args = ["--now", "2024-02-02T03:00:00Z", "rates", "unpublished"].iter().chain(args).copied();
    house.run(args.collect::<Vec<_>>())
}

const SAID: [&str; 4] = ["--by", "ada", "--why", "the bank says so"];

#[tokio::test]
async fn d4_an_operator_states_that_nothing_was_published_and_takes_it_back_until_a_grant_counts_on_it() {
    let mut house = ordered("SEK", "2024-01-31").await;
    house.import_one("r.csv", &rates(&[TUESDAY, THURSDAY]), "2024-02-01").await.applied();
    house.night("2024-02-01").await;
    let state = |day: &str, more: &[&str]| by_command(&house, &[&[day][..], &SAID, more].concat());
    for (day, why) in [("2024-02-03", "is still to come"), ("2024-01-28", "no business day")] {
        let refused = state(day, &[]).ended(2);
        assert!(refused.stderr.contains(why), "{refused:?}");
    }
    by_command(&house, &["2024-01-31", "--by", "ada"]).ended(2);
    assert!(state("2024-01-30", &[]).ended(5).stderr.contains("are stored"));
    // Stated, taken back, and stated again; each is on record with who and why.
    state("2024-01-31", &[]).ended(0);
    assert!(state("2024-01-31", &[]).ended(0).stdout.contains("already"));
    state("2024-01-31", &["--undo"]).ended(0);
    assert!(state("2024-01-31", &["--undo"]).ended(0).stdout.contains("was not on record"));
    state("2024-01-31", &[]).ended(0);
    let recorded = "select concat_ws(' ', subject, action, by, why) from operator_action order by action_id";
    let (stated, taken) = (
        "rates 2024-01-31 state_unpublished ada the bank says so",
        "rates 2024-01-31 take_back_unpublished ada the bank says so",
    );
    assert_eq!(house.lines(recorded).await, [stated, taken, stated]);
    house.night("2024-02-01").await;
    assert_eq!(house.ledger().await, ["2024-01-31 granted 1041.58 SEK (2024-01-31..2024-02-29)"]);
    assert!(state("2024-01-31", &["--undo"]).ended(5).stderr.contains("credit was granted"));
    // A file that has the day all the same is told, and nothing else of it is lost.
    let late = rates(&[WEDNESDAY, ("2024-02-02", "1.0883", "11.3125", "159.52")]);
    let answer = house.import_one("r2.csv", &late, "2024-02-02").await;
    assert_eq!(answer.rows, ["2 rejected Date stated_unpublished", "3 applied"]);
    let list: Value = serde_json::from_str(&house.run(["--json", "rates", "list"]).ended(0).stdout).unwrap();
    assert_eq!((&list["first"], &list["last"]), (&"2024-01-30".into(), &"2024-02-02".into()));
    assert_eq!((&list["missing"], &list["unpublished"][0]["by"]), (&Value::Array(vec![]), &"ada".into()));
    let told = house.run(["rates", "list"]).ended(0).stdout;
    assert!(told.contains("Nothing was published on 2024-01-31, says ada: the bank says so"), "{told}");
}

#[tokio::test]
async fn d4_each_cause_of_waiting_is_told_by_a_reason_of_its_own() {
    let kuna = |days: &[(&str, &str, &str)]| {
        let rows = days.iter().map(|(on, usd, hrk)| format!("{on},{usd},{hrk},\n"));
        format!("Date,USD,HRK,\n{}", rows.collect::<String>())
    };
    let week =
        [("2024-01-24", "1.09"), ("2024-01-25", "1.09"), ("2024-01-26", "1.08"), ("2024-01-29", "1.08")];
    let since: Vec<(&str, &str, &str)> = week.iter().map(|(on, usd)| (*on, *usd, "N/A")).collect();
    let last =
        [("2024-01-31", "1.0837", "N/A"), ("2024-01-30", "1.0846", "N/A"), ("2024-01-23", "1.09", "7.53")];
    let left = kuna(&[&since[..], &last].concat());
    let idr = "Date,USD,IDR,\n2024-01-31,1.0837,17114.66,\n".to_owned();
    for (currency, published, code) in [
        ("SEK", rates(&[TUESDAY]), "rate_missing"),
        ("SEK", rates(&[THURSDAY]), "no_earlier_rate"),
        ("KRW", rates(&[TUESDAY, WEDNESDAY, THURSDAY]), "no_earlier_rate"),
        ("SEK", rates(&[TUESDAY, THURSDAY]), "rates_incomplete"),
        ("HRK", left, "rate_too_old"),
        ("IDR", idr, "amount_too_large"),
    ] {
        let mut house = House::open().await;
        let amount = if currency == "IDR" { "1000000000000.00,USD" } else { "100,USD" };
        let order = ENTITLEMENTS.to_owned()
            + &row("4301", "ORD-1", "azure_monthly_credit", "2024-01-31", "2025-01-30", amount);
        let files = [("p.csv", &*partner("4301", currency)), ("e.csv", &order), ("r.csv", &published)];
        house.import(&files, "2024-02-01").await;
        house.night("2024-02-01").await;
        assert_eq!(
            (house.ledger().await, waits(&house).await),
            (vec![], vec![code.to_owned()]),
            "{currency}"
        );
    }
}

#[tokio::test]
async fn d4_a_code_that_is_not_of_iso_4217_is_refused_of_a_partner_and_one_that_the_bank_never_had_of_rates()
{
    let mut house = House::open().await;
    for (currency, expected) in [
        ("ZZZ", "2 rejected currency invalid"),
        ("XAU", "2 rejected currency invalid"),
        ("XXX", "2 rejected currency invalid"),
        ("SKK", "2 applied"),
    ] {
        let partner = partner("4301", "SEK").replace("SEK", currency);
        let answer = house.import_one("p.csv", &partner, "2024-01-31").await;
        assert_eq!(answer.rows, [expected], "{currency}");
    }
    // Codes of the Bank's history that are no more; one that it never published is of another bank's file (F2).
    let file = "Date,USD,SIT,SEK,\n2024-01-31,1.0837,N/A,11.2682,\n";
    for (name, column) in [("q.csv", "QQQ"), ("e.csv", "EUR")] {
        let other = house.import_one(name, &file.replace("SIT", column), "2024-01-31").await;
        let refused = other.refused.unwrap_or_default();
        assert!(refused.contains(&format!("never published a column '{column}'")), "{refused}");
    }
    house.import_one("r.csv", file, "2024-01-31").await.applied();
    assert_eq!(house.lines("select currency from reference_rate order by 1").await, ["SEK", "USD"]);
}

/// The days on which the Bank published, from the last of October 2022 to the first quarter of 2023: Croatia joined the euro.
fn kuna_until_new_year() -> String {
    let mut file = "Date,USD,HRK,\n".to_owned();
    let days: Vec<NaiveDate> =
        day("2022-10-28").iter_days().take_while(|on| *on <= day("2023-03-31")).collect();
    for on in days {
        let rest =
            [day("2022-12-26")].contains(&on) || ["Sat", "Sun"].contains(&&*on.format("%a").to_string());
        if !rest {
            let (usd, hrk) = if on < day("2023-01-01") { ("1.0666", "7.5365") } else { ("1.0683", "N/A") };
            writeln!(file, "{on},{usd},{hrk},").unwrap();
        }
    }
    file
}

fn used_in(currency: &str, on: &str, reference: &str) -> String {
    usage("4301", "ORD-1", "azure_monthly_credit", on, &format!("10.00,{currency}"), reference)
}

#[tokio::test]
async fn d4_what_was_granted_stays_in_its_currency_and_periods_since_the_change_come_in_the_new_one() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2022-12-31", "2023-12-30");
    house.import(&[("p.csv", &partner("4301", "HRK")), ("e.csv", &order)], "2022-12-31").await;
    house.import_one("r.csv", &kuna_until_new_year(), "2023-03-31").await.applied();
    house.night("2023-01-05").await;
    let kuna = "2022-12-31 granted 706.59 HRK (2022-12-31..2023-01-31)";
    assert_eq!(house.ledger().await, [kuna]);
    house.import_one("p2.csv", &partner("4301", "EUR"), "2023-01-10").await.applied();
    // Usage follows the currency of its period's grant, before and after that period is over.
    let answer = house.import_one("u1.csv", &used_in("EUR", "2023-01-12", "R1"), "2023-01-15").await;
    assert_eq!(answer.rows, ["2 rejected currency usage_currency_differs"]);
    house.import_one("u2.csv", &used_in("HRK", "2023-01-12", "R2"), "2023-01-15").await.applied();
    house.night("2023-02-05").await;
    let answer = house.import_one("u3.csv", &used_in("HRK", "2023-02-01", "R3"), "2023-02-06").await;
    assert_eq!(answer.rows, ["2 rejected currency usage_currency_differs"]);
    house.import_one("u4.csv", &used_in("EUR", "2023-02-01", "R4"), "2023-02-06").await.applied();
    house.import_one("u5.csv", &used_in("HRK", "2023-01-13", "R5"), "2023-02-06").await.applied();
    house.night("2023-02-28").await;
    let stands = "select concat_ws(' ', period_from, amount, currency) from (
        select period_from, currency, kind, (sum(amount_minor) / 100.0)::numeric(12, 2) as amount
        from report.ledger group by period_from, currency, kind) as sums order by period_from, kind::text";
    assert_eq!(
        house.lines(stands).await,
        [
            "2022-12-31 706.59 HRK",
            "2022-12-31 -686.59 HRK",
            "2022-12-31 -20.00 HRK",
            "2023-01-31 93.61 EUR",
            "2023-01-31 -83.61 EUR",
            "2023-01-31 -10.00 EUR",
            "2023-02-28 93.61 EUR",
        ]
    );
    let broken = "select 'overdrawn' from report.balance where balance_minor < 0";
    assert_eq!(house.lines(broken).await, [""; 0]);
}

#[tokio::test]
async fn d4_a_change_of_currency_takes_effect_on_the_day_it_states_whenever_its_file_arrives() {
    let stated = partner("4301", "EUR")
        .replace("currency\n", "currency,currency_from\n")
        .replace("EUR\n", "EUR,2023-01-01\n");
    let order = monthly("4301", "ORD-1", "2022-12-31", "2023-12-30");
    let mut digests = Vec::new();
    for arrives in ["2022-12-31", "2023-01-10", "2023-02-10"] {
        let mut house = House::open().await;
        house.import(&[("p.csv", &partner("4301", "HRK")), ("e.csv", &order)], "2022-12-31").await;
        house.import_one("r.csv", &kuna_until_new_year(), "2023-03-31").await.applied();
        if arrives > "2023-02-01" {
            house.night("2023-02-05").await;
            assert_eq!(house.ledger().await.len(), 2, "the kuna is no more: it waits, once it lapsed");
            assert_eq!(waits(&house).await, ["rate_too_old"]);
        }
        house.import_one("p2.csv", &stated, arrives).await.applied();
        let again = stated.replacen("partner_id", "Partner_ID", 1);
        assert_eq!(house.import_one("p3.csv", &again, arrives).await.rows, ["2 unchanged"]);
        house.night("2023-02-12").await;
        let granted = house.ledger_of("granted").await;
        assert_eq!(
            granted,
            [
                "2022-12-31 granted 706.59 HRK (2022-12-31..2023-01-31)",
                "2023-01-31 granted 93.61 EUR (2023-01-31..2023-02-28)"
            ],
            "{arrives}"
        );
        digests.push(house.digest().await);
        let csv = house.run(["export", "partners"]).ended(0).stdout;
        assert!(csv.contains("EUR,") && csv.contains("2023-01-01"), "{csv}");
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

#[tokio::test]
async fn d4_a_period_that_can_never_be_granted_in_the_old_currency_comes_in_the_new_one() {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2023-01-16", "2024-01-15");
    house.import(&[("p.csv", &partner("4301", "HRK")), ("e.csv", &order)], "2023-01-16").await;
    house.import_one("r.csv", &kuna_until_new_year(), "2023-03-31").await.applied();
    house.night("2023-01-20").await;
    assert_eq!((house.ledger().await.len(), waits(&house).await), (0, vec!["rate_too_old".to_owned()]));
    house.import_one("p2.csv", &partner("4301", "EUR"), "2023-01-25").await.applied();
    house.night("2023-01-26").await;
    assert_eq!(house.ledger().await, ["2023-01-16 granted 93.61 EUR (2023-01-16..2023-02-16)"]);
}
