//! One job's file (`jobs/<stem>.toml`): when and how hard it works, and the numbers of its rules.
//!
//! A file is taken whole: a key that is missing, unknown, mistyped or out of range is a [`Finding`], and nothing runs on
//! a policy with findings.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::domain::{
    finding::{Finding, line_at, read},
    timetable::Timetable,
};

/// One job's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobFile<P> {
    /// When.
    pub timetable: Timetable,
    /// How hard.
    pub work: Work,
    /// How much.
    pub policy: P,
}

/// How hard a job works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Rows (entitlements, requests, mails) claimed and written in one transaction, 1 to 100,000.
    pub chunk_rows: u32,
    /// Chunks worked on at the same time by one process, 1 to 16.
    pub lanes: u32,
    /// Chunks worked on at the same time by all processes together, at least 1; absent: as many as there are lanes.
    #[serde(default)]
    pub lanes_in_all: Option<u32>,
    /// Work of a higher priority is claimed first, 0 to 100.
    #[serde(default)]
    pub priority: i16,
    /// Tries of a chunk (of a mail, in `email_contacts`) before it is given up, crashes included, 1 to 20.
    pub attempts: u32,
    /// Chunks (mails) given up before the run stops and says so, at least 1.
    pub failures_before_stop: u32,
    /// Pause after the first failed try of a chunk, doubled with every further one, in seconds, 0 to 3600; what is
    /// waited is up to a quarter more or less, so that what failed together does not come back together.
    #[serde(default = "Work::retry_after_seconds")]
    pub retry_after_seconds: u32,
    /// The longest such pause, in seconds, 0 to 86,400.
    #[serde(default = "Work::retry_at_most_seconds")]
    pub retry_at_most_seconds: u32,
    /// A try of a chunk that takes longer is ended and counts as failed, in seconds, 1 to 86,400.
    #[serde(default = "Work::limit_seconds")]
    pub limit_seconds: u32,
    /// Days for which finished chunks, their attempts and ticks are kept, 1 to 36,600; what failed for good is kept
    /// until an operator has dealt with it.
    #[serde(default = "Work::keep_days")]
    pub keep_days: u32,
}

/// A policy whose values have ranges.
pub trait CheckedPolicy {
    /// Tells every value that is out of its range.
    fn check(&self, checks: &mut PolicyChecks<'_>);
}

/// Days of a leap year: no window of the rules is longer.
pub const YEAR_DAYS: u32 = 366;

/// The files' texts by their stems, and what is wrong in all of them so far.
pub struct PolicyFiles<'a> {
    /// Stem and text.
    pub texts: &'a [(&'static str, String)],
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl<'a> PolicyFiles<'a> {
    /// Reads a job's file; `None`: it has not the right shape, which is a finding.
    pub fn job<P: DeserializeOwned + CheckedPolicy>(&mut self, stem: &str) -> Option<JobFile<P>> {
        let (file, text) = (file(stem), self.text(stem));
        let job: JobFile<P> = match read(&file, text) {
            Ok(job) => job,
            Err(finding) => {
                self.findings.push(finding);
                return None;
            }
        };
        self.check(stem, |checks| {
            check_timetable(&job.timetable, checks);
            job.work.check(checks);
            job.policy.check(checks);
        });
        Some(job)
    }

    /// Checks something more of a job's file.
    pub fn check(&mut self, stem: &str, check: impl FnOnce(&mut PolicyChecks<'_>)) {
        let text = self.text(stem);
        check(&mut PolicyChecks { file: &file(stem), text, findings: &mut self.findings });
    }

    fn text(&self, stem: &str) -> &'a str {
        self.texts.iter().find(|(name, _)| *name == stem).map_or("", |(_, text)| text.as_str())
    }
}

/// Checks the values of one file.
pub struct PolicyChecks<'a> {
    file: &'a str,
    text: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl PolicyChecks<'_> {
    /// Tells that a value is wrong, and what to write instead.
    pub fn add(&mut self, key: &str, value: impl std::fmt::Debug, advice: &str) {
        self.findings.push(Finding {
            file: self.file.to_owned(),
            line: line_at(self.text, key),
            key: key.to_owned(),
            value: format!("{value:?}"),
            advice: advice.to_owned(),
        });
    }

    /// Tells a number that is out of its range.
    pub fn range(&mut self, key: &str, value: u32, allowed: RangeInclusive<u32>) {
        if !allowed.contains(&value) {
            let advice = format!("write a whole number from {} to {}", allowed.start(), allowed.end());
            self.add(key, value, &advice);
        }
    }
}

fn check_timetable(timetable: &Timetable, checks: &mut PolicyChecks<'_>) {
    checks.range("timetable.catch_up_cap", timetable.catch_up_cap, 1..=36_600);
    checks.range("timetable.deadline_hours", timetable.deadline_hours, 1..=720);
    if let Some((due_on, one, two)) = timetable.twice() {
        let advice = format!(
            "it is due twice for one business date (at {one} and at {two} for {due_on}), and a job runs once a \
             night: write one time of day, for example \"30 2 * * *\""
        );
        checks.add("timetable.cron", timetable.cron.expression(), &advice);
    }
}

impl Work {
    const fn retry_after_seconds() -> u32 {
        2
    }

    const fn retry_at_most_seconds() -> u32 {
        300
    }

    const fn limit_seconds() -> u32 {
        900
    }

    const fn keep_days() -> u32 {
        90
    }

    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("work.chunk_rows", self.chunk_rows, 1..=100_000);
        checks.range("work.lanes", self.lanes, 1..=16);
        checks.range("work.attempts", self.attempts, 1..=20);
        checks.range("work.failures_before_stop", self.failures_before_stop, 1..=1_000_000);
        checks.range("work.retry_after_seconds", self.retry_after_seconds, 0..=3_600);
        checks.range("work.retry_at_most_seconds", self.retry_at_most_seconds, 0..=86_400);
        checks.range("work.limit_seconds", self.limit_seconds, 1..=86_400);
        checks.range("work.keep_days", self.keep_days, 1..=36_600);
        checks.range("work.lanes_in_all", self.lanes_in_all.unwrap_or(1), 1..=1_024);
        if !(0..=100).contains(&self.priority) {
            checks.add("work.priority", self.priority, "write a whole number from 0 to 100");
        }
    }
}

/// The file of a job, relative to the configuration folder.
#[must_use]
pub fn file(stem: &str) -> String {
    format!("jobs/{stem}.toml")
}

/// ASCII letters, digits and `also`, at least one.
#[must_use]
pub fn is_plain(text: &str, also: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}
