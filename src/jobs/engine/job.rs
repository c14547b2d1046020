//! What a job is to the engine: its parts, how they are cut into spans, and what is done with one.

use futures::future::BoxFuture;
use sqlx::PgConnection;

use super::{context::Context, error::Result};
use crate::store::{
    run::{Chunk, Claimable, Counts, Span},
    work::Rows,
};

/// What planning a stage is given and gives.
pub type PlanStage = for<'a> fn(&'a Context, &'a mut PgConnection, i16) -> BoxFuture<'a, Result<Vec<Span>>>;
/// What a chunk's work is given and gives.
pub type WorkChunk =
    for<'a> fn(&'a Context, &'a mut PgConnection, &'a Chunk) -> BoxFuture<'a, Result<Counts>>;

/// One part of a job, as it is told to operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What its chunks are about: "cancellations asked for".
    pub covers: &'static str,
    /// What their spans are cut along.
    pub rows: Rows,
}

/// One job: its twin `jobs/<name>.toml` says when and how hard.
pub struct Job {
    /// The stem: its file, its queue (with hyphens), its fixtures, its tests.
    pub name: &'static str,
    /// Its parts: the next is planned when the one before is done.
    pub stages: &'static [Stage],
    /// Cuts what is due into spans.
    pub plan: PlanStage,
    /// Does one span.
    pub work: WorkChunk,
    /// A courier works outside a transaction; everything else inside one that commits with its outcome.
    pub courier: bool,
}

impl Job {
    /// The last of its stages, counted from 0.
    pub(super) fn last_stage(&self) -> i16 {
        i16::try_from(self.stages.len()).unwrap_or(i16::MAX) - 1
    }

    /// The queue in which calls for its chunks are: its name with hyphens.
    #[must_use]
    pub fn queue(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether a run of this job was begun by this program with these policies and this catalogue, so that its chunks come to the
    /// same here; what a courier writes must come to the same place as well.
    #[must_use]
    pub fn fits(&self, cx: &Context, run: &Claimable) -> bool {
        let is_here = run.place.as_ref() == Some(&cx.place);
        (!self.courier || is_here)
            && run.job == self.name
            && run.binary_version == env!("CARGO_PKG_VERSION")
            && run.policy_sha256 == cx.policy_sha256(&run.job)
            && run.catalogue_sha256 == cx.catalogue_sha256
    }
}
