//! Work that fails: whatever it does to its process, its tries are counted and come to an end, the others are done, and
//! nobody takes the night for complete. One that fails for a while, or with its neighbours only, needs nobody.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, Executor};
use tokio::task::JoinSet;

use crate::{
    cluster::{LAST, PATIENCE, same},
    ground::{Ground, JOB, OF_FIRST, Site},
    house::Ran,
};

/// Tries of a chunk, in these tests.
const TRIES: i64 = 3;
/// The policies of most of them; pauses are short.
const POLICIES: [(&str, &str, &str); 3] =
    [(JOB, "attempts", "3"), (JOB, "retry_after_seconds", "1"), (JOB, "retry_at_most_seconds", "2")];
/// The same where a try does not come to its end: a time that no other chunk takes, however slow the machine.
const LIMITED: [(&str, &str, &str); 4] = [POLICIES[0], POLICIES[1], POLICIES[2], (JOB, "limit_seconds", "8")];
const LIMIT: &str = "within 8 s";
/// A while in which something that goes round in circles would be seen to.
const A_WHILE: Duration = Duration::from_secs(6);
const NO_NIGHT: &str = "select count(*) from night where due_on >= '2024-02-29'";
/// A process that ended by itself, at a fault; by a signal.
const EXITED: i32 = 7;
const KILLED: i32 = -1;

/// The chunk that fails, always the last of the second stage: nothing passes its points between two tries.
struct Poison<'a> {
    site: &'a Site,
    run_id: i64,
    chunk_no: u64,
    told: String,
}

impl<'a> Poison<'a> {
    /// The fault at its first tries, where it has not been tried.
    fn faults(ground: &Ground, action: &str, tries: u64) -> String {
        let at = |nth: u64| format!("chunk.worked@{nth}/{JOB}={action}");
        let tries: Vec<String> = (0..tries).map(|nth| at(ground.chunks.1 + nth)).collect();
        tries.join(",")
    }

    async fn of(ground: &Ground, site: &'a Site, told: &str) -> Self {
        let run = format!("select run_id from run where job = '{JOB}' and due_on = '2024-02-29'");
        Self { site, run_id: site.one(&run).await, chunk_no: ground.chunks.1, told: told.to_owned() }
    }

    fn id(&self) -> String {
        format!("{}.{}", self.run_id, self.chunk_no)
    }

    async fn tries(&self) -> i64 {
        let of = format!("run_id = {} and chunk_no = {}", self.run_id, self.chunk_no);
        self.site.one(&format!("select count(*) from attempt where {of} and finished_at is not null")).await
    }

    /// It is a dead letter after all its tries; every other chunk planned with it is done at the first.
    async fn is_given_up(&self, outcome: &str) {
        let Self { site, run_id, chunk_no, told } = self;
        let stands = format!(
            "select string_agg(concat_ws(' ', status, attempts), ', ') from run_chunk where run_id = {run_id} and chunk_no"
        );
        let poison: String = site.one(&format!("{stands} = {chunk_no}")).await;
        assert_eq!(poison, format!("failed {TRIES}"), "{told}");
        let others = format!("{stands} <> {chunk_no} and (status, attempts) <> ('done', 1)");
        assert_eq!(site.one::<Option<String>>(&others).await, None, "{told}");
        let outcomes = format!(
            "select string_agg(distinct outcome, ' ') from attempt where run_id = {run_id} and chunk_no = {chunk_no}"
        );
        assert_eq!(site.one::<String>(&outcomes).await, outcome, "{told}");
        assert_eq!(self.tries().await, TRIES, "{told}");
        self.is_incomplete().await;
    }

    /// Its run is, and no night is complete.
    async fn is_incomplete(&self) {
        let run: String =
            self.site.one(&format!("select status from run where run_id = {}", self.run_id)).await;
        assert_eq!((&*run, self.site.one::<i64>(NO_NIGHT).await), ("incomplete", 0), "{}", self.told);
    }

    /// It ended as one does that cannot go on, and says which chunk, why and what to do.
    #[track_caller]
    fn is_told(&self, ran: Ran, why: &str) {
        let said = ran.ended(1).stderr;
        let id = self.id();
        let sentence =
            format!("{JOB} for 2024-02-29 is incomplete: chunk {id} failed after all tries; it said: ");
        assert!(said.contains(&sentence) && said.contains(why), "{}: {said}", self.told);
        assert!(
            said.contains(&format!("`benefactor jobs show {id}`")) && said.contains("`jobs retry`"),
            "{said}"
        );
    }

    /// Nobody tries it again by himself, neither by starting again nor by going on for a while.
    async fn stays_as_it_is(&self, why: &str) {
        self.is_told(self.site.run(&["night"], ""), why);
        let runs = format!("select sum(attempts) from run where due_on = '2024-02-29' and job = '{JOB}'");
        let before: i64 = self.site.one(&runs).await;
        let mut up = self.site.start(&["up"], "");
        up.hears();
        tokio::time::sleep(A_WHILE).await;
        up.stop();
        let begun = self.site.one::<i64>(&runs).await - before;
        assert!(begun <= 1, "{}: begun {begun} times in {A_WHILE:?}", self.told);
        assert_eq!(self.tries().await, TRIES, "{}", self.told);
        self.is_incomplete().await;
    }

    fn retry(&self) {
        let retry = ["jobs", "retry", &self.id(), "--by", "ada", "--why", "it is mended"];
        self.site.run(&retry, "").ended(0);
    }
}

fn policies(why: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    if why == LIMIT { &LIMITED } else { &POLICIES }
}

/// Tries that end with an error or a panic: after the last, the chunk is cut, and its halves are done.
async fn in_halves(ground: &Ground, action: &str, why: &str) {
    let site = ground.site(&POLICIES).await;
    // The chunk before the last, which has several rows; the last is done while it pauses.
    let nth = ground.chunks.1 - 1;
    let at = |nth: u64| format!("chunk.worked@{nth}/{JOB}={action}");
    site.run(&["night"], &[at(nth), at(nth + 2), at(nth + 3)].join(",")).ended(0);
    let of = |what: &str| {
        format!(
            "select string_agg({what}, ', ' order by chunk_no) from run_chunk where {OF_FIRST} and {what} is not null"
        )
    };
    let stands = of("case when status <> 'done' then concat_ws(' ', chunk_no, status, attempts) end");
    assert_eq!(site.one::<String>(&stands).await, format!("{nth} split {TRIES}"), "{action}");
    let halves = of(&format!("case split_of when {nth} then concat_ws(' ', status, attempts) end"));
    assert_eq!(site.one::<String>(&halves).await, "done 1, done 1", "{action}");
    assert_eq!(said(&site, why).await, TRIES, "{action}");
    ground.is_equal(&site, action).await;
    site.store.remove().await;
}

/// The same with a chunk of one row: it is given up, and the nights go on; once it is retried, all is as if nothing had been.
async fn of_one_row(ground: &Ground) {
    let site = ground.site(&POLICIES).await;
    let ran = site.run(&["night"], &Poison::faults(ground, "panic", 3)).ended(1);
    let poison = Poison::of(ground, &site, "of one row").await;
    let row = format!(
        "{JOB} for 2024-02-29 failed for 5005 ORD-59/azure_monthly_credit, and the rest is done; it said: panicked"
    );
    assert!(ran.stderr.contains(&row) && ran.stderr.contains(&poison.id()), "{}", ran.stderr);
    assert_eq!(site.one::<i64>(NO_NIGHT).await, 6, "all nights are complete");
    assert_eq!(poison.tries().await, TRIES);
    poison.retry();
    site.run(&["night"], "").ended(0);
    let outcome = site.store.outcome().await;
    for what in ["digest", "entries", "decisions", "benefits", "schedule", "nights", "runs"] {
        assert_eq!(outcome[what], ground.expected[what], "{what}");
    }
    site.store.nothing_is_wrong("of one row").await;
    site.store.remove().await;
}

/// Tries that end at the time limit: one process goes through all of them.
async fn in_one_process(ground: &Ground, action: &str, why: &str) {
    let site = ground.site(policies(why)).await;
    let ran = site.run(&["night"], &Poison::faults(ground, action, 3));
    let poison = Poison::of(ground, &site, action).await;
    poison.is_told(ran, why);
    poison.is_given_up("failed").await;
    poison.stays_as_it_is(why).await;
    poison.retry();
    site.run(&["night"], "").ended(0);
    ground.is_equal(&site, action).await;
    println!("{action}: tries {}", site.tries().await);
    site.store.remove().await;
}

/// The same in `up`, which lives on, and goes on as soon as the operator says so.
async fn in_up(ground: &Ground) {
    let site = ground.site(&LIMITED).await;
    let mut up = site.start(&["up"], &Poison::faults(ground, "hang", 3));
    let dead = format!(
        "select exists (select from run where status = 'incomplete' and due_on = '2024-02-29' and job = '{JOB}')"
    );
    site.until("the run is incomplete", &dead).await;
    let poison = Poison::of(ground, &site, "hang in up").await;
    poison.is_given_up("failed").await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!((poison.tries().await, up.ended_within(Duration::ZERO)), (TRIES, None));
    poison.is_incomplete().await;
    poison.retry();
    let took = site.until_done().await;
    up.stop();
    ground.is_equal(&site, "hang in up").await;
    println!("hang in up: tries {}, complete {took:?} after it was retried", site.tries().await);
    site.store.remove().await;
}

/// Tries that end the process: each start is one.
async fn in_many_processes(ground: &Ground, action: &str, code: i32, outcome: &str, why: &str) {
    let site = ground.site(policies(why)).await;
    for start in 0..TRIES {
        let faults = if start == 0 {
            Poison::faults(ground, action, 1)
        } else {
            format!("chunk.worked/{JOB}={action}")
        };
        let mut ran = site.run(&["night"], &faults);
        // The night is held until Postgres sees that its session is gone.
        while ran.code == 4 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            ran = site.run(&["night"], &faults);
        }
        assert_eq!(ran.code, code, "{action}: {}", ran.stderr);
    }
    let mut ran = site.run(&["night"], "");
    while ran.code == 4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        ran = site.run(&["night"], "");
    }
    let poison = Poison::of(ground, &site, action).await;
    poison.is_told(ran, why);
    poison.is_given_up(outcome).await;
    poison.stays_as_it_is(why).await;
    poison.retry();
    site.run(&["night"], "").ended(0);
    ground.is_equal(&site, action).await;
    println!("{action}: tries {}", site.tries().await);
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn whatever_a_chunk_does_its_tries_come_to_an_end_and_an_operator_gives_it_new_ones() {
    let ground = Ground::shared().await;
    let mut cases = JoinSet::new();
    for (action, why) in
        [("fail", "at chunk.worked, as asked"), ("panic", "panicked: at chunk.worked, as asked")]
    {
        let ground = Arc::clone(&ground);
        cases.spawn(async move { in_halves(&ground, action, why).await });
    }
    let of_row = Arc::clone(&ground);
    cases.spawn(async move { of_one_row(&of_row).await });
    let of_hang = Arc::clone(&ground);
    cases.spawn(async move { in_one_process(&of_hang, "hang", LIMIT).await });
    let lost = "no word from its worker";
    for (action, code, outcome, why) in
        [("exit", EXITED, "lost", lost), ("kill", KILLED, "lost", lost), ("spin", 1, "failed", LIMIT)]
    {
        let ground = Arc::clone(&ground);
        cases.spawn(async move { in_many_processes(&ground, action, code, outcome, why).await });
    }
    cases.spawn(async move { in_up(&ground).await });
    let mut failed = 0;
    while let Some(case) = cases.join_next().await {
        failed += i32::from(case.is_err());
    }
    assert_eq!(failed, 0, "see above");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_twice_and_then_works_needs_nobody_and_its_pauses_grow_and_are_on_record() {
    let ground = Ground::shared().await;
    let site = ground.site(&[(JOB, "retry_after_seconds", "1")]).await;
    site.run(&["night"], &Poison::faults(&ground, "fail", 2)).ended(0);
    let poison = Poison::of(&ground, &site, "twice").await;
    // How long it was to rest; nobody took it up before, however soon after.
    let pauses = format!(
        "select array_agg(extract(epoch from pause)::float8 order by attempt_id) from (
             select attempt_id, least(ready_at, started_at) - lag(finished_at) over (order by attempt_id) as pause
             from attempt where run_id = {} and chunk_no = {}) p where pause is not null",
        poison.run_id, poison.chunk_no
    );
    let pauses: Vec<f64> = site.one(&pauses).await;
    println!("pauses {pauses:?}");
    let [first, second] = pauses[..] else { panic!("{pauses:?}") };
    // 1 s and 2 s, a quarter more or less.
    assert!((0.75..=1.25).contains(&first) && (1.5..=2.5).contains(&second), "{pauses:?}");
    let outcomes = format!(
        "select string_agg(outcome, ' ' order by attempt_id) from attempt where run_id = {} and chunk_no = {}",
        poison.run_id, poison.chunk_no
    );
    assert_eq!(site.one::<String>(&outcomes).await, "failed failed done");
    ground.is_equal(&site, "twice").await;
    site.store.remove().await;
}

/// How many tries of the first run's chunks failed saying that.
async fn said(site: &Site, what: &str) -> i64 {
    site.one(&format!(
        "select count(*) from attempt where {OF_FIRST} and outcome = 'failed' and error like '%{what}%'"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_times_out_behind_a_lock_is_tried_again() {
    let ground = Ground::shared().await;
    let site = ground.site(&[(JOB, "retry_after_seconds", "1")]).await;
    site.does(&format!("alter database {} set statement_timeout = '5s'", site.store.name)).await;
    let mut lock = site.holding("lock table credit_schedule in share row exclusive mode").await;
    let mut night = site.start(&["night"], "");
    let failed = format!("select count(*) > 0 from attempt where {OF_FIRST} and outcome = 'failed'");
    site.until("a try has failed", &failed).await;
    lock.execute("rollback").await.unwrap();
    assert_eq!(night.code(PATIENCE, "the night").await, 0, "{}", site.said());
    assert!(said(&site, "statement timeout").await > 0, "{}", site.said());
    ground.is_equal(&site, "statement timeout").await;
    println!("statement timeout: tries {}", site.tries().await);
    lock.close().await.unwrap();
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_victim_of_a_deadlock_is_tried_again() {
    let ground = Ground::shared().await;
    let site = ground.site(&[(JOB, "retry_after_seconds", "1")]).await;
    // Whoever waits first looks first whether it waits in a circle: the chunk, by when we have closed it.
    site.does(&format!("alter database {} set deadlock_timeout = '8s'", site.store.name)).await;
    let mut lock = site
        .holding("set local deadlock_timeout = '10min'; lock table transfer in share row exclusive mode")
        .await;
    let mut night = site.start(&["night"], "");
    let waits = "select exists (select from pg_locks l join pg_database d on d.oid = l.database
                 where d.datname = current_database() and l.relation = 'transfer'::regclass and not l.granted)";
    site.until("a chunk waits for us", waits).await;
    lock.execute("lock table credit_schedule in access exclusive mode").await.unwrap();
    lock.execute("rollback").await.unwrap();
    assert_eq!(night.code(PATIENCE, "the night").await, 0, "{}", site.said());
    assert_eq!(said(&site, "deadlock detected").await, 1, "{}", site.said());
    ground.is_equal(&site, "deadlock").await;
    println!("deadlock: tries {}", site.tries().await);
    lock.close().await.unwrap();
    site.store.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_calls_off_is_left_out_and_its_run_is_never_called_complete() {
    let ground = Ground::shared().await;
    let site = ground.site(&[]).await;
    let running = ground.chunks.0 + 1;
    let up = site.start(&["up"], &format!("chunk.worked@{running}/{JOB}=hang"));
    let hangs = format!(
        "select exists (select from run_chunk where {OF_FIRST} and status = 'claimed' and chunk_no = {running})"
    );
    site.until("the chunk hangs", &hangs).await;
    let poison = Poison::of(&ground, &site, "called off").await;
    let (run_id, queued) = (poison.run_id, poison.chunk_no);
    let (hanging, waiting) = (format!("{run_id}.{running}"), poison.id());
    site.run(&["jobs", "cancel", &hanging, &waiting, "--by", "ada", "--why", "not today"], "").ended(0);
    site.until_done().await;
    let ended = format!(
        "select string_agg(concat_ws(' ', c.chunk_no, status, outcome), ', ' order by c.chunk_no)
         from run_chunk c left join attempt a using (run_id, chunk_no) where c.run_id = {run_id} and status <> 'done'"
    );
    let expected = format!("{running} discarded cancelled, {queued} discarded");
    assert_eq!(site.one::<String>(&ended).await, expected);
    let incomplete = "select string_agg(concat_ws(' ', job, due_on), ', ') from run where status <> 'done'";
    let only = format!("{JOB} 2024-02-29");
    assert_eq!(site.one::<String>(incomplete).await, only, "the night goes on past it");
    up.stop();
    site.run(&["night"], "").ended(0);
    assert_eq!(site.one::<String>(incomplete).await, only);
    assert_eq!(site.one::<String>(&ended).await, expected);
    // What its rows were owed stayed due, and the next night saw to it: under its own dates, once.
    let mut outcome = site.store.outcome().await;
    outcome.insert("runs".to_owned(), ground.expected["runs"].clone());
    same(&outcome, &ground.expected, "called off");
    // Its operator may still take that back.
    site.run(&["jobs", "retry", &hanging, &waiting, "--by", "ada", "--why", "after all"], "").ended(0);
    site.run(&["night"], "").ended(0);
    assert!(
        site.one::<bool>(&format!(
            "select count(*) = 6 from night where due_on between '2024-02-29' and '{LAST}'"
        ))
        .await
    );
    ground.is_equal(&site, "called off and retried").await;
    site.store.remove().await;
}
