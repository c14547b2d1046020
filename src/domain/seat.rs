//! Visual Studio seats: who gets which, and when a seat opens to another user (R4, D9).

use chrono::NaiveDate;

use super::{
    book::{Held, Seat},
    calendar::add_days,
    id::UserNo,
    reason::Reason,
    request_terms::{SeatClock, SeatTerms},
};

/// The seats of a benefit by number, each with its assignments in order.
fn seat(held: &Held, seat_no: u32) -> impl Iterator<Item = &Seat> {
    held.seats.iter().filter(move |seat| seat.seat_no == Some(seat_no))
}

/// When a seat's clock began; `None`: nobody ever had it.
fn began(held: &Held, seat_no: u32, terms: SeatTerms) -> Option<NaiveDate> {
    let days = seat(held, seat_no).map(|seat| seat.assigned_on);
    match terms.clock {
        SeatClock::Original => days.min(),
        SeatClock::Last => days.max(),
    }
}

/// The seat that a user is given on a day: one that the user had and freed, else the first that is open.
///
/// # Errors
/// [`Reason::NoSeatLeft`] if all are taken, with the first date on which one may go to another; [`Reason::SeatOpensLater`] if one was freed and is not open yet (D9).
pub fn give(held: &Held, user_id: UserNo, on: NaiveDate, terms: SeatTerms) -> Result<u32, Reason> {
    let seats = held.quantity_on(on).unwrap_or(u32::MAX);
    let used = held.seats.iter().filter_map(|seat| seat.seat_no).max().unwrap_or(0);
    let taken: Vec<u32> =
        held.seats.iter().filter(|seat| seat.removed_on.is_none()).filter_map(|seat| seat.seat_no).collect();
    let live = u32::try_from(taken.len()).unwrap_or(u32::MAX);
    // Fewer seats than before (a file said so) count against the live ones, whatever their numbers.
    if live >= seats {
        let opens = taken.iter().filter_map(|no| began(held, *no, terms));
        let first = opens.map(|day| add_days(day, terms.after_days)).min();
        let first = first.filter(|_| seats > 0).map(|day| day.max(on));
        let earliest_on = first.into_iter().chain(held.more_than(live, on)).min();
        return Err(Reason::NoSeatLeft { seats, earliest_on });
    }
    let is_free = |no: &u32| seat(held, *no).all(|seat| seat.removed_on.is_some());
    let freed: Vec<u32> = (1..=used).filter(is_free).collect();
    let own = |no: u32| seat(held, no).last().is_some_and(|seat| seat.user_id == user_id);
    // Its own user need not wait for the clock; on the day of a request that is dated back, somebody may still have had it.
    let opens = |no: u32| {
        let freed_on = seat(held, no).filter_map(|seat| seat.removed_on).max();
        let clock = began(held, no, terms).filter(|_| !own(no)).map(|day| add_days(day, terms.after_days));
        freed_on.max(clock).unwrap_or(NaiveDate::MIN)
    };
    let open = |no: &&u32| opens(**no) <= on;
    if let Some(open) = freed.iter().filter(open).find(|no| own(**no)).or_else(|| freed.iter().find(open)) {
        return Ok(*open);
    }
    // One that is freed and not open yet stands for its last user: it is not evaded by taking another.
    match freed.iter().map(|no| opens(*no)).min() {
        Some(earliest_on) if live.saturating_add(u32::try_from(freed.len()).unwrap_or(u32::MAX)) >= seats => {
            Err(Reason::SeatOpensLater { earliest_on })
        }
        _ => Ok(used.saturating_add(1)),
    }
}

/// Whether a seat may be given to another user on a day (R4).
///
/// # Errors
/// [`Reason::ReassignedTooEarly`] with the first date on which it may.
pub fn reassign(held: &Held, seat_no: u32, on: NaiveDate, terms: SeatTerms) -> Result<(), Reason> {
    let Some(assigned_on) = began(held, seat_no, terms) else { return Ok(()) };
    let earliest_on = add_days(assigned_on, terms.after_days);
    if on < earliest_on { Err(Reason::ReassignedTooEarly { assigned_on, earliest_on }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::benefit::Benefit;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    const ORIGINAL: SeatTerms = SeatTerms { clock: SeatClock::Original, after_days: 90 };
    const LAST: SeatTerms = SeatTerms { clock: SeatClock::Last, after_days: 90 };

    /// A number of seats, with assignments: user, seat, from, until.
    fn held(quantity: Option<u32>, seats: &[(i64, u32, &str, &str)]) -> Held {
        let seats = seats.iter().map(|(user_id, no, from, until)| Seat {
            user_id: UserNo::from(*user_id),
            user: String::new(),
            seat_no: Some(*no),
            assigned_on: day(from),
            removed_on: until.parse().ok(),
        });
        Held {
            entitlement_id: 1.into(),
            partner_id: 1.into(),
            membership_id: 1.into(),
            order_id: "ORD-1".into(),
            benefit: Benefit::parse("visual_studio").unwrap(),
            quantity,
            starts_on: day("2024-01-01"),
            last_usable_on: day("2025-01-30"),
            ended_on: None,
            seats: seats.collect(),
            keys: vec![],
            activated_on: None,
            drawn: 0,
            beside: vec![],
        }
    }

    fn full(seats: u32, opens_on: &str) -> Result<u32, Reason> {
        Err(Reason::NoSeatLeft { seats, earliest_on: opens_on.parse().ok() })
    }

    #[test]
    fn a_fresh_seat_is_the_next_number_and_the_last_seat_is_the_last() {
        assert_eq!(give(&held(Some(2), &[]), 1.into(), day("2024-02-01"), ORIGINAL), Ok(1));
        let one = held(Some(2), &[(1, 1, "2024-02-01", "")]);
        assert_eq!(give(&one, 2.into(), day("2024-02-01"), ORIGINAL), Ok(2));
        let two = held(Some(2), &[(1, 1, "2024-02-01", ""), (2, 2, "2024-02-01", "")]);
        assert_eq!(give(&two, 3.into(), day("2024-02-29"), ORIGINAL), full(2, "2024-05-01"));
        assert_eq!(give(&held(Some(0), &[]), 1.into(), day("2024-02-01"), ORIGINAL), full(0, ""));
        assert_eq!(
            give(&held(None, &[(1, 1, "2024-02-01", "")]), 2.into(), day("2024-02-01"), ORIGINAL),
            Ok(2)
        );
    }

    #[test]
    fn d9_when_all_seats_are_taken_the_first_date_on_which_one_may_go_to_another_is_told() {
        let two = held(Some(2), &[(1, 1, "2024-02-10", ""), (2, 2, "2024-01-31", "")]);
        assert_eq!(give(&two, 3.into(), day("2024-02-11"), ORIGINAL), full(2, "2024-04-30"));
        assert_eq!(give(&two, 3.into(), day("2024-06-01"), ORIGINAL), full(2, "2024-06-01"), "at once");
        let again = [(1, 1, "2024-01-31", "2024-04-30"), (2, 1, "2024-04-30", "")];
        assert_eq!(
            give(&held(Some(1), &again), 3.into(), day("2024-05-01"), ORIGINAL),
            full(1, "2024-05-01")
        );
        assert_eq!(give(&held(Some(1), &again), 3.into(), day("2024-05-01"), LAST), full(1, "2024-07-29"));
        let shrunk = held(Some(1), &[(1, 1, "2024-02-10", ""), (2, 2, "2024-01-31", "")]);
        assert_eq!(give(&shrunk, 3.into(), day("2024-02-11"), ORIGINAL), full(1, "2024-04-30"));
    }

    #[test]
    fn d9_a_freed_seat_opens_to_its_own_user_at_once_and_to_others_on_day_90() {
        // 2024 is a leap year: 31 January and 90 days are 30 April.
        let freed = held(Some(1), &[(1, 1, "2024-01-31", "2024-02-02")]);
        assert_eq!(give(&freed, 1.into(), day("2024-02-02"), ORIGINAL), Ok(1));
        let opens = Err(Reason::SeatOpensLater { earliest_on: day("2024-04-30") });
        assert_eq!(give(&freed, 2.into(), day("2024-04-29"), ORIGINAL), opens);
        assert_eq!(give(&freed, 2.into(), day("2024-04-30"), ORIGINAL), Ok(1));
    }

    #[test]
    fn d9_a_seat_that_somebody_still_had_on_the_day_opens_when_it_was_freed() {
        let opens = |day_text: &str| Err(Reason::SeatOpensLater { earliest_on: day(day_text) });
        let late = held(Some(1), &[(1, 1, "2024-01-31", "2024-05-10")]);
        for user_id in [1, 2] {
            assert_eq!(give(&late, user_id.into(), day("2024-05-09"), ORIGINAL), opens("2024-05-10"));
            assert_eq!(give(&late, user_id.into(), day("2024-05-10"), ORIGINAL), Ok(1));
        }
        let early = held(Some(1), &[(1, 1, "2024-01-31", "2024-02-10")]);
        assert_eq!(give(&early, 1.into(), day("2024-02-09"), ORIGINAL), opens("2024-02-10"), "its own user");
        assert_eq!(give(&early, 2.into(), day("2024-02-09"), ORIGINAL), opens("2024-04-30"), "another");
    }

    #[test]
    fn d9_a_seat_that_was_never_used_is_given_while_a_freed_one_waits() {
        let freed = held(Some(2), &[(1, 1, "2024-01-31", "2024-02-02")]);
        assert_eq!(give(&freed, 2.into(), day("2024-02-02"), ORIGINAL), Ok(2));
        assert_eq!(give(&freed, 2.into(), day("2024-05-01"), ORIGINAL), Ok(1), "an open one first");
        let both = held(Some(2), &[(1, 1, "2024-01-31", "2024-02-02"), (2, 2, "2024-01-20", "2024-02-03")]);
        let first = Err(Reason::SeatOpensLater { earliest_on: day("2024-04-19") });
        assert_eq!(give(&both, 3.into(), day("2024-02-03"), ORIGINAL), first);
    }

    #[test]
    fn d9_the_clock_is_the_first_or_the_latest_assignment_of_the_seat() {
        let twice = held(Some(1), &[(1, 1, "2024-01-31", "2024-04-30"), (2, 1, "2024-04-30", "")]);
        assert_eq!(reassign(&twice, 1, day("2024-05-01"), ORIGINAL), Ok(()));
        let early = Err(Reason::ReassignedTooEarly {
            assigned_on: day("2024-04-30"),
            earliest_on: day("2024-07-29"),
        });
        assert_eq!(reassign(&twice, 1, day("2024-07-28"), LAST), early);
        assert_eq!(reassign(&twice, 1, day("2024-07-29"), LAST), Ok(()));
        assert_eq!(reassign(&twice, 9, day("2024-05-01"), LAST), Ok(()), "a seat that nobody had");
    }

    #[test]
    fn fewer_seats_than_are_assigned_leave_none() {
        let three = held(
            Some(2),
            &[(1, 1, "2024-01-31", "2024-02-02"), (2, 2, "2024-01-31", ""), (3, 3, "2024-01-31", "")],
        );
        assert_eq!(give(&three, 4.into(), day("2024-12-01"), ORIGINAL), full(2, "2024-12-01"));
    }
}
