//! The jobs, and the one way they are run: decide row by row, commit chunk by chunk, run again and change nothing.
//!
//! A reconciler's chunk is one transaction: what it read, decided, wrote, and that it is done. A courier talks to
//! the outside with no transaction open and records what came of it. Both take the business date and nothing else.

pub use engine::{Context, Error, Folders, Job, Result, Stage, Stop, Stopper, Whole, sha256};

pub mod apply_cancellations;
pub mod email_contacts;
pub mod engine;
pub mod expire_benefits;
pub mod export_entitlements;
pub mod import_entitlements;
pub mod intake;
pub mod provision_credits;
pub mod remind_contacts;

/// Every job, in the order of a night.
pub const REGISTRY: [&Job; 7] = [
    &import_entitlements::JOB,
    &apply_cancellations::JOB,
    &expire_benefits::JOB,
    &provision_credits::JOB,
    &remind_contacts::JOB,
    &email_contacts::JOB,
    &export_entitlements::JOB,
];

impl Job {
    /// The job of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        REGISTRY.into_iter().find(|job| job.name == name)
    }
}
