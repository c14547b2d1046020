//! `reasons`: every code that a decision or an answer can have, with its sentences (D13).

use super::{
    exit::Exit,
    output::{print, print_json},
};
use crate::{answers::reasons, settings::Settings};

pub(super) const EXAMPLE: &str = "\
Examples:
  benefactor reasons | less
  benefactor reasons --json | jq -r '.[] | [.code, .sv] | @tsv'
Dates, figures and names in the sentences are samples.";

pub(super) fn run_reasons(settings: &Settings) -> anyhow::Result<Exit> {
    let all = reasons::all();
    if settings.json {
        print_json(&all)?;
        return Ok(Exit::Done);
    }
    let width = all.iter().map(|reason| reason.code.len()).max().unwrap_or(0);
    for reason in &all {
        let rules = if reason.rules.is_empty() { "-".to_owned() } else { reason.rules.join(", ") };
        print(&format!("{:<width$}  {rules:<6}  {}", reason.code, reason.becomes_a_yes))?;
        print(&format!("    {}", reason.en))?;
        print(&format!("    {}", reason.sv))?;
    }
    Ok(Exit::Done)
}
