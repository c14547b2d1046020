//! Who connects to the private Postgres, and to what.

/// The database inside the private cluster.
pub(super) const DATABASE: &str = "benefactor";
/// The port in the socket's file name; nothing listens on it.
pub(super) const PORT: u16 = 5432;

/// Who connects; the cluster knows all three without a password, because only its owner reaches the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Owns everything; for migrations and for the operator.
    Owner,
    /// What commands connect as; cannot rewrite history.
    Worker,
    /// Sees the `report` views and nothing else.
    Reader,
}

impl Login {
    /// The role's name in the private cluster.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Owner => "postgres",
            Self::Worker => "benefactor_worker",
            Self::Reader => "benefactor_reader",
        }
    }
}
