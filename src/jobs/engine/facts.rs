//! What jobs run on, policies and catalogue: compiled in, each file replaced by the one of that name in the configuration
//! folder.

use std::{
    fs,
    io::ErrorKind::{NotADirectory, NotFound},
    path::Path,
};

use crate::{
    domain::{
        catalogue::{self, Catalogue},
        finding::Finding,
    },
    jobs::policy::{self, Policies, file},
};

/// The name of the catalogue's file.
pub const CATALOGUE: &str = "catalogue.toml";

/// What was read, and all that is wrong with it.
#[derive(Debug)]
pub struct Configuration {
    /// `None` with findings.
    pub policies: Option<Policies>,
    /// `None` with findings.
    pub catalogue: Option<Catalogue>,
    /// The catalogue's text.
    pub text: String,
    /// Names of the files, relative to the configuration folder, that replace what is compiled in.
    pub replaced: Vec<String>,
    /// What is wrong, a line each: `path:line: key = value: what to do`.
    pub findings: Vec<String>,
}

impl Configuration {
    /// The names of all files, relative to the configuration folder.
    #[must_use]
    pub fn files() -> Vec<String> {
        policy::BUILT_IN.iter().map(|(stem, _)| file::file(stem)).chain([CATALOGUE.to_owned()]).collect()
    }
}

/// Reads everything, so that everything that is wrong is told at once.
#[must_use]
pub fn read(folder: Option<&Path>) -> Configuration {
    let (mut replaced, mut findings) = (Vec::new(), Vec::new());
    if let Some(folder) = folder {
        findings.extend(strange(folder));
    }
    let mut own = |name: String| match folder.map_or(Ok(None), |folder| text_of(folder, &name)) {
        Ok(text) => {
            replaced.extend(text.is_some().then_some(name));
            text
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let stems = policy::BUILT_IN.map(|(stem, _)| (stem, own(file::file(stem))));
    let text = own(CATALOGUE.to_owned()).unwrap_or_else(|| catalogue::BUILT_IN.to_owned());
    let of_stem = |stem: &str| stems.iter().find(|(own, _)| *own == stem).and_then(|(_, text)| text.clone());
    let policies =
        Policies::parse(of_stem).map_err(|wrong| findings.extend(wrong.iter().map(Finding::to_string))).ok();
    let catalogue = Catalogue::parse(&text)
        .map_err(|wrong| findings.extend(wrong.iter().map(|line| in_catalogue(line))))
        .ok();
    if let Some(folder) = folder {
        findings = findings.into_iter().map(|finding| addressed(folder, finding)).collect();
    }
    Configuration { policies, catalogue, text, replaced, findings }
}

/// A finding about a file of the folder, under the path that opens it from here.
fn addressed(folder: &Path, finding: String) -> String {
    let name = finding.split(':').next().unwrap_or_default();
    let is_there = !name.is_empty() && fs::symlink_metadata(folder.join(name)).is_ok();
    if is_there { folder.join(&finding).display().to_string() } else { finding }
}

/// The text of a file, if it is there; a finding if it is there and cannot be read.
fn text_of(folder: &Path, name: &str) -> Result<Option<String>, String> {
    let path = folder.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        // A link that leads nowhere is there.
        Err(error) if error.kind() == NotFound && fs::symlink_metadata(&path).is_err() => Ok(None),
        Err(error) if error.kind() == NotADirectory => Ok(None), // told of the folder
        Err(error) => Err(format!("{name}: cannot be read ({error}): make it readable, or take it away")),
    }
}

/// What of the folder would otherwise be passed over in silence.
fn strange(folder: &Path) -> Vec<String> {
    if !folder.is_dir() {
        return vec![format!(
            "{}: is no folder: make it, or take --config-dir (BENEFACTOR_CONFIG_DIR) away",
            folder.display()
        )];
    }
    let known = policy::BUILT_IN.map(|(stem, _)| stem);
    let entries = match fs::read_dir(folder.join("jobs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == NotFound => return vec![],
        Err(error) => return vec![format!("jobs: cannot be read ({error}): make it a readable folder")],
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut findings: Vec<String> = names
        .filter(|name| name.strip_suffix(".toml").is_some_and(|stem| !known.contains(&stem)))
        .map(|name| format!("jobs/{name}: there is no such job: name it after one of {}", known.join(", ")))
        .collect();
    findings.sort();
    findings
}

/// `line 12: …` as `catalogue.toml:12: …`.
fn in_catalogue(problem: &str) -> String {
    let at_line = problem.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    match at_line {
        Some((line, rest)) if line.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{CATALOGUE}:{line}: {rest}")
        }
        _ => format!("{CATALOGUE}: {problem}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_that_is_there_and_cannot_be_read_is_told_and_one_that_is_not_is_not_missed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(Some(folder.path())).findings, Vec::<String>::new());
        assert_eq!(read(None).findings, Vec::<String>::new());
        let jobs = folder.path().join("jobs");
        fs::create_dir(&jobs).unwrap();
        symlink("/nonexistent", jobs.join("expire_benefits.toml")).unwrap();
        fs::create_dir(folder.path().join("catalogue.toml")).unwrap();
        fs::write(jobs.join("email_contacts.toml"), b"\xff\xfe").unwrap();
        fs::write(jobs.join("expire_benefit.toml"), "").unwrap();
        let under = format!("{}/", folder.path().display());
        let findings = read(Some(folder.path())).findings;
        let findings: Vec<&str> = findings.iter().map(|one| one.strip_prefix(&under).unwrap()).collect();
        let starts =
            ["jobs/expire_benefit.toml: there is no such job", "jobs/expire_benefits.toml: cannot be read"];
        assert!(findings[0].starts_with(starts[0]) && findings[1].starts_with(starts[1]), "{findings:#?}");
        assert!(findings[2].starts_with("jobs/email_contacts.toml: cannot be read"), "{findings:#?}");
        assert!(findings[3].starts_with("catalogue.toml: cannot be read"), "{findings:#?}");
        assert_eq!(findings.len(), 4);
        assert!(read(Some(&folder.path().join("none"))).findings[0].contains("is no folder"));
    }

    #[test]
    fn a_file_of_the_folder_replaces_what_is_compiled_in_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("jobs")).unwrap();
        let (stem, text) = policy::BUILT_IN[2];
        let longer = text.replace("grace_days = 30", "grace_days = 40");
        fs::write(folder.path().join(format!("jobs/{stem}.toml")), longer).unwrap();
        let facts = read(Some(folder.path()));
        assert_eq!(facts.replaced, ["jobs/expire_benefits.toml"]);
        assert_eq!(facts.policies.unwrap().expire_benefits.policy.grace_days, 40);
        assert_eq!(in_catalogue("line 3: no"), "catalogue.toml:3: no");
    }
}
