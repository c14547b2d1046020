//! Fourteen and a half months of the cast, night by night on a fixed clock: what must hold after every single one,
//! what the ledger says in the end, and the whole mailbox.

use std::{collections::BTreeMap, fs, path::PathBuf};

use benefactor::domain::calendar::add_days;
use chrono::NaiveDate;

use crate::{house::House, story::day};

/// The night of the first files.
pub const FIRST: &str = "2024-01-15";
const LAST: &str = "2025-03-31";

/// What must never be found, whatever happened: each with its name.
pub const NEVER: [(&str, &str); 10] = [
    (
        "an account below zero",
        "select entitlement_id || ' ' || period_no || ' ' || account from (
             select entitlement_id, period_no, to_account as account, amount_minor as minor from transfer
             union all select entitlement_id, period_no, from_account, -amount_minor from transfer) moved
         where account in ('available', 'used', 'lapsed', 'overage')
         group by entitlement_id, period_no, account having sum(minor) < 0",
    ),
    (
        "a period whose grant is not used, lapsed, given back or left",
        "select entitlement_id || ' ' || period_no from (
             select entitlement_id, period_no, to_account as account, amount_minor as minor from transfer
             union all select entitlement_id, period_no, from_account, -amount_minor from transfer) moved
         group by entitlement_id, period_no having sum(minor) <> 0",
    ),
    (
        "an open amount that is not the ledger's",
        "select e.entitlement_id::text from entitlement e
         left join credit_schedule s using (entitlement_id)
         left join (select entitlement_id, sum(case when to_account = 'available' then amount_minor else -amount_minor end) as minor
                    from transfer where 'available' in (from_account, to_account) group by 1) a using (entitlement_id)
         where coalesce(s.open_minor, 0) <> coalesce(a.minor, 0)",
    ),
    (
        "a grant or a lapse twice",
        "select entitlement_id || ' ' || period_no || ' ' || kind from transfer
         where corrects is null and kind in ('credit_granted', 'credit_lapsed', 'credit_reversed')
         group by entitlement_id, period_no, kind having count(*) > 1",
    ),
    (
        "more than twelve grants in a membership year, or one outside it",
        "select e.entitlement_id::text from transfer t join entitlement e using (entitlement_id) join membership m using (membership_id)
         where t.kind = 'credit_granted'
         group by e.entitlement_id having count(*) > 12
             or bool_or(t.period_from >= m.anniversary_on or t.period_from < e.starts_on or t.period_from > e.expires_on)",
    ),
    (
        "somebody assigned to what has ended",
        "select a.assignment_id::text from assignment a join entitlement e using (entitlement_id)
         where e.ended_on is not null and (a.removed_on is null or a.removed_on > e.ended_on + 1)",
    ),
    (
        "a benefit that outlives its order",
        "select e.entitlement_id::text from entitlement e join membership m using (membership_id)
         where m.ended_on is not null and (e.ended_on is null or e.ended_on > m.ended_on)",
    ),
    ("a run that is not done", "select job || ' ' || due_on from run where status <> 'done'"),
    (
        "a notice owed twice",
        "select subject_kind || subject_id || kind || anchor_on from notice
         group by subject_kind, subject_id, kind, anchor_on having count(*) > 1",
    ),
    (
        "a mail that is not sent, or says nothing",
        "select message_id from mail m where status <> 'sent' or not exists (select from notice_told n where n.mail_id = m.mail_id)",
    ),
];

/// What is not found where nothing went wrong either.
const LEFT_OPEN: (&str, &str) = (
    "a chunk or an attempt left open",
    "select run_id::text from run_chunk where status <> 'done' union all
     select run_id::text from attempt where finished_at is null or error is not null",
);

fn fixtures(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(below)
}

/// The files of each day, by name, the reference rates with the first.
pub fn cast() -> BTreeMap<NaiveDate, Vec<(String, String)>> {
    let mut days = BTreeMap::new();
    for entry in fs::read_dir(fixtures("demo")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let files = fs::read_dir(&path).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap())
        });
        let mut files: Vec<(String, String)> = files.collect();
        files.sort();
        days.insert(day(path.file_name().unwrap().to_str().unwrap()), files);
    }
    let rates = fs::read_to_string(fixtures("ecb/eurofxref-hist.csv")).unwrap();
    days.get_mut(&day(FIRST)).unwrap().push(("eurofxref-hist.csv".to_owned(), rates));
    days
}

/// Drops the files of a day.
pub async fn drop_files(house: &mut House, cast: &BTreeMap<NaiveDate, Vec<(String, String)>>, on: NaiveDate) {
    if let Some(files) = cast.get(&on) {
        let named: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
        house.import(&named, &on.to_string()).await;
    }
}

async fn nothing_is_wrong(house: &House, on: NaiveDate) {
    let all: Vec<String> = NEVER
        .iter()
        .chain([&LEFT_OPEN])
        .map(|(what, query)| format!("select $${what}: $$ || f from ({query}) found (f)"))
        .collect();
    assert_eq!(house.lines(&all.join(" union all ")).await, [""; 0], "night of {on}");
    let jobs = format!("select count(*) from run where due_on = '{on}'");
    assert_eq!(house.one::<i64>(&jobs).await, 8, "every job, every night");
    let nights = house.one::<i64>("select count(*) from night").await;
    assert_eq!(nights, (on - day(FIRST)).num_days() + 1, "no night is missing");
}

/// The ledger as `fixtures/demo/expected-ledger.csv` has it: corrections netted into what they correct.
async fn netted(house: &House) -> Vec<String> {
    house
        .lines(
            "with net as (
                 select o.entry_id, abs(o.amount_minor + coalesce(sum(c.amount_minor), 0)) as minor,
                        abs(o.usd_minor + coalesce(sum(c.usd_minor), 0)) as usd
                 from report.ledger o left join report.ledger c on c.corrects = o.entry_id
                 where o.corrects is null group by o.entry_id, o.amount_minor, o.usd_minor)
             select concat_ws(',', l.partner_id, l.order_id, l.benefit, l.kind, l.period_from,
                        case when l.benefit like 'azure_bulk%' then '' else l.period_until::text end, l.effective_on,
                        case when coalesce(l.currency, 'JPY') = 'JPY' then n.minor::text else round(n.minor / 100.0, 2)::text end,
                        coalesce(l.currency, ''),
                        case when l.kind = 'credit_granted' then coalesce(round(n.usd / 100.0, 2)::text, '') else '' end,
                        coalesce(l.rate_on::text, ''), coalesce(u.reference, r.request_key, ''))
             from report.ledger l join net n using (entry_id)
             join transfer t on t.transfer_id = l.entry_id left join credit_usage u using (usage_id)
             left join request r using (request_no)
             where n.minor <> 0",
        )
        .await
}

#[tokio::test]
async fn a_year_in_the_life_of_the_cast() {
    let (mut house, cast) = (House::open().await, cast());
    for on in day(FIRST).iter_days().take_while(|on| *on <= day(LAST)) {
        drop_files(&mut house, &cast, on).await;
        house.night(&on.to_string()).await;
        nothing_is_wrong(&house, on).await;
    }
    let expected = fs::read_to_string(fixtures("demo/expected-ledger.csv")).unwrap();
    let expected: Vec<&str> = expected.lines().skip(1).collect();
    let booked = netted(&house).await;
    let missing: Vec<_> = expected.iter().filter(|line| !booked.iter().any(|b| b == *line)).collect();
    let surplus: Vec<_> = booked.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    assert_eq!((missing, surplus), (vec![], vec![]));
    assert_eq!(booked.len(), expected.len());
    insta::assert_snapshot!("the_mailbox_of_a_year", house.letters().await.join("\n"));
    // Every night again: nothing is due any more.
    let before = house.state().await;
    let mails = house.mailbox().await;
    house.night(LAST).await;
    assert_eq!(house.state().await, before);
    assert_eq!(house.mailbox().await, mails);
}

/// The cast up to a day, nights on the mornings of `runs` only: each catches up on those before it.
async fn told_until(last: &str, runs: impl Fn(NaiveDate) -> bool) -> House {
    let (mut house, cast) = (House::open().await, cast());
    for on in day(FIRST).iter_days().take_while(|on| *on <= day(last)) {
        drop_files(&mut house, &cast, on).await;
        if runs(on) || on == day(last) {
            house.night(&on.to_string()).await;
        }
    }
    house
}

#[tokio::test]
async fn promise_4_seventy_nights_missed_and_caught_up_give_the_ledger_of_a_machine_that_was_never_down() {
    // From 5 February, when files go on arriving, refunds are asked for and accepted, and periods begin and end.
    let (from, until) = (day("2024-02-05"), add_days(day("2024-02-05"), 70));
    let down = told_until("2024-05-31", |on| on < from || on >= until).await;
    let up = told_until("2024-05-31", |_| true).await;
    assert_eq!(down.ledger().await, up.ledger().await);
    assert_eq!(down.digest().await, up.digest().await);
    let decisions = "select concat_ws(' ', action, subject, outcome, reasons) from decision order by 1";
    assert_eq!(down.lines(decisions).await, up.lines(decisions).await);
    // Decisions, endings and lapses are told however late; of reminders only what is still true.
    let told =
        "select concat_ws(' ', p.number, n.kind, n.anchor_on) from notice_told n join partner p using (partner_id)
                where n.true_until is null and n.status = 'mailed' order by 1";
    assert_eq!(down.lines(told).await, up.lines(told).await);
    assert!(down.mailbox().await.len() < up.mailbox().await.len(), "mail is coalesced");
}
