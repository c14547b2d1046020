//! benefactor: the back office of a partner programme's benefits.

pub mod domain;
pub mod jobs;
pub mod mail;
pub mod store;
