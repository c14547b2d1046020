//! Plain text as mail carries it: values without control characters, lines of readable length.

/// Columns that a line of a mail fills at most, unless one word is longer.
const WIDTH: usize = 72;

/// One line of text: control characters, line separators and direction overrides become spaces, runs of
/// spaces become one, and none is left at either end. No-break spaces stay.
pub(super) fn clean(value: &str) -> String {
    let spaced: String = value.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that end a line, move the cursor or turn the reading direction.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Breaks long lines at spaces; what follows a break is indented like the line's own text.
pub(super) fn wrap(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.trim().lines() {
        wrap_line(line.trim_end(), &mut wrapped);
        wrapped.push('\n');
    }
    wrapped
}

fn wrap_line(line: &str, out: &mut String) {
    let words = line.trim_start();
    let margin = line.len() - words.len();
    let hanging = margin + mark(words);
    out.push_str(&" ".repeat(margin));
    let mut column = margin;
    for (at, word) in words.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(hanging));
            column = hanging;
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
}

/// The width of what marks an item of a list, `- ` or `12. `.
fn mark(words: &str) -> usize {
    let digits = words.len() - words.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match &words[digits..] {
        rest if digits == 0 && rest.starts_with("- ") => 2,
        rest if digits > 0 && rest.starts_with(". ") => digits + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_one_line_that_cannot_forge_another() {
        assert_eq!(clean(" A\r\nBcc: b@x.example\t\u{0} \u{202E}C "), "A Bcc: b@x.example C");
        assert_eq!(clean("SEK\u{a0}1"), "SEK\u{a0}1");
        assert_eq!(clean("\r\n\u{85}\u{2028}"), "");
    }

    #[test]
    fn long_lines_break_at_spaces_and_hang_under_their_own_text() {
        let text = format!("   - {}\n\nshort", "word ".repeat(30));
        let wrapped = wrap(&text);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{wrapped}");
        assert!(lines[0].starts_with("- word") && lines[1].starts_with("  word"), "{wrapped}");
        assert_eq!(lines[lines.len() - 2..], ["", "short"]);
        let numbered = wrap(&format!("12. {}", "word ".repeat(30)));
        assert!(numbered.lines().skip(1).all(|line| line.starts_with("    word")), "{numbered}");
        let long = "x".repeat(200);
        assert_eq!(wrap(&long), format!("{long}\n"));
    }
}
