//! Whether timetables, policies, the catalogue and the mail templates are right; needs no database.

use serde::Serialize;

use crate::{domain::catalogue::Catalogue, mail::check_templates};

/// What the jobs run on, as it was read.
#[derive(Clone, Debug)]
pub struct FactsRead {
    /// The files, by their names in the configuration folder.
    pub files: Vec<String>,
    /// Those that replace what is compiled in.
    pub replaced: Vec<String>,
    /// `None` with findings.
    pub catalogue: Option<Catalogue>,
    /// What is right and may surprise.
    pub notes: Vec<String>,
    /// What is wrong, a line each.
    pub findings: Vec<String>,
}

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

/// Checks what was read of the configuration folder, and of what is compiled in where it holds nothing, and the mail
/// templates.
///
/// # Errors
/// Everything that is wrong.
pub fn check(read: FactsRead) -> Result<Checked, Findings> {
    let FactsRead { files, replaced, catalogue, notes, mut findings } = read;
    findings.extend(check_templates().err().map(|error| format!("mail template {error}")));
    let (Some(catalogue), true) = (catalogue, findings.is_empty()) else {
        return Err(Findings { findings });
    };
    Ok(Checked {
        checked: files,
        replaced,
        mail_templates: "all",
        findings: [],
        notes,
        benefits: catalogue.entries().len(),
        products: catalogue.products().len(),
    })
}
