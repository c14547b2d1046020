//! What is known of the files in the inbox: a file is whole once it has stopped changing.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::jobs::intake::{Dropped, FileOutcome, Stamp};

/// Looks in a row that find a file unchanged before it counts as whole.
const RESTS: u32 = 2;

/// What is seen of the inbox.
#[derive(Debug, Default)]
pub struct Inbox {
    files: HashMap<PathBuf, SeenFile>,
    looks: u32,
}

#[derive(Debug)]
struct SeenFile {
    stamp: Option<Stamp>,
    unchanged: u32,
    /// As it is, it was refused; it waits for somebody to change it.
    refused: bool,
}

impl Inbox {
    /// Notes what waits now.
    pub(super) fn note(&mut self, waiting: Vec<(PathBuf, Option<Stamp>)>) {
        self.looks = self.looks.saturating_add(1);
        let mut before = std::mem::take(&mut self.files);
        for (path, stamp) in waiting {
            let seen = match before.remove(&path) {
                Some(seen) if seen.stamp == stamp => {
                    SeenFile { unchanged: seen.unchanged.saturating_add(1), ..seen }
                }
                _ => SeenFile { stamp, unchanged: 0, refused: false },
            };
            self.files.insert(path, seen);
        }
    }

    /// Whether a file that lay there from the first would be known to be whole.
    pub(super) fn is_known(&self) -> bool {
        self.looks > RESTS
    }

    /// Whether a file has rested.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(SeenFile::is_whole)
    }

    /// Whether a file has rested, and was not refused as it is: a night looks at those again, a call does not.
    pub(super) fn is_ready(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(SeenFile::is_ready)
    }

    /// Whether any file is ready.
    pub(super) fn any_ready(&self) -> bool {
        self.files.values().any(SeenFile::is_ready)
    }

    /// Remembers what was refused. A file in a partner's folder may only have come before its partner, so it is
    /// looked at again after another file was taken in.
    pub(super) fn settle(&mut self, outcomes: &[(Dropped, FileOutcome)]) {
        let any_new = outcomes.iter().any(|(_, outcome)| matches!(outcome, FileOutcome::Done(_)));
        for (dropped, outcome) in outcomes {
            if let (
                FileOutcome::Refused(_)
                | FileOutcome::Guarded(_)
                | FileOutcome::Failed(_)
                | FileOutcome::GivenUp(_),
                Some(seen),
            ) = (outcome, self.files.get_mut(&dropped.path))
            {
                seen.refused = dropped.partner.is_none() || !any_new;
            }
        }
    }
}

impl SeenFile {
    fn is_whole(&self) -> bool {
        self.unchanged >= RESTS
    }

    fn is_ready(&self) -> bool {
        self.is_whole() && !self.refused
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn inbox_of(looks: &[u64]) -> Inbox {
        let mut inbox = Inbox::default();
        for length in looks {
            inbox.note(vec![("a.csv".into(), Some((*length, SystemTime::UNIX_EPOCH)))]);
        }
        inbox
    }

    fn refused(partner: Option<&str>) -> (Dropped, FileOutcome) {
        let partner = partner.map(str::to_owned);
        let results = "answers".into();
        let dropped = Dropped {
            path: "a.csv".into(),
            kind: None,
            partner,
            accept_backdated: false,
            by_operator: false,
            accept_ends: false,
            leaves: None,
            results,
        };
        (dropped, FileOutcome::Refused("no partner 4711 is known".to_owned()))
    }

    #[test]
    fn a_file_is_ready_when_two_looks_in_a_row_found_it_unchanged() {
        let ready = |looks: &[u64]| inbox_of(looks).is_ready(Path::new("a.csv"));
        assert!(!ready(&[10]));
        assert!(!ready(&[10, 10]));
        assert!(ready(&[10, 10, 10]));
        assert!(!ready(&[10, 10, 20, 20]), "still written to");
        assert!(ready(&[10, 10, 20, 20, 20]));
    }

    #[test]
    fn a_refused_file_waits_until_somebody_changes_it() {
        let mut inbox = inbox_of(&[10, 10, 10]);
        inbox.settle(&[refused(None)]);
        assert!(!inbox.is_ready(Path::new("a.csv")));
        for _ in 0..3 {
            inbox.note(vec![("a.csv".into(), Some((20, SystemTime::UNIX_EPOCH)))]);
        }
        assert!(inbox.is_ready(Path::new("a.csv")));
    }
}
