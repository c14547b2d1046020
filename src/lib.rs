//! benefactor: the back office of a partner programme's benefits.

pub mod domain;
pub mod files;
pub mod mail;
pub mod store;
