//! Assignments, by the rule of each kind of benefit.

use std::collections::BTreeMap;

use super::{
    tests::{
        BULK, MONTHLY, SEATS, accepted, arrival, assignment, assigns, book, day, done, given, name, ruled,
        ruled_with, told,
    },
    *,
};
use crate::domain::{
    book::{Group, Seat},
    kinds::assignments::SeatAction as Assigning,
    request_terms::SAMPLE,
};

#[test]
fn r1_monthly_credit_is_given_to_anybody_enabled_and_taken_again_on_or_after_its_day() {
    let mut book = book();
    assert_eq!(
        accepted(&done(&mut book, &assigns(MONTHLY, "ben", "2024-02-05"))),
        [given(1, 2.into(), "ben", None)]
    );
    assert_eq!(
        accepted(&done(&mut book, &assigns(MONTHLY, "cleo", "2024-02-05"))),
        [given(1, 6.into(), "cleo", None)]
    );
    assert_eq!(told(&done(&mut book, &assigns(MONTHLY, "ben", "2024-02-06"))), ["user already_assigned"]);
    let strict = RequestTerms { assign_to_guests: false, ..SAMPLE };
    let guest = assigns(SEATS, "cleo", "2024-02-06");
    assert_eq!(told(&ruled_with(&book, &guest, &arrival("2024-02-06"), &strict)), ["user guest_not_allowed"]);
    let takes = |on| Asked::Assignment(assignment(MONTHLY, Assigning::Remove, "ben", None, on));
    assert_eq!(told(&ruled(&book, &takes("2024-02-04"), "2024-02-06")), ["user not_assigned"]);
    let removed = done(&mut book, &takes("2024-02-05"));
    assert_eq!(accepted(&removed), [Effect::Removed { entitlement_id: 1.into(), user_id: 2.into() }]);
    assert_eq!(book.benefits[&1.into()].seats[0].removed_on, Some(day("2024-02-05")));
    assert_eq!(told(&done(&mut book, &takes("2024-02-07"))), ["user not_assigned"]);
}

#[test]
fn a_benefit_is_given_from_its_first_to_its_last_usable_day() {
    let mut book = book();
    for (on, runs) in
        [("2024-01-30", false), ("2024-01-31", true), ("2025-03-02", true), ("2025-03-03", false)]
    {
        let ruled = ruled(&book, &assigns(MONTHLY, "ben", on), on);
        assert_eq!(matches!(ruled.outcome, Outcome::Accepted { .. }), runs, "{on}");
        if !runs {
            assert_eq!(told(&ruled), ["requested_on outside_benefit_dates"]);
        }
    }
    book.benefits.get_mut(&1.into()).unwrap().ended_on = Some(day("2024-06-01"));
    assert_eq!(
        told(&ruled(&book, &assigns(MONTHLY, "ben", "2024-06-02"), "2024-06-02")),
        ["requested_on outside_benefit_dates"]
    );
    // To what has ended since, until it ended.
    let late = done(&mut book, &assigns(MONTHLY, "ben", "2024-05-30"));
    let Effect::Assigned { removed_on, .. } = &accepted(&late)[0] else { panic!() };
    assert_eq!(*removed_on, Some(day("2024-06-02")));
    let software = assigns("software", "ben", "2024-02-01");
    assert_eq!(told(&ruled(&book, &software, "2024-02-01")), ["benefit not_assignable"]);
}

#[test]
fn r2_bulk_credit_has_one_user_who_passes_it_on_within_the_enrolment_year() {
    let mut book = book();
    assert_eq!(
        accepted(&done(&mut book, &assigns(BULK, "ben", "2024-02-05"))),
        [given(2, 2.into(), "ben", Some(1))]
    );
    assert_eq!(told(&done(&mut book, &assigns(BULK, "gus", "2024-02-05"))), ["user bulk_already_assigned"]);
    assert_eq!(told(&done(&mut book, &assigns(BULK, "ben", "2024-02-06"))), ["user already_assigned"]);
    let asks = |action, user, to, on| Asked::Assignment(assignment(BULK, action, user, to, on));
    let remove = asks(Assigning::Remove, "ben", None, "2024-02-06");
    assert_eq!(told(&done(&mut book, &remove)), ["action bulk_never_removed"]);
    let transfer = |to, on| asks(Assigning::Transfer, "ben", Some(to), on);
    assert_eq!(told(&done(&mut book, &transfer("ben", "2024-02-06"))), ["to_user same_user"]);
    assert_eq!(told(&done(&mut book, &transfer("fay", "2024-02-06"))), ["to_user user_disabled"]);
    assert_eq!(told(&ruled(&book, &transfer("gus", "2024-02-04"), "2024-02-06")), ["user not_assigned"]);
    let late = told(&ruled(&book, &transfer("gus", "2025-01-31"), "2025-01-31"));
    assert_eq!(late, ["requested_on transfer_outside_year"]);
    let last_day = done(&mut book, &transfer("gus", "2025-01-30"));
    let passed =
        [Effect::Removed { entitlement_id: 2.into(), user_id: 2.into() }, given(2, 3.into(), "gus", Some(1))];
    assert_eq!(accepted(&last_day), passed);
    let wrong = Asked::Assignment(assignment(BULK, Assigning::Reassign, "gus", Some("ben"), "2025-01-30"));
    assert_eq!(told(&done(&mut book, &wrong)), ["action not_reassignable"]);
    let monthly =
        Asked::Assignment(assignment(MONTHLY, Assigning::Transfer, "gus", Some("ben"), "2024-02-06"));
    assert_eq!(told(&done(&mut book, &monthly)), ["action not_transferable", "user not_assigned"]);
}

#[test]
fn r2_before_its_year_a_transfer_is_outside_it() {
    let mut book = book();
    book.benefits.get_mut(&2.into()).unwrap().starts_on = day("2024-01-01");
    done(&mut book, &assigns(BULK, "ben", "2024-01-10"));
    let transfer = |on| Asked::Assignment(assignment(BULK, Assigning::Transfer, "ben", Some("gus"), on));
    assert_eq!(
        told(&ruled(&book, &transfer("2024-01-30"), "2024-01-30")),
        ["requested_on transfer_outside_year"]
    );
    accepted(&ruled(&book, &transfer("2024-01-31"), "2024-01-31"));
}

#[test]
fn d14_an_agreement_stands_against_assignment_and_transfer_of_bulk_credit_and_of_nothing_else() {
    let mut book = book();
    done(&mut book, &assigns(BULK, "ben", "2024-02-05"));
    let exclusion = crate::domain::agreement::Exclusion {
        name: "csp".into(),
        from: day("2024-03-01"),
        until: Some(day("2024-03-31")),
    };
    book.partners.get_mut("7").unwrap().exclusions.push(exclusion);
    let transfer = |on| Asked::Assignment(assignment(BULK, Assigning::Transfer, "ben", Some("gus"), on));
    assert_eq!(told(&ruled(&book, &transfer("2024-03-31"), "2024-03-31")), ["benefit bulk_blocked"]);
    accepted(&ruled(&book, &transfer("2024-04-01"), "2024-04-01"));
    accepted(&ruled(&book, &assigns(MONTHLY, "gus", "2024-03-31"), "2024-03-31"));
    let remove = Asked::Assignment(assignment(BULK, Assigning::Remove, "ben", None, "2024-03-31"));
    assert_eq!(told(&ruled(&book, &remove, "2024-03-31")), ["action bulk_never_removed"]);
}

#[test]
fn r4_seats_go_round_by_their_own_clocks() {
    let mut book = book();
    assert_eq!(
        accepted(&done(&mut book, &assigns(SEATS, "ben", "2024-01-31"))),
        [given(3, 2.into(), "ben", Some(1))]
    );
    assert_eq!(
        accepted(&done(&mut book, &assigns(SEATS, "gus", "2024-02-10"))),
        [given(3, 3.into(), "gus", Some(2))]
    );
    assert_eq!(told(&done(&mut book, &assigns(SEATS, "dan", "2024-02-10"))), ["user no_seat_left"]);
    assert_eq!(told(&done(&mut book, &assigns(SEATS, "ben", "2024-02-10"))), ["user already_assigned"]);
    let reassign =
        |user, to, on| Asked::Assignment(assignment(SEATS, Assigning::Reassign, user, Some(to), on));
    assert_eq!(
        told(&done(&mut book, &reassign("ben", "dan", "2024-04-29"))),
        ["requested_on reassigned_too_early"]
    );
    assert_eq!(told(&done(&mut book, &reassign("ben", "gus", "2024-04-30"))), ["to_user already_assigned"]);
    let passed = done(&mut book, &reassign("ben", "dan", "2024-04-30"));
    assert_eq!(
        accepted(&passed),
        [Effect::Removed { entitlement_id: 3.into(), user_id: 2.into() }, given(3, 4.into(), "dan", Some(1))]
    );
    let transfer =
        Asked::Assignment(assignment(SEATS, Assigning::Transfer, "dan", Some("ben"), "2024-04-30"));
    assert_eq!(told(&done(&mut book, &transfer)), ["action not_transferable"]);
}

#[test]
fn d12_the_cap_of_the_group_counts_seats_as_they_are_given_and_taken() {
    let mut book = book();
    let seats: BTreeMap<String, u32> = [("SE".to_owned(), 24)].into();
    let gold = vec![(day("2024-06-01"), day("2024-06-30"))];
    book.groups.insert("7".into(), Group { seats, gold });
    done(&mut book, &assigns(SEATS, "ben", "2024-02-05"));
    assert_eq!(book.groups["7"].seats["SE"], 25);
    assert_eq!(told(&done(&mut book, &assigns(SEATS, "gus", "2024-02-05"))), ["user cap_reached"]);
    accepted(&ruled(&book, &assigns(SEATS, "gus", "2024-06-01"), "2024-06-01"));
    accepted(&ruled(&book, &assigns(SEATS, "gus", "2024-06-30"), "2024-06-30"));
    assert_eq!(told(&ruled(&book, &assigns(SEATS, "gus", "2024-05-31"), "2024-05-31")), ["user cap_reached"]);
    assert_eq!(told(&ruled(&book, &assigns(SEATS, "gus", "2024-07-01"), "2024-07-01")), ["user cap_reached"]);
    done(&mut book, &Asked::Assignment(assignment(SEATS, Assigning::Remove, "ben", None, "2024-02-05")));
    assert_eq!(book.groups["7"].seats["SE"], 24);
    done(&mut book, &assigns(MONTHLY, "ben", "2024-02-05"));
    assert_eq!(book.groups["7"].seats["SE"], 24, "credit is no seat");
    let seat = Seat {
        user_id: 2.into(),
        user: name("ben"),
        seat_no: Some(1),
        assigned_on: day("2024-02-05"),
        removed_on: Some(day("2024-02-05")),
    };
    let held = &book.benefits[&3.into()].seats[0];
    assert_eq!((held.user_id, held.seat_no, held.removed_on), (seat.user_id, seat.seat_no, seat.removed_on));
}
