//! CSV in and out: what is dropped is taken safely, read strictly, recognised by its header and answered row by
//! row. Knows no database: what a row means is `domain`'s, what becomes of it is for the caller to say.
//!
//! A dropped file's walk: [`inbox`] moves it where nobody finds it by its name, [`spool`] copies and hashes it, [`reader`]
//! yields its records or refuses it whole ([`Refusal`]), [`profile`] says what kind it is and where its columns are, [`answer`] hands it back with a verdict on every row,
//! [`note`] says so to a person, and [`keeping`] puts all three where they stay.
//!
//! What follows is `FORMATS.md`, for who writes files.
//!
#![doc = include_str!("FORMATS.md")]

pub mod answer;
mod guard;
pub mod inbox;
pub mod keeping;
mod limits;
pub mod look;
pub mod marker;
pub mod note;
pub mod profile;
pub mod rates;
pub mod reader;
mod refusal;
pub mod row;
pub mod shown;
pub mod spool;
pub mod writers;

pub use refusal::{Lack, Refusal};
