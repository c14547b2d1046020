//! benefactor: the back office of a partner programme's benefits.
//!
//! One binary, and its modules. Each imports only from those below it; `cli`, `worker` and `web` also from `settings`
//! and `clock`; `store`, `files` and `mail` never from each other (`tests/it/architecture.rs` checks that).
//!
//! | module | what is in it |
//! |---|---|
//! | [`cli`], [`settings`], [`clock`] | commands, their help and exit codes; what can be set; what time it is |
//! | [`worker`] | the only module that knows apalis: wake-up calls, the timetable's ticks, the inbox watch, stopping |
//! | [`web`] | the only module that knows axum: metrics and health, on this machine alone; the page that unsubscribes |
//! | [`answers`] | what people ask, as plain data that commands, pages and the operator's mail show: history, benefits, status; only reads |
//! | [`jobs`] | one small file a job, their registry, and the one way that they are run: chunk by chunk, night by night |
//! | [`store`] | the only module with SQL; the private Postgres of the embedded default |
//! | [`files`] | CSV in and out: taken safely, read strictly, recognised by header, answered row by row |
//! | [`mail`] | the only module that knows lettre: notices become a digest, the digest an `.eml`, or goes to a mail server |
//! | [`domain`] | the programme's rules: pure, no input or output, no clock; today is an argument |
//!
//! The README follows one row through the modules; [`domain`] has the programme's rules, [`worker`] how to operate it.
//! What is not code is in `jobs/` (when and how much), `fixtures/` (the catalogue, and invented partners) and
//! `migrations/` (the schema).

pub mod answers;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod files;
pub mod jobs;
pub mod mail;
pub mod settings;
pub mod store;
pub mod web;
pub mod worker;
