//! The demo through the real binary, against what its cast's README and ledger reckoned by hand.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use benefactor::{
    domain::money::{Amount, Currency},
    store::embedded::{self, Login},
};
use chrono::NaiveDate;
use sqlx::Connection;

use crate::{
    eml::Eml,
    house::{Ran, Scratch, benefactor, connect, options},
};

const CAST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");

/// Half a minute is what it may take once built; here it is not optimised and has company.
const PATIENCE: Duration = Duration::from_mins(10);

/// One demo for all that is to be seen of it: it takes a while.
#[tokio::test]
async fn the_demo_ends_by_itself_and_its_store_answers_and_mails_are_what_the_cast_says() {
    let home = Scratch::new();
    let dir = home.join("demo");
    let began = Instant::now();
    let ran = Ran::of(benefactor(home.path()).arg("demo").arg("--dir").arg(&dir)).ended(0);
    assert!(began.elapsed() < PATIENCE, "it took {:?}", began.elapsed());
    assert!(embedded::at_rest(&dir, Duration::ZERO).unwrap(), "Postgres has stopped");
    for said in [
        "442 nights",
        "Norrsken Integration AB",
        "Asked for, and answered",
        "Books",
        "ledger and schedule agree",
    ] {
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
    }
    let shown = |word: &str| ran.stdout.lines().filter(|line| line.trim_start().starts_with(word)).count();
    assert_eq!((shown("yes 2024-"), shown("no 2024-")), (7, 7), "{}", ran.stdout);
    assert_eq!(ran.stderr, "", "no terminal, no progress bar");
    assert_eq!(ledger(&dir).await, expected_ledger());
    assert_eq!(answers(&dir), expected_answers());
    let mails = mails(&dir.join("outbox"));
    insta::assert_snapshot!("demo_mailbox", mailbox(&mails));
    insta::assert_snapshot!("demo_mails_of_note", of_note(&mails));
    commands_shown_at_the_end_work(&dir, &ran.stdout);
}

/// Every entry of credit, netted, as a line of the expected ledger, sorted.
async fn ledger(dir: &Path) -> Vec<String> {
    type Entry = (
        (String, String, String, String),
        (NaiveDate, Option<NaiveDate>, NaiveDate),
        (i64, Option<String>, Option<i64>, Option<NaiveDate>, Option<String>),
    );
    let hold = embedded::hold(&options(dir, true)).unwrap();
    let mut owner = connect(&hold.url(Login::Owner).unwrap()).await;
    let rows: Vec<sqlx::postgres::PgRow> = sqlx::query(
        "select p.number, m.order_id, e.benefit, t.kind::text, t.period_from,
                case when e.benefit like 'azure_bulk_credit%' then null else t.period_until end, t.effective_on,
                t.amount_minor + coalesce(c.minor, 0), t.currency::text, t.usd_minor, t.rate_on, coalesce(u.reference, r.request_key)
         from transfer t
         join entitlement e using (entitlement_id)
         join membership m using (membership_id)
         join partner p on p.partner_id = t.partner_id
         left join credit_usage u on u.usage_id = t.usage_id
         left join request r on r.request_no = t.request_no
         left join (select c.corrects, sum(case when c.from_account = o.from_account then c.amount_minor
                                                else -c.amount_minor end)::bigint as minor
                    from transfer c join transfer o on o.transfer_id = c.corrects group by c.corrects) c
           on c.corrects = t.transfer_id
         where t.corrects is null and t.amount_minor + coalesce(c.minor, 0) <> 0",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    owner.close().await.unwrap();
    let entries = rows.iter().map(|row| -> Entry {
        use sqlx::Row as _;
        (
            (row.get(0), row.get(1), row.get(2), row.get(3)),
            (row.get(4), row.get(5), row.get(6)),
            (row.get(7), row.get(8), row.get(9), row.get(10), row.get(11)),
        )
    });
    let mut lines: Vec<String> = entries
        .map(|((number, order, benefit, kind), (from, until, effective), (minor, code, usd, rate_on, reference))| {
            // Minutes and incidents are whole numbers of no currency.
            let amount = code.as_ref().map_or_else(
                || minor.to_string(),
                |code| Amount::new(minor, Currency::parse(code).unwrap()).plain(),
            );
            let code = code.unwrap_or_default();
            let usd = usd.map(|cents| Amount::new(cents, Currency::USD).plain()).unwrap_or_default();
            let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
            let (until, rate_on, reference) = (day(until), day(rate_on), reference.unwrap_or_default());
            format!(
                "{number},{order},{benefit},{kind},{from},{until},{effective},{amount},{code},{usd},{rate_on},{reference}"
            )
        })
        .collect();
    lines.sort();
    lines
}

fn expected_ledger() -> Vec<String> {
    let text = fs::read_to_string(Path::new(CAST).join("expected-ledger.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    lines.sort();
    lines
}

/// By date, file and line: status, column and code of every row that was not applied without a word.
type Answers = BTreeMap<(String, String, String), (String, String, String)>;

fn answers(dir: &Path) -> Answers {
    let mut answers = Answers::new();
    for date in children(&dir.join("answers")) {
        for file in children(&date) {
            let text = fs::read(&file).unwrap();
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_slice());
            for row in reader.records() {
                let cells: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
                let [status, code, _, line, column] = &cells[cells.len() - 5..] else { unreachable!() };
                if status == "applied" && (code.is_empty() || code == "decided_at_night") {
                    continue;
                }
                let status = if code == "waits_for_operator" { "waits" } else { status };
                let name = last(&file).replace(".result.csv", ".csv");
                answers.insert(
                    (last(&date), name, line.clone()),
                    (status.to_owned(), column.clone(), code.clone()),
                );
            }
        }
    }
    answers
}

/// The table of the cast's README, without the rows that it lists as applied without a word.
fn expected_answers() -> Answers {
    let readme = fs::read_to_string(Path::new(CAST).join("README.md")).unwrap();
    let (_, table) = readme.split_once("## Answers to rows").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let plain = |cell: &str| cell.trim().replace(['`', ' '], "").replace(',', "+").replace('–', "");
    let rows = table.lines().filter(|line| line.starts_with("| 20"));
    let rows = rows.map(|line| line.trim_matches('|').split('|').map(plain).collect::<Vec<_>>());
    rows.filter(|cells| cells[3] != "applied" || !cells[5].is_empty())
        .map(|cells| {
            let [date, file, line, status, column, code] = cells.try_into().unwrap();
            ((date, file, line), (status, column, code))
        })
        .collect()
}

/// A mail as its reader sees it.
struct Mail {
    day: String,
    to: String,
    subject: String,
    text: String,
}

/// Every mail of a folder, by day and recipient.
fn mails(outbox: &Path) -> Vec<Mail> {
    let mut mails: Vec<Mail> = children(outbox)
        .into_iter()
        .map(|path| {
            let mail = Eml::read(&fs::read_to_string(path).unwrap());
            let field = |name: &str| mail.field(name);
            let sent = field("Date");
            let day = NaiveDate::parse_from_str(&sent[5..16], "%d %b %Y").unwrap().to_string();
            Mail { day, to: field("To"), subject: field("Subject"), text: mail.text.clone() }
        })
        .collect();
    mails.sort_by(|a, b| (&a.day, &a.to).cmp(&(&b.day, &b.to)));
    mails
}

/// The whole mailbox: a line a mail.
fn mailbox(mails: &[Mail]) -> String {
    mails.iter().fold(String::new(), |mut all, mail| {
        let _ = writeln!(all, "{}  {:<55} {}", mail.day, mail.to, mail.subject);
        all
    })
}

/// Some mails in full: decisions, an end in Swedish, credit that nobody could use, and an offer's: a contact is needed,
/// and what to do, in English to a Dane and in Swedish.
fn of_note(mails: &[Mail]) -> String {
    let chosen = [
        ("2024-03-12", "cotedopale"),
        ("2024-03-13", "tamarvalley"),
        ("2024-10-01", "norrsken"),
        ("2025-03-04", "norrsken"),
        ("2025-02-16", "polder"),
        ("2024-06-27", "pontevecchio"),
        ("2024-04-16", "oresund"),
        ("2024-05-14", "oresund"),
        ("2024-10-15", "norrsken"),
    ];
    let mut all = String::new();
    for (day, at) in chosen {
        let mail = mails.iter().find(|mail| mail.day == day && mail.to.contains(at));
        let mail = mail.unwrap_or_else(|| panic!("no mail to {at} on {day}"));
        let _ = writeln!(all, "{} | {} | {}\n\n{}\n", mail.day, mail.to, mail.subject, mail.text.trim_end());
    }
    all
}

fn commands_shown_at_the_end_work(dir: &Path, said: &str) {
    let (_, tried) = said.split_once("What to try next").unwrap();
    let commands: Vec<&str> = tried.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(commands.len() > 3, "{tried}");
    for command in commands {
        let ran = Ran::of(std::process::Command::new("sh").arg("-c").arg(command).current_dir(dir));
        assert_eq!(ran.code, 0, "{command}\n{}\n{}", ran.stdout, ran.stderr);
        assert!(!ran.stdout.is_empty(), "{command}");
    }
}

/// What a folder holds, sorted.
fn children(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn last(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
