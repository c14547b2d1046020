//! What is told to whoever watches: `status`, health and metrics of the real binary, and its log lines.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::{cluster::PATIENCE, house::House};

/// A process that runs on and is seen; killed when dropped.
struct Seen {
    child: Child,
    log: PathBuf,
}

impl Seen {
    /// Starts one, and waits until it has said where it tells.
    async fn start(house: &House, args: &[&str]) -> (Self, String) {
        let told = house.one::<i64>("select count(*) from process").await;
        let seen = Self::begin(house, args);
        let deadline = Instant::now() + PATIENCE;
        while house.one::<i64>("select count(*) from process").await == told {
            assert!(Instant::now() < deadline, "is not seen:\n{}", seen.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let at =
            house.one("select coalesce(listens_on, '') from process order by started_at desc limit 1").await;
        (seen, at)
    }

    fn begin(house: &House, args: &[&str]) -> Self {
        let log = house.dir.join(&format!("{}.log", fs::read_dir(house.dir.path()).unwrap().count()));
        let child = house.command(args).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, log }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    #[track_caller]
    fn stop(mut self) -> Duration {
        let asked = Instant::now();
        self.signal("TERM");
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(0), "{}", self.said());
                return asked.elapsed();
            }
            assert!(asked.elapsed() < PATIENCE, "does not end:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a path answers: its code, its headers in lower case, its body. A store that is only slow is asked again.
fn get(at: &str, path: &str, accept: &str) -> (u16, String, String) {
    let is_late = |body: &str| body.contains("within 2 s") || body.contains("within 5 s");
    let mut told = answer(at, path, accept);
    for _ in 0..5 {
        if is_late(&told.2) {
            told = answer(at, path, accept);
        }
    }
    told
}

fn answer(at: &str, path: &str, accept: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    (code, head.to_lowercase(), body.to_owned())
}

fn health(at: &str) -> (u16, Value) {
    let (code, _, body) = get(at, "/health", "*/*");
    (code, serde_json::from_str(&body).unwrap())
}

/// Every series of a scrape.
fn metrics(at: &str) -> BTreeMap<String, String> {
    let (code, head, body) =
        get(at, "/metrics", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assert_eq!(code, 200, "{body}");
    assert!(
        head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
    let series = body.lines().filter(|line| !line.starts_with('#'));
    series
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, v)| (name.to_owned(), v.to_owned()))
        .collect()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn status(house: &House, now: &str, code: i32) -> Value {
    serde_json::from_str(&house.run(["--now", now, "--json", "status"]).ended(code).stdout).unwrap()
}

async fn arrange(house: &House, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&house.owner).await.unwrap();
}

async fn age(house: &House, seconds: u32) {
    arrange(house, &format!("update process set seen_at = seen_at - interval '{seconds} s', started_at = started_at - interval '{seconds} s'")).await;
}

const NIGHT_HELD: &str = "select pg_advisory_xact_lock(hashtext('benefactor.night'))";
const MORNING: &str = "2024-01-16T03:00:00Z";
const NIGHT: &str =
    "insert into night (due_on, completed_at) values ('2024-01-15', now() - interval '1 hour')";

#[tokio::test]
async fn a_process_that_falls_silent_is_missed_until_another_begins() {
    let house = House::open().await;
    arrange(&house, NIGHT).await;
    assert_eq!(status(&house, MORNING, 0)["missed_process"], Value::Null, "a store that somebody else runs");
    let (up, _) = Seen::start(&house, &["--now", MORNING, "--listen", "localhost:0", "up"]).await;
    let told = status(&house, MORNING, 0);
    assert_eq!(
        (&told["processes"][0]["command"], &told["processes"][0]["lives"]),
        (&"up".into(), &true.into())
    );
    let pid = up.child.id();
    up.signal("KILL");
    drop(up);
    status(&house, MORNING, 0);
    age(&house, 40).await;
    let told = status(&house, MORNING, 1);
    assert_eq!((&told["well"], &told["overdue"]), (&false.into(), &false.into()));
    assert_eq!(told["missed_process"], told["processes"][0]["name"]);
    let text = house.run(["--now", MORNING, "status"]).ended(1).stdout;
    assert!(text.contains("NO SCHEDULER LIVES: up on ") && text.contains(&format!("(pid {pid})")), "{text}");
    // Somebody completes a night without it.
    arrange(&house, "insert into night (due_on) values ('2024-01-14')").await;
    assert_eq!(status(&house, MORNING, 0)["missed_process"], Value::Null);
    arrange(&house, "delete from night where due_on = '2024-01-14'").await;
    status(&house, MORNING, 1);
    // Another makes up for it, and leaves in order.
    let (worker, _) = Seen::start(&house, &["--now", MORNING, "--listen", "off", "worker"]).await;
    let told = status(&house, MORNING, 0);
    assert_eq!(told["processes"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["processes"][0]["listens_on"], Value::Null);
    worker.stop();
    age(&house, 100).await;
    assert_eq!(status(&house, MORNING, 0)["processes"], Value::Array(vec![]));
}

#[tokio::test]
async fn one_that_lives_beside_it_keeps_the_timetable_until_it_leaves() {
    let house = House::open().await;
    let row = |name: &str, started: u32, seen: u32, ended: &str| {
        format!("insert into process (name, command, host, pid, version, started_at, seen_at, ended_at)
                 values ('{name}', 'up', 'h', 1, '1', now() - interval '{started} s', now() - interval '{seen} s', {ended})")
    };
    arrange(&house, &row("killed", 1000, 500, "null")).await;
    arrange(&house, &row("beside", 900, 3, "null")).await;
    let told = status(&house, MORNING, 0);
    let lives: Vec<&Value> = told["processes"].as_array().unwrap().iter().map(|p| &p["lives"]).collect();
    assert_eq!(lives, [true, false]);
    arrange(&house, "update process set ended_at = seen_at where name = 'beside'").await;
    assert_eq!(status(&house, MORNING, 1)["missed_process"], "killed");
    // What was forgotten is forgotten but the last: its silence stays an alarm.
    arrange(&house, "update process set seen_at = seen_at - interval '8 days', started_at = started_at - interval '8 days'").await;
    arrange(&house, "delete from process where name = 'beside'").await;
    let mut conn = house.pool.acquire().await.unwrap();
    arrange(&house, &row("older", 900_000, 800_000, "null")).await;
    assert_eq!(benefactor::store::process::prune(&mut conn).await.unwrap(), 1);
    assert_eq!(status(&house, MORNING, 1)["missed_process"], "killed");
}

/// Chunks in every state, and what came of attempts.
const WORK: &str = "
    insert into run (job, due_on, status, binary_version, policy_sha256, catalogue_sha256, input_sha256)
    values ('provision_credits', '2024-01-14', 'incomplete', '1', '', '', ''),
           ('email_contacts', '2024-01-14', 'incomplete', '1', '', '', '');
    insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id, status, ready_at, lease_until)
    select r.run_id, nth, 0, '2024-01-14', nth, '2024-01-14', nth + 1, c.status,
           now() + make_interval(secs => ready_in), now() + make_interval(secs => lease)
    from run r, (values (1, 'ready', -90, null), (2, 'ready', -30, null), (3, 'ready', 600, null),
                        (4, 'claimed', -90, 600), (5, 'claimed', -90, -1), (6, 'failed', -90, null),
                        (7, 'failed', -90, null), (8, 'discarded', -90, null), (9, 'done', -90, null),
                        (10, 'split', -90, null))
                as c (nth, status, ready_in, lease)
    where r.job = 'provision_credits';
    -- Waits of 1 to 101 s; runs twice as long. One failed, one is under way, one was long ago.
    insert into attempt (run_id, chunk_no, epoch, worker, ready_at, started_at, finished_at, outcome)
    select r.run_id, 9, n, 'w', now() - interval '1 h' - make_interval(secs => n), now() - interval '1 h',
           now() - interval '1 h' + make_interval(secs => 2 * n), 'done' from run r, generate_series(1, 101) n
    where r.job = 'provision_credits';
    insert into attempt (run_id, chunk_no, epoch, worker, ready_at, started_at, finished_at, outcome)
    select r.run_id, 1, 1, 'w', now() - interval '1 h' - interval '51 s', now() - interval '1 h', now(), 'failed'
    from run r where r.job = 'provision_credits';
    insert into attempt (run_id, chunk_no, epoch, worker, ready_at, started_at, finished_at, outcome)
    select r.run_id, 1, 0, 'w', now() - interval '9 days', now() - interval '2 days', now(), 'done'
    from run r where r.job = 'provision_credits';
    -- Of these it is not known since when they could be claimed.
    insert into attempt (run_id, chunk_no, epoch, worker, started_at)
    select r.run_id, 1, 1, 'w', now() from run r where r.job = 'email_contacts';";

#[tokio::test]
async fn metrics_are_the_figures_of_status() {
    let house = House::open().await;
    arrange(&house, NIGHT).await;
    // Somebody else runs the night: nobody touches the chunks while we look.
    let mut night = house.owner.begin().await.unwrap();
    sqlx::query(NIGHT_HELD).execute(&mut *night).await.unwrap();
    let (_up, at) = Seen::start(&house, &["--now", MORNING, "--listen", "127.0.0.1:0", "up"]).await;
    let begun = Instant::now();
    arrange(&house, WORK).await;
    let told = status(&house, MORNING, 0);
    let scraped = metrics(&at);
    let queue =
        |job: &str| told["queues"].as_array().unwrap().iter().find(|q| q["job"] == job).unwrap().clone();
    let provision = queue("provision_credits");
    for (state, count) in [
        ("ready", 2),
        ("waiting", 1),
        ("running", 1),
        ("lapsed", 1),
        ("dead", 2),
        ("discarded", 1),
        ("split", 1),
    ] {
        assert_eq!(provision[state], count, "{provision}");
        let series = format!("benefactor_chunks{{job=\"provision_credits\",state=\"{state}\"}}");
        assert_eq!(scraped[&series], count.to_string(), "{series}");
        assert_eq!(scraped[&series.replace("provision_credits", "remind_contacts")], "0");
    }
    let oldest = provision["oldest_ready_seconds"].as_f64().unwrap();
    let by_now = 91.0 + begun.elapsed().as_secs_f64();
    assert!((90.0..by_now).contains(&oldest), "{oldest}");
    let series = "benefactor_oldest_ready_seconds{job=\"provision_credits\"}";
    assert!((oldest..by_now).contains(&number(&scraped[series])), "{scraped:#?}");
    for (what, p50, p95) in [("wait", 51.0, 96.0), ("run", 102.0, 192.0)] {
        let told = &provision[format!("{what}_seconds")];
        assert!(
            (told["p50"].as_f64().unwrap() - p50).abs() < 1.0
                && (told["p95"].as_f64().unwrap() - p95).abs() < 1.0,
            "{told}"
        );
        for (name, quantile) in [("p50", "0.5"), ("p95", "0.95")] {
            let series =
                format!("benefactor_{what}_seconds{{job=\"provision_credits\",quantile=\"{quantile}\"}}");
            assert!((number(&scraped[&series]) - told[name].as_f64().unwrap()).abs() < 1e-6, "{series}");
        }
    }
    let email = queue("email_contacts");
    assert_eq!((&email["wait_seconds"], &email["run_seconds"]), (&Value::Null, &Value::Null));
    assert!(!scraped.contains_key("benefactor_wait_seconds{job=\"email_contacts\",quantile=\"0.5\"}"));
    assert_eq!((&told["dead_letters"], &*scraped["benefactor_dead_letters"]), (&2.into(), "2"));
    assert_eq!(scraped["benefactor_processes{state=\"living\"}"], "1");
    assert_eq!((&*scraped["benefactor_night_missing"], &*scraped["benefactor_night_overdue"]), ("0", "0"));
    assert_eq!(scraped["benefactor_store_up"], "1");
    let completed =
        house.one::<String>("select floor(extract(epoch from completed_at))::text from night").await;
    assert_eq!(scraped["benefactor_last_complete_night_timestamp_seconds"], completed);
    let text = house.run(["--now", MORNING, "status"]).ended(0).stdout;
    assert!(text.contains("2 dead letters: `benefactor jobs list --state dead`"), "{text}");
    let (_, head, _) = get(&at, "/metrics", "*/*");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    assert_eq!(get(&at, "/", "*/*").0, 404);
}

#[tokio::test]
async fn health_ends_with_the_night_that_is_overdue_and_the_store_that_is_gone() {
    let house = House::open().await;
    arrange(&house, "insert into night (due_on) values ('2024-01-14')").await;
    let (code, told) = {
        let (up, at) =
            Seen::start(&house, &["--now", "2024-01-16T02:00:00Z", "--listen", "127.0.0.1:0", "up"]).await;
        let told = health(&at);
        up.stop();
        told
    };
    assert_eq!((code, &told["well"], &told["missing_nights"]), (200, &true.into(), &1.into()));
    // Somebody else runs the night and does not come to its end.
    let mut tx = house.owner.begin().await.unwrap();
    sqlx::query(NIGHT_HELD).execute(&mut *tx).await.unwrap();
    let (_up, at) =
        Seen::start(&house, &["--now", "2024-01-16T09:00:00Z", "--listen", "127.0.0.1:0", "up"]).await;
    let (code, told) = health(&at);
    assert_eq!(
        (code, &told["overdue"], &told["first_missing_night"]),
        (503, &true.into(), &"2024-01-15".into())
    );
    assert!(told["late_seconds"].as_i64().unwrap() >= 6 * 3600 + 1800, "{told}");
    assert_eq!(get(&at, "/health/live", "*/*").0, 200);
    assert_eq!(get(&at, "/health/ready", "*/*").0, 200);
    tx.rollback().await.unwrap();
    let database = house.one::<String>("select current_database()::text").await;
    let mut elsewhere =
        crate::house::connect(&house.owner_url.replace(&format!("/{database}?"), "/postgres?")).await;
    let shut = |yes: bool| format!("alter database {database} with allow_connections {}", !yes);
    sqlx::raw_sql(AssertSqlSafe(shut(true))).execute(&mut elsewhere).await.unwrap();
    let cut =
        format!("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{database}'");
    sqlx::raw_sql(AssertSqlSafe(cut)).execute(&mut elsewhere).await.unwrap();
    let (code, _, said) = get(&at, "/health/ready", "*/*");
    assert_eq!(code, 503, "{said}");
    assert!(!said.trim().is_empty());
    assert_eq!(health(&at).0, 503);
    assert_eq!(get(&at, "/health/live", "*/*").0, 200, "starting it again brings no store back");
    let scraped = metrics(&at);
    assert_eq!(scraped["benefactor_store_up"], "0");
    assert_eq!(scraped.len(), 2, "and which build it is: {scraped:?}");
    sqlx::raw_sql(AssertSqlSafe(shut(false))).execute(&mut elsewhere).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_given_up_only_if_nobody_asked_for_it() {
    let house = House::open().await;
    arrange(&house, NIGHT).await;
    // Another test's process may have it, and lets it go when that ends; a stranger's keeps it.
    let deadline = Instant::now() + PATIENCE;
    let usual = loop {
        let usual = TcpListener::bind("127.0.0.1:9464");
        if usual.is_ok() || Instant::now() >= deadline {
            break usual;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let (up, at) = Seen::start(&house, &["--now", MORNING, "up"]).await;
    assert_ne!(at, "127.0.0.1:9464");
    assert!(up.said().contains("127.0.0.1:9464 is taken"), "{}", up.said());
    assert_eq!(get(&at, "/health/ready", "*/*").0, 200);
    drop(usual);
    let ran = house.run(["--now", MORNING, "--listen", &at, "worker"]).ended(2);
    assert!(
        ran.stderr.contains(&format!("`up` with pid {} listens on {at}", up.child.id())),
        "{}",
        ran.stderr
    );
    let strange = TcpListener::bind("127.0.0.1:0").unwrap();
    let strange_at = strange.local_addr().unwrap().to_string();
    let ran = house.run(["--now", MORNING, "--listen", &strange_at, "up"]).ended(2);
    assert!(ran.stderr.contains("ss -ltnp"), "{}", ran.stderr);
    let ran = house.run(["--now", MORNING, "--listen", "0.0.0.0:9464", "up"]).ended(2);
    assert!(ran.stderr.contains("reverse proxy"), "{}", ran.stderr);
    assert_eq!(house.one::<i64>("select count(*) from process").await, 1);
    // A client that keeps its connection does not keep the process.
    let _open = TcpStream::connect(&at).unwrap();
    assert!(up.stop() < Duration::from_secs(20));
    assert!(house.one::<bool>("select bool_and(ended_at is not null) from process").await);
}

#[tokio::test]
async fn every_log_line_of_work_says_whose_it_is_and_nothing_about_people() {
    let house = House::open().await;
    let drop = ["partners", "users", "contacts", "entitlements", "assignments"]
        .map(|kind| format!("{}/fixtures/demo/2024-01-15/{kind}.csv", env!("CARGO_MANIFEST_DIR")));
    let files: Vec<&String> = drop.iter().filter(|path| fs::exists(path).unwrap()).collect();
    let mut lines = String::new();
    let mut run = |args: &[&str], files: &[&String]| {
        let mut command = house.command(["--log", "json", "--now"]);
        command.args(args).args(files).env("RUST_LOG", "debug");
        let output = command.output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
        lines.push_str(&String::from_utf8(output.stderr).unwrap());
    };
    let results = house.dir.join("results").display().to_string();
    run(&["2024-01-15T10:00:00Z", "import", "--results", &results], &files);
    for day in ["2024-01-16", "2024-02-09", "2024-02-16"] {
        run(&[&format!("{day}T02:30:00Z"), "night"], &[]);
    }
    assert!(house.one::<i64>("select count(*) from mail").await > 0, "somebody was written to");
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let chunks: Vec<&Value> = told.iter().filter(|line| !line["chunk"].is_null()).collect();
    assert!(chunks.iter().any(|line| line["message"] == "done"), "{lines}");
    for line in &chunks {
        for number in ["run", "chunk", "attempt"] {
            assert!(line[number].is_i64() || line[number].is_u64(), "{number}: {line}");
        }
        for name in ["job", "worker", "due_on", "level", "timestamp"] {
            assert!(line[name].is_string(), "{name}: {line}");
        }
        assert!(line.get("span").is_none() && line.get("fields").is_none(), "{line}");
    }
    let people = "select unnest(array[name, account_email]) from partner
        union select unnest(array[user_principal_name, display_name, mail]) from directory_user
        union select recipient from mail union select recipient_name from mail";
    let people = house.lines(&format!("select x from ({people}) as p (x) where length(x) > 4")).await;
    assert!(people.len() > 10);
    for who in people {
        let line = lines.lines().find(|line| line.to_lowercase().contains(&who.to_lowercase()));
        assert_eq!(line, None, "tells of {who}");
    }
    assert!(!lines.contains(".example"), "an address of the data");
}
