//! When files in the inbox are called for: once they have rested, and again, less and less often, while they are still there.

use std::{
    collections::HashMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::files::look::Look;

/// How long after a first call for what is still there a second one follows; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longer than this it never is: a file may wait for whoever has it open, or for its partner.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// So often the inbox is looked through whatever is there: somebody may have written to what was taken in.
const ROUND: Duration = Duration::from_mins(1);

/// What is known of the inbox.
#[derive(Debug, Default)]
pub struct Inbox {
    called: HashMap<PathBuf, Called>,
    looked: bool,
    last_call: Option<Instant>,
}

#[derive(Debug)]
struct Called {
    look: Option<Look>,
    next: Instant,
    pause: Duration,
}

impl Inbox {
    /// Notes what is ready at `now`; says whether to call for it.
    pub(super) fn note(&mut self, now: Instant, ready: Vec<(PathBuf, Option<Look>)>) -> bool {
        self.looked = true;
        let mut before = std::mem::take(&mut self.called);
        let mut due = self.last_call.is_none_or(|last| now.duration_since(last) >= ROUND);
        for (path, look) in ready {
            let called = match before.remove(&path) {
                Some(called) if called.look == look && now < called.next => called,
                Some(called) if called.look == look => {
                    due = true;
                    let pause = called.pause.saturating_mul(2).min(LONGEST_PAUSE);
                    Called { look, next: now + pause, pause }
                }
                _ => {
                    due = true;
                    Called { look, next: now + FIRST_PAUSE, pause: FIRST_PAUSE }
                }
            };
            self.called.insert(path, called);
        }
        if due {
            self.last_call = Some(now);
        }
        due
    }

    /// Notes that it can be looked at.
    pub(super) const fn is_in_sight(&mut self) {
        self.looked = true;
    }

    /// Notes that nobody could look.
    pub(super) const fn is_out_of_sight(&mut self) {
        self.looked = false;
    }

    /// Whether it could be looked at.
    pub(super) const fn is_known(&self) -> bool {
        self.looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_is_called_for_at_once_and_less_and_less_often_while_it_stays() {
        let mut inbox = Inbox::default();
        let begun = Instant::now();
        let look = |bytes| Some(Look { file: (1, 1), bytes, modified_ns: 0, changed_ns: 0 });
        let mut calls = Vec::new();
        for second in 0..=130 {
            let ready = vec![("a.csv".into(), look(if second < 100 { 10 } else { 20 }))];
            if inbox.note(begun + Duration::from_secs(second), ready) {
                calls.push(second);
            }
        }
        assert_eq!(calls, [0, 1, 3, 7, 15, 31, 63, 100, 101, 103, 107, 115]);
        assert!(inbox.is_known());
        let quiet: Vec<u64> =
            (131..=260).filter(|s| inbox.note(begun + Duration::from_secs(*s), vec![])).collect();
        assert_eq!(quiet, [175, 235], "now and then, whatever is there");
    }
}
