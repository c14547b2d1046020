//! `import revert`: what a file did is taken back as long as nothing was built on it, and the store is as one that never took it
//! in; otherwise nothing of it is, and what was built on it is told.

use serde_json::Value;

use crate::{
    cast::{
        ENTITLEMENTS, agreements, assign, cancel, contact, monthly, partner, rates, renewal, row, usage,
        users,
    },
    house::{House, Ran},
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";
const AT: &str = "2024-02-05T10:00:00Z";

fn ran(house: &House, args: &[&str]) -> Ran {
    house.run(["--now", AT].iter().chain(args))
}

fn revert(house: &House, file: &str) -> Ran {
    ran(house, &["import", "revert", file, "--by", "zoe", "--why", "it was another's"])
}

/// A partner with users, a contact, an order of credit and one of software, and rates.
async fn known() -> House {
    let mut house = House::open().await;
    let orders = monthly("4301", "ORD-1", "2024-01-31", "2025-01-30")
        + &row("4301", "ORD-1", "visual_studio", "2024-01-31", "2025-01-30", ",")
        + &row("4301", "ORD-1", "software", "2024-01-31", "2025-01-30", ",");
    let files = [
        ("p0.csv", &*partner("4301", "USD")),
        ("u0.csv", &users("4301")),
        ("c0.csv", &contact("4301", "sv")),
        ("e0.csv", &orders),
    ];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

/// What is there, as it goes out, and what the ledger says.
async fn goes_out(house: &House) -> Vec<String> {
    let mut out = Vec::new();
    for kind in [
        "partners",
        "users",
        "contacts",
        "agreements",
        "entitlements",
        "renewals",
        "credit_usage",
        "assignments",
    ] {
        out.push(ran(house, &["export", kind]).ended(0).stdout);
    }
    for query in [
        "select concat_ws(' ', order_id, offer, purchased_on, starts_on, anniversary_on, status, ended_on) from report.membership
         order by 1",
        "select concat_ws(' ', order_id, benefit, e.last_usable_on, s.next_period_no, s.next_on, s.open_minor)
         from entitlement e join membership using (membership_id) left join credit_schedule s using (entitlement_id) order by 1",
        "select concat_ws(' ', p.number, c.from_on, c.currency) from partner_currency c join partner p using (partner_id) order by 1",
        "select concat_ws(' ', order_id, benefit, tail, seats) from license_key join entitlement using (entitlement_id)
         join membership using (membership_id) order by 1",
        "select concat_ws(' ', kind, request_key, status) from request order by 1",
    ] {
        out.extend(house.lines(query).await);
    }
    out.extend(house.ledger().await);
    out.push(house.digest().await);
    out
}

/// A file of each kind that changes what is known and brings what is not.
fn files() -> Vec<(&'static str, String)> {
    let header = "partner_id,object_id,user_principal_name,user_type,enabled,role\n";
    let ben = "4301,00000000-0000-4000-8000-000000043012,ben@p4301.example,member,false,mpn_partner_admin\n";
    let dan = "4301,00000000-0000-4000-8000-000000043014,dan@p4301.example,member,true,\n";
    let two = |first: String, second: &str| first + second.split_once('\n').unwrap().1;
    vec![
        (
            "partners",
            two(
                partner("4302", "SEK"),
                "partner_id,name,account_email,country,currency\n4301,Renamed,other@p4301.example,SE,SEK\n",
            ),
        ),
        ("users", format!("{header}{ben}{dan}")),
        (
            "users (names)",
            format!(
                "{header}4301,00000000-0000-4000-8000-000000043011,ada.ek@p4301.example,member,true,global_admin\n\
                 4301,00000000-0000-4000-8000-000000043012,ada@p4301.example,member,true,\n\
                 4301,00000000-0000-4000-8000-000000043014,ben@p4301.example,member,true,\n"
            ),
        ),
        ("contacts", contact("4301", "en").replace("marketing@", "news@")),
        ("agreements", agreements("4301", &[("csp", "2024-02-01", "")])),
        (
            "entitlements",
            ENTITLEMENTS.to_owned()
                // Benefits are new in an order, two are changed, and an order is new.
                + &row("4301", "ORD-1", "license_subscription/office_365", "2024-01-31", "2025-01-30", ",")
                + &row("4301", "ORD-1", "visual_studio", "2024-01-31", "2024-12-31", ",")
                + &row("4301", "ORD-1", MONTHLY, "2024-01-31", "2025-01-30", "90,USD")
                + &row("4301", "ORD-2", BULK, "2024-02-01", "2025-01-31", "6000,USD")
                + &row("4301", "ORD-2", "advisory_hours", "2024-02-01", "2025-01-31", ","),
        ),
        (
            "keys",
            "partner_id,order_id,benefit,key,seats\n4301,ORD-1,software,AAAAA-BBBBB-CCCCC,5\n".to_owned(),
        ),
        ("credit_usage", usage("4301", "ORD-1", MONTHLY, "2024-02-01", "7.00,USD", "r-1")),
        ("service_requests", cancel("4301", "SR-1", "ORD-1", "2024-02-02")),
        ("assignments (old)", assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-01-01")),
    ]
}

#[tokio::test]
async fn d16_of_every_kind_a_store_is_as_one_that_never_took_the_file_in_now_and_after_nights() {
    for (kind, text) in files() {
        let (mut house, other) = (known().await, known().await);
        let before = goes_out(&house).await;
        assert_eq!(before, goes_out(&other).await);
        let answer = house.import_one("f.csv", &text, "2024-02-04").await;
        assert!(
            answer.rows.iter().all(|row| row.contains(" applied") || row.contains(" waiting ")),
            "{kind}: {answer:?}"
        );
        let with = goes_out(&house).await;
        assert_ne!(with, before, "{kind}");
        let dry =
            ran(&house, &["import", "revert", "f.csv", "--by", "zoe", "--why", "x", "--dry-run"]).ended(0);
        assert!(
            dry.stdout.contains("Would be taken back") && dry.stdout.contains("nothing was changed"),
            "{dry:?}"
        );
        assert_eq!(goes_out(&house).await, with, "{kind}");
        let told = revert(&house, "f.csv").ended(0).stdout;
        assert!(told.contains("On record: taken back: what f.csv (number"), "{kind}: {told}");
        assert_eq!(goes_out(&house).await, before, "{kind}: {told}");
        let again = revert(&house, "f.csv").ended(0).stdout;
        assert!(
            again.contains("was taken back before on") && again.contains("by zoe: it was another's"),
            "{again}"
        );
        house.night("2024-02-05").await;
        other.night("2024-02-05").await;
        assert_eq!(goes_out(&house).await, goes_out(&other).await, "{kind}");
    }
}

#[tokio::test]
async fn the_same_bytes_are_read_again_and_come_to_what_they_came_to() {
    for (kind, text) in files() {
        let (mut house, mut other) = (known().await, known().await);
        house.import_one("f.csv", &text, "2024-02-04").await;
        revert(&house, "f.csv").ended(0);
        for house in [&mut house, &mut other] {
            let answer = house.import_one("f.csv", &text, "2024-02-05").await;
            assert!(
                !answer.known
                    && answer
                        .rows
                        .iter()
                        .all(|row| [" applied", " waiting "].iter().any(|status| row.contains(status))),
                "{kind}: {answer:?}"
            );
        }
        assert_eq!(goes_out(&house).await, goes_out(&other).await, "{kind}");
        // And taken back once more, as often as it comes.
        revert(&house, "f.csv").ended(0);
        assert_eq!(goes_out(&house).await, goes_out(&known().await).await, "{kind}");
    }
}

#[tokio::test]
async fn d15_usage_that_nights_have_drawn_is_taken_back_by_the_next_one_also_of_a_period_that_has_lapsed() {
    let (mut house, other) = (known().await, known().await);
    let used = usage("4301", "ORD-1", MONTHLY, "2024-02-01", "107.00,USD", "r-1");
    house.import_one("f.csv", &used, "2024-02-02").await.applied();
    for on in ["2024-02-03", "2024-03-05"] {
        house.night(on).await;
        other.night(on).await;
    }
    assert_eq!(house.ledger_of("overage -7 USD").await.len(), 1);
    let told = revert(&house, "f.csv").ended(0).stdout;
    assert!(told.contains("Credit was drawn for 1 of them: the next night takes that back"), "{told}");
    assert_eq!(ran(&house, &["export", "credit_usage"]).ended(0).stdout.lines().count(), 1);
    let entries = house.one::<i64>("select count(*) from transfer").await;
    house.night("2024-03-06").await;
    other.night("2024-03-06").await;
    assert_eq!(house.digest().await, other.digest().await);
    let stands = "select concat_ws(' ', order_id, benefit, balance_minor) from report.balance";
    assert_eq!(house.lines(stands).await, other.lines(stands).await);
    assert!(house.one::<i64>("select count(*) from transfer").await > entries, "history only grows");
    assert!(house.ledger_of("corrects").await.iter().any(|line| line.contains("used")));
    let explained = ran(&house, &["explain", "ORD-1"]).ended(0).stdout;
    assert!(
        explained.contains("taken back by zoe (it was another's); it counts as nothing used"),
        "{explained}"
    );
    // The same reference may come again.
    house.import_one("f.csv", &used, "2024-03-07").await.applied();
    house.night("2024-03-07").await;
    assert_eq!(house.lines("select count(*)::text from credit_usage").await, ["2"]);
    let overage = house.ledger_of("overage").await;
    assert_eq!(overage.len(), 3, "drawn, taken back, and drawn again: {overage:#?}");
}

/// What stands against taking a file back: lines of the refusal.
#[track_caller]
fn refused(house: &House, file: &str) -> Vec<String> {
    let told = revert(house, file).ended(5).stderr;
    let lines = told.lines().filter_map(|line| line.strip_prefix("  ")).map(str::to_owned).collect();
    assert!(told.contains("was taken back, because"), "{told}");
    lines
}

#[tokio::test]
async fn promise_6_what_was_built_on_a_file_keeps_it_and_is_told_with_its_date() {
    let mut house = known().await;
    let order = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-2", MONTHLY, "2024-02-01", "2025-01-31", "100,USD")
        + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",");
    house.import_one("e2.csv", &order, "2024-02-01").await.applied();
    house
        .import_one("a.csv", &assign("4301", "ORD-2", MONTHLY, "assign", "ben", "2024-02-01"), "2024-02-02")
        .await
        .applied();
    let lines = refused(&house, "e2.csv");
    assert_eq!(lines, ["4301 ORD-2/azure_monthly_credit: asked (assign, 2024-02-01)"]);
    house.night("2024-02-02").await;
    let state = house.state().await;
    let lines = refused(&house, "e2.csv");
    assert!(
        lines.contains(&"4301 ORD-2/azure_monthly_credit: booked (credit_granted, 2024-02-01)".to_owned()),
        "{lines:?}"
    );
    let json =
        ran(&house, &["--json", "import", "revert", "e2.csv", "--by", "zoe", "--why", "x"]).ended(5).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["status"], "refused");
    assert!(
        json["hindrances"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["code"] == "booked" && one["on"] == "2024-02-01")
    );
    assert_eq!(house.state().await, state, "nothing of it is taken back");

    // An assignment is taken back by a request of its own.
    assert_eq!(refused(&house, "a.csv"), ["4301 ORD-2/azure_monthly_credit: done (assign, 2024-02-01)"]);
    // Whom something was asked for, or who asked, stays; so does who is the contact.
    let lines = refused(&house, "u0.csv");
    assert!(lines.iter().any(|line| line.starts_with("4301 ben@p4301.example: asked (assign")), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.starts_with("4301 ada@p4301.example: holds (the marketing contact")),
        "{lines:?}"
    );
    // A partner that has anything stays.
    assert_eq!(refused(&house, "p0.csv"), ["4301 4301: holds (orders)"]);

    // A later file's version stands before the earlier one's.
    let (first, second) = (partner("4302", "SEK"), partner("4302", "SEK").replace("Partner 4302", "Renamed"));
    house.import_one("p1.csv", &first, "2024-02-03").await.applied();
    house.import_one("p2.csv", &second, "2024-02-03").await.applied();
    assert_eq!(refused(&house, "p1.csv"), ["4302 4302: later_file (p2.csv, 2024-02-03)"]);
    revert(&house, "p2.csv").ended(0);
    revert(&house, "p1.csv").ended(0);
    assert_eq!(house.lines("select number from partner").await, ["4301"]);
    let told = ran(&house, &["explain", "4302"]).ended(2).stderr;
    assert!(told.contains("nothing here is called '4302' any more"), "{told}");
    let told = ran(&house, &["explain", "partner:4301"]).ended(0).stdout;
    assert!(!told.contains("taken back"), "{told}");
}

#[tokio::test]
async fn r5_a_key_that_was_shown_stays_with_all_of_its_file_and_a_refunded_order_as_well() {
    let mut house = known().await;
    let keys = "partner_id,order_id,benefit,key\n4301,ORD-1,software,AAAAA-BBBBB-CCCCC\n4301,ORD-1,software,AAAAA-BBBBB-DDDDD\n";
    house.import_one("k.csv", keys, "2024-02-01").await.applied();
    let asked = "partner_id,order_id,benefit,action,requested_by,requested_on\n\
                 4301,ORD-1,software,reveal,ada@p4301.example,2024-02-02\n";
    house.import_one("r.csv", asked, "2024-02-02").await.applied();
    assert_eq!(refused(&house, "k.csv"), ["4301 K1: key_out (revealed, 2024-02-02)"]);
    assert_eq!(refused(&house, "r.csv"), ["4301 ORD-1/software: done (reveal, 2024-02-02)"]);
    let orders = monthly("4301", "ORD-3", "2024-02-01", "2025-01-31");
    house.import_one("e3.csv", &orders, "2024-02-01").await.applied();
    house.import_one("c.csv", &cancel("4301", "SR-1", "ORD-3", "2024-02-02"), "2024-02-02").await.applied();
    assert_eq!(refused(&house, "e3.csv"), ["4301 ORD-3/azure_monthly_credit: asked (cancel, 2024-02-02)"]);
    house.night("2024-02-02").await;
    assert_eq!(refused(&house, "c.csv"), ["4301 ORD-3: done (cancel, 2024-02-02)"]);
    let lines = refused(&house, "e3.csv");
    assert!(lines.iter().any(|line| line.contains("by_night (cancelled")), "{lines:?}");
}

#[tokio::test]
async fn d12_silver_that_gold_was_decided_beside_stays_and_silver_that_nothing_was_decided_beside_goes() {
    let gold = ENTITLEMENTS.to_owned()
        + "4301,GOLD-1,gold,azure_monthly_credit,core,1,2024-02-01,2024-02-01,2025-01-31,150,USD,\n";
    let silver = monthly("4301", "SILVER-1", "2024-02-01", "2025-01-31");
    let (mut house, mut other) = (House::open().await, House::open().await);
    for house in [&mut house, &mut other] {
        house.import_one("p.csv", &partner("4301", "USD"), "2024-02-01").await.applied();
        house.import_one("g.csv", &gold, "2024-02-01").await;
    }
    house.import_one("s.csv", &silver, "2024-02-01").await.applied();
    revert(&house, "s.csv").ended(0);
    house.night("2024-02-02").await;
    other.night("2024-02-02").await;
    assert_eq!(house.digest().await, other.digest().await);
    house.import_one("s.csv", &silver, "2024-02-03").await.applied();
    house.night("2024-02-03").await;
    let lines = refused(&house, "s.csv");
    assert!(lines.iter().any(|line| line.contains("beside (GOLD-1/azure_monthly_credit")), "{lines:?}");
}

#[tokio::test]
async fn a_file_goes_by_its_name_its_number_or_its_sum_and_files_and_explain_tell_what_was_taken_back() {
    let mut house = known().await;
    let (first, second) = (partner("4302", "SEK"), partner("4303", "SEK"));
    house.import_one("p.csv", &first, "2024-02-01").await.applied();
    house.import_one("p.csv", &second, "2024-02-02").await.applied();
    let told = revert(&house, "p.csv").ended(2).stderr;
    assert!(told.contains("several files are called 'p.csv'; name one by its number:"), "{told}");
    let numbers = house.lines("select file_id::text from file where name = 'p.csv' order by file_id").await;
    assert!(numbers.iter().all(|number| told.contains(&format!("\n  {number}  2"))), "{told}");
    revert(&house, &numbers[0]).ended(0);
    assert_eq!(house.lines("select number from partner order by 1").await, ["4301", "4303"]);
    let sum = house
        .one::<String>("select left(sha256, 12) from file where name = 'p.csv' order by file_id desc")
        .await;
    let listed = ran(&house, &["files", "p.csv"]).ended(0).stdout;
    assert!(listed.contains(&format!("number {}, SHA-256 {sum}", numbers[1])), "{listed}");
    assert!(listed.contains("taken back on 2024-02-05 by zoe: it was another's"), "{listed}");
    let order = monthly("4301", "ORD-7", "2024-02-01", "2025-01-31");
    house.import_one("e7.csv", &order, "2024-02-02").await.applied();
    revert(&house, "e7.csv").ended(0);
    let told = ran(&house, &["explain", "ORD-7"]).ended(2).stderr;
    let expected = "nothing here is called 'ORD-7' any more:\n  2024-02-05 order of 4301, e7.csv: taken back by zoe (it was another's)";
    assert!(told.contains(expected), "{told}");
    let told = ran(&house, &["explain", "4301"]).ended(0).stdout;
    assert!(
        told.contains("e7.csv line 2: taken back by zoe (it was another's); it is not there any more"),
        "{told}"
    );
    revert(&house, "nothing.csv").ended(1);
    revert(&house, &sum).ended(0);
    assert_eq!(house.lines("select number from partner").await, ["4301"]);
    let recorded = "select concat_ws(' ', action, by, why, business_on) from operator_action";
    assert_eq!(house.lines(recorded).await, vec!["revert_file zoe it was another's 2024-02-05"; 3]);
}

#[tokio::test]
async fn what_is_kept_of_what_was_taken_back_names_people_by_number() {
    let names = "@|Renamed|Partner 43|\\+46";
    for (kind, text) in files() {
        let mut house = known().await;
        house.import_one("f.csv", &text, "2024-02-04").await;
        revert(&house, "f.csv").ended(0);
        let kept: i64 = house.one("select count(*) from taken_back").await;
        assert!(kept > 0, "{kind}");
        let query = format!(
            "select concat_ws(' ', subject, said, stands) from taken_back
             where concat_ws(' ', subject, said, stands) ~ '{names}'"
        );
        assert_eq!(house.lines(&query).await, [""; 0], "{kind}");
    }
    // They are told by the names that they have now.
    let mut house = known().await;
    let users = "partner_id,object_id,user_principal_name,user_type,enabled,role\n\
        4301,00000000-0000-4000-8000-000000043012,ben@p4301.example,member,false,mpn_partner_admin\n";
    house.import_one("u.csv", users, "2024-02-04").await.applied();
    revert(&house, "u.csv").ended(0);
    let told = ran(&house, &["explain", "ben@p4301.example"]).ended(0).stdout;
    assert!(told.contains("user ben@p4301.example, u.csv: taken back by zoe"), "{told}");
}

#[tokio::test]
async fn a_file_that_said_the_same_later_is_named_and_can_be_dropped_again() {
    let mut house = known().await;
    let order = monthly("4301", "ORD-2", "2024-02-01", "2025-01-31");
    let also = order.clone() + &row("4301", "ORD-3", "software", "2024-02-01", "2025-01-31", ",");
    house.import_one("e2.csv", &order, "2024-02-01").await.applied();
    assert_eq!(
        house.import_one("e3.csv", &also, "2024-02-02").await.rows,
        ["2 unchanged amount differs_from_catalogue", "3 applied"]
    );
    let told = revert(&house, "e2.csv").ended(0).stdout;
    assert!(told.contains("import again what still holds: e3.csv"), "{told}");
    let again = house.import_one("e3.csv", &also, "2024-02-03").await;
    assert_eq!(again.rows, ["2 applied amount differs_from_catalogue", "3 unchanged"]);
}

#[tokio::test]
async fn d16_an_order_s_year_moves_back_unless_something_was_booked_by_it() {
    let early = |benefit: &str, on: &str, amount: &str| {
        format!("{ENTITLEMENTS}4301,ORD-8,silver,{benefit},core,1,2024-01-10,{on},2025-01-09,{amount},\n")
    };
    let (mut house, mut other) = (known().await, known().await);
    for house in [&mut house, &mut other] {
        let order = early(MONTHLY, "2024-01-31", "100,USD");
        house.import_one("e8.csv", &order, "2024-01-31").await;
    }
    let before = goes_out(&house).await;
    let moves = early("software", "2024-01-15", ",");
    house.import_one("m.csv", &moves, "2024-01-31").await.applied();
    let year = "select concat_ws(' ', starts_on, anniversary_on) from membership where order_id = 'ORD-8'";
    assert_eq!(house.lines(year).await, ["2024-01-15 2025-01-15"]);
    revert(&house, "m.csv").ended(0);
    assert_eq!(goes_out(&house).await, before);
    house.night("2024-01-31").await;
    other.night("2024-01-31").await;
    assert_eq!(goes_out(&house).await, goes_out(&other).await);
    house.import_one("m.csv", &moves, "2024-02-01").await.applied();
    house.night("2024-03-01").await;
    let lines = refused(&house, "m.csv");
    assert!(
        lines.iter().any(|line| line.starts_with("4301 ORD-8/azure_monthly_credit: booked (credit")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn what_an_earlier_version_took_in_is_not_taken_back_where_it_is_not_known_how_things_stood() {
    let mut house = known().await;
    house.import_one("p2.csv", &partner("4302", "SEK"), "2024-02-01").await.applied();
    sqlx::query("update file set keeps_changes = false where name = 'p2.csv'")
        .execute(&house.owner)
        .await
        .unwrap();
    assert_eq!(refused(&house, "p2.csv"), ["p2.csv: not_kept (how things stood before it)"]);
    // Nor what came before it, which it may have changed.
    assert!(refused(&house, "p0.csv")[0].contains("not_kept"));
    let order = monthly("4301", "ORD-2", "2024-02-01", "2025-01-31");
    house.import_one("e2.csv", &order, "2024-02-01").await.applied();
    sqlx::query("update file set keeps_changes = false").execute(&house.owner).await.unwrap();
    revert(&house, "e2.csv").ended(0);
}

#[tokio::test]
async fn d4_a_file_of_rates_goes_as_with_rates_revert_and_a_renewal_until_it_is_decided() {
    let mut house = known().await;
    house.import_one("sek.csv", &partner("4305", "SEK"), "2024-01-31").await.applied();
    house
        .import_one("esek.csv", &monthly("4305", "ORD-S", "2024-01-31", "2025-01-30"), "2024-01-31")
        .await
        .applied();
    let text = rates(&[("2024-01-31", "1.0837", "11.2682", "160.19")]);
    house.import_one("r.csv", &text, "2024-01-31").await.applied();
    revert(&house, "r.csv").ended(0);
    assert_eq!(house.one::<i64>("select count(*) from reference_rate").await, 0);
    revert(&house, "r.csv").ended(0);
    house.import_one("r.csv", &text, "2024-02-01").await.applied();
    house.night("2024-01-31").await;
    let told = revert(&house, "r.csv").ended(5).stderr;
    assert!(told.contains("4305 ORD-S/azure_monthly_credit: the period from 2024-01-31"), "{told}");

    house.night("2025-01-30").await;
    let renewed = renewal("4301", "ORD-1", "2025-01-31", "ORD-9");
    house.import_one("n.csv", &renewed, "2025-01-31").await.applied();
    revert(&house, "n.csv").ended(0);
    assert_eq!(house.one::<i64>("select count(*) from request").await, 0);
    house.import_one("n.csv", &renewed, "2025-01-31").await.applied();
    house.night("2025-01-31").await;
    assert_eq!(refused(&house, "n.csv"), ["4301 ORD-1: done (renew, 2025-01-31)"]);
}

#[tokio::test]
async fn what_arrived_was_taken_back_and_arrived_again_on_one_day_is_told_in_that_order() {
    let mut house = known().await;
    let of = |name: &str, amount: &str| {
        (
            name.to_owned(),
            ENTITLEMENTS.to_owned() + &row("4301", "ORD-1", BULK, "2024-01-31", "2025-01-30", amount),
        )
    };
    for (name, text) in [of("first.csv", "6000,USD"), of("second.csv", "7000,USD")] {
        house.import_one(&name, &text, "2024-02-05").await.applied();
        revert(&house, &name).ended(0);
    }
    let (name, text) = of("third.csv", "8000,USD");
    house.import_one(&name, &text, "2024-02-05").await.applied();
    let told = ran(&house, &["--json", "explain", "ORD-1"]).ended(0).stdout;
    let story: Value = serde_json::from_str(&told).unwrap();
    let events = story["events"].as_array().unwrap().iter();
    let of_day: Vec<String> = events
        .filter(|event| event["on"] == "2024-02-05")
        .map(|event| {
            let says = event["says"][0].as_str().unwrap();
            format!("{} {}", event["what"].as_str().unwrap(), says.split(' ').next().unwrap())
        })
        .collect();
    assert_eq!(of_day, ["taken back first.csv", "taken back second.csv", "arrived third.csv"], "{told}");
}
