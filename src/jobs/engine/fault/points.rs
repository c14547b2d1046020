//! The places' names.

/// Every point there is.
pub const POINTS: [&str; 19] = [
    "file.moved",
    "file.spooled",
    "file.staged",
    "file.applied",
    "file.ended",
    "file.answered",
    "file.left",
    "stage.planned",
    "chunk.claimed",
    "chunk.worked",
    "chunk.finished",
    "chunk.committed",
    "run.closed",
    "night.complete",
    "mail.leased",
    "mail.delivered",
    "mail.recorded",
    "export.written",
    "tick.recorded",
];
