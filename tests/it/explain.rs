//! What members and their supporters look at: benefits, the history of everything done with them, and files that hold it.

use std::fs;

use benefactor::{domain::license_key::Secret, store::explain};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::{
    cast::{ENTITLEMENTS, contact, partner, renewal, users},
    house::{House, Ran, Scratch, benefactor},
};

const ADA: &str = "ada@p5500.example";
const BEN: &str = "ben@p5500.example";

/// Runs the binary at an instant of the business clock.
fn at(house: &House, now: &str, args: &[&str]) -> Ran {
    Ran::of(house.command(["--now", now]).args(args))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Runs statements as the owner.
async fn sql(house: &House, statements: &str) {
    house.owner.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
}

/// A gold order of 20 January 2024 with everything that members do things with.
async fn bought() -> House {
    let mut house = House::open().await;
    let row = |benefit: &str, kind: &str, quantity: u32, amount: &str| {
        format!("5500,ORD-G,gold,{benefit},{kind},{quantity},2024-01-20,2024-01-20,2025-01-19,{amount},\n")
    };
    let order = [
        ENTITLEMENTS.to_owned(),
        row("azure_bulk_credit/cloud_platform", "core", 1, "12000,USD"),
        row("visual_studio/app_dev", "incremental", 2, ","),
        row("license_subscription/office_365", "core", 100, ","),
        row("software", "core", 1, ","),
        row("product_support", "core", 20, ","),
        row("advisory_hours", "core", 50, ","),
        row("go_to_market/gold_core", "core", 1, ","),
    ]
    .concat();
    let (people, reached) = (users("5500"), contact("5500", "sv"));
    let files = [
        ("partners.csv", &*partner("5500", "USD")),
        ("users.csv", &people),
        ("contacts.csv", &reached),
        ("entitlements.csv", &order),
    ];
    for answer in house.import(&files, "2024-01-20").await {
        assert!(answer.rows.iter().all(|row| row.contains("applied")), "{answer:#?}");
    }
    house
}

/// One request of an assignments file.
async fn ask(house: &mut House, benefit: &str, action: &str, user: &str, to: &str, on: &str) -> String {
    let text = format!(
        "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user\n\
         5500,ORD-G,{benefit},{action},{user},{ADA},{on},{to}\n"
    );
    house.import_one("assignments.csv", &text, on).await.rows.remove(0)
}

/// What the store has of somebody's key requests, activations, tickets and agreements.
const STORIES: &str = r#"
insert into file (sha256, name, kind, dialect, header, received_on, status)
values (repeat('0', 64), 'stories.csv', 'keys', 'canonical', '{}', '2024-01-22', 'done');
create temp table n as
  select p.partner_id, m.membership_id, (select max(file_id) from file) as file_id, e.benefit, e.entitlement_id
  from partner p join membership m using (partner_id) join entitlement e using (membership_id);
insert into license_key (partner_id, entitlement_id, sealed, lookup, tail, seats, months, product, language, os,
    download_url, instructions, known_on, file_id, line)
select partner_id, entitlement_id, '\x00', convert_to(tail, 'utf8'), tail, seats, 12, product, null, null, null, null,
       '2024-01-22', file_id, 2
from n join (values ('license_subscription/office_365', '3V66T', 25, 'Office 365'),
                    ('license_subscription/office_365', 'QX7P2', 25, 'Office 365'),
                    ('software', 'W0RDS', null, 'Wordsmith')) k (benefit, tail, seats, product) using (benefit)
order by tail;
insert into request (partner_id, kind, request_key, content, membership_id, entitlement_id, requested_by, requested_on,
    file_id, line, status)
select partner_id, kind, key, content::jsonb || jsonb_build_object('requested_by', coalesce(
           (select to_jsonb(u.user_id) from directory_user u where u.partner_id = n.partner_id and u.user_principal_name = by),
           to_jsonb(by))), membership_id, entitlement_id, by, day::date, file_id, 2, 'accepted'
from (values
  (1, 'redeem', 'license_subscription/office_365', 'ORD-G|license_subscription/office_365|redeem|K1|2024-01-25',
      '{"requested_by": "ada@p5500.example", "mode": "new", "tenant_id": null}', 'ada@p5500.example', '2024-01-25'),
  (2, 'redeem', 'license_subscription/office_365', 'ORD-G|license_subscription/office_365|redeem|K2|2024-09-25',
      '{"requested_by": "ada@p5500.example", "mode": "add_seats", "tenant_id": null}', 'ada@p5500.example', '2024-09-25'),
  (3, 'reveal', 'software', 'ORD-G|software|reveal||2024-02-10',
      '{"requested_by": "ada@p5500.example", "mode": null, "tenant_id": null}', 'ada@p5500.example', '2024-02-10'),
  (4, 'activate', 'product_support', 'ORD-G|product_support',
      '{"requested_by": "ada@p5500.example", "requested_on": "2024-02-11"}', 'ada@p5500.example', '2024-02-11'),
  (5, 'activate', 'go_to_market/gold_core', 'ORD-G|go_to_market/gold_core',
      '{"requested_by": "operator", "requested_on": "2024-02-12"}', 'operator', '2024-02-12'),
  (6, 'product_support', 'product_support', 'SR-77', '{"kind": "product_support", "order_id": null,
      "requested_by": "ben@p5500.example", "requested_on": "2024-02-13", "note": "It will not start",
      "product": "deskside server", "product_version": "2022", "access_id": "1000000001", "contract_id": "2000000001"}',
      'ben@p5500.example', '2024-02-13'),
  (7, 'advisory_hours', 'advisory_hours', 'SR-78', '{"kind": "advisory_hours", "order_id": "ORD-G",
      "requested_by": "ben@p5500.example", "requested_on": "2024-02-14", "note": null, "minutes": 135, "product": null}',
      'ben@p5500.example', '2024-02-14')
) r (nth, kind, benefit, key, content, by, day) join n using (benefit) order by nth;
insert into decision (partner_id, request_no, subject_kind, subject, action, requested_by, outcome, decided_on, content)
select partner_id, request_no, 'entitlement', 'ORD-G/' || benefit, kind, requested_by, 'accepted', requested_on,
       case kind when 'product_support' then content || '{"request_id": "SR-77"}'
                 when 'advisory_hours' then content || '{"request_id": "SR-78"}' else '{}' end
from request join n using (entitlement_id, partner_id)
where kind in ('redeem', 'reveal', 'activate', 'product_support', 'advisory_hours') order by request_no;
insert into decision (partner_id, subject_kind, subject, action, requested_by, outcome, decided_on, content, reasons)
select partner_id, 'entitlement', 'ORD-G/' || benefit, 'redeem', 'BEN@p5500.example', 'refused', date '2024-01-24',
       '{"key_ref": "K1", "mode": "new", "requested_on": "2024-01-24"}'::jsonb,
       '[{"code": "role_missing", "roles": ["global_admin", "mpn_partner_admin"], "held_by": ["ada@p5500.example"]}]'::jsonb
from n where benefit like 'license%'
union all
select partner_id, 'request', 'SR-79', 'product_support', 'ben@p5500.example', 'refused', date '2024-02-15',
       '{"request_id": "SR-79", "product": "deskside server", "product_version": "2016", "requested_on": "2024-02-15"}',
       '[{"code": "version_not_supported", "supported": ["2022", "2019"]}, {"code": "wrong_support_id"}]'
from n where benefit = 'product_support';
insert into key_reveal (key_id, partner_id, revealed_on, revealed_by, request_no)
select 3, partner_id, requested_on, requested_by, request_no from request where kind = 'reveal';
insert into redemption (key_id, partner_id, entitlement_id, benefit, mode, redeemed_on, tenant_id, seats_before,
    ends_before, seats, ends_on, request_no)
select key, r.partner_id, entitlement_id, n.benefit, mode, r.requested_on, '3f2504e0-4f89-11d3-9a0c-0305e82c3301', before,
       ends_before::date, seats, ends_on::date, request_no
from (values (1, 'K1', 'new', null, null, 25, '2025-01-25'), (2, 'K2', 'add_seats', 25, '2025-01-25', 50, '2025-05-25'))
     d (key, ref, mode, before, ends_before, seats, ends_on)
join request r on r.kind = 'redeem' and split_part(r.request_key, '|', -2) = d.ref join n using (entitlement_id)
order by key;
insert into activation (entitlement_id, partner_id, activated_on, live_on, live, request_no)
select entitlement_id, partner_id, requested_on, case when request_key like '%gold_core' then requested_on + 3 end,
       request_key like '%gold_core', request_no
from request where kind = 'activate';
insert into support_contract (membership_id, partner_id, access_id, contract_id, activated_on, request_no)
select membership_id, partner_id, '1000000001', '2000000001', requested_on, request_no
from request where kind = 'activate' and request_key like '%product_support';
insert into transfer (partner_id, entitlement_id, run_id, kind, from_account, to_account, period_no, period_from,
    period_until, effective_on, amount_minor, request_no)
select r.partner_id, entitlement_id, 0, (unit || what)::ledger_kind, source::ledger_account, target::ledger_account, 0,
       '2024-01-20', '2025-02-19', case what when '_used' then requested_on else '2024-01-20' end, amount,
       case what when '_used' then request_no end
from request r join (values
  ('SR-77', 'incidents', '_granted', 'programme', 'available', 20), ('SR-77', 'incidents', '_used', 'available', 'used', 1),
  ('SR-78', 'hours', '_granted', 'programme', 'available', 3000), ('SR-78', 'hours', '_used', 'available', 'used', 135))
  d (request_key, unit, what, source, target, amount) using (request_key);
insert into agreement (partner_id, name, valid_from, valid_until, known_on, file_id, line)
select distinct partner_id, 'csp', date '2024-03-01', date '2024-05-31', date '2024-02-20', file_id, 2 from n;
insert into contact_version (partner_id, version_no, user_id, email, phone, language, known_on, requested_by, file_id, line)
select partner_id, 1 + coalesce((select max(version_no) from contact_version), 0), user_id, 'ben.k@p5500.example',
       '+4685550101', 'en', '2024-02-12', 'ada@p5500.example', (select max(file_id) from file), 2
from directory_user where user_principal_name like 'ben@%';
update credit_schedule s set waits = '{"code": "bulk_blocked", "agreement": "csp", "earliest_on": "2024-06-01"}'
from n where n.entitlement_id = s.entitlement_id and benefit like 'azure_bulk%';
drop table n;
"#;

/// Everything that a member can do was done, and some of it refused.
pub async fn stories() -> House {
    let mut house = bought().await;
    let (bulk, seats) = ("azure_bulk_credit/cloud_platform", "visual_studio/app_dev");
    let verdicts = [
        ask(&mut house, bulk, "assign", BEN, "", "2024-01-22").await,
        ask(&mut house, bulk, "remove", BEN, "", "2024-01-23").await,
        ask(&mut house, bulk, "transfer", BEN, ADA, "2024-02-01").await,
        ask(&mut house, seats, "assign", "00000000-0000-4000-8000-000000055002", "", "2024-01-22").await,
        ask(&mut house, seats, "reassign", BEN, ADA, "2024-04-20").await,
        ask(&mut house, seats, "reassign", BEN, ADA, "2024-04-21").await,
        ask(&mut house, seats, "remove", ADA, "", "2024-04-25").await,
    ];
    let yes = verdicts.iter().map(|verdict| verdict.contains("applied")).collect::<Vec<_>>();
    assert_eq!(yes, [true, false, true, true, false, true, true], "{verdicts:#?}");
    sql(&house, STORIES).await;
    house
}

/// What `explain` says, without the remarks on mail.
fn told(house: &House, subject: &str) -> String {
    house.run(["explain", subject]).ended(0).stdout
}

#[tokio::test]
async fn a_partners_whole_history_can_be_read_aloud() {
    let house = stories().await;
    insta::assert_snapshot!("the_history_of_a_partner", told(&house, "5500"));
}

#[tokio::test]
async fn a_user_a_key_and_a_request_have_histories_of_their_own() {
    let house = stories().await;
    let parts = ["BEN@p5500.example", "K2", "k1", "SR-77", "SR-79", "ORD-G/product_support"];
    let text = parts.map(|subject| told(&house, subject)).join("\n");
    insta::assert_snapshot!("histories_of_a_user_keys_and_requests", text);
    let by_object_id = told(&house, "user:00000000-0000-4000-8000-000000055002");
    assert_eq!(by_object_id, told(&house, BEN));
    let key = json(&house.run(["--json", "explain", "K1"]).ended(0));
    assert_eq!((&key["kind"], &key["key"]["key"]), (&"key".into(), &"*****-3V66T".into()));
    assert_eq!(key["key"]["redeemed_on"], "2024-01-25");
}

/// Tables that grow with what a store holds.
const LARGE: [&str; 11] = [
    "assignment",
    "credit_schedule",
    "decision",
    "directory_user",
    "entitlement",
    "entitlement_version",
    "membership",
    "notice",
    "partner",
    "request",
    "transfer",
];

/// The large tables that were read whole, and how often. Counts of earlier transactions of the connection are among them
/// until they are flushed, which is at most once a second and never within a transaction.
async fn read_whole(conn: &mut PgConnection) -> Vec<(String, i64)> {
    sqlx::query_as(
        "select relname::text, seq_scan from pg_stat_xact_user_tables
          where schemaname = 'public' and seq_scan > 0 and relname = any($1) order by 1",
    )
    .bind(LARGE)
    .fetch_all(conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn one_partner_order_user_key_or_request_is_read_without_reading_a_table_whole() {
    let house = stories().await;
    for name in ["5500", "ORD-G", "ORD-G/product_support", BEN, "K1", "SR-77", "SR-unknown"] {
        let mut tx = house.pool.begin().await.unwrap();
        let before = read_whole(&mut tx).await;
        explain::along_indexes(&mut tx).await.unwrap();
        for subject in explain::find(&mut tx, name, None).await.unwrap() {
            subject.partner(&mut tx).await.unwrap();
            subject.orders(&mut tx).await.unwrap();
            subject.benefits(&mut tx).await.unwrap();
            subject.user(&mut tx).await.unwrap();
            subject.key(&mut tx).await.unwrap();
            subject.versions(&mut tx).await.unwrap();
            subject.entries(&mut tx).await.unwrap();
            subject.assigned(&mut tx).await.unwrap();
            subject.revealed(&mut tx).await.unwrap();
            subject.redeemed(&mut tx).await.unwrap();
            subject.activated(&mut tx).await.unwrap();
            subject.opened(&mut tx).await.unwrap();
            subject.waiting(&mut tx).await.unwrap();
            subject.asked(&mut tx).await.unwrap();
            subject.decided(&mut tx).await.unwrap();
            subject.told(&mut tx).await.unwrap();
        }
        let mut whole = read_whole(&mut tx).await;
        whole.retain(|scans| !before.contains(scans));
        assert!(whole.is_empty(), "{name}: {whole:?}");
    }
}

#[tokio::test]
async fn a_user_of_two_partners_is_told_apart_by_the_partner() {
    let mut house = bought().await;
    let same = format!("partner_id,object_id,user_principal_name\n5501,other,{BEN}\n");
    house.import(&[("p.csv", &partner("5501", "USD")), ("u.csv", &same)], "2024-01-21").await;
    let ran = house.run(["explain", BEN]).ended(2);
    assert!(ran.stderr.contains(&format!("user:{BEN}@5500")), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("user:{BEN}@5501")), "{}", ran.stderr);
    let told = json(&house.run(["--json", "explain", &format!("user:{BEN}@5501")]).ended(0));
    assert_eq!(
        (&told["user"]["object_id"], &told["partner"]["partner_id"]),
        (&"other".into(), &"5501".into())
    );
    let ran = house.run(["explain", "ben@"]).ended(2);
    assert!(ran.stderr.contains(BEN), "{}", ran.stderr);
}

#[tokio::test]
async fn r10_every_enabled_user_sees_the_benefits_and_the_support_ids_once_activated() {
    let mut house = bought().await;
    let now = "2024-02-20T10:00:00Z";
    let list = |house: &House| {
        at(house, now, &["benefits", "--partner", "5500", "--requested-by", BEN]).ended(0).stdout
    };
    assert!(!list(&house).contains("Access ID"), "nobody sees it before");
    sql(&house, STORIES).await;
    let text = list(&house);
    insta::assert_snapshot!("the_benefits_of_a_member", text);
    assert_eq!(
        at(&house, now, &["benefits", "--partner", "5500"]).ended(0).stdout,
        text,
        "so does the operator"
    );
    let off = format!(
        "partner_id,object_id,user_principal_name,enabled\n5500,00000000-0000-4000-8000-000000055002,{BEN},false\n"
    );
    house.import_one("off.csv", &off, "2024-02-20").await.applied();
    for (who, code) in [(BEN, "user_disabled"), ("marketing@p5500.example", "unknown_user")] {
        let ran =
            at(&house, now, &["--json", "benefits", "--partner", "5500", "--requested-by", who]).ended(3);
        assert_eq!(json(&ran)["refused"]["code"], code);
    }
    let ran = at(&house, now, &["benefits", "--partner", "ORD-G"]).ended(3);
    assert!(ran.stdout.starts_with("refused (unknown_partner): "), "{ran:?}");
}

#[tokio::test]
async fn r7_who_has_no_live_benefit_is_told_both_causes() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("5501", "USD"), "2024-01-20").await.applied();
    let ran = at(&house, "2024-01-20T10:00:00Z", &["benefits", "--partner", "5501"]).ended(0);
    assert!(ran.stdout.starts_with("Looks like you don't have any benefits yet."), "{ran:?}");
    assert!(ran.stdout.contains("no active offer") && ran.stdout.contains("not the account"), "{ran:?}");
    let house = bought().await;
    let none = |now: &str| {
        let told = json(&at(&house, now, &["--json", "benefits", "--partner", "5500"]).ended(0));
        (told["no_benefits_yet"].is_string(), told["benefits"].as_array().unwrap().len())
    };
    assert_eq!(none("2024-01-19T23:59:59Z"), (true, 7), "the day before the start");
    assert_eq!(none("2024-01-20T00:00:00Z"), (false, 7), "the start");
    assert_eq!(none("2025-02-19T23:59:59Z"), (false, 7), "the last day of grace");
    assert_eq!(none("2025-02-20T00:00:00Z"), (true, 0), "the day after");
}

#[tokio::test]
async fn d5_who_renewed_and_awaits_the_new_set_is_told_that_it_is_to_come() {
    let mut house = bought().await;
    house.import_one("r.csv", &renewal("5500", "ORD-G", "2025-01-20", "ORD-H"), "2025-01-20").await.applied();
    house.night("2025-01-20").await;
    let now = "2025-01-21T08:00:00Z";
    let told = json(&at(&house, now, &["--json", "benefits", "--partner", "5500"]).ended(0));
    assert_eq!(told["awaiting_entitlements"], serde_json::json!(["ORD-H"]));
    assert_eq!((&told["no_benefits_yet"], &told["benefits"]), (&Value::Null, &serde_json::json!([])));
    assert_eq!(
        at(&house, now, &["benefits", "--partner", "5500"]).ended(0).stdout,
        "ORD-H renews ORD-G and awaits its entitlements file: its benefits come with that\n"
    );
}

#[tokio::test]
async fn what_was_decided_on_one_day_is_told_in_the_order_of_the_decisions() {
    let mut house = bought().await;
    let on = "2024-02-01";
    for (action, user, to) in [
        ("assign", ADA, ""),
        ("remove", ADA, ""),
        ("assign", BEN, ""),
        ("assign", "cleo_other.example#EXT#@p5500.example", ""),
    ] {
        ask(&mut house, "visual_studio/app_dev", action, user, to, on).await;
    }
    let told = told(&house, "ORD-G/visual_studio/app_dev");
    let of_the_day = told.lines().filter_map(|line| line.strip_prefix("2024-02-01  "));
    let what: Vec<&str> = of_the_day.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(what, ["assigned", "removed", "assigned", "refused"], "{told}");
}

#[tokio::test]
async fn what_was_asked_for_is_exported_as_it_was_asked_and_taken_in_again_unchanged() {
    let house = stories().await;
    let export = |kind: &str| house.run(["export", kind]).ended(0).stdout;
    let tickets = export("service_requests");
    assert!(
        tickets.contains(
            "\n5500,SR-77,product_support,ben@p5500.example,2024-02-13,,deskside server,2022,1000000001,2000000001,,It will not start\n\
             5500,SR-78,advisory_hours,ben@p5500.example,2024-02-14,ORD-G,,,,,2.25,\n"
        ),
        "{tickets}"
    );
    let assignments = export("assignments");
    assert!(assignments.contains(&format!(",reassign,{BEN},{ADA},2024-04-21,{ADA}\n")), "{assignments}");
    assert!(export("activations").contains("\n5500,ORD-G,go_to_market/gold_core,operator,2024-02-12\n"));
    let asked = export("key_requests");
    assert!(asked.contains(&format!("\n5500,ORD-G,software,reveal,{ADA},2024-02-10,,,\n")), "{asked}");
    assert!(asked.contains(&format!(",redeem,{ADA},2024-09-25,K2,,add_seats\n")), "{asked}");
    assert_eq!(
        house.run(["export", "key_requests", "--on", "2024-02-10"]).ended(0).stdout.lines().count(),
        3
    );
    for kind in ["agreements", "assignments", "key_requests", "activations", "service_requests"] {
        let path = house.dir.join(&format!("{kind}.csv"));
        fs::write(&path, export(kind)).unwrap();
        let rows = export(kind).lines().count() - 1;
        let ran = at(&house, "2024-09-30T10:00:00Z", &["--json", "import", path.to_str().unwrap()]);
        let tally = ["applied", "unchanged", "rejected"].map(|name| json(&ran)[name].as_u64().unwrap());
        assert_eq!(tally, [0, rows as u64, 0], "{kind}: {ran:?}");
    }
}

#[tokio::test]
async fn keys_are_exported_masked_and_what_stands_in_their_place_is_no_key() {
    let house = stories().await;
    let text = house.run(["export", "keys"]).ended(0).stdout;
    let row = "5500,ORD-G,license_subscription/office_365,*****-QX7P2,25,12,Office 365,,,,,K2,,2024-09-25\n";
    assert!(text.contains(row), "{text}");
    assert!(text.contains("*****-W0RDS,,12,Wordsmith,,,,,K3,2024-02-10,\n"), "{text}");
    assert_eq!(Secret::parse("*****-W0RDS"), None);
}

#[test]
fn d13_every_reason_is_listed_with_its_sentences() {
    let dir = Scratch::new();
    let list = json(&Ran::of(benefactor(dir.path()).args(["--json", "reasons"])).ended(0));
    let text = Ran::of(benefactor(dir.path()).arg("reasons")).ended(0).stdout;
    assert_eq!(text.lines().count(), 3 * list.as_array().unwrap().len());
    let refund = text.lines().skip_while(|line| !line.starts_with("refund_window_passed ")).take(3);
    let refund: Vec<&str> = refund.map(str::trim).collect();
    assert!(refund[0].ends_with("R9, D7  never") && refund[1].starts_with("A refund could"), "{refund:?}");
    assert!(refund[2].starts_with("Återbetalning"), "{refund:?}");
}
