//! Many requests are applied in lanes beside each other, those of one partner in one lane: it comes to what one lane comes to,
//! also where requests name other partners' orders, where partners share their caps, and where a lane is stopped half-way.

use std::fmt::Write as _;

use benefactor::jobs::intake::{Dropped, take_in};

use crate::{cast::ENTITLEMENTS, house::House, story::day};

const ON: &str = "2024-02-01";
const PARTNERS: usize = 12;
/// Rows that are applied together.
const CHUNK: &str = "40";

/// Partners of which every third belongs to a group, if `grouped`.
fn partners(grouped: bool) -> String {
    let rows = (0..PARTNERS).map(|n| {
        let group = if grouped && n % 3 == 0 { "G" } else { "" };
        format!("43{n:02},Partner {n},accounts@p{n}.example,SE,USD,00000000-0000-4000-8000-{n:012},{group}\n")
    });
    "partner_id,name,account_email,country,currency,tenant_id,group_id\n".to_owned()
        + &rows.collect::<String>()
}

/// Partners, each with two orders of benefits that have a cap, keys or a balance.
fn facts() -> [(&'static str, String); 4] {
    let (mut users, mut bought, mut keys) = (
        "partner_id,object_id,user_principal_name,role\n".to_owned(),
        ENTITLEMENTS.to_owned(),
        "partner_id,order_id,benefit,key,seats,months\n".to_owned(),
    );
    for n in 0..PARTNERS {
        for user in 0..8 {
            let role = if user == 0 { "global_admin" } else { "" };
            writeln!(users, "43{n:02},id-{user},u{user}@p{n}.example,{role}").unwrap();
        }
        for order in 0..2 {
            let dates = "2024-01-31,2024-01-31,2025-01-30";
            for (benefit, quantity, amount) in [
                ("azure_monthly_credit", "1", "100,USD"),
                ("visual_studio/app_dev", "6", ","),
                ("advisory_hours", "3", ","),
                ("product_support", "15", ","),
                (&*format!("license_subscription/p{order}"), "25", ","),
            ] {
                writeln!(
                    bought,
                    "43{n:02},O-{n}-{order},silver,{benefit},incremental,{quantity},{dates},{amount},"
                )
                .unwrap();
            }
            for key in 0..2 {
                writeln!(keys, "43{n:02},O-{n}-{order},license_subscription/p{order},OFFIC-{n}{order}{key:05}-BBBBB,25,12").unwrap();
            }
        }
    }
    [("p.csv", partners(false)), ("u.csv", users), ("e.csv", bought), ("k.csv", keys)]
}

/// What is asked for: neighbours are of different partners, and each names the order of another partner once.
fn requests() -> [(&'static str, String); 4] {
    let (mut assigned, mut keys, mut activated, mut service) = (
        "partner_id,order_id,benefit,action,user,requested_by,requested_on,to_user\n".to_owned(),
        "partner_id,order_id,benefit,action,requested_by,requested_on,key_ref,tenant_id,mode\n".to_owned(),
        "partner_id,order_id,benefit,requested_by,requested_on\n".to_owned(),
        "partner_id,request_id,kind,requested_by,requested_on,order_id,hours\n".to_owned(),
    );
    let by = |n: usize| format!("u0@p{n}.example");
    let other = |n: usize| (n + 5) % PARTNERS;
    for order in 0..2 {
        for user in 1..8 {
            for n in 0..PARTNERS {
                let on = if user % 2 == 0 { "2024-02-01" } else { "2024-01-31" };
                let (who, by) = (format!("u{user}@p{n}.example"), by(n));
                writeln!(assigned, "43{n:02},O-{n}-{order},visual_studio/app_dev,assign,{who},{by},{on},")
                    .unwrap();
                writeln!(assigned, "43{n:02},O-{n}-{order},azure_monthly_credit,assign,{who},{by},{on},")
                    .unwrap();
            }
        }
        for n in 0..PARTNERS {
            let (who, by) = (format!("u1@p{n}.example"), by(n));
            let of = other(n);
            writeln!(assigned, "43{n:02},O-{of}-{order},azure_monthly_credit,assign,{who},{by},2024-02-01,")
                .unwrap();
            writeln!(assigned, "43{n:02},none,azure_monthly_credit,assign,{who},{by},2024-02-01,").unwrap();
            writeln!(assigned, "43{n:02},O-{n}-{order},azure_monthly_credit,remove,{who},{by},2024-02-01,")
                .unwrap();
            for mode in ["new", "add_seats", "extend"] {
                writeln!(
                    keys,
                    "43{n:02},O-{n}-{order},license_subscription/p{order},redeem,{by},2024-02-01,,,{mode}"
                )
                .unwrap();
            }
            writeln!(activated, "43{n:02},O-{n}-{order},product_support,{by},2024-02-01").unwrap();
            for hours in 0..3 {
                writeln!(
                    service,
                    "43{n:02},H-{order}-{hours},advisory_hours,{who},2024-02-01,O-{n}-{order},1.5"
                )
                .unwrap();
            }
            writeln!(service, "43{n:02},C-{order},cancel,{by},2024-02-01,O-{n}-{order},").unwrap();
        }
    }
    [("a.csv", assigned), ("r.csv", keys), ("t.csv", activated), ("s.csv", service)]
}

fn borrowed<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    files.iter().map(|(name, text)| (*name, &**text)).collect()
}

/// A house where partners have joined a group since their benefits were taken in, so that together they have more than its cap.
async fn with_facts() -> House {
    let mut house = House::open().await.policy("import_entitlements", "chunk_rows", CHUNK);
    house.import(&borrowed(&facts()), ON).await;
    house.import_one("p.csv", &partners(true), ON).await;
    house
}

/// All that requests left, each kind in an order that lanes do not change; requests by their numbers.
async fn left(house: &House) -> Vec<String> {
    let mut left = vec![house.digest().await];
    for query in [
        "select concat_ws(' ', f.name, r.line, r.partner_id, r.kind, r.request_key, r.status, r.content, r.membership_id,
             r.entitlement_id) from request r join file f using (file_id) order by request_no",
        "select concat_ws(' ', f.name, d.partner_id, d.subject, d.action, d.outcome, d.reasons, d.earliest_on, r.line)
         from decision d join file f on f.file_id = d.file_id left join request r using (request_no) order by 1",
        "select concat_ws(' ', a.entitlement_id, a.user_id, a.seat_no, a.assigned_on, a.removed_on, r.line, b.line)
         from assignment a join request r using (request_no) left join request b on b.request_no = a.removed_by_no order by 1",
        "select concat_ws(' ', x.key_id, x.benefit, x.mode, x.seats_before, x.ends_before, x.seats, x.ends_on, r.line)
         from redemption x join request r using (request_no) order by 1",
        "select concat_ws(' ', s.membership_id, s.access_id, s.contract_id) from support_contract s order by 1",
        "select concat_ws(' ', entitlement_id, event, used_on, used_by) from benefit_use order by 1",
        "select concat_ws(' ', entitlement_id, kind, period_no, amount_minor, effective_on) from transfer order by 1",
        "select concat_ws(' ', entitlement_id, open_minor) from credit_schedule order by 1",
        "select concat_ws(' ', name, applied, unchanged, rejected, waiting) from file order by 1",
        "select concat_ws(' ', f.name, a.row_no, a.status, a.problems) from row_answer a join file f using (file_id)
         order by f.name, a.row_no",
    ] {
        left.extend(house.lines(query).await);
    }
    left
}

/// What the requests come to in so many lanes: their answers, and what they left.
async fn drop_in(lanes: &str) -> (Vec<String>, Vec<String>) {
    let mut house = with_facts().await.policy("import_entitlements", "lanes", lanes);
    let answers = house.import(&borrowed(&requests()), ON).await;
    (answers.into_iter().map(|answer| answer.text).collect(), left(&house).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d12_requests_come_to_the_same_in_one_lane_and_in_many() {
    let one = drop_in("1").await;
    for word in ["cap_reached", "order_of_another_partner", "unknown_order", "no_seat_left", ",applied,"] {
        assert!(one.0.iter().any(|text| text.contains(word)), "{word}: {:?}", one.0);
    }
    for lanes in ["2", "3", "16"] {
        assert_eq!(drop_in(lanes).await, one, "{lanes}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_apply_requests_of_the_same_partners_take_each_once() {
    let mut expected = Vec::new();
    for processes in [1, 2, 2, 2] {
        let house = with_facts().await.policy("import_entitlements", "lanes", "2");
        let mut taking = tokio::task::JoinSet::new();
        for process in 0..processes {
            let folder = house.dir.join(&format!("process-{process}"));
            std::fs::create_dir_all(&folder).unwrap();
            let mut dropped = Vec::new();
            for (name, text) in requests() {
                let path = folder.join(name);
                // The same rows in other bytes.
                std::fs::write(&path, if process == 0 { text } else { text.replace('\n', "\r\n") }).unwrap();
                dropped.push(Dropped { path, results: folder.clone(), ..Dropped::default() });
            }
            let (cx, pool) = (house.context(day(ON), day(ON), false), house.pool.clone());
            taking.spawn(async move {
                let mut conn = pool.acquire().await.unwrap();
                take_in(&cx, &mut conn, dropped).await.unwrap();
            });
        }
        taking.join_all().await;
        let accepted = "select concat_ws(' ', partner_id, kind, request_key, status) from request order by 1";
        let found = (house.lines(accepted).await, house.digest().await);
        if expected.is_empty() {
            expected.push(found);
        } else {
            assert_eq!([found], *expected);
        }
    }
}
