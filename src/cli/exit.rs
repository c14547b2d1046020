//! How a command ends: the exit codes that schedulers depend on, and which error means which.

use std::{io, process::ExitCode};

use crate::{jobs, store};

/// The exit codes, as OPERATING.md has them. Every command ends with one of these and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done; a file seen before and a date already complete included.
    Done = 0,
    /// Failed, or a whole file refused.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Done, with rejected rows.
    Rejected = 3,
    /// Held by another.
    Held = 4,
    /// Refused by a guard, or a stale plan.
    Refused = 5,
    /// A dependency is down: Postgres, SMTP.
    Down = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A sentence for the operator together with the code to end with.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Ending {
    /// The code.
    pub exit: Exit,
    /// The sentence.
    pub sentence: String,
}

impl Ending {
    /// Ends with this code and this sentence.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self { exit, sentence: sentence.into() }
    }
}

/// The code an error ends with: the first cause in its chain that says so, else [`Exit::Failed`].
#[must_use]
pub fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(meaning).unwrap_or(Exit::Failed)
}

fn meaning(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(ending) = cause.downcast_ref::<Ending>() {
        return Some(ending.exit);
    }
    if let Some(error) = cause.downcast_ref::<store::Error>() {
        return Some(of_store(error));
    }
    if let Some(error) = cause.downcast_ref::<store::embedded::Error>() {
        use store::embedded::Error::{Absent, Down, Io, OtherVersion, Unfit};
        return Some(match error {
            Absent(_) | Down(_) => Exit::Down,
            OtherVersion(_) | Unfit(_) => Exit::Usage,
            Io { .. } => Exit::Failed,
        });
    }
    if let Some(error) = cause.downcast_ref::<jobs::Error>() {
        return Some(match error {
            jobs::Error::Store(error) => of_store(error),
            jobs::Error::Held => Exit::Held,
            jobs::Error::Stopped
            | jobs::Error::Incomplete { .. }
            | jobs::Error::LeftOut(_)
            | jobs::Error::Panicked(_)
            | jobs::Error::Hung { .. }
            | jobs::Error::CalledOff
            | jobs::Error::Stuck
            | jobs::Error::Mail(_)
            | jobs::Error::File { .. } => Exit::Failed,
        });
    }
    // The reader of our output left early (`| head`): that is no failure.
    let closed =
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
    closed.then_some(Exit::Done)
}

fn of_store(error: &store::Error) -> Exit {
    if matches!(error, store::Error::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        Exit::Done // the reader left early
    } else if error.is_down() {
        Exit::Down
    } else if error.is_configuration() {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_ends_with_the_code_of_its_cause_however_deep() {
        let down = anyhow!(store::Error::Down("gone".into())).context("import").context("night");
        assert_eq!(of(&down), Exit::Down);
        assert_eq!(of(&anyhow!(store::Error::SchemaNewer)), Exit::Usage);
        assert_eq!(of(&anyhow!(Ending::new(Exit::Held, "another night runs"))), Exit::Held);
        assert_eq!(of(&anyhow!("anything else")), Exit::Failed);
        assert_eq!(of(&anyhow!(io::Error::from(io::ErrorKind::BrokenPipe))), Exit::Done);
    }
}
