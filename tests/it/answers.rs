//! The commands that answer questions, through the real binary on a part of the demo's cast.

use std::{
    fs,
    path::{Path, PathBuf},
};

use benefactor::{domain::kinds::Kind, store::export::EXPORTS};
use serde_json::Value;

use crate::house::{House, Ran, Scratch, benefactor};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Runs the binary at an instant of the business clock.
fn at(house: &House, now: &str, args: &[&str]) -> Ran {
    Ran::of(house.command(["--now", now]).args(args))
}

/// Drops a day's files of the cast.
fn drop_in(house: &House, day: &str) {
    let answers = house.dir.join("answers");
    let mut files: Vec<PathBuf> =
        fs::read_dir(fixture(&format!("demo/{day}"))).unwrap().map(|entry| entry.unwrap().path()).collect();
    if day == "2024-01-15" {
        files.push(fixture("ecb/eurofxref-hist.csv"));
    }
    files.sort();
    let mut command = house.command(["--now", &format!("{day}T10:00:00Z"), "import", "--results"]);
    let ran = Ran::of(command.arg(&answers).args(files));
    assert!(matches!(ran.code, 0 | 3), "{ran:?}");
}

/// The cast from its first day to the night of 12 March 2024: grants, usage, a lapse, a refund and a refusal.
async fn spring() -> House {
    let house = House::open().await;
    let days = [
        ("2024-01-15", "2024-01-21"),
        ("2024-01-22", "2024-01-30"),
        ("2024-01-31", "2024-02-11"),
        ("2024-02-12", "2024-02-13"),
        ("2024-02-14", "2024-02-28"),
        ("2024-02-29", "2024-03-03"),
        ("2024-03-04", "2024-03-10"),
        ("2024-03-11", "2024-03-11"),
        ("2024-03-12", "2024-03-12"),
    ];
    for (day, last) in days {
        drop_in(&house, day);
        let mut args = vec!["night", "--to", last];
        if day == "2024-01-15" {
            args.extend(["--from", day]);
        }
        at(&house, "2024-03-13T02:30:00Z", &args).ended(0);
    }
    house
}

fn events(house: &House, subject: &str) -> (Value, Vec<String>) {
    let told: Value =
        serde_json::from_str(&house.run(["--json", "explain", subject]).ended(0).stdout).unwrap();
    let lines = told["events"].as_array().unwrap().iter().map(|event| {
        let says: Vec<&str> = event["says"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        format!("{} {}: {}", event["on"].as_str().unwrap(), event["what"].as_str().unwrap(), says.join(" "))
    });
    let lines = lines.collect();
    (told, lines)
}

#[tokio::test]
async fn what_is_exported_is_taken_in_again_unchanged_and_the_rest_is_told_as_of_a_date() {
    let house = spring().await;
    let out = house.dir.join("out");
    fs::create_dir(&out).unwrap();
    for kind in Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Rates) {
        let path = out.join(format!("{kind}.csv"));
        let ran = house.run(["export", kind.name(), "--out", path.to_str().unwrap()]).ended(0);
        assert!(ran.stdout.contains(kind.name()), "{ran:?}");
        let text = fs::read_to_string(&path).unwrap();
        let header: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
        let trailing = if kind == Kind::Keys { ",key_ref,revealed_on,redeemed_on" } else { "" };
        assert_eq!(text.lines().next().unwrap(), header.join(",") + trailing, "{kind}");
        assert_eq!(
            house.run(["export", kind.name()]).ended(0).stdout,
            text,
            "{kind}: the same on standard output"
        );
        let rows = text.lines().count() - 1;
        let again =
            at(&house, "2024-03-13T10:00:00Z", &["--json", "import", path.to_str().unwrap()]).ended(0);
        let again: Value = serde_json::from_str(&again.stdout).unwrap();
        let tally = ["applied", "unchanged", "rejected"].map(|name| again[name].as_u64().unwrap());
        assert_eq!(tally, [0, rows as u64, 0], "{kind}: {text}");
    }
    assert_eq!(
        fs::read_dir(&out)
            .unwrap()
            .filter(|e| e.as_ref().unwrap().path().to_string_lossy().ends_with("part"))
            .count(),
        0
    );

    let ledger = house.run(["export", "ledger"]).ended(0).stdout;
    let early = house.run(["export", "ledger", "--on", "2024-02-01"]).ended(0).stdout;
    assert!(early.lines().count() < ledger.lines().count());
    assert!(early.contains(
        "credit_granted,2024-01-31,2024-02-29,2024-01-31,1039.79,SEK,100.00,10.397896097,2024-01-31"
    ));
    let balances = house.run(["export", "balances", "--on", "2024-03-01"]).ended(0).stdout;
    assert!(balances.contains("4100101,MPN-240131-101,azure_monthly_credit,1035.93,SEK\n"), "{balances}");
    let refunds = house.run(["export", "refunds"]).ended(0).stdout;
    let of = "4100107,SR-2001,MPN-240210-107,chloe@cotedopale.example,2024-03-11,2024-03-11,2024-03-11";
    assert!(
        refunds.contains(&format!("{of},azure_bulk_credit/cloud_platform,4570.00,1000.00,EUR,\n")),
        "{refunds}"
    );
    assert!(refunds.contains(&format!("{of},azure_monthly_credit,71.47,20.00,EUR,\n")), "{refunds}");
    assert_eq!(house.run(["export", "refunds", "--on", "2024-03-10"]).ended(0).stdout.lines().count(), 1);
    let decisions = house.run(["export", "decisions"]).ended(0).stdout;
    assert!(decisions.contains("2024-03-12,refused,refund_window_passed,\n"), "{decisions}");
}

#[tokio::test]
async fn a_spreadsheet_gets_no_formula_and_its_own_line_ends() {
    let house = House::open().await;
    let partners = house.dir.join("partners.csv");
    fs::write(
        &partners,
        "partner_id,name,account_email,country,currency\n0042,\"=HYPERLINK(\"\"x\"\"), ÅÄÖ\",a@b.example,SE,SEK\n",
    )
    .unwrap();
    house.run(["import", partners.to_str().unwrap()]).ended(0);
    let sheet = house.run(["export", "partners", "--for", "spreadsheet"]).ended(0).stdout;
    assert!(sheet.starts_with("\u{feff}partner_id,name,"), "{sheet}");
    assert!(
        sheet.contains("\r\n0042,\"'=HYPERLINK(\"\"x\"\"), ÅÄÖ\",a@b.example,SE,SEK,,,,\r\n"),
        "{sheet:?}"
    );
    assert_eq!(sheet.matches('\n').count(), sheet.matches("\r\n").count());
    let machine = house.run(["export", "partners"]).ended(0).stdout;
    assert!(machine.contains("\n0042,\"=HYPERLINK(\"\"x\"\"), ÅÄÖ\","), "{machine:?}");
    for export in &EXPORTS {
        let sheet = house.run(["export", export.kind, "--for", "spreadsheet"]).ended(0);
        assert!(sheet.stdout.starts_with('\u{feff}'), "{}", export.kind);
    }
}

#[tokio::test]
async fn an_export_that_makes_no_sense_is_exit_2_and_writes_nothing() {
    let house = House::open().await;
    let ran = house.run(["export", "invoices"]).ended(2);
    assert!(ran.stderr.contains("entitlements, ") && ran.stderr.contains("refunds"), "{}", ran.stderr);
    let ran = house.run(["export", "partners", "--on", "2024-01-01"]).ended(2);
    assert!(ran.stderr.contains("as they stand now"), "{}", ran.stderr);
    for out in ["/dev/null", "/nonexistent/ledger.csv", "/tmp", "/"] {
        let ran = house.run(["export", "ledger", "--out", out]).ended(2);
        assert!(ran.stderr.contains(out), "{}", ran.stderr);
    }
    let kept = house.dir.join("kept.csv");
    fs::write(&kept, "mine").unwrap();
    let url = "postgres://nobody@127.0.0.1:1/nothing";
    house.run(["--database-url", url, "export", "ledger", "--out", kept.to_str().unwrap()]).ended(6);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "mine");
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure() {
    let house = House::open().await;
    let script = format!("{} export ledger | true; exit ${{PIPESTATUS[0]}}", crate::house::BENEFACTOR);
    let mut command = std::process::Command::new("bash");
    command.args(["-c", &script]).env("DATABASE_URL", &house.url);
    Ran::of(&mut command).ended(0);
}

#[tokio::test]
async fn explain_tells_an_entitlement_in_time_order_with_its_rate_usage_and_lapse() {
    let house = spring().await;
    let (told, lines) = events(&house, "MPN-240131-101/azure_monthly_credit");
    assert_eq!(told["kind"], "entitlement");
    let expected = [
        "2024-01-31 arrived: entitlements.csv line 2: core, quantity 1, 2024-01-31 to 2025-01-30, USD 100.00 a period",
        "2024-01-31 assigned: to nils@norrsken.example, asked for by astrid@norrsken.example",
        "2024-01-31 granted: SEK 1,039.79 for 2024-01-31 to 2024-02-28: USD 100.00 at 10.397896097, the rate of 2024-01-31",
        "2024-02-29 lapsed: SEK 1,039.79 unspent of 2024-01-31 to 2024-02-28",
        "2024-02-29 granted: SEK 1,035.93 for 2024-02-29 to 2024-03-30: USD 100.00 at 10.359320155, the rate of 2024-02-29",
        "2024-03-02 used: SEK 450.00 of 2024-02-29 to 2024-03-30, reference NO-0001 (booked in the night of 2024-03-04)",
    ];
    let plain: Vec<&String> = lines.iter().filter(|line| !line.contains(" mailed: ")).collect();
    assert_eq!(plain, expected);
    let text = house.run(["explain", "MPN-240131-101/azure_monthly_credit"]).ended(0).stdout;
    assert!(text.contains("SEK 585.93 left") && text.contains("4100101 Norrsken Integration AB"), "{text}");
}

#[tokio::test]
async fn explain_tells_overage_loss_refunds_and_refusals_with_every_reason() {
    let house = spring().await;
    let (_, lines) = events(&house, "4100104");
    assert!(lines.iter().any(|line| line.contains("overage: USD 15.00 more than there was")), "{lines:#?}");
    let (_, lines) = events(&house, "MPN-240115-105");
    assert!(
        lines.iter().any(|line| line.ends_with("lost, nobody was assigned on any day of it")),
        "{lines:#?}"
    );
    let (_, lines) = events(&house, "MPN-240210-107");
    for wanted in [
        "2024-03-11 asked: cancellation SR-2001",
        "2024-03-11 accepted: cancellation SR-2001",
        "2024-03-11 reversed: EUR 71.47 of 2024-03-10 to 2024-04-09 taken back",
        "2024-03-11 ended: cancelled; the last usable day was 2024-03-11",
        "2024-03-11 mailed: to partner.chloe@cotedopale.example",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(wanted)), "{wanted}: {lines:#?}");
    }
    let (told, lines) = events(&house, "SR-2002");
    assert_eq!(told["kind"], "request");
    let refused = lines.iter().find(|line| line.starts_with("2024-03-12 refused: ")).unwrap();
    assert!(
        refused.contains("2024-03-11 (UTC), and that day has passed.") && refused.ends_with("never."),
        "{refused}"
    );
}

#[tokio::test]
async fn explain_names_what_an_unknown_or_ambiguous_subject_could_be() {
    let house = spring().await;
    let ran = house.run(["explain", "MPN-240131-101/azure"]).ended(2);
    assert!(ran.stderr.contains("MPN-240131-101/azure_monthly_credit"), "{}", ran.stderr);
    let ran = house.run(["explain", "norrsken"]).ended(2);
    assert!(ran.stderr.contains("4100101"), "{}", ran.stderr);
    let cancel = house.dir.join("cancel.csv");
    fs::write(
        &cancel,
        "partner_id,request_id,kind,requested_by,requested_on,order_id\n\
         4100101,4100101,cancel,astrid@norrsken.example,2024-03-12,MPN-240131-101\n",
    )
    .unwrap();
    at(&house, "2024-03-12T10:00:00Z", &["import", cancel.to_str().unwrap()]).ended(0);
    let ran = house.run(["explain", "4100101"]).ended(2);
    assert!(ran.stderr.contains("partner:4100101@4100101"), "{}", ran.stderr);
    let (told, _) = events(&house, "request:4100101@4100101");
    assert_eq!(told["kind"], "request");
    let (told, lines) = events(&house, "partner:4100101");
    assert_eq!(told["kind"], "partner");
    assert!(lines.iter().any(|line| line.contains("waits: cancellation 4100101")), "{lines:#?}");
}

#[tokio::test]
async fn status_says_what_waits_and_ends_with_1_when_a_night_is_overdue() {
    let house = House::open().await;
    let status = |now: &str, code: i32| -> Value {
        serde_json::from_str(&at(&house, now, &["--json", "status"]).ended(code).stdout).unwrap()
    };
    assert_eq!(status("2024-01-17T12:00:00Z", 0)["overdue"], false, "nothing came in: nothing is due");
    drop_in(&house, "2024-01-15");
    assert_eq!(status("2024-01-16T08:30:00Z", 0)["missing_nights"], 1);
    assert_eq!(status("2024-01-16T08:30:01Z", 1)["overdue"], true, "though nothing ever ran");
    at(&house, "2024-01-16T02:30:00Z", &["night", "--from", "2024-01-15"]).ended(0);
    let told = status("2024-01-17T08:30:00Z", 0);
    assert_eq!(told["last_complete_night"], "2024-01-15");
    assert_eq!(told["due_at"], "2024-01-17T02:30:00Z");
    let jobs: Vec<&str> =
        told["jobs"].as_array().unwrap().iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(jobs.len(), 8);
    assert_eq!(jobs.first(), Some(&"import_entitlements"));
    status("2024-01-17T09:00:00Z", 1);

    let broken = house.dir.join("broken.csv");
    fs::write(&broken, "partner_id,order_id\n1,2\n").unwrap();
    at(&house, "2024-01-16T10:00:00Z", &["import", broken.to_str().unwrap()]).ended(1);
    let text = at(&house, "2024-01-17T09:00:00Z", &["status"]).ended(1).stdout;
    assert!(text.contains("OVERDUE: the night of 2024-01-16 is not complete"), "{text}");
    assert!(text.contains("6 h 30 min ago"), "{text}");

    // The same refusal is said once, with how often.
    for more in ["3,4", "5,6"] {
        fs::write(&broken, format!("partner_id,order_id\n{more}\n")).unwrap();
        at(&house, "2024-01-17T08:00:00Z", &["import", broken.to_str().unwrap()]).ended(1);
    }
    let text = at(&house, "2024-01-17T09:00:00Z", &["status"]).ended(1).stdout;
    let told: Vec<&str> = text.lines().filter(|line| line.contains("broken.csv")).collect();
    assert!(told.len() == 1 && told[0].starts_with("  2024-01-17  broken.csv: "), "{text}");
    assert!(told[0].ends_with(" (3 times since 2024-01-16; this is the latest)"), "{text}");
}

#[tokio::test]
async fn a_grant_without_a_rate_is_seen_to_wait() {
    let house = House::open().await;
    let files =
        ["partners", "users", "entitlements"].map(|name| fixture(&format!("demo/2024-01-15/{name}.csv")));
    let ran = Ran::of(
        house
            .command(["--now", "2024-01-15T10:00:00Z", "import", "--results"])
            .arg(house.dir.path())
            .args(files),
    );
    assert!(matches!(ran.code, 0 | 3), "{ran:?}");
    at(&house, "2024-01-16T02:30:00Z", &["night"]).ended(0);
    let text = at(&house, "2024-01-16T03:00:00Z", &["status"]).ended(0).stdout;
    assert!(text.contains("1 grant due, the oldest since 2024-01-15") && text.contains("EUR"), "{text}");
    let (_, lines) = events(&house, "MPN-240115-105/azure_monthly_credit");
    assert!(lines.iter().any(|line| line.starts_with("2024-01-15 waits: a grant.")), "{lines:#?}");
}

#[test]
fn check_needs_no_database_and_tells_everything_that_is_wrong_at_once() {
    let dir = Scratch::new();
    let check = |config: &Path| Ran::of(benefactor(dir.path()).arg("--config-dir").arg(config).arg("check"));
    let ran =
        Ran::of(benefactor(dir.path()).args(["check", "--database-url", "postgres://nobody@127.0.0.1:1/no"]));
    let ran = ran.ended(0);
    assert!(ran.stdout.contains("jobs/expire_benefits.toml"));
    let told = "policy.period_scheme = \"anniversary\" is for entitlements of which nothing was granted yet";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let config = dir.join("config");
    fs::create_dir_all(config.join("jobs")).unwrap();
    let job = fs::read_to_string(fixture("../jobs/expire_benefits.toml")).unwrap();
    fs::write(config.join("jobs/expire_benefits.toml"), &job).unwrap();
    let ran = check(&config).ended(0);
    assert!(ran.stdout.contains("expire_benefits.toml          from the folder"), "{}", ran.stdout);
    fs::write(config.join("jobs/expire_benefits.toml"), job.replace("grace_days = 30", "grace_days = 9000"))
        .unwrap();
    let catalogue = fs::read_to_string(fixture("catalogue.toml")).unwrap();
    fs::write(
        config.join("catalogue.toml"),
        catalogue.replacen("offer = \"action_pack\"", "offer = \"acton_pack\"", 1),
    )
    .unwrap();
    let ran = check(&config).ended(2);
    assert!(
        ran.stderr.contains("jobs/expire_benefits.toml:13: policy.grace_days = 9000: write"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("/config/catalogue.toml:"), "{}", ran.stderr);
    assert!(check(&dir.join("nowhere")).ended(2).stderr.contains("is no folder"));
    // What cannot be read is never passed over, by no command.
    fs::remove_file(config.join("catalogue.toml")).unwrap();
    fs::create_dir(config.join("catalogue.toml")).unwrap();
    let ran = Ran::of(benefactor(dir.path()).arg("--config-dir").arg(&config).arg("timetable")).ended(2);
    assert!(ran.stderr.contains("catalogue.toml: cannot be read"), "{}", ran.stderr);
}

#[test]
fn the_timetable_names_every_job_and_counts_from_the_instant_itself() {
    let dir = Scratch::new();
    let mut command = benefactor(dir.path());
    command.args(["--json", "timetable", "--from", "2024-02-28T02:30:00Z", "--count", "2"]);
    let ran = Ran::of(&mut command).ended(0);
    let jobs: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(jobs.len(), 8);
    for job in &jobs {
        assert_eq!(
            job["due_at"],
            serde_json::json!(["2024-02-28T02:30:00Z", "2024-02-29T02:30:00Z"]),
            "{job}"
        );
        assert_eq!(job["nights"][1]["due_on"], "2024-02-28");
        assert_eq!(job["nights"][1]["deadline_at"], "2024-02-29T08:30:00Z");
        let couriers = ["email_contacts", "export_entitlements", "email_operators"];
        let catch_up = if couriers.contains(&job["job"].as_str().unwrap()) { "latest" } else { "all" };
        assert_eq!((&job["zone"], &job["catch_up"]), (&"UTC".into(), &catch_up.into()));
    }
    let ran =
        Ran::of(benefactor(dir.path()).args(["timetable", "--from", "2024-02-28", "--count", "1"])).ended(0);
    let first: Vec<&str> = ran.stdout.lines().take(2).collect();
    assert_eq!(
        first,
        [
            "import_entitlements   30 2 * * * (UTC); missed: all, at most 3660; to be done within 6 h",
            "  Wed 2024-02-28 02:30:00 UTC  for the night of 2024-02-27",
        ]
    );
    Ran::of(benefactor(dir.path()).args(["timetable", "--count", "0"])).ended(2);
    Ran::of(benefactor(dir.path()).args(["timetable", "--from", "yesterday"])).ended(2);
}

#[tokio::test]
async fn explain_names_what_changed_and_what_a_correction_corrects() {
    let house = House::open().await;
    let write = |name: &str, text: &str| {
        let path = house.dir.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let partners =
        write("p.csv", "partner_id,name,account_email,country,currency\n77,Oak,oak@oak.example,US,USD\n");
    let header =
        "partner_id,order_id,offer,benefit,benefit_type,quantity,purchased_on,starts_on,expires_on\n";
    let row = "77,O-7,silver,azure_monthly_credit,core,1,2024-02-01,2024-02-01,2025-01-31\n";
    let support = "77,O-7,silver,product_support,core,15,2024-02-01,2024-02-01,2025-01-31\n";
    let entitlements = write("e.csv", &format!("{header}{row}{support}"));
    at(&house, "2024-02-01T10:00:00Z", &["import", &partners, &entitlements]).ended(0);
    let changed = write("later.csv", &format!("{header}{}", support.replace(",15,", ",16,")));
    at(&house, "2024-02-05T10:00:00Z", &["import", &changed]).ended(0);
    at(&house, "2024-03-05T02:30:00Z", &["night", "--from", "2024-02-01"]).ended(0);
    let usage = write(
        "u.csv",
        "partner_id,order_id,benefit,used_on,amount,currency,reference\n77,O-7,azure_monthly_credit,2024-02-29,40,USD,R1\n",
    );
    at(&house, "2024-03-05T10:00:00Z", &["import", &usage]).ended(0);
    at(&house, "2024-03-06T02:30:00Z", &["night"]).ended(0);
    let (_, lines) = events(&house, "O-7/product_support");
    assert!(
        lines.contains(&"2024-02-05 changed: later.csv line 2: quantity 15 → 16".to_owned()),
        "{lines:#?}"
    );
    let (_, lines) = events(&house, "O-7/azure_monthly_credit");
    let corrected = "2024-03-01 corrected: USD 40.00 less lapsed of 2024-02-01 to 2024-02-29: \
                     corrects the lapse of 2024-03-01 (booked in the night of 2024-03-05)";
    assert!(lines.iter().any(|line| line == corrected), "{lines:#?}");
}
