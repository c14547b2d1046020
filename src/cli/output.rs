//! Results, on standard output.

use std::io::Write as _;

use serde::Serialize;

/// Writes one result to standard output.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Writes a view as one line of JSON, its fields by name.
pub(super) fn print_json(view: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_value(view)?.to_string())
}
