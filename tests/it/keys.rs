//! Product keys: sealed when they come in, shown by an audited reveal only, redeemed once for ever onto one subscription
//! (R3, R5, D8, promise 11).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cast::{ENTITLEMENTS, cancel, row, users},
    house::{House, Ran},
};

const SUITE: &str = "license_subscription/office_365";
const TENANT: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
const OTHER: &str = "00000000-4f89-11d3-9a0c-0305e82c3301";
const KEYS: [&str; 4] = [
    "VK7JG-NPHTM-C97JM-9MPGT-3V66T",
    "W269N-WFGWX-YVC9B-4J6C9-T83GX",
    "MH37W-N47XK-V7XM9-C7227-GCQG9",
    "NPPR9-FWDCX-D2C8J-H872K-2YT43",
];
const HEADER: &str =
    "partner_id,order_id,benefit,key,seats,months,product,language,os,download_url,instructions\n";

fn partners(tenant: &str) -> String {
    format!(
        "partner_id,name,account_email,country,currency,tenant_id\n\
         4301,Partner 4301,accounts@p4301.example,SE,USD,{tenant}\n"
    )
}

fn keyed(order: &str, benefit: &str, key: &str, seats: &str) -> String {
    format!(
        "4301,{order},{benefit},{key},{seats},,Deskside Suite,sv+en,Windows,https://example.com/get,Run setup\n"
    )
}

/// Requests on keys of the suite: action, user, day, key, tenant, mode.
fn requests(rows: &[(&str, &str, &str, &str, &str, &str)]) -> String {
    let header = "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode\n";
    let rows = rows.iter().map(|(action, user, on, key, tenant, mode)| {
        format!("4301,ORD-1,{SUITE},{action},{user}@p4301.example,{on},{key},{tenant},{mode}\n")
    });
    header.to_owned() + &rows.collect::<String>()
}

/// A partner with an order from 10 February 2024 that brings the suite and Windows.
async fn known() -> House {
    let mut house = House::open().await;
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", SUITE, "2024-02-10", "2025-02-09", ",")
        + &row("4301", "ORD-1", "software/windows", "2024-02-10", "2025-02-09", ",")
        + &row("4301", "ORD-1", "advisory_hours", "2024-02-10", "2025-02-09", ",");
    let files = [("p.csv", &*partners(TENANT)), ("u.csv", &users("4301")), ("e.csv", &orders)];
    for answer in house.import(&files, "2024-02-10").await {
        answer.applied();
    }
    house
}

/// The same with four keys of 25, 25, 200 and no stated seats: K1 to K4.
async fn stocked() -> House {
    let mut house = known().await;
    let seats = ["25", "25", "200", ""];
    let keys = KEYS.iter().zip(seats).map(|(key, seats)| keyed("ORD-1", SUITE, key, seats));
    let file = HEADER.to_owned() + &keys.collect::<String>();
    house.import_one("keys.csv", &file, "2024-02-10").await.applied();
    house
}

/// Everything that the database holds, in words and as bytes.
async fn everything(house: &House) -> String {
    let tables = house
        .lines(
            "select format('%I.%I', table_schema, table_name) from information_schema.tables
             where table_schema in ('public', 'apalis', 'report') order by 1",
        )
        .await;
    let mut all = String::new();
    for table in tables {
        for line in house.lines(&format!("select t::text from {table} t")).await {
            all.push_str(&line);
            all.push('\n');
        }
    }
    all
}

/// Whether a text says a key, in letters or as hexadecimal bytes, whole or without its hyphens.
fn says(text: &[u8], key: &str) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_uppercase();
    let hex: String = key.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
    [key.to_owned(), key.replace('-', ""), hex].iter().any(|form| text.contains(form.as_str()))
}

#[track_caller]
fn silent(text: &[u8], place: &str) {
    for key in KEYS {
        assert!(!says(text, key), "{place} says {key}");
    }
}

/// Every file under a folder, but Postgres's own.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// No key is in the store, in the data directory, or in what was said.
async fn nothing_is_said(house: &House, ran: &[&Ran]) {
    silent(everything(house).await.as_bytes(), "the store");
    for file in files(house.dir.path()) {
        silent(&fs::read(&file).unwrap(), &file.display().to_string());
    }
    for ran in ran {
        silent(ran.stdout.as_bytes(), "standard output");
        silent(ran.stderr.as_bytes(), "the log");
    }
}

fn at(house: &House, on: &str, args: &[&str]) -> Command {
    let mut command = house.command(["--now", on]);
    command.args(args).env("RUST_LOG", "trace");
    command
}

#[tokio::test]
async fn promise_11_after_an_import_no_key_is_anywhere_and_the_original_and_its_copy_are_gone() {
    let house = stocked().await;
    nothing_is_said(&house, &[]).await;
    assert!(!house.dir.join("dropped/keys.csv").exists());
    let answer = fs::read_to_string(house.dir.join("answered/keys.result.csv")).unwrap();
    assert!(answer.contains(",*****-3V66T,25,") && answer.contains("It is key K1."), "{answer}");
    assert_eq!(
        house.lines("select tail from license_key order by key_id").await,
        ["3V66T", "T83GX", "GCQG9", "2YT43"]
    );
    assert_eq!(
        house.one::<i64>("select count(distinct sealed) from license_key where length(sealed) = 69").await,
        4
    );
    let secret = house.dir.join("secret.key");
    assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn d16_a_key_dropped_again_is_unchanged_and_with_other_content_or_for_another_benefit_it_is_refused() {
    let mut house = stocked().await;
    let [first, second, ..] = KEYS;
    let again = HEADER.to_owned()
        + &keyed("ORD-1", SUITE, &first.to_lowercase(), "25")
        + &keyed("ORD-1", SUITE, second, "26")
        + &keyed("ORD-1", "software/windows", second, "25")
        + &keyed("ORD-1", "advisory_hours", "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "")
        + &keyed("ORD-2", SUITE, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "")
        + &keyed("ORD-1", SUITE, "not a key", "")
        + &keyed("ORD-1", SUITE, "*****-3V66T", "25")
        + &keyed("ORD-1", SUITE, "*****-XXXXX", "25")
        + &keyed("ORD-1", SUITE, "AAAAA-BBBBB-CCCCC-DDDDD-FFFFF", "5")
        + &keyed("ORD-1", SUITE, "aaaaa-bbbbb-ccccc-ddddd-fffff", "5");
    let answer = house.import_one("keys.csv", &again, "2024-02-11").await;
    assert_eq!(
        answer.rows,
        [
            "2 unchanged key_named",
            "3 rejected seats conflicts_with_earlier",
            "4 rejected key key_of_another_benefit",
            "5 rejected benefit not_revealable",
            "6 rejected order_id unknown_order",
            "7 rejected key invalid",
            "8 unchanged key_named",
            "9 rejected key invalid",
            "10 applied key_named",
            "11 unchanged key_named"
        ]
    );
    silent(answer.text.as_bytes(), "the answer");
    silent(everything(&house).await.as_bytes(), "the store");
    assert!(!answer.text.contains("EEEEE-") && answer.text.contains("*****-EEEEE"), "{}", answer.text);
    assert!(answer.text.contains(",*****,"), "what is no key is masked as well: {}", answer.text);
    // Rows were rejected: the original stays where it is, its copy does not.
    assert!(house.dir.join("dropped/keys.csv").exists());
    for copy in files(&house.dir.join("spool")) {
        silent(&fs::read(&copy).unwrap(), "the spool");
    }
}

#[tokio::test]
async fn promise_11_a_key_in_the_wrong_column_is_masked_in_the_answer_and_in_the_store() {
    let mut house = known().await;
    let [first, second, third, fourth] = KEYS;
    let file = HEADER.to_owned()
        + &format!("4301,ORD-1,{SUITE},{first},{second},{third},,,,,\n")
        + &format!("4301,ORD-1,{SUITE},{first}\n")
        + &format!("{fourth},ORD-1,{SUITE},{first},1,,,,,,\n")
        + &format!("4301,ORD-1,{SUITE},SHORTKEY99,1,,shortkey99 it is,,,,call {second}\n");
    let answer = house.import_one("keys.csv", &file, "2024-02-10").await;
    assert_eq!(
        answer.rows,
        [
            "2 rejected seats+months invalid+invalid",
            "3 rejected wrong_field_count",
            "4 rejected partner_id invalid",
            "5 applied key_named"
        ]
    );
    let everything = everything(&house).await;
    for text in [&answer.text, &everything] {
        silent(text.as_bytes(), "the answer or the store");
        assert!(!text.to_uppercase().contains("SHORTKEY99"), "{text}");
    }
    assert_eq!(house.lines("select product from license_key").await, ["*****-KEY99 it is"]);
}

#[tokio::test]
async fn promise_11_a_file_with_rejected_keys_from_the_inbox_is_kept_beside_its_answer_for_its_owner_alone() {
    let house = known().await;
    let inbox = house.dir.join("inbox/4301");
    fs::create_dir_all(&inbox).unwrap();
    let good = HEADER.to_owned() + &keyed("ORD-1", SUITE, KEYS[0], "25");
    fs::write(inbox.join("good.csv"), &good).unwrap();
    let bad =
        HEADER.to_owned() + &keyed("ORD-1", SUITE, KEYS[1], "25") + &keyed("ORD-9", SUITE, KEYS[2], "25");
    fs::write(inbox.join("bad.csv"), &bad).unwrap();
    fs::write(inbox.join("odd.csv"), bad.replace("partner_id,order_id", "partner,order")).unwrap();
    let ran = Ran::of(&mut at(&house, "2024-02-11", &["night"])).ended(0);
    silent(ran.stderr.as_bytes(), "the log");
    assert!(ran.stderr.contains("rejected product keys are in the original alone"), "{}", ran.stderr);
    let kept = inbox.join("done/bad.csv");
    assert_eq!(fs::read_to_string(&kept).unwrap(), bad);
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!inbox.join("good.csv").exists() && !inbox.join("bad.csv").exists());
    let odd = inbox.join("refused/odd.csv");
    assert!(odd.exists(), "a file that is refused whole is kept");
    for file in files(house.dir.path()) {
        if file != kept && file != odd {
            silent(&fs::read(&file).unwrap(), &file.display().to_string());
        }
    }
    silent(everything(&house).await.as_bytes(), "the store");
    // Again under the same name, with other rows: nothing that was kept is lost.
    fs::write(inbox.join("bad.csv"), bad.replace("ORD-9", "ORD-8")).unwrap();
    Ran::of(&mut at(&house, "2024-02-12", &["night"])).ended(0);
    assert!(kept.exists() && inbox.join("done/bad.2.csv").exists());
    // Corrected, it is deleted.
    fs::rename(&kept, inbox.join("bad.csv")).unwrap();
    fs::write(inbox.join("bad.csv"), bad.replace("ORD-9", "ORD-1")).unwrap();
    Ran::of(&mut at(&house, "2024-02-13", &["night"])).ended(0);
    assert_eq!(house.one::<i64>("select count(*) from license_key").await, 3);
    assert!(!inbox.join("bad.csv").exists() && !kept.exists());
}

#[tokio::test]
async fn promise_11_killed_anywhere_an_import_goes_on_and_leaves_no_key() {
    for point in ["file.spooled", "file.staged", "file.applied", "file.answered", "file.left"] {
        let house = known().await;
        let file = house.dir.join("keys.csv");
        let keys = KEYS.map(|key| keyed("ORD-1", SUITE, key, "25")).concat();
        fs::write(&file, HEADER.to_owned() + &keys).unwrap();
        let import = |house: &House| at(house, "2024-02-11", &["import", file.to_str().unwrap()]);
        let killed = Ran::of(import(&house).env("BENEFACTOR_FAULTS", format!("{point}@1=kill"))).ended(-1);
        silent(everything(&house).await.as_bytes(), point);
        let again = if file.exists() {
            Ran::of(&mut import(&house)).ended(0)
        } else {
            Ran::of(&mut at(&house, "2024-02-12", &["night"])).ended(0)
        };
        assert_eq!(house.one::<i64>("select count(*) from license_key").await, 4, "{point}");
        assert!(!file.exists(), "{point}");
        nothing_is_said(&house, &[&killed, &again]).await;
        let open = "select count(*) from file where status not in ('done', 'refused')";
        assert_eq!(house.one::<i64>(open).await, 0, "{point}");
    }
}

#[tokio::test]
async fn r5_a_reveal_shows_the_key_and_every_showing_is_on_record() {
    let house = stocked().await;
    let reveal = ["keys", "reveal", "--partner", "4301", "--order", "ORD-1", "--benefit", SUITE];
    let ran = |on: &str, more: &[&str]| Ran::of(&mut at(&house, on, &[&reveal, more].concat()));
    let first = ran("2024-02-12", &["--requested-by", "ADA@p4301.example"]).ended(0);
    assert!(first.stdout.starts_with(&format!("K1  {}\n", KEYS[0])), "{}", first.stdout);
    for told in [
        "product: Deskside Suite",
        "languages: sv+en",
        "systems: Windows",
        "download: https://example.com/get",
        "instructions: Run setup",
    ] {
        assert!(first.stdout.contains(told), "{}", first.stdout);
    }
    silent(first.stderr.as_bytes(), "the log");
    let next = ran("2024-02-12", &["--json"]).ended(0);
    assert!(
        next.stdout.contains(KEYS[1]) && next.stdout.contains(r#""revealed_by":"operator""#),
        "{}",
        next.stdout
    );
    let again = ran("2024-02-12", &["--key", "K1"]).ended(0);
    assert!(again.stdout.contains(KEYS[0]) && again.stdout.contains("once more"), "{}", again.stdout);
    ran("2024-02-13", &["--key", "k1"]).ended(0);
    assert_eq!(
        house
            .lines("select concat_ws(' ', key_id, revealed_on, revealed_by) from key_reveal order by key_reveal_id")
            .await,
        [
            "1 2024-02-12 ADA@p4301.example",
            "2 2024-02-12 operator",
            "1 2024-02-12 operator",
            "1 2024-02-13 operator"
        ]
    );
    let refused = ran("2024-02-13", &["--requested-by", "ben@p4301.example"]).ended(3);
    assert!(
        refused.stdout.contains("role_missing") && refused.stdout.contains("ada@p4301.example"),
        "{}",
        refused.stdout
    );
    ran("2024-02-13", &["--key", "K99"]).ended(3);
    ran("2024-02-13", &["--key", KEYS[0]]).ended(2);
    assert_eq!(
        house.decisions().await,
        [
            "reveal ORD-1/license_subscription/office_365 accepted",
            "reveal ORD-1/license_subscription/office_365 accepted",
            "reveal ORD-1/license_subscription/office_365 accepted",
            "reveal ORD-1/license_subscription/office_365 refused role_missing",
            "reveal ORD-1/license_subscription/office_365 refused unknown_key"
        ]
    );
    nothing_is_said(&house, &[&refused]).await;
}

#[tokio::test]
async fn d7_a_reveal_blocks_the_refund_and_a_cancellation_that_is_not_decided_blocks_the_reveal() {
    let mut house = stocked().await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-20"), "2024-02-20").await.applied();
    let reveal = ["keys", "reveal", "--partner", "4301", "--order", "ORD-1", "--benefit", SUITE];
    let frozen = Ran::of(&mut at(&house, "2024-02-20", &reveal)).ended(3);
    assert!(frozen.stdout.contains("order_frozen"), "{}", frozen.stdout);
    house.night("2024-02-20").await;
    assert_eq!(house.decisions().await.last().unwrap(), "cancel ORD-1 accepted");
    // The refunded order's keys stay where they are (promise 10).
    let late = Ran::of(&mut at(&house, "2024-02-21", &reveal)).ended(3);
    assert!(late.stdout.contains("already_ended"), "{}", late.stdout);

    let mut house = stocked().await;
    Ran::of(&mut at(&house, "2024-02-19", &reveal)).ended(0);
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-20"), "2024-02-20").await.applied();
    house.night("2024-02-20").await;
    assert_eq!(house.decisions().await.last().unwrap(), "cancel ORD-1 refused refund_blocked");
}

#[tokio::test]
async fn d8_a_key_is_redeemed_as_new_then_adds_seats_or_extends_and_never_twice() {
    let mut house = stocked().await;
    let ask = requests(&[
        ("redeem", "ada", "2024-02-10", "K1", TENANT, "new"),
        ("redeem", "ada", "2024-10-10", "K1", "", "extend"),
        ("redeem", "ada", "2024-10-10", "K3", "", "extend"),
        ("redeem", "ada", "2024-10-10", "", OTHER, ""),
        ("redeem", "ada", "2024-10-10", "K2", "", "add_seats"),
        ("redeem", "ben", "2024-10-10", "K4", "", "add_seats"),
        ("redeem", "ada", "2024-10-10", "K4", "", "add_seats"),
    ]);
    let answer = house.import_backdated("r.csv", &ask, "2024-10-10").await;
    assert_eq!(
        answer.rows,
        [
            "2 applied key_named+subscription_now",
            "3 rejected key_ref key_redeemed",
            "4 rejected key_ref extends_too_much",
            "5 rejected tenant_id+mode wrong_tenant+subscription_live",
            "6 applied key_named+subscription_now",
            "7 rejected requested_by+key_ref role_missing+key_without_seats",
            "8 rejected key_ref key_without_seats"
        ]
    );
    assert!(
        answer.text.contains("The subscription has 50 seats now and ends on 2025-06-10."),
        "{}",
        answer.text
    );
    let all = "select concat_ws(' ', key_id, mode, redeemed_on, seats_before, ends_before, seats, ends_on) from redemption
               order by redemption_id";
    assert_eq!(
        house.lines(all).await,
        ["1 new 2024-02-10 25 2025-02-10", "2 add_seats 2024-10-10 25 2025-02-10 50 2025-06-10"]
    );
    let ends = "select subscription_ends_on::text from report.entitlement where benefit like 'license%'";
    assert_eq!(house.lines(ends).await, ["2025-06-10"], "kept apart from the entitlement's end");
    // The same file again changes nothing.
    let before = house.state().await;
    let again = house.import_backdated("r.csv", &ask, "2024-10-11").await;
    assert_eq!((again.rows[0].as_str(), again.rows[4].as_str()), ("2 unchanged", "6 unchanged"));
    assert_eq!(house.lines(all).await.len(), 2);
    let counts =
        |state: &[String]| state.iter().filter(|l| l.starts_with("request")).cloned().collect::<Vec<_>>();
    assert_eq!(counts(&before), counts(&house.state().await));
    // The tenant is pinned.
    let moved = house.import_one("p2.csv", &partners(OTHER), "2024-10-12").await;
    assert_eq!(moved.rows, ["2 rejected tenant_id tenant_pinned"]);
    let cleared = house.import_one("p3.csv", &partners(""), "2024-10-12").await;
    assert_eq!(cleared.rows, ["2 rejected tenant_id tenant_pinned"]);
    let same = house.import_one("p4.csv", &partners(&TENANT.to_uppercase()), "2024-10-12").await;
    assert!(!same.rows[0].contains("rejected"), "{same:?}");
    nothing_is_said(&house, &[]).await;
}

#[tokio::test]
async fn d8_a_key_that_came_without_its_seats_is_given_them_once() {
    let mut house = stocked().await;
    let redeem = |on: &str| requests(&[("redeem", "ada", on, "K4", "", "new")]);
    let none = house.import_one("r.csv", &redeem("2024-02-11"), "2024-02-11").await;
    assert_eq!(none.rows, ["2 rejected key_ref key_without_seats"]);
    let mask = format!("*****-{}", KEYS[3].rsplit('-').next().unwrap());
    let rows = [(KEYS[3], ""), (KEYS[3], "50"), (&*mask, "50"), (KEYS[3], "51"), (&*mask, "")];
    let text = rows.iter().map(|(key, seats)| keyed("ORD-1", SUITE, key, seats)).collect::<String>();
    let answer = house.import_one("keys.csv", &(HEADER.to_owned() + &text), "2024-02-11").await;
    assert_eq!(
        answer.rows,
        [
            "2 unchanged key_named",
            "3 applied key_named",
            "4 unchanged key_named",
            "5 rejected seats conflicts_with_earlier",
            "6 rejected seats conflicts_with_earlier"
        ]
    );
    house.import_one("r2.csv", &redeem("2024-02-12"), "2024-02-12").await.applied();
    let all = "select concat_ws(' ', key_id, seats, ends_on) from redemption";
    assert_eq!(house.lines(all).await, ["4 50 2025-02-12"]);
}

#[tokio::test]
async fn d8_a_preview_says_what_each_way_comes_to_and_changes_nothing() {
    let mut house = stocked().await;
    let preview = ["keys", "preview", "--partner", "4301", "--order", "ORD-1", "--benefit", SUITE];
    let ran = |on: &str, more: &[&str]| Ran::of(&mut at(&house, on, &[&preview, more].concat()));
    let first = ran("2024-02-10", &[]).ended(0);
    assert!(first.stdout.contains("Probably wanted: new."), "{}", first.stdout);
    let no = ran("2024-02-10", &["--requested-by", "ben@p4301.example"]).ended(3);
    assert!(no.stdout.contains("role_missing"), "{}", no.stdout);
    let redeem = requests(&[("redeem", "ada", "2024-02-10", "K1", "", "")]);
    house.import_one("r.csv", &redeem, "2024-02-10").await.applied();
    let (state, reveals) = (house.state().await, "select count(*) from key_reveal");
    let ran = |on: &str, more: &[&str]| Ran::of(&mut at(&house, on, &[&preview, more].concat()));
    let told = ran("2024-10-10", &["--requested-by", "ada@p4301.example"]).ended(0).stdout;
    assert!(told.contains("  add_seats  50 seats, ends on 2025-06-10"), "{told}");
    assert!(told.contains("  extend     25 seats, ends on 2026-02-10"), "{told}");
    assert!(
        told.contains("ends on 2025-06-10, four months earlier than the key's own twelve months."),
        "{told}"
    );
    assert!(told.contains("Probably wanted: extend. Nothing was changed."), "{told}");
    let json: serde_json::Value =
        serde_json::from_str(&ran("2024-10-10", &["--json", "--key", "K3"]).ended(0).stdout).unwrap();
    assert_eq!((json["recommended"].as_str(), json["key_ref"].as_str()), (Some("add_seats"), Some("K3")));
    assert_eq!(json["modes"][2]["reasons"][0]["code"], "extends_too_much");
    ran("2024-10-10", &["--key", "K1"]).ended(3);
    assert_eq!(house.state().await, state);
    assert_eq!(house.one::<i64>(reveals).await, 0);
}

#[tokio::test]
async fn promise_11_another_secret_or_none_is_said_and_nothing_is_sealed_with_it() {
    let house = stocked().await;
    let file = house.dir.join("more.csv");
    fs::write(&file, HEADER.to_owned() + &keyed("ORD-1", SUITE, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE", "5"))
        .unwrap();
    let import = ["import", file.to_str().unwrap()];
    let reveal = ["keys", "reveal", "--partner", "4301", "--order", "ORD-1", "--benefit", SUITE];
    let (secret, moved) = (house.dir.join("secret.key"), house.dir.join("elsewhere.key"));
    fs::rename(&secret, &moved).unwrap();
    for args in [&import[..], &reveal[..]] {
        let ran = Ran::of(&mut at(&house, "2024-02-12", args)).ended(2);
        assert!(ran.stderr.contains("--key-file") && ran.stderr.contains("put it back"), "{}", ran.stderr);
    }
    assert!(!secret.exists(), "none is made in the place of the one that is missing");
    fs::write(&secret, "0".repeat(64)).unwrap();
    for args in [&import[..], &reveal[..]] {
        let ran = Ran::of(&mut at(&house, "2024-02-12", args)).ended(2);
        assert!(
            ran.stderr.contains("is not the one that the keys in this store were sealed with"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(house.one::<i64>("select count(*) from license_key").await, 4);
    assert_eq!(house.one::<i64>("select count(*) from key_reveal").await, 0);
    let stated = ["--key-file", moved.to_str().unwrap()];
    Ran::of(&mut at(&house, "2024-02-12", &[&stated[..], &import[..]].concat())).ended(0);
    Ran::of(at(&house, "2024-02-12", &reveal).env("BENEFACTOR_KEY_FILE", &moved)).ended(0);
    // In the inbox it stops nobody else.
    let inbox = house.dir.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    fs::write(inbox.join("k.csv"), HEADER.to_owned() + &keyed("ORD-1", SUITE, KEYS[0], "25")).unwrap();
    fs::write(inbox.join("p.csv"), partners(TENANT).replace("4301", "4302")).unwrap();
    Ran::of(&mut at(&house, "2024-02-12", &["night"])).ended(0);
    assert!(inbox.join("refused/k.csv").exists() && inbox.join("done/p.csv").exists());
    // A dry run makes no secret.
    let fresh = known().await;
    let file = fresh.dir.join("keys.csv");
    fs::write(&file, HEADER.to_owned() + &keyed("ORD-1", SUITE, KEYS[0], "25")).unwrap();
    Ran::of(&mut at(&fresh, "2024-02-12", &["import", "--dry-run", file.to_str().unwrap()])).ended(0);
    assert!(file.exists() && !fresh.dir.join("secret.key").exists());
    assert_eq!(fresh.one::<i64>("select count(*) from vault").await, 0);
}
