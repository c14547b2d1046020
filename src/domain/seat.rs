//! Visual Studio seats: who gets which, and when a seat opens to another user (R4, D9).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    book::{Held, Seat},
    calendar::add_days,
    reason::Reason,
};

/// When a seat's clock begins (policy, D9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// With the seat's first assignment, once.
    #[default]
    Original,
    /// With its latest assignment, again each time.
    Last,
}

/// The rule's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When a seat's clock begins.
    pub clock: Clock,
    /// Days after which it opens to another user.
    pub after_days: u32,
}

/// The seats of a benefit by number, each with its assignments in order.
fn seat(held: &Held, seat_no: u32) -> impl Iterator<Item = &Seat> {
    held.seats.iter().filter(move |seat| seat.seat_no == Some(seat_no))
}

/// When a seat's clock began; `None`: nobody ever had it.
fn began(held: &Held, seat_no: u32, terms: Terms) -> Option<NaiveDate> {
    let days = seat(held, seat_no).map(|seat| seat.assigned_on);
    match terms.clock {
        Clock::Original => days.min(),
        Clock::Last => days.max(),
    }
}

/// The seat that a user is given on a day: one that the user had and freed, else the first that is open.
///
/// # Errors
/// [`Reason::NoSeatLeft`] if all are taken; [`Reason::SeatOpensLater`] if one was freed and is not open yet (D9).
pub fn give(held: &Held, user_id: i64, on: NaiveDate, terms: Terms) -> Result<u32, Reason> {
    let seats = held.quantity.unwrap_or(u32::MAX);
    let used = held.seats.iter().filter_map(|seat| seat.seat_no).max().unwrap_or(0);
    let live = held.seats.iter().filter(|seat| seat.removed_on.is_none()).count();
    // Fewer seats than before (a file said so) count against the live ones, whatever their numbers.
    if u32::try_from(live).unwrap_or(u32::MAX) >= seats {
        return Err(Reason::NoSeatLeft { seats });
    }
    let is_free = |no: &u32| seat(held, *no).all(|seat| seat.removed_on.is_some());
    let freed: Vec<u32> = (1..=used).filter(is_free).collect();
    let last_user = |no: u32| seat(held, no).last().map(|seat| seat.user_id);
    if let Some(own) = freed.iter().find(|no| last_user(**no) == Some(user_id)) {
        return Ok(*own);
    }
    let opens =
        |no: u32| began(held, no, terms).map_or(NaiveDate::MIN, |day| add_days(day, terms.after_days));
    if let Some(open) = freed.iter().find(|no| opens(**no) <= on) {
        return Ok(*open);
    }
    // One that is freed and not open yet stands for its last user: it is not evaded by taking another.
    let taken = u32::try_from(freed.len().saturating_add(live)).unwrap_or(u32::MAX);
    if taken < seats {
        return Ok(used.saturating_add(1));
    }
    match freed.iter().map(|no| opens(*no)).min() {
        Some(earliest_on) => Err(Reason::SeatOpensLater { earliest_on }),
        None => Err(Reason::NoSeatLeft { seats }),
    }
}

/// Whether a seat may be given to another user on a day (R4).
///
/// # Errors
/// [`Reason::ReassignedTooEarly`] with the first date on which it may.
pub fn reassign(held: &Held, seat_no: u32, on: NaiveDate, terms: Terms) -> Result<(), Reason> {
    let Some(assigned_on) = began(held, seat_no, terms) else { return Ok(()) };
    let earliest_on = add_days(assigned_on, terms.after_days);
    if on < earliest_on { Err(Reason::ReassignedTooEarly { assigned_on, earliest_on }) } else { Ok(()) }
}
