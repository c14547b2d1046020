//! A big file of entitlements is applied in lanes beside each other, each partner in one lane: it comes to what one lane comes
//! to, also where two processes apply files of the same partners, and no job sees half of it.

use std::fs;

use benefactor::{
    domain::calendar::sub_days,
    jobs::intake::{Dropped, FileOutcome, take_in},
    store::{self, run},
};
use sqlx::{Connection as _, PgConnection};

use crate::{cast::ENTITLEMENTS, house::House, story::day};

const ON: &str = "2024-02-01";
const PARTNERS: usize = 12;
const ORDERS: usize = 12;

/// Partners of which every third belongs to a group, if `grouped`.
fn partners(grouped: bool) -> String {
    let rows = (0..PARTNERS).map(|n| {
        let group = if grouped && n % 3 == 0 { format!("G-{}", n % 2) } else { String::new() };
        format!("43{n:02},Partner {n},accounts@p{n}.example,SE,USD,{group}\n")
    });
    "partner_id,name,account_email,country,currency,group_id\n".to_owned() + &rows.collect::<String>()
}

/// Seats up to the cap and past it, and core benefits that a partner has once; neighbours are of different partners.
fn entitlements() -> Vec<String> {
    let mut rows = Vec::new();
    for order in 0..ORDERS {
        let core = ["visual_studio", "advisory_hours", "product_support"][order % 3];
        for n in 0..PARTNERS {
            let dates = "2024-01-31,2024-01-31,2025-01-30,,,";
            rows.push(format!(
                "43{n:02},O-{n}-{order},silver,visual_studio/app_dev,incremental,20,{dates}\n"
            ));
            rows.push(format!("43{n:02},O-{n}-{order},silver,{core},core,,{dates}\n"));
        }
    }
    rows
}

fn file(rows: &[String]) -> String {
    ENTITLEMENTS.to_owned() + &rows.concat()
}

async fn house(lanes: &str) -> House {
    House::open().await.policy("import_entitlements", "chunk_rows", "4").policy(
        "import_entitlements",
        "lanes",
        lanes,
    )
}

async fn held(house: &House) -> Vec<String> {
    let all = "select concat_ws(' ', m.order_id, m.starts_on, m.status, e.benefit, e.quantity, v.line)
        from entitlement e join membership m using (membership_id)
        join entitlement_version v using (entitlement_id) order by 1";
    house.lines(all).await
}

/// What a drop comes to: its answer, what is held, and the digest.
async fn drop_in(lanes: &str, known_before: bool) -> (String, Vec<String>, String) {
    let mut house = house(lanes).await;
    let (partners, entitlements) = (partners(true), file(&entitlements()));
    let files = [("p.csv", &*partners), ("e.csv", &*entitlements)];
    let mut answers = Vec::new();
    if known_before {
        for one in files {
            answers.extend(house.import(&[one], ON).await);
        }
    } else {
        answers = house.import(&files, ON).await;
    }
    let in_lanes: bool =
        house.one("select buckets % 8 = 0 and buckets > 8 from file where kind = 'entitlements'").await;
    assert!(in_lanes);
    (answers.remove(1).text, held(&house).await, house.digest().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d12_a_file_comes_to_the_same_in_one_lane_and_in_many() {
    for known_before in [true, false] {
        let one = drop_in("1", known_before).await;
        assert!(one.0.contains("cap_reached") && one.0.contains(",applied,"), "{}", one.0);
        for lanes in ["2", "3", "16"] {
            assert_eq!(drop_in(lanes, known_before).await, one, "{lanes}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_apply_files_of_the_same_partners_take_each_row_once() {
    let rows: Vec<String> =
        entitlements().into_iter().filter(|row| row.contains("core") && row.contains("-1,")).collect();
    let expected = {
        let mut house = house("1").await;
        house.import(&[("p.csv", &*partners(false)), ("e.csv", &*file(&rows))], ON).await;
        (house.one::<i64>("select count(*) from entitlement").await, house.digest().await)
    };
    for round in 0..6 {
        let mut house = house("2").await;
        house.import_one("p.csv", &partners(false), ON).await.applied();
        let mut taking = tokio::task::JoinSet::new();
        for process in 0..2 {
            let mut rows = rows.clone();
            rows.rotate_left(process * (round + 1));
            let folder = house.dir.join(&format!("process-{process}"));
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join("e.csv");
            fs::write(&path, file(&rows)).unwrap();
            let (cx, pool) = (house.context(sub_days(day(ON), 1), day(ON), false), house.pool.clone());
            taking.spawn(async move {
                let mut conn = pool.acquire().await.unwrap();
                let dropped = Dropped { path, results: folder, ..Dropped::default() };
                let outcome = take_in(&cx, &mut conn, vec![dropped]).await.unwrap().remove(0).1;
                let FileOutcome::Done(taken) = outcome else { panic!("{outcome:?}") };
                (taken.tally.applied, taken.tally.rejected)
            });
        }
        let told = taking.join_all().await;
        assert_eq!(told.iter().map(|(applied, _)| i64::from(*applied)).sum::<i64>(), expected.0, "{told:?}");
        assert!(told.iter().all(|(_, rejected)| *rejected == 0), "{told:?}");
        let found = (house.one::<i64>("select count(*) from entitlement").await, house.digest().await);
        assert_eq!(found, expected);
    }
}

/// Whose facts a transaction asks for.
#[derive(Clone, Copy)]
enum Asks {
    Shared,
    Lanes(&'static [i32]),
    All,
}

/// Whether a transaction gets them although `held` has its own.
async fn is_free(house: &House, held: Asks, asks: Asks) -> bool {
    let (mut first, mut second) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let (mut first, mut second) = (first.begin().await.unwrap(), second.begin().await.unwrap());
    sqlx::query("set local lock_timeout = '100ms'").execute(&mut *second).await.unwrap();
    ask(&mut first, held).await.unwrap();
    let free = ask(&mut second, asks).await.is_ok();
    second.rollback().await.unwrap();
    first.rollback().await.unwrap();
    free
}

async fn ask(conn: &mut PgConnection, asks: Asks) -> store::Result<()> {
    match asks {
        Asks::Shared => run::share_facts(conn).await,
        Asks::Lanes(lanes) => run::change_facts_in(conn, lanes).await,
        Asks::All => run::change_facts(conn).await,
    }
}

#[tokio::test]
async fn lanes_go_beside_each_other_and_beside_nobody_else() {
    let house = House::open().await;
    let of = [Asks::Shared, Asks::Lanes(&[0, 2]), Asks::Lanes(&[1, 7]), Asks::All];
    for (held, expected) in of.into_iter().zip([
        [true, false, false, false],
        [false, false, true, false],
        [false, true, false, false],
        [false, false, false, false],
    ]) {
        for (asks, expected) in of.into_iter().zip(expected) {
            assert_eq!(is_free(&house, held, asks).await, expected);
        }
    }
}
