//! What the lock file may hold: one of each library that must not be there twice, and licences that fit ours.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde_json::Value;

/// Two of them would be two sets of types that look alike.
const ONCE: [&str; 6] = ["apalis-core", "chrono", "cron", "sqlx", "sqlx-core", "tokio"];

/// Licences under which code may be part of the binary (`.deny.toml` holds the same list).
const ALLOWED: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "PostgreSQL",
    "Unicode-3.0",
    "Zlib",
];

/// Every package that is part of the build on this platform; the others' manifests may not be on the machine.
fn packages() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("-vV")
        .output()
        .unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let ran = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let Value::Array(packages) = serde_json::from_slice::<Value>(&ran.stdout).unwrap()["packages"].take()
    else {
        panic!("cargo metadata names no packages")
    };
    packages
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

#[test]
fn no_library_that_must_be_one_is_there_twice() {
    let lock: toml::Table = toml::from_str(include_str!("../../Cargo.lock")).unwrap();
    let mut versions = BTreeMap::<&str, Vec<&str>>::new();
    for package in lock["package"].as_array().unwrap() {
        let field = |name: &str| package[name].as_str().unwrap();
        versions.entry(field("name")).or_default().push(field("version"));
    }
    for name in ONCE {
        let found = versions.get(name).cloned().unwrap_or_default();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
    }
    assert!(versions.get("axum").is_none_or(|found| found.len() == 1));
}

#[test]
fn every_dependency_is_under_a_licence_that_fits_ours() {
    let misfits: Vec<String> = packages()
        .iter()
        .filter(|package| !fits(&licence(package)))
        .map(|package| format!("{} ({})", text(package, "name"), text(package, "license")))
        .collect();
    assert!(misfits.is_empty(), "{misfits:?}");
}

/// The SPDX expression, or for a package that has a file instead what its first line says.
fn licence(package: &Value) -> String {
    let Some(file) = package["license_file"].as_str().filter(|_| package["license"].is_null()) else {
        return text(package, "license").to_owned();
    };
    let folder = Path::new(text(package, "manifest_path")).parent().unwrap();
    let words = std::fs::read_to_string(folder.join(file)).unwrap();
    words.lines().next().unwrap_or_default().trim().trim_end_matches(" License").to_owned()
}

/// Whether an SPDX expression can be met with allowed licences only: a choice by one of its sides, a sum by all.
fn fits(expression: &str) -> bool {
    let spelled = expression.replace('/', " OR ");
    let words: Vec<String> =
        spelled.replace('(', " ( ").replace(')', " ) ").split_whitespace().map(str::to_owned).collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(words: &mut &[String]) -> bool {
    let mut fits = all(words);
    while take(words, "OR") {
        fits |= all(words);
    }
    fits
}

fn all(words: &mut &[String]) -> bool {
    let mut fits = one(words);
    while take(words, "AND") {
        fits &= one(words);
    }
    fits
}

fn one(words: &mut &[String]) -> bool {
    if take(words, "(") {
        let fits = any(words);
        return take(words, ")") && fits;
    }
    let Some((name, rest)) = words.split_first() else { return false };
    *words = rest;
    let mut name = name.clone();
    if take(words, "WITH")
        && let Some((exception, rest)) = words.split_first()
    {
        *words = rest;
        name = format!("{name} WITH {exception}");
    }
    ALLOWED.contains(&name.as_str())
}

fn take(words: &mut &[String], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[test]
fn a_licence_expression_fits_if_its_choices_can_be_made_to() {
    for yes in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(fits(yes), "{yes}");
    }
    for no in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-2.0", "MIT)"] {
        assert!(!fits(no), "{no}");
    }
}

#[test]
fn deny_toml_holds_the_same_lists() {
    let deny: toml::Table = toml::from_str(include_str!("../../.deny.toml")).unwrap();
    let texts = |value: &toml::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&deny["licenses"]["allow"]), ALLOWED);
    let once = deny["bans"]["deny"].as_array().unwrap();
    let once: Vec<&str> = once.iter().map(|entry| entry["crate"].as_str().unwrap()).collect();
    assert_eq!(once, ONCE);
}
