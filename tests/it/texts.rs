//! The texts beside the code, against the code: what they list is there, and what is there is listed.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use benefactor::{
    domain::{
        kinds::{
            Kind,
            schema::{Column, RowMeaning, Type},
        },
        language::Language::{English, Swedish},
        reason::{Reason, samples},
    },
    files::{
        portal::{Becomes, Portal},
        portals,
    },
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

/// What the cells of a column hold.
fn in_words(of: Type) -> String {
    let one_of = |words: &[&str]| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match of {
        Type::PartnerId => "up to 20 digits".to_owned(),
        Type::Id => "text without spaces, at most 200 bytes".to_owned(),
        Type::GuidOrId => "a GUID, or other text without spaces, at most 200 bytes".to_owned(),
        Type::User => "an object id or a sign-in name, without spaces, at most 200 bytes".to_owned(),
        Type::SignInName => "a sign-in name, `name@domain`".to_owned(),
        Type::Text(most) => format!("text, at most {most} characters"),
        Type::Count(most) => format!("a whole number from 1 to {most}"),
        Type::Quantity => "a whole number from 0 to 999999999; of cloud support also `unlimited`".to_owned(),
        Type::Url(most) => format!("an address beginning with `https://`, at most {most} bytes"),
        Type::SomeOf(words, _) => format!("one or several, joined by `+`, of {}", one_of(words)),
        Type::OneOf(words, _) => format!("one of {}", one_of(words)),
        Type::Guid
        | Type::Email
        | Type::Phone
        | Type::Language
        | Type::Country
        | Type::Currency
        | Type::Date
        | Type::Instant
        | Type::Amount
        | Type::Hours
        | Type::Rate
        | Type::Flag
        | Type::Key
        | Type::KeyRef
        | Type::Benefit => of.expected().phrase(English).to_owned(),
    }
}

/// Whether a file must have a column, and a row a cell.
fn must(column: &Column) -> &'static str {
    match (column.required, column.may_be_empty) {
        (true, false) => "required",
        (true, true) => "required, may be empty",
        (false, _) => "optional",
    }
}

/// A kind of file, for people.
fn of_kind(kind: Kind) -> String {
    let schema = kind.schema();
    let rows = match schema.facts {
        RowMeaning::State => "A row says how something is; rows of one key that differ are rejected.",
        RowMeaning::Event => "A row says what happened.",
        RowMeaning::Request => "A row asks for something.",
    };
    let mut text = format!("### `{kind}`\n\n{}. {rows}", schema.about);
    if schema.currencies {
        text += " Every other column is a currency, named by its ISO 4217 code.";
    }
    let asks: Vec<String> = schema.asks.iter().map(|ask| format!("`request {}`", ask.name)).collect();
    if !asks.is_empty() {
        write!(text, " By command: {}.", asks.join(", ")).unwrap();
    }
    text += "\n\n| column | | holds | says |\n|---|---|---|---|\n";
    for column in schema.columns {
        let marks = [must(column)].into_iter().chain(column.key.then_some("*key*"));
        let marks: Vec<&str> = marks.chain(column.secret.then_some("*secret*")).collect();
        let (name, holds) = (column.name, in_words(column.of));
        writeln!(text, "| `{name}` | {} | {holds} | {} |", marks.join(", "), column.help).unwrap();
    }
    let header: Vec<&str> = schema.columns.iter().map(|column| column.name).collect();
    text + &format!("\n```csv\n{}\n{}\n```\n", header.join(","), schema.examples.join("\n"))
}

#[test]
fn d16_formats_md_is_current() {
    let (below, first) = ("src/files/FORMATS.md", format!("### `{}`\n", Kind::ALL[0]));
    let text = read(below);
    let prose = text.split_once(&first).map_or(text.as_str(), |(prose, _)| prose);
    let current = Kind::ALL.iter().map(|kind| of_kind(*kind)).collect::<Vec<_>>().join("\n");
    let current = format!("{prose}{current}");
    if env::var_os("REWRITE").is_some() {
        fs::write(root(below), current).unwrap();
        return;
    }
    let lines = current.lines().filter(|line| !text.contains(line)).collect::<Vec<_>>();
    assert!(
        text == current,
        "{below} is not current; `REWRITE=1 cargo test --test it formats_md` writes it anew: {lines:#?}"
    );
}

#[test]
fn f5_the_table_of_portals_is_current() {
    let row = |portal: &&Portal| {
        let needs = portal.reads.iter().filter(|column| column.needed);
        let needs = needs.map(|column| {
            let names: Vec<String> = column.names.iter().map(|name| format!("`{name}`")).collect();
            names.join(" or ")
        });
        let becomes = match portal.becomes {
            Becomes::Rows(kind) => format!("`{kind}`"),
            Becomes::Comparison => "nothing: for `reconcile` only".to_owned(),
        };
        let given = portal.gives.iter().filter(|given| !given.from.is_empty());
        let given = given.map(|given| {
            let from: Vec<String> = given.from.iter().map(|name| format!("`{name}`")).collect();
            format!("`{}` from {}", given.column, from.join(", "))
        });
        let given = given.collect::<Vec<_>>().join("; ");
        let needs = needs.collect::<Vec<_>>().join(", ");
        format!("| {} | {becomes} | {needs} | {given} |", portal.title.english)
    };
    let rows: Vec<String> = portals::ALL.iter().map(row).collect();
    let header = "| file | becomes | needs | where its columns come from |\n|---|---|---|---|\n";
    is_current("src/files/FORMATS.md", header, &rows, "table_of_portals");
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
    let (declared, told) = (read("src/domain/reason/variants.rs"), read("src/domain/reason.rs"));
    let subjects: Vec<String> = fs::read_dir(root("src/domain/reason"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|stem| !["told", "tests", "expected", "samples", "variants"].contains(&stem.as_str()))
        .map(|stem| read(&format!("src/domain/reason/{stem}.rs")))
        .collect();
    for reason in samples() {
        let (code, variant) = (reason.code(), variant(reason.code()));
        assert_eq!(count(&declared, &variant), 1, "{variant} in src/domain/reason/variants.rs");
        assert_eq!(count(&told, &format!("Self::{variant}")), 1, "{variant} in src/domain/reason.rs");
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

/// Every file below a folder of the project, with its path in the project; links are not followed.
fn files(folder: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(root(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn files_of(folders: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        files(folder, &mut found);
    }
    found
}

fn is(path: &str, endings: &[&str]) -> bool {
    Path::new(path).extension().is_some_and(|ending| endings.iter().any(|one| ending == *one))
}

/// The words of a text: letters, digits, `_`, `.`, `/` and `-` that stand together.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || "_./-".contains(c)))
        .map(|word| word.trim_matches(['.', '-', '/']))
}

/// `R4`, `D14`: the rule that a word or the name of a test (`d14_…`) cites.
fn rule(word: &str) -> Option<String> {
    let word = word.split_once('_').map_or(word, |(first, _)| first);
    let number = word.strip_prefix(['R', 'D', 'r', 'd'])?;
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| word.to_uppercase())
}

/// The numbers after "promise" or "promises" in a text: `promise 9`, `promises 1, 3 and 8`, `promise_12_…`.
fn promises(text: &str) -> BTreeSet<u32> {
    let mut cited = BTreeSet::new();
    for (at, name) in text.match_indices("promise") {
        let mut rest = text[at + name.len()..].trim_start_matches('s').trim_start_matches([' ', '_']);
        loop {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let Ok(number) = rest[..digits].parse() else { break };
            cited.insert(number);
            let after = rest[digits..].trim_start_matches([',', '\n', ' ', '/', '!']);
            rest = after.strip_prefix("and ").unwrap_or(after);
        }
    }
    cited
}

/// What the headings of a text begin with: `### D4 Local currency` has `D4`, `### promise 9: …` has `promise 9`.
fn headed(text: &str, heading: &str) -> bool {
    text.lines().any(|line| {
        let title = line.trim_start_matches('#').trim_start();
        title != line && title.strip_prefix(heading).is_some_and(|rest| rest.starts_with([' ', ':']))
    })
}

#[test]
fn what_a_citation_is_is_seen_in_every_form() {
    assert_eq!(rule("d14_rows_of_one_file"), Some("D14".into()));
    assert_eq!(rule("R4"), Some("R4".into()));
    assert_eq!((rule("K17"), rule("D"), rule("Dynamics"), rule("d1000")), (None, None, None, None));
    assert_eq!(
        promises("(promises 1,\n//! 3 and 8), promise_12_any").into_iter().collect::<Vec<_>>(),
        [1, 3, 8, 12]
    );
    assert!(headed("## x\n### D1 Time\n", "D1") && !headed("### D14 Agreements\nD1 here", "D1"));
}

#[test]
fn what_code_tests_jobs_and_migrations_cite_is_in_the_texts() {
    let (rules, kept) = (read("src/domain/RULES.md"), read("tests/PROMISES.md"));
    let (mut unknown, mut cited) = (Vec::new(), 0);
    for path in files_of(&["src", "tests", "jobs", "migrations"]) {
        if !is(&path, &["rs", "sql", "toml", "md"]) {
            continue;
        }
        let text = read(&path);
        let of_rules = words(&text).filter_map(rule).filter(|rule| !headed(&rules, rule));
        unknown.extend(of_rules.map(|rule| format!("{path}: {rule}")));
        let of_promises = promises(&text).into_iter().map(|number| format!("promise {number}"));
        unknown.extend(of_promises.filter(|one| !headed(&kept, one)).map(|one| format!("{path}: {one}")));
        cited += words(&text).filter_map(rule).count();
    }
    assert_eq!(unknown, [""; 0], "cited, and neither in src/domain/RULES.md nor in tests/PROMISES.md");
    assert!(cited > 500, "{cited} citations are seen");
}

#[test]
fn texts_that_are_named_are_texts_of_the_project() {
    let mut there = files_of(&["src", "tests", "jobs", "migrations", "fixtures"]);
    there.push("README.md".to_owned());
    let mut unknown = Vec::new();
    for path in there.iter().filter(|path| is(path, &["rs", "toml", "md"])) {
        let text = read(path);
        for name in words(&text).filter(|word| is(word, &["md"]) && word.len() > ".md".len()) {
            let end = format!("/{}", name.trim_start_matches("../"));
            if !there.iter().any(|file| format!("/{file}").ends_with(&end)) {
                unknown.push(format!("{path}: {name}"));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
}

/// The texts of the project that name files.
const TEXTS: [&str; 7] = [
    "README.md",
    "src/domain/RULES.md",
    "src/domain/REASONS.md",
    "src/files/FORMATS.md",
    "src/worker/OPERATING.md",
    "tests/PROMISES.md",
    "migrations/README.md",
];

#[test]
fn every_path_that_a_text_names_is_there() {
    let (mut missing, mut named) = (Vec::new(), 0);
    for text in TEXTS {
        for path in read(text).split(['`', '(', ')']) {
            let rooms = ["src/", "tests/", "jobs/", "fixtures/", "migrations/"];
            let is_path = rooms.iter().any(|room| path.starts_with(room)) && !path.contains(['<', '*', ' ']);
            named += usize::from(is_path);
            if is_path && !root(path).exists() {
                missing.push(format!("{text}: {path}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
    assert!(named > 40, "{named} paths are seen");
}

#[test]
fn every_promise_names_tests_that_exist() {
    let code: String =
        files_of(&["src", "tests"]).iter().filter(|path| is(path, &["rs"])).map(|path| read(path)).collect();
    let kept = read("tests/PROMISES.md");
    let mut missing = Vec::new();
    for section in kept.split("### promise ").skip(1) {
        let names: Vec<&str> =
            section.lines().filter_map(|line| line.strip_prefix("- `")?.strip_suffix('`')).collect();
        assert!(!names.is_empty(), "no test is named for promise {section}");
        missing.extend(names.into_iter().filter(|name| !code.contains(&format!("fn {name}("))));
    }
    assert_eq!(missing, [""; 0], "named in tests/PROMISES.md, and no test");
    assert_eq!(kept.matches("### promise ").count(), 16);
}
