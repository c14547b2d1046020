//! The facts that a command runs on; a command does not run on wrong ones.

use super::exit::{Ending, Exit};
use crate::{
    domain::catalogue::Catalogue,
    jobs::{engine::facts, policy::Policies},
    settings::Settings,
};

/// Policies and catalogue, and the catalogue's text; findings end with exit 2.
pub(super) fn facts(settings: &Settings) -> anyhow::Result<(Policies, Catalogue, String)> {
    let facts = facts::read(settings.config_dir());
    match (facts.policies, facts.catalogue) {
        (Some(policies), Some(catalogue)) if facts.findings.is_empty() => {
            Ok((policies, catalogue, facts.text))
        }
        _ => Err(Ending::new(Exit::Usage, facts.findings.join("\n")).into()),
    }
}
