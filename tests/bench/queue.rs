//! What the queue costs: how soon a worker wakes, how many chunks a second it claims and closes, what a night pays for
//! it, and what a second process brings.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgListener};

use crate::{
    Size,
    measure::{Cost, Table, median},
    place::Place,
};

const ROUNDS: usize = 3;
/// Nights of each kind, in turns: what the queue takes is less than what they differ by.
const NIGHTS: usize = 5;
/// The business date on which the seeded credits are due.
const ON: &str = "2024-06-15";
const NOW: &str = "2024-06-16T02:30:00Z";
/// How often a worker is woken.
const CALLS: u32 = 100;
/// Empty chunks of the run that is claimed and closed as fast as it goes.
const CHUNKS: i32 = 4_000;
/// Rows of a chunk in the night.
const CHUNK_ROWS: u32 = 20_000;

/// A run of empty chunks beside the nights, as a night that has just planned it leaves it, and a call for them.
const RUN: &str = "with made as (
        insert into run (job, due_on, stage, binary_version, policy_sha256, catalogue_sha256, input_sha256, place)
        select job, date '2100-01-01' + :nth, 0, binary_version, policy_sha256, catalogue_sha256, input_sha256, place
        from run where job = 'provision_credits' and due_on < '2100-01-01'
        returning run_id
    ), chunks as (
        insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id)
        select run_id, n, 0, '2100-01-01', n, '2100-01-01', n from made, generate_series(1, :chunks) n
    )
    insert into apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at, priority)
    select apalis.generate_ulid(), 'provision-credits', convert_to('{}', 'utf8'), 'Pending', 0, 5, now(), 0 from made";

/// The nights before are complete: a worker owes one night, as the command does.
const NIGHT_BEFORE: &str = "insert into night (due_on) values ('2024-06-14')";

/// The least that a queue does: wake on a notification, claim a row and commit, close it and commit.
const BARE: &str = "create table bare (
        id bigint generated always as identity primary key, batch integer not null, status text not null default 'ready',
        worker text, claimed_at timestamptz
    );
    create index bare_ready on bare (batch, id) where status = 'ready'";

/// Measures all of it.
pub async fn measure(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    place.template("bench_empty", None, &[BARE], size).await?;
    place.round("bench_empty").await?;
    waking(place, table, if size.smoke { 5 } else { CALLS }).await?;
    place.round("bench_empty").await?;
    chunks(place, table, size).await?;
    place.drop_database("bench_empty").await?;
    night(place, table, size).await
}

/// From the commit of a planned run to the first claim of it, one after the other.
async fn waking(place: &Place, table: &mut Table, calls: u32) -> Result<()> {
    let worker = Running::start(place, None)?;
    let mut conn = place.connect().await?;
    until(&mut conn, "select exists (select from night)").await?;
    let mut ours = Vec::new();
    for nth in 0..calls {
        pause(nth);
        let mut tx = conn.begin().await?;
        run(&mut tx, &RUN.replace(":nth", &nth.to_string()).replace(":chunks", "1")).await?;
        let at: f64 = one(&mut tx, "select extract(epoch from clock_timestamp())::float8").await?;
        tx.commit().await?;
        let claimed = format!(
            "select extract(epoch from attempt.started_at)::float8 from attempt join run using (run_id)
             where due_on = date '2100-01-01' + {nth}"
        );
        ours.push(wait_for(&mut conn, &claimed).await? - at);
    }
    worker.stop()?;
    let mut bare = Vec::new();
    let mut listener = PgListener::connect(&place.url()?).await?;
    listener.listen("bare").await?;
    let mut other = place.connect().await?;
    let claiming = tokio::spawn(async move {
        for _ in 0..calls {
            listener.recv().await?;
            claim(&mut other, -1).await?;
        }
        anyhow::Ok(())
    });
    for nth in 0..calls {
        pause(nth);
        let mut tx = conn.begin().await?;
        run(&mut tx, "insert into bare (batch) values (-1); notify bare").await?;
        let at: f64 = one(&mut tx, "select extract(epoch from clock_timestamp())::float8").await?;
        tx.commit().await?;
        let claimed = format!(
            "select extract(epoch from claimed_at)::float8 from bare where batch = -1 and claimed_at is not null
             order by id offset {nth} limit 1"
        );
        tokio::task::yield_now().await;
        bare.push(wait_for(&mut conn, &claimed).await? - at);
    }
    claiming.await??;
    for (name, at) in [("p50", 50), ("p95", 95)] {
        let ours = Cost { seconds: percentile(&ours, at), peak_kib: 0 };
        let against = Some(("notify, claim and commit", percentile(&bare, at)));
        table.add(&format!("wake-up, commit to claim, {name}"), &[ours], against, None);
    }
    Ok(())
}

/// Empty chunks through a worker, against as many connections that claim and close rows and do nothing else.
async fn chunks(place: &Place, table: &mut Table, size: Size) -> Result<()> {
    let chunks = if size.smoke { 100 } else { CHUNKS };
    let worker = Running::start(place, None)?;
    let mut conn = place.connect().await?;
    until(&mut conn, "select exists (select from night)").await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for nth in 0..size.rounds(ROUNDS) {
        let planned = RUN.replace(":nth", &nth.to_string()).replace(":chunks", &chunks.to_string());
        run(&mut conn, &planned).await?;
        let of = format!("from run_chunk join run using (run_id) where due_on = date '2100-01-01' + {nth}");
        until(&mut conn, &format!("select count(*) = {chunks} {of} and run_chunk.status = 'done'")).await?;
        let took = format!(
            "select extract(epoch from max(a.finished_at) - min(a.started_at))::float8
             from attempt a join run using (run_id) where due_on = date '2100-01-01' + {nth}"
        );
        ours.push(Cost { seconds: one(&mut conn, &took).await?, peak_kib: 0 });
        run(&mut conn, &format!("insert into bare (batch) select {nth} from generate_series(1, {chunks})"))
            .await?;
        let started = Instant::now();
        let lanes: Vec<_> = [place.connect().await?, place.connect().await?]
            .into_iter()
            .map(|mut lane| {
                tokio::spawn(async move {
                    while let Some(id) = claim(&mut lane, i32::try_from(nth)?).await? {
                        run(&mut lane, &format!("update bare set status = 'done' where id = {id}")).await?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for lane in lanes {
            lane.await??;
        }
        bare.push(started.elapsed().as_secs_f64());
    }
    worker.stop()?;
    let what = format!("{chunks} empty chunks, two lanes");
    table.add(&what, &ours, Some(("claim, commit, close, commit", median(bare))), None);
    Ok(())
}

/// The night of everybody in coarse chunks: run by hand, called for by the queue, and with a second process.
async fn night(place: &mut Place, table: &mut Table, size: Size) -> Result<()> {
    let seeds = [include_str!("seed/people.sql"), include_str!("seed/year.sql"), NIGHT_BEFORE];
    place.template("bench_year", None, &seeds, size).await?;
    let config = config(place)?;
    let (mut by_hand, mut called, mut two) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds(NIGHTS) {
        for (workers, costs) in [(0, &mut by_hand), (1, &mut called), (2, &mut two)] {
            place.round("bench_year").await?;
            let started: Result<Vec<_>> =
                (0..workers).map(|_| Running::start(place, Some(&config))).collect();
            let started = started?;
            if workers == 0 {
                place.program_with(["night", "--on", ON, "--now", NOW], Some(&config))?;
            }
            let mut conn = place.connect().await?;
            until(&mut conn, &format!("select exists (select from night where due_on = '{ON}')")).await?;
            let took = format!(
                "select extract(epoch from (select completed_at from night where due_on = '{ON}') - (select min(started_at) from run))::float8"
            );
            let seconds = one(&mut conn, &took).await?;
            conn.close().await?;
            eprintln_line(&format!("  {workers} workers {seconds:>8.2} s"))?;
            costs.push(Cost { seconds, peak_kib: 0 });
            started.into_iter().try_for_each(Running::stop)?;
        }
    }
    let what = format!("night over {}, called for by the queue", size.rows);
    let (ours, baseline) = middle_pair(&called, &by_hand);
    table.add(&what, &[ours], Some(("the same by `night`", baseline)), Some(1.05));
    let what = format!("night over {}, two workers", size.rows);
    let (ours, baseline) = middle_pair(&two, &called);
    table.add(&what, &[ours], Some(("one worker", baseline)), None);
    place.drop_database("bench_year").await
}

/// Of the pairs that took their turns together, the one with the middle ratio.
fn middle_pair(ours: &[Cost], baseline: &[Cost]) -> (Cost, f64) {
    let mut pairs: Vec<(Cost, f64)> =
        ours.iter().zip(baseline).map(|(ours, baseline)| (*ours, baseline.seconds)).collect();
    pairs.sort_by(|(a, b), (c, d)| (a.seconds / b).total_cmp(&(c.seconds / d)));
    pairs.swap_remove(pairs.len() / 2)
}

/// Policies with coarse chunks.
fn config(place: &Place) -> Result<PathBuf> {
    let config = place.file("config");
    fs::create_dir_all(config.join("jobs"))?;
    for (stem, text) in benefactor::jobs::policy::BUILT_IN {
        let lines = text.lines().map(|line| match line.split_once(" = ") {
            Some(("chunk_rows", _)) => format!("chunk_rows = {CHUNK_ROWS}"),
            _ => line.to_owned(),
        });
        fs::write(config.join(format!("jobs/{stem}.toml")), lines.collect::<Vec<_>>().join("\n"))?;
    }
    Ok(config)
}

/// A worker that runs on.
struct Running(Child);

impl Running {
    fn start(place: &Place, config: Option<&PathBuf>) -> Result<Self> {
        let mut command = place.command(["worker", "--now", NOW, "--listen", "off"], config)?;
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }

    fn stop(mut self) -> Result<()> {
        ensure!(Command::new("kill").arg(self.0.id().to_string()).status()?.success());
        ensure!(self.0.wait()?.success(), "a worker did not stop in order");
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Claims a row of a batch; its number.
async fn claim(conn: &mut PgConnection, batch: i32) -> Result<Option<i64>> {
    let claimed = "update bare set status = 'claimed', worker = 'bench', claimed_at = clock_timestamp()
        where id = (select id from bare where batch = $1 and status = 'ready' order by id limit 1 for update skip locked)
        returning id";
    Ok(sqlx::query_scalar(claimed).bind(batch).fetch_optional(conn).await?)
}

async fn run(conn: &mut PgConnection, statements: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(conn).await?;
    Ok(())
}

async fn one<T>(conn: &mut PgConnection, query: &str) -> Result<T>
where
    T: Send + Unpin + sqlx::Type<sqlx::Postgres> + for<'r> sqlx::Decode<'r, sqlx::Postgres>,
{
    Ok(sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(conn).await?)
}

async fn until(conn: &mut PgConnection, query: &str) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(30);
    while !one::<bool>(conn, query).await? {
        ensure!(Instant::now() < deadline, "never: {query}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The first value that a query has.
async fn wait_for(conn: &mut PgConnection, query: &str) -> Result<f64> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found: Option<f64> =
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_optional(&mut *conn).await?;
        if let Some(found) = found {
            return Ok(found);
        }
        ensure!(Instant::now() < deadline, "never: {query}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Up to half a second, so that calls come at any moment of a poll.
fn pause(nth: u32) {
    thread::sleep(Duration::from_millis(u64::from(nth.wrapping_mul(197) % 500)));
}

fn percentile(seconds: &[f64], at: usize) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * at / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn eprintln_line(line: &str) -> Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "{line}").context("standard error")
}
