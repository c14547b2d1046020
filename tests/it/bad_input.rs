//! What an operator can get wrong: each ends with its code and a sentence, and nothing is half done.

use std::fs;

use crate::house::{House, Ran, Scratch, benefactor};

/// The code, and that standard error is a sentence that holds the words.
#[track_caller]
fn says(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.ended(code);
    assert!(ran.stdout.is_empty(), "{ran:?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_date_that_is_not_over_and_a_span_that_runs_backwards_are_refused() {
    let house = House::open().await;
    let now = "2024-03-02T10:00:00Z";
    says(house.run(["--now", now, "night", "--on", "2024-03-02"]), 2, &["2024-03-02", "2024-03-01"]);
    says(house.run(["--now", now, "night", "--to", "2024-03-05"]), 2, &["2024-03-05", "2024-03-01"]);
    says(house.run(["--now", now, "run", "provision_credits", "--on", "2024-03-02"]), 2, &["2024-03-01"]);
    says(
        house.run(["--now", now, "night", "--from", "2024-02-20", "--to", "2024-02-10"]),
        2,
        &["2024-02-20", "2024-02-10"],
    );
    says(house.run(["--now", now, "night", "--on", "2024-02-30"]), 2, &["2024-02-30"]);
    assert_eq!(house.one::<i64>("select count(*) from run").await, 0);
    // The last full day is a day that can be run.
    house.run(["--now", now, "night", "--on", "2024-03-01"]).ended(0);
}

#[test]
fn a_data_directory_that_is_a_file_is_named_with_what_to_do_and_stays() {
    let dir = Scratch::new();
    let file = dir.join("notes.txt");
    fs::write(&file, "kept").unwrap();
    let told = |option: &str, words: &[&str]| {
        let named = format!("{} is a file, and a directory is needed", file.display());
        let all = [option, &named, "move the file away"];
        says(Ran::of(benefactor(dir.path()).args(words)), 2, &all);
    };
    let (file_name, below) = (file.to_str().unwrap(), file.join("store"));
    for command in [&["status"][..], &["night"], &["migrate"], &["import", "x.csv"], &["up"]] {
        told("--data-dir", &[&["--data-dir", file_name], command].concat());
    }
    told("--data-dir", &["--data-dir", below.to_str().unwrap(), "night"]);
    told("--dir", &["demo", "--dir", file_name]);
    let from_environment = Ran::of(benefactor(dir.path()).env("BENEFACTOR_DATA_DIR", &file).arg("status"));
    says(from_environment, 2, &["--data-dir", "is a file"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}

#[tokio::test]
async fn an_unknown_job_is_told_which_there_are() {
    let house = House::open().await;
    says(house.run(["run", "grant_credits"]), 2, &["grant_credits", "provision_credits", "email_contacts"]);
    says(house.run(["import", "--kind", "invoices", "x.csv"]), 2, &["invoices", "entitlements"]);
    says(house.run(["nights"]), 2, &["nights"]);
}

#[tokio::test]
async fn wrong_facts_name_their_file_and_line_and_nothing_runs() {
    let house = House::open().await;
    let built_in = |stem: &str| {
        benefactor::jobs::policy::BUILT_IN.iter().find(|(of, _)| *of == stem).unwrap().1.to_owned()
    };
    let expire = built_in("expire_benefits");
    let catalogue = benefactor::domain::catalogue::BUILT_IN;
    for (name, text, words) in [
        (
            "jobs/expire_benefits.toml",
            expire.replace("grace_days = 30", "grace_days = \"a month\""),
            "grace_days",
        ),
        ("jobs/expire_benefits.toml", expire.replace("grace_days", "grace_dyas"), "grace_dyas"),
        ("jobs/expire_benefits.toml", expire.replace("chunk_rows = 10000", "chunk_rows = 0"), "chunk_rows"),
        ("jobs/expire_benefits.toml", expire.replace("\"30 2 * * *\"", "\"61 2 * * *\""), "cron"),
        ("jobs/expire_benefits.toml", "[timetable\n".to_owned(), "expire_benefits"),
        ("catalogue.toml", catalogue.replacen("\nvalid_from", "\nvalid_form", 1), "catalogue.toml"),
    ] {
        let config = Scratch::new();
        fs::create_dir(config.join("jobs")).unwrap();
        fs::write(config.join(name), text).unwrap();
        let mut command = house.command(["--now", "2024-03-02", "night"]);
        command.env("BENEFACTOR_CONFIG_DIR", config.path());
        says(Ran::of(&mut command), 2, &[words]);
    }
    assert_eq!(house.one::<i64>("select count(*) from run").await, 0);
}

#[tokio::test]
async fn wrong_settings_are_exit_2() {
    let house = House::open().await;
    says(house.run(["--now", "yesterday", "night"]), 2, &["yesterday"]);
    says(house.run(["--log", "loud", "night"]), 2, &["loud"]);
    says(house.run(["--database-url", "mysql://nowhere/db", "night"]), 2, &["postgres"]);
    let wrong_role = house.url.replace("benefactor_worker", "nobody_at_all");
    says(house.run(["--database-url", &wrong_role, "night"]), 2, &["nobody_at_all"]);
}

#[test]
fn postgres_gone_is_exit_6_for_every_command_that_needs_it() {
    let dir = Scratch::new();
    let file = dir.join("p.csv");
    fs::write(&file, crate::cast::partner("4301", "USD")).unwrap();
    for args in [
        &["night"][..],
        &["run", "provision_credits"],
        &["import", file.to_str().unwrap()],
        &["digest"],
        &["night", "--dry-run"],
    ] {
        let mut command = benefactor(dir.path());
        command.env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing").args(args);
        says(Ran::of(&mut command), 6, &["benefactor: "]);
    }
}

#[test]
fn a_command_that_only_reads_makes_no_store() {
    let dir = Scratch::new();
    let data = dir.join("data");
    let asked =
        ["status", "explain 4301", "benefits --partner 4301", "export partners", "digest", "jobs list"];
    for args in asked {
        let mut command = benefactor(dir.path());
        command.env_remove("DATABASE_URL").arg("--data-dir").arg(&data).args(args.split(' '));
        says(Ran::of(&mut command), 6, &["there is no store in", "--data-dir"]);
        assert!(!data.exists(), "{args}");
    }
}

#[tokio::test]
async fn a_night_that_loses_its_postgres_is_exit_6_and_goes_on_when_it_is_back() {
    let mut house = House::open().await;
    let order = crate::cast::monthly("4301", "ORD-1", "2024-01-31", "2025-01-30");
    house.import(&[("p.csv", &crate::cast::partner("4301", "USD")), ("e.csv", &order)], "2024-01-31").await;
    // Every connection of the night is cut as soon as it has begun.
    let mut command = house.command(["--now", "2025-02-01", "night", "--from", "2024-01-31"]);
    let night = std::thread::spawn(move || Ran::of(&mut command));
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where datname = current_database() and usename = 'benefactor_worker'
                 and exists (select from night having count(*) > 5)";
    while !night.is_finished() && house.one::<i64>(cut).await == 0 {
        tokio::task::yield_now().await;
    }
    let ran = night.join().unwrap();
    assert!(ran.code == 6, "{ran:?}");
    house.run(["--now", "2025-02-01", "night"]).ended(0);
    assert_eq!(house.ledger_of("granted").await.len(), 12);
}

#[tokio::test]
async fn two_files_that_would_have_the_same_answer_are_not_taken_in_together() {
    let house = House::open().await;
    let paths = ["a", "b"].map(|folder| {
        std::fs::create_dir(house.dir.join(folder)).unwrap();
        let path = house.dir.join(folder).join("p.csv");
        std::fs::write(&path, crate::cast::partner("4301", "USD")).unwrap();
        path.display().to_string()
    });
    let results = house.dir.join("results").display().to_string();
    let ran = house.run(["import", &paths[0], &paths[1], "--results", &results]).ended(2);
    assert!(ran.stderr.contains("one and the same answer"), "{}", ran.stderr);
    house.run(["import", &paths[0], &paths[1]]).ended(0);
}
