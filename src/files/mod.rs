//! Files in and out: what is dropped is taken safely, read strictly, recognised by its header and answered row by
//! row. Knows no database: what a row means is `domain`'s, what becomes of it is for the caller to say.
//!
//! A dropped file's walk: [`inbox`] moves it where nobody finds it by its name; [`spool`] copies and hashes it; [`source`] finds
//! out how it is written and opens it; [`reader`] yields its records or refuses it whole ([`Refusal`]); [`profile`] says what
//! kind it is and where its columns are; [`dialect`] takes its cells as canonical text; [`conversion`] makes rows of a kind of
//! those of a portal; [`answer`] hands it back, as it was written, with a verdict on every row; [`note`] says so to a person,
//! and [`keeping`] puts all three where they stay. A [`workbook`] walks the same way, its rows from one of its sheets.
//!
//! What follows is `FORMATS.md`, for who writes files.
//!
#![doc = include_str!("FORMATS.md")]

pub mod answer;
pub mod answer_writer;
pub mod conversion;
pub mod dated;
pub mod decoded;
pub mod delimiter;
pub mod dialect;
pub mod encoding;
pub mod file_reason;
pub mod foreign;
mod guard;
pub mod inbox;
pub mod keeping;
mod legible;
mod limits;
pub mod look;
pub mod marker;
pub mod near;
pub mod note;
pub mod portal;
pub mod portals;
pub mod profile;
pub mod reader;
pub mod redact;
mod refusal;
pub mod row;
pub mod row_note;
pub mod shape;
pub mod shown;
pub mod source;
pub mod spool;
pub mod template;
mod total;
pub mod usage_reference;
pub mod workbook;
pub mod writers;

pub use refusal::{Lack, NearMiss, Refusal};
