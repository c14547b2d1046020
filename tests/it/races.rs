//! The same benefit asked for by many at once: constraints hold, whoever comes too late is told why, and nothing is left
//! half done (promises 8 and 10).

use std::{collections::BTreeMap, fs, sync::Arc};

use benefactor::{
    domain::calendar::sub_days,
    jobs::intake::{Dropped, FileOutcome, take_in},
};

use crate::{
    cast::{ENTITLEMENTS, cancel, partner},
    house::House,
    story::day,
};

/// Connections that ask at once.
const ASKING: usize = 8;
const ON: &str = "2024-02-05";

fn users(count: usize) -> String {
    let rows = (0..count)
        .map(|n| format!("4301,id-{n},u{n}@p4301.example,{}\n", if n == 0 { "global_admin" } else { "" }));
    "partner_id,object_id,user_principal_name,role\n".to_owned() + &rows.collect::<String>()
}

async fn house(entitlements: &str, people: usize) -> House {
    let mut house = House::open().await;
    let (orders, users) = (ENTITLEMENTS.to_owned() + entitlements, users(people));
    let files = [("p.csv", &*partner("4301", "USD")), ("u.csv", &users), ("e.csv", &orders)];
    for answer in house.import(&files, "2024-01-31").await {
        assert!(answer.rows.iter().all(|row| row.contains("applied")), "{answer:#?}");
    }
    house
}

/// Drops files, each by itself, over so many connections at once; says how often each row came back how.
async fn all_at_once(house: &House, files: Vec<String>) -> BTreeMap<String, usize> {
    let folder = house.dir.join("at-once");
    fs::create_dir_all(&folder).unwrap();
    let mut waiting: Vec<(usize, String)> = files.into_iter().enumerate().collect();
    waiting.reverse();
    let waiting = Arc::new(std::sync::Mutex::new(waiting));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..ASKING {
        let cx = house.context(sub_days(day(ON), 1), day(ON), false);
        let (pool, folder, waiting) = (house.pool.clone(), folder.clone(), Arc::clone(&waiting));
        asking.spawn(async move {
            let mut codes = BTreeMap::<String, usize>::new();
            let mut conn = pool.acquire().await.unwrap();
            loop {
                let Some((n, text)) = waiting.lock().unwrap().pop() else { break codes };
                let path = folder.join(format!("{n}.csv"));
                fs::write(&path, text).unwrap();
                let dropped = Dropped { path, results: folder.clone(), ..Dropped::default() };
                let outcome = take_in(&cx, &mut conn, vec![dropped]).await.unwrap().remove(0).1;
                let FileOutcome::Done(taken) = outcome else { panic!("{outcome:?}") };
                let text = fs::read_to_string(taken.answer.unwrap()).unwrap();
                let mut rows = csv::Reader::from_reader(text.as_bytes());
                for row in rows.records() {
                    let row = row.unwrap();
                    let [status, code, ..] = [&row[row.len() - 5], &row[row.len() - 4]];
                    let code = if status == "rejected" { code } else { status };
                    *codes.entry(code.to_owned()).or_default() += 1;
                }
            }
        });
    }
    let mut all = BTreeMap::new();
    while let Some(codes) = asking.join_next().await {
        for (code, count) in codes.unwrap() {
            *all.entry(code).or_default() += count;
        }
    }
    all
}

fn counted(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect()
}

fn assign(benefit: &str, user: usize) -> String {
    format!(
        "partner_id,order_id,benefit,action,user,requested_by,requested_on\n\
         4301,ORD-1,{benefit},assign,u{user}@p4301.example,u0@p4301.example,{ON}\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_forty_who_want_the_bulk_credit_and_five_seats_as_many_get_one_as_there_are() {
    let order = |benefit: &str, quantity: u32, amount: &str| {
        format!("4301,ORD-1,silver,{benefit},core,{quantity},2024-01-31,2024-01-31,2025-01-30,{amount},\n")
    };
    let bulk = "azure_bulk_credit/cloud_platform";
    let house = house(&(order(bulk, 1, "6000,USD") + &order("visual_studio", 5, ",")), 40).await;
    let told = all_at_once(&house, (0..40).map(|user| assign(bulk, user)).collect()).await;
    assert_eq!(told, counted(&[("applied", 1), ("bulk_already_assigned", 39)]));
    let told = all_at_once(&house, (0..40).map(|user| assign("visual_studio", user)).collect()).await;
    assert_eq!(told, counted(&[("applied", 5), ("no_seat_left", 35)]));
    let seats = "select count(distinct seat_no) from assignment where removed_on is null and entitlement_id =
                 (select entitlement_id from entitlement where benefit = 'visual_studio')";
    assert_eq!(house.one::<i64>(seats).await, 5);
    let decided = "select outcome || ' ' || count(*) from decision group by outcome order by 1";
    assert_eq!(house.lines(decided).await, ["accepted 6", "refused 74"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn promise_10_of_a_thousand_refunds_and_activations_at_once_each_order_has_the_one_or_the_other() {
    const ORDERS: usize = 1_000;
    const FILES: usize = 40;
    let order =
        |n: usize| format!("4301,ORD-{n},silver,software,core,1,2024-01-31,2024-01-31,2025-01-30,,,\n");
    let house = house(&(0..ORDERS).map(order).collect::<String>(), 1).await;
    // Forty files of refunds and forty of activations, each of the latter with an order of every one of the former.
    let header = |text: String| text.split_inclusive('\n').next().unwrap().to_owned();
    let refund =
        |n: usize| cancel("4301", &format!("SR-{n}"), &format!("ORD-{n}"), ON).replace("ada@", "u0@");
    let rows = |of: &dyn Fn(usize) -> usize| {
        let lines =
            (0..ORDERS / FILES).map(|at| refund(of(at)).split_inclusive('\n').nth(1).unwrap().to_owned());
        header(refund(0)) + &lines.collect::<String>()
    };
    let activations = |of: &dyn Fn(usize) -> usize| {
        let lines =
            (0..ORDERS / FILES).map(|at| format!("4301,ORD-{},software,u0@p4301.example,{ON}\n", of(at)));
        "partner_id,order_id,benefit,requested_by,requested_on\n".to_owned() + &lines.collect::<String>()
    };
    let files = (0..FILES).flat_map(|file| {
        let one = rows(&|at| file * (ORDERS / FILES) + at);
        let other = activations(&|at| at * FILES + file);
        if file % 2 == 0 { [one, other] } else { [other, one] }
    });
    let told = all_at_once(&house, files.collect()).await;
    let (activated, frozen) = (told["applied"] - ORDERS, told["order_frozen"]);
    assert_eq!(activated + frozen, ORDERS, "{told:?}");
    assert!(activated > ORDERS / 5 && frozen > ORDERS / 5, "neither always wins: {told:?}");
    house.night(ON).await;
    let both = "select count(*) from membership m join entitlement e using (membership_id)
                where (m.status = 'cancelled') = exists (select from activation a where a.entitlement_id = e.entitlement_id)";
    assert_eq!(house.one::<i64>(both).await, 0, "never both, and never neither");
    let refunded = house.one::<i64>("select count(*) from membership where status = 'cancelled'").await;
    assert_eq!(usize::try_from(refunded).unwrap(), frozen);
}
