//! One row that the store or the program fails at costs itself at night as well: it is found by cutting its chunk, everything
//! else is done, and once the cause is gone it comes to what it would have come to (promise 5).

use sqlx::Executor;

use crate::{
    cast::{ENTITLEMENTS, cancel, partner, renewal, row, users},
    house::House,
};

const MONTHLY: &str = "azure_monthly_credit";
const BULK: &str = "azure_bulk_credit/cloud_platform";

/// Orders of which each second one is to fail: at its cancellation, its renewal, the end of its benefits, its first grant; and
/// partners who are to be told of an end. The night of 9 March is due.
async fn begun() -> House {
    let mut house = House::open().await.policy("provision_credits", "attempts", "2\nretry_after_seconds = 1");
    let mut rows = Vec::new();
    for nth in 1..=4 {
        let of = |kind: &str, benefit: &str, starts_on: &str, expires_on: &str, amount: &str| {
            row("4301", &format!("O-{kind}{nth}"), benefit, starts_on, expires_on, amount)
        };
        rows.extend([
            of("C", MONTHLY, "2024-02-10", "2025-02-09", "100,USD"),
            of("C", BULK, "2024-02-10", "2025-02-09", "6000,USD"),
            of("R", MONTHLY, "2023-02-08", "2024-02-07", "100,USD"),
            of("R", BULK, "2023-02-08", "2024-02-07", "6000,USD"),
            of("E", MONTHLY, "2024-01-09", "2024-03-08", "100,USD"),
            of("E", "advisory_hours", "2024-01-09", "2024-03-08", ","),
            of("P", MONTHLY, "2024-03-09", "2025-03-08", "100,USD"),
        ]);
    }
    for other in ["4302", "4303"] {
        rows.push(row(other, &format!("O-{other}"), MONTHLY, "2023-03-25", "2024-03-24", "100,USD"));
    }
    let entitlements = ENTITLEMENTS.to_owned() + &rows.concat();
    let partners = ["4301", "4302", "4303"].map(|number| partner(number, "USD"));
    let files = [
        ("p1.csv", &*partners[0]),
        ("p2.csv", &partners[1]),
        ("p3.csv", &partners[2]),
        ("u.csv", &users("4301")),
        ("e.csv", &entitlements),
    ];
    house.import(&files, "2024-03-07").await.iter().for_each(|answer| answer.applied());
    house.night("2024-03-08").await;
    let cancels = [1, 2, 3, 4].map(|n| cancel("4301", &format!("SR-{n}"), &format!("O-C{n}"), "2024-03-09"));
    let renewals =
        [1, 2, 3, 4].map(|n| renewal("4301", &format!("O-R{n}"), "2024-03-09", &format!("O-N{n}")));
    let [cancels, renewals] = [cancels, renewals].map(|files| one_file(&files));
    house.import(&[("c.csv", &*cancels), ("r.csv", &renewals)], "2024-03-09").await;
    house
}

/// The rows of files with the same header.
fn one_file(files: &[String]) -> String {
    let header = files[0].lines().next().unwrap();
    let rows = files.iter().flat_map(|file| file.lines().skip(1));
    [header].into_iter().chain(rows).flat_map(|line| [line, "\n"]).collect()
}

/// What fails: four by values that the store refuses, one by an error that might pass.
const FAULTS: &str = "
    create function fails() returns trigger language plpgsql as $$
    begin raise exception using errcode = tg_argv[0], message = 'not this ' || tg_table_name; end $$;
    create trigger fails before insert on decision for each row
        when (new.subject = 'O-C2' and new.action = 'cancel') execute function fails('22003');
    create trigger fails before update on membership for each row
        when (new.order_id = 'O-R2' and new.status = 'renewed') execute function fails('22001');
    do $$
    declare ended bigint; granted bigint; told bigint;
    begin
        select entitlement_id into ended from entitlement join membership using (membership_id)
        where order_id = 'O-E2' and benefit = 'advisory_hours';
        select entitlement_id into granted from entitlement join membership using (membership_id) where order_id = 'O-P2';
        select partner_id into told from partner where number = '4302';
        execute format('create trigger fails before insert on entitlement_version for each row
            when (new.entitlement_id = %s and new.ended_on is not null) execute function fails(''23514'')', ended);
        execute format('create trigger fails before insert on transfer for each row
            when (new.entitlement_id = %s) execute function fails(''P0001'')', granted);
        execute format('create trigger fails before insert on notice for each row
            when (new.partner_id = %s and new.kind = ''membership_ending'') execute function fails(''23505'')', told);
    end $$;";
const MENDED: &str = "drop function fails() cascade";

/// Each that fails: its job, the key it comes down to, how often that was tried, what people call it, what the store says.
const AT_FAULT: [(&str, &str, i32, &str, &str); 5] = [
    ("apply_cancellations", "request", 1, "4301 SR-2 for O-C2", "not this decision (22003)"),
    ("expire_benefits", "request", 1, "4301 O-R2 for O-R2", "not this membership (22001)"),
    ("expire_benefits", "membership", 1, "4301 O-E2", "not this entitlement_version (23514)"),
    ("provision_credits", "entitlement", 2, "4301 O-P2/azure_monthly_credit", "not this transfer (P0001)"),
    ("remind_contacts", "partner", 1, "4302 Partner 4302", "not this notice (23505)"),
];
const DEAD: &str = "select concat_ws(' ', job, only_key, c.attempts) from run_chunk c join run using (run_id)
                    where c.status = 'failed' order by run_id, c.stage, chunk_no";
/// What the others came to.
const INNOCENT: &str = "
    select concat_ws(' ', order_id, benefit, kind, effective_on, amount_minor) from report.ledger where order_id !~ '^O-.2$'
    union all
    select concat_ws(' ', order_id, benefit, status, ended_on) from report.entitlement where order_id !~ '^O-.2$'
    union all
    select concat_ws(' ', action, subject, outcome, reasons, decided_on) from decision where subject !~ '^O-.2'
    union all
    select concat_ws(' ', p.number, kind, subject_kind, anchor_on, content) from notice join partner p using (partner_id)
    where number <> '4302' and not content::text ~ 'O-.2'
    order by 1";
/// What all came to, but for the words of what was told.
const ALL: &str = "
    select concat_ws(' ', order_id, status, starts_on, anniversary_on, ended_on) from report.membership
    union all
    select concat_ws(' ', order_id, benefit, status, ended_on) from report.entitlement
    union all
    select concat_ws(' ', action, subject, outcome, reasons, decided_on) from decision
    union all
    select concat_ws(' ', due_on, job, status) from run
    order by 1";

#[tokio::test]
async fn promise_5_a_row_that_fails_at_night_costs_itself_and_comes_to_the_same_once_its_cause_is_gone() {
    let (mut well, mut ill) = tokio::join!(begun(), begun());
    ill.owner.execute(FAULTS).await.unwrap();

    // A dry run tells the same, and leaves nothing.
    let before = ill.state().await;
    let dry = ["--now", "2024-03-10T03:00:00Z", "night", "--on", "2024-03-09", "--dry-run"];
    let dry = ill.run(dry).ended(1);
    assert_eq!(ill.state().await, before);
    assert!(dry.stdout.contains("; 5 failed and left out\n"), "{}", dry.stdout);
    for (nth, is_told) in [("1", true), ("2", false), ("3", true)] {
        let grant = format!("O-P{nth} azure_monthly_credit: credit_granted USD 100.00 on 2024-03-09");
        let decision = format!("O-C{nth}: cancel accepted");
        let told = [dry.stdout.contains(&grant), dry.stdout.contains(&decision)];
        assert_eq!(told, [is_told; 2], "{}", dry.stdout);
    }

    well.night("2024-03-09").await;
    let left_out = ill.try_night("2024-03-09").await.unwrap_err().to_string();
    for (job, _, _, what, said) in AT_FAULT {
        let sentence = format!("{job} for 2024-03-09 failed for {what}, and the rest is done; it said: ");
        for told in [&left_out, &dry.stderr] {
            assert!(told.contains(&sentence) && told.contains(said), "{sentence}{said} in {told}");
        }
    }
    assert_eq!(
        ill.one::<i64>("select count(*) from night where due_on = '2024-03-09'").await,
        1,
        "it went on"
    );
    assert_eq!(ill.lines(INNOCENT).await, well.lines(INNOCENT).await);
    let dead = AT_FAULT.map(|(job, key, tries, ..)| format!("{job} {key} {tries}"));
    assert_eq!(ill.lines(DEAD).await, dead);
    is_shown(&ill).await;

    // Later nights go on past it and leave it alone: no new failure, nothing done that it should have prevented.
    for house in [&mut well, &mut ill] {
        let row = |nth| row("4301", &format!("O-N{nth}"), MONTHLY, "2024-03-09", "2025-02-06", "100,USD");
        let renewed = ENTITLEMENTS.to_owned() + &[1, 2, 3, 4].map(row).concat();
        house.import_one("n.csv", &renewed, "2024-03-10").await.applied();
        house.night("2024-03-12").await;
    }
    assert_eq!(ill.lines(DEAD).await, dead);
    assert_eq!(ill.lines(INNOCENT).await, well.lines(INNOCENT).await);
    let stands = "select concat_ws(' ', order_id, status, ended_on) from report.membership where order_id ~ '^O-[CERP]2' order by 1";
    assert_eq!(ill.lines(stands).await, ["O-C2 active", "O-E2 active", "O-P2 active", "O-R2 in_grace"]);
    let since =
        "select count(*) from report.ledger where order_id ~ '^O-[CRP]2' and effective_on >= '2024-03-09'";
    assert_eq!(ill.one::<i64>(since).await, 0, "nothing granted, lapsed or given back");
    let before = ill.state().await;
    ill.night("2024-03-12").await;
    assert_eq!(ill.state().await, before);

    ill.owner.execute(MENDED).await.unwrap();
    let ids = ill.lines("select run_id || '.' || chunk_no from run_chunk where status = 'failed'").await;
    let retry = ["jobs", "retry", "--by", "ada", "--why", "it is mended"];
    ill.run(retry.iter().copied().chain(ids.iter().map(String::as_str))).ended(0);
    for house in [&well, &ill] {
        house.night("2024-03-13").await;
    }
    assert_eq!(ill.lines(ALL).await, well.lines(ALL).await);
    assert_eq!(ill.ledger().await, well.ledger().await);
    assert_eq!(ill.digest().await, well.digest().await);
    assert_eq!(ill.lines(DEAD).await, [""; 0]);
}

/// Operators see what was cut, and what is at fault.
async fn is_shown(ill: &House) {
    let list = |state: &str| ill.run(["jobs", "list", "--state", state, "--json"]).ended(0).stdout;
    let count =
        |json: String| serde_json::from_str::<serde_json::Value>(&json).unwrap()["total"].as_i64().unwrap();
    assert_eq!(count(list("dead")), 5);
    let split: i64 = ill.one("select count(*) from run_chunk where status = 'split'").await;
    assert_eq!(count(list("split")), split);
    assert!(split >= 5, "{split}");
    let all = ill.run(["jobs", "list"]).ended(0).stdout;
    assert_eq!(all.lines().count(), 6, "{all}");
    let of_provision = "select run_id || '.' || chunk_no from run_chunk join run using (run_id)
                        where job = 'provision_credits' and run_chunk.status =";
    let show = async |status: &str| {
        let id: String = ill.one(&format!("{of_provision} '{status}' order by chunk_no limit 1")).await;
        ill.run(["jobs", "show", &id]).ended(0).stdout
    };
    let dead = show("failed").await;
    for words in [
        "failed for good after 2 tries",
        "which failed and was cut",
        "nights go on past it",
        "1 of these are still due",
        "4301  O-P2/azure_monthly_credit  2024-03-09",
        "the night is complete",
    ] {
        assert!(dead.contains(words), "{words} in {dead}");
    }
    let cut = show("split").await;
    assert!(cut.contains("was cut in halves") && cut.contains("next\n  benefactor jobs show "), "{cut}");
    let told = ill.run(["--now", "2024-03-10T03:30:00Z", "status", "--json"]).ended(0).stdout;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["dead_letters"], 5);
}
