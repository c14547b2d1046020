//! `jobs` through the real binary: chunks that really fail, what an operator sees of them and does about them, and
//! what is kept of that.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

use crate::{
    cluster::PATIENCE,
    house::{House, Ran},
    worker::{Running, until},
};

const PARTNERS: &str = "partner_id,name,account_email,country,currency,language,tenant_id\n\
    4711,Harbor & Pine,accounts@harborpine.example,US,USD,en-US,5555800b-4bb2-59fe-9543-88611461ec94\n";
const ENTITLEMENTS: &str = "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on,amount,currency\n\
    4711,O-1,action_pack,azure_monthly_credit,core,1,2024-01-15,2024-01-15,2025-01-14,100.00,USD\n\
    4711,O-2,action_pack,azure_monthly_credit,core,1,2024-01-15,2024-01-15,2025-01-14,100.00,USD\n\
    4711,O-3,action_pack,azure_monthly_credit,core,1,2024-01-15,2024-01-15,2025-01-14,100.00,USD\n";
const NIGHT: &str = "2024-01-16T03:00:00Z";
const GRANTED: &str = "select order_id from report.ledger where kind = 'credit_granted' order by 1";

async fn sql(pool: &PgPool, statement: &str) -> Result<u64, sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(pool).await.map(|done| done.rows_affected())
}

fn benefactor(house: &House, args: &[&str]) -> Ran {
    Ran::of(house.command(["--now", NIGHT]).args(args).env("BENEFACTOR_CONFIG_DIR", house.dir.join("config")))
}

/// Three credits, one a chunk with one try, and something in the store that lets that of O-2 fail, which the night goes on past.
async fn house_with_a_dead_letter() -> (House, String) {
    house_that_stops_after(10).await
}

/// The same, where the run stops after so many.
async fn house_that_stops_after(failures: u32) -> (House, String) {
    let house = House::open().await;
    let jobs = house.dir.join("config/jobs");
    fs::create_dir_all(&jobs).unwrap();
    let once: Vec<String> = include_str!("../../jobs/provision_credits.toml")
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some((key @ ("chunk_rows" | "attempts" | "lanes"), _)) => format!("{key} = 1"),
            Some((key @ "failures_before_stop", _)) => format!("{key} = {failures}"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(jobs.join("provision_credits.toml"), once.join("\n")).unwrap();
    house.run(["--now", "2024-01-15T03:00:00Z", "night"]).ended(0);
    for (name, text) in [("partners.csv", PARTNERS), ("entitlements.csv", ENTITLEMENTS)] {
        fs::write(house.dir.join(name), text).unwrap();
        let path = house.dir.join(name);
        Ran::of(house.command(["--now", "2024-01-15T10:00:00Z", "import"]).arg(path)).ended(0);
    }
    sql(
        &house.owner,
        "create function out_of_order() returns trigger language plpgsql as $$
         begin raise exception 'the ledger of O-2 is out of order'; end $$;
         do $$ begin execute format(
             'create trigger out_of_order before insert on transfer for each row
              when (new.entitlement_id = %s) execute function out_of_order()',
             (select e.entitlement_id from entitlement e join membership m using (membership_id)
              where m.order_id = 'O-2')); end $$",
    )
    .await
    .unwrap();
    let night = benefactor(&house, &["night"]).ended(1);
    assert!(night.stderr.contains("the ledger of O-2 is out of order"), "{}", night.stderr);
    let dead =
        house.one::<String>("select run_id || '.' || chunk_no from run_chunk where status = 'failed'").await;
    (house, dead)
}

const SAID: [&str; 4] = ["--by", "ada", "--why", "looked at it"];

fn act(house: &House, args: &[&str]) -> Ran {
    let args: Vec<&str> = ["jobs"].iter().chain(args).chain(&SAID).copied().collect();
    benefactor(house, &args)
}

async fn calls(house: &House, queue: &str) -> i64 {
    house
        .one(&format!("select count(*) from apalis.jobs where job_type = '{queue}' and status = 'Pending'"))
        .await
}

#[tokio::test]
async fn a_dead_letter_is_listed_shown_with_its_rows_and_once_the_cause_is_gone_retried() {
    let (house, dead) = house_with_a_dead_letter().await;
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-3"], "the others are done");

    let list = benefactor(&house, &["jobs", "list"]).ended(0).stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    for word in [dead.as_str(), "provision_credits", "2024-01-15", "dead", "the ledger of O-2"] {
        assert!(lines[1].contains(word), "{word} in {list}");
    }
    let none = benefactor(&house, &["jobs", "list", "--state", "waiting"]).ended(0).stdout;
    assert_eq!(none, "no work matches\n");
    let none = benefactor(&house, &["jobs", "list", "--job", "expire_benefits"]).ended(0).stdout;
    assert_eq!(none, "no work matches\n");
    let done = benefactor(&house, &["jobs", "list", "--state", "done", "--limit", "1"]).ended(0).stdout;
    assert!(done.contains("more: --limit"), "{done}");

    let shown = benefactor(&house, &["jobs", "show", &dead]).ended(0).stdout;
    for words in [
        "failed for good after 1 try",
        "1 of these are still due",
        "4711  O-2/azure_monthly_credit  2024-01-15",
        "the ledger of O-2 is out of order",
        &format!("benefactor jobs retry {dead}"),
        &format!("benefactor jobs discard {dead}"),
        "nights go on past it",
        "the night is complete",
    ] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    let told: Value =
        serde_json::from_str(&benefactor(&house, &["--json", "jobs", "show", &dead]).ended(0).stdout)
            .unwrap();
    assert_eq!(told["state"], "dead");
    assert_eq!(told["covers"]["rows"][0]["partner_id"], "4711");
    assert_eq!(told["attempts"][0]["outcome"], "failed");

    sql(&house.owner, "drop trigger out_of_order on transfer").await.unwrap();
    sql(&house.owner, "delete from apalis.jobs").await.unwrap(); // those for what was planned
    let retried = act(&house, &["retry", &dead, "--priority", "7"]).ended(0).stdout;
    assert!(retried.contains(&format!("{dead} is ready again")), "{retried}");
    assert_eq!(calls(&house, "night").await, 1, "rung for");
    let ready = "select status || ' ' || attempts || ' ' || priority from run_chunk where status <> 'done'";
    assert_eq!(house.lines(ready).await, ["ready 0 7"]);
    let action = "select action || '; ' || by || '; ' || why || '; ' || before from operator_action";
    let action = house.one::<String>(action).await;
    assert!(action.starts_with("retry; ada; looked at it; dead after 1 try; the last error: "), "{action}");
    let shown = benefactor(&house, &["jobs", "show", &dead]).ended(0).stdout;
    assert!(shown.contains("ada: looked at it") && shown.contains("before: dead after 1 try"), "{shown}");

    benefactor(&house, &["night"]).ended(0);
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-2", "O-3"]);
    let none = benefactor(&house, &["jobs", "list"]).ended(0).stdout;
    assert_eq!(none, "nothing waits, runs or has failed\n");
    let refused = act(&house, &["retry", &dead]).ended(1);
    assert!(refused.stderr.contains("it is done; nothing is left to do of it"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_live_process_takes_up_at_once_what_an_operator_gives_back_however_long_it_would_rest() {
    let (house, dead) = house_that_stops_after(1).await;
    let up = Running::start(&house, NIGHT, "up");
    let deadline = Instant::now() + PATIENCE;
    while !up.said().contains("the night waits for an operator") {
        assert!(Instant::now() < deadline, "it does not see the dead letter");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    sql(&house.owner, "drop trigger out_of_order on transfer").await.unwrap();
    act(&house, &["retry", &dead]).ended(0);
    until(&house, "the night is complete", "select exists (select from night where due_on = '2024-01-15')")
        .await;
    up.stop();
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-2", "O-3"]);
}

#[tokio::test]
async fn a_night_goes_on_past_what_was_discarded_and_its_rows_stay_due_for_the_next() {
    let (house, dead) = house_that_stops_after(1).await;
    let shown = benefactor(&house, &["jobs", "show", &dead]).ended(0).stdout;
    assert!(shown.contains("the night is not complete"), "{shown}");
    let told = act(&house, &["discard", &dead, "--json"]).ended(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["jobs"][0]["before"], "dead");
    assert_eq!(told["jobs"][0]["now"], "discarded");
    benefactor(&house, &["night"]).ended(0);
    assert!(house.one::<bool>("select exists (select from night where due_on = '2024-01-15')").await);
    let run = "select status from run where job = 'provision_credits' and due_on = '2024-01-15'";
    assert_eq!(house.one::<String>(run).await, "incomplete");

    sql(&house.owner, "drop trigger out_of_order on transfer").await.unwrap();
    Ran::of(
        house
            .command(["--now", "2024-01-17T03:00:00Z", "night"])
            .env("BENEFACTOR_CONFIG_DIR", house.dir.join("config")),
    )
    .ended(0);
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-2", "O-3"]);
    let shown = benefactor(&house, &["jobs", "show", &dead]).ended(0).stdout;
    assert!(shown.contains("was discarded") && shown.contains("nothing of that is due now"), "{shown}");
    let again = act(&house, &["discard", &dead]).ended(1);
    assert!(again.stderr.contains("was discarded; that is so already"), "{}", again.stderr);
}

#[tokio::test]
async fn what_fails_again_of_a_night_that_is_over_holds_up_no_later_one() {
    let (house, dead) = house_with_a_dead_letter().await;
    let (run, _) = dead.split_once('.').unwrap();
    let only_then = format!(
        "drop trigger out_of_order on transfer;
         create trigger out_of_order before insert on transfer for each row
         when (new.run_id = {run}) execute function out_of_order()"
    );
    sql(&house.owner, &only_then).await.unwrap();
    act(&house, &["retry", &dead]).ended(0);
    let mut next = house.command(["--now", "2024-01-17T03:00:00Z", "night"]);
    let next = Ran::of(next.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))).ended(1);
    assert!(next.stderr.contains("the ledger of O-2 is out of order"), "{}", next.stderr);
    assert!(next.stdout.contains("night of 2024-01-16"), "{}", next.stdout);
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-3"], "no night does what is a dead letter of another");
    act(&house, &["discard", &dead]).ended(0);
    let mut next = house.command(["--now", "2024-01-18T03:00:00Z", "night"]);
    Ran::of(next.env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))).ended(0);
    assert_eq!(house.lines(GRANTED).await, ["O-1", "O-2", "O-3"], "once it is discarded, the next does");
}

/// Puts the dead letter of run `R` into another state, as its columns say.
async fn put(house: &House, columns: &str) {
    let put = format!(
        "update run_chunk set {columns} where (run_id || '.' || chunk_no) = (select run_id || '.' || chunk_no \
                       from run_chunk order by (status = 'done'), run_id, chunk_no limit 1)"
    );
    assert_eq!(sql(&house.owner, &put).await.unwrap(), 1);
}

#[tokio::test]
async fn what_waits_is_held_back_or_called_off_at_once_and_what_runs_is_asked_to_end() {
    let (house, id) = house_with_a_dead_letter().await;
    let of = |what: &str| format!("select {what} from run_chunk where (run_id || '.' || chunk_no) = '{id}'");
    put(&house, "status = 'ready', attempts = 0, ready_at = now()").await;

    act(&house, &["snooze", &id, "--for", "2h"]).ended(0);
    assert!(
        house
            .one::<bool>(&of(
                "ready_at between now() + interval '119 minutes' and now() + interval '2 hours'"
            ))
            .await
    );
    assert_eq!(house.one::<i32>(&of("attempts")).await, 0, "costs no try");
    let list = benefactor(&house, &["jobs", "list"]).ended(0).stdout;
    assert!(list.contains("waiting"), "{list}");
    act(&house, &["snooze", &id, "--until", "2999-01-01"]).ended(0);
    assert!(house.one::<bool>(&of("ready_at = '2999-01-01T00:00:00Z'")).await);
    let over = act(&house, &["snooze", &id, "--until", "2001-01-01"]).ended(2);
    assert!(over.stderr.contains("over already"), "{}", over.stderr);
    act(&house, &["cancel", &id]).ended(0);
    assert_eq!(house.one::<String>(&of("status")).await, "discarded");

    put(&house, "status = 'claimed', worker = 'night:1:x', lease_until = now() + interval '1 minute'").await;
    let refused = act(&house, &["snooze", &id, "--for", "1h"]).ended(1);
    assert!(refused.stderr.contains("it runs; `jobs cancel"), "{}", refused.stderr);
    let run = id.split('.').next().unwrap();
    let told = act(&house, &["cancel", run]).ended(0).stdout;
    assert!(told.contains("is being called off"), "{told}");
    assert!(house.one::<bool>(&of("status = 'claimed' and cancel_asked_at is not null")).await);
    let shown = benefactor(&house, &["jobs", "show", &id]).ended(0).stdout;
    assert!(shown.contains("runs, and is being called off"), "{shown}");

    // A worker that let its lease lapse has it no more.
    put(&house, "status = 'claimed', lease_until = now() - interval '1 second', cancel_asked_at = null")
        .await;
    act(&house, &["cancel", run]).ended(0);
    assert_eq!(house.one::<String>(&of("status")).await, "discarded");
    let none = act(&house, &["cancel", run]).ended(1);
    assert!(none.stderr.contains("nothing of run"), "{}", none.stderr);
    let actions = "select string_agg(action, ' ' order by action_id) from operator_action";
    assert_eq!(house.one::<String>(actions).await, "snooze snooze cancel cancel cancel");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_fits_and_nothing_is_done_to_the_others() {
    let (house, dead) = house_with_a_dead_letter().await;
    let says = |ran: Ran, code: i32, words: &str| {
        let stderr = ran.ended(code).stderr;
        assert!(stderr.contains(words), "{words} in {stderr}");
    };
    says(act(&house, &["cancel", &dead]), 1, "`jobs discard");
    says(act(&house, &["snooze", &dead, "--for", "1h"]), 1, "`jobs retry");
    says(act(&house, &["retry", "999999.1"]), 1, "there is no job 999999.1");
    says(act(&house, &["cancel", "999999"]), 1, "there is no run 999999");
    says(benefactor(&house, &["jobs", "show", "999999.1"]), 1, "there is no job 999999.1");
    says(act(&house, &["retry", "412"]), 2, "RUN.CHUNK");
    says(act(&house, &["retry", "x.y"]), 2, "RUN.CHUNK");
    says(act(&house, &["snooze", &dead]), 2, "--for");
    says(act(&house, &["snooze", &dead, "--for", "soon"]), 2, "write 90s, 30m, 2h or 1d");
    says(benefactor(&house, &["jobs", "retry", &dead, "--by", "ada"]), 2, "--why");
    says(benefactor(&house, &["jobs", "retry", &dead, "--why", "because"]), 2, "--by");
    says(benefactor(&house, &["jobs", "retry", &dead, "--by", " ", "--why", "x"]), 2, "kept on record");
    says(benefactor(&house, &["jobs", "list", "--state", "sleepy"]), 2, "there is no state");
    says(benefactor(&house, &["jobs", "list", "--job", "nothing"]), 2, "there is no job 'nothing'");

    let done = house
        .one::<String>("select min(run_id || '.' || chunk_no) from run_chunk where status = 'done'")
        .await;
    says(act(&house, &["discard", &dead, &done]), 1, "nothing was done to the others either");
    assert_eq!(house.one::<i64>("select count(*) from run_chunk where status = 'failed'").await, 1);
    assert_eq!(house.one::<i64>("select count(*) from operator_action").await, 0);
    put(&house, "status = 'ready'").await;
    says(act(&house, &["retry", &dead]), 1, "it is tried anyway");
    says(act(&house, &["discard", &dead]), 1, "`jobs cancel");

    // Its rows may be in another open chunk of the run by now.
    put(&house, "status = 'failed'").await;
    sql(
        &house.owner,
        "insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id)
         select run_id, 900, stage, from_on, from_id, until_on, until_id from run_chunk where status = 'failed'",
    )
    .await
    .unwrap();
    says(act(&house, &["retry", &dead]), 1, ".900, which is open");
}

#[tokio::test]
async fn what_operators_did_is_kept_as_it_was_said() {
    let (house, dead) = house_with_a_dead_letter().await;
    act(&house, &["discard", &dead]).ended(0);
    for change in [
        "update operator_action set why = 'no reason'",
        "delete from operator_action",
        "truncate operator_action",
    ] {
        assert!(sql(&house.pool, change).await.is_err(), "the worker: {change}");
        assert!(sql(&house.owner, change).await.is_err(), "the owner: {change}");
    }
    assert_eq!(house.one::<String>("select why from operator_action").await, "looked at it");
}
