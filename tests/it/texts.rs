//! The texts beside the code, against the code: what they list is there, and what is there is listed.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use benefactor::domain::{
    language::Language::{English, Swedish},
    reason::{Reason, samples},
};

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn read(below: &str) -> String {
    fs::read_to_string(root(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
}

/// Holds the table that follows `header` in the text `below` to `rows`; with `REWRITE=1` in the environment it is
/// written anew instead.
fn is_current(below: &str, header: &str, rows: &[String], filter: &str) {
    let text = read(below);
    let (before, after) = text.split_once(header).unwrap_or_else(|| panic!("{below} has no table {header}"));
    let written: Vec<&str> = after.lines().take_while(|line| line.starts_with('|')).collect();
    if env::var_os("REWRITE").is_some() {
        let rest: Vec<&str> = after.split('\n').skip(written.len()).collect();
        let table = rows.iter().map(String::as_str).chain(rest).collect::<Vec<_>>().join("\n");
        fs::write(root(below), format!("{before}{header}{table}")).unwrap();
        return;
    }
    let same = written.iter().copied().eq(rows.iter().map(String::as_str));
    let differs = rows.iter().filter(|row| !written.contains(&row.as_str())).collect::<Vec<_>>();
    assert!(
        same,
        "{below} is not current; `REWRITE=1 cargo test --test it {filter}` writes it anew: {differs:#?}"
    );
}

#[test]
fn d13_reasons_md_is_current() {
    let row = |reason: &Reason| {
        let (told, en, sv) = (reason.told(), reason.sentence(English), reason.sentence(Swedish));
        format!("| `{}` | {} | {} | {en} | {sv} |", reason.code(), told.rules, told.becomes_a_yes())
    };
    let rows: Vec<String> = samples().iter().map(row).collect();
    let header = "| code | rule | when a yes | English | Swedish |\n|---|---|---|---|---|\n";
    is_current("src/domain/REASONS.md", header, &rows, "reasons_md");
}

/// The name of a reason's variant: `RefundBlocked` of `refund_blocked`.
fn variant(code: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    code.split('_').map(capital).collect()
}

/// How often `word` stands in `text` as a whole word.
fn count(text: &str, word: &str) -> usize {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole =
        |at: &usize| !part(text[..*at].chars().next_back()) && !part(text[at + word.len()..].chars().next());
    text.match_indices(word).map(|(at, _)| at).filter(whole).count()
}

/// The places a reason takes: its variant, a line that leads to its subject, and there a function and a sample.
#[test]
fn d13_a_reason_is_its_variant_a_line_and_one_place_in_its_subject() {
    let (declared, told) = (read("src/domain/reason.rs"), read("src/domain/reason/told.rs"));
    let subjects: Vec<String> = fs::read_dir(root("src/domain/reason"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|stem| !["told", "tests", "expected"].contains(&stem.as_str()))
        .map(|stem| read(&format!("src/domain/reason/{stem}.rs")))
        .collect();
    for reason in samples() {
        let (code, variant) = (reason.code(), variant(reason.code()));
        assert_eq!(count(&declared, &variant), 1, "{variant} in src/domain/reason.rs");
        assert_eq!(count(&told, &format!("Self::{variant}")), 1, "{variant} in src/domain/reason/told.rs");
        let of: Vec<&String> =
            subjects.iter().filter(|text| count(text, &format!("fn {code}")) > 0).collect();
        assert_eq!(of.len(), 1, "`fn {code}` in one file of src/domain/reason/");
        assert_eq!(
            count(of[0], &format!("Reason::{variant}")),
            1,
            "the sample of {code} beside its function"
        );
    }
    for told in &subjects {
        assert!(!told.contains("_ =>"), "nothing is told of whatever else there is: {told}");
    }
    assert!(!told.contains("_ =>"), "the compiler finds what is missing");
}
