//! The timetable through the real binary: nights that were missed, clocks that are changed, jobs of different hours.

use std::{fs, path::Path, time::Duration};

use benefactor::{
    domain::calendar::add_days,
    jobs::policy::BUILT_IN,
    store::tick::{self, DroppedTicks},
};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    house::{House, Ran, Scratch, benefactor},
    story::day,
    worker::{Running, until},
};

/// Writes a job's policy file with another timetable.
fn timetable(dir: &Path, stem: &str, lines: &str) {
    let (_, text) = BUILT_IN.iter().find(|(name, _)| *name == stem).unwrap();
    let own = ["cron =", "zone =", "catch_up =", "catch_up_cap =", "deadline_hours ="];
    let rest: Vec<&str> = text.lines().filter(|line| !own.iter().any(|key| line.starts_with(key))).collect();
    let text = rest.join("\n").replacen("[timetable]", &format!("[timetable]\n{lines}"), 1);
    fs::create_dir_all(dir.join("config/jobs")).unwrap();
    fs::write(dir.join(format!("config/jobs/{stem}.toml")), text).unwrap();
}

fn everywhere(dir: &Path, lines: &str) {
    for (stem, _) in BUILT_IN {
        timetable(dir, stem, lines);
    }
}

/// Runs `night` at an instant.
fn night(house: &House, now: &str) -> Ran {
    let config = house.dir.join("config");
    fs::create_dir_all(&config).unwrap();
    let mut command = house.command(["--now", now, "--config-dir"]);
    Ran::of(command.arg(config).arg("night"))
}

async fn complete(house: &House, due_on: &str) {
    let query = format!("select exists (select from night where due_on = '{due_on}')");
    until(house, &format!("the night of {due_on} is complete"), &query).await;
}

/// The days of the month for which a job ran, each with how often it was begun if that was not once.
async fn ran(house: &House, job: &str, after: &str) -> String {
    let query = format!(
        "select coalesce(string_agg(to_char(due_on, 'DD') || case attempts when 1 then '' else '×' || attempts end,
                                    ' ' order by due_on), '')
         from run where job = '{job}' and due_on > '{after}'"
    );
    house.one(&query).await
}

async fn due_times(house: &House, job: &str) -> Vec<String> {
    let query = format!(
        "select to_char(due_on, 'MM-DD') || ' ' || to_char(due_at at time zone 'UTC', 'MM-DD HH24:MI')
         from tick where name = '{job}' and answered_at is not null order by due_on"
    );
    house.lines(&query).await
}

/// A house that was down for five nights: the last complete one is that of 31 January 2024.
async fn five_nights_down() -> House {
    let house = House::open().await;
    timetable(house.dir.path(), "provision_credits", "cron = \"30 2 * * *\"\ncatch_up_cap = 3");
    timetable(house.dir.path(), "export_entitlements", "cron = \"30 2 * * *\"\ncatch_up = \"none\"");
    night(&house, "2024-02-01T03:00:00Z").ended(0);
    house
}

const LAST: &str = "2024-01-31";

#[tokio::test]
async fn after_five_nights_down_each_job_runs_as_its_policy_says_and_what_was_dropped_is_told() {
    let house = five_nights_down().await;
    let up = Running::start(&house, "2024-02-06T08:00:00Z", "up");
    complete(&house, "2024-02-05").await;
    assert_eq!(ran(&house, "import_entitlements", LAST).await, "01 02 03 04 05", "all");
    assert_eq!(ran(&house, "provision_credits", LAST).await, "03 04 05", "all, at most three");
    assert_eq!(ran(&house, "email_contacts", LAST).await, "05", "the latest");
    assert_eq!(
        ran(&house, "export_entitlements", LAST).await,
        "05",
        "none, but it is not too late for the newest"
    );
    let said = up.said();
    up.stop();
    assert_eq!(said.matches("(catch_up_cap): dropped").count(), 1, "{said}");
    assert!(
        said.contains("provision_credits") && said.contains("first=2024-02-01 last=2024-02-02"),
        "{said}"
    );
    let dropped = tick::dropped(&mut house.pool.acquire().await.unwrap(), 7).await.unwrap();
    let told = DroppedTicks {
        job: "provision_credits".to_owned(),
        count: 2,
        first_on: day("2024-02-01"),
        last_on: day("2024-02-02"),
    };
    assert_eq!(dropped, [told]);
    let open = "select count(*) from tick where verdict = 'due' and answered_at is null";
    assert_eq!(house.one::<i64>(open).await, 0);
}

#[tokio::test]
async fn a_job_that_makes_up_for_nothing_is_passed_over_once_its_deadline_has_passed() {
    let house = five_nights_down().await;
    let up = Running::start(&house, "2024-02-06T08:30:01Z", "up");
    complete(&house, "2024-02-05").await;
    up.stop();
    assert_eq!(ran(&house, "export_entitlements", LAST).await, "");
    let ticks = "select string_agg(verdict, ' ' order by due_on) from tick
                 where name = 'export_entitlements' and due_on > '2024-01-31'";
    assert_eq!(house.one::<String>(ticks).await, "skipped skipped skipped skipped skipped");
    assert_eq!(ran(&house, "import_entitlements", LAST).await, "01 02 03 04 05");
}

#[tokio::test]
async fn a_night_asked_for_by_hand_keeps_to_the_same_policies() {
    let house = five_nights_down().await;
    night(&house, "2024-02-06T23:00:00Z").ended(0);
    assert_eq!(ran(&house, "import_entitlements", LAST).await, "01 02 03 04 05");
    assert_eq!(ran(&house, "provision_credits", LAST).await, "03 04 05");
    assert_eq!(ran(&house, "email_contacts", LAST).await, "05");
    // Looked at again, an earlier date shows the present to nobody, and the record stays.
    let before: i64 = house.one("select count(*) from tick").await;
    let mut again = house.command(["--now", "2024-02-06T23:00:00Z", "night", "--on", "2024-02-03"]);
    let again = Ran::of(&mut again).ended(0).stdout;
    assert!(again.starts_with("night of 2024-02-03: complete already since "), "{again}");
    assert!(again.ends_with(", when it came to: nothing was due; nothing was left to do\n"), "{again}");
    assert_eq!(house.one::<i64>("select count(*) from tick").await, before);
    assert!(!house.dir.join("exports/2024-02-03").exists());
    assert!(house.dir.join("exports/2024-02-05").exists());
}

#[tokio::test]
async fn a_first_night_that_was_begun_and_is_not_complete_is_gone_on_with_before_any_later_one() {
    let house = House::open().await;
    timetable(house.dir.path(), "export_entitlements", "cron = \"30 2 * * *\"");
    let policy = house.dir.join("config/jobs/export_entitlements.toml");
    fs::write(&policy, fs::read_to_string(&policy).unwrap().replace("attempts = 5", "attempts = 1")).unwrap();
    fs::write(house.dir.join("exports"), "in the way of the folder").unwrap();
    night(&house, "2024-02-01T03:00:00Z").ended(1);
    night(&house, "2024-02-04T03:00:00Z").ended(1);
    assert_eq!(
        ran(&house, "export_entitlements", "2024-01-01").await,
        "31×2",
        "what failed, and no later one"
    );
    let mut status = house.command(["--json", "--now", "2024-02-04T03:00:00Z", "status"]);
    let status: Value = serde_json::from_str(&Ran::of(&mut status).ended(1).stdout).unwrap();
    assert_eq!(status["first_missing_night"], "2024-01-31");
    assert_eq!(status["missing_nights"], 4);

    fs::remove_file(house.dir.join("exports")).unwrap();
    let dead: String = house.one("select run_id || '.1' from run_chunk where status = 'failed'").await;
    let mut retry = house.command(["jobs", "retry", &dead, "--by", "ada", "--why", "the folder can be made"]);
    Ran::of(&mut retry).ended(0);
    let up = Running::start(&house, "2024-02-04T08:00:00Z", "up");
    complete(&house, "2024-02-03").await;
    up.stop();
    assert_eq!(house.one::<i64>("select count(*) from night").await, 4);
    assert_eq!(ran(&house, "expire_benefits", "2024-01-01").await, "31×2 01 02 03");
}

#[tokio::test]
async fn the_first_night_of_the_timetable_is_that_of_the_first_file_however_late_a_process_starts() {
    let house = House::open().await;
    let partners = house.dir.join("partners.csv");
    let header = "partner_id,name,account_email,country,currency";
    fs::write(&partners, format!("{header}\n4711,Nord AB,it@nord.example,SE,SEK\n")).unwrap();
    let mut import = house.command(["--now", "2024-02-01T10:00:00Z", "import"]);
    Ran::of(import.arg(&partners)).ended(0);
    let mut status = house.command(["--now", "2024-02-01T10:00:00Z", "status"]);
    assert!(Ran::of(&mut status).ended(0).stdout.starts_with("no night is complete yet\nnone is due yet\n"));
    let up = Running::start(&house, "2024-02-05T01:00:00Z", "up");
    complete(&house, "2024-02-03").await;
    up.stop();
    assert_eq!(
        ran(&house, "expire_benefits", "2024-01-01").await,
        "01 02 03",
        "and that of 02-04 is not due"
    );
}

#[tokio::test]
async fn processes_that_start_at_once_put_each_tick_on_record_once_and_run_each_job_once() {
    let house = five_nights_down().await;
    let now = "2024-02-06T03:00:00Z";
    let mut all = [(); 2].map(|()| Running::start(&house, now, "up"));
    complete(&house, "2024-02-05").await;
    all.iter_mut().for_each(Running::hears);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let told: usize = all.iter().map(|up| up.said().matches("(catch_up_cap): dropped").count()).sum();
    assert_eq!(told, 1, "by the one that put it on record");
    all.into_iter().for_each(Running::stop);
    let ticks =
        "select count(*) = 40 and count(distinct (name, due_on)) = 40 from tick where due_on > '2024-01-31'";
    assert!(house.one::<bool>(ticks).await);
    assert_eq!(ran(&house, "import_entitlements", LAST).await, "01 02 03 04 05");
    assert_eq!(ran(&house, "provision_credits", LAST).await, "03 04 05");
    assert_eq!(ran(&house, "email_contacts", LAST).await, "05");
}

#[tokio::test]
async fn when_clocks_go_forward_each_business_date_has_its_night_once() {
    let house = House::open().await;
    everywhere(house.dir.path(), "cron = \"30 2 * * *\"\nzone = \"Europe/Stockholm\"");
    night(&house, "2024-03-30T02:00:00Z").ended(0);
    for (now, due_on) in [("2024-03-31T00:59:56Z", "2024-03-30"), ("2024-04-01T00:29:56Z", "2024-03-31")] {
        let up = Running::start(&house, now, "up");
        complete(&house, due_on).await;
        up.stop();
    }
    for job in ["import_entitlements", "export_entitlements"] {
        assert_eq!(
            due_times(&house, job).await,
            ["03-29 03-30 01:30", "03-30 03-31 01:00", "03-31 04-01 00:30"],
            "02:30 is left out: when it would be over"
        );
        assert_eq!(ran(&house, job, "2024-03-29").await, "30 31");
    }
}

#[tokio::test]
async fn when_clocks_go_back_each_business_date_has_its_night_once() {
    let house = House::open().await;
    everywhere(house.dir.path(), "cron = \"30 2 * * *\"\nzone = \"Europe/Stockholm\"");
    night(&house, "2024-10-26T02:00:00Z").ended(0);
    let up = Running::start(&house, "2024-10-27T00:29:56Z", "up");
    complete(&house, "2024-10-26").await;
    up.stop();
    // Half past two comes again.
    let mut up = Running::start(&house, "2024-10-27T01:29:57Z", "up");
    up.hears();
    tokio::time::sleep(Duration::from_secs(6)).await;
    up.stop();
    let up = Running::start(&house, "2024-10-28T01:29:56Z", "up");
    complete(&house, "2024-10-27").await;
    up.stop();
    assert_eq!(
        due_times(&house, "provision_credits").await,
        ["10-25 10-26 00:30", "10-26 10-27 00:30", "10-27 10-28 01:30"]
    );
    assert_eq!(ran(&house, "provision_credits", "2024-10-25").await, "26 27");
}

#[tokio::test]
async fn a_night_waits_for_its_jobs_of_a_later_hour_and_runs_each_once() {
    let house = House::open().await;
    timetable(house.dir.path(), "email_contacts", "cron = \"0 6 * * *\"\ncatch_up = \"latest\"");
    // 2 February 2024 is a Friday, and its night is on Saturday.
    timetable(house.dir.path(), "remind_contacts", "cron = \"30 2 * * SUN\"");
    night(&house, "2024-02-02T07:00:00Z").ended(0);
    let up = Running::start(&house, "2024-02-03T02:30:00Z", "up");
    let begun = "select count(*) = 4 from tick where due_on = '2024-02-02' and answered_at is not null";
    until(&house, "the jobs before it are done", begun).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    up.stop();
    assert_eq!(house.one::<String>("select max(due_on)::text from night").await, "2024-02-01");
    let status = |now: &str, code: i32| {
        let mut command = house.command(["--now", now, "--json", "--config-dir"]);
        let ran = Ran::of(command.arg(house.dir.join("config")).arg("status")).ended(code);
        serde_json::from_str::<Value>(&ran.stdout).unwrap()
    };
    assert_eq!(status("2024-02-03T12:00:00Z", 0)["due_at"], "2024-02-03T06:00:00Z", "the mail's hour");
    assert_eq!(status("2024-02-03T12:00:01Z", 1)["overdue"], true);
    let up = Running::start(&house, "2024-02-03T05:59:57Z", "up");
    complete(&house, "2024-02-02").await;
    up.stop();
    for job in ["import_entitlements", "provision_credits", "email_contacts", "export_entitlements"] {
        assert_eq!(ran(&house, job, "2024-02-01").await, "02", "{job}");
    }
    assert_eq!(ran(&house, "remind_contacts", "2024-01-01").await, "", "it takes no part in this night");
}

#[test]
fn the_timetable_shows_both_clocks_over_both_changes() {
    let dir = Scratch::new();
    timetable(dir.path(), "import_entitlements", "cron = \"30 2 * * *\"\nzone = \"Europe/Stockholm\"");
    let lines = |from: &str| {
        let mut command = benefactor(dir.path());
        command.args(["timetable", "--from", from, "--config-dir"]).arg(dir.join("config"));
        let told = Ran::of(&mut command).ended(0).stdout;
        told.lines().take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        lines("2024-03-29T12:00:00Z"),
        [
            "import_entitlements   30 2 * * * (Europe/Stockholm); missed: all, at most 3660; to be done within 6 h",
            "  Sat 2024-03-30 01:30:00 UTC  Sat 2024-03-30 02:30:00 CET (+01:00) Europe/Stockholm  for the night of 2024-03-29",
            "  Sun 2024-03-31 01:00:00 UTC  Sun 2024-03-31 03:00:00 CEST (+02:00) Europe/Stockholm  for the night of 2024-03-30",
            "  Mon 2024-04-01 00:30:00 UTC  Mon 2024-04-01 02:30:00 CEST (+02:00) Europe/Stockholm  for the night of 2024-03-31",
        ]
    );
    assert_eq!(
        lines("2024-10-26T12:00:00Z")[1..],
        [
            "  Sun 2024-10-27 00:30:00 UTC  Sun 2024-10-27 02:30:00 CEST (+02:00) Europe/Stockholm  for the night of 2024-10-26",
            "  Mon 2024-10-28 01:30:00 UTC  Mon 2024-10-28 02:30:00 CET (+01:00) Europe/Stockholm  for the night of 2024-10-27",
            "  Tue 2024-10-29 01:30:00 UTC  Tue 2024-10-29 02:30:00 CET (+01:00) Europe/Stockholm  for the night of 2024-10-28",
        ]
    );
    let from: DateTime<Utc> = "2024-10-27T00:30:00Z".parse().unwrap();
    let mut command = benefactor(dir.path());
    command.args(["--json", "timetable", "--count", "1", "--from", &from.to_rfc3339(), "--config-dir"]);
    let told = Ran::of(command.arg(dir.join("config"))).ended(0).stdout;
    let import: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!(import["nights"][0]["local"], "2024-10-27T02:30:00+02:00");
    assert_eq!(import["nights"][0]["due_on"], add_days(day("2024-10-25"), 1).to_string());
}

#[test]
fn check_refuses_a_timetable_that_cannot_be_meant_and_says_what_to_write() {
    let dir = Scratch::new();
    let finding = |lines: &str| {
        timetable(dir.path(), "expire_benefits", lines);
        let mut command = benefactor(dir.path());
        let ran = Ran::of(command.arg("check").arg("--config-dir").arg(dir.join("config"))).ended(2);
        ran.stderr
    };
    for (lines, says) in [
        ("cron = \"30 2 30 2 *\"", ":4: cron = \"30 2 30 2 *\": '30 2 30 2 *' is never due"),
        ("cron = \"30 2 * * 1-5\"", "write names, for example MON-FRI"),
        (
            "cron = \"30 2,14 * * *\"",
            ":4: timetable.cron = \"30 2,14 * * *\": it is due twice for one business date (at 02:30:00 and at 14:30:00",
        ),
        (
            "cron = \"30 2 * * *\"\nzone = \"Europe/Stokholm\"",
            ":5: zone = \"Europe/Stokholm\": there is no zone 'Europe/Stokholm': write \"UTC\"",
        ),
        ("cron = \"30 2 * * *\"\ncatch_up = \"some\"", ":5: catch_up = \"some\": unknown variant `some`"),
        (
            "cron = \"30 2 * * *\"\ncatch_up_cap = 0",
            ":5: timetable.catch_up_cap = 0: write a whole number from 1",
        ),
        (
            "cron = \"30 2 * * *\"\ndeadline_hours = 0",
            ":5: timetable.deadline_hours = 0: write a whole number",
        ),
        ("cron = \"30 2 * * *\"\nzoen = \"UTC\"", ":5: zoen = \"UTC\": unknown field `zoen`"),
    ] {
        let told = finding(lines);
        assert!(told.contains("jobs/expire_benefits.toml") && told.contains(says), "{told}");
    }
    // What stood before these keys were known still stands.
    timetable(dir.path(), "expire_benefits", "cron = \"30 2 * * *\"");
    Ran::of(benefactor(dir.path()).arg("check").arg("--config-dir").arg(dir.join("config"))).ended(0);
}
