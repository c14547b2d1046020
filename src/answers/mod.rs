//! What people ask, answered as plain data: what a member has, the history of one thing, whether all is well, what the
//! facts are, what the reasons mean. Commands print these views and pages can show them; both get the same.
//!
//! | view | of whom it tells | read by |
//! |---|---|---|
//! | [`benefits::Benefits`] | what a member has now (R6, R7, R10) | [`benefits::read`] |
//! | [`files::DroppedFiles`] | what was dropped, what became of it, and what lies in the inbox | [`files::read`] |
//! | [`history::Story`] | everything that happened to one thing | [`history::find`], then [`history::read`] |
//! | [`mails::MailView`] | a mail, its state, and what was answered to it | [`mails::mails`] |
//! | [`NightReport`](crate::domain::night_report::NightReport) | what nights came to and left behind, on a page | [`night_report::read`] |
//! | [`status::Status`] | nights, jobs, processes, and what waits | [`status::read`] |
//! | [`waiting::WaitingForOperator`] | what waits for an operator, one by one | [`waiting::read`] |
//! | [`check::Checked`] | timetables, policies, catalogue, mail templates | [`check::check`] |
//! | [`reasons::ReasonView`] | every reason with its sentences (D13) | [`reasons::all`] |
//!
//! A view is serialised as the command prints it with `--json`. This module knows no command line and no HTTP, and only
//! reads: it runs within a transaction that is read-only.

pub mod benefits;
pub mod check;
pub mod files;
pub mod history;
mod instant;
pub mod mails;
pub mod night_report;
pub mod reasons;
pub mod status;
pub mod waiting;
pub mod words;
