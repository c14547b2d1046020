//! Which types the source declares, and where.

use std::collections::BTreeMap;

use super::Source;

/// Of the name of every type (`struct`, `enum`, `trait`, `type`) that is declared outside of tests, private ones as well, the
/// places that declare it. A type within an `impl` or a trait is of that one.
pub fn declared(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for source in sources {
        for (number, line) in outside_tests(source) {
            if let Some(name) = name(line) {
                places.entry(name.to_owned()).or_default().push(format!("src/{}:{number}", source.path));
            }
        }
    }
    places
}

/// The lines of a file's code that are no test's, with their numbers.
pub fn outside_tests(source: &Source) -> Vec<(usize, &str)> {
    let mut lines = Vec::new();
    if source.path.ends_with("tests.rs") {
        return lines;
    }
    let (mut in_tests, mut under_test) = (false, false);
    for (line, number) in source.code.lines().zip(1..) {
        if in_tests {
            in_tests = line != "}";
            continue;
        }
        in_tests = under_test && line.contains("mod ") && line.ends_with('{');
        under_test = line == "#[cfg(test)]" || under_test && line.starts_with("#[");
        lines.push((number, line));
    }
    lines
}

/// The name of the type that a line declares.
fn name(line: &str) -> Option<&str> {
    let mut words =
        line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|w| !w.is_empty());
    let mut word = words.next()?;
    if word == "pub" {
        word = words.next()?;
        if line.trim_start().starts_with("pub(") {
            word = words.find(|word| ["struct", "enum", "trait", "type"].contains(word))?;
        }
    }
    let declares = match word {
        "struct" | "enum" | "trait" => true,
        "type" => !line.starts_with(' '),
        _ => false,
    };
    words.next().filter(|name| declares && name.starts_with(char::is_uppercase))
}
