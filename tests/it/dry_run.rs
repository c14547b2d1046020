//! Plan is apply (promise 7): a dry run says exactly what the real night then does, twice the same, and changes nothing.

use std::fs;

use crate::{
    cast::{ENTITLEMENTS, cancel, contact, partner, row, usage, users},
    house::House,
};

/// Effects of the real night of 1 March, in the words of a dry run.
const EFFECTS: &str = "
    select 'transfer ' || concat_ws(' ', order_id, kind, effective_on, amount_minor) from report.ledger l
     where exists (select from transfer t join run r using (run_id) where t.transfer_id = l.entry_id and r.due_on = '2024-03-01')
    union all
    select 'decision ' || concat_ws(' ', subject, action, outcome) from decision where decided_on = '2024-03-01'
    union all
    select 'ended ' || concat_ws(' ', m.order_id, e.benefit, v.ended_on) from entitlement_version v
      join entitlement e using (entitlement_id) join membership m using (membership_id)
      join run r on r.run_id = v.run_id where r.due_on = '2024-03-01'
    union all
    select 'mail ' || concat_ws(' ', l.recipient, n.kind, n.anchor_on, l.message_id) from mail l join notice_told n using (mail_id)
     where l.day = '2024-03-01'
    order by 1";

/// A dry run's JSON in the same words.
fn told(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let effects = lines.filter_map(|effect| {
        let word = |name: &str| match &effect[name] {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let kind = effect["effect"].as_str()?;
        let names: &[&str] = match kind {
            "transfer" => &["order_id", "kind", "effective_on", "amount_minor"],
            "decision" => &["subject", "action", "outcome"],
            "ended" => &["order_id", "benefit", "ended_on"],
            _ => &["recipient", "notice", "anchor_on", "message_id"],
        };
        let words: Vec<String> = names.iter().map(|name| word(name)).collect();
        Some(format!("{kind} {}", words.join(" ")))
    });
    let mut effects: Vec<String> = effects.collect();
    effects.sort();
    effects
}

#[tokio::test]
async fn promise_7_a_dry_run_tells_what_the_night_then_does_and_changes_nothing() {
    let mut house = House::open().await;
    let orders = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "azure_monthly_credit", "2024-02-01", "2025-01-31", "100,USD")
        + &row("4301", "ORD-2", "azure_monthly_credit", "2024-02-02", "2025-02-01", "100,USD")
        + &row("4301", "ORD-1", "software", "2024-02-01", "2024-02-29", ",");
    let files = [
        ("p.csv", &*partner("4301", "USD")),
        ("u.csv", &users("4301")),
        ("c.csv", &contact("4301", "sv")),
        ("e.csv", &orders),
    ];
    for answer in house.import(&files, "2024-02-02").await {
        answer.applied();
    }
    house.night("2024-02-29").await;
    house.import_one("c1.csv", &cancel("4301", "SR-1", "ORD-2", "2024-03-01"), "2024-03-01").await.applied();
    // What waits in the inbox is part of the night, and of its rehearsal.
    let inbox = house.dir.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    let used = usage("4301", "ORD-1", "azure_monthly_credit", "2024-02-20", "12.00,USD", "U-1");
    fs::write(inbox.join("usage.csv"), used).unwrap();
    let before = house.state().await;
    let mails = house.mailbox().await;
    let dry = ["--now", "2024-03-02T02:30:00Z", "--json", "night", "--on", "2024-03-01", "--dry-run"];
    let first = house.run(dry).ended(0).stdout;
    let second = house.run(dry).ended(0).stdout;
    assert_eq!(first, second);
    assert_eq!((house.state().await, house.mailbox().await), (before, mails));
    assert!(inbox.join("usage.csv").exists() && !house.dir.join("answers").exists());
    // To a person the same is told partner by partner and kind by kind, each heading once.
    let page = house.run(dry.iter().filter(|word| **word != "--json")).ended(0).stdout;
    for heading in ["partner 4301", "  decisions", "  benefits that end", "  notices mailed", "  transfers"] {
        assert_eq!(page.lines().filter(|line| *line == heading).count(), 1, "{heading}: {page}");
    }
    let lapse =
        "\n    ORD-1 azure_monthly_credit: credit_lapsed USD -88.00 on 2024-03-01, period from 2024-02-01\n";
    assert!(page.contains(lapse), "{page}");
    let effects = page.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    assert_eq!(effects.count(), told(&first).len(), "{page}");
    assert!(page.contains("\nin all: partners 1, benefits that end 2, decisions 1, "), "{page}");
    assert!(!page.contains("complete already"), "{page}");
    house.night("2024-03-01").await;
    let done = house.lines(EFFECTS).await;
    let mut done_sorted = done.clone();
    done_sorted.sort();
    assert_eq!(told(&first), done_sorted);
    let again =
        house.run(dry.iter().filter(|word| **word != "--json" && **word != "--dry-run")).ended(0).stdout;
    assert!(again.starts_with("night of 2024-03-01: complete already since "), "{again}");
    assert!(again.contains("when it came to: ") && again.contains("provision_credits"), "{again}");
    assert!(again.ends_with("; nothing was left to do, and its export was written again\n"), "{again}");
    for kind in ["transfer ORD-1 credit_lapsed", "decision ORD-2", "ended ORD-1 software", "mail marketing@"]
    {
        assert!(done.iter().any(|line| line.starts_with(kind)), "{kind}: {done:#?}");
    }
}

#[tokio::test]
async fn a_file_is_rehearsed_like_a_night() {
    let mut house = House::open().await;
    house.import_one("p.csv", &partner("4301", "USD"), "2024-02-01").await.applied();
    let path = house.dir.join("e.csv");
    let file = ENTITLEMENTS.to_owned()
        + &row("4301", "ORD-1", "software", "2024-02-01", "2025-01-31", ",")
        + &row("4302", "ORD-2", "software", "2024-02-01", "2025-01-31", ",");
    fs::write(&path, file).unwrap();
    let before = house.state().await;
    let dry = ["--now", "2024-02-01", "import", "--dry-run", path.to_str().unwrap()];
    let first = house.run(dry).ended(3).stdout;
    assert_eq!(first, house.run(dry).ended(3).stdout);
    assert!(first.contains("1 applied, 0 unchanged, 1 rejected"), "{first}");
    assert_eq!(house.state().await, before);
    assert!(!house.dir.join("e.result.csv").exists());
}

#[tokio::test]
async fn a_rehearsal_tells_new_rows_from_changed_ones_unchanged_ones_and_rejected_ones() {
    let house = House::open().await;
    let path = house.dir.join("p.csv");
    let import = |text: &str, flags: &[&str], code| {
        fs::write(&path, text).unwrap();
        let args = [&["--now", "2024-02-01T09:00:00Z", "import"][..], flags, &[path.to_str().unwrap()]];
        house.run(args.concat()).ended(code).stdout
    };
    let header = "partner_id,name,account_email,country,currency\n";
    let row = |id: u32, name: &str| format!("{id},{name},mail@p{id}.example,SE,SEK\n");
    let known: String = (1..=60).map(|nth| row(4300 + nth, "Old")).collect();
    import(&format!("{header}{known}"), &[], 0);
    let same: String = (1..=30).map(|nth| row(4300 + nth, "Old")).collect();
    let changed: String = (31..=55).map(|nth| row(4300 + nth, "Renamed")).collect();
    let new: String = (1..=22).map(|nth| row(4400 + nth, "New")).collect();
    let wrong: String = (1..=21).map(|nth| row(4500 + nth, "Wrong").replace('@', " at ")).collect();
    let text = format!("{header}{same}{changed}{new}{wrong}");
    let told = import(&text, &["--dry-run"], 3);
    assert!(told.contains("47 applied (25 changed), 30 unchanged, 21 rejected"), "{told}");
    let of = |told: &str, status: &str| told.matches(&format!(": {status}: partner_id=")).count();
    let outcomes = ["applied", "changed", "unchanged", "rejected"];
    assert_eq!(outcomes.map(|status| of(&told, status)), [20; 4], "{told}");
    assert!(told.contains("line 32: changed: partner_id=4331 name=Renamed"), "{told}");
    assert!(told.contains("more rows with --all"), "{told}");
    let all = import(&text, &["--dry-run", "--all"], 3);
    assert_eq!(outcomes.map(|status| of(&all, status)), [22, 25, 30, 21], "{all}");
    assert!(!all.contains("more rows with --all"), "{all}");
    assert_eq!(house.one::<i64>("select count(*) from partner").await, 60);
    // What is then done comes to the same; an answer says of both that they are applied.
    let done = import(&text, &[], 3);
    assert!(done.contains("47 applied, 30 unchanged, 21 rejected"), "{done}");
    let answer = fs::read_to_string(house.dir.join("p.2.result.csv")).unwrap();
    assert!(answer.lines().nth(31).unwrap().contains(",applied,"), "{answer}");
}
