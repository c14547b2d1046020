//! Killed at random, by the real binary on a durable Postgres: whatever is killed when, the next start goes on there,
//! and in the end everything is as if nothing had happened (promises 1, 3, 4, 9).
//!
//! The points are drawn from a seed that is printed; `BENEFACTOR_TEST_SEED` replays them.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use benefactor::store::embedded::{self, Hold, Login};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{
    cast::ENTITLEMENTS,
    house::{Ran, Scratch, benefactor, connect, migrate, options},
};

const PARTNERS: usize = 60;
const ORDERS: usize = 2_000;
const FIRST: &str = "2024-01-15";
const LAST: &str = "2024-03-05";
const ROUNDS: u64 = 10;

/// A durable cluster with a migrated database to clone.
struct Cluster {
    dir: Scratch,
    hold: Hold,
}

impl Cluster {
    async fn start() -> Self {
        let dir = Scratch::new();
        let hold = embedded::hold(&options(dir.path(), true)).unwrap();
        let cluster = Self { dir, hold };
        cluster.owner("create database empty").await;
        migrate(&cluster.url("empty", Login::Owner)).await;
        cluster
    }

    fn url(&self, database: &str, login: Login) -> String {
        self.hold.url(login).unwrap().replace("/benefactor?", &format!("/{database}?"))
    }

    async fn owner(&self, statement: &str) {
        let mut server = connect(&self.url("postgres", Login::Owner)).await;
        server.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        server.close().await.unwrap();
    }

    /// A store that begins as another stands: its database and what its data directory holds.
    async fn clone_of(&self, name: &str, from: &str) -> Store<'_> {
        self.owner(&format!("create database {name} template {from} strategy file_copy")).await;
        let dir = self.dir.join(name);
        fs::create_dir(&dir).unwrap();
        let spool = self.dir.join(from).join("spool");
        if spool.exists() {
            fs::create_dir(dir.join("spool")).unwrap();
            for file in fs::read_dir(spool).unwrap().flatten() {
                fs::copy(file.path(), dir.join("spool").join(file.file_name())).unwrap();
            }
        }
        Store { cluster: self, name: name.to_owned(), dir }
    }

    fn kill_postgres(&self) {
        let pid = fs::read_to_string(self.dir.join("store/data/postmaster.pid")).unwrap();
        kill(pid.lines().next().unwrap());
    }

    /// Waits until Postgres answers again, started by whoever of us is first.
    fn recover(&self) {
        let again = embedded::hold(&options(self.dir.path(), true)).unwrap();
        drop(again);
    }
}

/// One database with its data directory.
struct Store<'a> {
    cluster: &'a Cluster,
    name: String,
    dir: PathBuf,
}

impl Store<'_> {
    fn command(&self, now: &str, args: &[&str]) -> Command {
        let mut command = benefactor(&self.dir);
        command.env("DATABASE_URL", self.cluster.url(&self.name, Login::Worker));
        command.env("BENEFACTOR_CONFIG_DIR", config());
        command.args(["--now", now]).args(args);
        command
    }

    fn run(&self, now: &str, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(now, args))
    }

    fn import(&self, files: &[PathBuf]) -> Command {
        let results = self.dir.join("answers");
        let mut args = vec!["import", "--results", results.to_str().unwrap()];
        args.extend(files.iter().map(|file| file.to_str().unwrap()));
        self.command("2024-01-15T10:00:00Z", &args)
    }

    fn night(&self) -> Command {
        self.command("2024-03-06T02:30:00Z", &["night", "--from", FIRST, "--to", LAST])
    }

    /// Everything that is promised to be equal: the digest, decisions, notices, each mail byte for byte.
    async fn outcome(&self) -> BTreeMap<String, String> {
        let mut outcome = BTreeMap::new();
        outcome.insert("digest".to_owned(), self.run("2024-03-06", &["digest"]).ended(0).stdout);
        let mut owner = connect(&self.cluster.url(&self.name, Login::Owner)).await;
        for (what, query) in [
            (
                "decisions",
                "select concat_ws(' ', action, subject, outcome, reasons, decided_on) from decision",
            ),
            ("notices", "select concat_ws(' ', kind, anchor_on, status, content) from notice"),
            ("mails", "select concat_ws(' ', message_id, recipient, day, status) from mail"),
            (
                "entries",
                "select concat_ws(' ', order_id, kind, period_from, effective_on, amount_minor) from report.ledger",
            ),
            ("schedule", "select concat_ws(' ', next_period_no, next_on, open_minor) from credit_schedule"),
            (
                "benefits",
                "select concat_ws(' ', order_id, benefit, status, ended_on, assigned_to) from report.entitlement",
            ),
            ("nights", "select due_on::text from night"),
            ("runs", "select concat_ws(' ', job, due_on, status) from run"),
        ] {
            let query =
                format!("select coalesce(string_agg(l, E'\\n' order by l), '') from ({query}) lines (l)");
            let lines: String = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut owner).await.unwrap();
            outcome.insert(what.to_owned(), lines);
        }
        owner.close().await.unwrap();
        for file in fs::read_dir(self.dir.join("outbox")).into_iter().flatten().flatten() {
            let name = file.file_name().into_string().unwrap();
            // A delivery that was cut short leaves its hidden part; nobody takes that for a mail.
            if !name.starts_with('.') {
                outcome.insert(format!("mail {name}"), fs::read_to_string(file.path()).unwrap());
            }
        }
        outcome
    }
}

/// Says what differs, and no more than that.
#[track_caller]
fn same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, told: &str) {
    for (what, lines) in expected {
        let other = found.get(what).map_or("", String::as_str);
        if other != lines {
            let (a, b): (Vec<_>, Vec<_>) = (other.lines().collect(), lines.lines().collect());
            let surplus: Vec<_> = a.iter().filter(|line| !b.contains(line)).take(5).collect();
            let missing: Vec<_> = b.iter().filter(|line| !a.contains(line)).take(5).collect();
            panic!(
                "{told}: {what} differs: {} lines for {}; surplus {surplus:#?}, missing {missing:#?}",
                a.len(),
                b.len()
            );
        }
    }
    assert_eq!(found.len(), expected.len(), "{told}: as many mails");
}

/// Policies with small chunks, so that a kill has many places to hit.
fn config() -> &'static Path {
    static CONFIG: OnceLock<Scratch> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let dir = Scratch::new();
            fs::create_dir(dir.join("jobs")).unwrap();
            for (stem, text) in benefactor::domain::policy::BUILT_IN {
                let lines = text.lines().map(|line| match line.split_once(" = ") {
                    Some(("chunk_rows", _)) => "chunk_rows = 100".to_owned(),
                    _ => line.to_owned(),
                });
                let text = lines.collect::<Vec<_>>().join("\n");
                fs::write(dir.join(&format!("jobs/{stem}.toml")), text).unwrap();
            }
            dir
        })
        .path()
}

/// Partners, users, orders that start through six weeks, what was assigned, used and cancelled; some rows are bad.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut texts = [
        ("partners.csv", "partner_id,name,account_email,country,currency\n".to_owned()),
        ("users.csv", "partner_id,object_id,user_principal_name,user_type,enabled,role\n".to_owned()),
        ("entitlements.csv", ENTITLEMENTS.to_owned()),
        ("assignments.csv", "partner_id,order_id,benefit,action,user,requested_by,requested_on\n".to_owned()),
        ("credit_usage.csv", "partner_id,order_id,benefit,used_on,amount,currency,reference\n".to_owned()),
        (
            "service_requests.csv",
            "partner_id,request_id,kind,requested_by,requested_on,order_id\n".to_owned(),
        ),
    ];
    for partner in 0..PARTNERS {
        let number = 5000 + partner;
        writeln!(texts[0].1, "{number},Partner {number},accounts@p{number}.example,US,USD").unwrap();
        writeln!(
            texts[1].1,
            "{number},00000000-0000-4000-8000-{number:0>12},ada@p{number}.example,member,true,global_admin"
        )
        .unwrap();
    }
    let start = crate::story::day("2023-12-08");
    for n in 0..ORDERS {
        let number = 5000 + n % PARTNERS;
        let on = benefactor::domain::calendar::add_days(start, u32::try_from(n % 39).unwrap());
        let until = if n % 7 == 0 { "2024-02-20" } else { "2024-12-31" };
        let amount = if n % 97 == 0 { "a lot" } else { "100" };
        writeln!(
            texts[2].1,
            "{number},ORD-{n},silver,azure_monthly_credit,core,1,{on},{on},{until},{amount},USD,"
        )
        .unwrap();
        if n % 3 == 0 {
            writeln!(texts[3].1, "{number},ORD-{n},azure_monthly_credit,assign,ada@p{number}.example,ada@p{number}.example,2024-01-15").unwrap();
        }
        if n % 5 == 0 {
            writeln!(texts[4].1, "{number},ORD-{n},azure_monthly_credit,{on},{}.50,USD,USE-{n}", 40 + n % 90)
                .unwrap();
        }
        if n % 50 == 1 {
            writeln!(texts[5].1, "{number},SR-{n},cancel,ada@p{number}.example,2024-01-15,ORD-{n}").unwrap();
        }
    }
    let write = |(name, text): (&str, String)| {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    texts.into_iter().map(write).collect()
}

fn kill(pid: &str) {
    let _ = Command::new("kill").args(["-9", pid]).status().unwrap();
}

/// Small, known, and the same everywhere (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn seeded() -> Self {
        let given = std::env::var("BENEFACTOR_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
        let drawn =
            || u64::from(std::process::id()) ^ u64::from(Instant::now().elapsed().subsec_nanos()) << 20;
        let seed = given.unwrap_or_else(drawn);
        println!("BENEFACTOR_TEST_SEED={seed}");
        Self(seed)
    }

    /// At least 0, less than `most`.
    fn throw(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Lets it run for a while, then ends it with -9; `None` if it was faster.
fn kill_after(mut child: Child, pause: Duration) -> Option<()> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    Some(())
}

fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts it as often as it takes: the lock of one that was killed is let go when Postgres sees it gone.
fn to_its_end(mut command: impl FnMut() -> Command, good: &[i32], told: &str) -> Ran {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let ran = Ran::of(&mut command());
        if good.contains(&ran.code) {
            return ran;
        }
        assert!([4, 6].contains(&ran.code) && Instant::now() < deadline, "{told}: {ran:#?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The answers by name. A file with rejected rows that was done before the kill is read again, and says of the rows
/// that went in that they are unchanged.
fn answers(store: &Store<'_>) -> BTreeMap<String, String> {
    let read = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text.replace(",unchanged,", ",applied,"))
    };
    fs::read_dir(store.dir.join("answers")).unwrap().flatten().map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_killed_at_random_points_and_started_again_it_ends_as_if_nothing_had_happened() {
    let cluster = Cluster::start().await;
    let mut dice = Dice::seeded();
    let dropped = files(cluster.dir.path());

    let loaded = cluster.clone_of("loaded", "empty").await;
    let begun = Instant::now();
    Ran::of(&mut loaded.import(&dropped)).ended(3);
    let import_takes = begun.elapsed();
    let straight = cluster.clone_of("straight", "loaded").await;
    let begun = Instant::now();
    Ran::of(&mut straight.night()).ended(0);
    let night_takes = begun.elapsed();
    let expected = straight.outcome().await;
    let entries = expected["entries"].lines().count();
    println!(
        "import {import_takes:?}, nights {night_takes:?}, {entries} entries, {} mails",
        expected.len() - 9
    );
    assert!(entries > 2 * ORDERS);

    // Nights run twice say the same.
    Ran::of(&mut straight.night()).ended(0);
    same(&straight.outcome().await, &expected, "the nights again");

    let mut hits = 0;
    for round in 0..ROUNDS {
        let told = format!("round {round}");
        let store = cluster.clone_of(&format!("round_{round}"), "loaded").await;
        for _ in 0..=dice.throw(2) {
            let pause = Duration::from_millis(dice.throw(u64::try_from(night_takes.as_millis()).unwrap()));
            let mut night = start(&mut store.night());
            if round % 4 == 3 {
                thread::sleep(pause);
                cluster.kill_postgres();
                hits += 1;
                night.wait().unwrap();
                cluster.recover();
            } else {
                hits += kill_after(night, pause).map_or(0, |()| 1);
            }
        }
        to_its_end(|| store.night(), &[0], &told);
        same(&store.outcome().await, &expected, &told);
    }
    assert!(hits >= ROUNDS / 2, "the kills came too late to hit: {hits}");

    // And a bigger file on its way in.
    let given = answers(&loaded);
    for round in 0..3 {
        let told = format!("import {round}");
        let store = cluster.clone_of(&format!("import_{round}"), "empty").await;
        for _ in 0..=dice.throw(2) {
            let pause = Duration::from_millis(dice.throw(u64::try_from(import_takes.as_millis()).unwrap()));
            kill_after(start(&mut store.import(&dropped)), pause);
        }
        to_its_end(|| store.import(&dropped), &[0, 3], &told);
        to_its_end(|| store.night(), &[0], &told);
        same(&store.outcome().await, &expected, &told);
        let again = answers(&store);
        for (name, text) in &given {
            let differs = again.get(name).map(|again| again.lines().zip(text.lines()).find(|(a, b)| a != b));
            assert_eq!(differs, Some(None), "{told}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_of_two_nights_at_once_one_runs_and_the_other_says_that_it_is_held() {
    let cluster = Cluster::start().await;
    let dropped = files(cluster.dir.path());
    let store = cluster.clone_of("at_once", "empty").await;
    Ran::of(&mut store.import(&dropped)).ended(3);
    let spawn = || {
        let mut command = store.night();
        thread::spawn(move || Ran::of(&mut command))
    };
    let both = [spawn(), spawn()].map(|night| night.join().unwrap());
    let mut codes = both.each_ref().map(|ran| ran.code);
    codes.sort_unstable();
    // The second may also come when the first is done already.
    assert!(codes == [0, 4] || codes == [0, 0], "{both:#?}");
    if let Some(held) = both.iter().find(|ran| ran.code == 4) {
        assert!(held.stderr.contains("another process"), "{held:?}");
    }
    let once = store.outcome().await;
    to_its_end(|| store.night(), &[0], "once more");
    same(&store.outcome().await, &once, "once more");
}
