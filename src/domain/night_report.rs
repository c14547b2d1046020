//! What a night, or several that were made up for, came to and left behind, for whoever operates the store: plain facts in no
//! language, and which of them need somebody.
//!
//! Sums are of one currency each. It names partners, orders, files and lines; of people nobody, but where a reason does.

mod asked;
pub mod sample;

pub use asked::{NightAsked, Within};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    id::{OrderId, PartnerId},
    money::Amount,
    reason::Reason,
};

/// How many there are, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capped<T> {
    /// How many.
    pub total: i64,
    /// The first.
    pub first: Vec<T>,
}

impl<T> Default for Capped<T> {
    fn default() -> Self {
        Self { total: 0, first: Vec::new() }
    }
}

impl<T> Capped<T> {
    /// The first `at_most` of all.
    #[must_use]
    pub fn of(all: impl IntoIterator<Item = T>, at_most: usize) -> Self {
        let (mut total, mut first) = (0_i64, Vec::new());
        for one in all {
            total = total.saturating_add(1);
            if first.len() < at_most {
                first.push(one);
            }
        }
        Self { total, first }
    }
}

/// What nights came to and left behind. What is missing in one that an earlier version stored is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NightReport {
    /// The business date of the first night that it tells of.
    pub from: NaiveDate,
    /// That of the last.
    pub until: NaiveDate,
    /// Where the last of them stopped, if it did not come to its end.
    pub stopped: Option<StoppedJob>,
    /// What each job did, in the order of a night.
    pub jobs: Vec<JobDone>,
    /// What was booked, by kind and currency.
    pub booked: Vec<BookedSum>,
    /// Rejected rows by the reason that is their first, most rows first.
    pub rejected: Capped<RejectedRows>,
    /// Rejected rows, of all reasons.
    pub rejected_rows: i64,
    /// Refused requests likewise: each is an answer to a partner.
    pub refused: Capped<RefusedRequests>,
    /// What became of files.
    pub files: FilesCame,
    /// Requests that wait for the operator, oldest first.
    pub requests: Capped<WaitingRequest>,
    /// Reference rates that wait for the operator.
    pub rates: i64,
    /// Files that a guard held back, in the last days.
    pub guarded: Capped<String>,
    /// Identifiers that were not taken in because they are like known ones, in the last days, and at most so many as are listed.
    pub alike: i64,
    /// Requests that wait for the next night.
    pub requests_for_night: i64,
    /// Grants that are due and wait.
    pub grants: Vec<GrantsDue>,
    /// Renewed orders whose entitlements have not come, and at most so many as are listed.
    pub awaiting_entitlements: Vec<String>,
    /// Partners whose offers wait for a marketing contact.
    pub without_contact: Capped<PartnerNamed>,
    /// Credit that lapses soon: within 7 days after the last night, and within 60.
    pub at_stake: Vec<AtStake>,
    /// Work that failed for good and that nobody has dealt with.
    pub failed: Capped<FailedWork>,
    /// Mails.
    pub mails: MailsCame,
    /// Partners whose contact's or account's address no mail goes to since mails came back.
    pub unreached: Capped<UnreachedPartner>,
    /// What is late.
    pub late: LateNights,
}

/// A job that failed, so that its night stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedJob {
    /// Which.
    pub job: String,
    /// What the last try of what failed said.
    pub said: String,
}

/// What a job did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDone {
    /// Which.
    pub job: String,
    /// Effects.
    pub done: i64,
    /// Refused, or waiting.
    pub refused: i64,
    /// Could not be decided or done.
    pub failed: i64,
}

/// What was booked of one kind in one currency; corrections are netted into their kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookedSum {
    /// `credit_granted`, `credit_used`, `credit_overage`, `credit_lapsed` or `credit_reversed`.
    pub kind: String,
    /// Entries.
    pub entries: i64,
    /// Their sum.
    pub sum: Amount,
}

/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPlace {
    /// The file.
    pub file: String,
    /// The line.
    pub line: i32,
}

/// Rejected rows of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRows {
    /// Its code.
    pub code: String,
    /// How many.
    pub rows: i64,
    /// The reason of the first.
    pub reason: Reason,
    /// Where the first of them are.
    pub first: Vec<RowPlace>,
}

/// Refused requests of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequests {
    /// Its code.
    pub code: String,
    /// How many.
    pub requests: i64,
    /// The reason of the first.
    pub reason: Reason,
    /// What the first of them are about: an order, or an order and a benefit.
    pub first: Vec<String>,
}

/// What became of files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesCame {
    /// All rows are in.
    pub applied: i64,
    /// Rows of them were rejected or wait, and others not.
    pub partly: i64,
    /// Refused as a whole.
    pub refused: i64,
    /// Not answered in full.
    pub waiting: i64,
    /// Those that are not wholly in, each with its answer.
    pub listed: Capped<FileCame>,
    /// What lies in the inbox and is not read.
    pub ignored: Capped<FileIgnored>,
}

/// A file that is not wholly in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCame {
    /// Its name.
    pub name: String,
    /// `partly`, `refused` or `waiting`.
    pub status: String,
    /// Whose folder it was in.
    pub partner_id: Option<PartnerId>,
    /// Rows taken in, or known.
    pub taken: i64,
    /// Rows not taken in.
    pub rejected: i64,
    /// Rows that wait for the operator.
    pub waiting: i64,
    /// Where its answer is.
    pub answer: Option<String>,
    /// Why it was refused, or waits.
    pub reason: Option<String>,
}

/// A file that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIgnored {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A request that waits for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRequest {
    /// Its number, by which it is let in or refused.
    pub id: i64,
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// The order.
    pub order_id: Option<OrderId>,
    /// The benefit.
    pub benefit: Option<String>,
    /// `assign`, `cancel` …
    pub action: String,
    /// Since when: the date its file arrived.
    pub since: NaiveDate,
}

/// Grants that wait for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantsDue {
    /// Why the oldest waits.
    pub reason: Reason,
    /// How many.
    pub count: i64,
    /// Since when the oldest is due.
    pub since: Option<NaiveDate>,
}

/// A partner by number and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerNamed {
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// Its name.
    pub name: String,
}

/// Credit that lapses within some days after a night, if nobody spends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtStake {
    /// Within how many.
    pub days: u32,
    /// The last of them.
    pub until: NaiveDate,
    /// By currency, in the order of their codes.
    pub sums: Vec<StakeSum>,
}

/// Credit that lapses, in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakeSum {
    /// What is unspent of it.
    pub sum: Amount,
    /// Of how many credits.
    pub credits: i64,
    /// The partners that lose most, the largest first.
    pub partners: Capped<PartnerStake>,
}

/// What a partner loses in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerStake {
    /// Who.
    #[serde(flatten)]
    pub partner: PartnerNamed,
    /// How much.
    pub sum: Amount,
    /// The first last day on which something of it can be spent.
    pub first_on: NaiveDate,
}

/// Work that failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedWork {
    /// Its number, by which it is tried again or discarded.
    pub id: String,
    /// The job.
    pub job: String,
    /// Its business date.
    pub due_on: NaiveDate,
    /// What its last try said.
    pub said: String,
}

/// Mails: what waits, and of the last days what did not get there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailsCame {
    /// Not sent yet.
    pub waiting: i64,
    /// The mail server said no for good.
    pub refused: i64,
    /// They came back.
    pub bounced: i64,
    /// They could not be written, or nobody took them for days.
    pub failed: i64,
    /// Nobody can say.
    pub unknown: i64,
    /// Domains that put mails off and get none for a while.
    pub paused: Vec<PausedDomain>,
}

impl MailsCame {
    /// Those that did not get there, as far as is known.
    #[must_use]
    pub const fn not_there(&self) -> i64 {
        self.refused.saturating_add(self.bounced).saturating_add(self.failed).saturating_add(self.unknown)
    }
}

/// A domain that puts mails off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedDomain {
    /// Which.
    pub domain: String,
    /// How many mails wait for it.
    pub mails: i64,
}

/// A partner who is not reached any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreachedPartner {
    /// The Partner ID.
    pub partner_id: PartnerId,
    /// It is the marketing contact's address; else the account's.
    pub is_contact: bool,
    /// Since when.
    pub since: NaiveDate,
}

/// What is late when a report is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LateNights {
    /// The last night was not done by its deadline.
    pub overdue: bool,
    /// Nights after it that are over and not begun.
    pub missing: i64,
    /// Due times that the cap on catching up dropped, in the last days.
    pub dropped: Vec<DroppedNights>,
    /// Files whose rows are not all answered, and at most so many as are listed.
    pub unanswered: Vec<String>,
}

/// Due times of a job that were dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedNights {
    /// The job.
    pub job: String,
    /// How many.
    pub count: i64,
    /// The first of their business dates.
    pub first_on: NaiveDate,
    /// The last.
    pub last_on: NaiveDate,
}

/// Something that needs somebody, and how many of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// What.
    pub what: NeedKind,
    /// How many.
    pub count: i64,
}

/// What may need somebody, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// The night stopped and is not done.
    Stopped,
    /// The night was not done by its deadline.
    Overdue,
    /// Later nights are over and not begun.
    MissingNights,
    /// Due times were dropped.
    DroppedNights,
    /// Work failed for good.
    FailedWork,
    /// Something of the night could not be done.
    FailedRows,
    /// Files were refused as a whole.
    RefusedFiles,
    /// Rows were rejected.
    RejectedRows,
    /// Requests wait for the operator.
    Requests,
    /// Reference rates do.
    Rates,
    /// Files that a guard held back do.
    GuardedFiles,
    /// Identifiers that are like known ones do.
    Alike,
    /// Mails did not get there.
    Mails,
    /// Partners are not reached any more.
    Unreached,
}

impl NightReport {
    /// How many nights it tells of.
    #[must_use]
    pub fn nights(&self) -> i64 {
        self.until.signed_duration_since(self.from).num_days().saturating_add(1)
    }

    /// What needs somebody; empty: nothing is wrong.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let dropped = self.late.dropped.iter().fold(0_i64, |all, one| all.saturating_add(one.count));
        let failed = self.jobs.iter().fold(0_i64, |all, job| all.saturating_add(job.failed));
        let counts = [
            (NeedKind::Stopped, i64::from(self.stopped.is_some())),
            (NeedKind::Overdue, i64::from(self.late.overdue)),
            (NeedKind::MissingNights, self.late.missing),
            (NeedKind::DroppedNights, dropped),
            (NeedKind::FailedWork, self.failed.total),
            (NeedKind::FailedRows, failed),
            (NeedKind::RefusedFiles, self.files.refused),
            (NeedKind::RejectedRows, self.rejected_rows),
            (NeedKind::Requests, self.requests.total),
            (NeedKind::Rates, self.rates),
            (NeedKind::GuardedFiles, self.guarded.total),
            (NeedKind::Alike, self.alike),
            (NeedKind::Mails, self.mails.not_there()),
            (NeedKind::Unreached, self.unreached.total),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| Need { what, count }).collect()
    }

    /// Nothing of it needs anybody.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.needs().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_nobody_is_well_whatever_else_there_is_to_tell() {
        let jobs = vec![JobDone { job: "provision_credits".to_owned(), done: 7, refused: 2, failed: 0 }];
        let mut report = NightReport { jobs, requests_for_night: 3, ..NightReport::default() };
        assert!(report.is_well() && report.nights() == 1, "{report:?}");
        report.rejected_rows = 2;
        report.mails = MailsCame { bounced: 1, unknown: 2, ..MailsCame::default() };
        let needs: Vec<_> = report.needs().iter().map(|need| (need.what, need.count)).collect();
        assert_eq!(needs, [(NeedKind::RejectedRows, 2), (NeedKind::Mails, 3)]);
    }

    #[test]
    fn a_list_says_how_many_there_are_beyond_the_first() {
        let capped = Capped::of(["a", "b", "c"], 2);
        assert_eq!((capped.total, capped.first), (3, vec!["a", "b"]));
    }

    #[test]
    fn what_an_earlier_version_stored_is_read_and_what_it_lacks_is_nothing() {
        let stored = r#"{"from":"2024-02-01","until":"2024-02-02"}"#;
        let report: NightReport = serde_json::from_str(stored).unwrap();
        assert_eq!(report.nights(), 2);
        assert_eq!(
            serde_json::from_str::<NightReport>(&serde_json::to_string(&report).unwrap()).unwrap(),
            report
        );
    }
}
