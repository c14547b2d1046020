//! The proof: one test binary, one file a room or a job.

// `cfg(test)` always holds here; it tells clippy that helper functions are tests' code as well.
#[cfg(test)]
mod demo;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod embedded_store;
#[cfg(test)]
mod house;
#[cfg(test)]
mod schema;
