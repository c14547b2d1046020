//! benefactor: the back office of a partner programme's benefits.

pub mod cli;
pub mod clock;
pub mod domain;
pub mod files;
pub mod jobs;
pub mod mail;
pub mod settings;
pub mod store;
pub mod worker;
