//! `up` and `worker` through the real binary on real Postgres: files dropped, nights that become due, runs shared by
//! several processes, stopped ones and killed ones.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use crate::{
    cluster::{PATIENCE, hears},
    house::House,
};

/// Monthly credits of the run that processes share: one chunk each.
const CREDITS: i64 = 30;

/// A process that runs on; killed when dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub fn start(house: &House, now: &str, command: &str) -> Self {
        Self::of(house, house.dir.path(), now, command)
    }

    pub fn of(house: &House, data_dir: &Path, now: &str, command: &str) -> Self {
        Self::set(house, data_dir, now, command, &[])
    }

    /// With these in its environment as well.
    pub fn with(house: &House, now: &str, command: &str, more: &[(&str, &str)]) -> Self {
        Self::set(house, house.dir.path(), now, command, more)
    }

    fn set(house: &House, data_dir: &Path, now: &str, command: &str, more: &[(&str, &str)]) -> Self {
        let config = house.dir.join("config");
        fs::create_dir_all(&config).unwrap();
        let log =
            house.dir.join(&format!("{command}-{}.log", fs::read_dir(house.dir.path()).unwrap().count()));
        let mut started = house.command(["--now", now, command]);
        started.env("BENEFACTOR_DATA_DIR", data_dir).env("BENEFACTOR_CONFIG_DIR", config);
        started.env("RUST_LOG", "warn,benefactor=debug").stderr(File::create(&log).unwrap());
        started.envs(more.iter().copied());
        Self { child: started.spawn().unwrap(), log }
    }

    pub fn signal(&self, name: &str) {
        self.signals(name, 1);
    }

    /// So many of them, one right after the other.
    fn signals(&self, name: &str, times: usize) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).args(vec![pid; times]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it would hear that it is to stop.
    pub fn hears(&mut self) {
        hears(&mut self.child);
    }

    /// Waits until it has said that.
    pub async fn says(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.said().contains(words) {
            assert!(Instant::now() < deadline, "never said: {words}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits for it to end by itself, with this code.
    #[track_caller]
    fn ended(mut self, code: i32) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "does not end:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(code), "{}", self.said());
    }

    pub fn stop(mut self) {
        self.hears();
        self.signal("TERM");
        self.ended(0);
    }

    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}:\n{}", self.log.display(), self.said());
        }
    }
}

/// Waits until a query says yes.
pub async fn until(house: &House, what: &str, query: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !house.one::<bool>(query).await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn appears(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "never: {}", path.display());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

const PARTNERS: &str = "partner_id,name,account_email,country,currency,language,tenant_id\n\
    4711,Harbor & Pine,accounts@harborpine.example,US,USD,en-US,5555800b-4bb2-59fe-9543-88611461ec94\n";

const ENTITLEMENTS: &str = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency\n";

/// A house in which `credits` monthly credits begin on 15 January 2024, and the nights up to the 14th are complete.
async fn house_with(credits: i64) -> House {
    let house = House::open().await;
    let mut rows = ENTITLEMENTS.to_owned();
    for n in 0..credits {
        writeln!(
            rows,
            "4711,O-{n},action_pack,azure_monthly_credit,core,1,2024-01-15,2024-01-15,2025-01-14,100.00,USD"
        )
        .unwrap();
    }
    write(&house.dir.join("drop/partners.csv"), PARTNERS);
    write(&house.dir.join("drop/entitlements.csv"), &rows);
    let one_a_chunk = include_str!("../../jobs/provision_credits.toml")
        .replace("chunk_rows = 2500", "chunk_rows = 1")
        .replace("lanes = 2", "lanes = 1");
    write(&house.dir.join("config/jobs/provision_credits.toml"), &one_a_chunk);
    house.run(["--now", "2024-01-15T03:00:00Z", "night"]).ended(0);
    let drop = house.dir.join("drop");
    house
        .command(["--now", "2024-01-15T10:00:00Z", "import"])
        .args([drop.join("partners.csv"), drop.join("entitlements.csv")])
        .output()
        .unwrap();
    house
}

/// Keeps every chunk, once claimed, from going on.
async fn gate(house: &House) -> Transaction<'static, Postgres> {
    let mut tx = house.owner.begin().await.unwrap();
    let lock = "select pg_advisory_xact_lock(hashtext('benefactor.facts'))";
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx as &mut PgConnection).await.unwrap();
    tx
}

const COMPLETE: &str = "select exists (select from night where due_on = '2024-01-15')";
const GRANTS: &str =
    "select count(*) from report.ledger where kind = 'credit_granted' and amount_minor = 10000";

async fn assert_each_granted_once(house: &House) {
    assert_eq!(house.one::<i64>(GRANTS).await, CREDITS);
    let orders = "select count(distinct order_id) from report.ledger where kind = 'credit_granted'";
    assert_eq!(house.one::<i64>(orders).await, CREDITS);
    assert_eq!(house.one::<i64>("select count(*) from run_chunk where status <> 'done'").await, 0);
}

#[tokio::test]
async fn up_takes_in_what_is_dropped_once_it_is_whole_and_hands_it_back_answered() {
    let house = House::open().await;
    let up = Running::start(&house, "2024-01-15T10:00:00Z", "up");
    let inbox = house.dir.join("inbox");
    appears(&inbox).await;
    // Somebody writes slowly: what is there is whole rows, and still not the whole file.
    let partners = inbox.join("partners.csv");
    let mut file = File::create(&partners).unwrap();
    file.write_all(PARTNERS.as_bytes()).unwrap();
    for n in 10..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(partners.exists(), "taken half written:\n{}", up.said());
        writeln!(file, "48{n},Partner {n},p{n}@partner.example,US,USD,en-US,").unwrap();
    }
    drop(file);
    // It comes before its partner is known, in the partner's own folder.
    let user = "user_principal_name,object_id,partner_id,display_name,mail,user_type,enabled,role\n\
                dana@harborpine.example,8959553c-6211-52b8-9de5-04ab2d7421b2,4711,Dana,dana@harborpine.example,Member,true,global_admin\n";
    write(&inbox.join("4711/users.csv"), user);
    let answer = house.dir.join("inbox/done/partners.result.csv");
    appears(&answer).await;
    let answered = fs::read_to_string(&answer).unwrap();
    assert_eq!(answered.matches("applied").count(), 41, "{answered}");
    appears(&inbox.join("4711/done/users.result.csv")).await;
    until(&house, "both are done", "select count(*) filter (where status = 'done') = 2 from file").await;
    up.stop();
    assert!(!partners.exists() && !inbox.join("4711/users.csv").exists());
}

#[tokio::test]
async fn an_inbox_that_cannot_be_read_is_told_of_once_and_nights_go_on_when_it_can() {
    let house = House::open().await;
    fs::write(house.dir.join("inbox"), "in the way of the folder").unwrap();
    let up = Running::start(&house, "2024-02-01T10:00:00Z", "up");
    until(&house, "it lives", "select exists (select from process)").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(up.said().matches("the inbox cannot be looked at").count(), 1, "{}", up.said());
    assert_eq!(house.one::<i64>("select count(*) from night").await, 0);
    fs::remove_file(house.dir.join("inbox")).unwrap();
    until(&house, "the night is complete", "select exists (select from night)").await;
    up.stop();
}

#[tokio::test]
async fn a_night_that_becomes_due_runs_and_its_mail_goes_out() {
    let house = house_with(1).await;
    // Nobody is assigned to it: that it will lapse, and then that it lapsed, is told.
    let up = Running::start(&house, "2024-02-08T02:29:57Z", "up");
    until(&house, "the night is complete", "select exists (select from night where due_on = '2024-02-07')")
        .await;
    let ticks = "select count(*) = 8 * 25 and count(distinct due_on) = 25
                     and max(due_at) = '2024-02-08T02:30:00Z' from tick";
    assert!(house.one::<bool>(ticks).await, "of each job, for every night");
    up.stop();
    let mails: Vec<_> = fs::read_dir(house.dir.join("outbox")).unwrap().collect();
    assert!(!mails.is_empty());
    assert_eq!(house.one::<i64>(GRANTS).await, 1, "of the nights that were missed as well");
}

#[tokio::test]
async fn a_stop_lets_the_chunk_under_way_finish_and_leaves_nothing_claimed() {
    let house = house_with(CREDITS).await;
    let gate = gate(&house).await;
    let up = Running::start(&house, "2024-01-16T02:30:00Z", "up");
    until(&house, "a chunk is claimed", "select exists (select from run_chunk where status = 'claimed')")
        .await;
    house.run(["--now", "2024-01-16T03:00:00Z", "night"]).ended(4);
    up.signals("TERM", 2); // in the same instant: one wish
    up.says("stopping: ").await;
    gate.rollback().await.unwrap();
    up.ended(0);
    let stands = "select count(*) filter (where c.status = 'claimed') = 0 and count(*) filter (where c.status = 'done') = 1
                  and count(*) filter (where c.status = 'ready') = 29
                  from run_chunk c join run using (run_id) where job = 'provision_credits'";
    assert!(house.one::<bool>(stands).await);
    let held = "select count(*) from apalis.jobs where status in ('Queued', 'Running')";
    assert_eq!(house.one::<i64>(held).await, 0);
    // Whoever comes next goes on there.
    house.run(["--now", "2024-01-16T03:00:00Z", "night"]).ended(0);
    assert_each_granted_once(&house).await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let house = house_with(CREDITS).await;
    let gate = gate(&house).await;
    let up = Running::start(&house, "2024-01-16T02:30:00Z", "up");
    until(&house, "a chunk is claimed", "select exists (select from run_chunk where status = 'claimed')")
        .await;
    up.signal("TERM");
    up.says("stopping: ").await;
    tokio::time::sleep(Duration::from_secs(2)).await; // in the same instant it would be one wish
    up.signal("TERM");
    up.ended(1);
    gate.rollback().await.unwrap();
    house.run(["--now", "2024-01-16T03:00:00Z", "night"]).ended(0);
    assert_each_granted_once(&house).await;
}

#[tokio::test]
async fn up_and_two_workers_share_a_run_and_one_that_is_killed_is_made_up_for() {
    let house = house_with(CREDITS).await;
    let gate = gate(&house).await;
    let now = "2024-01-16T02:30:00Z";
    let up = Running::start(&house, now, "up");
    until(
        &house,
        "the coordinator claims",
        "select exists (select from run_chunk where worker like 'night:%')",
    )
    .await;
    let far = house.dir.join("far");
    let one = Running::of(&house, &far, now, "worker");
    let claiming = "from (select distinct worker from run_chunk where status = 'claimed') c";
    until(&house, "a worker claims", &format!("select count(*) = 2 {claiming}")).await;
    one.signal("KILL");
    let two = Running::of(&house, &far, now, "worker");
    let claims =
        format!("select exists (select from attempt where worker like 'worker:%:{}:%')", two.child.id());
    until(&house, "another claims", &claims).await;
    gate.rollback().await.unwrap();
    until(&house, "the night is complete", COMPLETE).await;
    assert_each_granted_once(&house).await;
    let again = "select array_agg(attempts order by attempts desc) from run_chunk";
    assert_eq!(
        house.one::<Vec<i32>>(again).await[..2],
        [2, 1],
        "only what the killed one held was done again"
    );
    let left = "select count(*) = 0 from apalis.jobs where status in ('Queued', 'Running') and lock_by like";
    let left = format!("{left} '%:worker:%:{}:%'", one.child.id());
    until(&house, "no call is left with the killed one", &left).await;
    two.stop();
    up.stop();
    let held = "select count(*) from apalis.jobs where status in ('Queued', 'Running')";
    assert_eq!(house.one::<i64>(held).await, 0);
}

#[tokio::test]
async fn two_processes_tick_once_run_one_night_and_take_a_file_once() {
    let house = house_with(1).await;
    let now = "2024-01-16T02:29:56Z";
    let (one, two) = (Running::start(&house, now, "up"), Running::start(&house, now, "up"));
    appears(&house.dir.join("inbox")).await;
    write(&house.dir.join("inbox/partners.csv"), &PARTNERS.replace("Pine", "Oak"));
    until(&house, "the night is complete", COMPLETE).await;
    until(&house, "the file is taken in", "select exists (select from partner where name = 'Harbor & Oak')")
        .await;
    appears(&house.dir.join("inbox/done/partners.result.csv")).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    one.stop();
    two.stop();
    let ticks = "select array_agg(n) from (select count(*) as n from tick where due_on = '2024-01-15' group by name) t";
    assert_eq!(house.one::<Vec<i64>>(ticks).await, [1; 8], "one of each job");
    let begun = "select max(attempts) from run where due_on = '2024-01-15'";
    assert_eq!(house.one::<i32>(begun).await, 1);
    assert_eq!(house.one::<i64>("select count(*) from file").await, 3, "two at first, one dropped");
    let answer = fs::read_to_string(house.dir.join("inbox/done/partners.result.csv")).unwrap();
    assert!(answer.contains("applied") && !answer.contains("unchanged"), "{answer}");
}

#[tokio::test]
async fn calls_are_answered_again_after_every_connection_was_cut() {
    let house = House::open().await;
    let up = Running::start(&house, "2024-01-15T10:00:00Z", "up");
    until(&house, "it is at work", "select exists (select from night)").await;
    let ours = "from pg_stat_activity where datname = current_database() and application_name = 'benefactor'";
    until(&house, "it has its connections", &format!("select count(*) > 5 {ours}")).await;
    assert!(house.one::<bool>(&format!("select count(pg_terminate_backend(pid)) > 0 {ours}")).await);
    write(&house.dir.join("inbox/partners.csv"), PARTNERS);
    appears(&house.dir.join("inbox/done/partners.result.csv")).await;
    up.stop();
    let held = "select count(*) from apalis.jobs where status in ('Queued', 'Running')";
    assert_eq!(house.one::<i64>(held).await, 0);
}

#[tokio::test]
async fn a_worker_alone_needs_a_store_that_runs() {
    let dir = crate::house::Scratch::new();
    crate::house::Ran::of(crate::house::benefactor(dir.path()).arg("worker")).ended(6);
}
