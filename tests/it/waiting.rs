//! What waits for an operator: named one by one, let in or refused by name, on record (D1). Whatever is let in takes effect
//! once, by the same rules as a row of a file that the operator lets in.

use std::process::Stdio;

use serde_json::Value;

use crate::{
    cast::{ENTITLEMENTS, assign, cancel, contact, partner, row, users},
    house::{House, Ran},
};

const MONTHLY: &str = "azure_monthly_credit";
const TICKETS: &str = "partner_id,request_id,kind,requested_by,requested_on,order_id,product,hours,note\n";

/// An order of 31 January 2024 with a benefit of every kind that can be asked for.
async fn bought() -> House {
    let mut house = House::open().await;
    let benefits = ["azure_monthly_credit", "software", "license_subscription/office_365", "advisory_hours"];
    let amount = |benefit: &str| if benefit == MONTHLY { "100,USD" } else { "," };
    let rows = benefits.map(|of| row("4301", "ORD-1", of, "2024-01-31", "2025-01-30", amount(of)));
    let order =
        ENTITLEMENTS.to_owned() + &rows.concat().replace("advisory_hours,core,1", "advisory_hours,core,20");
    let keys = "partner_id,order_id,benefit,key,seats,months\n\
                4301,ORD-1,software,AAAAA-11111-BBBBB-22222-CCCCC,,\n\
                4301,ORD-1,license_subscription/office_365,DDDDD-33333-EEEEE-44444-FFFFF,25,12\n";
    let partners = "partner_id,name,account_email,country,currency,tenant_id\n\
                    4301,Partner 4301,accounts@p4301.example,US,USD,11111111-2222-4333-8444-555555555555\n";
    let (people, contact) = (users("4301"), contact("4301", "en"));
    let files =
        [("p.csv", partners), ("u.csv", &*people), ("c.csv", &*contact), ("e.csv", &*order), ("k.csv", keys)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

/// A command of 20 February 2024.
fn ran(house: &House, args: &[&str]) -> Ran {
    house.run(["--now", "2024-02-20T09:00:00Z"].iter().chain(args))
}

fn listed(house: &House, more: &[&str]) -> Vec<Value> {
    let told = ran(house, &[&["--json", "requests", "list"], more].concat()).ended(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    told["requests"].as_array().unwrap().clone()
}

async fn holders(house: &House) -> String {
    house
        .one(
            "select coalesce(assigned_to, '') from report.entitlement where benefit = 'azure_monthly_credit'",
        )
        .await
}

async fn recorded(house: &House) -> Vec<String> {
    house.lines("select concat_ws(' ', subject, action, by, why, business_on) from operator_action order by action_id").await
}

const BY: [&str; 2] = ["--by", "zoe"];

#[tokio::test]
async fn d1_a_row_that_waits_is_answered_so_with_exit_3_counted_by_itself_and_listed() {
    let house = bought().await;
    let text = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-05");
    let more = assign("4301", "ORD-1", MONTHLY, "assign", "ada", "2024-02-19");
    let text = text + more.split_once('\n').unwrap().1;
    let path = house.dir.join("late.csv");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    for (nth, applied, unchanged) in [(0, 1, 0), (1, 0, 1)] {
        let told = ran(&house, &["import", path]).ended(3).stdout;
        let counted =
            format!("{applied} applied, {unchanged} unchanged, 0 rejected, 1 waiting for an operator");
        assert!(told.contains(&counted), "{told}");
        let nth = if nth == 0 { String::new() } else { ".2".to_owned() };
        let answer = std::fs::read_to_string(house.dir.join(&format!("late{nth}.result.csv"))).unwrap();
        assert!(answer.lines().nth(1).unwrap().contains(",waiting,waits_for_operator,"), "{answer}");
    }
    let listed = ran(&house, &["files", "late"]).ended(0).stdout;
    assert!(
        listed.contains("partly   late.csv") && listed.contains("benefactor requests lists them"),
        "{listed}"
    );
    assert_eq!(
        house.lines("select concat_ws(' ', applied, unchanged, rejected, waiting) from report.file where name = 'late.csv'
                     order by received_at").await,
        ["1 0 0 1", "0 1 0 1"]
    );
    let id = house.one::<i64>("select request_no from request where status = 'waiting'").await.to_string();
    // Who is logged in is who does it, where no --by says otherwise.
    let mut command = house.command(["--now", "2024-02-20T10:00:00Z", "requests", "admit", &id]);
    Ran::of(command.env("LOGNAME", "ulla")).ended(0);
    assert_eq!(house.lines("select by from operator_action").await, ["ulla"]);
    let told = ran(&house, &["import", path]).ended(0).stdout;
    assert!(told.contains("taken in before") || told.contains("2 unchanged, 0 rejected"), "{told}");
}

#[tokio::test]
async fn d1_what_waits_is_listed_by_name_and_let_in_once_as_the_file_would_let_it_in() {
    let late = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-05");
    let mut by_file = bought().await;
    by_file.import_one("late.csv", &late, "2024-02-19").await.applied();
    assert_eq!(by_file.import_backdated("late.csv", &late, "2024-02-20").await.rows, ["2 applied"]);

    let mut house = bought().await;
    let waits = house.import_one("late.csv", &late, "2024-02-19").await;
    assert_eq!(waits.rows, ["2 waiting requested_on waits_for_operator"]);
    let one = listed(&house, &["--partner", "4301"]).remove(0);
    let named = |column: &str| one[column].as_str().unwrap_or_default().to_owned();
    let (partner, order, benefit, action) =
        (named("partner_id"), named("order_id"), named("benefit"), named("action"));
    assert_eq!([&*partner, &*order, &*benefit, &*action], ["4301", "ORD-1", MONTHLY, "assign"]);
    assert_eq!([named("requested_on"), named("received_on")], ["2024-02-05", "2024-02-19"]);
    assert_eq!(
        (named("file"), &one["line"], named("user")),
        ("late.csv".into(), &2.into(), "ben@p4301.example".into())
    );
    assert_eq!(named("reason_code"), "waits_for_operator");
    assert_eq!(listed(&house, &["--partner", "4302"]).len(), 0);
    let id = one["id"].to_string();
    let told = ran(&house, &["requests"]).ended(0).stdout;
    let line = format!(
        "  {id}  4301  ORD-1/azure_monthly_credit  assign ben@p4301.example, by ada@p4301.example of 2024-02-05  \
         (late.csv line 2, 2024-02-19)"
    );
    assert!(told.contains(&line) && told.contains("benefactor requests admit ID"), "{told}");
    let status = ran(&house, &["status"]).stdout;
    assert!(
        status.contains("1 request (the oldest of 2024-02-05) for the operator: `benefactor requests`"),
        "{status}"
    );
    assert!(
        ran(&house, &["benefits", "--partner", "4301"])
            .stdout
            .contains("assign ben@p4301.example of ORD-1/azure")
    );

    // Who does it must be known: by the flag, or who is logged in.
    let unnamed = ran(&house, &["requests", "admit", &id]).ended(2).stderr;
    assert!(unnamed.contains("--by"), "{unnamed}");
    let admitted =
        ran(&house, &[&["requests", "admit", &id][..], &BY, &["--reason", "it is so"]].concat()).ended(0);
    assert_eq!(admitted.stdout, format!("{id}: let in, and accepted\n"));
    assert_eq!(recorded(&house).await, [format!("request {id} admit_request zoe it is so 2024-02-20")]);
    let state = house.state().await;
    let again = ran(&house, &[&["requests", "admit", &id][..], &BY].concat()).ended(1);
    assert!(again.stderr.contains(&format!("request {id} does not wait: it is accepted")), "{again:?}");
    ran(&house, &[&["requests", "admit", "99"][..], &BY].concat()).ended(1);
    assert_eq!(house.import_one("again.csv", &format!("{late}\n"), "2024-02-20").await.rows, ["2 unchanged"]);
    assert!(house.import_one("late.csv", &late, "2024-02-20").await.known);
    assert_eq!(house.state().await, state);
    let explained = ran(&house, &["explain", "ORD-1"]).ended(0).stdout;
    assert!(explained.contains("of 2024-02-05, let in by zoe: it is so"), "{explained}");
    assert_eq!(ran(&house, &["requests"]).ended(0).stdout, "nothing waits for an operator\n");

    let given = "select concat_ws(' ', assigned_on, removed_on, request_no is not null) from assignment";
    let decided =
        "select concat_ws(' ', action, subject, outcome, requested_by, decided_on, content) from decision";
    for query in [given, decided] {
        assert_eq!(house.lines(query).await, by_file.lines(query).await);
    }
    for house in [&house, &by_file] {
        house.night("2024-02-29").await;
    }
    assert_eq!(holders(&house).await, "ben@p4301.example");
    assert_eq!(house.digest().await, by_file.digest().await);
}

/// One request of every kind of file, all dated 5 February.
fn of_every_kind() -> [(&'static str, String); 4] {
    let on = "2024-02-05";
    let keys = "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode\n";
    let key = |benefit: &str, action: &str, more: &str| {
        format!("4301,ORD-1,{benefit},{action},ada@p4301.example,{on},{more}\n")
    };
    let ticket =
        |id: &str, kind: &str, more: &str| format!("4301,{id},{kind},ben@p4301.example,{on},{more}\n");
    [
        ("assign.csv", assign("4301", "ORD-1", MONTHLY, "assign", "ben", on)),
        (
            "keys.csv",
            keys.to_owned()
                + &key("software", "reveal", ",,")
                + &key("license_subscription/office_365", "redeem", "K2,,new"),
        ),
        (
            "activate.csv",
            "partner_id,order_id,benefit,requested_by,requested_on\n".to_owned()
                + &format!("4301,ORD-1,software,ada@p4301.example,{on}\n"),
        ),
        (
            "ask.csv",
            TICKETS.to_owned()
                + &ticket("H-1", "advisory_hours", ",Deskside 365,1.25,a note")
                + &ticket("H-2", "advisory_hours", "ORD-1,,0.5,"),
        ),
    ]
}

#[tokio::test]
async fn d1_a_request_of_every_kind_is_let_in_by_name_as_by_its_file() {
    let files = of_every_kind();
    let mut told = Vec::new();
    for by_name in [false, true] {
        let mut house = bought().await;
        for (name, text) in &files {
            let answer = house.import_one(name, text, "2024-02-19").await;
            assert!(answer.rows.iter().all(|row| row.contains("waits_for_operator")), "{answer:?}");
        }
        if by_name {
            let ids: Vec<String> = listed(&house, &[]).iter().map(|one| one["id"].to_string()).collect();
            assert_eq!(ids.len(), 6);
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let admitted = ran(&house, &[&["requests", "admit"][..], &ids, &BY].concat()).ended(0);
            assert_eq!(admitted.stdout.matches("let in, and accepted").count(), 6, "{admitted:?}");
        } else {
            for (name, text) in &files {
                house.import_backdated(name, text, "2024-02-20").await;
            }
        }
        let mut stands = house.decisions().await;
        for query in [
            "select concat_ws(' ', benefit, status, assigned_to, subscription_ends_on) from report.entitlement order by 1",
            "select concat_ws(' ', entry_id is null, benefit, kind, amount_minor) from report.ledger order by 1",
            "select concat_ws(' ', key_id, revealed_on, revealed_by) from key_reveal order by 1",
            "select concat_ws(' ', kind, requested_by, requested_on, status, content) from request order by request_no",
            "select content::text from decision order by decision_id",
            "select concat_ws(' ', event, used_on, used_by) from benefit_use order by 1",
        ] {
            stands.extend(house.lines(query).await);
        }
        house.night("2024-02-29").await;
        stands.push(house.digest().await);
        told.push(stands);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn d1_what_the_operator_refuses_is_decided_says_so_and_does_not_wait_again() {
    let mut house = bought().await;
    let late = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-05");
    house.import_one("late.csv", &late, "2024-02-19").await;
    let id = listed(&house, &[])[0]["id"].to_string();
    ran(&house, &[&["requests", "refuse", &id][..], &BY].concat()).ended(2);
    let refuse = [&["requests", "refuse", &id][..], &BY, &["--why", "nobody confirms it"]].concat();
    assert_eq!(ran(&house, &refuse).ended(0).stdout, format!("{id}: refused, on record\n"));
    assert!(ran(&house, &refuse).ended(1).stderr.contains("it is refused by zoe: nobody confirms it"));
    assert_eq!(
        recorded(&house).await,
        [format!("request {id} refuse_request zoe nobody confirms it 2024-02-20")]
    );
    assert_eq!(house.decisions().await, ["assign ORD-1/azure_monthly_credit refused refused_by_operator"]);
    assert_eq!(house.lines("select decided_on::text from decision").await, ["2024-02-20"]);
    let sentence = "The operator refused this request; zoe says: “nobody confirms it”.";
    for args in [&["explain", "ORD-1"][..], &["benefits", "--partner", "4301"]] {
        let told = ran(&house, args).ended(0).stdout;
        assert!(told.contains(sentence), "{told}");
    }
    assert!(ran(&house, &["status"]).stdout.contains("nothing waits"));
    // In the same file, in another, and in one that lets all in: it says so, and nothing changes.
    let state = house.state().await;
    for (name, text) in
        [("late.csv", late.clone()), ("other.csv", format!("{late}\n")), ("late.csv", late.clone())]
    {
        let answer = house.import_one(name, &text, "2024-02-21").await;
        assert_eq!(answer.rows, ["2 rejected refused_by_operator"]);
        assert!(answer.text.contains("nobody confirms it"), "{}", answer.text);
    }
    let forced = house.import_backdated("late.csv", &late, "2024-02-21").await;
    assert_eq!(forced.rows, ["2 rejected refused_by_operator"]);
    assert_eq!(house.state().await, state);
    house.night("2024-02-21").await;
    assert_eq!(holders(&house).await, "");
    // By somebody else it is asked for anew, and waits again.
    let users =
        users("4301").replace("ben@p4301.example,member,true,", "ben@p4301.example,member,true,global_admin");
    house.import_one("u2.csv", &users, "2024-02-22").await;
    let other = late.replace("ada@p4301.example", "ben@p4301.example");
    let answer = house.import_one("ben.csv", &other, "2024-02-22").await;
    assert_eq!(answer.rows, ["2 waiting requested_on waits_for_operator"]);
    assert_eq!(listed(&house, &[])[0]["requested_by"], "ben@p4301.example");
    ran(&house, &refuse).ended(0);
    // The operator thinks better of it.
    ran(&house, &[&["requests", "admit", &id][..], &BY].concat()).ended(0);
    assert_eq!(holders(&house).await, "ben@p4301.example");
    assert_eq!(house.import_one("ben2.csv", &format!("{other}\n"), "2024-02-22").await.rows, ["2 unchanged"]);
}

#[tokio::test]
async fn d1_what_is_let_in_may_be_refused_by_the_rules_and_is_then_asked_for_anew() {
    let mut house = bought().await;
    let late = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-05");
    house.import_one("late.csv", &late, "2024-02-19").await;
    let disabled = users("4301").replace("ben@p4301.example,member,true", "ben@p4301.example,member,false");
    house.import_one("u2.csv", &disabled, "2024-02-19").await;
    let id = listed(&house, &[])[0]["id"].to_string();
    let admit = [&["--json", "requests", "admit", &id][..], &BY].concat();
    let told: Value = serde_json::from_str(&ran(&house, &admit).ended(3).stdout).unwrap();
    assert_eq!(told["admitted"][0]["status"], "refused");
    assert_eq!(told["admitted"][0]["reasons"][0]["code"], "user_disabled");
    assert!(ran(&house, &admit).ended(1).stderr.contains("does not wait: it is refused"));
    assert_eq!(house.decisions().await, ["assign ORD-1/azure_monthly_credit refused user_disabled"]);
    house.import_one("u3.csv", &users("4301"), "2024-02-19").await;
    let anew = house.import_one("late.csv", &late, "2024-02-20").await;
    assert_eq!(anew.rows, ["2 waiting requested_on waits_for_operator"]);
    ran(&house, &admit).ended(0);
    assert_eq!(holders(&house).await, "ben@p4301.example");
}

#[tokio::test]
async fn d7_a_cancellation_that_waits_freezes_until_it_is_let_in_to_its_night_or_refused() {
    let asked = cancel("4301", "SR-1", "ORD-1", "2024-02-05");
    let mut house = bought().await;
    house.import_one("c.csv", &asked, "2024-02-19").await.applied();
    house.night("2024-02-19").await;
    let id = listed(&house, &[])[0]["id"].to_string();
    let admitted = ran(&house, &[&["requests", "admit", &id][..], &BY].concat()).ended(0).stdout;
    assert!(
        admitted.contains("let in, and a night decides it") && admitted.contains("decided_at_night"),
        "{admitted}"
    );
    let again =
        ran(&house, &[&["requests", "refuse", &id][..], &BY, &["--why", "late"]].concat()).ended(1).stderr;
    assert!(again.contains("it is let in, and a night decides it"), "{again}");
    for _ in 0..2 {
        house.night("2024-02-20").await;
        assert_eq!(house.decisions().await, ["cancel ORD-1 accepted"]);
    }

    let mut house = bought().await;
    house.import_one("c.csv", &asked, "2024-02-19").await.applied();
    let activate = "partner_id,order_id,benefit,requested_by,requested_on\n4301,ORD-1,software,ada@p4301.example,2024-02-19\n";
    assert_eq!(
        house.import_one("a.csv", activate, "2024-02-19").await.rows,
        ["2 rejected order_id order_frozen"]
    );
    let id = listed(&house, &[])[0]["id"].to_string();
    ran(&house, &[&["requests", "refuse", &id][..], &BY, &["--why", "they withdrew it"]].concat()).ended(0);
    house.import_one("a2.csv", activate, "2024-02-20").await.applied();
    for _ in 0..2 {
        house.night("2024-02-21").await;
    }
    let letters = house.letters().await;
    let told: Vec<_> = letters.iter().filter(|letter| letter.contains("cancellation_refused")).collect();
    assert_eq!(told.len(), 1, "{letters:?}");
    let explained = ran(&house, &["explain", "request:SR-1"]).ended(0).stdout;
    assert!(explained.contains("they withdrew it"), "{explained}");
}

#[tokio::test]
async fn d1_of_two_operators_at_once_one_lets_it_in_and_the_other_is_told() {
    let mut house = bought().await;
    house
        .import_one(
            "late.csv",
            &assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-05"),
            "2024-02-19",
        )
        .await;
    let id = listed(&house, &[])[0]["id"].to_string();
    let admit = || {
        let args = [&["--now", "2024-02-20", "requests", "admit", &id][..], &BY].concat();
        house.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let asking = [admit(), admit(), admit()];
    let mut codes: Vec<i32> = asking.map(|mut asked| asked.wait().unwrap().code().unwrap()).to_vec();
    codes.sort_unstable();
    assert_eq!(codes, [0, 1, 1]);
    assert_eq!(house.decisions().await, ["assign ORD-1/azure_monthly_credit accepted"]);
    assert_eq!(house.one::<i64>("select count(*) from assignment").await, 1);
    assert_eq!(recorded(&house).await.len(), 1);
}

#[tokio::test]
async fn whatever_waits_for_an_operator_stands_in_one_list_with_what_to_do() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-01-31").await.applied();
    let orders = |names: &[String], expires_on: &str| {
        let row = |name: &String| row("4301", name, "software", "2024-01-31", expires_on, ",");
        ENTITLEMENTS.to_owned() + &names.iter().map(row).collect::<String>()
    };
    let names: Vec<String> = (0..40).map(|n| format!("ORD-{n}")).collect();
    house.import_one("e.csv", &orders(&names, "2025-01-30"), "2024-01-31").await.applied();
    let short = orders(&names[..21], "2024-02-10");
    let guarded = house.import_one("short.csv", &short, "2024-02-19").await;
    assert!(guarded.refused.is_some(), "{guarded:?}");
    let alike =
        house.import_one("alike.csv", &orders(&["ord-7".to_owned()], "2025-01-30"), "2024-02-19").await;
    assert_eq!(alike.rows, ["2 rejected order_id alike_known"]);
    let told = ran(&house, &["requests"]).ended(0).stdout;
    assert!(
        told.contains("2024-02-19  short.csv: it would end 21 of 40") && told.contains("--accept-ends"),
        "{told}"
    );
    assert!(told.contains("  ord-7 beside ORD-7  (alike.csv line 2, 2024-02-19)"), "{told}");
    assert!(told.contains("benefactor import FILE --accept-alike"), "{told}");
    let json: Value = serde_json::from_str(&ran(&house, &["--json", "requests"]).ended(0).stdout).unwrap();
    assert_eq!(
        (&json["files"][0]["file"], &json["alike"][0]["known"]),
        (&"short.csv".into(), &"ORD-7".into())
    );
    assert_eq!(
        (&json["dead_letters"], &json["requests"], &json["rates"]),
        (&0.into(), &serde_json::json!([]), &serde_json::json!([]))
    );
    // Let in, they wait no more.
    for (name, text, flag) in [
        ("short.csv", &short, "--accept-ends"),
        ("alike.csv", &orders(&["ord-7".to_owned()], "2025-01-30"), "--accept-alike"),
    ] {
        let path = house.dir.join(name);
        std::fs::write(&path, text).unwrap();
        ran(&house, &["import", path.to_str().unwrap(), flag]).ended(0);
    }
    assert_eq!(ran(&house, &["requests"]).ended(0).stdout, "nothing waits for an operator\n");
}
