//! What nights came to; and of a rehearsal every effect, read before it is rolled back.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::output::print;
use crate::{
    domain::{
        language::Language,
        money::{Amount, Currency},
        reason::Reason,
    },
    jobs::{engine::night::Night, export_entitlements},
    store::{rehearsal, run::Counts},
};

/// Prints the nights and each effect: the same for the same facts.
pub(super) async fn tell(conn: &mut PgConnection, nights: &[Night], as_json: bool) -> anyhow::Result<()> {
    tell_nights(nights, as_json)?;
    let effects = rehearsal::effects(conn).await?;
    let lines = if as_json { effects.iter().map(Value::to_string).collect() } else { page(&effects) };
    lines.iter().try_for_each(|line| print(line))?;
    print(if as_json { "{\"dry_run\":true}" } else { "dry run: nothing was changed" })
}

/// Every effect, partner by partner and within a partner kind by kind, each with how many there are.
fn page(effects: &[Value]) -> Vec<String> {
    let mut partners = BTreeMap::<String, BTreeMap<&str, Vec<String>>>::new();
    let mut kinds = BTreeMap::<&str, usize>::new();
    for effect in effects {
        let kind = title(effect["effect"].as_str().unwrap_or_default());
        let of = partners.entry(word(effect, "partner_id")).or_default();
        of.entry(kind).or_default().extend(effect_lines(effect));
        *kinds.entry(kind).or_default() += 1;
    }
    let mut lines = Vec::new();
    if !kinds.is_empty() {
        let all: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let named = partners.keys().filter(|partner| partner.as_str() != NO_PARTNER).count();
        lines.push(format!("in all: partners {named}, {}", all.join(", ")));
    }
    for (partner, kinds) in partners {
        lines.push(if partner == NO_PARTNER { "operators".to_owned() } else { format!("partner {partner}") });
        for (kind, told) in kinds {
            lines.push(format!("  {kind}"));
            lines.extend(told);
        }
    }
    lines
}

/// How what is of no partner is grouped.
const NO_PARTNER: &str = "null";

/// How people call a kind of effect.
fn title(kind: &str) -> &str {
    match kind {
        "transfer" => "transfers",
        "decision" => "decisions",
        "ended" => "benefits that end",
        "mail" => "notices mailed",
        other => other,
    }
}

/// A field as a word.
fn word(effect: &Value, name: &str) -> String {
    match &effect[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One effect: what and when; of a decision the reasons as well.
fn effect_lines(effect: &Value) -> Vec<String> {
    let word = |name| word(effect, name);
    let line = match effect["effect"].as_str() {
        Some("transfer") => {
            let currency = effect["currency"].as_str().and_then(Currency::parse);
            let amount = currency.zip(effect["amount_minor"].as_i64());
            let amount = amount.map_or_else(
                || format!("{} {}", word("amount_minor"), word("currency")),
                |(currency, minor)| Amount::new(minor, currency).to_string(),
            );
            let correction = if effect["correction"] == true { ", a correction" } else { "" };
            format!(
                "{} {}: {} {amount} on {}, period from {}{correction}",
                word("order_id"),
                word("benefit"),
                word("kind"),
                word("effective_on"),
                word("period_from")
            )
        }
        Some("decision") => format!("{}: {} {}", word("subject"), word("action"), word("outcome")),
        Some("ended") => {
            format!("{} {}: {} on {}", word("order_id"), word("benefit"), word("as"), word("ended_on"))
        }
        _ => format!("{} of {} to {}", word("notice"), word("anchor_on"), word("recipient")),
    };
    let reasons: Vec<Reason> = serde_json::from_value(effect["reasons"].clone()).unwrap_or_default();
    let reasons = reasons.iter().map(|reason| format!("      {}", reason.sentence(Language::English)));
    [format!("    {line}")].into_iter().chain(reasons).collect()
}

/// Says what nights came to: a line a night, and in it a word a job that did anything.
pub(super) fn tell_nights(nights: &[Night], as_json: bool) -> anyhow::Result<()> {
    for night in nights {
        print(&if as_json { as_object(night).to_string() } else { as_line(night) })?;
    }
    Ok(())
}

fn as_object(night: &Night) -> Value {
    let of = |jobs: &[(&'static str, Counts)]| {
        let each = jobs.iter().map(|(job, c)| {
            ((*job).to_owned(), json!({"done": c.done, "refused": c.refused, "failed": c.failed}))
        });
        Value::Object(each.collect())
    };
    let mut told = json!({"night": night.due_on, "jobs": of(&night.jobs)});
    if !night.left_out.is_empty() {
        told["left_out"] = json!(night.left_out.len());
    }
    if let Some(again) = &night.again {
        told["complete_since"] = json!(again.complete_since);
        told["then"] = of(&again.then);
        told["now"] = of(&again.now);
    }
    told
}

fn as_line(night: &Night) -> String {
    let Some(again) = &night.again else {
        return format!("night of {}: {}{}", night.due_on, busy(&night.jobs), left_out(night));
    };
    // An export is written anew whenever its night is looked at: that is nothing that was left.
    let export = export_entitlements::JOB.name;
    let did = |exports: bool| {
        again.now.iter().any(|(job, c)| *c != Counts::default() && (*job == export) == exports)
    };
    let now = match (did(false), did(true)) {
        (false, false) => "nothing was left to do".to_owned(),
        (false, true) => "nothing was left to do, and its export was written again".to_owned(),
        (true, _) => format!("looked at again: {}", busy(&again.now)),
    };
    let since = again.complete_since.format("%F %H:%M UTC");
    format!(
        "night of {}: complete already since {since}, when it came to: {}; {now}{}",
        night.due_on,
        busy(&again.then),
        left_out(night)
    )
}

/// How much failed that the night went on past; what it was is told when all nights are done.
fn left_out(night: &Night) -> String {
    match night.left_out.len() {
        0 => String::new(),
        count => format!("; {count} failed and left out"),
    }
}

/// What jobs did, in a line.
fn busy(jobs: &[(&'static str, Counts)]) -> String {
    let busy: Vec<String> = jobs
        .iter()
        .filter(|(_, c)| *c != Counts::default())
        .map(|(job, c)| {
            let mut line = format!("{job} {}", c.done);
            if c.refused > 0 {
                let _ = write!(line, " ({} refused or waiting)", c.refused);
            }
            if c.failed > 0 {
                let _ = write!(line, " ({} failed)", c.failed);
            }
            line
        })
        .collect();
    if busy.is_empty() { "nothing was due".to_owned() } else { busy.join(", ") }
}
