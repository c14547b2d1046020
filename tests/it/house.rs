//! What tests live in: a Postgres of their own, started by whichever test comes first, a fresh database each, and
//! the real binary in a clean environment.
//!
//! The cluster is not durable and shared by all tests of a run, in one process (`cargo test`) or in one process a
//! test (nextest): the store's own locks keep it up until the last test is gone. Databases are clones of a template
//! that is migrated once for each set of migrations.

use std::{
    collections::hash_map::DefaultHasher,
    fs::{self, File},
    hash::{Hash, Hasher},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use benefactor::{
    domain::catalogue::Catalogue,
    jobs::policy::Policies,
    store::{
        embedded::{self, Hold, Login},
        schema::{self, Grants},
    },
    worker,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::cluster::PATIENCE;

/// The program under test.
pub const BENEFACTOR: &str = env!("CARGO_BIN_EXE_benefactor");

/// A database of its own, migrated, empty, gone when the test ends; and a directory likewise.
pub struct House {
    /// Connections as the worker, as commands have them.
    pub pool: PgPool,
    /// Connections as the owner, to arrange and to look.
    pub owner: PgPool,
    /// Where the worker connects: `DATABASE_URL` for the binary.
    pub url: String,
    /// Where the owner connects.
    pub owner_url: String,
    /// Where the reader of reports connects.
    pub reader_url: String,
    /// A data directory for the binary.
    pub dir: Scratch,
    /// Policy files of this house, by stem, where they are not the compiled-in ones.
    pub policies: Vec<(&'static str, String)>,
    /// Those and the catalogue, once they are read.
    pub facts: OnceLock<(Arc<Policies>, Arc<Catalogue>)>,
    /// The business date of its first file: where its nights begin.
    pub since: Option<chrono::NaiveDate>,
    database: String,
}

impl House {
    /// Opens one.
    pub async fn open() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let database = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let template = template().await;
        let mut server = connect(&server_url("postgres", Login::Owner)).await;
        run(&mut server, &format!("create database {database} template {template} strategy file_copy")).await;
        server.close().await.unwrap();
        let url = server_url(&database, Login::Worker);
        let owner_url = server_url(&database, Login::Owner);
        let reader_url = server_url(&database, Login::Reader);
        let (pool, owner) = (pool(&url).await, pool(&owner_url).await);
        let (policies, facts, since) = (Vec::new(), OnceLock::new(), None);
        Self {
            pool,
            owner,
            url,
            owner_url,
            reader_url,
            dir: Scratch::new(),
            policies,
            facts,
            since,
            database,
        }
    }

    /// The binary on this database, as the worker, in this house's data directory.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = benefactor(self.dir.path());
        command.env("DATABASE_URL", &self.url).args(args);
        command
    }

    /// Runs the binary to its end.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// One value, asked as the owner.
    pub async fn one<T>(&self, query: &str) -> T
    where
        T: Send + Unpin + sqlx::Type<sqlx::Postgres> + for<'r> sqlx::Decode<'r, sqlx::Postgres> + 'static,
    {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        query.fetch_one(&self.owner).await.unwrap()
    }

    /// A query's one column, which is text, asked as the owner.
    pub async fn lines(&self, query: &str) -> Vec<String> {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        query.fetch_all(&self.owner).await.unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let drop_it = format!("drop database if exists {} with (force)", self.database);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = connect(&server_url("postgres", Login::Owner)).await;
                run(&mut server, &drop_it).await;
            });
        });
        let _ = dropping.join();
    }
}

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Asserts how it ended; shows everything it said otherwise.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// The binary with a data directory and nothing else of our environment but the way to programs.
pub fn benefactor(data_dir: &Path) -> Command {
    let mut command = Command::new(BENEFACTOR);
    command.env_clear().env("BENEFACTOR_DATA_DIR", data_dir).stdin(Stdio::null());
    for name in ["PATH", "HOME", "PG_BIN_DIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Where tests put what they throw away: `BENEFACTOR_TEST_DIR`, else in memory, where the machine keeps files there and has
/// room for ours, else the system's temporary directory. Databases are thousands of small files, made and removed.
fn ground() -> &'static Path {
    static GROUND: OnceLock<PathBuf> = OnceLock::new();
    GROUND.get_or_init(|| {
        let given = std::env::var_os("BENEFACTOR_TEST_DIR").filter(|dir| !dir.is_empty());
        given.map_or_else(|| PathBuf::from(if is_roomy(MEMORY) { MEMORY } else { "/tmp" }), PathBuf::from)
    })
}

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";
/// What the tests may need there.
const ROOM_KB: u64 = 4 << 20;

/// Whether programs may be run from there, which a container may forbid, and files have room.
fn is_roomy(dir: &str) -> bool {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let runs = fields.filter(|mount| mount.get(1) == Some(&dir)).any(|mount| !mount[3].contains("noexec"));
    let told = Command::new("df").args(["--output=avail", "-k", dir]).output();
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default();
    let room = told.lines().nth(1).and_then(|kb| kb.trim().parse::<u64>().ok());
    runs && room >= Some(ROOM_KB)
}

/// A directory that Postgres's account can reach; gone when dropped.
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("benefactor-test-")
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in(ground())
            .unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap(); // whatever the umask
        Self(dir)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// The private store's options for tests.
pub fn options(data_dir: &Path, durable: bool) -> embedded::Options {
    embedded::Options {
        data_dir: data_dir.to_owned(),
        pg_bin_dir: std::env::var_os("PG_BIN_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from),
        archive: embedded::Archive::Usual,
        keeper: PathBuf::from(BENEFACTOR),
        durable,
    }
}

/// This process's use of the run's cluster. Never dropped: the kernel takes the lock back when the process ends.
fn cluster() -> &'static Hold {
    static CLUSTER: OnceLock<Hold> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        fs::create_dir_all(home()).unwrap();
        let turn = File::create(home().join("cluster.lock")).unwrap();
        turn.lock().unwrap();
        discard_what_an_earlier_run_left(&home());
        // Another version's, or not whole: nothing in it is worth repairing, nor fetching programs for.
        let installed = embedded::Options { archive: embedded::Archive::Never, ..options(&home(), false) };
        embedded::hold(&installed).unwrap_or_else(|why| {
            assert!(embedded::at_rest(&home(), Duration::from_mins(1)).unwrap(), "{why}");
            eprintln!("the tests' cluster is made anew: {why}");
            embedded::discard(&home()).unwrap();
            embedded::hold(&options(&home(), false)).unwrap()
        })
    })
}

/// A cluster that is not durable is not to be trusted after it was not stopped: what it had not written is gone with a
/// machine that went down.
fn discard_what_an_earlier_run_left(home: &Path) {
    let store = embedded::directory(home).unwrap();
    let was_stopped = store.is_none_or(|store| !store.join("data/postmaster.pid").exists());
    if !was_stopped && embedded::at_rest(home, Duration::ZERO).unwrap() {
        embedded::discard(home).unwrap();
    }
}

/// Kept from run to run, one for each directory that cargo builds in.
fn home() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if ground() == Path::new("/tmp") {
        return target.join("house");
    }
    let mut hasher = DefaultHasher::new();
    target.hash(&mut hasher);
    ground().join(format!("benefactor-tests-{:016x}", hasher.finish()))
}

fn server_url(database: &str, login: Login) -> String {
    cluster().url(login).unwrap().replace("/benefactor?", &format!("/{database}?"))
}

/// The name of a migrated database to clone, made by whoever comes first.
async fn template() -> String {
    static READY: OnceLock<String> = OnceLock::new();
    if let Some(name) = READY.get() {
        return name.clone();
    }
    let _ = cluster();
    // A file's lock: shared by threads of this process and by other processes, and gone with its holder.
    // Waited for on a thread of its own, lest houses that one test opens at once wait for each other.
    let locked = || {
        let lock = File::create(home().join("template.lock")).unwrap();
        lock.lock().unwrap();
        lock
    };
    let _lock = tokio::task::spawn_blocking(locked).await.unwrap();
    let name = format!("template_{:016x}", fingerprint());
    let mut server = connect(&server_url("postgres", Login::Owner)).await;
    let databases: Vec<(String, bool)> =
        sqlx::query_as("select datname::text, datistemplate from pg_database")
            .fetch_all(&mut server)
            .await
            .unwrap();
    for (left, _) in databases.iter().filter(|(left, whole)| is_left_over(left, *whole, &name)) {
        // One that a crash left half made can be dropped and nothing else.
        let plain = format!("alter database {left} is_template false");
        let _ = server.execute(AssertSqlSafe(plain)).await;
        run(&mut server, &format!("drop database if exists {left} with (force)")).await;
    }
    if !databases.contains(&(name.clone(), true)) {
        run(&mut server, &format!("create database {name}")).await;
        migrate(&server_url(&name, Login::Owner)).await;
        // Nobody connects to a template, lest a clone waits for them; being one says that it is whole.
        run(&mut server, &format!("alter database {name} with allow_connections false is_template true"))
            .await;
    }
    server.close().await.unwrap();
    READY.get_or_init(|| name).clone()
}

/// Applies every migration and grants to the private store's roles.
pub async fn migrate(owner_url: &str) {
    let (mut owner, mut lock) = (connect(owner_url).await, connect(owner_url).await);
    let grants = Grants::default().and(Login::Worker.role(), Login::Reader.role());
    schema::migrate(&mut owner, &mut lock, &worker::transport_migrations(), &grants).await.unwrap();
    owner.close().await.unwrap();
    lock.close().await.unwrap();
}

/// What a template depends on: every migration, and who is granted what.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    for migrations in [schema::migrations(), worker::transport_migrations()] {
        for migration in migrations.iter() {
            migration.checksum.hash(&mut hasher);
        }
    }
    include_str!("../../src/store/schema.rs").hash(&mut hasher);
    hasher.finish()
}

/// Databases of test processes that died, templates of other migrations, and a template that was not finished.
fn is_left_over(database: &str, whole: bool, current: &str) -> bool {
    if let Some(rest) = database.strip_prefix("test_") {
        let pid = rest.split('_').next().unwrap_or_default();
        return Path::new("/proc/self").exists() && !Path::new("/proc").join(pid).exists();
    }
    database.starts_with("template_") && (database != current || !whole)
}

async fn pool(url: &str) -> PgPool {
    let options: PgConnectOptions = url.parse().unwrap();
    let options = options.statement_cache_capacity(400); // as the program has it
    PgPoolOptions::new().max_connections(8).acquire_timeout(PATIENCE).connect_with(options).await.unwrap()
}

/// One connection.
pub async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options.connect().await.unwrap()
}

async fn run(connection: &mut PgConnection, statement: &str) {
    connection.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}
