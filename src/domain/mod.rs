//! The programme's rules as pure functions: no async, no input or output, no clock.
//! Today is always an argument; amounts are integers in minor units; one rule a file.
//!
#![doc = include_str!("RULES.md")]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

pub mod activation;
pub mod agreement;
pub mod asked;
pub mod assignment;
pub mod benefit;
pub mod book;
pub mod calendar;
pub mod cancellation;
pub mod cap;
pub mod catalogue;
pub mod core_difference;
pub mod credit;
pub mod directory_role;
pub mod draw;
pub mod email;
pub mod entitlement_change;
pub mod finding;
pub mod held_back;
pub mod key_request;
pub mod kinds;
pub mod language;
pub mod lateness;
pub mod ledger;
pub mod license_key;
pub mod membership;
pub mod money;
pub mod naming;
pub mod notice;
pub mod own_currency;
pub mod rate;
pub mod reason;
pub mod reminder;
pub mod request;
pub mod request_terms;
pub mod role;
pub mod seat;
pub mod settlement;
pub mod subscription;
pub mod support;
pub mod target;
pub mod tick;
pub mod timetable;
