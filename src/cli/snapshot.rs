//! What `import` takes and tells of files that are said to be whole (D16).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use clap::Args;
use serde_json::{Value, json};

use super::{
    exit::{Ending, Exit},
    output::print,
};
use crate::domain::{
    full_snapshot::{ControlTotals, FullSnapshot, SnapshotOutcome},
    language::Language,
    money::Currency,
    reason::Reason,
};

/// What is said of a snapshot.
#[derive(Args, Debug)]
pub(super) struct SnapshotArgs {
    /// The file of entitlements is a full snapshot: all that the partner, or each partner of its rows, holds as of a date. What
    /// is held and not in it ends, a week after the file arrived; tried with --dry-run
    #[arg(long, visible_alias = "full-snapshot", requires_all = ["as_of", "rows"])]
    snapshot: bool,
    /// The date as of which a snapshot is full
    #[arg(long, value_name = "DATE", requires = "snapshot")]
    as_of: Option<NaiveDate>,
    /// How many rows a snapshot has after its header; one that has not is refused
    #[arg(long, value_name = "N", requires = "snapshot")]
    rows: Option<u64>,
    /// What its column quantity comes to
    #[arg(long, value_name = "N", requires = "snapshot")]
    quantity: Option<u64>,
    /// What its column amount comes to in a currency, such as '12500.00 USD'; may be given for each
    #[arg(long, value_name = "SUM", value_parser = amount, requires = "snapshot")]
    amount: Vec<(Currency, i64)>,
}

fn amount(text: &str) -> Result<(Currency, i64), String> {
    ControlTotals::parse_amount(text)
        .ok_or_else(|| "write an amount with its currency, such as '12500.00 USD'".to_owned())
}

impl SnapshotArgs {
    /// What is said of the one file that they are about; `None`: that it is no snapshot.
    pub(super) fn stated(&self, files: usize) -> anyhow::Result<Option<FullSnapshot>> {
        let (true, Some(as_of), Some(rows)) = (self.snapshot, self.as_of, self.rows) else { return Ok(None) };
        let wrong = |sentence: &str| Err(Ending::new(Exit::Usage, sentence.to_owned()).into());
        if files > 1 {
            return wrong("control totals are those of one file: import snapshots one by one");
        }
        let mut amounts = BTreeMap::new();
        for (currency, minor) in &self.amount {
            if amounts.insert(*currency, *minor).is_some() {
                return wrong("--amount is given twice for one currency");
            }
        }
        let totals = ControlTotals { rows, quantity: self.quantity, amounts };
        Ok(Some(FullSnapshot { as_of, partners: BTreeSet::new(), totals }))
    }
}

/// What came of it, as JSON.
pub(super) fn in_json(outcome: &SnapshotOutcome) -> Value {
    let withheld = outcome.withheld.as_ref().map(|reason| {
        json!({
            "code": reason.code(), "sentence": reason.sentence(Language::English),
            "earliest": reason.earliest().phrase(Language::English),
        })
    });
    json!({
        "as_of": outcome.as_of, "last_usable_on": outcome.ends_on, "ended": outcome.ended, "named": outcome.named,
        "spared": outcome.spared, "withheld": withheld,
    })
}

/// Tells what came of it, with what ends line by line.
pub(super) fn tell(outcome: &SnapshotOutcome) -> anyhow::Result<()> {
    for line in outcome.lines(Language::English) {
        print(&format!("  {line}"))?;
    }
    for named in &outcome.named {
        print(&format!("    {named}"))?;
    }
    let more = usize::try_from(outcome.ended).unwrap_or_default().saturating_sub(outcome.named.len());
    if more > 0 {
        print(&format!("    and {more} more"))?;
    }
    Ok(())
}

/// Whether it waits for an operator.
pub(super) fn is_held(outcome: &SnapshotOutcome) -> bool {
    matches!(outcome.withheld, Some(Reason::EndsHeld { .. }))
}
