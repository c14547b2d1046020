//! Who may ask for what, and what becomes of assignments, transfers and seats, by date (R1, R2, R4, D9, D12, D14). Every
//! request comes as a file or by the command, decided by the same code.

use crate::{
    cast::{ENTITLEMENTS, assign, partner, users},
    house::House,
};

const HEADER: &str = "partner_id,order_id,benefit,action,user,to_user,requested_by,requested_on\n";

/// A row of an assignments file; users by the part of their name before the `@`.
fn ask(benefit: &str, action: &str, user: &str, to: &str, by: &str, on: &str) -> String {
    let name = |user: &str| if user.is_empty() { String::new() } else { format!("{user}@p4301.example") };
    format!("4301,ORD-1,{benefit},{action},{},{},{},{on}\n", name(user), name(to), name(by))
}

/// The one verdict of a file of one request by Ada.
async fn asks(house: &mut House, benefit: &str, action: &str, user: &str, to: &str, on: &str) -> String {
    let text = HEADER.to_owned() + &ask(benefit, action, user, to, "ada", on);
    house.import_one("asked.csv", &text, on).await.rows.remove(0)
}

/// When the last no becomes a yes.
async fn earliest(house: &House) -> String {
    house
        .one("select coalesce(earliest_on::text, 'never') from decision order by decision_id desc limit 1")
        .await
}

/// The live users of an order's benefit.
async fn holders(house: &House, benefit: &str) -> String {
    let query =
        format!("select coalesce(assigned_to, '') from report.entitlement where benefit = '{benefit}'");
    house.one(&query).await
}

fn more_users() -> String {
    let row = |n: u8, name: &str, enabled: &str, role: &str| {
        format!("4301,id-{n},{name}@p4301.example,member,{enabled},{role}\n")
    };
    let header = "partner_id,object_id,user_principal_name,user_type,enabled,role\n";
    [
        header.to_owned(),
        row(4, "dan", "true", "mpn_partner_admin"),
        row(5, "eve", "true", "admin_agent+user_management_admin"),
        row(6, "fay", "false", "global_admin"),
        row(7, "gus", "true", ""),
    ]
    .concat()
}

/// An order of 31 January 2024 with credit of both kinds and two Visual Studio seats.
async fn bought() -> House {
    let mut house = House::open().await;
    let row = |benefit: &str, quantity: u32, amount: &str| {
        format!("4301,ORD-1,silver,{benefit},core,{quantity},2024-01-31,2024-01-31,2025-01-30,{amount},\n")
    };
    let order = [
        ENTITLEMENTS.to_owned(),
        row("azure_monthly_credit", 1, "100,USD"),
        row("azure_bulk_credit/cloud_platform", 1, "6000,USD"),
        row("visual_studio", 2, ","),
        row("advisory_hours", 20, ","),
    ]
    .concat();
    let (people, more) = (users("4301"), more_users());
    let files =
        [("p.csv", &*partner("4301", "USD")), ("u.csv", &people), ("v.csv", &more), ("e.csv", &order)];
    for answer in house.import(&files, "2024-01-31").await {
        assert!(answer.rows.iter().all(|row| row.contains("applied")), "{answer:#?}");
    }
    house
}

const BULK: &str = "azure_bulk_credit/cloud_platform";
const MONTHLY: &str = "azure_monthly_credit";
const SEATS: &str = "visual_studio";

#[tokio::test]
async fn only_a_global_admin_assigns_and_a_refusal_names_the_role_and_who_holds_it() {
    let mut house = bought().await;
    for by in ["ben", "dan", "eve"] {
        let text = HEADER.to_owned() + &ask(MONTHLY, "assign", "ben", "", by, "2024-02-01");
        let answer = house.import_one("a.csv", &text, "2024-02-01").await;
        assert_eq!(answer.rows, ["2 rejected requested_by role_missing"]);
        assert!(
            answer.text.contains("the role global_admin; at this partner: ada@p4301.example"),
            "{}",
            answer.text
        );
    }
    let disabled = HEADER.to_owned() + &ask(MONTHLY, "assign", "ben", "", "fay", "2024-02-01");
    let answer = house.import_one("a.csv", &disabled, "2024-02-01").await;
    assert_eq!(answer.rows, ["2 rejected requested_by user_disabled"]);
    assert_eq!(asks(&mut house, MONTHLY, "assign", "ben", "", "2024-02-01").await, "2 applied");
    assert_eq!(house.decisions().await.len(), 5, "every yes and every no is on record");
}

#[tokio::test]
async fn r1_guests_are_assigned_to_by_policy_and_a_disabled_or_unknown_user_is_not() {
    let mut house = bought().await;
    let guest = "cleo_other.example#EXT#";
    assert_eq!(asks(&mut house, MONTHLY, "assign", guest, "", "2024-02-01").await, "2 applied");
    let fay = asks(&mut house, MONTHLY, "assign", "fay", "", "2024-02-01").await;
    assert_eq!(fay, "2 rejected user user_disabled");
    let unknown = asks(&mut house, MONTHLY, "assign", "nobody", "", "2024-02-01").await;
    assert_eq!(unknown, "2 rejected user unknown_user");

    let mut strict = bought().await.policy("import_entitlements", "assign_to_guests", "false");
    let refused = asks(&mut strict, MONTHLY, "assign", guest, "", "2024-02-01").await;
    assert_eq!(refused, "2 rejected user guest_not_allowed");
}

#[tokio::test]
async fn a_user_is_found_by_a_name_as_the_directory_writes_it_whatever_its_letters() {
    let mut house = bought().await;
    let header = "partner_id,object_id,user_principal_name,user_type,enabled,role\n";
    let people = header.to_owned() + "4301,O-8,Åsa@p4301.example,member,true,global_admin\n";
    house.import_one("a.csv", &people, "2024-02-01").await.applied();
    assert_eq!(asks(&mut house, MONTHLY, "assign", "Åsa", "", "2024-02-01").await, "2 applied");
    let text = HEADER.to_owned() + &ask(MONTHLY, "assign", "ben", "", "Åsa", "2024-02-02");
    house.import_one("b.csv", &text, "2024-02-02").await.applied();
    let by_object_id = text.replace("Åsa@p4301.example", "O-8").replace("assign", "remove");
    house.import_one("c.csv", &by_object_id, "2024-02-02").await.applied();
    assert_eq!(holders(&house, MONTHLY).await, "Åsa@p4301.example");
}

#[tokio::test]
async fn r2_bulk_credit_is_transferred_within_its_enrolment_year_and_never_removed() {
    let mut house = bought().await;
    assert_eq!(asks(&mut house, BULK, "assign", "ben", "", "2024-02-01").await, "2 applied");
    let other = asks(&mut house, BULK, "assign", "gus", "", "2024-02-02").await;
    assert_eq!(other, "2 rejected user bulk_already_assigned");
    let removed = asks(&mut house, BULK, "remove", "ben", "", "2024-02-02").await;
    assert_eq!(removed, "2 rejected action bulk_never_removed");
    assert_eq!(earliest(&house).await, "never");
    let stranger = asks(&mut house, BULK, "transfer", "gus", "dan", "2024-02-02").await;
    assert_eq!(stranger, "2 rejected user not_assigned");
    let same = asks(&mut house, BULK, "transfer", "ben", "ben", "2024-02-02").await;
    assert_eq!(same, "2 rejected to_user same_user");
    let monthly = asks(&mut house, MONTHLY, "transfer", "ben", "gus", "2024-02-02").await;
    assert_eq!(monthly, "2 rejected action+user not_transferable+not_assigned");
    // Seats have their 90 days, and bulk credit its year; neither is held against the other.
    let seat = asks(&mut house, BULK, "reassign", "ben", "gus", "2024-02-02").await;
    assert_eq!(seat, "2 rejected action not_reassignable");
    let year = asks(&mut house, MONTHLY, "transfer", "ben", "gus", "2025-01-31").await;
    assert_eq!(year, "2 rejected action+user not_transferable+not_assigned");
    // AD is 31 January 2025: the enrolment year ends the day before, the credit itself runs on in grace.
    let late = asks(&mut house, BULK, "transfer", "ben", "gus", "2025-01-31").await;
    assert_eq!(late, "2 rejected requested_on transfer_outside_year");
    assert_eq!(asks(&mut house, BULK, "transfer", "ben", "gus", "2025-01-30").await, "2 applied");
    assert_eq!(holders(&house, BULK).await, "gus@p4301.example");
}

#[tokio::test]
async fn r4_a_seat_is_reassigned_on_day_90_and_not_on_day_89() {
    let mut house = bought().await;
    assert_eq!(asks(&mut house, SEATS, "assign", "ben", "", "2024-01-31").await, "2 applied");
    let early = asks(&mut house, SEATS, "reassign", "ben", "gus", "2024-04-29").await;
    assert_eq!(early, "2 rejected requested_on reassigned_too_early");
    assert_eq!(earliest(&house).await, "2024-04-30");
    assert_eq!(asks(&mut house, SEATS, "reassign", "ben", "gus", "2024-04-30").await, "2 applied");
    assert_eq!(holders(&house, SEATS).await, "gus@p4301.example");
    // By the original clock the seat may be given on at once; a third user has it the same day.
    assert_eq!(asks(&mut house, SEATS, "reassign", "gus", "dan", "2024-04-30").await, "2 applied");
    let monthly = asks(&mut house, MONTHLY, "reassign", "ben", "gus", "2024-04-30").await;
    assert!(monthly.contains("not_reassignable"), "{monthly}");
}

#[tokio::test]
async fn d9_by_the_last_clock_each_assignment_counts_its_own_90_days() {
    let mut house = bought().await.policy("import_entitlements", "reassign_clock", "\"last\"");
    assert_eq!(asks(&mut house, SEATS, "assign", "ben", "", "2024-01-31").await, "2 applied");
    assert_eq!(asks(&mut house, SEATS, "reassign", "ben", "gus", "2024-04-30").await, "2 applied");
    let early = asks(&mut house, SEATS, "reassign", "gus", "dan", "2024-07-28").await;
    assert_eq!(early, "2 rejected requested_on reassigned_too_early");
    assert_eq!(earliest(&house).await, "2024-07-29");
    assert_eq!(asks(&mut house, SEATS, "reassign", "gus", "dan", "2024-07-29").await, "2 applied");
}

#[tokio::test]
async fn d9_removing_does_not_evade_the_90_days_seat_by_seat() {
    let mut house = bought().await;
    for (user, on) in [("ben", "2024-01-31"), ("gus", "2024-02-10")] {
        assert_eq!(asks(&mut house, SEATS, "assign", user, "", on).await, "2 applied");
    }
    let full = asks(&mut house, SEATS, "assign", "dan", "", "2024-02-11").await;
    assert_eq!(full, "2 rejected user no_seat_left");
    assert_eq!(earliest(&house).await, "2024-04-30");
    assert_eq!(asks(&mut house, SEATS, "remove", "gus", "", "2024-02-12").await, "2 applied");
    let freed = asks(&mut house, SEATS, "assign", "dan", "", "2024-02-12").await;
    assert_eq!(freed, "2 rejected user seat_opens_later");
    assert_eq!(earliest(&house).await, "2024-05-10");
    // To its own user it is open at any time.
    assert_eq!(asks(&mut house, SEATS, "assign", "gus", "", "2024-02-20").await, "2 applied");
    assert_eq!(asks(&mut house, SEATS, "remove", "gus", "", "2024-05-01").await, "2 applied");
    let day_89 = asks(&mut house, SEATS, "assign", "dan", "", "2024-05-09").await;
    assert_eq!(day_89, "2 rejected user seat_opens_later");
    assert_eq!(asks(&mut house, SEATS, "assign", "dan", "", "2024-05-10").await, "2 applied");
    assert_eq!(holders(&house, SEATS).await, "ben@p4301.example+dan@p4301.example");
}

#[tokio::test]
async fn d12_seats_are_capped_over_the_group_by_country_and_in_all() {
    let mut house = House::open().await;
    let partners = "partner_id,name,account_email,country,currency,group_id\n\
         4301,One,one@p4301.example,SE,USD,G\n4302,Two,two@p4302.example,SE,USD,G\n";
    let many = |number: &str, count: usize| {
        let people = (0..count).map(|n| {
            format!("{number},id-{n},u{n}@p{number}.example,{}\n", if n == 0 { "global_admin" } else { "" })
        });
        "partner_id,object_id,user_principal_name,role\n".to_owned() + &people.collect::<String>()
    };
    let order = |number: &str, order: &str, quantity: u32| {
        format!("{number},{order},silver,visual_studio,core,{quantity},2024-01-31,2024-01-31,2025-01-30,,,\n")
    };
    // Sixteen and nine are twenty-five, the most that a group with silver only has in a country.
    let orders = ENTITLEMENTS.to_owned() + &order("4301", "ORD-1", 16) + &order("4302", "ORD-2", 9);
    let (one, two) = (many("4301", 20), many("4302", 10));
    let files = [("p.csv", partners), ("1.csv", &one), ("2.csv", &two), ("e.csv", &orders)];
    house.import(&files, "2024-01-31").await;
    let all = |number: &str, order: &str, from: usize, until: usize| {
        let rows = (from..until).map(|n| {
            format!("{number},{order},visual_studio,assign,u{n}@p{number}.example,,u0@p{number}.example,2024-02-01\n")
        });
        HEADER.to_owned() + &rows.collect::<String>()
    };
    let a = house.import_one("a.csv", &all("4301", "ORD-1", 0, 16), "2024-02-01").await;
    let b = house.import_one("b.csv", &all("4302", "ORD-2", 0, 9), "2024-02-01").await;
    assert!(a.rows.iter().chain(&b.rows).all(|row| row.ends_with("applied")), "{a:?} {b:?}");
    // A seat more, were there one, is over the cap: a company that joins the group brings its own.
    let joined =
        "partner_id,name,account_email,country,currency,group_id\n4303,Three,x@p4303.example,SE,USD,\n";
    let third = many("4303", 2);
    let own = ENTITLEMENTS.to_owned() + &order("4303", "ORD-3", 2);
    let files = [("p3.csv", joined), ("3.csv", &*third), ("e3.csv", &own)];
    house.import(&files, "2024-02-02").await;
    let first = house.import_one("c.csv", &all("4303", "ORD-3", 0, 1), "2024-02-02").await;
    assert_eq!(first.rows, ["2 applied"]);
    house.import_one("p3.csv", &joined.replace("USD,\n", "USD,G\n"), "2024-02-03").await.applied();
    let over =
        house.import_one("d.csv", &all("4303", "ORD-3", 1, 2).replace("02-01", "02-03"), "2024-02-03").await;
    assert_eq!(over.rows, ["2 rejected user cap_reached"]);
    assert!(
        over.text.contains("27 Visual Studio seats in SE, where the partner's group may have 25"),
        "{}",
        over.text
    );
}

#[tokio::test]
async fn a_file_of_requests_dropped_twice_and_a_key_with_other_content() {
    let mut house = bought().await;
    let text = HEADER.to_owned()
        + &ask(MONTHLY, "assign", "ben", "", "ada", "2024-02-01")
        + &ask(MONTHLY, "assign", "ben", "", "ada", "2024-02-01")
        + &ask(MONTHLY, "assign", "ben", "", "dan", "2024-02-01")
        + &ask(MONTHLY, "remove", "ben", "", "ada", "2024-02-01")
        + &ask(MONTHLY, "assign", "gus", "", "ada", "2024-02-01");
    let answer = house.import_one("a.csv", &text, "2024-02-01").await;
    assert_eq!(
        answer.rows,
        [
            "2 applied",
            "3 unchanged",
            "4 rejected requested_by conflicts_with_earlier",
            "5 applied",
            "6 applied",
        ]
    );
    let (state, again) = (house.state().await, house.import_one("b.csv", &answer.text, "2024-02-02").await);
    assert_eq!(
        again.rows,
        [
            "2 unchanged",
            "3 unchanged",
            "4 rejected requested_by conflicts_with_earlier",
            "5 unchanged",
            "6 unchanged"
        ]
    );
    assert_eq!(house.state().await, state);
    assert_eq!(holders(&house, MONTHLY).await, "gus@p4301.example");
}

#[tokio::test]
async fn d1_what_waited_and_was_refused_is_asked_for_anew_and_may_be_corrected() {
    let mut house = bought().await;
    let text = HEADER.to_owned()
        + &ask(MONTHLY, "assign", "ben", "", "ada", "2024-02-01")
        + &ask(MONTHLY, "assign", "fay", "", "ada", "2024-02-01");
    // 2 February is seven days before the 9th, and 1 February eight.
    let waits = ["2 waiting requested_on waits_for_operator", "3 waiting requested_on waits_for_operator"];
    assert_eq!(house.import_one("a.csv", &text, "2024-02-09").await.rows, waits);
    let refused = ["2 applied", "3 rejected user user_disabled"];
    assert_eq!(house.import_backdated("b.csv", &text, "2024-02-09").await.rows, refused);
    let again = ["2 unchanged", "3 rejected user user_disabled"];
    assert_eq!(house.import_backdated("c.csv", &text, "2024-02-10").await.rows, again);
    let more = more_users().replace("fay@p4301.example,member,false", "fay@p4301.example,member,true");
    house.import_one("u.csv", &more.replace("mpn_partner_admin", "global_admin"), "2024-02-10").await;
    // It has become possible, and somebody else asks; without the operator it waits again.
    let corrected = HEADER.to_owned() + &ask(MONTHLY, "assign", "fay", "", "dan", "2024-02-01");
    assert_eq!(house.import_one("d.csv", &corrected, "2024-02-10").await.rows, waits[..1]);
    assert_eq!(house.import_backdated("e.csv", &corrected, "2024-02-10").await.rows, ["2 applied"]);
    assert_eq!(holders(&house, MONTHLY).await, "ben@p4301.example+fay@p4301.example");
    let text = text + &ask(MONTHLY, "assign", "fay", "", "dan", "2024-02-01");
    let rows = ["2 unchanged", "3 rejected requested_by conflicts_with_earlier", "4 unchanged"];
    assert_eq!(house.import_backdated("f.csv", &text, "2024-02-10").await.rows, rows);
    let by = "select concat_ws(' ', requested_by, status) from request order by request_no";
    assert_eq!(house.lines(by).await, ["ada@p4301.example accepted", "dan@p4301.example accepted"]);
}

#[tokio::test]
async fn d16_the_same_person_by_another_name_is_the_same_and_another_is_named() {
    let mut house = bought().await;
    assert_eq!(asks(&mut house, BULK, "assign", "ben", "", "2024-02-01").await, "2 applied");
    assert_eq!(asks(&mut house, BULK, "transfer", "ben", "gus", "2024-02-02").await, "2 applied");
    let text = HEADER.to_owned() + &ask(BULK, "transfer", "ben", "gus", "ada", "2024-02-02");
    let by_id = text.replace("gus@p4301.example", "ID-7");
    let ada = "00000000-0000-4000-8000-000000043011";
    let by_id = by_id.replace("ada@p4301.example", ada);
    assert_eq!(house.import_one("b.csv", &by_id, "2024-02-03").await.rows, ["2 unchanged"]);
    let other = HEADER.to_owned() + &ask(BULK, "transfer", "ben", "dan", "ada", "2024-02-02");
    let answer = house.import_one("c.csv", &other, "2024-02-03").await;
    assert_eq!(answer.rows, ["2 rejected to_user conflicts_with_earlier"]);
    assert!(answer.text.contains("“gus@p4301.example” in to_user"), "{}", answer.text);
    // Who asked is renamed, and what is exported still reads as what was asked for.
    let renamed = users("4301").replace(",ada@", ",adele@");
    house.import_one("u2.csv", &renamed, "2024-02-04").await;
    let exported = house.run(["export", "assignments"]).ended(0).stdout;
    assert!(exported.contains(",adele@p4301.example,2024-02-02,"), "{exported}");
    let again = house.import_one("d.csv", &exported, "2024-02-04").await;
    assert_eq!(again.rows, ["2 unchanged", "3 unchanged"]);
}

#[tokio::test]
async fn the_command_asks_as_a_row_does_and_answers_with_every_reason() {
    let mut house = bought().await;
    assert_eq!(asks(&mut house, SEATS, "assign", "ben", "", "2024-01-31").await, "2 applied");
    let request = |house: &House, action: &str, more: &[&str]| {
        let common =
            ["--now", "2024-04-29", "request", action, "--partner-id", "4301", "--order-id", "ORD-1"];
        house.run(common.iter().chain(more))
    };
    let seat = ["--benefit", SEATS, "--user", "ben@p4301.example", "--to-user", "gus@p4301.example"];
    let early = request(&house, "reassign", &seat).ended(3);
    assert_eq!(
        early.stdout,
        "rejected\n  requested_on: reassigned_too_early: The seat was assigned on 2024-01-31 and can be reassigned from \
         2024-04-30 (UTC).\n  When it becomes a yes: from 2024-04-30.\n"
    );
    let credit = ["--benefit", MONTHLY, "--user", "gus@p4301.example"];
    assert_eq!(
        request(&house, "assign", &[&credit[..], &["--dry-run"]].concat()).ended(0).stdout,
        "applied\n"
    );
    assert_eq!(holders(&house, MONTHLY).await, "");
    assert_eq!(request(&house, "assign", &credit).ended(0).stdout, "applied\n");
    assert_eq!(request(&house, "assign", &credit).ended(0).stdout, "unchanged\n");
    assert_eq!(holders(&house, MONTHLY).await, "gus@p4301.example");
    let by = "select requested_by from decision order by decision_id desc limit 1";
    assert_eq!(house.one::<String>(by).await, "operator");
    let ben = request(
        &house,
        "remove",
        &[&credit[..], &["--requested-by", "ben@p4301.example", "--json"]].concat(),
    )
    .ended(3);
    let said: serde_json::Value = serde_json::from_str(&ben.stdout).unwrap();
    assert_eq!(
        (&said["reasons"][0]["code"], &said["earliest"]),
        (&"role_missing".into(), &"once it is corrected".into())
    );
    // In a file that people drop nobody is the operator.
    let file = assign("4301", "ORD-1", MONTHLY, "remove", "gus", "2024-04-29")
        .replace("ada@p4301.example", "operator");
    let answer = house.import_one("o.csv", &file, "2024-04-29").await;
    assert_eq!(answer.rows, ["2 rejected requested_by unknown_user"]);
    request(&house, "assign", &["--benefit", MONTHLY]).ended(2);
}
