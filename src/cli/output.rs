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

/// Writes a view as JSON, or as the lines that are made of it.
pub(super) fn print_view<V: Serialize>(
    view: &V,
    as_json: bool,
    lines: fn(&V) -> Vec<String>,
) -> anyhow::Result<()> {
    if as_json {
        return print_json(view);
    }
    lines(view).iter().try_for_each(|line| print(line))
}
