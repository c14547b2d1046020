//! The numbers of the rules, and when and how hard each job works: one TOML a job (`jobs/<stem>.toml`).
//!
//! Compiled in, and overridden file by file. A file is taken whole: a key that is missing, unknown, mistyped
//! or out of range is a [`Finding`], and nothing runs on a policy with findings.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    finding::{Finding, line_at, read},
    timetable::Timetable,
};
pub use of_jobs::{
    Backdate, CancellationPolicy, EmailPolicy, ExpiryPolicy, ExportPolicy, ImportPolicy, ProvisionPolicy,
    RefundBlocker, ReminderPolicy,
};

mod of_jobs;

/// The jobs in the order of a night, and the text that is compiled in for each.
pub const BUILT_IN: [(&str, &str); 7] = [
    ("import_entitlements", include_str!("../../jobs/import_entitlements.toml")),
    ("apply_cancellations", include_str!("../../jobs/apply_cancellations.toml")),
    ("expire_benefits", include_str!("../../jobs/expire_benefits.toml")),
    ("provision_credits", include_str!("../../jobs/provision_credits.toml")),
    ("remind_contacts", include_str!("../../jobs/remind_contacts.toml")),
    ("email_contacts", include_str!("../../jobs/email_contacts.toml")),
    ("export_entitlements", include_str!("../../jobs/export_entitlements.toml")),
];

/// Every job's timetable, work and policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    /// Taking in files.
    pub import_entitlements: JobFile<ImportPolicy>,
    /// Deciding cancellations.
    pub apply_cancellations: JobFile<CancellationPolicy>,
    /// Ending benefits and memberships.
    pub expire_benefits: JobFile<ExpiryPolicy>,
    /// Granting and lapsing credit.
    pub provision_credits: JobFile<ProvisionPolicy>,
    /// Deciding what notices are owed.
    pub remind_contacts: JobFile<ReminderPolicy>,
    /// Sending them.
    pub email_contacts: JobFile<EmailPolicy>,
    /// Writing today's truth.
    pub export_entitlements: JobFile<ExportPolicy>,
    /// Stem and text of every file the above was read from, in the order of a night: what a run's policy
    /// hash covers.
    pub texts: Vec<(&'static str, String)>,
}

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

impl Policies {
    /// What is compiled in.
    ///
    /// # Errors
    /// Every finding; a test holds that there is none.
    pub fn built_in() -> Result<Self, Vec<Finding>> {
        Self::parse(|_| None)
    }

    /// What is compiled in, each file replaced by what `overrides` has for its stem.
    ///
    /// # Errors
    /// Every value out of its range, and the first fault of each file that does not have the right shape.
    pub fn parse(overrides: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<Finding>> {
        let texts: Vec<(&'static str, String)> = BUILT_IN
            .iter()
            .map(|(stem, text)| (*stem, overrides(stem).unwrap_or_else(|| (*text).to_owned())))
            .collect();
        let [import, cancel, expire, provision, remind, email, export] = BUILT_IN.map(|(stem, _)| stem);
        let mut reader = Reader { texts: &texts, findings: Vec::new() };
        let jobs = (
            reader.job(import),
            reader.job(cancel),
            reader.job(expire),
            reader.job(provision),
            reader.job(remind),
            reader.job(email),
            reader.job(export),
        );
        if let (Some(expire), Some(remind)) = (&jobs.2, &jobs.4) {
            reader.grace_holds_the_reminders(expire.policy, &remind.policy);
        }
        let findings = reader.findings;
        match jobs {
            (
                Some(import),
                Some(cancel),
                Some(expire),
                Some(provision),
                Some(remind),
                Some(email),
                Some(export),
            ) if findings.is_empty() => Ok(Self {
                import_entitlements: import,
                apply_cancellations: cancel,
                expire_benefits: expire,
                provision_credits: provision,
                remind_contacts: remind,
                email_contacts: email,
                export_entitlements: export,
                texts,
            }),
            _ => Err(findings),
        }
    }

    /// Stem, timetable and work of every job, in the order of a night.
    #[must_use]
    pub fn jobs(&self) -> [(&'static str, &Timetable, Work); 7] {
        fn of<'a, P>(stem: &'static str, job: &'a JobFile<P>) -> (&'static str, &'a Timetable, Work) {
            (stem, &job.timetable, job.work)
        }
        let [import, cancel, expire, provision, remind, email, export] = BUILT_IN.map(|(stem, _)| stem);
        [
            of(import, &self.import_entitlements),
            of(cancel, &self.apply_cancellations),
            of(expire, &self.expire_benefits),
            of(provision, &self.provision_credits),
            of(remind, &self.remind_contacts),
            of(email, &self.email_contacts),
            of(export, &self.export_entitlements),
        ]
    }

    /// Stem and timetable of every job, in the order of a night.
    #[must_use]
    pub fn timetables(&self) -> [(&'static str, &Timetable); 7] {
        self.jobs().map(|(stem, timetable, _)| (stem, timetable))
    }
}

/// Reads the files and gathers what is wrong in all of them.
struct Reader<'a> {
    texts: &'a [(&'static str, String)],
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn text(&self, stem: &str) -> &str {
        self.texts.iter().find(|(name, _)| *name == stem).map_or("", |(_, text)| text.as_str())
    }

    fn job<P: DeserializeOwned + Checked>(&mut self, stem: &str) -> Option<JobFile<P>> {
        let file = format!("jobs/{stem}.toml");
        let text = self.text(stem).to_owned();
        let job: JobFile<P> = match read(&file, &text) {
            Ok(job) => job,
            Err(finding) => {
                self.findings.push(finding);
                return None;
            }
        };
        let mut checks = Checks { file: &file, text: &text, findings: &mut self.findings };
        job.timetable.check(&mut checks);
        job.work.check(&mut checks);
        job.policy.check(&mut checks);
        Some(job)
    }

    /// D10 with D5: a reminder after the last day of grace would never be sent.
    fn grace_holds_the_reminders(&mut self, expiry: ExpiryPolicy, reminders: &ReminderPolicy) {
        let text = self.text("remind_contacts").to_owned();
        let mut checks =
            Checks { file: "jobs/remind_contacts.toml", text: &text, findings: &mut self.findings };
        let late = reminders.grace_days_after.iter().filter(|days| **days > expiry.grace_days);
        for days in late {
            checks.add(
                "policy.grace_days_after",
                days,
                &format!(
                    "grace ends {} days after the anniversary date (jobs/expire_benefits.toml): \
                     take it out, or write less",
                    expiry.grace_days
                ),
            );
        }
    }
}

/// Checks the values of one file.
struct Checks<'a> {
    file: &'a str,
    text: &'a str,
    findings: &'a mut Vec<Finding>,
}

impl Checks<'_> {
    fn add(&mut self, key: &str, value: impl std::fmt::Debug, advice: &str) {
        self.findings.push(Finding {
            file: self.file.to_owned(),
            line: line_at(self.text, key),
            key: key.to_owned(),
            value: format!("{value:?}"),
            advice: advice.to_owned(),
        });
    }

    fn range(&mut self, key: &str, value: u32, allowed: RangeInclusive<u32>) {
        if !allowed.contains(&value) {
            let advice = format!("write a whole number from {} to {}", allowed.start(), allowed.end());
            self.add(key, value, &advice);
        }
    }
}

/// A policy whose values have ranges.
trait Checked {
    /// Tells every value that is out of its range.
    fn check(&self, checks: &mut Checks<'_>);
}

/// Days of a leap year: no window of the rules is longer.
const YEAR_DAYS: u32 = 366;

impl Timetable {
    fn check(&self, checks: &mut Checks<'_>) {
        checks.range("timetable.catch_up_cap", self.catch_up_cap, 1..=36_600);
        checks.range("timetable.deadline_hours", self.deadline_hours, 1..=720);
        if let Some((due_on, one, two)) = self.twice() {
            let advice = format!(
                "it is due twice for one business date (at {one} and at {two} for {due_on}), and a job runs once a \
                 night: write one time of day, for example \"30 2 * * *\""
            );
            checks.add("timetable.cron", self.cron.expression(), &advice);
        }
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

    fn check(&self, checks: &mut Checks<'_>) {
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

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
