//! The private store through the real binary, on durable clusters of their own: cold and warm, shared, killed,
//! stale, absent.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use benefactor::store::{Location, Store};

use crate::{
    cluster::PATIENCE,
    house::{BENEFACTOR, House, Ran, Scratch, benefactor, options},
};

/// A `db hold` in the foreground of nobody; ended when dropped.
struct Holder {
    child: Child,
    url: String,
}

impl Holder {
    fn start(data_dir: &Path) -> Self {
        let mut child = benefactor(data_dir).args(["db", "hold"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("postgres://"), "no URL: {url:?}");
        Self { child, url: url.trim_end().to_owned() }
    }

    fn leave(mut self) {
        signal("TERM", self.child.id());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}

/// Runs a query through `db psql`, which holds the store meanwhile.
fn ask(data_dir: &Path, query: &str) -> String {
    let ran = Ran::of(benefactor(data_dir).args(["db", "psql", "--", "-X", "-At", "-c", query])).ended(0);
    ran.stdout.trim_end().to_owned()
}

fn postmaster(data_dir: &Path) -> Option<u32> {
    let text = fs::read_to_string(data_dir.join("store/data/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

fn keeper(data_dir: &Path) -> Option<u32> {
    keeper_of(&fs::canonicalize(data_dir.join("store")).ok()?)
}

fn keeper_of(store: &Path) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let wanted = store.to_str().unwrap();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&format!("keep-store\0{wanted}\0"))
    })
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn stopped(data_dir: &Path) {
    until("the store stops", || postmaster(data_dir).is_none() && keeper(data_dir).is_none());
}

#[test]
fn a_cold_start_makes_a_store_that_is_durable_private_and_gone_with_its_last_user() {
    let dir = Scratch::new();
    let settings = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings
                    where name in ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses')";
    assert_eq!(ask(dir.path(), settings), "data_checksums=on fsync=on full_page_writes=on listen_addresses=");
    stopped(dir.path());
    let socket = fs::read_to_string(dir.join("store/socket")).unwrap();
    assert_eq!(fs::metadata(socket).unwrap().mode() & 0o777, 0o700);
    Ran::of(benefactor(dir.path()).args(["db", "url"])).ended(6);
    // What was written is still there on the next start.
    ask(dir.path(), "create table kept as select 42 as answer");
    stopped(dir.path());
    assert_eq!(ask(dir.path(), "select answer from kept"), "42");
    stopped(dir.path());
}

#[test]
fn cold_starts_at_once_share_one_store() {
    let dir = Scratch::new();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let path = dir.path().to_owned();
            thread::spawn(move || Ran::of(benefactor(&path).arg("migrate")))
        })
        .collect();
    for start in starts {
        start.join().unwrap().ended(0);
    }
    stopped(dir.path());
}

#[test]
fn users_share_it_and_the_last_one_out_stops_it() {
    let dir = Scratch::new();
    let first = Holder::start(dir.path());
    let pid = postmaster(dir.path());
    let second = Holder::start(dir.path());
    assert_eq!(first.url, second.url);
    assert_eq!(Ran::of(benefactor(dir.path()).args(["db", "url"])).ended(0).stdout.trim_end(), first.url);
    first.leave();
    assert_eq!(ask(dir.path(), "select 1"), "1");
    assert_eq!(postmaster(dir.path()), pid, "the same server all along");
    second.leave();
    stopped(dir.path());
}

#[test]
fn whoever_comes_while_it_stops_gets_it_again() {
    let dir = Scratch::new();
    for round in 0..8 {
        assert_eq!(ask(dir.path(), &format!("select {round}")), round.to_string());
        thread::sleep(Duration::from_millis(round * 7)); // at another point of the stopping each time
    }
    stopped(dir.path());
}

#[test]
fn a_killed_user_does_not_keep_it_up() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    drop(user); // SIGKILL
    stopped(dir.path());
}

#[test]
fn a_killed_keeper_is_replaced_and_its_postgres_adopted() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    let (server, first) = (postmaster(dir.path()), keeper(dir.path()).unwrap());
    signal("KILL", first);
    until("a new keeper", || keeper(dir.path()).is_some_and(|now| now != first));
    assert_eq!(ask(dir.path(), "select 1"), "1");
    assert_eq!(postmaster(dir.path()), server);
    user.leave();
    stopped(dir.path());
}

#[test]
fn user_and_keeper_killed_together_leave_a_postgres_that_the_next_command_stops() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    let server = postmaster(dir.path());
    signal("KILL", keeper(dir.path()).unwrap());
    drop(user); // SIGKILL, before it can look for its keeper
    assert_eq!(ask(dir.path(), "select 1"), "1");
    assert!(server.is_some());
    stopped(dir.path());
}

#[test]
fn a_keeper_killed_while_it_makes_the_cluster_leaves_no_half_cluster() {
    let dir = Scratch::new();
    let path = dir.path().to_owned();
    let command = thread::spawn(move || Ran::of(benefactor(&path).arg("migrate")));
    let begun = || {
        let entries = fs::read_dir(dir.join("store")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().join("PG_VERSION").exists())
    };
    until("initdb is at work", begun);
    signal("KILL", keeper(dir.path()).unwrap());
    command.join().unwrap().ended(0);
    assert_eq!(ask(dir.path(), "select count(*) > 0 from public._sqlx_migrations"), "t");
    stopped(dir.path());
}

#[test]
fn a_killed_postgres_is_started_again_and_has_what_was_committed() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    ask(dir.path(), "create table kept as select 42 as answer");
    let first = postmaster(dir.path()).unwrap();
    signal("KILL", first);
    Ran::of(benefactor(dir.path()).arg("migrate")).ended(0);
    assert_ne!(postmaster(dir.path()), Some(first));
    assert_eq!(ask(dir.path(), "select answer from kept"), "42");
    user.leave();
    stopped(dir.path());
}

#[test]
fn everything_killed_at_once_is_put_right_by_the_next_command() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    let (server, keeper) = (postmaster(dir.path()).unwrap(), keeper(dir.path()).unwrap());
    Command::new("kill").args(["-9", &keeper.to_string(), &server.to_string()]).status().unwrap();
    drop(user);
    Ran::of(benefactor(dir.path()).arg("migrate")).ended(0);
    stopped(dir.path());
}

#[test]
fn a_stale_pid_file_of_a_living_stranger_is_cleaned() {
    let dir = Scratch::new();
    Ran::of(benefactor(dir.path()).arg("migrate")).ended(0);
    stopped(dir.path());
    // As after a power cut, with the number taken over by a process of the same account.
    let data = dir.join("store/data");
    let owner = fs::metadata(&data).unwrap();
    let mut stranger = Command::new("sleep");
    stranger.arg("300").current_dir("/");
    let me = fs::metadata("/proc/self").unwrap().uid();
    if me == 0 {
        stranger.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = stranger.spawn().unwrap();
    let lines = |path: &str| format!("{}\n{path}\n0\n5432\n{path}\n\n0 0\nready\n", stranger.id());
    let files = [data.join("postmaster.pid"), dir.join("store/s/.s.PGSQL.5432.lock")];
    for file in &files {
        fs::write(file, lines(data.to_str().unwrap())).unwrap();
        std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    Ran::of(benefactor(dir.path()).args(["db", "url"])).ended(6);
    let ran = Ran::of(benefactor(dir.path()).arg("migrate"));
    let alive = stranger.try_wait().unwrap().is_none();
    let _ = stranger.kill();
    let _ = stranger.wait();
    ran.ended(0);
    assert!(alive, "the stranger is left alone");
    stopped(dir.path());
}

#[test]
fn a_socket_path_that_is_too_long_goes_elsewhere_and_newcomers_find_it() {
    let dir = Scratch::new();
    let deep = dir.join(&"a-long-name-".repeat(10));
    let user = Holder::start(&deep);
    assert_eq!(ask(&deep, "select 1"), "1");
    let socket = fs::read_to_string(deep.join("store/socket")).unwrap();
    assert!(socket.len() < 90 && !socket.starts_with(deep.to_str().unwrap()), "{socket}");
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    user.leave();
    stopped(&deep);
    assert!(!Path::new(&socket).exists(), "left behind: {socket}");
}

#[test]
fn root_s_postgres_runs_as_another_and_goes_elsewhere_if_it_cannot_reach_the_directory() {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // an ordinary user's Postgres is its own, in every other test
    }
    let dir = Scratch::new();
    let closed = dir.join("home");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.join("data");
    let ran =
        Ran::of(benefactor(&data_dir).args(["db", "psql", "--", "-X", "-At", "-c", "show data_directory"]))
            .ended(0);
    let place = fs::read_to_string(data_dir.join("store.at")).unwrap();
    assert!(place.starts_with("/var/lib/benefactor/") && ran.stdout.starts_with(&place), "{ran:?}");
    assert!(ran.stderr.contains(&place), "it is said: {}", ran.stderr);
    assert_ne!(fs::metadata(format!("{place}/data")).unwrap().uid(), 0);
    let pid_file = format!("{place}/data/postmaster.pid");
    until("the store stops", || !Path::new(&pid_file).exists());
    until("its keeper ends", || keeper_of(Path::new(&place)).is_none());
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn an_ordinary_user_has_a_store_of_its_own_that_root_does_not_touch() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // every other test is this one
    }
    let dir = Scratch::new();
    let (binary, data_dir) = (dir.join("benefactor"), dir.join("data"));
    fs::copy(BENEFACTOR, &binary).unwrap(); // where anybody can reach it
    fs::create_dir(&data_dir).unwrap();
    std::os::unix::fs::chown(&data_dir, Some(65_534), Some(65_534)).unwrap();
    let ordinary = |args: &[&str]| {
        let mut command = Command::new(&binary);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).current_dir("/");
        command.arg("--data-dir").arg(&data_dir).args(args).uid(65_534).gid(65_534);
        Ran::of(&mut command)
    };
    ordinary(&["migrate"]).ended(0);
    stopped(&data_dir);
    assert_eq!(fs::metadata(data_dir.join("store/data")).unwrap().uid(), 65_534);
    assert!(Ran::of(benefactor(&data_dir).arg("migrate")).ended(2).stderr.contains("another user"));
    assert_eq!(ordinary(&["db", "psql", "--", "-X", "-At", "-c", "select 1"]).ended(0).stdout, "1\n");
    stopped(&data_dir);
}

#[test]
fn without_postgres_the_error_says_how_to_get_it() {
    let dir = Scratch::new();
    let ran = Ran::of(benefactor(dir.path()).env("PG_BIN_DIR", "/nonexistent").arg("migrate")).ended(6);
    for hint in ["apt install postgresql", "brew install", "PG_BIN_DIR", "DATABASE_URL"] {
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    }
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_store_of_another_version_is_refused_with_both_versions_named() {
    let dir = Scratch::new();
    Ran::of(benefactor(dir.path()).arg("migrate")).ended(0);
    stopped(dir.path());
    let version = dir.join("store/data/PG_VERSION");
    fs::write(&version, "9\n").unwrap();
    let ran = Ran::of(benefactor(dir.path()).arg("migrate")).ended(2);
    assert!(ran.stderr.contains("PostgreSQL 9"), "{}", ran.stderr);
}

#[test]
fn a_pipe_on_our_output_ends_with_us_though_the_keeper_lives_on() {
    let dir = Scratch::new();
    let user = Holder::start(dir.path());
    signal("KILL", keeper(dir.path()).unwrap()); // the command below starts the keeper that stays
    let start = Instant::now();
    let script = format!(
        "{BENEFACTOR} --data-dir {} db psql -- -X -At -c 'select 1' 2>&1 | cat",
        dir.path().display()
    );
    let ran = Ran::of(Command::new("sh").args(["-c", &script])).ended(0);
    assert_eq!(ran.stdout.trim_end(), "1");
    assert!(start.elapsed() < PATIENCE);
    user.leave();
    stopped(dir.path());
}

/// The private store under a directory.
fn location(dir: &Scratch) -> Location {
    Location {
        database_url: None,
        embedded: options(dir.path(), true),
        transport: benefactor::worker::transport_migrations,
    }
}

#[tokio::test]
async fn work_that_cannot_be_interrupted_does_not_keep_its_process_from_ending() {
    let dir = Scratch::new();
    let location = location(&dir);
    let store = Store::open(&location).await.unwrap();
    let never_given_back = store.pool.acquire().await.unwrap();
    tokio::time::timeout(PATIENCE, store.close()).await.expect("an end");
    drop(never_given_back);
    stopped(dir.path());
}

#[tokio::test]
async fn a_command_on_a_fresh_store_migrates_it_and_works_as_the_worker() {
    let dir = Scratch::new();
    let location = location(&dir);
    for _ in 0..2 {
        let store = Store::open(&location).await.unwrap();
        let role: String =
            sqlx::query_scalar("select current_user::text").fetch_one(&store.pool).await.unwrap();
        assert_eq!(role, "benefactor_worker");
        sqlx::query("select from transfer").execute(&store.pool).await.unwrap();
        store.close().await;
    }
    ask(
        dir.path(),
        "insert into public._sqlx_migrations (version, description, success, checksum, execution_time)
         values (99999999, 'from the future', true, '', 0)",
    );
    assert!(matches!(Store::open(&location).await, Err(benefactor::store::Error::SchemaNewer)));
    stopped(dir.path());
}

#[tokio::test]
async fn an_open_store_has_its_postgres_back_after_a_crash() {
    let dir = Scratch::new();
    let location = location(&dir);
    let store = Store::open(&location).await.unwrap();
    signal("KILL", postmaster(dir.path()).unwrap());
    let again = Store::open(&location).await.unwrap();
    again.close().await;
    sqlx::query("select 1").execute(&store.pool).await.unwrap();
    store.close().await;
    stopped(dir.path());
}

#[tokio::test]
async fn database_url_wins_and_starts_nothing() {
    let house = House::open().await;
    house.run(["migrate", "--database-url", &house.owner_url]).ended(0);
    assert!(!house.dir.join("store").exists());
}
