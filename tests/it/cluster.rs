//! A durable Postgres of a test's own, stores to break on it, and how to tell that nothing of them is broken: the
//! outcome of a store that nothing happened to.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    hash::{BuildHasher, Hasher, RandomState},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};

use benefactor::{
    domain::calendar::add_days,
    store::embedded::{self, Hold, Login},
};
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::{
    cast::ENTITLEMENTS,
    house::{Ran, Scratch, benefactor, connect, migrate, options},
    story::day,
    year_in_the_life::NEVER,
};

/// The business clock of whatever disturbs a store, and of whatever goes on with it.
pub const NOW: &str = "2024-03-06T02:30:00Z";
/// The last business date that is complete before anything of interest is in the store.
const BEFORE: &str = "2024-02-28";
/// The last business date.
pub const LAST: &str = "2024-03-05";
/// A store on which nobody has worked yet: migrated, the nights up to [`BEFORE`] complete.
pub const BEGUN: &str = "begun";

/// The database of a private store.
const PRIVATE: &str = "benefactor";

/// How long anything may take on a slow machine with company; only what never happens takes longer.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A durable cluster with databases to clone.
pub struct Cluster {
    dir: PathBuf,
    hold: Hold,
    /// Gone when the cluster is.
    _scratch: Option<Scratch>,
}

impl Cluster {
    /// Starts one, with the databases `empty` (migrated) and [`BEGUN`].
    pub async fn start() -> Arc<Self> {
        let scratch = Scratch::new();
        let (dir, hold) =
            (scratch.path().to_owned(), embedded::hold(&options(scratch.path(), true)).unwrap());
        let cluster = Arc::new(Self { dir, hold, _scratch: Some(scratch) });
        cluster.owner("create database empty").await;
        migrate(&cluster.url("empty", Login::Owner)).await;
        let begun = cluster.clone_of(BEGUN, "empty").await;
        begun.run(&["night", "--on", BEFORE]).ended(0);
        cluster
    }

    /// The private store of a data directory, as commands find it without being told of any: as [`BEGUN`] is.
    pub fn private(dir: PathBuf) -> Store {
        let hold = embedded::hold(&options(&dir, true)).unwrap();
        let cluster = Arc::new(Self { dir: dir.clone(), hold, _scratch: None });
        let store = Store { cluster, name: PRIVATE.to_owned(), dir };
        store.run(&["night", "--on", BEFORE]).ended(0);
        store
    }

    /// Where the cluster and the data directories of its stores are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where to connect.
    pub fn url(&self, database: &str, login: Login) -> String {
        self.hold.url(login).unwrap().replace("/benefactor?", &format!("/{database}?"))
    }

    /// Says something to the server.
    pub async fn owner(&self, statement: &str) {
        let mut server = connect(&self.url("postgres", Login::Owner)).await;
        server.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
        server.close().await.unwrap();
    }

    /// A store that begins as another stands: its database and what its data directory holds.
    pub async fn clone_of(self: &Arc<Self>, name: &str, from: &str) -> Store {
        self.owner(&format!("create database {name} template {from} strategy wal_log")).await;
        let dir = self.dir.join(name);
        fs::create_dir(&dir).unwrap();
        let spool = self.dir.join(from).join("spool");
        if spool.exists() {
            fs::create_dir(dir.join("spool")).unwrap();
            for file in fs::read_dir(spool).unwrap().flatten() {
                fs::copy(file.path(), dir.join("spool").join(file.file_name())).unwrap();
            }
        }
        Store { cluster: Arc::clone(self), name: name.to_owned(), dir }
    }

    /// Sends the server a signal: `KILL` ends it as a power cut does, `QUIT` is its immediate shutdown.
    pub fn signal_postgres(&self, signal: &str) {
        let pid = fs::read_to_string(self.dir.join("store/data/postmaster.pid")).unwrap();
        send(signal, pid.lines().next().unwrap());
    }

    /// Waits until Postgres answers again, started by whoever of us is first.
    pub async fn recover(&self) {
        drop(embedded::hold(&options(&self.dir, true)).unwrap());
        let server: PgConnectOptions = self.url("postgres", Login::Owner).parse().unwrap();
        let begun = Instant::now();
        while let Err(error) = server.connect().await {
            assert!(begun.elapsed() < PATIENCE, "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// One database with its data directory.
pub struct Store {
    cluster: Arc<Cluster>,
    /// Of the database.
    pub name: String,
    /// The data directory.
    pub dir: PathBuf,
}

impl Store {
    /// The binary at work on this store, as the worker.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = benefactor(&self.dir);
        if self.name != PRIVATE {
            command.env("DATABASE_URL", self.cluster.url(&self.name, Login::Worker));
        }
        command.env("BENEFACTOR_CONFIG_DIR", config()).env("BENEFACTOR_LISTEN", "127.0.0.1:0");
        command.args(["--now", NOW]).args(args);
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// Every night that is due, and what waits in the inbox before them.
    pub fn night(&self) -> Command {
        self.command(&["night"])
    }

    /// `up`, as an operator's unit starts it.
    pub fn up(&self) -> Command {
        self.command(&["up"])
    }

    /// Starts a process and goes on. What it says is kept beside the data directory.
    pub fn start(&self, mut command: Command) -> Running {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command.env("RUST_LOG", "warn,benefactor=debug").stdout(Stdio::null()).stderr(log);
        Running(command.spawn().unwrap())
    }

    /// What the processes that run on said.
    pub fn log(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// The last of what they said.
    pub fn said(&self) -> String {
        let said = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Files dropped into the inbox, whole at once.
    pub fn drop_in(&self, files: &[PathBuf]) {
        fs::create_dir_all(self.dir.join("inbox")).unwrap();
        for file in files {
            fs::copy(file, self.dir.join("inbox").join(file.file_name().unwrap())).unwrap();
        }
    }

    /// A connection as the owner.
    pub async fn owner(&self) -> PgConnection {
        connect(&self.cluster.url(&self.name, Login::Owner)).await
    }

    /// One value, asked as the owner.
    pub async fn one<T>(&self, query: &str) -> T
    where
        T: Send + Unpin + sqlx::Type<sqlx::Postgres> + for<'r> sqlx::Decode<'r, sqlx::Postgres> + 'static,
    {
        let mut owner = self.owner().await;
        let value = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut owner).await.unwrap();
        owner.close().await.unwrap();
        value
    }

    /// Waits until a query says yes; says how long that took.
    pub async fn until(&self, what: &str, query: &str, patience: Duration) -> Duration {
        let begun = Instant::now();
        let mut owner = self.owner().await;
        let asked = || AssertSqlSafe(query.to_owned());
        while !sqlx::query_scalar::<_, bool>(asked()).fetch_one(&mut owner).await.unwrap() {
            assert!(begun.elapsed() < patience, "{}: never: {what}\n{}", self.name, self.said());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        owner.close().await.unwrap();
        begun.elapsed()
    }

    /// The database's clock, which tells when what was done.
    pub async fn clock(&self) -> DateTime<Utc> {
        self.one("select clock_timestamp()").await
    }

    /// How long after an instant everything was under way again that whoever was gone or paused then had held: somebody
    /// did something, and each chunk that was lost was claimed anew. By the database's clock, so that neither our own
    /// looking nor the rest of the work is counted.
    pub async fn rescued_since(&self, begun: DateTime<Utc>) -> Duration {
        let seconds: f64 = self
            .one(&format!(
                "with done (at) as (
                     select started_at from attempt union all select finished_at from run
                     union all select completed_at from night
                 ), again (at) as (
                     select (select min(a.started_at) from attempt a where (a.run_id, a.chunk_no) = (l.run_id, l.chunk_no)
                             and a.attempt_id > l.attempt_id)
                     from attempt l where l.outcome = 'lost'
                 )
                 select coalesce(extract(epoch from greatest((select min(at) from done where at > '{begun}'::timestamptz),
                                                             (select max(at) from again)) - '{begun}'::timestamptz), 0)::float8"
            ))
            .await;
        Duration::from_secs_f64(seconds.max(0.0))
    }

    /// Whether the last night is complete and the inbox is empty: nothing is left to do.
    pub async fn until_done(&self, patience: Duration) -> Duration {
        let night = format!("select exists (select from night where due_on = '{LAST}')");
        let took = self.until("the last night is complete", &night, patience).await;
        let begun = Instant::now();
        while self.waits_in_inbox() {
            assert!(begun.elapsed() < patience, "{}: the inbox is never empty\n{}", self.name, self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        took + begun.elapsed()
    }

    /// Whether anything in the inbox, or on its way in, has no answer yet.
    fn waits_in_inbox(&self) -> bool {
        let inbox = self.dir.join("inbox");
        let names = |folder: &Path| -> Vec<String> {
            let listed = fs::read_dir(folder).into_iter().flatten().flatten();
            listed.map(|entry| entry.file_name().into_string().unwrap()).collect()
        };
        let dropped =
            names(&inbox).iter().any(|name| !["done", "refused", ".taking"].contains(&name.as_str()));
        dropped || names(&inbox.join(".taking")).iter().any(|name| !name.starts_with('.'))
    }

    /// That every file that was dropped is kept as it was, once, and nothing else but its answer and its note.
    pub fn kept_all(&self, dropped: &[PathBuf], told: &str) {
        assert!(!self.waits_in_inbox(), "{told}");
        let done = self.dir.join("inbox/done");
        let mut kept: Vec<String> = fs::read_dir(&done)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        kept.sort();
        let mut expected = Vec::new();
        for file in dropped {
            let name = file.file_name().unwrap().to_str().unwrap();
            let stem = name.strip_suffix(".csv").unwrap();
            expected.extend([name.to_owned(), format!("{stem}.note.txt"), format!("{stem}.result.csv")]);
            assert_eq!(fs::read(done.join(name)).unwrap(), fs::read(file).unwrap(), "{told}: {name}");
        }
        expected.sort();
        assert_eq!(kept, expected, "{told}");
    }

    /// Everything that is promised to be equal: the digest, decisions, notices, each mail but for its Date, answers.
    pub async fn outcome(&self) -> BTreeMap<String, String> {
        let mut outcome = BTreeMap::new();
        outcome.insert("digest".to_owned(), self.run(&["digest"]).ended(0).stdout);
        let mut owner = self.owner().await;
        for (what, query) in [
            (
                "decisions",
                "select concat_ws(' ', action, subject, outcome, reasons, decided_on) from decision",
            ),
            ("notices", "select concat_ws(' ', kind, anchor_on, status, content) from notice_told"),
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
            ("files", "select concat_ws(' ', sha256, status) from file"),
        ] {
            let query =
                format!("select coalesce(string_agg(l, E'\\n' order by l), '') from ({query}) lines (l)");
            let lines: String = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut owner).await.unwrap();
            outcome.insert(what.to_owned(), lines);
        }
        owner.close().await.unwrap();
        // A delivery that was cut short leaves its hidden part; nobody takes that for a mail or an answer.
        for (name, text) in texts(&self.dir.join("outbox")) {
            // Its Date is when this store composed it, which another one did at another moment.
            let undated = text.lines().filter(|line| !line.starts_with("Date: "));
            outcome.insert(format!("mail {name}"), undated.collect::<Vec<_>>().join("\n"));
        }
        // A file with rejected rows that was done before a kill is read again, and says of the rows that went in that
        // they are unchanged.
        let answers = texts(&self.dir.join("answers")).into_iter().chain(texts(&self.dir.join("inbox/done")));
        for (name, text) in answers.filter(|(name, _)| name.ends_with(".result.csv")) {
            outcome.insert(format!("answer {name}"), text.replace(",unchanged,", ",applied,"));
        }
        outcome
    }

    /// What must hold once all is done, whatever was done to it: nothing below zero or out of balance, nothing doubled
    /// or missing, nothing left claimed or called for.
    pub async fn nothing_is_wrong(&self, told: &str) {
        let mut owner = self.owner().await;
        let never = NEVER.into_iter().chain(LEFT);
        let all: Vec<String> =
            never.map(|(what, query)| format!("select $${what}: $$ || f from ({query}) found (f)")).collect();
        let all = all.join(" union all ");
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(all)).fetch_all(&mut owner).await.unwrap();
        assert_eq!(found, [""; 0], "{told}");
        owner.close().await.unwrap();
    }

    /// Claims in all, and those that no word of an end came of.
    pub async fn starts(&self) -> (i64, i64) {
        let starts = self.one("select count(*) from attempt").await;
        (starts, self.one("select count(*) from attempt where outcome is distinct from 'done'").await)
    }

    /// Gone for good, with its data directory.
    pub async fn remove(self) {
        self.cluster.owner(&format!("drop database {} with (force)", self.name)).await;
        fs::remove_dir_all(&self.dir).unwrap();
        let _ = fs::remove_file(self.log());
    }
}

/// What must not be left of work and calls once all is done.
const LEFT: [(&str, &str); 4] = [
    ("a chunk that is not done", "select run_id || '.' || chunk_no || ' ' || status from run_chunk where status not in ('done', 'split')"),
    (
        "a chunk that was not done once",
        "select c.run_id || '.' || c.chunk_no from run_chunk c
         where c.status <> 'split' and (select count(*) from attempt a where (a.run_id, a.chunk_no) = (c.run_id, c.chunk_no)
                and a.outcome = 'done') <> 1",
    ),
    (
        "a claim without its attempt",
        "select c.run_id || '.' || c.chunk_no from run_chunk c
         where c.epoch <> (select count(*) from attempt a where (a.run_id, a.chunk_no) = (c.run_id, c.chunk_no))",
    ),
    (
        "a call that somebody holds",
        "select id || ' ' || lock_by from apalis.jobs where status in ('Queued', 'Running')",
    ),
];

fn texts(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
    let whole = named.filter(|(name, _)| !name.starts_with('.'));
    whole.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// The first few lines of one that the other has not, or not as often.
fn beyond<'a>(one: &[&'a str], other: &[&str]) -> Vec<&'a str> {
    let mut unmet = other.to_vec();
    let more = one.iter().copied().filter(|line| match unmet.iter().position(|left| left == line) {
        Some(at) => {
            unmet.swap_remove(at);
            false
        }
        None => true,
    });
    more.take(5).collect()
}

/// Says what differs, and no more than that.
#[track_caller]
pub fn same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, told: &str) {
    for (what, lines) in expected {
        let other = found.get(what).map_or("", String::as_str);
        if other != lines {
            let (a, b): (Vec<_>, Vec<_>) = (other.lines().collect(), lines.lines().collect());
            let (surplus, missing) = (beyond(&a, &b), beyond(&b, &a));
            panic!(
                "{told}: {what} differs: {} lines for {}; surplus {surplus:#?}, missing {missing:#?}",
                a.len(),
                b.len()
            );
        }
    }
    let surplus: Vec<_> = found.keys().filter(|what| !expected.contains_key(*what)).collect();
    assert!(surplus.is_empty(), "{told}: surplus {surplus:?}");
}

/// Policies with small chunks, so that there are many places to hit.
fn config() -> &'static Path {
    static CONFIG: OnceLock<Scratch> = OnceLock::new();
    CONFIG
        .get_or_init(|| {
            let dir = Scratch::new();
            fs::create_dir(dir.join("jobs")).unwrap();
            for (stem, text) in benefactor::jobs::policy::BUILT_IN {
                let rows = if stem == "email_contacts" { 5 } else { 20 };
                let lines = text.lines().map(|line| match line.split_once(" = ") {
                    Some(("chunk_rows", _)) => format!("chunk_rows = {rows}"),
                    _ => line.to_owned(),
                });
                let text = lines.collect::<Vec<_>>().join("\n");
                fs::write(dir.join(&format!("jobs/{stem}.toml")), text).unwrap();
            }
            dir
        })
        .path()
}

/// Partners, users, orders whose credit begins and lapses through the week, what was assigned, used and cancelled;
/// some rows are bad.
pub fn files(dir: &Path, partners: usize, orders: usize) -> Vec<PathBuf> {
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
    let mut add = |file: usize, line: String| texts[file].1.push_str(&line);
    for partner in 0..partners {
        let number = 5000 + partner;
        add(0, format!("{number},Partner {number},accounts@p{number}.example,US,USD\n"));
        add(
            1,
            format!(
                "{number},00000000-0000-4000-8000-{number:0>12},ada@p{number}.example,member,true,global_admin\n"
            ),
        );
    }
    let (start, asked_on) = (day("2024-01-24"), "2024-03-03");
    for n in 0..orders {
        let number = 5000 + n % partners;
        let on = add_days(start, u32::try_from(n % 41).unwrap());
        let until = if n % 7 == 0 { "2024-03-02" } else { "2024-12-31" };
        let amount = if n % 97 == 0 { "a lot" } else { "100" };
        add(
            2,
            format!("{number},ORD-{n},silver,azure_monthly_credit,core,1,{on},{on},{until},{amount},USD,\n"),
        );
        if n % 3 == 0 {
            add(
                3,
                format!(
                    "{number},ORD-{n},azure_monthly_credit,assign,ada@p{number}.example,ada@p{number}.example,{asked_on}\n"
                ),
            );
        }
        if n % 5 == 0 {
            add(4, format!("{number},ORD-{n},azure_monthly_credit,{on},{}.50,USD,USE-{n}\n", 40 + n % 90));
        }
        if n % 20 == 1 {
            add(5, format!("{number},SR-{n},cancel,ada@p{number}.example,{asked_on},ORD-{n}\n"));
        }
    }
    fs::create_dir_all(dir).unwrap();
    let write = |(name, text): (&str, String)| {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    texts.into_iter().map(write).collect()
}

/// Sends a signal to a process.
pub fn send(signal: &str, pid: &str) {
    let _ = Command::new("kill").args([&format!("-{signal}"), pid]).status().unwrap();
}

/// Waits until a process that has just been started catches SIGTERM, or is gone: before that the signal ends it.
pub fn hears(process: &mut Child) {
    let until = Instant::now() + PATIENCE;
    let catches = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        Some(u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << (15 - 1)) != 0)
    };
    // Where there is no /proc, nothing says so.
    while process.try_wait().unwrap().is_none() && catches(process.id()) == Some(false) {
        assert!(Instant::now() < until, "it never listens for a stop");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A process under way; killed when dropped.
pub struct Running(pub Child);

impl Running {
    /// Waits until it would hear that it is to stop.
    pub fn hears(&mut self) {
        hears(&mut self.0);
    }

    /// Waits for it to end; `None` if it has not by then.
    pub fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it with -9 after a while; says whether it was still there.
    pub fn killed_after(mut self, pause: Duration) -> bool {
        if self.ended_within(pause).is_some() {
            return false;
        }
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        true
    }

    /// Asks it to stop, and sees it end in order.
    #[track_caller]
    pub fn stop(mut self) {
        self.hears();
        send("TERM", &self.0.id().to_string());
        let ended = self.ended_within(PATIENCE).expect("it was asked to stop and does not");
        assert_eq!(ended.code(), Some(0));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it as often as it takes: the lock of one that was killed is let go when Postgres sees it gone.
pub fn to_its_end(mut command: impl FnMut() -> Command, good: &[i32], told: &str) -> Ran {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ran = Ran::of(&mut command());
        if good.contains(&ran.code) {
            return ran;
        }
        assert!([4, 6].contains(&ran.code) && Instant::now() < deadline, "{told}: {ran:#?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Small, known, and the same everywhere (Knuth's MMIX constants).
pub struct Dice(u64);

impl Dice {
    /// The seed of a test: `BENEFACTOR_TEST_SEED`, else always the same; `random` draws one, which is printed, so that
    /// it can be given again.
    pub fn seed() -> u64 {
        let seed = match std::env::var("BENEFACTOR_TEST_SEED").as_deref() {
            Err(_) => 1,
            Ok("random") => RandomState::new().build_hasher().finish() >> 32,
            Ok(given) => given.parse().unwrap(),
        };
        println!("BENEFACTOR_TEST_SEED={seed}");
        seed
    }

    /// One for each round, so that rounds side by side throw what they throw one by one.
    pub fn of(seed: u64, round: u64) -> Self {
        let mut dice = Self(seed ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        dice.throw(2);
        dice
    }

    /// At least 0, less than `most`.
    pub fn throw(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    /// A pause shorter than that.
    pub fn pause(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.throw(u64::try_from(most.as_millis()).unwrap().max(1)))
    }
}

/// How many rounds: `BENEFACTOR_TEST_ROUNDS`, else these.
pub fn rounds(in_ci: u64) -> u64 {
    std::env::var("BENEFACTOR_TEST_ROUNDS").map_or(in_ci, |rounds| rounds.parse().unwrap())
}
