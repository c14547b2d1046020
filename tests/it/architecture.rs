//! The floor plan, read from the source: who may import whom, what lives in one room only, and that a job is one stem
//! in every room.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use benefactor::{
    domain::kinds::Kind,
    files::portals,
    jobs::{REGISTRY, engine::fault::POINTS, policy::BUILT_IN},
    store::bulk::COLUMNS,
};

use crate::house::House;

mod circles;
mod numbers;
mod types;

/// Whom each room may import; everything points down.
const MAY_IMPORT: [(&str, &[&str]); 13] = [
    ("main", &["cli"]),
    ("cli", &["worker", "web", "answers", "jobs", "store", "files", "mail", "domain", "settings", "clock"]),
    ("worker", &["jobs", "store", "files", "mail", "domain", "settings", "clock"]),
    ("web", &["answers", "jobs", "store", "files", "mail", "domain", "settings", "clock"]),
    ("answers", &["store", "files", "mail", "domain"]),
    ("jobs", &["store", "files", "mail", "domain"]),
    ("store", &["domain"]),
    ("files", &["domain"]),
    ("mail", &["domain"]),
    ("domain", &[]),
    ("settings", &["clock"]),
    ("clock", &[]),
    ("lib", &[]),
];

/// What is written in one room and in no other: the words, the room, what it is.
const ONE_ROOM: [(&[&str], &str, &str); 8] = [
    (&["sqlx::query", "query!(", "query_as!(", "query_scalar!("], "store", "SQL"),
    (&["lettre::", "lettre_"], "mail", "lettre"),
    (&["hickory_"], "mail", "the DNS"),
    (&["apalis::", "apalis_"], "worker", "apalis"),
    (&["axum::", "prometheus_client::"], "web", "HTTP"),
    (&["Utc::now(", "Local::now(", "SystemTime::now("], "clock", "the time of day"),
    (&["csv::", "csv_core"], "files", "the CSV reader"),
    (&["calamine::", "rust_xlsxwriter::", "zip::"], "files", "workbooks"),
];

struct Source {
    /// Below `src`, as `jobs/engine/night.rs`.
    path: String,
    /// The room: `jobs`.
    room: String,
    /// How deep its module is: 0 for the root, 1 for `jobs`, 3 for `jobs::engine::night`.
    depth: usize,
    lines: usize,
    /// Its text without comments.
    code: String,
}

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let (mut paths, src) = (Vec::new(), root("src"));
    walk(&src, &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let below = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let module = below.trim_end_matches(".rs").trim_end_matches("/mod");
        let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
        Source {
            room: module.split('/').next().unwrap().to_owned(),
            depth: if matches!(module, "lib" | "main") { 0 } else { module.split('/').count() },
            lines: text.lines().count(),
            code: code.collect::<Vec<_>>().join("\n"),
            path: below,
        }
    };
    paths.into_iter().map(read).collect()
}

/// The rooms that a file names: `crate::room`, `crate::{room::…, room}`, and `super`s that climb out to the crate.
fn imports(source: &Source) -> BTreeSet<String> {
    let mut ways: Vec<String> = ["crate::", "benefactor::"].map(str::to_owned).to_vec();
    if source.depth > 0 {
        ways.push("super::".repeat(source.depth));
    }
    let mut rooms = BTreeSet::new();
    for way in ways {
        for (at, _) in source.code.match_indices(&way) {
            let before = source.code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' {
                continue;
            }
            let after = &source.code[at + way.len()..];
            match after.strip_prefix('{') {
                Some(group) => rooms.extend(heads(group)),
                None => rooms.extend(name(after)),
            }
        }
    }
    rooms.retain(|room| *room != source.room && MAY_IMPORT.iter().any(|(known, _)| known == room));
    rooms
}

fn name(text: &str) -> Option<String> {
    let name: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The first names of a group's parts, up to its closing brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut start) = (0_usize, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                heads.extend(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads
}

#[test]
fn imports_point_down_the_floor_plan() {
    let mut breaches = Vec::new();
    for source in sources() {
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(room, _)| *room == source.room)
            .unwrap_or_else(|| panic!("src/{} is in no room of the floor plan", source.path));
        for room in imports(&source) {
            if !allowed.contains(&room.as_str()) {
                breaches.push(format!("src/{} imports {room}", source.path));
            }
        }
    }
    assert_eq!(breaches, [""; 0]);
}

#[test]
fn every_named_place_of_a_fault_is_in_the_code_and_explained() {
    let explained = fs::read_to_string(root("src/jobs/engine/fault.rs")).unwrap();
    let mut placed = BTreeSet::new();
    for source in sources() {
        let named = source.code.split("fault::at(\"").skip(1).filter_map(|after| after.split('"').next());
        placed.extend(named.map(str::to_owned));
    }
    assert_eq!(placed, POINTS.map(str::to_owned).into());
    for point in POINTS {
        assert!(explained.contains(&format!("//! | `{point}` |")), "{point}");
    }
}

#[test]
fn the_reading_of_imports_sees_every_form() {
    let source = |code: &str| Source {
        path: String::new(),
        room: "domain".to_owned(),
        depth: 2,
        lines: 1,
        code: code.to_owned(),
    };
    let seen = |code: &str| imports(&source(code)).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(seen("use crate::store::run;"), "store");
    assert_eq!(
        seen("use crate::{\n    domain::x,\n    jobs::{self, Job},\n    mail,\n};\nlet files = {};"),
        "jobs mail"
    );
    assert_eq!(seen("crate::files::reader::open()"), "files");
    assert_eq!(seen("use super::super::web::page;"), "web");
    assert_eq!(seen("use super::store;"), "", "one step up is still in the room");
}

/// The first words of calls that change something: the store's verbs, and what changes files.
const CHANGES: [&str; 15] = [
    "append",
    "put",
    "mark",
    "lease",
    "claim",
    "record",
    "supersede",
    "prune",
    "notify",
    "write",
    "create",
    "rename",
    "remove",
    "execute",
    "copy",
];

/// Names that are called with a path, as `run::append(…)` or `fs::write(…)`; a method of a value is no such call.
fn called(code: &str) -> BTreeSet<String> {
    let calls = code.match_indices("::").filter_map(|(at, _)| {
        let name = name(&code[at + 2..])?;
        let after = code[at + 2..].strip_prefix(name.as_str())?;
        (after.starts_with('(') || after.starts_with("::<")).then_some(name)
    });
    calls.collect()
}

#[test]
fn answers_only_reads() {
    let mut breaches = Vec::new();
    let answers: Vec<Source> = sources().into_iter().filter(|source| source.room == "answers").collect();
    assert!(answers.len() > 5, "{}", answers.len());
    for source in answers {
        let code = source.code.split("#[cfg(test)]").next().unwrap();
        let calls = called(code).into_iter().filter(|call| CHANGES.contains(&words(call)[0].as_str()));
        breaches.extend(calls.map(|call| format!("src/{} calls {call}", source.path)));
    }
    assert_eq!(breaches, [""; 0]);
    let seen =
        called("ledger::append(x); run::mark_done::<T>(y); fs::write(p, b); list.append(z); a::marked");
    assert_eq!(Vec::from_iter(seen), ["append", "mark_done", "write"]);
}

#[test]
fn what_belongs_to_one_room_is_in_no_other() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (words, room, what) in ONE_ROOM {
            if source.room != room && words.iter().any(|word| source.code.contains(word)) {
                breaches.push(format!("src/{} holds {what}, which belongs to {room}", source.path));
            }
        }
        let sql = ["\"select ", "\"insert into", "\"update ", "\"delete from", "\"copy ", "\"with "];
        let lower = source.code.to_lowercase();
        if source.room == "jobs" && sql.iter().any(|text| lower.contains(text)) {
            breaches.push(format!("src/{} holds SQL text", source.path));
        }
    }
    assert_eq!(breaches, [""; 0]);
}

/// History is entered in one place: whatever else would write into `transfer` went past the rules of the ledger.
#[test]
fn the_ledger_has_one_door() {
    let doors = |texts: &[(String, String)]| -> BTreeSet<String> {
        let entered = |text: &str| {
            let words: Vec<String> = text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|word| !word.is_empty())
                .map(str::to_lowercase)
                .collect();
            let words: Vec<&str> =
                words.iter().map(String::as_str).filter(|word| *word != "public").collect();
            let ways = [&["insert", "into"][..], &["merge", "into"], &["copy"], &["copyrows", "into"]];
            ways.iter()
                .any(|way| words.windows(way.len() + 1).any(|said| said == [way, &["transfer"][..]].concat()))
        };
        texts.iter().filter(|(_, text)| entered(text)).map(|(path, _)| path.clone()).collect()
    };
    let mut texts: Vec<(String, String)> =
        sources().into_iter().map(|source| (format!("src/{}", source.path), source.code)).collect();
    for entry in fs::read_dir(root("migrations")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.lines().map(|line| line.split("--").next().unwrap_or_default());
        texts.push((path.display().to_string(), code.collect::<Vec<_>>().join("\n")));
    }
    assert_eq!(doors(&texts), BTreeSet::from(["src/store/ledger.rs".to_owned()]));
    for another in [
        "\"insert into transfer (kind) values ($1)\"",
        "\"INSERT INTO\n    public.transfer select 1\"",
        "copy transfer (kind) from stdin",
        "CopyRows::into(\"transfer\")",
    ] {
        assert_eq!(doors(&[("another".to_owned(), another.to_owned())]).len(), 1, "{another}");
    }
    assert!(
        doors(&[("a reader".to_owned(), "insert into notice select from transfer".to_owned())]).is_empty()
    );
}

/// Files import each other in one direction only, so that each can be read after those it stands on. A module that
/// only declares another (`mod child;`) does not import it; one that uses or re-exports something of a child does, and
/// then the child may name nothing that is written in its parent: what both need is in a file of its own.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let graph = circles::graph(&root("src"), &REGISTRY.map(|job| job.name));
    let files = sources().len() - 1; // all but main.rs
    assert_eq!(graph.len(), files, "every file is looked at");
    let mut told = Vec::new();
    for circle in circles::circles(&graph) {
        for file in &circle {
            let within = graph[file].iter().filter(|(to, _)| circle.contains(*to));
            told.extend(within.map(|(to, path)| format!("{file} imports {to} ({path})")));
        }
    }
    assert_eq!(told, [""; 0]);
}

#[test]
fn circles_of_files_are_found_whatever_the_way_of_importing() {
    let written = |files: &[(&str, &str)]| {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let circles = circles::circles(&circles::graph(dir.path(), &["child"]));
        circles.into_iter().map(|circle| circle.into_iter().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let with = |parent: &str, child: &str, sibling: &str| {
        let parent = format!("mod child; mod sibling; {parent}");
        written(&[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", &parent),
            ("a/child.rs", child),
            ("a/sibling.rs", sibling),
        ])
    };
    assert_eq!(with("fn f() {}", "use super::f;", ""), [""; 0], "declaring is not importing");
    assert_eq!(with("pub use child::f;", "use super::G;", ""), ["a/child.rs a/mod.rs"]);
    assert_eq!(with("fn g() { child::f() }", "fn f() { crate::a::g() }", ""), ["a/child.rs a/mod.rs"]);
    let siblings = ["a/child.rs a/sibling.rs"];
    assert_eq!(with("", "use super::{sibling::X, y as z};", "use crate::{a::{child}};"), siblings);
    assert_eq!(with("", "use super::sibling::X;", "use crate::{a::{child::{Y, Z as W}}};"), siblings);
    assert_eq!(with("", "mod t { use super::super::sibling::X; }", "fn f() { super::child::g() }"), siblings);
    let made = "macro_rules! m { ($($file:ident),+) => { $(mod $file;)+ } } m!(child, sibling);";
    let by_macro = [("lib.rs", "mod a;"), ("a/mod.rs", made), ("a/child.rs", "use super::sibling::X;")];
    let by_macro = [&by_macro[..], &[("a/sibling.rs", "use super::child::X;")]].concat();
    assert_eq!(written(&by_macro), siblings);
    assert_eq!(with("fn f() { $stem::f() }", "use super::G;", ""), ["a/child.rs a/mod.rs"]);
    assert_eq!(with("", "use super::sibling::X;", "type T = super::$stem::$t;"), siblings);
    assert_eq!(
        with("", "mod t { use super::*; }", "use super::child::X;"),
        [""; 0],
        "a module within its file"
    );
    assert_eq!(
        with("", "// use super::sibling::X;\nfn f() { 'x'; \"super::sibling::X\" }", "use super::child::X;"),
        [""; 0]
    );
}

fn stems(folder: &str, ending: &str) -> BTreeSet<String> {
    let names = fs::read_dir(root(folder)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| Some(name.strip_suffix(ending)?.to_owned()))
        .filter(|stem| stem != "mod")
        .collect()
}

#[test]
fn a_job_is_one_stem_in_every_room() {
    let registered: BTreeSet<String> = REGISTRY.iter().map(|job| job.name.to_owned()).collect();
    assert_eq!(registered.len(), REGISTRY.len(), "no job twice");
    assert_eq!(stems("jobs", ".toml"), registered, "jobs/*.toml");
    let beside = BTreeSet::from(["policy".to_owned()]);
    assert_eq!(&stems("src/jobs", ".rs") - &beside, registered, "src/jobs/*.rs");
    assert_eq!(&(&stems("tests/it", ".rs") & &registered), &registered, "tests/it/<job>.rs");
    let in_order: Vec<&str> = BUILT_IN.iter().map(|(stem, _)| *stem).collect();
    assert_eq!(in_order, REGISTRY.map(|job| job.name), "the night's order is kept in one way");
    for entry in fs::read_dir(root("src/jobs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !path.is_dir() || ["engine", "intake", "policy"].contains(&name) || registered.contains(name),
            "src/jobs/{name} is of no job"
        );
    }
    // Beside its files a job is its lines in the registry, and named where others read its numbers.
    let registry = fs::read_to_string(root("src/jobs/mod.rs")).unwrap();
    let policies = fs::read_to_string(root("src/jobs/policy.rs")).unwrap();
    for job in &registered {
        let named =
            |line: &&str| line.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|name| name == job);
        let lines = registry.lines().filter(named);
        assert_eq!(lines.count(), 2, "{job}: its module and its line in src/jobs/mod.rs");
        assert!(root(&format!("src/jobs/{job}/policy.rs")).is_file(), "{job} has no policy of its own");
    }
    for job in ["import_entitlements", "apply_cancellations", "email_contacts", "export_entitlements"] {
        assert!(!policies.contains(job), "{job} has a place in src/jobs/policy.rs");
    }
}

#[test]
fn a_kind_of_file_is_one_stem_in_every_room() {
    let named = |of: fn(&&Kind) -> bool| -> BTreeSet<String> {
        Kind::ALL.iter().filter(of).map(|kind| kind.name().to_owned()).collect()
    };
    let without = |folder: &str, others: &[&str]| {
        let mut stems = stems(folder, ".rs");
        for other in others {
            assert!(stems.remove(*other), "{folder} has no {other}.rs");
        }
        stems
    };
    let all = named(|_| true);
    assert_eq!(all.len(), Kind::ALL.len(), "no kind twice");
    let declared = without(
        "src/domain/kinds",
        &["cell", "cell_tests", "forms", "meant", "repeats", "schema", "tests", "traces", "types"],
    );
    assert_eq!(declared, all, "src/domain/kinds/*.rs");
    let facts = named(|kind| !kind.is_request());
    assert_eq!(without("src/jobs/intake/kinds", &["alike", "holdings"]), facts, "src/jobs/intake/kinds/*.rs");
}

/// A portal's file is one file, declared there, and listed once.
#[test]
fn a_portals_file_is_one_stem() {
    let listed: BTreeSet<String> = portals::ALL.iter().map(|portal| portal.name.to_owned()).collect();
    assert_eq!(listed.len(), portals::ALL.len(), "no portal twice");
    assert_eq!(stems("src/files/portals", ".rs"), listed, "src/files/portals/*.rs");
    let registry = fs::read_to_string(root("src/files/portals/mod.rs")).unwrap();
    for portal in portals::ALL {
        let name = portal.name;
        let listed = format!("&{name}::PORTAL");
        assert_eq!(registry.matches(&listed).count(), 1, "{name} in the list of src/files/portals/mod.rs");
        let fixtures = if name == "ecb_rates" { "ecb" } else { name };
        assert!(root(&format!("fixtures/{fixtures}")).is_dir(), "fixtures/{fixtures}");
        for source in sources().iter().filter(|source| !source.path.starts_with("files/portals")) {
            let code = source.code.split("#[cfg(test)]").next().unwrap();
            let named = code.contains(&format!("\"{name}\"")) || name != "ecb_rates" && code.contains(name);
            assert!(!named, "src/{} names the portal {name}", source.path);
        }
        let given = portal.gives.iter().flat_map(|given| given.from);
        for from in given {
            assert!(portal.reads.iter().any(|column| column.name() == *from), "{name} reads no {from}");
        }
    }
}

/// Metaphors that the code once used, each with the standard word.
const SAID_PLAINLY: [(&str, &str); 6] = [
    ("pulse", "heartbeat"),
    ("desk", "dispatcher"),
    ("bell", "notifier"),
    ("tend", "poller"),
    ("heed", "accept"),
    ("charge", "leader"),
];

#[test]
fn names_are_the_standard_words_and_no_metaphors() {
    let mut found = Vec::new();
    for source in sources() {
        let names = source
            .code
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .chain(source.path.split(['/', '.']));
        for name in names {
            let words = words(name);
            let metaphor = SAID_PLAINLY
                .iter()
                .find(|(word, _)| words.iter().any(|own| own.trim_end_matches('s') == *word));
            found.extend(metaphor.map(|(_, plain)| format!("src/{}: {name}: say {plain}", source.path)));
        }
    }
    found.dedup();
    assert_eq!(found, [""; 0]);
    assert_eq!(words("take_Charge"), ["take", "charge"]);
    assert_eq!(words("DeskBells"), ["desk", "bells"]);
}

/// The words that a name is made of, in lower case: of `snake_case` and of `CamelCase`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if (c == '_' || c.is_uppercase()) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// Each module's own, said with it (`store::Error`), as in the standard library.
const OF_EACH_MODULE: [&str; 2] = ["Error", "Result"];

#[test]
fn a_name_means_one_type() {
    let all = sources();
    let places = types::declared(&all);
    assert!(places.len() > 400, "{}", places.len());
    let twice = places.iter().filter(|(name, at)| at.len() > 1 && !OF_EACH_MODULE.contains(&name.as_str()));
    let told: Vec<String> = twice.map(|(name, places)| format!("{name}: {}", places.join(", "))).collect();
    assert_eq!(told, [""; 0], "one name means one type: give each a name that says what it is");

    let source = |path: &str, code: &str| Source {
        path: path.to_owned(),
        room: "domain".to_owned(),
        depth: 1,
        lines: 1,
        code: code.to_owned(),
    };
    let first = "pub struct A;\npub(super) enum B {\n}\n    pub(in crate::x) trait C {\ntype D<T> = T;\n    type E = u8;";
    let second = "struct A<'a>(&'a str);\n#[cfg(test)]\nmod tests {\n    struct B;\n}\npub trait C: Copy {}";
    let found =
        types::declared(&[source("a.rs", first), source("b.rs", second), source("c_tests.rs", first)]);
    let found: Vec<String> =
        found.iter().map(|(name, places)| format!("{name} {}", places.join(" "))).collect();
    assert_eq!(found, ["A src/a.rs:1 src/b.rs:1", "B src/a.rs:2", "C src/a.rs:4 src/b.rs:6", "D src/a.rs:5"]);
}

#[test]
fn files_stay_as_short_as_the_house_says() {
    let mut long = Vec::new();
    for source in sources() {
        let is_job = REGISTRY.iter().any(|job| source.path == format!("jobs/{}.rs", job.name));
        let most = if source.path == "main.rs" {
            40
        } else if is_job {
            120
        } else {
            700
        };
        if source.lines > most {
            long.push(format!("src/{}: {} lines of at most {most}", source.path, source.lines));
        }
    }
    assert_eq!(long, [""; 0]);
}

#[test]
fn the_top_level_is_the_one_the_house_has() {
    let mut tracked: BTreeSet<String> =
        ["Cargo.lock", "Cargo.toml", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md"]
            .map(str::to_owned)
            .into();
    tracked.extend(
        ["src", "jobs", "fixtures", "migrations", "tests", "target", "rustfmt.toml", "deny.toml"]
            .map(str::to_owned),
    );
    let names = fs::read_dir(root("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let others: Vec<_> = names
        .filter(|n| !n.starts_with('.') && !n.starts_with("benefactor-data") && !tracked.contains(n))
        .collect();
    assert_eq!(others, [""; 0]);
}

#[tokio::test]
async fn every_column_that_copy_writes_is_in_the_schema() {
    let house = House::open().await;
    for (table, columns) in COLUMNS {
        let there = house
            .lines(&format!(
                "select column_name::text from information_schema.columns
                 where table_schema = 'public' and table_name = '{table}'"
            ))
            .await;
        assert!(!there.is_empty(), "no table {table}");
        for column in columns.split(", ") {
            assert!(there.contains(&column.to_owned()), "{table} has no column {column}");
        }
        // And every other column can do without: it has a default, an identity, or may be null.
        let needed = house
            .lines(&format!(
                "select column_name::text from information_schema.columns
                 where table_schema = 'public' and table_name = '{table}' and is_nullable = 'NO'
                   and column_default is null and is_identity = 'NO'"
            ))
            .await;
        let written: Vec<&str> = columns.split(", ").collect();
        for column in needed {
            assert!(written.contains(&column.as_str()), "{table}.{column} is needed and not written");
        }
    }
}
