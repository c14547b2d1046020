//! Ticks are worked out and put on record in one way, by the sweep of every process and by every command that runs
//! nights, so that they agree on what runs for which date.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use tracing::{info, warn};

use crate::{
    domain::tick::{self, Plan, TickVerdict},
    jobs::policy::Policies,
    store::{self, tick as record},
};

/// What is to become of each job for the business dates from `first` to `last` (of the first alone, if it is later), and
/// how many ticks are due that nobody had on record. `now` as in [`tick::plan`]. `again`: the date is complete and is
/// looked at again, so that what is on record about it binds nobody.
///
/// What is passed over is told once, by whoever puts it on record.
pub async fn settle(
    policies: &Policies,
    conn: &mut PgConnection,
    (first, last): (NaiveDate, NaiveDate),
    now: Option<DateTime<Utc>>,
    again: bool,
) -> store::Result<(Plan, usize)> {
    let known = if again { Vec::new() } else { record::known(&mut *conn, first).await? };
    let plan = tick::plan(&policies.timetables(), first, last, now, &known);
    let fresh: Vec<_> = plan.fresh().collect();
    let new = record::put(conn, &fresh).await?;
    let mut due = 0;
    let mut passed: BTreeMap<(&str, TickVerdict), (usize, NaiveDate, NaiveDate)> = BTreeMap::new();
    for (job, due_on, verdict) in &new {
        if *verdict == TickVerdict::Due {
            due += 1;
            continue;
        }
        let (count, first, last) = passed.entry((job, *verdict)).or_insert((0, *due_on, *due_on));
        (*count, *first, *last) = (*count + 1, *due_on.min(first), *due_on.max(last));
    }
    for ((job, verdict), (ticks, first, last)) in passed {
        if verdict == TickVerdict::Dropped {
            warn!(%job, ticks, %first, %last, "more was missed than is caught up with (catch_up_cap): dropped");
        } else {
            info!(%job, ticks, %first, %last, "missed, and left out, as catch_up says");
        }
    }
    Ok((plan, due))
}
