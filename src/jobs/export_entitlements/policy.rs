//! Where exports are written, and for how long they are kept.

use serde::{Deserialize, Serialize};

use crate::jobs::policy::file::{CheckedPolicy, PolicyChecks, is_plain};

/// The file that a night writes into the folder of its date.
pub const FILE: &str = "entitlements.csv";

/// Policy of `export_entitlements`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportPolicy {
    /// Name of a folder under the data directory.
    pub folder: String,
    /// Days for which a night's file is kept, counted back from the newest, 0 to 36,600; 0: for ever.
    #[serde(default = "ExportPolicy::keep_exports_days")]
    pub keep_exports_days: u32,
}

impl ExportPolicy {
    /// More than a year, of what the file of a night's job does not say.
    const fn keep_exports_days() -> u32 {
        400
    }
}

impl CheckedPolicy for ExportPolicy {
    fn check(&self, checks: &mut PolicyChecks<'_>) {
        checks.range("policy.keep_exports_days", self.keep_exports_days, 0..=36_600);
        if self.folder.len() > 100 || self.folder.starts_with(['.', '-']) || !is_plain(&self.folder, "._-") {
            let advice = "write one plain folder name, for example \"exports\"";
            checks.add("policy.folder", &self.folder, advice);
        }
    }
}
