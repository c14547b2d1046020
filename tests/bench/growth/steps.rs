//! What is run, in order: files, nights' jobs, exports, questions.

use std::fs;

use anyhow::{Context as _, Result};
use benefactor::store::export::EXPORTS;

use super::cast::{self, ASKED_ON, CANCELLATIONS, FILES, KNOWN_ON};
use crate::place::Place;

/// What a step works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// So many rows of a file.
    File(u64),
    /// So many rows of the store.
    Rows(u64),
    /// One partner, order or row, however many there are.
    One,
}

/// One command, and what it is to leave.
pub struct Step {
    pub what: String,
    pub args: Vec<String>,
    pub of: Of,
    /// The exit code it ends with.
    pub ends: i32,
    /// Queries and the one value that each gives.
    pub leaves: Vec<(String, u64)>,
}

impl Step {
    fn new(what: &str, of: Of, args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { what: what.to_owned(), args, of, ends: 0, leaves: vec![] }
    }

    fn leaves(mut self, query: &str, expected: u64) -> Self {
        self.leaves.push((query.to_owned(), expected));
        self
    }
}

/// All of them, at one size; writes the files they need.
pub fn all(place: &Place, rows: u64) -> Result<Vec<Step>> {
    let mut steps = facts(place, rows)?;
    steps.push(
        job("provision_credits", 6 * rows, "2024-06-13")
            .leaves("select count(*)::text from transfer where kind = 'credit_granted'", 5 * rows),
    );
    steps.extend(requests(place, rows)?);
    steps.extend(jobs(rows));
    steps.extend(exports(place, rows)?);
    steps.extend(questions(rows));
    Ok(steps)
}

/// Partners, people and what they bought.
fn facts(place: &Place, rows: u64) -> Result<Vec<Step>> {
    let folder = place.file("growth");
    fs::create_dir_all(&folder)?;
    let path = folder.join("rates.csv");
    let rates = cast::rates(&path, rows)?;
    let mut steps = vec![import(place, "rates", &path.display().to_string(), rates, KNOWN_ON)];
    for of in FILES.iter().take(8) {
        let (path, count) = of.write(&folder, rows)?;
        let step = import(place, of.name, &path.display().to_string(), count, KNOWN_ON);
        let column = if of.name.ends_with("_again") { "unchanged" } else { "applied" };
        steps.push(step.leaves(&answered(of.name, column), count));
    }
    Ok(steps)
}

/// What people ask for.
fn requests(place: &Place, rows: u64) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for of in FILES.iter().skip(8).chain([&CANCELLATIONS]) {
        let (path, count) = of.write(&place.file("growth"), rows)?;
        let step = import(place, of.name, &path.display().to_string(), count, ASKED_ON);
        steps.push(step.leaves(&answered(of.name, "applied"), count));
    }
    Ok(steps)
}

fn answered(file: &str, column: &str) -> String {
    format!("select {column}::text from file where name = '{file}.csv'")
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

/// The jobs of a night in which each partner's credit was used, one order is cancelled, one renewed, and one ends.
fn jobs(rows: u64) -> Vec<Step> {
    let on = "2024-06-15";
    let count = |of: &str| format!("select count(*)::text from {of}");
    let orders = |status: &str| count(&format!("membership where status = '{status}'"));
    vec![
        job("import_entitlements", rows, on),
        job("apply_cancellations", rows, on).leaves(&orders("cancelled"), rows),
        job("expire_benefits", 2 * rows, on)
            .leaves(&orders("renewed"), rows)
            .leaves(&orders("expired"), rows),
        job("provision_credits", rows, on)
            .leaves(&count("transfer where kind = 'credit_used'"), rows)
            .renamed("provision_credits, usage"),
        job("remind_contacts", rows, on).leaves(&count("notice where kind = 'credit_about_to_lapse'"), rows),
        job("email_contacts", rows, on).leaves(&count("mail where status = 'sent'"), rows),
        job("export_entitlements", 8 * rows, on),
        Step {
            of: Of::One,
            ..Step::new(
                "night, nothing due",
                Of::One,
                &["night", "--on", on, "--now", "2024-06-16T02:30:00Z"],
            )
        },
    ]
}

/// Every kind that is written.
fn exports(place: &Place, rows: u64) -> Result<Vec<Step>> {
    let out = place.file("out.csv").display().to_string();
    let named =
        |kind: &str| Step::new(&format!("export {kind}"), Of::Rows(rows), &["export", kind, "--out", &out]);
    let exports = EXPORTS.iter().map(|export| named(export.kind)).collect::<Vec<_>>();
    (!exports.is_empty()).then_some(exports).context("no exports")
}

/// What people ask about one partner, one order, or all of it.
fn questions(rows: u64) -> Vec<Step> {
    let nth = rows / 2;
    let (partner, order) = ((4_000_000 + nth).to_string(), format!("A-{nth:012}"));
    let credit = format!("{order}/azure_monthly_credit");
    let (user, request) = (format!("user:id-{partner}@{partner}"), format!("request:H-{nth:012}@{partner}"));
    let one = |what: &str, args: &[&str]| {
        Step::new(what, Of::One, &[args, &["--now", "2024-06-16T08:00:00Z"]].concat())
    };
    let license = "license_subscription/office_365";
    vec![
        one("benefits of a partner", &["benefits", "--partner", &partner]),
        one("explain a partner", &["explain", &partner]),
        one("explain an order", &["explain", &order]),
        one("explain an entitlement", &["explain", &credit]),
        one("explain a user", &["explain", &user]),
        one("explain a request", &["explain", &request]),
        one("explain a key", &["explain", "key:K1"]),
        // The one key is redeemed by then: it is told so, as a refusal.
        Step {
            ends: 3,
            ..one(
                "keys preview",
                &["keys", "preview", "--partner", &partner, "--order", &order, "--benefit", license],
            )
        },
        one("jobs list", &["jobs", "list", "--state", "done"]),
        one("status", &["status"]),
        Step { of: Of::Rows(rows), ..one("digest", &["digest"]) },
        one(
            "request of one row",
            &[
                "request",
                "remove",
                "--partner-id",
                &partner,
                "--order-id",
                &order,
                "--benefit",
                "azure_monthly_credit",
                "--user",
                &format!("id-{partner}"),
            ],
        ),
    ]
}

impl Step {
    fn renamed(mut self, what: &str) -> Self {
        what.clone_into(&mut self.what);
        self
    }
}
