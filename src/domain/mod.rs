//! The programme's rules as pure functions: no async, no input or output, no clock.
//! Today is always an argument; amounts are integers in minor units; one rule a file.
//!
#![doc = include_str!("RULES.md")]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::float_arithmetic))]

pub mod activation;
pub mod agreement;
pub mod asked;
pub mod assignment;
pub mod book;
pub mod calendar;
pub mod cancellation;
pub mod cap;
pub mod catalogue;
pub mod cell;
pub mod contact;
pub mod core_difference;
pub mod credit;
pub mod credit_usage;
pub mod directory_user;
pub mod draw;
pub mod entitlement;
pub mod entitlement_change;
pub mod finding;
pub mod key_request;
pub mod language;
pub mod lateness;
pub mod ledger;
pub mod license_key;
pub mod membership;
pub mod money;
pub mod naming;
pub mod notice;
pub mod partner;
pub mod policy;
pub mod rate;
pub mod reason;
pub mod renewal;
pub mod request;
pub mod role;
pub mod seat;
pub mod service_request;
pub mod subscription;
pub mod support;
pub mod target;
pub mod tick;
pub mod timetable;
