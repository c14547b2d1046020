//! A mail server, spoken to step by step: each step has a time limit, replies have a bound, and a connection on which
//! anything is in doubt is not used again. lettre reads the replies and writes the commands; the connection is our own,
//! because lettre's knows no limits, and takes what came before TLS for what comes after it.

mod extensions;
mod server;
mod session;
mod wire;

pub use extensions::Extensions;
pub use server::{MailServer, ServerError};
pub use session::{MailVerdict, Session};
pub use wire::{Step, StepLimits, Trouble};
