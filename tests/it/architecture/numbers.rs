//! The store's numbers of different things are of different types, so that no call can take one for another.

use super::{sources, types::outside_tests};

/// What has a type of its own, by the words that name it; see `domain/id.rs`.
const THINGS: [&str; 5] = ["partner", "order", "membership", "entitlement", "user"];

/// What may hold numbers without being one.
const AROUND: [&str; 10] =
    ["Option<", "Vec<", "BTreeSet<", "HashSet<", "BTreeMap<", "HashMap<", "&", "[", "'a ", "mut "];

#[test]
fn no_number_of_a_partner_an_order_an_entitlement_or_a_user_is_a_bare_i64() {
    let mut bare = Vec::new();
    for source in sources() {
        for (number, line) in outside_tests(&source) {
            bare.extend(named(line).into_iter().map(|name| format!("src/{}:{number}: {name}", source.path)));
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
        ("    pub partner_id: PartnerNo, pub orders: i64, pub order_rows: i64, pub usage_id: i64", vec![]),
    ] {
        assert_eq!(named(line), names, "{line}");
    }
}

/// The fields, parameters and variables of a line that hold bare numbers of [`THINGS`]. A plural without a list around it
/// counts them.
fn named(line: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices(": ") {
        let name = line[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let mut of = &line[at + 2..];
        let around = of;
        while let Some(within) = AROUND.iter().find_map(|word| of.strip_prefix(word)) {
            of = within;
        }
        let number = of.strip_prefix("i64").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        let ends = ["_ids", "_id", "_nos", "_no"];
        let thing = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let thing = thing.strip_suffix('s').filter(|_| of != around).unwrap_or(thing);
        if number && THINGS.contains(&thing) {
            names.push(name);
        }
    }
    names
}
