//! A store from nothing: programs fetched from a server of the test's own, by the real binary.
//!
//! The setting `--postgres-archive` keeps it from the programs that are installed here. The archive is made of
//! three of these: the ones a store is run with. A PostgreSQL looks for the rest beside its programs, or where it
//! was configured to be; for those of the former kind the archive leads to it by links.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::Instant,
};

use sha2::{Digest, Sha256};

use crate::{
    cluster::PATIENCE,
    house::{Ran, Scratch, benefactor},
};

const PATH: &str = "/postgresql.tar.gz";

/// A web server that knows a few files and counts how often each is asked for.
struct Server {
    url: String,
    asked: Arc<Mutex<HashMap<String, usize>>>,
}

/// What a path gets: what it claims to be long, and what is sent of it.
type Files = HashMap<String, (usize, Vec<u8>)>;

impl Server {
    /// One that serves an archive, under its right checksum.
    fn of(archive: &[u8]) -> Self {
        Self::with(archive.len(), archive, &format!("{}  postgresql.tar.gz\n", sha256(archive)))
    }

    /// One that serves so much of an archive, under some checksum.
    fn with(claims: usize, archive: &[u8], checksum: &str) -> Self {
        let checksum = checksum.as_bytes().to_vec();
        Self::start(HashMap::from([
            (PATH.to_owned(), (claims, archive.to_vec())),
            (format!("{PATH}.sha256"), (checksum.len(), checksum)),
        ]))
    }

    fn start(files: Files) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(HashMap::new()));
        let (counted, files) = (Arc::clone(&asked), Arc::new(files));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (counted, files) = (Arc::clone(&counted), Arc::clone(&files));
                thread::spawn(move || answer(stream, &files, &counted));
            }
        });
        Self { url, asked }
    }

    /// How often the archive was asked for.
    fn downloads(&self) -> usize {
        self.asked.lock().unwrap().get(PATH).copied().unwrap_or(0)
    }

    /// The binary, told to fetch from here.
    fn command(&self, data_dir: &Path, args: &[&str]) -> Command {
        let mut command = benefactor(data_dir);
        command.env_remove("PG_BIN_DIR").env("BENEFACTOR_POSTGRES_ARCHIVE", &self.url).args(args);
        command
    }

    fn run(&self, data_dir: &Path, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(data_dir, args))
    }
}

fn answer(mut stream: TcpStream, files: &Files, counted: &Mutex<HashMap<String, usize>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    while lines.next()?.is_ok_and(|line| !line.is_empty()) {}
    let path = first.split(' ').nth(1)?;
    *counted.lock().unwrap().entry(path.to_owned()).or_default() += 1;
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    match files.get(path) {
        Some((claims, bytes)) => {
            stream.write_all(head("200 OK", *claims).as_bytes()).ok()?;
            stream.write_all(bytes).ok()
        }
        None => stream.write_all(head("404 Not Found", 0).as_bytes()).ok(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// An archive of the PostgreSQL that is installed here.
fn archive() -> &'static [u8] {
    static ARCHIVE: OnceLock<Vec<u8>> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let installed = installed();
        let scratch = Scratch::new();
        let top = scratch.join("postgresql");
        fs::create_dir_all(top.join("bin")).unwrap();
        for program in ["initdb", "pg_config", "pg_ctl", "postgres"] {
            let _ = fs::copy(installed.join(program), top.join("bin").join(program)); // pg_config may be missing
        }
        let beside = installed.parent().unwrap();
        for directory in ["--sharedir", "--pkglibdir", "--libdir"] {
            let Ok(told) = Command::new(installed.join("pg_config")).arg(directory).output() else {
                continue;
            };
            let target = PathBuf::from(String::from_utf8(told.stdout).unwrap().trim_end());
            let Ok(tail) = target.strip_prefix(beside) else { continue };
            let link = top.join(tail);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            let _ = symlink(&target, link); // one may lie in another that leads there already
        }
        packed(scratch.path())
    })
}

/// The directory of the installed programs.
fn installed() -> PathBuf {
    let dir = Scratch::new();
    let asked = "select setting from pg_config where name = 'BINDIR'";
    let ran = Ran::of(benefactor(dir.path()).args(["db", "psql", "--", "-X", "-At", "-c", asked])).ended(0);
    stopped(dir.path());
    PathBuf::from(ran.stdout.trim_end())
}

/// The directory `postgresql` of a scratch directory, as a `.tar.gz`.
fn packed(scratch: &Path) -> Vec<u8> {
    let ran = Command::new("tar")
        .arg("-C")
        .arg(scratch)
        .args(["-czf", "-", "postgresql"])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    assert!(ran.status.success());
    ran.stdout
}

/// What lies where programs are fetched to, but for the lock.
fn fetched(data_dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(data_dir.join("postgresql")).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name != "lock").collect();
    names.sort();
    names
}

fn stopped(data_dir: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while data_dir.join("store/data/postmaster.pid").exists() {
        assert!(Instant::now() < deadline, "the store does not stop");
        thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn programs_are_fetched_once_and_a_night_runs_on_them() {
    let dir = Scratch::new();
    let server = Server::of(archive());
    let ran = server.run(dir.path(), &["--now", "2024-01-31", "night"]).ended(0);
    assert_eq!(server.downloads(), 1);
    assert!(ran.stderr.contains(&format!("fetching PostgreSQL from {}", server.url)), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\r') && !ran.stderr.contains("B/s"), "no bar without a terminal: {ran:?}");
    stopped(dir.path());

    let fetched = fetched(dir.path());
    assert_eq!(fetched.len(), 1, "{fetched:?}");
    let asked = "select pg_read_file('postmaster.opts')";
    let ran = server.run(dir.path(), &["db", "psql", "--", "-X", "-At", "-c", asked]).ended(0);
    let program = dir.join("postgresql").join(&fetched[0]).join("bin/postgres");
    assert!(ran.stdout.starts_with(program.to_str().unwrap()), "{}", ran.stdout);
    assert_eq!(server.downloads(), 1, "the second start fetches nothing");
    stopped(dir.path());

    // What was fetched stays where it is when the server is gone.
    let gone = format!("http://127.0.0.1:9{PATH}");
    Ran::of(server.command(dir.path(), &["migrate"]).env("BENEFACTOR_POSTGRES_ARCHIVE", gone)).ended(0);
    stopped(dir.path());
}

#[test]
fn two_that_start_at_once_fetch_once() {
    let dir = Scratch::new();
    let server = Server::of(archive());
    let starts: Vec<_> = (0..2)
        .map(|_| {
            let mut command = server.command(dir.path(), &["migrate"]);
            thread::spawn(move || Ran::of(&mut command))
        })
        .collect();
    for start in starts {
        start.join().unwrap().ended(0);
    }
    assert_eq!(server.downloads(), 1);
    stopped(dir.path());
}

/// The start fails as one of a dependency that is down, says why and what to do, and leaves nothing half done.
#[track_caller]
fn refused(server: &Server, because: &str) {
    let dir = Scratch::new();
    let ran = server.run(dir.path(), &["migrate"]).ended(6);
    let address = server.url.replace("me:secret@", "");
    let ways_out = ["apt install postgresql", "PG_BIN_DIR", "DATABASE_URL"];
    for words in ["PostgreSQL cannot be fetched", &address, because].into_iter().chain(ways_out) {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    assert!(fetched(dir.path()).is_empty(), "{:?}", fetched(dir.path()));
    assert!(!dir.join("store/data").exists());
}

#[test]
fn an_archive_that_is_not_what_its_checksum_promises_is_refused() {
    let archive = b"not what was promised";
    let server = Server::with(archive.len(), archive, &sha256(b"what was promised"));
    refused(&server, &format!("its SHA-256 is {}", sha256(archive)));
    assert_eq!(server.downloads(), 1);
}

#[test]
fn an_archive_without_a_checksum_is_not_even_fetched() {
    let server = Server::start(HashMap::from([(PATH.to_owned(), (3, b"abc".to_vec()))]));
    refused(&server, "its checksum (.sha256): HTTP status client error (404 Not Found)");
    assert_eq!(server.downloads(), 0);
    refused(&Server::with(3, b"abc", "<html>Welcome to the hotel</html>"), "is no SHA-256");
}

#[test]
fn a_download_that_breaks_off_is_refused() {
    let archive = b"the first half of it";
    refused(&Server::with(2 * archive.len(), archive, &sha256(archive)), "before message length reached");
}

#[test]
fn an_archive_that_was_cut_off_before_its_checksum_was_taken_is_refused() {
    let half = &archive()[..archive().len() / 2];
    refused(&Server::of(half), "its archive cannot be unpacked");
}

#[test]
fn an_archive_of_something_else_is_refused() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.join("postgresql/bin")).unwrap();
    fs::write(scratch.join("postgresql/bin/postgres"), "#!/bin/sh\nexit 1\n").unwrap();
    refused(&Server::of(&packed(scratch.path())), "holds no PostgreSQL server that runs here");
}

#[test]
fn a_server_that_is_down_is_named() {
    // Bound and not listened on, so that nobody else can answer there meanwhile.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://me:secret@{}{PATH}", closed.local_addr().unwrap());
    let server = Server { url, asked: Arc::default() };
    refused(&server, "Connection refused");
    let dir = Scratch::new();
    assert!(!server.run(dir.path(), &["migrate"]).ended(6).stderr.contains("secret"));
}

#[test]
fn a_store_gets_the_major_version_again_that_made_it() {
    let dir = Scratch::new();
    let server = Server::of(archive());
    server.run(dir.path(), &["migrate"]).ended(0);
    stopped(dir.path());
    fs::write(dir.join("store/data/PG_VERSION"), "99\n").unwrap();
    let ran = server.run(dir.path(), &["migrate"]).ended(6);
    assert!(ran.stderr.contains("the store was made by 99"), "{}", ran.stderr);
    assert_eq!(server.downloads(), 2, "what is here is of another version");
    assert_eq!(fetched(dir.path()).len(), 1, "and stays");
    // Without leave to fetch, that there are only others is a matter of configuration.
    let off = ["--postgres-archive", "off", "migrate"];
    let ran = server.run(dir.path(), &off).ended(2);
    assert!(ran.stderr.contains("PostgreSQL 99") && !ran.stderr.contains("fetch"), "{}", ran.stderr);
    assert_eq!(server.downloads(), 2);
}

#[test]
fn nothing_is_fetched_where_programs_are_installed_or_named_or_fetching_is_off() {
    let server = Server::of(archive());
    let dir = Scratch::new();
    Ran::of(benefactor(dir.path()).arg("migrate")).ended(0);
    stopped(dir.path());
    server.run(dir.path(), &["--postgres-archive", "off", "migrate"]).ended(0);
    stopped(dir.path());
    assert!(!dir.join("postgresql").exists());
    let dir = Scratch::new();
    let named = ["--pg-bin-dir", "/nonexistent", "migrate"];
    let ran = server.run(dir.path(), &named).ended(6);
    assert!(!ran.stderr.contains("fetch"), "{}", ran.stderr);
    let ran = server.run(dir.path(), &["--postgres-archive", "/srv/pg.tar.gz", "migrate"]).ended(2);
    assert!(ran.stderr.contains("takes an http or https URL, or off"), "{}", ran.stderr);
    assert_eq!(server.downloads(), 0);
}

#[test]
fn what_a_killed_process_left_is_swept_and_whatever_the_umask_postgres_can_read_it() {
    let dir = Scratch::new();
    let server = Server::of(archive());
    fs::create_dir_all(dir.join("postgresql/new.left")).unwrap();
    let binary = crate::house::BENEFACTOR;
    let ran = server.command(dir.path(), &[]);
    let mut command = Command::new("sh");
    command.env_clear().envs(ran.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Ran::of(command.args(["-c", &format!("umask 077; exec {binary} migrate")])).ended(0);
    let fetched = fetched(dir.path());
    assert!(fetched.len() == 1 && fetched[0] != "new.left", "{fetched:?}");
    let home = dir.join("postgresql").join(&fetched[0]);
    assert_eq!(fs::metadata(home.join("bin/postgres")).unwrap().mode() & 0o777, 0o755);
    stopped(dir.path());
}

#[test]
fn a_terminal_sees_a_bar() {
    // `script` gives it one; without that program there is nothing to see.
    let asked = Command::new("script").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !asked.is_ok_and(|ended| ended.success()) {
        return;
    }
    let dir = Scratch::new();
    let server = Server::of(archive());
    let run = format!("{} migrate", crate::house::BENEFACTOR);
    let mut command = Command::new("script");
    let ours = server.command(dir.path(), &[]);
    command.env_clear().envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("TERM", "xterm").args(["-qec", &run, "/dev/null"]).stdin(Stdio::null());
    let mut seen = String::new();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.take().unwrap().read_to_string(&mut seen).unwrap();
    assert!(child.wait().unwrap().success(), "{seen}");
    assert!(seen.contains("  PostgreSQL ") && seen.contains("MiB"), "{seen}");
    stopped(dir.path());
}

#[test]
fn a_stop_asked_for_while_programs_are_fetched_is_heard() {
    let scratch = Scratch::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}{PATH}", silent.local_addr().unwrap());
    let mut up = benefactor(scratch.path());
    up.env_remove("PG_BIN_DIR");
    up.args(["--listen", "off", "--postgres-archive", &url, "up"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut up = up.spawn().unwrap();
    let _asked = silent.accept().unwrap(); // and never answered
    let stopped = Command::new("kill").args(["-TERM", &up.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let deadline = Instant::now() + std::time::Duration::from_secs(50);
    let ended = loop {
        match up.try_wait().unwrap() {
            Some(ended) => break ended.code(),
            None if Instant::now() > deadline => break None,
            None => thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    let _ = (up.kill(), up.wait());
    assert_eq!(ended, Some(0));
}
