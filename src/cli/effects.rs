//! What nights came to; and of a rehearsal every effect, read before it is rolled back.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::output::print;
use crate::{
    jobs::engine::night::Night,
    store::{rehearsal, run::Counts},
};

/// Prints the nights and each effect in its order: the same for the same facts.
pub(super) async fn tell(conn: &mut PgConnection, nights: &[Night], as_json: bool) -> anyhow::Result<()> {
    tell_nights(nights, as_json)?;
    for effect in rehearsal::effects(conn).await? {
        if as_json {
            print(&effect.to_string())?;
        } else {
            let fields = effect.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            let words: Vec<String> = fields
                .map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={text}"),
                    other => format!("{name}={other}"),
                })
                .collect();
            print(&format!("  {}", words.join(" ")))?;
        }
    }
    print(if as_json { "{\"dry_run\":true}" } else { "dry run: nothing was changed" })
}

/// Says what nights came to: a line a job that did anything.
pub(super) fn tell_nights(nights: &[Night], as_json: bool) -> anyhow::Result<()> {
    for night in nights {
        if as_json {
            let of = |c: &Counts| json!({"done": c.done, "refused": c.refused, "failed": c.failed});
            let jobs: serde_json::Map<String, Value> =
                night.jobs.iter().map(|(job, counts)| ((*job).to_owned(), of(counts))).collect();
            print(&json!({"night": night.due_on, "jobs": jobs}).to_string())?;
            continue;
        }
        let busy: Vec<String> = night
            .jobs
            .iter()
            .filter(|(_, c)| *c != Counts::default())
            .map(|(job, c)| {
                let mut line = format!("{job} {}", c.done);
                if c.refused > 0 {
                    let _ = write!(line, " ({} refused or waiting)", c.refused);
                }
                if c.failed > 0 {
                    let _ = write!(line, " ({} failed)", c.failed);
                }
                line
            })
            .collect();
        let what = if busy.is_empty() { "nothing was due".to_owned() } else { busy.join(", ") };
        print(&format!("night of {}: {what}", night.due_on))?;
    }
    Ok(())
}
