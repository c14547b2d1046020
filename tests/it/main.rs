//! The proof: one test binary, one file a room or a job.

// `cfg(test)` always holds here; it tells clippy that helper functions are tests' code as well.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod apply_cancellations;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod at_once;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cast;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod download;
#[cfg(test)]
mod dry_run;
#[cfg(test)]
mod email_contacts;
#[cfg(test)]
mod embedded_store;
#[cfg(test)]
mod expire_benefits;
#[cfg(test)]
mod export_entitlements;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod fault_disk;
#[cfg(test)]
mod fault_kill;
#[cfg(test)]
mod fault_outage;
#[cfg(test)]
mod fault_twice;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod house;
#[cfg(test)]
mod import_entitlements;
#[cfg(test)]
mod jobs_command;
#[cfg(test)]
mod provision_credits;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod random_histories;
#[cfg(test)]
mod remind_contacts;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod story;
#[cfg(test)]
mod timetable;
#[cfg(test)]
mod worker;
#[cfg(test)]
mod year_in_the_life;
#[cfg(test)]
mod zombies;
