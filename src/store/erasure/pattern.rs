//! Names as Postgres looks for them in texts: whole, without regard to case, with everything in them taken literally.

/// Before and after a name stands nothing that a longer name or address could go on with.
const BEFORE: &str = r"(?<![[:alnum:]._%+@-])";
const AFTER: &str = r"(?![[:alnum:]_@-]|\.[[:alnum:]])";
/// In the text of JSON a line's end and the like are a letter after a backslash.
const BEFORE_IN_JSON: &str = r"(?:(?<![[:alnum:]._%+@-])|(?<=\\[nrtbf]))";
/// What no text matches.
const NOTHING: &str = r"x\A";

/// Finds these names in text.
pub(super) fn in_text(names: &[&str]) -> String {
    pattern(names.iter().map(|name| literal(name)), BEFORE)
}

/// Finds these names in the text of jsonb.
pub(super) fn in_json(names: &[&str]) -> String {
    let quoted = |name: &&str| {
        let text = serde_json::Value::from(*name).to_string();
        literal(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text))
    };
    pattern(names.iter().map(quoted), BEFORE_IN_JSON)
}

fn pattern(names: impl Iterator<Item = String>, before: &str) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { NOTHING.to_owned() } else { format!("{before}(?:{}){AFTER}", names.join("|")) }
}

fn literal(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_holds_is_taken_literally() {
        assert_eq!(in_text(&["a.b@c"]), format!(r"{BEFORE}(?:a\.b\@c){AFTER}"));
        assert_eq!(in_json(&["o\"", "ö\\"]), format!(r#"{BEFORE_IN_JSON}(?:o\\\"|ö\\\\){AFTER}"#));
        assert_eq!(in_text(&[]), NOTHING);
    }
}
