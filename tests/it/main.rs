//! The proof: one test binary, one file a room or a job.

mod embedded_store;
mod house;
mod schema;
