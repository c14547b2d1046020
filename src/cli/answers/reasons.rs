//! `reasons`: every code that a decision or an answer can have, with its sentences (D13).

use serde_json::{Value, json};

use super::super::{Exit, print};
use crate::{
    domain::{
        language::Language,
        reason::{Reason, samples},
    },
    settings::Settings,
};

pub(crate) const EXAMPLE: &str = "\
Examples:
  benefactor reasons | less
  benefactor reasons --json | jq -r '.[] | [.code, .sv] | @tsv'
Dates, figures and names in the sentences are samples.";

pub(crate) fn run_reasons(settings: &Settings) -> anyhow::Result<Exit> {
    let samples = samples();
    if settings.json {
        let list: Vec<Value> = samples.iter().map(in_json).collect();
        print(&Value::from(list).to_string())?;
        return Ok(Exit::Done);
    }
    let width = samples.iter().map(|reason| reason.code().len()).max().unwrap_or(0);
    for reason in &samples {
        let (code, told) = (reason.code(), reason.told());
        let rules = if told.rules.is_empty() { "-" } else { told.rules };
        print(&format!("{code:<width$}  {rules:<6}  {}", told.becomes_a_yes()))?;
        for language in [Language::English, Language::Swedish] {
            print(&format!("    {}", reason.sentence(language)))?;
        }
    }
    Ok(Exit::Done)
}

fn in_json(reason: &Reason) -> Value {
    let told = reason.told();
    let rules: Vec<&str> = told.rules.split(", ").filter(|rule| !rule.is_empty()).collect();
    json!({
        "code": reason.code(), "rules": rules, "becomes_a_yes": told.becomes_a_yes(),
        "en": reason.sentence(Language::English), "sv": reason.sentence(Language::Swedish), "sample": reason,
    })
}
