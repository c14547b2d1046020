//! What is forgotten of work that is long done, what never is, and that tables which change all the time stay small.

use std::{fs, os::unix::fs::symlink, path::Path};

use benefactor::jobs::{engine::retention::prune, policy::Policies};
use sqlx::{AssertSqlSafe, PgPool};

use crate::house::House;

async fn sql(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(pool).await.unwrap();
}

/// A run that ended so many days ago, with one chunk of each status but those open, one try each.
fn run(job: &str, due_on: &str, days: i32) -> String {
    format!(
        "with r as (
             insert into run (job, due_on, status, finished_at, binary_version, policy_sha256, catalogue_sha256, input_sha256)
             values ('{job}', '{due_on}', 'incomplete', now() - interval '{days} days', '0', '', '', '') returning run_id
         ), c as (
             insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id, status)
             select run_id, nth, 0, '{due_on}', nth, '{due_on}', nth + 1, status
             from r, unnest(array['done', 'done', 'failed', 'discarded', 'ready']) with ordinality as s (status, nth)
             returning run_id, chunk_no
         )
         insert into attempt (run_id, chunk_no, epoch, worker) select run_id, chunk_no, 1, 'night:1:x' from c;"
    )
}

const LEFT: &str = "select r.job || ' ' || r.due_on || ': ' || string_agg(c.chunk_no || ' ' || c.status, ', ' order by c.chunk_no)
     from run r join run_chunk c using (run_id) group by r.run_id order by r.run_id";
const ATTEMPTS: &str = "select count(*) from attempt";

#[tokio::test]
async fn each_job_keeps_its_own_days_and_dead_letters_runs_and_what_operators_touched_are_kept_for_good() {
    let house = House::open().await;
    let mut policies = Policies::built_in().unwrap();
    policies.provision_credits.work.keep_days = 10;
    sql(&house.owner, &run("provision_credits", "2024-01-01", 11)).await;
    sql(&house.owner, &run("provision_credits", "2024-01-02", 9)).await;
    sql(&house.owner, &run("expire_benefits", "2024-01-01", 11)).await;
    sql(&house.owner, &run("expire_benefits", "2023-10-01", 91)).await;
    sql(
        &house.owner,
        "insert into operator_action (run_id, chunk_no, action, by, why, before)
         select run_id, 2, 'retry', 'ada', 'why not', 'dead' from run where due_on = '2023-10-01';
         insert into tick (name, due_at, rung_at, answered_at, verdict) values
             ('provision_credits', now() - interval '13 days', now() - interval '13 days', now(), 'due'),
             ('provision_credits', now() - interval '12 days', now() - interval '12 days', null, 'due'),
             ('provision_credits', now() - interval '11 days', now() - interval '11 days', null, 'skipped'),
             ('provision_credits', now() - interval '10.5 days', now() - interval '10.5 days', now(), 'due'),
             ('night', now() - interval '40 days', now() - interval '40 days', now(), 'due'),
             ('night', now() - interval '39 days', now() - interval '39 days', now(), 'due')",
    )
    .await;
    let mut conn = house.pool.acquire().await.unwrap();
    for _ in 0..2 {
        assert!(
            !prune(&policies, house.dir.path(), &mut conn).await.unwrap(),
            "all of it at once; again changes nothing"
        );
        assert_eq!(
            house.lines(LEFT).await,
            [
                "provision_credits 2024-01-01: 3 failed, 4 discarded, 5 ready",
                "provision_credits 2024-01-02: 1 done, 2 done, 3 failed, 4 discarded, 5 ready",
                "expire_benefits 2024-01-01: 1 done, 2 done, 3 failed, 4 discarded, 5 ready",
                "expire_benefits 2023-10-01: 2 done, 3 failed, 4 discarded, 5 ready",
            ]
        );
        assert_eq!(house.one::<i64>(ATTEMPTS).await, 3 + 5 + 5 + 4, "attempts go and stay with their chunks");
        // One that waits for its job, and the last of each name: up to there the timetable was kept.
        let ticks =
            "select name || ' ' || round(extract(epoch from now() - due_at) / 86400, 1) from tick order by 1";
        assert_eq!(
            house.lines(ticks).await,
            ["night 39.0", "night 40.0", "provision_credits 10.5", "provision_credits 12.0"]
        );
    }
}

#[tokio::test]
async fn a_night_forgets_by_itself_what_is_no_longer_kept() {
    let house = House::open().await;
    sql(&house.owner, &run("remind_contacts", "2023-01-01", 400)).await;
    house.run(["--now", "2024-01-15T03:00:00Z", "night"]).ended(0);
    assert_eq!(house.lines(LEFT).await[0], "remind_contacts 2023-01-01: 3 failed, 4 discarded, 5 ready");
}

/// A night's export, and the run that wrote it.
async fn exported(house: &House, due_on: &str) {
    let run = format!(
        "insert into run (job, due_on, status, finished_at, binary_version, policy_sha256, catalogue_sha256, input_sha256)
         values ('export_entitlements', '{due_on}', 'done', now(), '0', '', '', '')"
    );
    sql(&house.owner, &run).await;
    put(&house.dir.join("exports").join(due_on), "entitlements.csv");
}

fn put(folder: &Path, name: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), "partner_id\n").unwrap();
}

/// Files below a folder, by their paths in it.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(below(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn exports_are_kept_so_many_days_back_from_the_newest_and_what_the_job_did_not_write_stays() {
    let house = House::open().await;
    let (exports, elsewhere) = (house.dir.join("exports"), house.dir.join("elsewhere"));
    for due_on in ["2023-12-30", "2024-01-01", "2024-01-02", "2024-01-09", "2024-01-10", "2024-01-31"] {
        exported(&house, due_on).await;
    }
    put(&exports.join("2024-01-01"), ".entitlements.csv.x1.part");
    put(&exports.join("2024-01-02"), "mine.csv");
    put(&exports.join("2023-12-31"), "entitlements.csv"); // by hand: no night of that date ran
    put(&exports.join("before"), "entitlements.csv");
    fs::remove_dir_all(exports.join("2023-12-30")).unwrap();
    put(&elsewhere, "entitlements.csv");
    symlink(&elsewhere, exports.join("2023-12-30")).unwrap();
    let before = below(house.dir.path());

    let mut policies = Policies::built_in().unwrap();
    let mut conn = house.pool.acquire().await.unwrap();
    for keeps_all in [0, 400] {
        policies.export_entitlements.policy.keep_exports_days = keeps_all;
        assert!(!prune(&policies, house.dir.path(), &mut conn).await.unwrap());
        assert_eq!(below(house.dir.path()), before, "{keeps_all}");
    }
    policies.export_entitlements.policy.keep_exports_days = 21;
    for _ in 0..2 {
        assert!(!prune(&policies, house.dir.path(), &mut conn).await.unwrap());
        assert_eq!(
            below(house.dir.path()),
            [
                "elsewhere/entitlements.csv",
                "exports/2023-12-30",
                "exports/2023-12-31/entitlements.csv",
                "exports/2024-01-02/mine.csv",
                "exports/2024-01-10/entitlements.csv",
                "exports/2024-01-31/entitlements.csv",
                "exports/before/entitlements.csv",
            ]
        );
    }
}

#[tokio::test]
async fn a_night_removes_old_exports_a_hundred_at_a_time() {
    let house = House::open().await;
    for nth in 0..130 {
        let due_on = chrono::NaiveDate::from_ymd_opt(2022, 1, 1).unwrap() + chrono::Days::new(nth);
        exported(&house, &due_on.to_string()).await;
    }
    let told = house.run(["--now", "2024-01-15T03:00:00Z", "night"]).ended(0).stderr;
    assert!(told.contains("exports no longer kept"), "{told}");
    let left = || fs::read_dir(house.dir.join("exports")).unwrap().count();
    assert_eq!(left(), 31, "the night's own, and thirty for the next time");
    house.run(["--now", "2024-01-16T03:00:00Z", "night"]).ended(0);
    assert_eq!(
        below(&house.dir.join("exports")),
        ["2024-01-14/entitlements.csv", "2024-01-15/entitlements.csv"]
    );
}

#[tokio::test]
async fn after_many_nights_the_tables_of_work_are_as_small_as_after_a_few() {
    let house = House::open().await;
    let policies = Policies::built_in().unwrap();
    let mut conn = house.pool.acquire().await.unwrap();
    let mut sizes: Vec<i64> = Vec::new();
    // Vacuumed by us alone, at the same points of every round.
    for table in ["run", "run_chunk", "attempt"] {
        sql(&house.owner, &format!("alter table {table} set (autovacuum_enabled = off)")).await;
    }
    // Pages of an index that is emptied are used again some vacuums later, the later the longer somebody looked on; what
    // is kept by mistake grows with every round, and never settles.
    let settled = |sizes: &[i64]| {
        sizes.len() > 3 && sizes[sizes.len() - 3..].iter().all(|size| *size == sizes[sizes.len() - 1])
    };
    let mut round = 0;
    while !settled(&sizes) {
        assert!(round < 24, "never settles: {sizes:?}");
        // Chunks are claimed, renewed and finished: three versions of each row.
        sql(
            &house.owner,
            &format!(
                "insert into run (job, due_on, status, finished_at, binary_version, policy_sha256, catalogue_sha256, input_sha256)
                 select 'provision_credits', date '2000-01-01' + 100 * {round} + n, 'done', now() - interval '100 days', '0', '', '', ''
                 from generate_series(0, 39) n;
                 insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id)
                 select run_id, n, 0, due_on, n, due_on, n + 1 from run, generate_series(1, 100) n
                 where not exists (select from run_chunk c where c.run_id = run.run_id) and due_on >= date '2000-01-01' + 100 * {round};
                 insert into attempt (run_id, chunk_no, epoch, worker) select run_id, chunk_no, 1, 'night:1:x' from run_chunk;
                 update run_chunk set status = 'claimed', epoch = 1, lease_until = now();
                 update run_chunk set lease_until = now() + interval '1 second';
                 update run_chunk set status = 'done', lease_until = null"
            ),
        )
        .await;
        while prune(&policies, house.dir.path(), &mut conn).await.unwrap() {}
        assert_eq!(house.one::<i64>("select count(*) from run_chunk").await, 0);
        assert_eq!(house.one::<i64>(ATTEMPTS).await, 0);
        for table in ["run_chunk", "attempt"] {
            sqlx::raw_sql(AssertSqlSafe(format!("vacuum {table}"))).execute(&house.owner).await.unwrap();
        }
        sizes.push(
            house.one("select pg_total_relation_size('run_chunk') + pg_total_relation_size('attempt')").await,
        );
        round += 1;
    }
    let (first, last) = (sizes[0], sizes[sizes.len() - 1]);
    assert!(last <= 6 * first, "{sizes:?}");
    assert_eq!(house.one::<i64>("select count(*) from run").await, 40 * round, "effects carry their numbers");
}

#[tokio::test]
async fn tables_that_change_all_the_time_are_vacuumed_by_their_dead_rows() {
    let house = House::open().await;
    for (table, wanted) in [
        ("run_chunk", "autovacuum_vacuum_scale_factor=0.02"),
        ("run_chunk", "fillfactor=70"),
        ("attempt", "autovacuum_vacuum_scale_factor=0.02"),
        ("run", "autovacuum_vacuum_scale_factor=0.02"),
        ("process", "autovacuum_vacuum_scale_factor=0"),
        ("apalis.jobs", "autovacuum_vacuum_scale_factor=0"),
        ("apalis.workers", "autovacuum_vacuum_scale_factor=0"),
    ] {
        let set = format!(
            "select coalesce('{wanted}' = any(reloptions), false) from pg_class where oid = '{table}'::regclass"
        );
        assert!(house.one::<bool>(&set).await, "{table}: {wanted}");
    }
}
