//! What a chunk covers, in words: what its span is cut along, by job and stage.

use crate::store::work::Rows;

/// What the chunks of one stage of a job do, and what their spans are cut along.
#[derive(Clone, Copy, Debug)]
pub struct Covers {
    /// What is done: "periods of credit that end or start".
    pub what: &'static str,
    /// What it is done to.
    pub rows: Rows,
}

/// What a stage of a job covers; a stage that this program does not know covers nothing it could name.
#[must_use]
pub fn covers(job: &str, stage: i16) -> Covers {
    let (what, rows) = match (job, stage) {
        ("import_entitlements", _) => ("files in the inbox, and files that were left half done", Rows::Files),
        ("apply_cancellations", _) => ("cancellations asked for", Rows::Requests("cancel")),
        ("expire_benefits", 0) => ("renewals that take effect", Rows::Requests("renew")),
        ("expire_benefits", _) => {
            ("memberships that start, enter grace or expire, and benefits that end", Rows::Memberships)
        }
        ("provision_credits", 1) => ("credit: periods that lapse, periods that are granted", Rows::Credits),
        ("provision_credits", _) => ("usage to draw from credit", Rows::Usage),
        ("remind_contacts", _) => ("partners, and the notices they are owed", Rows::Partners),
        ("email_contacts", _) => ("mails to hand over", Rows::Mails),
        _ => ("one file, written whole", Rows::None),
    };
    Covers { what, rows }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::REGISTRY;

    #[test]
    fn every_stage_but_the_export_says_what_its_spans_are_cut_along() {
        for job in REGISTRY {
            for stage in 0..job.stages {
                let rows = covers(job.name, stage).rows;
                assert_eq!(rows == Rows::None, job.name == "export_entitlements", "{} {stage}", job.name);
            }
        }
    }
}
