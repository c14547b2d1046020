//! What things are called is of a type for each kind of thing, so that no call can take one for another: their numbers in the
//! store, and the names that files and people know them by.

use super::{sources, types::outside_tests};

/// Whose numbers in the store have a type of their own, by the words that name them; see `domain/id.rs`.
const NUMBERED: [&str; 11] = [
    "partner",
    "order",
    "membership",
    "entitlement",
    "user",
    "file",
    "run",
    "key",
    "request",
    "decision",
    "usage",
];

/// Whose names from outside have.
const NAMED: [&str; 9] =
    ["partner", "order", "new_order", "object", "request", "access", "contract", "subscription", "tenant"];

/// What may hold numbers or names without being one.
const AROUND: [&str; 17] = [
    "Option<",
    "Patch<",
    "Vec<",
    "BTreeSet<",
    "HashSet<",
    "BTreeMap<",
    "HashMap<",
    "Cow<",
    "&",
    "[",
    "(",
    "'_ ",
    "'_, ",
    "'a ",
    "'a, ",
    "'static ",
    "mut ",
];

/// Fields of reports that hold what a thing is called by people, under the thing's own word.
const CALLED: [(&str, &str); 1] = [("store/summary.rs", "partner")];

#[test]
fn no_number_in_the_store_is_a_bare_i64() {
    let mut bare = Vec::new();
    for source in sources() {
        for (number, line) in outside_tests(&source) {
            let names = numbers(line);
            bare.extend(names.into_iter().map(|name| format!("src/{}:{number}: {name}", source.path)));
        }
    }
    assert_eq!(bare, [""; 0], "give these their type of domain/id.rs");
}

#[test]
fn no_name_from_outside_is_a_bare_text() {
    let mut bare = Vec::new();
    for source in sources() {
        for (number, line) in outside_tests(&source) {
            let mut names = names(line);
            names.retain(|name| !CALLED.contains(&(source.path.as_str(), name)));
            bare.extend(names.into_iter().map(|name| format!("src/{}:{number}: {name}", source.path)));
        }
    }
    assert_eq!(bare, [""; 0], "give these their type of domain/id.rs");
}

#[test]
fn a_bare_number_is_seen_however_it_is_held() {
    for (line, names) in [
        ("    pub partner_id: i64,", vec!["partner_id"]),
        (
            "fn a(membership_ids: &[i64], entitlement_id: Option<i64>) {",
            vec!["membership_ids", "entitlement_id"],
        ),
        ("    let users: Vec<i64> = rows.collect();", vec!["users"]),
        (
            "fn a(user: &i64, order: &'a [i64], partners: &mut HashMap<i64, Year>)",
            vec!["user", "order", "partners"],
        ),
        (
            "failed: HashMap<FileNo, String>, file_id: i64, files: &HashMap<i64, String>, one_file: i64",
            vec!["file_id", "files"],
        ),
        (
            "run_id: i64, key_ref: Option<i64>, request_no: &i64, decision_no: i64, usage_ids: Vec<i64>, usage: Vec<i64>",
            vec!["run_id", "key_ref", "request_no", "decision_no", "usage_ids", "usage"],
        ),
        (
            "first_file_id: i64, new_order_ids: &[i64], pub(super) run_id: i64",
            vec!["first_file_id", "new_order_ids", "run_id"],
        ),
        (
            "    pub partner_id: PartnerNo, pub orders: i64, pub order_rows: i64, pub keys: i64, pub mail_id: i64",
            vec![],
        ),
    ] {
        assert_eq!(numbers(line), names, "{line}");
    }
}

#[test]
fn a_bare_name_is_seen_however_it_is_held() {
    for (line, seen) in [
        ("    pub partner_id: String,", vec!["partner_id"]),
        ("fn a(partner_ids: &[String], partner: Option<&str>) {", vec!["partner_ids", "partner"]),
        ("    let partners: Vec<&'a str> = rows.collect();", vec!["partners"]),
        (
            "    order_ids: &[String], new_order_id: Option<String>, orders: BTreeSet<(i64, &str)>",
            vec!["order_ids", "new_order_id"],
        ),
        ("|object_id: &str| object_ids: Vec<String>", vec!["object_id", "object_ids"]),
        (
            "request_id: Option<Patch<String>>, access_id: String, contract_id: &str, tenant_id: Patch<String>",
            vec!["request_id", "access_id", "contract_id", "tenant_id"],
        ),
        ("|partner_id: &str, partner: Cow<'_, str>| {", vec!["partner_id", "partner"]),
        ("    partners: &'a HashMap<String, PartnerNo>,", vec!["partners"]),
        (
            "    partner: Option<(String, PartnerNo)>, partner_ids: &mut BTreeSet<(&str, i64)>",
            vec!["partner", "partner_ids"],
        ),
        (
            "    pub partner_id: PartnerId, pub partner_name: String, partners: &Strings, partner_text: &str",
            vec![],
        ),
        ("    names: HashMap<PartnerNo, String>, partners: HashMap<PartnerId, String>", vec![]),
    ] {
        assert_eq!(names(line), seen, "{line}");
    }
}

fn numbers(line: &str) -> Vec<&str> {
    held_bare(line, &NUMBERED, &["i64"])
}

fn names(line: &str) -> Vec<&str> {
    held_bare(line, &NAMED, &["String", "str"])
}

/// The fields, parameters and variables of a line that are called after one of these things and hold one of these types. A plural
/// without a list around it counts them.
fn held_bare<'a>(line: &'a str, things: &[&str], types: &[&str]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices(": ") {
        let name = line[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let mut of = &line[at + 2..];
        let around = of;
        while let Some(within) = AROUND.iter().find_map(|word| of.strip_prefix(word)) {
            of = within;
        }
        let is = |of: &str, bare: &&str| {
            of.strip_prefix(bare).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let ends = ["_ids", "_id", "_nos", "_no", "_refs", "_ref"];
        // "first_file_id" is a file's as "file_id" is; of "order_rows" nothing is said.
        let thing = ends.iter().find_map(|end| name.strip_suffix(end));
        let thing = thing.map_or(name, |of| {
            let last = things
                .iter()
                .find(|thing| of.strip_suffix(**thing).is_some_and(|before| before.ends_with('_')));
            last.copied().unwrap_or(of)
        });
        let thing = thing.strip_suffix('s').filter(|_| of != around).unwrap_or(thing);
        if types.iter().any(|bare| is(of, bare)) && things.contains(&thing) {
            names.push(name);
        }
    }
    names
}
