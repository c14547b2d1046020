//! Whether timetables, policies, the catalogue and the mail templates are right; needs no database.

use std::path::Path;

use serde::Serialize;

use super::facts::{self, CATALOGUE, Facts};
use crate::{domain::policy::BUILT_IN, mail::check_templates};

/// What was looked at; nothing of it is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The files, by their names in the configuration folder.
    pub checked: Vec<String>,
    /// Those that replace what is compiled in.
    pub replaced: Vec<String>,
    /// Which mail templates: `all`.
    pub mail_templates: &'static str,
    /// What is wrong: nothing.
    pub findings: [String; 0],
    /// What is right and may surprise.
    pub notes: Vec<String>,
    /// Benefits in the catalogue.
    #[serde(skip)]
    pub benefits: usize,
    /// Products in the catalogue.
    #[serde(skip)]
    pub products: usize,
}

/// What is wrong, a line each.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// `path:line: key = value: what to do`.
    pub findings: Vec<String>,
}

/// Checks what the configuration folder holds, and what is compiled in where it holds nothing.
///
/// # Errors
/// Everything that is wrong.
pub fn check(folder: Option<&Path>) -> Result<Checked, Findings> {
    let Facts { policies, catalogue, replaced, mut findings, .. } = facts::read(folder);
    findings.extend(check_templates().err().map(|error| format!("mail template {error}")));
    let (Some(policies), Some(catalogue), true) = (policies, catalogue, findings.is_empty()) else {
        return Err(Findings { findings });
    };
    let files = BUILT_IN.iter().map(|(stem, _)| format!("jobs/{stem}.toml"));
    let notes = policies.provision_credits.policy.notes();
    Ok(Checked {
        checked: files.chain([CATALOGUE.to_owned()]).collect(),
        replaced,
        mail_templates: "all",
        findings: [],
        notes: notes.iter().map(|note| format!("jobs/provision_credits.toml: {note}")).collect(),
        benefits: catalogue.entries().len(),
        products: catalogue.products().len(),
    })
}
