//! The one way to work: claims under a lease, what becomes of a try, and in which order and how many at a time.

use benefactor::store::{
    self,
    run::{self, Chunk, Claimant, Counts, Pause, Provenance, Span, Word},
};
use sqlx::{Connection, PgConnection, Postgres, pool::PoolConnection};

use crate::{cast::partner, house::House, story::day, worker::until};

/// Pauses of nothing, unless a test is about them.
const NO_PAUSE: Pause = Pause { first: 0, at_most: 0 };

fn by(worker: &str) -> Claimant<'_> {
    Claimant { worker, lease_seconds: 60.0, max_attempts: 3, in_all: None }
}

async fn run_of(conn: &mut PgConnection, job: &str, on: &str, chunks: i64, priority: i16) -> i64 {
    let run_id = run::begin(&mut *conn, job, day(on), &Provenance::default()).await.unwrap().run_id;
    let spans: Vec<Span> =
        (0..chunks).map(|n| Span { from: (day(on), n), until: (day(on), n + 1) }).collect();
    run::plan(conn, run_id, 0, priority, &spans).await.unwrap();
    run_id.get()
}

/// A store with a run of so many chunks.
async fn planned(chunks: i64) -> (House, PoolConnection<Postgres>, i64) {
    let house = House::open().await;
    let mut conn = house.pool.acquire().await.unwrap();
    let run_id = run_of(&mut conn, "provision_credits", "2024-02-01", chunks, 0).await;
    (house, conn, run_id)
}

async fn claim(conn: &mut PgConnection, run_id: i64, by: Claimant<'_>) -> Option<Chunk> {
    run::claim(conn, run_id.into(), by).await.unwrap()
}

async fn lapse(house: &House) {
    sqlx::query("update run_chunk set lease_until = now() - interval '1 second' where status = 'claimed'")
        .execute(&house.owner)
        .await
        .unwrap();
}

async fn outcomes(house: &House) -> Vec<String> {
    house.lines("select coalesce(outcome, 'under way') from attempt order by attempt_id").await
}

#[tokio::test]
async fn a_span_that_is_open_is_not_planned_twice() {
    let (house, mut conn, run_id) = planned(3).await;
    let span = |n| Span { from: (day("2024-02-01"), n), until: (day("2024-02-01"), n + 1) };
    run::plan(&mut conn, run_id.into(), 0, 0, &[span(1), span(1), span(7), span(7)]).await.unwrap();
    let spans = house.lines("select from_id::text from run_chunk order by chunk_no").await;
    assert_eq!(spans, ["0", "1", "2", "7"]);
}

#[tokio::test]
async fn the_more_urgent_is_claimed_first_and_then_in_order() {
    let (house, mut conn, run_id) = planned(3).await;
    sqlx::query("update run_chunk set priority = 5 where chunk_no = 3").execute(&house.owner).await.unwrap();
    let mut order = Vec::new();
    while let Some(chunk) = claim(&mut conn, run_id, by("worker:a")).await {
        order.push(chunk.chunk_no);
    }
    assert_eq!(order, [3, 1, 2]);
}

#[tokio::test]
async fn a_job_that_says_so_has_only_so_many_chunks_under_way_in_all_processes_and_runs() {
    let house = House::open().await;
    let (mut one, mut two) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let first = run_of(&mut one, "provision_credits", "2024-02-01", 3, 0).await;
    let second = run_of(&mut one, "provision_credits", "2024-02-02", 3, 0).await;
    let other = run_of(&mut one, "expire_benefits", "2024-02-02", 3, 0).await;
    let limited = |worker| Claimant { in_all: Some(2), ..by(worker) };
    let chunk = claim(&mut one, first, limited("worker:a")).await.unwrap();
    assert!(claim(&mut two, second, limited("worker:b")).await.is_some());
    assert!(claim(&mut two, first, limited("worker:b")).await.is_none(), "two are under way");
    assert!(claim(&mut two, other, limited("worker:b")).await.is_some(), "of that job");
    run::finish(&mut one, &chunk, Counts::default()).await.unwrap();
    assert!(claim(&mut two, first, limited("worker:b")).await.is_some());
}

#[tokio::test]
async fn a_chunk_is_done_when_its_work_is_and_not_when_that_began() {
    let (house, mut conn, run_id) = planned(1).await;
    let chunk = claim(&mut conn, run_id, by("worker:a")).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    sqlx::query("select pg_sleep(0.3)").execute(&mut *tx).await.unwrap();
    run::finish(&mut tx, &chunk, Counts::default()).await.unwrap();
    tx.commit().await.unwrap();
    let took = "select c.finished_at - a.started_at >= interval '300 ms' from run_chunk c join attempt a using (run_id, chunk_no)";
    assert!(house.one::<bool>(took).await);
}

#[tokio::test]
async fn a_failure_pauses_longer_each_time_and_is_given_up_after_the_last_try() {
    let (house, mut conn, run_id) = planned(1).await;
    let pause = Pause { first: 100, at_most: 150 };
    for (longest, given_up) in [(125.0, false), (187.5, false), (187.5, true)] {
        let chunk = claim(&mut conn, run_id, by("worker:a")).await.unwrap();
        assert_eq!(run::give_back(&mut conn, &chunk, "no", 3, pause).await.unwrap(), given_up);
        assert!(claim(&mut conn, run_id, by("worker:a")).await.is_none(), "it pauses");
        let wait: f64 = house
            .one("select extract(epoch from max(c.ready_at) - max(a.finished_at))::float8 from run_chunk c, attempt a")
            .await;
        assert!((longest * 0.6..=longest).contains(&wait), "{wait} of {longest}");
        sqlx::query("update run_chunk set ready_at = now()").execute(&house.owner).await.unwrap();
    }
    assert!(claim(&mut conn, run_id, by("worker:a")).await.is_none(), "nobody tries it again");
    assert_eq!(run::failures(&mut conn, run_id.into()).await.unwrap(), (vec![1], "no".to_owned()));
    run::close(&mut conn, run_id.into(), None).await.unwrap();
    assert_eq!(house.one::<String>("select status from run").await, "incomplete");
}

#[tokio::test]
async fn a_crash_is_a_try_and_the_last_one_is_the_last() {
    let (house, mut conn, run_id) = planned(1).await;
    for nth in 1..=3 {
        assert_eq!(claim(&mut conn, run_id, by("worker:a")).await.unwrap().attempts, nth);
        lapse(&house).await;
    }
    assert!(claim(&mut conn, run_id, by("worker:b")).await.is_none());
    assert_eq!(outcomes(&house).await, ["lost", "lost", "lost"]);
    assert_eq!(house.one::<String>("select status from run_chunk").await, "failed");
}

#[tokio::test]
async fn who_lost_its_lease_writes_nothing_and_its_transaction_is_ended() {
    let house = House::open().await;
    let (mut paused, mut other) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let run_id = run_of(&mut other, "provision_credits", "2024-02-01", 1, 0).await;
    let chunk = claim(&mut paused, run_id, by("worker:a")).await.unwrap();
    let mut tx = paused.begin().await.unwrap();
    run::name_try(&mut tx, &chunk).await.unwrap();
    lapse(&house).await;
    let again = claim(&mut other, run_id, by("worker:b")).await.unwrap();
    assert!(again.epoch > chunk.epoch && again.attempts == 2);
    let lost = run::finish(&mut tx, &chunk, Counts::default()).await.unwrap_err();
    assert!(lost.is_down(), "its session is gone: {lost}");
    assert_eq!(run::renew(&mut other, &chunk, 60.0).await.unwrap(), Word::Lost);
    let lost = run::finish(&mut other, &chunk, Counts::default()).await.unwrap_err();
    assert!(matches!(lost, store::Error::LeaseLost));
    run::finish(&mut other, &again, Counts::default()).await.unwrap();
    assert_eq!(outcomes(&house).await, ["lost", "done"]);
}

#[tokio::test]
async fn a_session_that_a_pooler_gave_to_somebody_else_is_left_alone() {
    let house = House::open().await;
    let (mut paused, mut other) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let run_id = run_of(&mut other, "provision_credits", "2024-02-01", 1, 0).await;
    let chunk = claim(&mut paused, run_id, by("worker:a")).await.unwrap();
    let mut tx = paused.begin().await.unwrap();
    run::name_try(&mut tx, &chunk).await.unwrap();
    tx.rollback().await.unwrap();
    lapse(&house).await;
    assert!(claim(&mut other, run_id, by("worker:b")).await.is_some());
    run::heartbeat(&mut paused).await.unwrap();
}

#[tokio::test]
async fn a_chunk_that_brings_an_outage_on_itself_is_not_spared_for_ever() {
    let (_house, mut conn, run_id) = planned(1).await;
    let mut tries = 0;
    while let Some(chunk) = claim(&mut conn, run_id, by("worker:a")).await {
        run::hand_back(&mut conn, &chunk, 3, "the database went away").await.unwrap();
        tries += 1;
    }
    assert_eq!(tries, 50 + 3);
    assert_eq!(run::open_chunks(&mut conn, run_id.into()).await.unwrap().failed, 1);
}

#[tokio::test]
async fn what_is_handed_back_does_not_count_even_when_another_took_it_over() {
    let house = House::open().await;
    let (mut one, mut two) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let run_id = run_of(&mut one, "provision_credits", "2024-02-01", 1, 0).await;
    let chunk = claim(&mut one, run_id, by("worker:a")).await.unwrap();
    run::hand_back(&mut one, &chunk, 3, "it stops").await.unwrap();
    run::hand_back(&mut one, &chunk, 3, "it stops").await.unwrap(); // once is enough
    let chunk = claim(&mut one, run_id, by("worker:a")).await.unwrap();
    assert_eq!(chunk.attempts, 1);
    lapse(&house).await;
    let again = claim(&mut one, run_id, by("worker:b")).await.unwrap(); // through the same session, which lives on
    run::hand_back(&mut two, &chunk, 3, "the database was away").await.unwrap();
    assert_eq!(house.one::<i32>("select attempts from run_chunk").await, 1);
    assert_eq!(house.one::<String>("select status from run_chunk").await, "claimed", "the other goes on");
    run::finish(&mut one, &again, Counts::default()).await.unwrap();
    assert_eq!(outcomes(&house).await, ["handed_back", "handed_back", "done"]);
}

#[tokio::test]
async fn handing_back_waits_for_whoever_takes_the_chunk_over_and_keeps_nothing_from_it() {
    let house = House::open().await;
    let (mut one, mut two) = (house.pool.acquire().await.unwrap(), house.pool.acquire().await.unwrap());
    let run_id = run_of(&mut one, "provision_credits", "2024-02-01", 1, 0).await;
    let chunk = claim(&mut one, run_id, by("worker:a")).await.unwrap();
    lapse(&house).await;
    // As a claim does: first the chunk, then the try it was lost in.
    let mut taking_over = house.owner.begin().await.unwrap();
    sqlx::query("select from run_chunk for update").execute(&mut *taking_over).await.unwrap();
    let handing_back =
        tokio::spawn(async move { run::hand_back(&mut two, &chunk, 3, "the database was away").await });
    let waits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    until(&house, "it waits for the chunk", waits).await;
    let lost = sqlx::query("update attempt set outcome = 'lost', finished_at = now() where outcome is null");
    assert_eq!(lost.execute(&mut *taking_over).await.unwrap().rows_affected(), 1);
    sqlx::query("update run_chunk set epoch = epoch + 1, attempts = attempts + 1")
        .execute(&mut *taking_over)
        .await
        .unwrap();
    taking_over.commit().await.unwrap();
    handing_back.await.unwrap().unwrap();
    assert_eq!(outcomes(&house).await, ["handed_back"]);
    assert_eq!(house.one::<i32>("select attempts from run_chunk").await, 1, "of the two only one counts");
}

#[tokio::test]
async fn what_a_process_that_ended_had_taken_up_again_of_a_night_that_is_over_is_not_forgotten() {
    let (house, mut conn, run_id) = planned(1).await;
    let retried = async |house: &House| {
        let mut conn = house.pool.acquire().await.unwrap();
        run::retried(&mut conn).await.unwrap().len()
    };
    assert_eq!(retried(&house).await, 0, "its night is still to be completed");
    run::complete_night(&mut conn, day("2024-02-01")).await.unwrap();
    assert_eq!(retried(&house).await, 1, "nobody else comes back to it");
    sqlx::query("update run_chunk set ready_at = now() + interval '1 hour'")
        .execute(&house.owner)
        .await
        .unwrap();
    assert_eq!(retried(&house).await, 0, "an operator holds it back, and no night waits for that");
    sqlx::query("update run_chunk set status = 'done'").execute(&house.owner).await.unwrap();
    assert_eq!(retried(&house).await, 1, "it is to be closed");
    run::close(&mut conn, run_id.into(), None).await.unwrap();
    assert_eq!(retried(&house).await, 0);
}

#[tokio::test]
async fn a_courier_that_lost_its_chunk_takes_nothing_from_the_one_that_has_it() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4711", "SEK"), "2024-01-31").await.applied();
    let mut conn = house.pool.acquire().await.unwrap();
    let run_id = run_of(&mut conn, "email_contacts", "2024-02-01", 1, 0).await;
    sqlx::query(
        "insert into mail (partner_id, message_id, recipient, language, day, run_id)
         select partner_id, '<1@p4711.example>', account_email, 'en', '2024-02-01', $1 from partner",
    )
    .bind(run_id)
    .execute(&house.owner)
    .await
    .unwrap();
    let chunk = claim(&mut conn, run_id, by("worker:a")).await.unwrap();
    lapse(&house).await;
    claim(&mut conn, run_id, by("worker:b")).await.unwrap(); // through the same session, which lives on
    let cx = house.context(day("2024-02-01"), day("2024-02-02"), false);
    let lost = benefactor::jobs::email_contacts::JOB.chunk(&cx, &mut conn, &chunk).await.unwrap_err();
    assert!(lost.to_string().contains("passed to another worker"), "{lost}");
    assert_eq!(house.one::<String>("select status || ' ' || attempts from mail").await, "queued 0");
}

#[tokio::test]
async fn the_last_try_that_an_outage_took_brings_a_chunk_back_from_the_dead() {
    let (house, mut conn, run_id) = planned(1).await;
    let once = |worker| Claimant { max_attempts: 1, ..by(worker) };
    let chunk = claim(&mut conn, run_id, once("worker:a")).await.unwrap();
    lapse(&house).await;
    assert!(claim(&mut conn, run_id, once("worker:b")).await.is_none());
    assert_eq!(house.one::<String>("select status from run_chunk").await, "failed");
    run::hand_back(&mut conn, &chunk, 1, "the database was away").await.unwrap();
    assert_eq!(claim(&mut conn, run_id, once("worker:b")).await.unwrap().attempts, 1);
}

#[tokio::test]
async fn what_was_called_off_is_discarded_by_whoever_has_it_or_finds_it() {
    let (house, mut conn, run_id) = planned(2).await;
    let first = claim(&mut conn, run_id, by("worker:a")).await.unwrap();
    let second = claim(&mut conn, run_id, by("worker:a")).await.unwrap();
    assert_eq!(run::renew(&mut conn, &first, 60.0).await.unwrap(), Word::GoOn);
    sqlx::query("update run_chunk set cancel_asked_at = now()").execute(&house.owner).await.unwrap();
    assert_eq!(run::renew(&mut conn, &first, 60.0).await.unwrap(), Word::CalledOff);
    assert!(!run::give_back(&mut conn, &first, "called off", 3, NO_PAUSE).await.unwrap());
    lapse(&house).await;
    assert!(claim(&mut conn, run_id, by("worker:b")).await.is_none());
    assert_eq!(house.lines("select status from run_chunk").await, ["discarded", "discarded"]);
    let lost = run::finish(&mut conn, &second, Counts::default()).await.unwrap_err();
    assert!(matches!(lost, store::Error::LeaseLost), "done too late");
    let open = run::open_chunks(&mut conn, run_id.into()).await.unwrap();
    assert_eq!((open.open, open.failed), (0, 0));
    run::close(&mut conn, run_id.into(), None).await.unwrap();
    let status = house.one::<String>("select status from run").await;
    assert_eq!(status, "incomplete", "a run with a missing chunk is not complete");
}

#[tokio::test]
async fn a_coordinator_whose_place_was_taken_writes_nothing() {
    let house = House::open().await;
    let mut conn = house.pool.acquire().await.unwrap();
    let first = run::become_leader(&mut conn, "night:a").await.unwrap();
    run::ensure_leader(&mut conn, first).await.unwrap();
    let second = run::become_leader(&mut conn, "night:b").await.unwrap();
    assert!(matches!(run::ensure_leader(&mut conn, first).await.unwrap_err(), store::Error::LeaseLost));
    run::ensure_leader(&mut conn, second).await.unwrap();
}
