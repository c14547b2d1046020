//! Files that are said to be whole: all that partners hold as of a date. What is missing ends, told before, and nothing ends for
//! half a file, an old one, an empty one or one that would end much (D16; promises 4, 6, 7, 14).

use std::{collections::BTreeSet, fs, path::PathBuf};

use benefactor::{
    domain::full_snapshot::{ControlTotals, FullSnapshot, SnapshotOutcome},
    jobs::intake::{Dropped, FileOutcome, Taken, take_in},
};
use chrono::NaiveDate;
use serde_json::Value;

use crate::{
    cast::{ENTITLEMENTS, assign, contact, monthly, partner, row, usage, users},
    house::{House, Ran},
    story::day,
};

const MONTHLY: &str = "azure_monthly_credit";

/// A row of the order that `held` has.
fn of(benefit: &str) -> String {
    let amount = if benefit == MONTHLY { "100,USD" } else { "," };
    row("4301", "ORD-1", benefit, "2024-01-31", "2025-01-30", amount)
}

/// A file of these benefits of that order.
fn file(benefits: &[&str]) -> String {
    ENTITLEMENTS.to_owned() + &benefits.iter().map(|benefit| of(benefit)).collect::<String>()
}

const ALL: [&str; 3] = [MONTHLY, "software", "advisory_hours"];

/// A partner with an order of three benefits since 31 January 2024; Ben uses the credit.
async fn held() -> House {
    let mut house = House::open().await;
    let (partner, users, contact) = (partner("4301", "USD"), users("4301"), contact("4301", "en"));
    let files = [("p.csv", &*partner), ("u.csv", &users), ("c.csv", &contact), ("e.csv", &file(&ALL))];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    let assigned = assign("4301", "ORD-1", MONTHLY, "assign", "ben", "2024-02-01");
    house.import_one("a.csv", &assigned, "2024-02-01").await.applied();
    house
}

/// As of a date, so many rows, of these partners.
fn whole(as_of: &str, rows: u64, partners: &[&str]) -> FullSnapshot {
    FullSnapshot {
        as_of: day(as_of),
        partners: partners.iter().map(|&partner| partner.into()).collect(),
        totals: ControlTotals { rows, ..ControlTotals::default() },
    }
}

/// What becomes of a file that arrives on a day and is said to be whole; `accept`: an operator says yes.
async fn take(
    house: &House,
    (name, text): (&str, &str),
    on: &str,
    snapshot: FullSnapshot,
    accept: bool,
) -> FileOutcome {
    let folder = house.dir.join("dropped");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    let results = house.dir.join("answered");
    let one = Dropped { path, results, snapshot: Some(snapshot), accept_ends: accept, ..Dropped::default() };
    let before: NaiveDate = day(on).pred_opt().unwrap();
    let mut conn = house.pool.acquire().await.unwrap();
    take_in(&house.context(before, day(on), false), &mut conn, vec![one]).await.unwrap().remove(0).1
}

/// The file that was taken in.
#[track_caller]
fn done(outcome: FileOutcome) -> Box<Taken> {
    match outcome {
        FileOutcome::Done(taken) => taken,
        other => panic!("{other:?}"),
    }
}

/// What came of its being whole.
#[track_caller]
fn came(outcome: FileOutcome) -> SnapshotOutcome {
    done(outcome).snapshot.unwrap()
}

/// Why a file is refused, or held back, whole.
#[track_caller]
fn no(outcome: FileOutcome) -> String {
    match outcome {
        FileOutcome::Refused(why) | FileOutcome::Guarded(why) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Each entitlement: its status, and its last usable day once it has ended.
async fn standing(house: &House) -> Vec<String> {
    house
        .lines("select concat_ws(' ', order_id, benefit, status, ended_on) from report.entitlement order by order_id, benefit")
        .await
}

/// What is to end for a snapshot and has not, with the last usable day.
async fn missing(house: &House) -> Vec<String> {
    house
        .lines(
            "select concat_ws(' ', m.order_id, e.benefit, e.missing_until) from entitlement e join membership m using (membership_id)
             where e.missing_until is not null and e.ended_on is null order by 1",
        )
        .await
}

fn ran(house: &House, now: &str, args: &[&str]) -> Ran {
    house.run([&["--now", now][..], args].concat())
}

#[tokio::test]
async fn d16_what_a_full_snapshot_lacks_ends_in_a_week_is_told_before_with_its_value_and_says_why() {
    let mut house = held().await;
    house.nights("2024-01-31", "2024-02-18").await;
    house
        .import_one("used.csv", &usage("4301", "ORD-1", MONTHLY, "2024-02-10", "30,USD", "R-1"), "2024-02-19")
        .await
        .applied();
    let text = file(&["software", "advisory_hours"]);
    let outcome =
        came(take(&house, ("all.csv", &text), "2024-02-20", whole("2024-02-19", 2, &[]), false).await);
    assert_eq!((outcome.ended, outcome.spared, &outcome.withheld), (1, 0, &None));
    assert_eq!(outcome.named, ["ORD-1/azure_monthly_credit"]);
    assert_eq!(missing(&house).await, ["ORD-1 azure_monthly_credit 2024-02-27"]);
    assert_eq!(
        house.decisions().await[1..],
        ["close ORD-1/azure_monthly_credit accepted missing_in_snapshot"]
    );
    house.nights("2024-02-19", "2024-02-27").await;
    assert_eq!(
        standing(&house).await[1..2],
        ["ORD-1 azure_monthly_credit active"],
        "its last usable day is not over"
    );
    // Told on the first morning, on the last but one and on the last, each time with what is unspent.
    let letters = house.letters().await;
    let told =
        |what: &str| letters.iter().filter(|letter| letter.contains(what)).cloned().collect::<Vec<_>>();
    assert_eq!(told("entitlement_ending").len() + told("credit_about_to_lapse").len(), 3, "{letters:#?}");
    let mails = house.mailbox().await;
    let first = mails.iter().find(|mail| mail.day == "2024-02-19").unwrap();
    assert!(first.body.contains("70.00") && first.body.contains("27 February 2024"), "{}", first.body);
    let why = "the list of all your benefits as of 19 February 2024 does not have it";
    let flat = |body: &str| body.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(&first.body).contains(why), "{}", first.body);
    house.nights("2024-02-28", "2024-03-02").await;
    let mails = house.mailbox().await;
    let ended =
        mails.iter().find(|mail| mail.notices.iter().any(|notice| notice.starts_with("entitlement_ended")));
    assert!(flat(&ended.unwrap().body).contains(why), "{ended:?}");
    assert_eq!(standing(&house).await[1..2], ["ORD-1 azure_monthly_credit missing 2024-02-27"]);
    assert_eq!(
        house.ledger_of("USD").await,
        [
            "2024-01-31 granted 100 USD (2024-01-31..2024-02-29)",
            "2024-02-10 used -30 USD (2024-01-31..2024-02-29)",
            "2024-02-28 lapsed -70 USD (2024-01-31..2024-02-29)"
        ],
        "no period that starts after its end is granted"
    );
    assert_eq!(
        house
            .lines("select concat_ws(' ', benefit, told_on, not_told_because) from report.credit_lapse")
            .await,
        ["azure_monthly_credit 2024-02-19"]
    );
    let removed: NaiveDate = house.one("select removed_on from assignment").await;
    assert_eq!(removed, day("2024-02-28"));
    let explained =
        ran(&house, "2024-03-03T09:00:00Z", &["explain", "ORD-1/azure_monthly_credit"]).ended(0).stdout;
    for part in
        ["The full snapshot as of 2024-02-19 does not have it", "missing; the last usable day was 2024-02-27"]
    {
        assert!(explained.contains(part), "{explained}");
    }
    let before = house.state().await;
    house.night("2024-03-02").await;
    assert_eq!(house.state().await, before);
}

#[tokio::test]
async fn d16_the_same_snapshot_twice_changes_nothing_and_a_later_one_ends_nothing_anew() {
    let mut house = held().await;
    house.night("2024-02-18").await;
    let text = file(&[MONTHLY]);
    came(take(&house, ("all.csv", &text), "2024-02-20", whole("2024-02-20", 1, &["4301"]), false).await);
    let before = house.state().await;
    let again =
        take(&house, ("again.csv", &text), "2024-02-21", whole("2024-02-20", 1, &["4301"]), false).await;
    assert!(matches!(again, FileOutcome::Known), "{again:?}");
    assert_eq!(house.state().await, before);
    let later = came(
        take(&house, ("later.csv", &text), "2024-02-22", whole("2024-02-22", 1, &["4301"]), false).await,
    );
    assert_eq!((later.ended, missing(&house).await.len()), (0, 2));
    assert_eq!(house.state().await, before);
    // The same bytes said to be no snapshot, or one as of another day, are another matter.
    assert!(house.import_one("plain.csv", &text, "2024-02-23").await.known);
    house.nights("2024-02-19", "2024-03-01").await;
    let ended =
        ["advisory_hours missing 2024-02-27", "azure_monthly_credit active", "software missing 2024-02-27"];
    assert_eq!(standing(&house).await, ended.map(|line| format!("ORD-1 {line}")));
}

#[tokio::test]
async fn promise_6_a_snapshot_whose_rows_do_not_come_to_its_totals_is_refused_whole() {
    let mut house = held().await;
    house.since = Some(day("2024-01-31"));
    let text = file(&[MONTHLY, "software"])
        + &row("4301", "ORD-2", MONTHLY, "2024-02-01", "2025-01-30", "150.50,USD");
    let totals = |rows, quantity, usd: Option<i64>| ControlTotals {
        rows,
        quantity,
        amounts: usd.map_or_else(Default::default, |minor| {
            [(benefactor::domain::money::Currency::USD, minor)].into()
        }),
    };
    let before = house.state().await;
    for (totals, said, is) in [
        (totals(4, None, None), "is 4", "it is 3"),
        (totals(3, Some(9), None), "quantity is 9", "it is 3"),
        (totals(3, Some(3), Some(25_000)), "USD 250.00", "USD 250.50"),
    ] {
        let snapshot = FullSnapshot { totals, ..whole("2024-02-20", 0, &["4301"]) };
        let why = no(take(&house, ("t.csv", &text), "2024-02-20", snapshot, true).await);
        assert!(why.contains(said) && why.contains(is) && why.contains("not whole"), "{why}");
    }
    assert_eq!(house.state().await, before);
    let snapshot =
        FullSnapshot { totals: totals(3, Some(3), Some(25_050)), ..whole("2024-02-20", 0, &["4301"]) };
    assert_eq!(came(take(&house, ("t.csv", &text), "2024-02-20", snapshot, false).await).ended, 1);
}

#[tokio::test]
async fn promise_6_an_older_snapshot_after_a_newer_is_refused_also_when_both_come_at_once() {
    let house = held().await;
    let (all, less) = (file(&ALL), file(&[MONTHLY]));
    came(take(&house, ("new.csv", &all), "2024-02-20", whole("2024-02-15", 3, &[]), false).await);
    let why = no(take(&house, ("old.csv", &less), "2024-02-20", whole("2024-02-14", 1, &[]), true).await);
    assert!(why.contains("as of 2024-02-15") && why.contains("new.csv") && why.contains("4301"), "{why}");
    assert_eq!(missing(&house).await, [""; 0]);
    let early = no(take(&house, ("e.csv", &less), "2024-02-20", whole("2024-02-21", 1, &[]), true).await);
    assert!(early.contains("before that"), "{early}");
    // Both are staged before either is applied.
    let folder = house.dir.join("dropped");
    let dropped =
        [("b.csv", &all, "2024-02-17"), ("c.csv", &less, "2024-02-16")].map(|(name, text, as_of)| {
            fs::write(folder.join(name), text).unwrap();
            let rows = u64::try_from(text.lines().count()).unwrap() - 1;
            Dropped {
                path: folder.join(name),
                results: house.dir.join("answered"),
                snapshot: Some(whole(as_of, rows, &[])),
                ..Dropped::default()
            }
        });
    let mut conn = house.pool.acquire().await.unwrap();
    let cx = house.context(day("2024-02-20"), day("2024-02-21"), false);
    let outcomes = take_in(&cx, &mut conn, dropped.to_vec()).await.unwrap();
    let refused = outcomes.iter().find(|(one, _)| one.path.ends_with("c.csv")).unwrap();
    assert!(
        matches!(&refused.1, FileOutcome::Refused(why) if why.to_string().contains("as of 2024-02-17")),
        "{refused:?}"
    );
    assert_eq!(missing(&house).await, [""; 0]);
    house.night("2024-02-21").await;
}

#[tokio::test]
async fn promise_6_a_snapshot_with_a_rejected_or_cut_off_row_ends_nothing_until_it_is_whole() {
    let house = held().await;
    let broken = file(&[MONTHLY]) + &of("software").replace("2025-01-30", "soon");
    let taken = done(take(&house, ("b.csv", &broken), "2024-02-20", whole("2024-02-20", 2, &[]), true).await);
    assert_eq!((taken.tally.unchanged, taken.tally.rejected), (1, 1));
    let outcome = taken.snapshot.unwrap();
    let told = outcome.lines(benefactor::domain::language::Language::English).join(" ");
    assert!(told.contains("ended nothing") && told.contains("once it is corrected"), "{told}");
    assert_eq!((outcome.ended, outcome.withheld.unwrap().code()), (0, "snapshot_incomplete"));
    assert_eq!(house.decisions().await[1..], ["close 4301 refused snapshot_incomplete"]);
    let cut = file(&[MONTHLY, "software"]);
    let cut = cut.trim_end();
    let outcome = came(take(&house, ("c.csv", cut), "2024-02-20", whole("2024-02-20", 2, &[]), true).await);
    assert_eq!(outcome.withheld.unwrap().code(), "snapshot_incomplete");
    assert_eq!(missing(&house).await, [""; 0]);
    let good = file(&[MONTHLY, "software"]);
    assert_eq!(
        came(take(&house, ("g.csv", &good), "2024-02-20", whole("2024-02-20", 2, &[]), false).await).ended,
        1
    );
}

/// So many orders of one benefit.
fn orders(names: std::ops::Range<u32>) -> String {
    let rows = names.map(|n| row("4301", &format!("O-{n:02}"), "software", "2024-01-31", "2025-01-30", ","));
    ENTITLEMENTS.to_owned() + &rows.collect::<String>()
}

/// A partner of forty orders, and another one.
async fn forty() -> House {
    let mut house = House::open().await;
    let partners = partner("4301", "USD") + partner("4302", "USD").lines().nth(1).unwrap() + "\n";
    let other = monthly("4302", "OTHER", "2024-01-31", "2025-01-30");
    let files = [("p.csv", &*partners), ("e.csv", &orders(0..40)), ("o.csv", &other)];
    for answer in house.import(&files, "2024-01-31").await {
        answer.applied();
    }
    house
}

/// Drops a file with what is said of it, and lets it rest.
fn put(house: &House, name: &str, text: &str, said: &str) -> PathBuf {
    let path = house.dir.join("inbox").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    if !said.is_empty() {
        fs::write(path.with_file_name(format!("{}.done", path.file_name().unwrap().to_str().unwrap())), said)
            .unwrap();
    }
    path
}

#[tokio::test]
async fn promise_6_a_snapshot_that_would_end_much_waits_for_an_operator_in_the_night_too_and_nothing_else_does()
 {
    let house = forty().await;
    put(&house, "4301/all.csv", &orders(0..19), "rows=19\nsnapshot_as_of=2024-02-20\n");
    put(&house, "z.csv", &monthly("4302", "NEW", "2024-02-01", "2025-01-31"), "");
    let now = "2024-02-21T09:00:00Z";
    ran(&house, now, &["night", "--from", "2024-02-20"]).ended(0);
    assert_eq!(missing(&house).await, [""; 0]);
    assert!(standing(&house).await.contains(&"NEW azure_monthly_credit active".to_owned()), "others go on");
    let listed = ran(&house, now, &["requests", "list"]).ended(0).stdout;
    assert!(listed.contains("all.csv: it would end 21 of 40 live entitlements"), "{listed}");
    assert!(listed.contains("O-19/software") && listed.contains("--accept-ends"), "{listed}");
    let refused = house.dir.join("inbox/4301/refused");
    let note = fs::read_to_string(refused.join("all.note.txt")).unwrap();
    assert!(note.contains("--accept-ends"), "{note}");
    // The marker lies beside it, and says what it said.
    let held = refused.join("all.csv");
    let held = held.to_str().unwrap();
    let dry = ran(&house, now, &["import", held, "--accept-ends", "--dry-run", "--all"]).ended(0).stdout;
    assert!(dry.contains("    O-19/software\n") && dry.contains("    O-39/software\n"), "{dry}");
    assert_eq!(missing(&house).await, [""; 0]);
    ran(&house, now, &["import", held]).ended(5);
    let yes = ["import", held, "--accept-ends", "--by", "ada", "--why", "they left the programme"];
    let told = ran(&house, now, &yes).ended(0).stdout;
    assert!(told.contains("(21)") && told.contains("2024-02-28"), "{told}");
    assert_eq!(missing(&house).await.len(), 21);
    assert_eq!(
        house.lines("select concat_ws('|', action, by, why, business_on) from operator_action").await,
        ["accept_ends|ada|they left the programme|2024-02-21"]
    );
    assert_eq!(ran(&house, now, &["requests"]).ended(0).stdout, "nothing waits for an operator\n");
    let files = ran(&house, now, &["files", "all"]).ended(0).stdout;
    assert!(files.contains("it ends what it lacks (21)"), "{files}");
}

#[tokio::test]
async fn promise_6_a_swedish_partner_reads_in_swedish_why_its_file_is_held_back() {
    let mut house = forty().await;
    let swedish =
        partner("4301", "USD").replace("currency\n", "currency,language\n").replace("USD\n", "USD,sv-SE\n");
    house.import_one("sv.csv", &swedish, "2024-02-01").await.applied();
    put(&house, "4301/all.csv", &orders(0..19), "rows=19\nsnapshot_as_of=2024-02-20\n");
    put(&house, "4301/none.csv", ENTITLEMENTS, "rows=0\nsnapshot_as_of=2024-02-20\n");
    ran(&house, "2024-02-21T09:00:00Z", &["night", "--from", "2024-02-20"]).ended(0);
    let refused = house.dir.join("inbox/4301/refused");
    let told = |name: &str| fs::read_to_string(refused.join(name)).unwrap();
    let (all, none) = (told("all.note.txt"), told("none.note.txt"));
    assert!(
        all.contains(
            "Skäl: den skulle avsluta 21 av 40 gällande förmåner eftersom de saknas i den (O-19/software"
        ) && all.contains("läser operatören in den med --accept-ends")
            && all.ends_with("Kod: ends_held\n"),
        "{all}"
    );
    assert!(
        none.contains("den säger att partner inte har något (1: 4301); den skulle avsluta 40 av 40"),
        "{none}"
    );
    assert_eq!(missing(&house).await, [""; 0]);
}

#[tokio::test]
async fn promise_6_an_empty_snapshot_ends_nothing_without_an_operators_yes() {
    let house = held().await;
    let empty = ENTITLEMENTS;
    let nobody = no(take(&house, ("n.csv", empty), "2024-02-20", whole("2024-02-20", 0, &[]), true).await);
    assert!(nobody.contains("--partner"), "{nobody}");
    let why =
        no(take(&house, ("e.csv", empty), "2024-02-20", whole("2024-02-20", 0, &["4301"]), false).await);
    assert!(why.contains("hold nothing") && why.contains("4301") && why.contains("3 of 3"), "{why}");
    assert_eq!(missing(&house).await, [""; 0]);
    assert_eq!(
        came(take(&house, ("e.csv", empty), "2024-02-20", whole("2024-02-20", 0, &["4301"]), true).await)
            .ended,
        3
    );
    let by: String = house.one("select by from operator_action").await;
    assert_eq!(by, "operator");
}

#[tokio::test]
async fn d16_a_snapshot_of_several_partners_says_nothing_of_others_and_has_no_rows_of_them() {
    let house = forty().await;
    let all = orders(0..39);
    let both =
        all.clone() + monthly("4302", "OTHER", "2024-01-31", "2025-01-30").lines().nth(1).unwrap() + "\n";
    let why =
        no(take(&house, ("b.csv", &both), "2024-02-20", whole("2024-02-20", 40, &["4301"]), true).await);
    assert!(why.contains("line 41") && why.contains("4302"), "{why}");
    let why =
        no(take(&house, ("u.csv", &all), "2024-02-20", whole("2024-02-20", 39, &["4301", "4999"]), true)
            .await);
    assert!(why.contains("4999"), "{why}");
    assert_eq!(
        came(take(&house, ("a.csv", &all), "2024-02-20", whole("2024-02-20", 39, &[]), false).await).ended,
        1
    );
    assert_eq!(missing(&house).await, ["O-39 software 2024-02-27"], "4302 is untouched");
    // Named, and with no row, it is said to hold nothing.
    let why =
        no(take(&house, ("n.csv", &all), "2024-02-21", whole("2024-02-21", 39, &["4301", "4302"]), false)
            .await);
    assert!(why.contains("4302"), "{why}");
    let twice = came(
        take(&house, ("b2.csv", &both), "2024-02-21", whole("2024-02-21", 40, &["4301", "4302"]), false)
            .await,
    );
    assert_eq!(twice.ended, 0);
}

#[tokio::test]
async fn d16_a_file_that_names_it_again_in_time_keeps_it_and_the_ledger_is_as_if_nothing_had_been_missing() {
    let (mut house, mut other) = (held().await, held().await);
    house.nights("2024-01-31", "2024-02-19").await;
    let less = file(&["software", "advisory_hours"]);
    came(take(&house, ("l.csv", &less), "2024-02-20", whole("2024-02-20", 2, &[]), false).await);
    house.nights("2024-02-20", "2024-02-22").await;
    let again = house.import_one("again.csv", &file(&[MONTHLY]), "2024-02-23").await;
    assert_eq!(again.rows, ["2 applied named_again"]);
    assert_eq!(missing(&house).await, [""; 0]);
    house.nights("2024-02-23", "2024-03-31").await;
    other.import_one("again.csv", &file(&[MONTHLY]), "2024-02-23").await;
    other.nights("2024-01-31", "2024-03-31").await;
    assert_eq!(house.digest().await, other.digest().await);
    assert_eq!(house.ledger_of("USD").await.len(), 5, "three grants and two lapses");
    assert_eq!(standing(&house).await, standing(&other).await);
    // Once it has ended, nothing revives it.
    let less = file(&[MONTHLY, "advisory_hours"]);
    came(take(&house, ("m.csv", &less), "2024-04-01", whole("2024-04-01", 2, &[]), false).await);
    house.nights("2024-04-01", "2024-04-10").await;
    assert_eq!(house.import_one("s.csv", &file(&["software"]), "2024-04-11").await.rows, ["2 unchanged"]);
    let longer = of("software").replace("2025-01-30", "2025-01-29");
    let rows = house.import_one("t.csv", &(ENTITLEMENTS.to_owned() + &longer), "2024-04-11").await.rows;
    assert_eq!(rows, ["2 rejected order_id already_ended"]);
}

#[tokio::test]
async fn promise_4_what_a_file_brought_after_its_date_is_spared_in_whichever_order_they_come() {
    let mut digests = BTreeSet::new();
    for snapshot_first in [true, false] {
        let mut house = held().await;
        let more = row("4301", "ORD-1", "visual_studio/app_dev", "2024-02-01", "2025-01-30", ",");
        let more = ENTITLEMENTS.to_owned() + &more.replace("2024-02-01,2024-02-01", "2024-01-31,2024-02-01");
        let snapshot = || whole("2024-02-10", 2, &[]);
        let text = file(&[MONTHLY, "software"]);
        if snapshot_first {
            let told = came(take(&house, ("s.csv", &text), "2024-02-20", snapshot(), false).await);
            assert_eq!((told.ended, told.spared), (1, 0));
            house.import_one("m.csv", &more, "2024-02-20").await.applied();
        } else {
            house.import_one("m.csv", &more, "2024-02-20").await.applied();
            let told = came(take(&house, ("s.csv", &text), "2024-02-20", snapshot(), false).await);
            assert_eq!((told.ended, told.spared), (1, 1));
        }
        house.nights("2024-01-31", "2024-03-02").await;
        assert_eq!(
            standing(&house).await.into_iter().filter(|line| line.contains("missing")).collect::<Vec<_>>(),
            ["ORD-1 advisory_hours missing 2024-02-27"]
        );
        digests.insert(house.digest().await);
    }
    assert_eq!(digests.len(), 1);
}

#[tokio::test]
async fn promise_4_nights_that_are_caught_up_come_to_the_same_as_nights_in_time() {
    let mut digests = BTreeSet::new();
    for late in [true, false] {
        let house = held().await;
        if !late {
            house.nights("2024-01-31", "2024-02-19").await;
        }
        let text = file(&["software"]);
        came(take(&house, ("s.csv", &text), "2024-02-20", whole("2024-02-20", 1, &[]), false).await);
        if late {
            house.night("2024-03-10").await;
        } else {
            house.nights("2024-02-20", "2024-03-10").await;
        }
        digests.insert((house.digest().await, standing(&house).await));
    }
    assert_eq!(digests.len(), 1, "{digests:#?}");
}

#[tokio::test]
async fn d12_silver_that_a_snapshot_lacks_holds_nothing_back_of_gold_once_it_has_ended() {
    let mut house = House::open().await;
    let silver = monthly("4301", "SILVER", "2024-01-01", "2024-12-31");
    let gold = ENTITLEMENTS.to_owned()
        + "4301,GOLD,gold,azure_monthly_credit,core,1,2024-01-10,2024-01-10,2025-01-09,150,USD,\n";
    let partner = partner("4301", "USD");
    let files = [("p.csv", &*partner), ("s.csv", &silver), ("g.csv", &gold)];
    for answer in house.import(&files, "2024-01-10").await {
        assert!(answer.refused.is_none());
    }
    house.nights("2024-01-10", "2024-01-19").await;
    came(take(&house, ("all.csv", &gold), "2024-01-20", whole("2024-01-20", 1, &["4301"]), false).await);
    house.nights("2024-01-20", "2024-02-12").await;
    let granted = house
        .lines(
            "select concat_ws(' ', order_id, effective_on, amount_minor / 100) from report.ledger
             where kind = 'credit_granted' order by effective_on, order_id",
        )
        .await;
    assert_eq!(granted, ["SILVER 2024-01-01 100", "GOLD 2024-01-10 50", "GOLD 2024-02-10 150"]);
}

#[tokio::test]
async fn promise_7_a_dry_run_tells_what_a_snapshot_would_end_and_changes_nothing() {
    let house = held().await;
    let path = house.dir.join("all.csv");
    fs::write(&path, file(&[MONTHLY])).unwrap();
    let before = house.state().await;
    let now = "2024-02-20T09:00:00Z";
    let args = [
        "import",
        path.to_str().unwrap(),
        "--partner",
        "4301",
        "--snapshot",
        "--as-of",
        "2024-02-19",
        "--rows",
        "1",
    ];
    let told = ran(&house, now, &[&args[..], &["--dry-run"]].concat()).ended(0).stdout;
    for part in [
        "ends what it lacks (2)",
        "2024-02-27",
        "    ORD-1/advisory_hours\n",
        "    ORD-1/software\n",
        "nothing was changed",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(ran(&house, now, &[&args[..], &["--dry-run"]].concat()).ended(0).stdout, told);
    assert_eq!((house.state().await, missing(&house).await), (before, vec![]));
    let json = ran(&house, now, &[&["--json"], &args[..]].concat()).ended(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["snapshot"]["ended"], &json["snapshot"]["last_usable_on"]),
        (&2.into(), &"2024-02-27".into())
    );
    assert_eq!(missing(&house).await.len(), 2);
    // What is half said of a snapshot is no snapshot.
    for wrong in [
        &["--snapshot"][..],
        &["--snapshot", "--as-of", "2024-02-19"],
        &["--rows", "1"],
        &["--by", "ada"],
        &["--snapshot", "--as-of", "2024-02-19", "--rows", "1", "--amount", "5"],
    ] {
        ran(&house, now, &[&["import", path.to_str().unwrap()], wrong].concat()).ended(2);
    }
    let users = house.dir.join("u.csv");
    fs::write(&users, crate::cast::users("4301")).unwrap();
    let no = [&["import", users.to_str().unwrap()], &args[4..7], &["--rows", "3"]].concat();
    let told = ran(&house, now, &no).ended(1).stdout;
    assert!(
        told.contains("only a file of entitlements can be a full snapshot, and this is one of users"),
        "{told}"
    );
}

#[tokio::test]
async fn promise_3_a_crash_between_the_rows_and_the_ends_is_made_good_once() {
    for point in ["file.applied", "file.ended", "file.answered"] {
        let house = held().await;
        let path = house.dir.join("all.csv");
        let text = file(&[MONTHLY]) + &row("4301", "ORD-2", "software", "2024-02-01", "2025-01-31", ",");
        fs::write(&path, text).unwrap();
        let now = ["--now", "2024-02-20T09:00:00Z"];
        let said = ["--snapshot", "--as-of", "2024-02-20", "--rows", "2"];
        let args = [&now[..], &["import", path.to_str().unwrap()], &said].concat();
        Ran::of(house.command(&args).env("BENEFACTOR_FAULTS", format!("{point}=kill"))).ended(-1);
        // What was not committed is not there; once it is, what follows goes on by itself.
        assert_eq!(missing(&house).await.is_empty(), point != "file.answered", "{point}");
        house.run(&args).ended(0);
        assert_eq!(
            missing(&house).await,
            ["ORD-1 advisory_hours 2024-02-27", "ORD-1 software 2024-02-27"],
            "{point}"
        );
        let closed: i64 = house.one("select count(*) from decision where action = 'close'").await;
        assert_eq!(closed, 2, "{point}");
        house.run(&args).ended(0);
        let (versions, files): (i64, i64) = (
            house.one("select count(*) from entitlement_version").await,
            house.one("select count(*) from file_snapshot").await,
        );
        assert_eq!((versions, files), (4, 1), "{point}");
    }
}

#[tokio::test]
async fn d16_a_manifest_in_a_partners_folder_says_it_and_the_note_is_in_the_partners_language() {
    let mut house = held().await;
    let swedish =
        partner("4301", "USD").replace("currency\n", "currency,language\n").replace("USD\n", "USD,sv-SE\n");
    house.import_one("sv.csv", &swedish, "2024-02-01").await.applied();
    let text = file(&[MONTHLY, "software"]);
    put(&house, "4301/all.csv", &text, "rows=2\nsnapshot_as_of=2024-02-20\nquantity=2\namount=100.00 USD\n");
    put(&house, "4301/old.csv", &file(&ALL), "rows=3\nsnapshot_as_of=2024-02-19\nsnapshot_of=4302\n");
    put(&house, "4301/odd.csv", &text, "rows=2\nsnapshot_as_of=yesterday\n");
    put(&house, "4301/half.csv", &text, "rows=2\nsnapshot_as_of=2024-02-19\nquantity=9\n");
    ran(&house, "2024-02-21T09:00:00Z", &["night", "--from", "2024-02-20"]).ended(0);
    let inbox = house.dir.join("inbox/4301");
    let note = fs::read_to_string(inbox.join("done/all.note.txt")).unwrap();
    assert!(
        note.contains("Som fullständig förteckning per 2024-02-20") && note.contains("ORD-1/advisory_hours"),
        "{note}"
    );
    assert!(inbox.join("done/all.csv.done").exists());
    let note = fs::read_to_string(inbox.join("refused/old.note.txt")).unwrap();
    assert!(
        note.contains(
            "Skäl: det är en fil från partner 4301, men den sägs vara en fullständig förteckning för 4302."
        ) && note.ends_with("\nKod: snapshot_of_other_partner\n"),
        "{note}"
    );
    let note = fs::read_to_string(inbox.join("refused/odd.note.txt")).unwrap();
    assert!(note.contains("filens .done-fil kan inte användas: dess rad 2 är inget av"), "{note}");
    let note = fs::read_to_string(inbox.join("refused/half.note.txt")).unwrap();
    assert!(
        note.contains("kontrollsummor säger att summan av quantity är 9 (i filen: 2): filen är inte hel")
            && note.contains("Kod: snapshot_other_totals"),
        "{note}"
    );
    let listed = ran(&house, "2024-02-21T09:00:00Z", &["files", "half"]).ended(0).stdout;
    assert!(listed.contains("its control totals say that"), "operators read English: {listed}");
    assert_eq!(missing(&house).await, ["ORD-1 advisory_hours 2024-02-28"]);
}

#[tokio::test]
async fn promise_6_what_shows_only_once_the_rows_are_in_ends_nothing_either_until_an_operator_says_yes() {
    let house = forty().await;
    let now = "2024-02-20T09:00:00Z";
    let (more, all) = (house.dir.join("more.csv"), house.dir.join("all.csv"));
    fs::write(&more, orders(50..80)).unwrap();
    fs::write(&all, orders(0..40) + &row("4301", "NEW", "software", "2024-02-01", "2025-01-30", ","))
        .unwrap();
    fs::write(house.dir.join("all.csv.done"), "rows=41\nsnapshot_as_of=2024-02-20\n").unwrap();
    let (more, all) = (more.to_str().unwrap(), all.to_str().unwrap());
    // When they are looked at, the thirty are not known yet.
    let told = ran(&house, now, &["import", more, all]).ended(5).stdout;
    assert!(told.contains("entitlements: 1 applied, 40 unchanged, 0 rejected"), "{told}");
    assert!(
        told.contains("would end 30 of 71 live entitlements, so none ends until an operator says yes"),
        "{told}"
    );
    assert_eq!(missing(&house).await, [""; 0]);
    let listed = ran(&house, now, &["requests"]).ended(0).stdout;
    assert!(listed.contains("all.csv: As a full snapshot as of 2024-02-20 it ended nothing"), "{listed}");
    let refused = house.lines("select concat_ws(' ', action, subject, outcome) from decision").await;
    assert_eq!(refused, ["close 4301 refused"]);
    ran(&house, now, &["import", all]).ended(5);
    ran(&house, now, &["import", all, "--accept-ends", "--by", "ada", "--why", "they are theirs no more"])
        .ended(0);
    assert_eq!(missing(&house).await.len(), 30);
    assert_eq!(ran(&house, now, &["requests"]).ended(0).stdout, "nothing waits for an operator\n");
    // What is said on the command line and beside the file has to agree.
    let other = ["import", all, "--snapshot", "--as-of", "2024-02-19", "--rows", "41"];
    assert!(ran(&house, now, &other).ended(1).stdout.contains("do not agree"));
}

#[tokio::test]
async fn d16_an_export_of_the_store_is_a_snapshot_that_lacks_nothing_also_as_a_workbook() {
    let house = held().await;
    let now = "2024-02-20T09:00:00Z";
    for (name, form) in [("e.csv", "machine"), ("s.csv", "spreadsheet"), ("e.xlsx", "spreadsheet")] {
        let path = house.dir.join(name);
        let path = path.to_str().unwrap();
        ran(&house, now, &["export", "entitlements", "--out", path, "--for", form]).ended(0);
        let said = ["--snapshot", "--as-of", "2024-02-20", "--rows", "3", "--amount", "100 USD"];
        let told = ran(&house, now, &[&["import", path], &said[..]].concat()).ended(0).stdout;
        assert!(told.contains("3 unchanged") && told.contains("it lacks nothing"), "{name}: {told}");
    }
    assert_eq!(missing(&house).await, [""; 0]);
}

#[tokio::test]
async fn d16_a_file_that_was_taken_in_before_keeps_what_a_snapshot_lacked_since() {
    let mut house = held().await;
    let less = file(&[MONTHLY, "software"]);
    came(take(&house, ("l.csv", &less), "2024-02-20", whole("2024-02-20", 2, &[]), false).await);
    assert_eq!(missing(&house).await.len(), 1);
    let again = house.import_one("e.csv", &file(&ALL), "2024-02-22").await;
    assert_eq!(
        again.rows,
        ["2 unchanged", "3 unchanged", "4 applied quantity differs_from_catalogue+named_again"]
    );
    assert_eq!(missing(&house).await, [""; 0]);
}

#[tokio::test]
async fn d16_a_row_that_said_the_same_after_the_snapshots_date_spares_it_unless_it_is_an_older_snapshots() {
    let mut house = held().await;
    let (all, less) = (file(&ALL), file(&[MONTHLY]));
    // It changes nothing, and still is newer than the date of the snapshot that comes after it.
    let same =
        house.import_one("same.csv", &all.replace("advisory_hours", "advisory_hours "), "2024-02-19").await;
    assert_eq!(
        same.rows,
        ["2 unchanged", "3 unchanged", "4 unchanged"].map(|row| {
            if row.starts_with('4') {
                format!("{row} quantity differs_from_catalogue")
            } else {
                row.to_owned()
            }
        })
    );
    let snapshot = |as_of: &str| whole(as_of, 1, &["4301"]);
    let told = came(take(&house, ("s.csv", &less), "2024-02-20", snapshot("2024-02-18"), false).await);
    assert_eq!((told.ended, told.spared), (0, 2));
    assert_eq!(missing(&house).await, [""; 0]);
    // One as of a later date knows better.
    let told = came(take(&house, ("t.csv", &less), "2024-02-20", snapshot("2024-02-19"), false).await);
    assert_eq!((told.ended, told.spared), (2, 0));
    // A snapshot speaks of its own date, however late it comes.
    let house = held().await;
    came(take(&house, ("all.csv", &all), "2024-02-20", whole("2024-02-10", 3, &["4301"]), false).await);
    let told = came(take(&house, ("u.csv", &less), "2024-02-20", snapshot("2024-02-15"), false).await);
    assert_eq!((told.ended, told.spared), (2, 0));
}

#[tokio::test]
async fn d16_a_snapshot_is_taken_back_with_what_it_was_to_end_until_that_was_told() {
    let house = held().await;
    let now = "2024-02-20T09:00:00Z";
    let path = house.dir.join("all.csv");
    fs::write(&path, file(&[MONTHLY])).unwrap();
    let path = path.to_str().unwrap();
    let said = ["--snapshot", "--as-of", "2024-02-20", "--rows", "1"];
    ran(&house, now, &[&["import", path], &said[..]].concat()).ended(0);
    assert_eq!(missing(&house).await.len(), 2);
    let revert = ["import", "revert", "all.csv", "--by", "ada", "--why", "it was half of it"];
    ran(&house, now, &revert).ended(0);
    assert_eq!(missing(&house).await, [""; 0]);
    let told = ran(&house, now, &["explain", "ORD-1/software"]).ended(0).stdout;
    assert!(told.contains("taken back by ada (it was half of it); it is again as it was"), "{told}");
    // An older one is no older than one that was taken back, and the same is read again.
    let older =
        came(take(&house, ("o.csv", &file(&ALL)), "2024-02-20", whole("2024-02-19", 3, &[]), false).await);
    assert_eq!(older.ended, 0);
    let again = ran(&house, now, &[&["import", path], &said[..]].concat()).ended(0).stdout;
    assert!(again.contains("(2)"), "{again}");
    house.night("2024-02-20").await;
    let why = ran(&house, "2024-02-21T09:00:00Z", &revert).ended(5);
    assert!((why.stdout + &why.stderr).contains("ORD-1/software"), "it was told");
    assert_eq!(missing(&house).await.len(), 2);
}
