//! The numbers that requests are decided by (D1, D8, D9, R1, R4, R8).

use serde::{Deserialize, Serialize};

/// The numbers that requests are decided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTerms {
    /// Days a request may be dated before its file's arrival; an older one waits for the operator (D1).
    pub backdate_days: u32,
    /// Whether guests in a partner's directory are assigned to (R1).
    pub assign_to_guests: bool,
    /// When a seat opens to another user (R4, D9).
    pub seats: SeatTerms,
    /// A key may extend a subscription if it has at most this many times its seats (D8).
    pub extend_at_most_times: u32,
    /// Days from the activation of a Go-To-Market offer until it is live (R8).
    pub go_live_days: u32,
}

/// When a Visual Studio seat opens to another user (R4, D9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeatTerms {
    /// When a seat's clock begins.
    pub clock: SeatClock,
    /// Days after which it opens to another user.
    pub after_days: u32,
}

/// When a seat's clock begins (D9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatClock {
    /// With the seat's first assignment, once.
    #[default]
    Original,
    /// With its latest assignment, again each time.
    Last,
}

/// The programme's own numbers, as tests of the rules use them.
#[cfg(test)]
pub(crate) const SAMPLE: RequestTerms = RequestTerms {
    backdate_days: 7,
    assign_to_guests: true,
    seats: SeatTerms { clock: SeatClock::Original, after_days: 90 },
    extend_at_most_times: 3,
    go_live_days: 3,
};
