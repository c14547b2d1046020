//! The queues, each named by what is due in it.

use std::{fmt, time::Duration};

use crate::jobs::{Job, REGISTRY};

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
    /// The queues whose calls any process can answer. Couriers are not among them: files and mails belong to the
    /// machine of the process that coordinates the night.
    #[must_use]
    pub fn shared() -> Vec<Self> {
        let reconcilers = REGISTRY.into_iter().filter(|job| !job.courier).map(Self::Chunks);
        std::iter::once(Self::Night).chain(reconcilers).collect()
    }

    /// Its name in the queue's tables: the job's stem with hyphens.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Night => "night".to_owned(),
            Self::Intake => "intake".to_owned(),
            Self::Chunks(job) => job.name.replace('_', "-"),
        }
    }

    /// How long the work of one call may take before it is cut off; what it committed stays, the rest is rung for
    /// again.
    #[must_use]
    pub(super) const fn limit(&self) -> Duration {
        match self {
            Self::Night => Duration::from_hours(12),
            Self::Intake | Self::Chunks(_) => Duration::from_hours(1),
        }
    }
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
    fn queues_are_named_by_stem_and_couriers_have_none() {
        let names: Vec<String> = Queue::shared().iter().map(Queue::name).collect();
        assert_eq!(
            names,
            ["night", "apply-cancellations", "expire-benefits", "provision-credits", "remind-contacts"]
        );
    }
}
