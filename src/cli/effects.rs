//! What a rehearsal would have done: every effect, read before it is rolled back.

use serde_json::Value;
use sqlx::PgConnection;

use super::{nights, print};
use crate::{jobs::engine::night::Night, store::rehearsal};

/// Prints the nights and each effect in its order: the same for the same facts.
pub(super) async fn tell(conn: &mut PgConnection, nights: &[Night], as_json: bool) -> anyhow::Result<()> {
    nights::tell(nights, as_json)?;
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
