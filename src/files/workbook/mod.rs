//! Workbooks (`.xlsx`) in and out. A workbook is a zip archive of XML that somebody else made: [`package`] looks through it
//! before anything in it is read, and refuses what is none, what would unpack to more than fits, what it must not hold, and XML
//! that does not say one thing only ([`strict`]);
//! [`sheet`] finds the one sheet that is meant; [`rows`] gives its rows as any other file's are given, their cells as canonical
//! text by the type of each; [`answer`] writes the sheet anew with a verdict on every row; [`template`] writes an empty one, [`export`]
//! what the store has.

pub mod answer;
pub mod cell;
pub mod export;
pub mod fault;
pub mod package;
pub mod redact;
pub mod rows;
pub mod sheet;
pub mod strict;
pub mod template;
mod writing;
