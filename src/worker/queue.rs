//! The queues, each named by what is due in it.

use std::{fmt, time::Duration};

use crate::jobs::{Job, REGISTRY, import_entitlements};

/// What a call is about.
#[derive(Clone, Copy)]
pub enum Queue {
    /// A night is due.
    Night,
    /// Files wait in the inbox, or were left half done.
    Intake,
    /// Chunks of this job's runs can be claimed.
    Chunks(&'static Job),
}

impl Queue {
    /// The queues that every process answers: the nights', and one a job. Files in an inbox are taken in by whoever
    /// watches it, so the queue of `import_entitlements` is [`Self::Intake`].
    #[must_use]
    pub fn shared() -> Vec<Self> {
        let jobs = REGISTRY.into_iter().filter(|job| !is_intake(job)).map(Self::Chunks);
        std::iter::once(Self::Night).chain(jobs).collect()
    }

    /// Its name in the queue's tables: the job's stem with hyphens.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Night => "night".to_owned(),
            Self::Intake => import_entitlements::JOB.queue(),
            Self::Chunks(job) => job.queue(),
        }
    }

    /// How long the work of one call may take before it is cut off; what it committed stays, the rest is rung for
    /// again.
    #[must_use]
    pub(super) const fn limit(&self) -> Duration {
        match self {
            // Every try of a chunk has its own limit; who is cut off in one loses it.
            Self::Night | Self::Chunks(_) => Duration::from_hours(12),
            Self::Intake => Duration::from_hours(1),
        }
    }
}

/// Whether a job's queue is that of the inbox.
fn is_intake(job: &Job) -> bool {
    job.name == import_entitlements::JOB.name
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_queue_a_job_named_by_its_stem_and_one_for_the_nights() {
        let mut names: Vec<String> =
            Queue::shared().iter().chain([&Queue::Intake]).map(Queue::name).collect();
        let mut stems: Vec<String> = REGISTRY.iter().map(|job| job.name.replace('_', "-")).collect();
        stems.push("night".to_owned());
        names.sort();
        stems.sort();
        assert_eq!(names, stems);
    }
}
