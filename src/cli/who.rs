//! Who does something that is kept on record: as `--by` says, else who is logged in at the terminal.

use clap::builder::OsStr;

/// Who is logged in, where the terminal says so.
pub(super) fn login() -> Option<OsStr> {
    let said = ["LOGNAME", "USER"].into_iter().filter_map(|name| std::env::var(name).ok());
    said.map(|name| name.trim().to_owned()).find(|name| !name.is_empty()).map(OsStr::from)
}
