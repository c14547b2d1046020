//! What is run, in order: files, nights' jobs, exports, questions.

use std::fs;

use anyhow::Result;
use benefactor::{
    domain::kinds::Kind,
    store::export::{EXPORTS, Export},
};

use super::cast::{self, ASKED_ON, CANCELLATIONS, FILES, KNOWN_ON, MISTAKEN, OfRows};
use crate::place::Place;

/// What a step works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// So many rows of a file.
    File(u64),
    /// So many rows of the store.
    Rows(u64),
    /// Whatever there is, of which little concerns it.
    All,
    /// One partner, order, user, key or request, however many there are.
    One,
}

/// What a step is to leave.
enum Leaves {
    /// A query and the one value that it gives.
    Stored(String, u64),
    /// Rows in the file that is written.
    Written(u64),
    /// Words on standard output.
    Said(String),
}

/// One command, and what it is to leave.
pub struct Step {
    pub what: String,
    pub args: Vec<String>,
    pub of: Of,
    /// The kind of the file it takes in.
    pub takes: Option<Kind>,
    /// Whether later steps build on what it leaves.
    pub changes: bool,
    /// The exit code it ends with.
    pub ends: i32,
    /// A part of it with a time of its own: what it is called, and the query that gives its seconds.
    pub part: Option<(String, String)>,
    leaves: Vec<Leaves>,
}

impl Step {
    fn new(what: &str, of: Of, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let what = what.to_owned();
        Self { what, args, of, takes: None, changes: true, ends: 0, part: None, leaves: vec![] }
    }

    /// A question: it changes nothing that later steps build on.
    fn asks(what: &str, of: Of, args: &[&str], says: &str) -> Self {
        let args = [args, &["--now", ASKED_AT]].concat();
        let leaves = vec![Leaves::Said(says.to_owned())];
        Self { changes: false, leaves, ..Self::new(what, of, &args) }
    }

    fn leaves(mut self, query: &str, expected: u64) -> Self {
        self.leaves.push(Leaves::Stored(query.to_owned(), expected));
        self
    }

    /// How many rows it works on, in a store of so many partners.
    pub const fn worked_on(&self, partners: u64) -> u64 {
        match self.of {
            Of::File(rows) | Of::Rows(rows) => rows,
            Of::All | Of::One => partners,
        }
    }

    /// Where what it left is not what was asked for.
    pub async fn wrong(&self, place: &Place, code: Option<i32>) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        if code != Some(self.ends) {
            wrong.push(format!("{}: ended with {code:?}, not {}", self.what, self.ends));
        }
        for leaves in &self.leaves {
            match leaves {
                Leaves::Stored(query, expected) => {
                    let found = place.lines(query).await?;
                    if found != [expected.to_string()] {
                        wrong.push(format!("{}: {query} says {found:?}, not {expected}", self.what));
                    }
                }
                Leaves::Written(expected) => {
                    let text = fs::read(place.file(OUT))?;
                    let lines = text.split(|byte| *byte == b'\n').count();
                    if u64::try_from(lines)? != expected + 2 {
                        wrong.push(format!(
                            "{}: header and rows are {lines}, not {expected} and 2",
                            self.what
                        ));
                    }
                }
                Leaves::Said(words) => {
                    let said = String::from_utf8_lossy(&fs::read(place.said())?).into_owned();
                    if !said.contains(words.as_str()) {
                        let start: String = said.chars().take(400).collect();
                        wrong.push(format!("{}: says nothing of '{words}': {start}", self.what));
                    }
                }
            }
        }
        Ok(wrong)
    }
}

/// Where exports go.
const OUT: &str = "out.csv";
/// When questions are asked: after the night of the requests.
const ASKED_AT: &str = "2024-06-16T08:00:00Z";
/// The night of the requests, and when it runs.
const NIGHT: &str = "2024-06-15";
const AT_NIGHT: &str = "2024-06-16T02:30:00Z";

/// All of them, at one size; writes the files they need.
pub fn all(place: &Place, rows: u64) -> Result<Vec<Step>> {
    let folder = place.file("growth");
    fs::create_dir_all(&folder)?;
    let path = folder.join("rates.csv").display().to_string();
    let rates = cast::rates(folder.join("rates.csv").as_path(), rows)?;
    let mut steps = vec![import(place, "rates", &path, rates, KNOWN_ON).taking("rates")];
    for of in FILES.iter().take(8) {
        let (step, path, count) = of_file(place, of, rows, KNOWN_ON)?;
        if of.name == "entitlements" {
            let answers = place.file("answers").display().to_string();
            let args = ["import", &path, "--results", &answers, "--dry-run"];
            let said = format!("{count} ");
            steps.push(Step::asks("import entitlements --dry-run", Of::Rows(count), &args, &said));
        }
        steps.push(step);
        if of.name == "entitlements" {
            steps.extend(snapshot(&path, rows)?);
        }
    }
    for of in &MISTAKEN {
        let (step, path, count) = of_file(place, of, rows, KNOWN_ON)?;
        steps.push(step);
        steps.push(taken_back(&format!("import revert {}", of.kind()), &path, count));
    }
    steps.push(
        job("provision_credits", 6 * rows, "2024-06-13")
            .leaves("select count(*)::text from transfer where kind = 'credit_granted'", 5 * rows),
    );
    for of in FILES.iter().skip(8).chain([&CANCELLATIONS]) {
        steps.push(of_file(place, of, rows, ASKED_ON)?.0);
    }
    steps.extend(jobs(rows));
    steps.extend(EXPORTS.iter().map(|export| written(place, export, rows)));
    steps.extend(questions(rows));
    Ok(steps)
}

/// A full snapshot of all partners, which lacks a benefit of each: what it would end is said, then it is taken in, and taken
/// back.
fn snapshot(path: &str, partners: u64) -> Result<[Step; 3]> {
    let all = fs::read_to_string(path)?;
    let mut lines: Vec<&str> = all.lines().filter(|line| !line.contains(",advisory_hours,")).collect();
    let rows = lines.len() - 1;
    lines.push("");
    let whole = path.replace("entitlements.csv", "entitlements_whole.csv");
    fs::write(&whole, lines.join("\n"))?;
    let count = rows.to_string();
    let rows = Of::Rows(u64::try_from(rows)?);
    let args =
        ["import", &whole, "--dry-run", "--accept-ends", "--snapshot", "--as-of", ASKED_ON, "--rows", &count];
    let says = format!("ends what it lacks ({partners})");
    let tried = Step::asks("import entitlements --snapshot --dry-run", rows, &args, &says);
    let now = format!("{KNOWN_ON}T10:00:00Z");
    let of_file = ["import", &whole, "--accept-ends", "--snapshot", "--as-of", KNOWN_ON, "--rows", &count];
    let by = ["--by", "bench", "--why", "measured", "--now", &now];
    let missing = "select count(*)::text from entitlement where missing_by is not null";
    let taken = Step::new("import entitlements --snapshot", rows, &[&of_file[..], &by].concat());
    let back = taken_back("import revert snapshot", &whole, partners);
    Ok([tried, taken.leaves(missing, partners), back.leaves(missing, 0)])
}

/// The step that takes a file back of which so many rows did something.
fn taken_back(what: &str, path: &str, rows: u64) -> Step {
    let now = format!("{KNOWN_ON}T11:00:00Z");
    let args = ["import", "revert", path, "--by", "bench", "--why", "measured", "--now", &now];
    let name = path.rsplit('/').next().unwrap_or(path);
    let kept = format!(
        "select count(*)::text from taken_back t join file f using (file_id)
         where f.name = '{name}' and t.subject_kind <> 'order'"
    );
    Step::new(what, Of::Rows(rows), &args).leaves(&kept, rows)
}

/// The step that takes a file in, which it writes; where it is, and its rows.
fn of_file(place: &Place, of: &OfRows, rows: u64, on: &str) -> Result<(Step, String, u64)> {
    let (path, count) = of.write(&place.file("growth"), rows)?;
    let path = path.display().to_string();
    let column = if of.name.ends_with("_again") { "unchanged" } else { "applied" };
    let answered = format!("select {column}::text from file where name = '{}.csv'", of.name);
    let step = import(place, of.name, &path, count, on).taking(of.kind()).leaves(&answered, count);
    Ok((step, path, count))
}

fn import(place: &Place, name: &str, path: &str, rows: u64, on: &str) -> Step {
    let (answers, now) = (place.file("answers").display().to_string(), format!("{on}T10:00:00Z"));
    let args = ["import", path, "--results", &answers, "--now", &now];
    Step::new(&format!("import {}", name.replace('_', " ")), Of::File(rows), &args)
}

fn job(name: &str, rows: u64, on: &str) -> Step {
    let next = on.parse::<chrono::NaiveDate>().ok().and_then(|day| day.succ_opt());
    let now = format!("{}T02:30:00Z", next.map_or_else(String::new, |day| day.to_string()));
    Step::new(name, Of::Rows(rows), &["run", name, "--on", on, "--now", &now])
}

/// The jobs of a night in which each partner's credit was used, one order is cancelled, one renewed, and one ends: looked at
/// first, then run.
fn jobs(rows: u64) -> Vec<Step> {
    let count = |of: &str| format!("select count(*)::text from {of}");
    let orders = |status: &str| count(&format!("membership where status = '{status}'"));
    let queueing =
        "select extract(epoch from min(attempt.started_at) - (select min(queued_at) from mail))::float8::text
                    from attempt join run using (run_id) where job = 'email_contacts'";
    vec![
        Step {
            args: ["night", "--on", NIGHT, "--dry-run", "--now", AT_NIGHT].map(str::to_owned).into(),
            ..Step::asks("night --dry-run", Of::Rows(5 * rows), &[], "apply_cancellations")
        },
        job("import_entitlements", rows, NIGHT),
        job("apply_cancellations", rows, NIGHT).leaves(&orders("cancelled"), rows),
        job("expire_benefits", 2 * rows, NIGHT)
            .leaves(&orders("renewed"), rows)
            .leaves(&orders("expired"), rows),
        Step {
            what: "provision_credits, usage".to_owned(),
            ..job("provision_credits", rows, NIGHT)
                .leaves(&count("transfer where kind = 'credit_used'"), rows)
        },
        job("remind_contacts", rows, NIGHT)
            .leaves(&count("notice where kind = 'credit_about_to_lapse'"), rows),
        Step {
            part: Some(("email_contacts, queueing".to_owned(), queueing.to_owned())),
            ..job("email_contacts", rows, NIGHT).leaves(&count("mail where status = 'sent'"), rows)
        },
        job("export_entitlements", 8 * rows, NIGHT),
        job("email_operators", rows, NIGHT),
        Step::new("night, nothing due", Of::All, &["night", "--on", NIGHT, "--now", AT_NIGHT]),
    ]
}

/// The export of a kind: every row that was taken in, and what came of it.
fn written(place: &Place, export: &Export, rows: u64) -> Step {
    let count = match export.kind {
        "entitlements" | "decisions" => 8,
        "keys" => 3,
        "key_requests" | "service_requests" => 2,
        "ledger" => 13,
        "balances" => 5,
        _ => 1,
    };
    let out = place.file(OUT).display().to_string();
    let args = ["export", export.kind, "--out", &out];
    Step {
        changes: false,
        leaves: vec![Leaves::Written(count * rows)],
        ..Step::new(&format!("export {}", export.kind), Of::Rows(count * rows), &args)
    }
}

/// What people ask about one partner, one order, or all of it.
fn questions(rows: u64) -> Vec<Step> {
    let nth = rows / 2;
    let (partner, order) = ((4_000_000 + nth).to_string(), format!("A-{nth:012}"));
    let credit = format!("{order}/azure_monthly_credit");
    let (user, request) = (format!("user:id-{partner}@{partner}"), format!("request:H-{nth:012}@{partner}"));
    let one = |what: &str, args: &[&str], says: &str| Step::asks(what, Of::One, args, says);
    let (license, software) = ("license_subscription/office_365", "software/windows");
    let key = ["--partner", &partner, "--order", &order, "--benefit"];
    let removed = ["--benefit", "azure_monthly_credit", "--user", &format!("id-{partner}")];
    let by_name = ["request", "remove", "--partner-id", &partner, "--order-id", &order];
    vec![
        one("benefits of a partner", &["benefits", "--partner", &partner], "Azure"),
        one("explain a partner", &["explain", &partner], &order),
        one("explain an order", &["explain", &order], &order),
        one("explain an entitlement", &["explain", &credit], &order),
        one("explain a user", &["explain", &user], "ada@"),
        one("explain a request", &["explain", &request], "hours of advice"),
        one("explain a key", &["explain", "key:K1"], "K1"),
        one("keys preview", &[&["keys", "preview"], &key[..], &[license]].concat(), "Probably wanted"),
        one(
            "keys reveal, once more",
            &[&["keys", "reveal"], &key[..], &[software, "--key", &format!("K{}", 3 * nth + 1)]].concat(),
            &format!("WINDO-{nth:012}"),
        ),
        Step::asks("request of one row", Of::All, &[&by_name[..], &removed].concat(), ""),
        Step::asks("jobs list", Of::All, &["jobs", "list", "--state", "done"], "export_entitlements"),
        Step::asks("jobs show", Of::All, &["jobs", "show", "1.1"], "provision_credits"),
        Step::asks("rates list", Of::All, &["rates", "list"], "2024-06-13"),
        Step::asks("files", Of::All, &["files"], ""),
        Step::asks("requests list", Of::All, &["requests", "list"], ""),
        Step::asks("mail list", Of::All, &["mail", "list", "--state", "sent"], ""),
        Step::asks(
            "mail preview operator",
            Of::All,
            &["mail", "preview", "operator", "--date", NIGHT],
            "Subject: Night",
        ),
        Step::asks("suppressions list", Of::All, &["suppressions", "list"], ""),
        Step::asks("status", Of::All, &["status"], NIGHT),
        Step::asks("digest", Of::Rows(10 * rows), &["digest"], ""),
    ]
}

impl Step {
    fn taking(mut self, kind: &str) -> Self {
        self.takes = Kind::parse(kind);
        self
    }
}
