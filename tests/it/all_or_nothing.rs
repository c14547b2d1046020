//! `import --all-or-nothing`: a file is applied as a whole or, where a row of it is rejected, not at all.

use std::fs;

use crate::{
    cast::{ENTITLEMENTS, assign, monthly, partner, row, users},
    house::{House, Ran},
};

const MONTHLY: &str = "azure_monthly_credit";
const AT: &str = "2024-02-05T10:00:00Z";
/// What every file changes that changes anything, but for what is on record of files and refusals.
const TABLES: [&str; 13] = [
    "partner",
    "directory_user",
    "contact_version",
    "agreement",
    "membership",
    "entitlement",
    "entitlement_version",
    "credit_schedule",
    "credit_usage",
    "assignment",
    "request",
    "license_key",
    "reference_rate",
];

async fn facts(house: &House) -> Vec<String> {
    let mut facts = Vec::new();
    for table in TABLES {
        let all = format!(
            "select '{table} ' || count(*) || md5(coalesce(string_agg(t::text, '/' order by t::text), '')) from {table} t"
        );
        facts.extend(house.lines(&all).await);
    }
    facts
}

async fn known() -> House {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

/// Four rows of two orders, the second row the same as the first one's order has already, the fourth the same as the third.
fn orders(amount: &str) -> String {
    ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",")
        + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "100,USD")
        + &row("4301", "ORD-2", "advisory_hours", "2024-02-01", "2025-01-31", ",")
        + &row("4301", "ORD-2", "advisory_hours", "2024-02-01", "2025-01-31", ",")
        + &row("4301", "ORD-3", MONTHLY, "2024-02-01", "2025-01-31", amount)
}

#[tokio::test]
async fn one_bad_row_keeps_all_out_and_the_corrected_answer_goes_in() {
    let mut house = known().await;
    let before = facts(&house).await;
    let answer = house.import_whole(&[("e2.csv", &orders("a hundred,USD"))], "2024-02-01").await.remove(0);
    let expected = [
        "2 rejected file_not_applied",
        "3 unchanged",
        "4 rejected file_not_applied",
        "5 rejected file_not_applied",
        "6 rejected amount invalid",
    ];
    assert_eq!(answer.rows, expected);
    assert!(
        answer.text.contains("and 1 row is rejected: nothing of the file was applied."),
        "{}",
        answer.text
    );
    assert_eq!(facts(&house).await, before);
    let corrected = answer.text.replace("a hundred", "100");
    let again = house.import_whole(&[("e2.result.csv", &corrected)], "2024-02-02").await.remove(0);
    let statuses: Vec<&str> = again.rows.iter().filter_map(|row| row.split(' ').nth(1)).collect();
    assert_eq!(statuses, ["applied", "unchanged", "applied", "unchanged", "applied"]);
    assert!(house.import_whole(&[("same.csv", &corrected)], "2024-02-02").await[0].known);
    house.night("2024-02-02").await;
    assert!(!house.ledger_of("2024-02-01 granted 100 USD").await.is_empty());
}

#[tokio::test]
async fn d13_of_every_kind_nothing_is_in_row_by_row_and_by_the_chunk_and_all_is_where_nothing_is_rejected() {
    let ask = |user: &str, on: &str| assign("4301", "ORD-1", MONTHLY, "assign", user, on);
    let two = |first: String, second: String| first + second.split_once('\n').unwrap().1;
    let files = [
        (
            "partners.csv",
            two(partner("4302", "SEK"), partner("4303", "SEK")),
            partner("4304", "SEK").replace("accounts@", "nobody at "),
        ),
        (
            "users.csv",
            "partner_id,object_id,user_principal_name\n4301,d,dan@p4301.example\n4301,e,eve@p4301.example\n".to_owned(),
            "h\n4301,f,dan@p4301.example\n".to_owned(),
        ),
        (
            "contacts.csv",
            "partner_id,user,email,phone,language\n4301,ada@p4301.example,mk@p4301.example,+46 8 465 004 12,sv\n".to_owned(),
            "h\n4399,ada@p4301.example,mk@p4301.example,+46 8 465 004 12,sv\n".to_owned(),
        ),
        (
            "agreements.csv",
            "partner_id,agreement,valid_from,valid_until\n4301,csp,2024-01-01,\n4301,csp,2024-01-01,2024-06-30\n".to_owned(),
            "h\n4301,csp,2024-01-01,2024-07-31\n".to_owned(),
        ),
        (
            "entitlements.csv",
            ENTITLEMENTS.to_owned() + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ","),
            "h\n".to_owned() + &row("4301", "ORD-2", MONTHLY, "2024-02-01", "2024-01-31", "100,USD"),
        ),
        (
            "keys.csv",
            "partner_id,order_id,benefit,key\n4301,ORD-4,software,AAAAA-BBBBB-CCCCC\n".to_owned(),
            "h\n4301,ORD-9,software,AAAAA-BBBBB-DDDDD\n".to_owned(),
        ),
        (
            "usage.csv",
            format!(
                "partner_id,order_id,benefit,used_on,amount,currency,reference\n4301,ORD-1,{MONTHLY},2024-02-01,5.00,USD,r-1\n"
            ),
            format!("h\n4301,ORD-1,{MONTHLY},2024-02-01,5.00,EUR,r-2\n"),
        ),
        ("assignments.csv", two(ask("ben", "2024-02-02"), ask("ada", "2024-02-01")), ask("zoe", "2024-02-01")),
    ];
    for rows_at_once in ["1", "10000"] {
        let mut house = known().await.policy("import_entitlements", "chunk_rows", rows_at_once);
        let order =
            ENTITLEMENTS.to_owned() + &row("4301", "ORD-4", "software", "2024-02-01", "2025-01-31", ",");
        house.import_one("more.csv", &order, "2024-02-01").await.applied();
        for (name, good, bad) in &files {
            let before = facts(&house).await;
            let spoilt = two(good.clone(), bad.clone());
            let answer = house.import_whole(&[(name, &spoilt)], "2024-02-03").await.remove(0);
            assert_eq!(answer.rows.len(), spoilt.lines().count() - 1, "{name} {answer:?}");
            let (at_fault, others) = answer.rows.split_last().unwrap();
            assert!(
                at_fault.contains(" rejected ") && !at_fault.contains("file_not_applied"),
                "{name} {answer:?}"
            );
            assert!(
                others.iter().all(|row| row.ends_with(" rejected file_not_applied")),
                "{name} {answer:?}"
            );
            assert_eq!(facts(&house).await, before, "{name}");
            house.import_whole(&[(name, good)], "2024-02-03").await.remove(0).applied();
            assert_ne!(facts(&house).await, before, "{name}");
        }
        let decided = "select concat_ws(' ', action, outcome, count(*)) from decision group by action, outcome order by 1";
        assert_eq!(house.lines(decided).await, ["assign accepted 2", "assign refused 1"]);
    }
}

#[tokio::test]
async fn what_the_store_refuses_keeps_all_out_and_other_files_go_in() {
    let mut house = known().await;
    let refuse = "alter table partner add constraint no_such_name check (name not like 'Never %')";
    sqlx::query(refuse).execute(&house.owner).await.unwrap();
    let header = "partner_id,name,account_email,country,currency\n";
    let name = |n: i32| if n == 25 { "Never" } else { "Name" };
    let rows: Vec<String> =
        (10..30).map(|n| format!("60{n},{} {n},a{n}@x.example,SE,SEK\n", name(n))).collect();
    let rows = rows.concat();
    let (spoilt, other) = (format!("{header}{rows}"), partner("4309", "SEK"));
    let answers = house.import_whole(&[("p.csv", &spoilt), ("o.csv", &other)], "2024-02-04").await;
    let codes = |code: &str| answers[0].rows.iter().filter(|row| row.ends_with(code)).count();
    assert_eq!((codes("rejected file_not_applied"), codes("rejected store_refused")), (19, 1), "{answers:?}");
    answers[1].applied();
    assert_eq!(house.lines("select number from partner order by 1").await, ["4301", "4309"]);
}

fn import(house: &House, name: &str, text: &str, args: &[&str], faults: &str) -> Ran {
    let path = house.dir.join(name);
    fs::write(&path, text).unwrap();
    let config = house.dir.join("config/jobs");
    fs::create_dir_all(&config).unwrap();
    let two =
        include_str!("../../jobs/import_entitlements.toml").replace("chunk_rows = 10000", "chunk_rows = 2");
    fs::write(config.join("import_entitlements.toml"), two).unwrap();
    let mut command = house.command(["--now", AT, "import", path.to_str().unwrap(), "--all-or-nothing"]);
    command
        .args(args)
        .env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))
        .env("BENEFACTOR_FAULTS", faults);
    Ran::of(&mut command)
}

#[tokio::test]
async fn the_command_ends_with_1_and_says_so_and_a_crash_on_the_way_leaves_nothing() {
    let house = known().await;
    let before = facts(&house).await;
    let (good, bad) = (orders("100,USD"), orders("a hundred,USD"));
    let told = import(&house, "e2.csv", &bad, &["--dry-run"], "").ended(1).stdout;
    assert!(told.contains("line 2: rejected") && told.contains("file_not_applied"), "{told}");
    assert_eq!(house.one::<i64>("select count(*) from file where name = 'e2.csv'").await, 0);
    let told = import(&house, "e2.csv", &bad, &[], "").ended(1).stdout;
    assert!(told.contains("0 applied, 1 unchanged, 4 rejected"), "{told}");
    assert!(told.contains("nothing of it was applied, because rows are rejected"), "{told}");
    let listed = house.run(["files", "e2.csv"]).ended(0).stdout;
    assert!(listed.contains("refused  e2.csv") && listed.contains("(--all-or-nothing)"), "{listed}");

    // It has two chunks: the second is applied, and nothing of the first is there.
    import(&house, "e3.csv", &good, &[], "file.applied@2=kill").ended(-1);
    assert_eq!(facts(&house).await, before);
    let chunks =
        "select count(*) from file_chunk join file using (file_id) where name = 'e3.csv' and not done";
    assert_eq!(house.one::<i64>(chunks).await, 2);
    let told = import(&house, "e3.csv", &good, &[], "").ended(0).stdout;
    assert!(told.contains("3 applied, 2 unchanged, 0 rejected"), "{told}");
    assert_ne!(facts(&house).await, before);
}
