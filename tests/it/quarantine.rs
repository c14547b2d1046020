//! Files that end the process that takes them in, through the real binary: after their tries they are given up, the
//! night goes on, and errors that are not theirs cost them nothing.

use std::{fmt::Write as _, fs};

use crate::house::{House, Ran};

const PARTNERS: &str = "partner_id,name,account_email,country,currency\n\
    4711,Harbor & Pine,accounts@harborpine.example,US,USD\n";
const TRIES: usize = 4;

fn write(house: &House, name: &str, text: &str) -> String {
    let path = house.dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Six users, two a chunk.
fn users(house: &House) -> String {
    let two =
        include_str!("../../jobs/import_entitlements.toml").replace("chunk_rows = 10000", "chunk_rows = 2");
    write(house, "config/jobs/import_entitlements.toml", &two);
    let mut users =
        "user_principal_name,object_id,partner_id,display_name,mail,user_type,enabled,role\n".to_owned();
    for n in 0..6 {
        writeln!(
            users,
            "u{n}@harborpine.example,00000000-0000-4000-8000-00000000000{n},4711,U {n},u{n}@harborpine.example,Member,true,global_admin"
        )
        .unwrap();
    }
    users
}

fn run(house: &House, args: &[&str], faults: &str) -> Ran {
    let config = house.dir.join("config");
    fs::create_dir_all(&config).unwrap();
    let mut command = house.command(["--now", "2024-01-16T03:00:00Z"]);
    command
        .args(args)
        .env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"))
        .env("BENEFACTOR_FAULTS", faults);
    loop {
        let ran = Ran::of(&mut command);
        if ran.code != 4 {
            return ran; // 4: Postgres has not seen the killed one go yet
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// With each the tries that nobody came back from, counted already or not.
const FILES: &str = "select name || ' ' || status || ' ' || attempts + (select count(*) from file_try t where t.file_id = f.file_id)
    from file f order by file_id";

#[tokio::test]
async fn a_file_that_ends_its_process_is_given_up_and_goes_in_when_an_operator_imports_it_again() {
    let house = House::open().await;
    let partners = write(&house, "partners.csv", PARTNERS);
    run(&house, &["import", &partners], "").ended(0);
    let text = users(&house);
    let users = write(&house, "users.csv", &text);
    run(&house, &["import", &users], "file.applied@2=kill").ended(-1);
    for round in 2..=TRIES {
        run(&house, &["import", &users], "file.applied=kill").ended(-1);
        assert_eq!(house.lines(FILES).await[1], format!("users.csv staged {round}"));
    }
    let told = run(&house, &["import", &users], "file.applied=kill").ended(1).stdout;
    assert!(told.contains("given up: taking it in ended its process 4 times; 2 of its 6 rows"), "{told}");
    assert_eq!(house.one::<i64>("select count(*) from directory_user").await, 2);
    assert_eq!(house.one::<i64>("select count(*) from staged_row").await, 0);
    assert!(house.lines(FILES).await[1].starts_with("users.csv refused"));
    let again = run(&house, &["import", &users], "").ended(0).stdout;
    assert!(again.contains("4 applied, 2 unchanged, 0 rejected"), "{again}");
}

#[tokio::test]
async fn a_night_gives_up_a_file_in_the_inbox_within_its_own_tries_goes_on_and_leaves_it_alone() {
    let house = House::open().await;
    let text = users(&house);
    let swedish = PARTNERS.replace("currency\n", "currency,language\n").replace("USD\n", "USD,sv\n");
    write(&house, "inbox/partners.csv", &swedish);
    let hostile = house.dir.join("inbox/4711/users.csv");
    write(&house, "inbox/4711/users.csv", &text);
    // The first chunk is that of the partners' file.
    run(&house, &["night"], "file.applied@2=kill").ended(-1);
    for _ in 2..=TRIES {
        run(&house, &["night"], "file.applied=kill").ended(-1);
    }
    run(&house, &["night"], "file.applied=kill").ended(0);
    assert!(house.one::<bool>("select exists (select from night where due_on = '2024-01-15')").await);
    assert_eq!(house.one::<i64>("select count(*) from partner").await, 1, "the other file is in");
    let refusal = "select refusal from file where status = 'refused'";
    assert!(house.one::<String>(refusal).await.contains("ended its process 4 times"));
    let kept = house.dir.join("inbox/4711/refused/users.csv");
    assert!(kept.exists() && !hostile.exists());
    let note = fs::read_to_string(house.dir.join("inbox/4711/refused/users.note.txt")).unwrap();
    let told =
        "inläsningen har avslutat sin process 4 gånger; 0 av dess 6 rader infördes dessförinnan och består";
    assert!(note.contains(told) && note.ends_with("Kod: file_given_up\n"), "{note}");
    assert!(
        house
            .one::<String>("select refusal_swedish from file where status = 'refused'")
            .await
            .starts_with(told)
    );
    // Nobody tries it again by itself; from elsewhere an operator may.
    let next = ["--now", "2024-01-17T03:00:00Z", "night"];
    let mut command = house.command(next);
    command
        .env("BENEFACTOR_FAULTS", "file.applied=kill")
        .env("BENEFACTOR_CONFIG_DIR", house.dir.join("config"));
    Ran::of(&mut command).ended(0);
    let elsewhere = house.dir.join("users.csv");
    fs::rename(&kept, &elsewhere).unwrap();
    run(&house, &["import", elsewhere.to_str().unwrap()], "").ended(0);
    assert_eq!(house.one::<i64>("select count(*) from directory_user").await, 6);
}

#[tokio::test]
async fn of_two_files_of_requests_the_one_is_given_up_that_ends_the_process() {
    let house = House::open().await;
    let partners = write(&house, "partners.csv", PARTNERS);
    run(&house, &["import", &partners], "").ended(0);
    let request = |id: &str, on: &str| {
        format!(
            "partner_id,request_id,kind,requested_by,requested_on,order_id\n4711,{id},cancel,u0@harborpine.example,{on},O-1\n"
        )
    };
    let good = write(&house, "good.csv", &request("SR-1", "2024-01-14"));
    let hostile = write(&house, "hostile.csv", &request("SR-2", "2024-01-15"));
    // Which of the two it was is not known after the first; then they go in one after the other.
    run(&house, &["import", &good, &hostile], "file.applied=kill").ended(-1);
    for _ in 2..=TRIES {
        run(&house, &["import", &good, &hostile], "file.applied@2=kill").ended(-1);
    }
    let told = run(&house, &["import", &good, &hostile], "file.applied@2=kill").ended(1).stdout;
    assert!(
        told.contains("hostile.csv: given up") && told.contains("good.csv: service_requests: "),
        "{told}"
    );
    let files = house.lines("select name || ' ' || status from file order by file_id").await;
    assert_eq!(files, ["partners.csv done", "good.csv done", "hostile.csv refused"]);
}

#[tokio::test]
async fn an_error_that_the_process_survives_costs_a_file_no_try() {
    let house = House::open().await;
    let partners = write(&house, "partners.csv", PARTNERS);
    for _ in 0..TRIES + 2 {
        let failed = run(&house, &["import", &partners], "file.applied=fail");
        assert!(failed.code > 0, "{failed:?}");
        assert_eq!(house.lines(FILES).await, ["partners.csv staged 0"]);
    }
    run(&house, &["import", &partners], "").ended(0);
    assert_eq!(house.lines(FILES).await, ["partners.csv done 0"]);
}

#[tokio::test]
async fn a_file_that_fails_for_its_own_reason_is_tried_less_and_less_often_then_refused_and_delays_no_other()
{
    let house = House::open().await;
    let text = users(&house).replace("global_admin", "");
    let partners = write(&house, "partners.csv", PARTNERS);
    run(&house, &["import", &partners], "").ended(0);
    let hostile = write(&house, "inbox/4711/users.csv", &text);
    let night = |day: usize, fault: &str| {
        let (other, number) = (format!("inbox/other{day}.csv"), 4800 + day);
        write(&house, &other, &PARTNERS.replace("4711", &number.to_string()));
        let now = format!("2024-01-{:02}T03:00:00Z", 16 + day);
        let ran = Ran::of(house.command(["--now", &now, "night"]).env("BENEFACTOR_FAULTS", fault)).ended(0);
        let answer = house.dir.join(&format!("inbox/done/other{day}.result.csv"));
        assert!(answer.exists(), "the file beside it goes in: {}", ran.stderr);
    };
    // It lies there longest, so its answer is the first.
    let fails = "file.answered=fail";
    let failures = "select failures from file where name = 'users.csv' order by file_id desc limit 1";
    night(0, fails);
    assert_eq!(house.one::<i32>(failures).await, 1);
    assert!(!std::path::Path::new(&hostile).exists(), "it is out of sight until it is answered");
    night(1, fails);
    assert_eq!(house.one::<i32>(failures).await, 2);
    let pause = "select extract(epoch from retry_at - now())::int / 60 from file where failures > 0";
    assert!((8..=10).contains(&house.one::<i32>(pause).await));
    night(2, "");
    assert_eq!(house.one::<i32>(failures).await, 2, "it rests");
    let rested = "update file set retry_at = now() where failures > 0";
    sqlx::query(rested).execute(&house.owner).await.unwrap();
    night(3, fails);
    assert!((30..=40).contains(&house.one::<i32>(pause).await));
    sqlx::query(rested).execute(&house.owner).await.unwrap();
    night(4, fails);
    let status = "select status from file where failures > 0";
    assert_eq!(house.one::<String>(status).await, "refused");
    let told = house.run(["--now", "2024-01-21T04:00:00Z", "status"]).stdout;
    for part in ["users.csv: it failed 4 times", "file.answered", "6 of its 6 rows", "import it again"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Nobody tries it again by itself; an operator may.
    night(5, "");
    assert_eq!(house.one::<i64>("select count(*) from file where name = 'users.csv'").await, 1);
    let elsewhere = house.dir.join("users.csv");
    fs::rename(house.dir.join("inbox/4711/refused/users.csv"), &elsewhere).unwrap();
    let again = run(&house, &["import", elsewhere.to_str().unwrap()], "").ended(0).stdout;
    assert!(again.contains("0 applied, 6 unchanged, 0 rejected"), "{again}");
}
