//! Where exports are written.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, is_plain};

/// Policy of `export_entitlements`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPolicy {
    /// Name of a folder under the data directory.
    pub folder: String,
}

impl CheckedPolicy for ExportPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        if self.folder.len() > 100 || self.folder.starts_with(['.', '-']) || !is_plain(&self.folder, "._-") {
            let advice = "write one plain folder name, for example \"exports\"";
            checks.add("policy.folder", &self.folder, advice);
        }
    }
}
