//! `reasons`: every code that a decision or an answer can have, with its sentences (D13).

use serde_json::{Value, json};

use super::super::{Exit, print};
use crate::{
    domain::{
        language::Language,
        reason::Earliest,
        sentence::samples::{Said, Sample, samples},
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
    let width = samples.iter().map(|sample| sample.reason.code().len()).max().unwrap_or(0);
    for sample in &samples {
        let code = sample.reason.code();
        let rules = if sample.rules.is_empty() { "-" } else { sample.rules };
        print(&format!("{code:<width$}  {rules:<6}  {}", becomes(sample)))?;
        for language in [Language::English, Language::Swedish] {
            print(&format!("    {}", sample.reason.sentence(language)))?;
        }
    }
    Ok(Exit::Done)
}

/// When it becomes a yes, where it is said of a no.
fn becomes(sample: &Sample) -> &'static str {
    match (sample.said, sample.reason.earliest()) {
        (Said::Remark, _) => "said of a yes",
        (Said::Waiting, _) => "waits",
        (Said::Refusal, Earliest::Never) => "never",
        (Said::Refusal, Earliest::On(_)) => "from a date",
        (Said::Refusal, Earliest::WhenCorrected) => "once corrected",
    }
}

fn in_json(sample: &Sample) -> Value {
    let rules: Vec<&str> = sample.rules.split(", ").filter(|rule| !rule.is_empty()).collect();
    json!({
        "code": sample.reason.code(), "rules": rules, "becomes_a_yes": becomes(sample),
        "en": sample.reason.sentence(Language::English), "sv": sample.reason.sentence(Language::Swedish),
        "sample": sample.reason,
    })
}
