//! CSV in and out: what is dropped is taken safely, read strictly, recognised by its header and answered row by
//! row. Knows no database: what a row means is `domain`'s, what becomes of it is for the caller to say.
//!
//! A file's walk: [`spool`] copies and hashes it, [`reader`] yields its records or refuses it whole ([`Refusal`]),
//! [`profile`] says what kind it is and where its columns are, [`answer`] hands it back with a verdict on every row.
//!
//! What follows is `FORMATS.md`, for who writes files.
//!
#![doc = include_str!("FORMATS.md")]

pub mod answer;
mod guard;
mod limits;
pub mod profile;
pub mod rates;
pub mod reader;
mod refusal;
pub mod row;
pub mod spool;

pub use refusal::{Lack, Refusal};
