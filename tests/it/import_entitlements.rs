//! Files on their way in: what goes in, what comes back, and what is left when nothing does (D1, D12, D16).

use std::fs;

use crate::{
    cast::{ENTITLEMENTS, assign, cancel, monthly, partner, rates, renewal, row, usage, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";

async fn known() -> House {
    let mut house = House::open().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users("4301")), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

#[tokio::test]
async fn an_answer_is_the_file_itself_with_a_verdict_on_every_row() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-31").await.applied();
    let dropped = "Order_ID,Partner_ID,Remark,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on\n\
         ORD-1,4301,\"ours, all of it\",silver,software,core,1,2024-01-31,2024-01-31,2025-01-30\n\
         ORD-1,4301,,platinum,soft,core,x,2024-01-31,2024-01-32,2025-01-30\n\
         ORD-1,4399,,silver,software,core,1,2024-01-31,2024-01-31,2025-01-30\n\
         ORD-1,4301\n\
         ORD-1,4301,twice,silver,software,core,1,2024-01-31,2024-01-31,2025-01-30\n";
    let answer = house.import_one("orders.csv", dropped, "2024-01-31").await;
    insta::assert_snapshot!(answer.text);
}

#[tokio::test]
async fn a_corrected_answer_dropped_again_brings_in_what_was_rejected_and_nothing_twice() {
    let mut house = known().await;
    let file = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",")
        + &row("4301", "ORD-2", MONTHLY, "2024-02-01", "2025-01-31", "a hundred,USD");
    let answer = house.import_one("e2.csv", &file, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 applied", "3 rejected amount invalid"]);
    let corrected = answer.text.replace("a hundred", "100");
    let second = house.import_one("e2.result.csv", &corrected, "2024-02-02").await;
    // Another order of silver brought it already (D12).
    assert_eq!(second.rows, ["2 unchanged", "3 applied amount differs_from_catalogue"]);
    assert_eq!(
        second.text.lines().next().map(|line| line.trim_start_matches('\u{feff}')),
        answer.text.lines().next(),
        "the columns of the first answer give way"
    );
    assert_eq!(house.one::<i64>("select count(*) from entitlement").await, 3);
}

#[tokio::test]
async fn the_same_file_dropped_twice_is_known_and_one_with_rejected_rows_is_read_again() {
    let mut house = known().await;
    let before = house.state().await;
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    assert!(house.import_one("other name.csv", &order, "2024-02-01").await.known);
    assert_eq!(house.state().await, before);
    // The same bytes with a rejected row decide anew each time.
    let mixed = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",")
        + &row("4302", "ORD-3", "software", "2024-02-01", "2025-01-31", ",");
    assert_eq!(
        house.import_one("m.csv", &mixed, "2024-02-01").await.rows,
        ["2 applied", "3 rejected partner_id unknown_partner"]
    );
    let before = house.state().await;
    assert_eq!(
        house.import_one("m.csv", &mixed, "2024-02-02").await.rows,
        ["2 unchanged", "3 rejected partner_id unknown_partner"]
    );
    assert_eq!(house.state().await, before);
    house.import_one("p2.csv", &partner("4302", "SEK"), "2024-02-03").await.applied();
    assert_eq!(house.import_one("m.csv", &mixed, "2024-02-03").await.rows, ["2 unchanged", "3 applied"]);
}

#[tokio::test]
async fn a_file_dropped_before_what_it_depends_on_is_dropped_again_and_goes_in() {
    let mut house = House::open().await;
    let (partner, users) = (partner("4301", "USD"), users("4301"));
    let order = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    let assigned = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-01-31");
    let used = usage("4301", "ORD-1", MONTHLY, "2024-01-31", "5.00,USD", "U-1");
    let files =
        [("use.csv", &used), ("a.csv", &assigned), ("e.csv", &order), ("u.csv", &users), ("p.csv", &partner)];
    // One a time, each before the one it needs.
    for (name, text) in files.iter().take(4) {
        let answer = house.import_one(name, text, "2024-01-31").await;
        assert!(
            answer.rows.iter().all(|r| r.ends_with("rejected partner_id unknown_partner")),
            "{name}: {answer:?}"
        );
    }
    for (name, text) in files.iter().rev() {
        house.import_one(name, text, "2024-02-01").await.applied();
    }
    // All at once they are taken in the right order, whatever order they are named in.
    let mut at_once = House::open().await;
    let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    for answer in at_once.import(&named, "2024-02-01").await {
        answer.applied();
    }
    house.night("2024-02-01").await;
    at_once.night("2024-02-01").await;
    assert_eq!(house.digest().await, at_once.digest().await);
}

#[tokio::test]
async fn another_partner_s_order_is_rejected_and_in_a_partner_s_folder_another_s_row() {
    let mut house = known().await;
    house.import_one("p2.csv", &partner("4302", "USD"), "2024-01-31").await.applied();
    let theirs = ENTITLEMENTS.to_owned() + &row("4302", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    let answer = house.import_one("e2.csv", &theirs, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 rejected order_id order_of_another_partner"]);
    let both = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", "software", "2024-01-31", "2025-01-30", ",")
        + &row("4302", "ORD-3", "software", "2024-01-31", "2025-01-30", ",");
    let answer = house.import_of("4301", "e3.csv", &both, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 applied", "3 rejected partner_id other_partner"]);
    let users = house.import_of("4301", "u2.csv", &users("4302"), "2024-01-31").await;
    assert!(users.rows.iter().all(|r| r.ends_with("other_partner")), "{users:?}");
    let used = usage("4302", "ORD-1", MONTHLY, "2024-01-31", "5.00,USD", "U-1");
    let answer = house.import_one("use.csv", &used, "2024-01-31").await;
    assert_eq!(answer.rows, ["2 rejected order_id order_of_another_partner"]);
}

#[tokio::test]
async fn d16_the_last_file_wins_an_absent_column_keeps_and_an_empty_cell_clears() {
    let mut house = House::open().await;
    let partners = |columns: &str, cells: &str| {
        format!(
            "partner_id,name,account_email,country,currency{columns}\n4301,North,a@north.example,SE,SEK{cells}\n"
        )
    };
    let group = "select coalesce(group_id, '-') || ' ' || coalesce(language, '-') from partner";
    for (columns, cells, expected) in [
        (",group_id,language", ",G-1,sv", "G-1 sv"),
        (",language", ",en", "G-1 en"),
        (",group_id", ",", "- en"),
        ("", "", "- en"),
    ] {
        house.import_one("p.csv", &partners(columns, cells), "2024-01-31").await;
        assert_eq!(house.one::<String>(group).await, expected, "{columns}: {cells}");
    }
}

#[tokio::test]
async fn d16_before_the_first_grant_a_file_corrects_and_after_it_dates_and_amount_are_fixed() {
    let mut house = known().await;
    let order = |starts: &str, ends: &str, amount: &str| {
        (ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", MONTHLY, starts, ends, amount))
            .replace(&format!("{starts},{starts}"), &format!("2024-01-31,{starts}"))
    };
    house.import_one("e2.csv", &order("2024-02-02", "2025-01-30", "90,USD"), "2024-01-31").await;
    house.night("2024-02-02").await;
    assert_eq!(house.ledger().await, ["2024-02-02 granted 90 USD (2024-02-02..2024-03-02)"]);
    let answer =
        house.import_one("e3.csv", &order("2024-02-03", "2025-01-29", "100,USD"), "2024-02-03").await;
    assert_eq!(
        answer.rows,
        ["2 rejected starts_on+expires_on+amount already_granted+already_granted+already_granted"]
    );
    // What is not fixed may still change.
    let subscription = order("2024-02-02", "2025-01-30", "90,USD")
        .replace(",competency\n", ",competency,subscription_id\n")
        .replace(",USD,\n", ",USD,,9f3cba11-5d0c-4f0e-8d27-6f9a4f1d7b10\n");
    let answer = house.import_one("e4.csv", &subscription, "2024-02-03").await;
    assert_eq!(answer.rows, ["2 applied amount differs_from_catalogue"]);
    let versions = "select string_agg(version_no || ' ' || line || ' ' || starts_on, ', ' order by version_no) from entitlement_version";
    assert_eq!(house.one::<String>(versions).await, "1 2 2024-01-31, 2 2 2024-02-02, 3 2 2024-02-02");
}

#[tokio::test]
async fn d5_an_order_whose_start_is_corrected_to_a_later_day_has_not_begun() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-31").await.applied();
    let seats = |starts_on: &str, expires_on: &str| {
        let row = row("4301", "ORD-1", "visual_studio", starts_on, expires_on, ",");
        ENTITLEMENTS.to_owned()
            + &row.replace(&format!("{starts_on},{starts_on}"), &format!("2024-01-31,{starts_on}"))
    };
    house.import_one("a.csv", &seats("2024-02-01", "2025-01-31"), "2024-02-01").await.applied();
    let standing = "select concat_ws(' ', starts_on, anniversary_on, status) from report.membership";
    assert_eq!(house.one::<String>(standing).await, "2024-02-01 2025-02-01 active");
    house.import_one("b.csv", &seats("2024-02-03", "2025-02-02"), "2024-02-01").await.applied();
    assert_eq!(house.one::<String>(standing).await, "2024-02-03 2025-02-03 pending");
    house.nights("2024-02-01", "2024-02-02").await;
    assert_eq!(house.one::<String>(standing).await, "2024-02-03 2025-02-03 pending");
    house.night("2024-02-03").await;
    assert_eq!(house.one::<String>(standing).await, "2024-02-03 2025-02-03 active");
}

#[tokio::test]
async fn d16_no_file_revives_what_is_cancelled_and_the_identical_row_is_unchanged() {
    let mut house = known().await;
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-1", "2024-02-10"), "2024-02-10").await.applied();
    house.night("2024-02-10").await;
    let before = house.state().await;
    let longer = row("4301", "ORD-1", MONTHLY, "2024-01-31", "2026-01-30", "100,USD");
    let answer = house.import_one("e1.csv", &(ENTITLEMENTS.to_owned() + &longer), "2024-02-11").await;
    assert_eq!(answer.rows, ["2 rejected order_id already_ended"]);
    let file = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "100,USD")
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    let answer = house.import_one("e2.csv", &file, "2024-02-11").await;
    assert_eq!(answer.rows, ["2 unchanged", "3 rejected order_id already_ended"]);
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn d16_an_event_s_key_with_other_content_is_a_loud_conflict() {
    let mut house = known().await;
    house.night("2024-02-09").await;
    let used = |amount: &str| usage("4301", "ORD-1", MONTHLY, "2024-02-05", amount, "U-1");
    house.import_one("u1.csv", &used("5.00,USD"), "2024-02-10").await.applied();
    assert_eq!(
        house.import_one("u2.csv", &used("6.00,USD"), "2024-02-10").await.rows,
        ["2 rejected amount conflicts_with_earlier"]
    );
    assert_eq!(
        house.import_one("u3.csv", &(used("5.00,USD") + "\n"), "2024-02-10").await.rows,
        ["2 unchanged"]
    );
    let published = |sek: &str| rates(&[("2024-02-09", "1.0772", sek, "160.97")]);
    house.import_one("r1.csv", &published("11.2745"), "2024-02-10").await.applied();
    assert_eq!(
        house.import_one("r2.csv", &published("11.2746"), "2024-02-10").await.rows,
        ["2 rejected SEK conflicts_with_earlier"]
    );
    let mut renewed = known().await;
    renewed
        .import_one("r1.csv", &renewal("4301", "ORD-1", "2025-02-10", "ORD-2"), "2025-02-10")
        .await
        .applied();
    let other =
        renewed.import_one("r2.csv", &renewal("4301", "ORD-1", "2025-02-10", "ORD-3"), "2025-02-10").await;
    assert_eq!(other.rows, ["2 rejected new_order_id conflicts_with_earlier"]);
}

#[tokio::test]
async fn d12_the_catalogue_fills_what_a_row_leaves_empty_and_warns_about_what_differs() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-31").await.applied();
    let empty = |row: String| row.replace(",core,1,", ",core,,");
    let file = ENTITLEMENTS.to_owned()
        + &empty(row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", ","))
        + &empty(row("4301", "ORD-1", "product_support", "2024-01-31", "2025-01-30", ","))
        + &row("4301", "ORD-1", "advisory_hours", "2024-01-31", "2025-01-30", ",")
            .replace(",core,1,", ",core,25,")
        + &row("4301", "ORD-1", "azure_bulk_credit/cloud_platform", "2024-01-31", "2025-01-30", "7000,USD")
        + &empty(row("4301", "ORD-1", "license_subscription/office_365", "2024-01-31", "2025-01-30", ","));
    let answer = house.import_one("e.csv", &file, "2024-01-31").await;
    insta::assert_snapshot!(answer.rows.join("\n"));
    let filled =
        "select concat_ws(' ', benefit, quantity, amount_minor, currency) from entitlement order by benefit";
    assert_eq!(
        house.lines(filled).await,
        [
            "advisory_hours 25",
            "azure_bulk_credit/cloud_platform 1 700000 USD",
            "azure_monthly_credit 1 10000 USD",
            "product_support 15"
        ]
    );
}

#[tokio::test]
async fn d1_assignments_of_the_future_are_refused_and_of_long_ago_wait_until_the_operator_says_yes() {
    let mut house = known().await;
    house.night("2024-02-18").await;
    let on = |date: &str| assign("4301", "ORD-1", MONTHLY, "assign", "ben", date);
    let future = house.import_one("a1.csv", &on("2024-02-20"), "2024-02-19").await;
    assert_eq!(future.rows, ["2 rejected requested_on requested_in_future"]);
    let eight = house.import_one("a2.csv", &on("2024-02-11"), "2024-02-19").await;
    assert_eq!(eight.rows, ["2 waiting requested_on waits_for_operator"]);
    assert_eq!(house.one::<i64>("select count(*) from assignment").await, 0);
    house.import_backdated("a2.csv", &on("2024-02-11"), "2024-02-20").await.applied();
    assert_eq!(house.lines("select assigned_on::text from assignment").await, ["2024-02-11"]);
    let mut seven = known().await;
    seven.night("2024-02-18").await;
    seven.import_one("a.csv", &on("2024-02-12"), "2024-02-19").await.applied();
}

#[tokio::test]
async fn r1_r2_monthly_credit_takes_any_number_guests_included_and_bulk_one_that_is_never_removed() {
    let mut house = known().await;
    let bulk = "azure_bulk_credit/cloud_platform";
    let order = ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", bulk, "2024-01-31", "2025-01-30", "6000,USD");
    house.import_one("e2.csv", &order, "2024-01-31").await.applied();
    let lines = [
        assign("4301", "ORD-1", MONTHLY, "assign", "BEN", "2024-01-31"),
        "4301,ORD-1,azure_monthly_credit,assign,cleo_other.example#EXT#@p4301.example,ada@p4301.example,2024-01-31\n".to_owned(),
        "4301,ORD-1,azure_monthly_credit,assign,ben@p4301.example,ada@p4301.example,2024-02-01\n".to_owned(),
        format!("4301,ORD-1,{bulk},assign,ben@p4301.example,ada@p4301.example,2024-01-31\n"),
        format!("4301,ORD-1,{bulk},assign,ada@p4301.example,ada@p4301.example,2024-02-01\n"),
        format!("4301,ORD-1,{bulk},remove,ben@p4301.example,ada@p4301.example,2024-02-01\n"),
        "4301,ORD-1,azure_monthly_credit,remove,ben@p4301.example,ada@p4301.example,2024-02-02\n".to_owned(),
        "4301,ORD-1,azure_monthly_credit,assign,nobody@p4301.example,ada@p4301.example,2024-02-02\n".to_owned(),
    ];
    let answer = house.import_one("a.csv", &lines.concat(), "2024-02-02").await;
    assert_eq!(
        answer.rows,
        [
            "2 applied",
            "3 applied",
            "4 rejected user already_assigned",
            "5 applied",
            "6 rejected user bulk_already_assigned",
            "7 rejected action bulk_never_removed",
            "8 applied",
            "9 rejected user unknown_user",
        ]
    );
}

#[tokio::test]
async fn a_file_refused_whole_leaves_nothing_and_is_kept_as_it_was() {
    let house = known().await;
    let before = house.state().await;
    let whole = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",")
        + &row("4301", "ORD-3", "software", "2024-02-01", "2025-01-31", ",");
    let bytes = |text: &str| text.as_bytes().to_vec();
    let files: [(&str, Vec<u8>, &str); 7] = [
        ("unclosed.csv", bytes(&whole.replacen("ORD-3", "\"ORD-3", 1)), "quote"),
        ("after_quote.csv", bytes(&whole.replacen("ORD-3", "\"ORD\"-3", 1)), "quote"),
        ("nul.csv", bytes(&whole.replacen("ORD-3", "ORD\0-3", 1)), "NUL"),
        ("latin.csv", [bytes(&whole), b"4301,\x8fRD\n".to_vec()].concat(), "UTF-8"),
        (
            "twice.csv",
            bytes(&whole.replacen("partner_id,order_id", "partner_id,Partner_ID,order_id", 1)),
            "twice",
        ),
        ("no_order.csv", bytes(&whole.replacen(",order_id", ",orders", 1)), "order_id"),
        ("empty.csv", vec![], "empty"),
    ];
    let inbox = house.dir.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    for (name, bytes, says) in &files {
        let path = house.dir.join(name);
        fs::write(&path, bytes).unwrap();
        let ran = house.run(["--now", "2024-02-01T10:00:00Z", "import", path.to_str().unwrap()]).ended(1);
        assert!(ran.stdout.to_lowercase().contains(&says.to_lowercase()), "{name}: {}", ran.stdout);
        assert_eq!(&fs::read(&path).unwrap(), bytes, "{name} stays as it was");
        assert!(!house.dir.join(&name.replace(".csv", ".result.csv")).exists());
        fs::write(inbox.join(name), bytes).unwrap();
    }
    assert_eq!(house.state().await, before);
    // In the inbox each is put aside with a note that says why, and the night goes on.
    house.night("2024-02-01").await;
    for (name, bytes, says) in &files {
        assert_eq!(&fs::read(inbox.join("refused").join(name)).unwrap(), bytes, "{name}");
        let note = fs::read_to_string(inbox.join("refused").join(name.replace(".csv", ".note.txt"))).unwrap();
        assert!(note.to_lowercase().contains(&says.to_lowercase()) && !inbox.join(name).exists(), "{note}");
    }
    assert_eq!(house.one::<i64>("select count(*) from membership").await, 1);
    assert_eq!(house.one::<i64>("select count(*) from staged_row").await, 0);
}

#[tokio::test]
async fn a_night_takes_in_what_waits_in_the_inbox_first_and_a_partner_s_folder_as_that_partner_s() {
    let mut house = House::open().await;
    let (inbox, own) = (house.dir.join("inbox"), house.dir.join("inbox/4301"));
    house
        .import(&[("p1.csv", &partner("4301", "USD")), ("p2.csv", &partner("4302", "USD"))], "2024-01-30")
        .await;
    fs::create_dir_all(&own).unwrap();
    let file = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30")
        + &row("4302", "ORD-2", "software", "2024-01-31", "2025-01-30", ",");
    fs::write(own.join("e.csv"), &file).unwrap();
    fs::write(inbox.join("u.csv"), users("4301")).unwrap();
    house.night("2024-01-31").await;
    assert_eq!(house.ledger().await.len(), 1, "granted the same night");
    assert!(
        !own.join("e.csv").exists() && !inbox.join("u.csv").exists(),
        "what is answered leaves the inbox"
    );
    let answer = fs::read_to_string(own.join("done/e.result.csv")).unwrap();
    assert!(answer.lines().nth(2).unwrap().contains("rejected,other_partner"), "{answer}");
    assert!(inbox.join("done/u.result.csv").exists());
    let before = house.state().await;
    house.night("2024-01-31").await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn the_files_of_a_partner_are_answered_in_its_language_and_of_nobody_in_particular_in_english() {
    let mut house = House::open().await;
    let partners = "partner_id,name,account_email,country,currency,language\n\
                    4301,Ek,ek@p4301.example,SE,SEK,sv-SE\n4302,Oak,oak@p4302.example,FI,EUR,en\n";
    house.import_one("p.csv", partners, "2024-01-30").await.applied();
    let of = |partner: &str| row(partner, partner, "software", "2024-01-31", "2025-01-30", ",");
    let file = ["4301", "4302", "4399"].map(of).concat();
    let file = ENTITLEMENTS.to_owned() + &file;
    for (partner, says) in [("4301", "Filen tillhör partner 4301"), ("4302", "This file is partner 4302's")]
    {
        let answer = house.import_of(partner, "e.csv", &file, "2024-01-31").await;
        assert!(
            answer.text.contains("rejected,other_partner") && answer.text.contains(says),
            "{}",
            answer.text
        );
    }
    let answer = house.import_one("e.csv", &file, "2024-01-31").await;
    assert!(answer.text.contains("No partner with this ID"), "{}", answer.text);
}

#[tokio::test]
async fn rejected_rows_are_exit_3_a_known_file_exit_0_and_a_missing_one_exit_2() {
    let house = known().await;
    let path = house.dir.join("mixed.csv");
    let good = ENTITLEMENTS.to_owned() + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",");
    let import = |text: &str| {
        fs::write(&path, text).unwrap();
        house.run(["--now", "2024-02-01", "import", path.to_str().unwrap()])
    };
    import(&(good.clone() + "4301,ORD-3\n")).ended(3);
    import(&good).ended(0);
    let known = import(&good).ended(0);
    assert!(known.stdout.contains("before"), "{}", known.stdout);
    house.run(["import", "/nowhere/at-all.csv"]).ended(2);
}

#[tokio::test]
async fn promise_6_a_file_that_would_end_more_than_twenty_waits_for_an_operator_and_ends_nothing() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-31").await.applied();
    let orders = |count: usize, expires_on: &str| {
        let row = |n| row("4301", &format!("ORD-{n}"), "software", "2024-01-31", expires_on, ",");
        ENTITLEMENTS.to_owned() + &(0..count).map(row).collect::<String>()
    };
    house.import_one("e.csv", &orders(40, "2025-01-30"), "2024-01-31").await.applied();
    house.night("2024-02-29").await;
    let before = house.state().await;
    let guarded = house.import_one("short.csv", &orders(21, "2024-02-10"), "2024-03-01").await;
    assert!(guarded.refused.as_ref().is_some_and(|why| why.contains("21 of 40")), "{guarded:?}");
    assert_eq!(house.state().await, before);
    house.import_one("shorter.csv", &orders(20, "2024-02-10"), "2024-03-01").await.applied();
    let nobody = house.import_of("4399", "e.csv", &orders(1, "2025-01-30"), "2024-03-01").await;
    assert!(nobody.refused.as_ref().is_some_and(|why| why.contains("4399")), "{nobody:?}");
}

#[tokio::test]
async fn d3_an_order_that_was_over_before_anybody_knew_of_it_is_taken_in_with_all_its_benefits() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-28").await.applied();
    // In grace through 26 January; the night of the 27th, which would have ended it, is over.
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", MONTHLY, "2022-12-27", "2023-12-26", "100,USD")
        + &row("4301", "ORD-1", "software", "2022-12-27", "2023-12-26", ",");
    house.import_one("e.csv", &order, "2024-01-28").await.applied();
    house.night("2024-01-28").await;
    let stands = "select concat_ws(' ', benefit, ended_on, status) from report.entitlement order by 1";
    assert_eq!(
        house.lines(stands).await,
        ["azure_monthly_credit 2024-01-26 expired", "software 2024-01-26 expired"]
    );
    assert_eq!(house.ledger_of("lapsed").await.len(), 12);
}
