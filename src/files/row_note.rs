//! What is said of a row before its kind looks at it: that it is passed over, that it is one of several that are one, that it
//! is none. It is staged behind the row's cells.

use crate::domain::reason::Problem;

/// What is said of a staged row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowNote {
    /// Nothing is done with it.
    PassedOver(Vec<Problem>),
    /// It is refused.
    Refused(Vec<Problem>),
    /// It is taken in, with remarks.
    Remarks(Vec<Problem>),
}

impl RowNote {
    /// As it is staged.
    #[must_use]
    pub fn staged(&self) -> String {
        let (mark, problems) = match self {
            Self::PassedOver(problems) => ('~', problems),
            Self::Refused(problems) => ('!', problems),
            Self::Remarks(problems) => ('+', problems),
        };
        format!("{mark}{}", serde_json::to_string(problems).unwrap_or_default())
    }

    /// A staged note. `None`: nothing is said.
    #[must_use]
    pub fn parse(staged: &str) -> Option<Self> {
        let mark = staged.chars().next()?;
        let problems = serde_json::from_str(staged.get(mark.len_utf8()..)?).ok()?;
        match mark {
            '~' => Some(Self::PassedOver(problems)),
            '!' => Some(Self::Refused(problems)),
            '+' => Some(Self::Remarks(problems)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::Reason;

    #[test]
    fn a_note_is_read_as_it_is_staged() {
        let problems = vec![Problem::of_row(Reason::Missing), Problem::at("a", "\"x\"\n", Reason::CutOff)];
        for note in [
            RowNote::PassedOver(problems.clone()),
            RowNote::Refused(problems.clone()),
            RowNote::Remarks(problems),
        ] {
            assert_eq!(RowNote::parse(&note.staged()), Some(note.clone()));
            assert!(!note.staged().contains(char::is_control));
        }
        assert_eq!(RowNote::parse(""), None);
    }
}
