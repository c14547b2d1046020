//! The proof: one test binary, one file a room or a job.

// It always holds here, and tells clippy that functions beside the tests are tests' code as well.
#![cfg(test)]

mod agreements;
mod answers;
mod apply_cancellations;
mod architecture;
mod at_once;
mod bad_input;
mod cast;
mod claims;
mod clocks;
mod cluster;
mod contacts;
mod core_and_caps;
mod demo;
mod dependencies;
mod download;
mod dry_run;
mod email_contacts;
mod embedded_store;
mod expire_benefits;
mod explain;
mod export_entitlements;
mod failures;
mod fault_disk;
mod fault_kill;
mod fault_outage;
mod fault_twice;
mod go_to_market;
mod ground;
mod house;
mod import_entitlements;
mod jobs_command;
mod keys;
mod model;
mod provision_credits;
mod quarantine;
mod races;
mod random_histories;
mod rates;
mod remind_contacts;
mod requests;
mod retention;
mod schema;
mod seen;
mod settlement;
mod stops;
mod story;
mod support;
mod texts;
mod timetable;
mod units;
mod worker;
mod year_in_the_life;
mod zombies;
