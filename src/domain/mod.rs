//! The programme's rules as pure functions: no async, no input or output, no clock.
//! Today is always an argument; amounts are integers in minor units; one rule a file.

#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic)]

pub mod calendar;
pub mod language;
pub mod money;
pub mod notice;
pub mod reason;
pub mod sentence;
