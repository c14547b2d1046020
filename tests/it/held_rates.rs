//! Reference rates that are not plausible: they wait for the operator, one by one, and nothing is granted at them; and
//! rates that are taken back, as long as nothing was granted at them (F2, D4, D16).

use serde_json::Value;

use crate::{
    cast::{monthly, partner, rates},
    house::{House, Ran},
};

const TUESDAY: (&str, &str, &str, &str) = ("2024-01-30", "1.0846", "11.2970", "160.10");
const WEDNESDAY: (&str, &str, &str, &str) = ("2024-01-31", "1.0837", "11.2682", "160.19");
const JUMPED: (&str, &str, &str, &str) = ("2024-01-31", "1.0837", "15.2682", "160.19");
const THURSDAY: (&str, &str, &str, &str) = ("2024-02-01", "1.0814", "11.2640", "158.96");

/// Three partners, each with an order of 100 dollars a month from 31 January 2024: in kronor, in yen, in euros.
async fn ordered() -> House {
    let mut house = House::open().await;
    for (number, currency) in [("4301", "SEK"), ("4302", "JPY"), ("4303", "EUR")] {
        let order = monthly(number, &format!("ORD-{currency}"), "2024-01-31", "2025-01-30");
        let files = [("p.csv", &*partner(number, currency)), ("e.csv", &*order)];
        for answer in house.import(&files, "2024-01-31").await {
            answer.applied();
        }
    }
    house
}

fn ran(house: &House, args: &[&str]) -> Ran {
    house.run(["--now", "2024-02-02T09:00:00Z"].iter().chain(args))
}

fn said(house: &House, args: &[&str]) -> Ran {
    ran(house, &[args, &["--by", "zoe", "--why", "the bank says so"]].concat())
}

/// `SEK rate_held`, of each order whose grant waits.
async fn waits(house: &House) -> Vec<String> {
    let query = "select concat_ws(' ', m.order_id, s.waits ->> 'code') from credit_schedule s join entitlement e using (entitlement_id)
                 join membership m using (membership_id) where s.waits is not null order by 1";
    house.lines(query).await
}

/// A night, and the same night again, which changes nothing.
async fn night(house: &House, on: &str) {
    house.night(on).await;
    let state = house.state().await;
    house.night(on).await;
    assert_eq!(house.state().await, state);
}

async fn granted(house: &House) -> Vec<String> {
    house.lines("select concat_ws(' ', amount_minor, currency) from report.ledger order by currency").await
}

#[tokio::test]
async fn f2_a_rate_that_jumps_waits_alone_until_the_operator_admits_it() {
    let mut house = ordered().await;
    house.import_one("r1.csv", &rates(&[TUESDAY]), "2024-01-30").await.applied();
    let jumped = rates(&[JUMPED, THURSDAY]);
    let answer = house.import_one("r2.csv", &jumped, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 waiting SEK rate_unlikely", "3 applied"]);
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await, ["9228 EUR", "14782 JPY"], "the row's other rates are in");
    assert_eq!(waits(&house).await, ["ORD-SEK rate_held"]);
    let explained = ran(&house, &["explain", "ORD-SEK"]).ended(0).stdout;
    assert!(explained.contains("`benefactor rates admit 2024-01-31 SEK`"), "{explained}");
    let line = "  2024-01-31  SEK  15.268200, and 11.297000 on 2024-01-30  (r2.csv)";
    assert!(ran(&house, &["requests"]).ended(0).stdout.contains(line));
    assert!(ran(&house, &["status"]).stdout.contains("1 rate for the operator: `benefactor requests`"));
    let held: Value =
        serde_json::from_str(&ran(&house, &["--json", "rates", "list", "--held"]).ended(0).stdout).unwrap();
    assert_eq!(
        (&held["held"][0]["day"], &held["held"][0]["rate"]),
        (&"2024-01-31".into(), &"15.268200".into())
    );
    let listed = ran(&house, &["rates", "list"]).ended(0).stdout;
    assert!(
        listed.contains("Waits for the operator: SEK of 2024-01-31 is 15.268200")
            && !listed.contains("Business days")
    );

    // Dropped again it says so again; another rate of that day is a conflict.
    let again = house.import_one("r2.csv", &jumped, "2024-02-01").await;
    assert_eq!(again.rows, ["2 waiting SEK rate_unlikely", "3 unchanged"]);
    let other = house.import_one("r3.csv", &rates(&[WEDNESDAY]), "2024-02-01").await;
    assert_eq!(other.rows, ["2 rejected SEK conflicts_with_earlier"]);

    ran(&house, &["rates", "admit", "2024-01-31", "SEK", "--by", "zoe"]).ended(2);
    let none = said(&house, &["rates", "admit", "2024-01-31", "SEK", "JPY"]).ended(1);
    assert!(none.stderr.contains("no rate of JPY of 2024-01-31 waits"), "{none:?}");
    said(&house, &["rates", "admit", "2024-01-31", "sek"]).ended(0);
    said(&house, &["rates", "admit", "2024-01-31", "SEK"]).ended(1);
    let recorded = "select concat_ws(' ', subject, action, by, why) from operator_action";
    assert_eq!(house.lines(recorded).await, ["rates 2024-01-31 SEK admit_rate zoe the bank says so"]);
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await, ["9228 EUR", "14782 JPY", "140890 SEK"]);
    assert!(
        house
            .import_one("r2.csv", &jumped, "2024-02-01")
            .await
            .rows
            .iter()
            .all(|row| row.ends_with("unchanged"))
    );
    assert_eq!(ran(&house, &["requests"]).ended(0).stdout, "nothing waits for an operator\n");

    // By a policy that lets it pass it comes to the same.
    let mut lax = ordered().await.policy("import_entitlements", "rate_jump_percent", "50");
    lax.import_one("r1.csv", &rates(&[TUESDAY]), "2024-01-30").await.applied();
    let answer = lax.import_one("r2.csv", &jumped, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 applied", "3 applied"]);
    lax.night("2024-02-01").await;
    assert_eq!(lax.digest().await, house.digest().await);
}

#[tokio::test]
async fn f2_d16_of_an_older_day_a_jump_is_taken_and_reported_and_of_a_first_file_as_well() {
    let mut house = ordered().await;
    house.import_one("r1.csv", &rates(&[TUESDAY, THURSDAY]), "2024-02-01").await.applied();
    let answer = house.import_one("r2.csv", &rates(&[JUMPED]), "2024-02-01").await;
    assert_eq!(answer.rows, ["2 applied SEK rate_jumped"]);
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await, ["9228 EUR", "14782 JPY", "140890 SEK"]);
    let mut first = ordered().await;
    let answer = first.import_one("r.csv", &rates(&[THURSDAY, JUMPED, TUESDAY]), "2024-02-01").await;
    assert_eq!(answer.rows, ["2 applied SEK rate_jumped", "3 applied SEK rate_jumped", "4 applied"]);
    night(&first, "2024-02-01").await;
    assert_eq!(first.digest().await, house.digest().await);
}

#[tokio::test]
async fn f2_a_day_after_the_file_s_arrival_is_refused_and_settles_nothing() {
    let mut house = ordered().await;
    let later = rates(&[TUESDAY, WEDNESDAY, ("2042-01-02", "1.08", "11.2", "160")]);
    let answer = house.import_one("r.csv", &later, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 applied", "3 applied", "4 rejected Date rate_in_future"]);
    assert_eq!(house.lines("select max(day)::text from rate_day").await, ["2024-01-31"]);
    night(&house, "2024-01-31").await;
    assert_eq!(granted(&house).await.len(), 3, "the day itself is in");
}

#[tokio::test]
async fn f2_a_new_level_waits_day_by_day_and_is_admitted_with_the_days_that_it_makes_plausible() {
    let mut house = ordered().await;
    house.import_one("r1.csv", &rates(&[TUESDAY]), "2024-01-30").await.applied();
    let days = [JUMPED, ("2024-02-01", "1.0814", "15.3", "158.96"), ("2024-02-02", "1.08", "21", "159")];
    let answer = house.import_one("r2.csv", &rates(&days), "2024-02-02").await;
    assert_eq!(
        answer.rows,
        ["2 waiting SEK rate_unlikely", "3 waiting SEK rate_unlikely", "4 waiting SEK rate_unlikely"]
    );
    let told = said(&house, &["rates", "admit", "2024-01-31", "SEK"]).ended(0).stdout;
    assert!(told.contains("with it that of the day after it"), "{told}");
    let open = "select concat_ws(' ', currency, published_on) from rate_open";
    assert_eq!(house.lines(open).await, ["SEK 2024-02-02"]);
    let actions = "select subject from operator_action order by 1";
    assert_eq!(house.lines(actions).await, ["rates 2024-01-31 SEK", "rates 2024-02-01 SEK"]);
}

#[tokio::test]
async fn d4_rates_are_taken_back_until_something_is_granted_at_them_and_the_same_file_comes_again() {
    let mut house = ordered().await;
    let file = rates(&[TUESDAY, WEDNESDAY, THURSDAY]);
    house.import_one("r.csv", &file, "2024-02-01").await.applied();
    assert!(house.import_one("r.csv", &file, "2024-02-01").await.known);
    ran(&house, &["rates", "revert", "r.csv", "--by", "zoe"]).ended(2);
    said(&house, &["rates", "revert"]).ended(2);
    said(&house, &["rates", "revert", "other.csv"]).ended(1);
    said(&house, &["rates", "revert", "--day", "2024-03-01"]).ended(1);
    let told = said(&house, &["rates", "revert", "r.csv"]).ended(0).stdout;
    assert!(told.contains("9 rates of 3 days are taken back; 3 of these days are missing now"), "{told}");
    assert_eq!(house.one::<i64>("select count(*) from reference_rate").await, 0);
    said(&house, &["rates", "revert", "r.csv"]).ended(1);
    night(&house, "2024-02-01").await;
    assert_eq!(waits(&house).await, ["ORD-EUR rate_missing", "ORD-JPY rate_missing", "ORD-SEK rate_missing"]);
    let recorded: String =
        house.one("select concat_ws(' ', action, by, why, before) from operator_action").await;
    assert_eq!(recorded, "revert_rates zoe the bank says so 9 rates of 3 days");

    // The same file once more; now grants count on it.
    house.import_one("r.csv", &file, "2024-02-01").await.applied();
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await.len(), 3);
    let state = house.state().await;
    for args in [
        &["rates", "revert", "r.csv"][..],
        &["rates", "revert", "--day", "2024-01-31"],
        &["rates", "revert", "--day", "2024-01-31", "--currency", "USD"],
    ] {
        let refused = said(&house, args).ended(5).stderr;
        assert!(refused.contains("3 grants count on these rates"), "{refused}");
        assert!(refused.contains("azure_monthly_credit of ORD-SEK of partner 4301"), "{refused}");
    }
    let one = said(&house, &["rates", "revert", "--day", "2024-01-31", "--currency", "JPY"]).ended(5).stderr;
    assert!(one.contains("1 grant") && one.contains("ORD-JPY") && !one.contains("ORD-SEK"), "{one}");
    assert_eq!(house.state().await, state);
    said(&house, &["rates", "revert", "--day", "2024-02-01"]).ended(0);
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await.len(), 3);
}

#[tokio::test]
async fn d4_one_currency_of_a_day_that_is_taken_back_is_no_reason_to_grant_at_an_older_rate() {
    let mut house = ordered().await;
    house.import_one("r1.csv", &rates(&[TUESDAY]), "2024-01-30").await.applied();
    house.import_one("r2.csv", &rates(&[JUMPED, THURSDAY]), "2024-02-01").await;
    said(&house, &["rates", "revert", "--day", "2024-01-31", "--currency", "SEK"]).ended(0);
    night(&house, "2024-02-01").await;
    assert_eq!(waits(&house).await, ["ORD-SEK rate_taken_back"]);
    let listed = ran(&house, &["rates", "list", "--held"]).ended(0).stdout;
    assert_eq!(listed, "Taken back, and no other has come: SEK of 2024-01-31 (r2.csv)\n");
    house.import_one("r3.csv", &rates(&[WEDNESDAY]), "2024-02-01").await.applied();
    night(&house, "2024-02-01").await;
    assert_eq!(granted(&house).await, ["9228 EUR", "14782 JPY", "103979 SEK"]);
    assert_eq!(house.one::<i64>("select count(*) from rate_open").await, 0);

    // The bank says that it had none.
    let mut none = ordered().await;
    none.import_one("r.csv", &rates(&[TUESDAY, WEDNESDAY, THURSDAY]), "2024-02-01").await.applied();
    said(&none, &["rates", "revert", "--day", "2024-01-31", "--currency", "SEK"]).ended(0);
    let without = rates(&[("2024-01-31", "1.0837", "N/A", "160.19")]);
    none.import_one("r2.csv", &without, "2024-02-01").await;
    night(&none, "2024-02-01").await;
    assert_eq!(granted(&none).await, ["9228 EUR", "14782 JPY", "104158 SEK"]);
}

#[tokio::test]
async fn d4_of_two_operators_at_once_one_admits_a_rate_and_the_other_is_told() {
    let mut house = ordered().await;
    house.import_one("r1.csv", &rates(&[TUESDAY]), "2024-01-30").await.applied();
    house.import_one("r2.csv", &rates(&[JUMPED, THURSDAY]), "2024-02-01").await;
    let by = ["--by", "zoe", "--why", "so"];
    let admit = [&["rates", "admit", "2024-01-31", "SEK"][..], &by].concat();
    let asking = [&admit, &admit].map(|args| house.command(args).spawn().unwrap());
    let mut codes: Vec<i32> = asking.map(|mut asked| asked.wait().unwrap().code().unwrap()).to_vec();
    codes.sort_unstable();
    assert_eq!(codes, [0, 1]);
    assert_eq!(house.one::<i64>("select count(*) from operator_action").await, 1);
    assert_eq!(house.one::<i64>("select count(*) from reference_rate where currency = 'SEK'").await, 3);
}
