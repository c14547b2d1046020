//! Where processes are stopped, broken and crowded: a durable cluster that the tests under way share, stores whose files
//! are in and whose nights are due, and what becomes of one that is left in peace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::sync::Mutex;

use crate::{
    cluster::{BEGUN, Cluster, LAST, PATIENCE, Running, Store, files, same, send},
    house::Ran,
};

const PARTNERS: usize = 6;
const ORDERS: usize = 60;
/// The store that the others are clones of.
const LOADED: &str = "loaded";
/// The job whose chunks most faults are for.
pub const JOB: &str = "provision_credits";
/// Whatever was held by whoever is gone or paused is under way again by then.
pub const RESCUED: Duration = Duration::from_mins(1);

/// What the tests under way share.
pub struct Ground {
    cluster: Arc<Cluster>,
    config: PathBuf,
    /// What a store comes to when nothing is in the way.
    pub expected: BTreeMap<String, String>,
    /// How many chunks the first run of [`JOB`] has in its first stage, and in the first two.
    pub chunks: (u64, u64),
}

impl Ground {
    /// The one there is, else a new one; gone with the last test that uses it.
    pub async fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Ground>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(ground) = shared.upgrade() {
            return ground;
        }
        let ground = Arc::new(Self::prepare().await);
        *shared = Arc::downgrade(&ground);
        ground
    }

    async fn prepare() -> Self {
        let cluster = Cluster::start().await;
        let config = write_config(&cluster.dir().join("config"), &[]);
        let loaded = cluster.clone_of(LOADED, BEGUN).await;
        let dropped = files(&cluster.dir().join("drop"), PARTNERS, ORDERS);
        let answers = cluster.dir().join("answers");
        let mut import = loaded.command(&["import", "--results", answers.to_str().unwrap()]);
        Ran::of(import.args(dropped)).ended(3);
        let mut ground = Self { cluster, config, expected: BTreeMap::new(), chunks: (0, 0) };
        let straight = ground.site(&[]).await;
        straight.run(&["night"], "").ended(0);
        ground.expected = straight.store.outcome().await;
        let counted =
            |stages| format!("select count(*) from run_chunk where {OF_FIRST} and stage < {stages}");
        let (first, both): (i64, i64) = (straight.one(&counted(1)).await, straight.one(&counted(2)).await);
        ground.chunks = (u64::try_from(first).unwrap(), u64::try_from(both).unwrap());
        straight.store.nothing_is_wrong("straight").await;
        assert!(
            ground.chunks.1 > ground.chunks.0 + 10 && ground.expected["mails"].lines().count() > 3,
            "{:#?}",
            ground.expected
        );
        straight.store.remove().await;
        ground
    }

    /// A store of its own, worked on by policies that are changed in `(job, key, value)`; no job: all of them.
    pub async fn site(&self, changes: &[(&str, &str, &str)]) -> Site {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("site_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let store = self.cluster.clone_of(&name, LOADED).await;
        let config = if changes.is_empty() {
            self.config.clone()
        } else {
            write_config(&store.dir.with_extension("config"), changes)
        };
        let far = store.dir.with_extension("far");
        fs::create_dir(&far).unwrap();
        Site { store, config, far }
    }

    /// That a store has come to what one comes to that nothing happened to.
    pub async fn is_equal(&self, site: &Site, told: &str) {
        same(&site.store.outcome().await, &self.expected, told);
        site.store.nothing_is_wrong(told).await;
    }
}

/// The chunks of the first run of [`JOB`].
pub const OF_FIRST: &str =
    "run_id = (select run_id from run where job = 'provision_credits' and due_on = '2024-02-29')";

/// One store, its policies, and a second place to work from.
pub struct Site {
    /// The store.
    pub store: Store,
    config: PathBuf,
    far: PathBuf,
}

impl Site {
    /// The binary at work here, with faults.
    pub fn command(&self, args: &[&str], faults: &str) -> Command {
        let mut command = self.store.command(args);
        command.env("BENEFACTOR_CONFIG_DIR", &self.config).env("BENEFACTOR_FAULTS", faults);
        command
    }

    /// The same at another instant of the business clock.
    pub fn command_at(&self, now: &str, args: &[&str]) -> Command {
        let at_now = self.command(&[], "");
        let mut command = Command::new(at_now.get_program());
        command.env_clear().stdin(Stdio::null()).args(["--now", now]).args(args);
        command.envs(at_now.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str], faults: &str) -> Ran {
        Ran::of(&mut self.command(args, faults))
    }

    /// Starts it and goes on.
    pub fn start(&self, args: &[&str], faults: &str) -> Running {
        self.store.start(self.command(args, faults))
    }

    /// Starts a worker of another machine, as far as files and mails go.
    pub fn start_far(&self, faults: &str) -> Running {
        let mut command = self.command(&["worker"], faults);
        command.env("BENEFACTOR_DATA_DIR", &self.far);
        self.store.start(command)
    }

    /// One value, asked as the owner.
    pub async fn one<T>(&self, query: &str) -> T
    where
        T: Send + Unpin + sqlx::Type<sqlx::Postgres> + for<'r> sqlx::Decode<'r, sqlx::Postgres> + 'static,
    {
        self.store.one(query).await
    }

    /// Does something, as the owner.
    pub async fn does(&self, statement: &str) {
        self.store.owner().await.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    /// A transaction of the owner's that has said something, and goes on.
    pub async fn holding(&self, statement: &str) -> PgConnection {
        let mut owner = self.store.owner().await;
        owner.execute(AssertSqlSafe(format!("begin; {statement}"))).await.unwrap();
        owner
    }

    /// Keeps chunks, once claimed, from going on.
    pub async fn gate(&self) -> PgConnection {
        self.holding("select pg_advisory_xact_lock(hashtext('benefactor.facts'))").await
    }

    /// Waits until a query says yes.
    pub async fn until(&self, what: &str, query: &str) -> Duration {
        let begun = Instant::now();
        let mut owner = self.store.owner().await;
        while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut owner)
            .await
            .unwrap()
        {
            assert!(
                begun.elapsed() <= PATIENCE,
                "{}: never: {what}\n{}\n{}",
                self.store.name,
                self.said(),
                self.stands().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        begun.elapsed()
    }

    /// Waits until the last night is complete.
    pub async fn until_done(&self) -> Duration {
        let done = format!("select exists (select from night where due_on = '{LAST}')");
        self.until("the last night is complete", &done).await
    }

    /// Waits until no call is left with anybody but this process.
    pub async fn until_no_call_is_held_but_by(&self, process: &Running) {
        let held =
            "select count(*) = 0 from apalis.jobs where status in ('Queued', 'Running') and lock_by not like";
        let held = format!("{held} '%:worker:%:{}:%'", process.0.id());
        self.until("no call is held by anybody gone", &held).await;
    }

    /// Every row of these tables as text, for comparing before and after.
    pub async fn rows(&self, tables: &[&str]) -> BTreeMap<String, String> {
        let mut rows = BTreeMap::new();
        for table in tables {
            let query =
                format!("select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from {table} t");
            rows.insert((*table).to_owned(), self.one(&query).await);
        }
        rows
    }

    /// How the tries of the first run's chunks ended: `3 done, 1 lost`.
    pub async fn tries(&self) -> String {
        let counted = format!(
            "select coalesce(outcome, 'open') as o, count(*) as n from attempt where {OF_FIRST} group by 1"
        );
        self.one(&format!("select string_agg(n || ' ' || o, ', ' order by o) from ({counted}) c")).await
    }

    /// Who waits for whom, what is claimed, what is called for.
    async fn stands(&self) -> String {
        let lines = "select concat_ws(' ', pid, state, wait_event, pg_blocking_pids(pid), now() - state_change, left(query, 90))
                         from pg_stat_activity where datname = current_database() and (state <> 'idle' or wait_event_type = 'Lock')
                     union all select concat_ws(' ', 'chunk', run_id, chunk_no, status, worker, lease_until - now())
                         from run_chunk where status <> 'done'
                     union all select concat_ws(' ', 'call', job_type, status, lock_by, now() - run_at) from apalis.jobs
                         where status <> 'Done'";
        self.one(&format!("select coalesce(string_agg(l, E'\\n'), 'nothing') from ({lines}) lines (l)")).await
    }

    /// Waits until one of the processes here has said that.
    pub async fn until_said(&self, words: &str) {
        let begun = Instant::now();
        while !self.said().contains(words) {
            assert!(begun.elapsed() <= PATIENCE, "{}: never said: {words}\n{}", self.store.name, self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the processes here said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.store.log()).unwrap_or_default()
    }
}

impl Running {
    /// Waits until it has stopped, as by `kill -STOP`.
    pub async fn is_paused_within(&mut self, patience: Duration, told: &str) {
        let until = Instant::now() + patience;
        loop {
            let ended = self.0.try_wait().unwrap();
            assert!(ended.is_none(), "{told}: ended with {ended:?} before it got there");
            let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).unwrap_or_default();
            if stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')) {
                return;
            }
            assert!(Instant::now() < until, "{told}: never got there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        send(name, &self.0.id().to_string());
    }

    /// Waits for it to end by itself, and lets others wait meanwhile.
    pub async fn code(&mut self, patience: Duration, told: &str) -> i32 {
        let until = Instant::now() + patience;
        loop {
            if let Some(ended) = self.ended_within(Duration::ZERO) {
                return ended.code().unwrap_or(-1);
            }
            assert!(Instant::now() < until, "{told}: does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Policies with small chunks, worked one by one, and what a test wants otherwise.
fn write_config(dir: &Path, changes: &[(&str, &str, &str)]) -> PathBuf {
    fs::create_dir_all(dir.join("jobs")).unwrap();
    for (stem, text) in benefactor::jobs::policy::BUILT_IN {
        let mut work = BTreeMap::from([("chunk_rows", "3"), ("lanes", "1")]);
        work.extend(
            changes.iter().filter(|(job, ..)| [stem, ""].contains(job)).map(|(_, key, value)| (*key, *value)),
        );
        let mut lines = Vec::new();
        for line in text.lines() {
            if line.split_once(" = ").is_none_or(|(key, _)| !work.contains_key(key)) {
                lines.push(line.to_owned());
            }
            if line == "[work]" {
                lines.extend(work.iter().map(|(key, value)| format!("{key} = {value}")));
            }
        }
        fs::write(dir.join(format!("jobs/{stem}.toml")), lines.join("\n")).unwrap();
    }
    dir.to_owned()
}
