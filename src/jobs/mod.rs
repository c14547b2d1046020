//! The jobs, and the one way they are run: decide row by row, commit chunk by chunk, run again and change nothing.
//!
//! A reconciler's chunk is one transaction: what it read, decided, wrote, and that it is done. A courier talks to
//! the outside with no transaction open and records what came of it. Both take the business date and nothing else.

pub use engine::{Context, Error, Folders, Gather, Job, Now, Result, Stage, Stop, Stopper, Waited, sha256};

/// Every job, in the order of a night, for a macro to make something of: its stem, which names its file here, its TOML and
/// its queue, and the type of its policy in `<stem>/policy.rs`. A new job is its TOML, its file, and its lines here.
macro_rules! for_every_job {
    ($make:ident) => {
        $make! {
            import_entitlements: ImportPolicy,
            apply_cancellations: CancellationPolicy,
            expire_benefits: ExpiryPolicy,
            provision_credits: ProvisionPolicy,
            remind_contacts: ReminderPolicy,
            email_contacts: EmailPolicy,
            export_entitlements: ExportPolicy,
            email_operators: OperatorPolicy,
        }
    };
}

pub mod apply_cancellations;
pub mod email_contacts;
pub mod email_operators;
pub mod engine;
pub mod expire_benefits;
pub mod export_entitlements;
pub mod import_entitlements;
pub mod intake;
pub mod policy;
pub mod provision_credits;
pub mod remind_contacts;

macro_rules! registry {
    ($($stem:ident: $policy:ident,)+) => {
        /// Every job, in the order of a night.
        pub const REGISTRY: [&Job; [$(stringify!($stem)),+].len()] = [$(&$stem::JOB),+];
    };
}

for_every_job!(registry);

impl Job {
    /// The job of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        REGISTRY.into_iter().find(|job| job.name == name)
    }
}
