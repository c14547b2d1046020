//! The summary as a page on a terminal, a hundred columns wide.

use std::{fmt::Write as _, io::IsTerminal, time::Duration};

use super::{cast, report::Report};
use crate::{
    domain::{
        benefit::Unit,
        language::Language,
        money::{Amount, Currency},
        naming,
        reason::Reason,
        texts::ReaderLanguage,
    },
    store::summary::{Answered, BookedInCurrency, PartnerSummary, Rejection},
};

const WIDTH: usize = 98;
/// Kinds of rejected rows that are shown in full.
const SHOWN: usize = 5;

/// The whole page, without the line end at its end.
pub(super) fn write(report: &Report, replaced: bool, took: Duration) -> String {
    let mut page = Page::new();
    if replaced {
        page.line(&format!("The earlier demo in {} was replaced.", report.dir.display()));
    }
    let nights = (report.to - report.from).num_days() + 1;
    page.head(&format!("{nights} nights in {:.1} seconds", took.as_secs_f64()));
    page.text(&format!(
        "From {} to {}, {} files with {} rows of {} invented partners were taken in, and every night did what was due.",
        report.from, report.to, report.files.files, spaced(report.files.rows), report.partners.len()
    ));
    credit(&mut page, report);
    partners(&mut page, report);
    refused(&mut page, report);
    answered(&mut page, report);
    rows(&mut page, report);
    mail(&mut page, report);
    books(&mut page, report);
    places(&mut page, report);
    page.out.trim_end().to_owned()
}

fn credit(page: &mut Page, report: &Report) {
    page.head("Credit");
    page.faint(&format!(
        "{:3} {:>4} {:>11} {:>10} {:>8} {:>11} {:>16} {:>11} {:>11}",
        "", "", "granted", "used", "beyond", "lapsed", "of it unassigned", "refunded", "left"
    ));
    for booked in &report.booked {
        page.line(&currency_line(booked));
    }
    let lost: i64 = report.booked.iter().map(|b| b.unassigned.entries).sum();
    let granted: i64 = report.booked.iter().map(|b| b.granted.entries).sum();
    let lapsed: i64 = report.booked.iter().map(|b| b.lapsed.entries).sum();
    page.text(&format!(
        "{granted} grants, {lapsed} lapses. {lost} of the lapses need not have been: nobody was assigned in the whole \
         period, and the contact was told each time."
    ));
    let unwarned: Vec<String> = report
        .unwarned
        .iter()
        .map(|lost| format!("{} {}", lost.currency, money(lost.minor, &lost.currency)))
        .collect();
    page.text(&match unwarned.as_slice() {
        [] => "Lost without a warning that named its value: 0.".to_owned(),
        lost => format!("Lost without a warning that named its value: {}.", lost.join(", ")),
    });
    for drawn in &report.drawn {
        let units = |count: i64| naming::units(drawn.unit, count, Language::English);
        let left = drawn.granted - drawn.used - drawn.lapsed;
        page.text(&format!(
            "{} of {}: {} drawn, {} lapsed, {} left.",
            units(drawn.granted),
            match drawn.unit {
                Unit::Hours => "advice",
                Unit::Incidents => "support",
            },
            units(drawn.used),
            units(drawn.lapsed),
            units(left)
        ));
    }
}

fn currency_line(booked: &BookedInCurrency) -> String {
    let money = |minor: i64| money(minor, &booked.currency);
    let or_dash = |minor: i64| if minor == 0 { "–".to_owned() } else { money(minor) };
    format!(
        "{:3} {:>3}× {:>11} {:>10} {:>8} {:>11} {:>16} {:>11} {:>11}",
        booked.currency,
        booked.granted.entries,
        money(booked.granted.minor),
        or_dash(booked.used.minor),
        or_dash(booked.overage.minor),
        or_dash(booked.lapsed.minor),
        or_dash(booked.unassigned.minor),
        or_dash(booked.reversed.minor),
        or_dash(booked.left_minor),
    )
}

fn partners(page: &mut Page, report: &Report) {
    page.head("Partners");
    let statuses = report.order_statuses.iter();
    let counts: Vec<String> =
        statuses.map(|(status, many)| format!("{many} {}", status.replace('_', " "))).collect();
    page.text(&format!("Orders at the end: {}.", counts.join(", ")));
    for partner in &report.partners {
        let name = padded(&partner.partner, 27);
        let caption = padded(cast::caption(&partner.partner_id), 43);
        page.line(&format!("{name} {caption} {}", standing(partner)));
    }
}

/// How its latest order stands, with the last usable day of one that ended: `expired after 2025-03-02`.
fn standing(partner: &PartnerSummary) -> String {
    let status = partner.status.as_deref().unwrap_or("no order").replace('_', " ");
    match partner.ended_on {
        Some(day) => format!("{status} after {day}"),
        None => status,
    }
}

fn refused(page: &mut Page, report: &Report) {
    page.head("Refunded, and refused");
    for refund in &report.refunds {
        let money = |minor| format!("{} {}", refund.currency, money(minor, &refund.currency));
        page.text(&format!(
            "{} asked to cancel in time: {} ended on {}. {} unspent are taken back, {} stay spent.",
            refund.partner,
            refund.order_id,
            refund.ended_on,
            money(refund.reversed_minor),
            money(refund.spent_minor)
        ));
    }
    for asked in report.asked.iter().filter(|asked| !asked.reasons.is_empty()) {
        let why: Vec<String> = asked.reasons.iter().map(said).collect();
        page.text(&format!(
            "{} asked to {} {}, on {}. No: {}",
            asked.partner,
            asked.action,
            asked.subject,
            asked.decided_on,
            why.join(" ")
        ));
    }
    for early in report.rejections.iter().filter(|rejection| rejection.problem.column == "renewed_on") {
        page.text(&format!(
            "{} line {} asked to renew, on {}. No: {}",
            early.file,
            early.line,
            early.problem.value,
            said(&early.problem.reason)
        ));
    }
}

/// How many requests about benefits there were, and some of them with their answers.
fn answered(page: &mut Page, report: &Report) {
    page.head("Asked for, and answered");
    let yes = report.answered.iter().filter(|request| request.accepted).count();
    page.text(&format!(
        "{} requests about benefits, {yes} of them granted. Among them:",
        report.answered.len()
    ));
    for (partner_id, date, action, no) in cast::ANSWERS {
        let request = report.answered.iter().find(|request| {
            let of_day = request.partner_id == *partner_id && request.decided_on.to_string() == *date;
            let refused = no.map_or(request.accepted, |no| request.said.iter().any(|why| why.code() == no));
            of_day && request.action == *action && refused
        });
        let Some(request) = request else { continue };
        let said: Vec<String> = request.said.iter().map(said).collect();
        let who = mailbox(&request.requested_by);
        let text = format!(
            "{}, {}: {who} asks to {}. {}",
            request.decided_on,
            request.partner,
            wish(request),
            said.join(" ")
        );
        page.item(if request.accepted { "yes" } else { "no" }, text.trim_end());
    }
}

/// A user principal name without its domain, which its partner tells.
fn mailbox(name: &str) -> &str {
    name.split_once('@').map_or(name, |(mailbox, _)| mailbox)
}

/// What was asked for: `assign Visual Studio subscription to noa`.
fn wish(request: &Answered) -> String {
    let told = |name: &str| request.content.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let person = |name| mailbox(told(name)).to_owned();
    let benefit = request
        .subject
        .split_once('/')
        .map_or_else(String::new, |(_, code)| naming::benefit(code, Language::English));
    match request.action.as_str() {
        "assign" => format!("assign {benefit} to {}", person("user")),
        "transfer" | "reassign" => {
            format!("pass {benefit} from {} to {}", person("user"), person("to_user"))
        }
        "redeem" => match told("mode") {
            "add_seats" => format!("redeem a key of {benefit} to add its seats"),
            "extend" => format!("redeem a key of {benefit} to extend it"),
            _ => format!("redeem a key of {benefit}"),
        },
        "reveal" => format!("see a key of {benefit}"),
        "activate" => format!("activate {benefit}"),
        "advisory_hours" => {
            let minutes = request.content.get("minutes").and_then(serde_json::Value::as_i64).unwrap_or(0);
            format!("draw {} of advice", naming::units(Unit::Hours, minutes, Language::English))
        }
        "product_support" | "cloud_support" => {
            format!("be helped with {} {}", told("product"), told("product_version"))
        }
        other => format!("{other} {benefit}"),
    }
}

fn said(reason: &Reason) -> String {
    reason.sentence(Language::English)
}

fn rows(page: &mut Page, report: &Report) {
    page.head("Rows of files");
    let files = report.files;
    page.text(&format!(
        "{} of {} rows were refused, each with its reason in the answer to its file, and {} waits for the operator. \
         The other rows of the same files went in. For example:",
        files.rejected, spaced(files.rows), files.waiting
    ));
    let (shown, others) = report.rejections.split_at(report.rejections.len().min(SHOWN));
    for rejection in shown {
        page.item(&format!("{:>3}×", rejection.rows), &example(rejection));
    }
    let codes: Vec<&str> = others.iter().map(|rejection| rejection.code.as_str()).collect();
    if !codes.is_empty() {
        page.item("", &format!("and {} other reasons: {}", codes.len(), codes.join(", ")));
    }
}

fn example(rejection: &Rejection) -> String {
    let problem = &rejection.problem;
    let place = format!("{} line {}", rejection.file, rejection.line);
    let cell = match (problem.column.is_empty(), problem.value.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!(", {}", problem.column),
        (false, false) => format!(", {} '{}'", problem.column, problem.value),
    };
    format!("{place}{cell}: {}", said(&problem.reason))
}

fn mail(page: &mut Page, report: &Report) {
    page.head("Mail");
    let of = |language: ReaderLanguage| -> i64 {
        let in_it =
            report.mails.languages.iter().filter(|(tag, _)| ReaderLanguage::matching(tag) == language);
        in_it.map(|(_, mails)| mails).sum()
    };
    page.text(&format!(
        "{} mails to {} addresses, of each stream at most one a day: {} in English, {} in Swedish, {} in German. What they say:",
        report.mails.sent,
        report.mails.recipients,
        of(ReaderLanguage::English),
        of(ReaderLanguage::Swedish),
        of(ReaderLanguage::German)
    ));
    let kinds: Vec<String> = report
        .mails
        .notices
        .iter()
        .map(|(kind, many)| format!("{many} {}", kind.replace('_', " ")))
        .collect();
    page.item("", &kinds.join(", "));
    for sample in &report.samples {
        page.item(
            "",
            &format!("“{}”, to {} after the night of {}", sample.subject, sample.recipient, sample.day),
        );
    }
}

fn books(page: &mut Page, report: &Report) {
    page.head("Books");
    let proof = report.proof;
    let claims = [
        (
            proof.unbalanced,
            "periods do not sum to zero over their accounts",
            "the accounts of every period sum to zero",
        ),
        (proof.overdrawn, "periods are overdrawn", "none is overdrawn"),
        (
            proof.astray,
            "entitlements differ between ledger and schedule",
            "ledger and schedule agree on what is open",
        ),
        (proof.unclosed, "ended benefits have credit left", "what has ended has nothing left"),
    ];
    let wrong: Vec<String> = claims
        .iter()
        .filter(|(many, ..)| *many > 0)
        .map(|(many, wrong, _)| format!("{many} {wrong}"))
        .collect();
    let right: Vec<&str> = claims.iter().map(|(.., right)| *right).collect();
    let verdict = if wrong.is_empty() { right.join("; ") } else { wrong.join("; ") };
    page.text(&format!(
        "{} ledger entries in {} periods. Reckoned again from them: {verdict}.",
        proof.entries, proof.periods
    ));
    page.item("", &format!("digest {}", report.digest));
}

fn places(page: &mut Page, report: &Report) {
    page.head("Where it is");
    let dir = report.dir.display();
    for (what, place) in [
        (format!("{} mails", report.outbox), format!("{dir}/outbox")),
        (format!("{} answers", report.answers), format!("{dir}/answers")),
        (format!("{} exports", report.exports), format!("{dir}/exports")),
        ("the files".to_owned(), format!("{dir}/drop")),
        (
            "the store".to_owned(),
            format!("{}   (a Postgres that has stopped; commands start it again)", report.store.display()),
        ),
    ] {
        page.line(&format!("{what:<12} {place}"));
    }
    page.head("What to try next");
    for sample in report.samples.iter().take(1) {
        page.line(&format!("cat {}", sample.path.display()));
    }
    let program = std::env::args().next().unwrap_or_else(|| "benefactor".to_owned());
    for rest in [
        "explain MPN-240131-101",
        "--now 2025-04-02 status",
        "export ledger --out ledger.csv",
        "db psql -- -c 'select * from report.balance'",
        "--now 2025-04-02 night --dry-run",
        "--now 2025-03-31 benefits --partner 4100119",
        "--now 2025-03-31 keys preview --partner 4100119 --order MPN-240301-119 \
         --benefit license_subscription/office_365",
        "digest --on 2024-12-31",
    ] {
        page.line(&format!("{program} --data-dir {dir} {rest}"));
    }
}

/// An amount without its currency: `1,234.50`.
fn money(minor: i64, currency: &str) -> String {
    let Some(currency) = Currency::stored(currency) else { return minor.to_string() };
    let written = Amount::new(minor, currency).to_string();
    written.split_once(' ').map_or(written.clone(), |(_, number)| number.to_owned())
}

/// Thousands apart.
fn spaced(number: i64) -> String {
    Currency::stored("JPY").map_or_else(|| number.to_string(), |_| money(number, "JPY"))
}

/// Filled with blanks to a width in characters, cut where it is longer.
fn padded(text: &str, width: usize) -> String {
    let cut: String = text.chars().take(width).collect();
    let blanks = width - cut.chars().count();
    cut + &" ".repeat(blanks)
}

/// A page being written.
struct Page {
    out: String,
    /// With bold headings.
    styled: bool,
}

impl Page {
    fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { out: String::new(), styled: !plain && std::io::stdout().is_terminal() }
    }

    fn style(&self, code: &str, text: &str) -> String {
        if self.styled { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn head(&mut self, text: &str) {
        let text = self.style("1", text);
        let _ = writeln!(self.out, "\n{text}");
    }

    fn faint(&mut self, text: &str) {
        let text = self.style("2", text);
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "  {}", text.trim_end());
    }

    fn text(&mut self, text: &str) {
        self.wrapped("  ", "  ", text);
    }

    fn item(&mut self, mark: &str, text: &str) {
        let mark = format!("  {mark:>4} ");
        self.wrapped(&mark, &" ".repeat(mark.chars().count()), text);
    }

    /// Breaks at blanks; no-break spaces hold.
    fn wrapped(&mut self, first: &str, then: &str, text: &str) {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                let _ = writeln!(self.out, "{}", line.trim_end());
                then.clone_into(&mut line);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_broken_at_blanks_and_hangs_under_its_mark() {
        let mut page = Page { out: String::new(), styled: false };
        page.item("3×", &"word ".repeat(30));
        let lines: Vec<&str> = page.out.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("    3× word word"));
        assert!(lines[1].starts_with("       word"));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn money_has_the_places_of_its_currency() {
        assert_eq!(money(123_450, "SEK"), "1,234.50");
        assert_eq!(money(15_076, "JPY"), "15,076");
        assert_eq!(spaced(1234), "1,234");
    }
}
