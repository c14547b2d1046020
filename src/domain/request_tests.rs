use serde_json::json;

use super::*;
use crate::domain::{
    benefit::{Benefit, Offer},
    book::Key,
    catalogue::{self, Catalogue},
    directory_role::Role,
    id::{PartnerId, UserNo},
    kinds::{
        activations::ActivationRow,
        assignments::{AssignmentRow, SeatAction as Assigning},
        key_requests::{KeyAction as Keying, KeyRequestRow},
        service_requests::{ServiceRequestRow, Ticket},
    },
    membership::Year,
    request_terms::SAMPLE,
    role::Action,
};

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn user(user_id: UserNo, name: &str, roles: &[Role]) -> User {
    User { user_id, name: format!("{name}@p.example"), enabled: true, guest: false, roles: roles.to_vec() }
}

/// Ada, a global admin; Ben and Gus without a role; Dan, an MPN partner admin; Fay, who is disabled; Cleo, a guest.
/// Partner 7 has order ORD-1 of 31 January 2024 with benefits 1 to 5; partner 8 has ORD-9.
pub(super) fn book() -> Book {
    let mut book = Book::default();
    for (number, partner_id) in [("7", 70), ("8", 80)] {
        let partner = Partner {
            partner_id: partner_id.into(),
            country: "SE".into(),
            tenant_id: None,
            group: number.into(),
            ..crate::domain::book::sample::partner()
        };
        book.partners.insert(number.into(), partner);
    }
    let people = [
        user(1.into(), "ada", &[Role::GlobalAdmin]),
        user(2.into(), "ben", &[]),
        user(3.into(), "gus", &[]),
        user(4.into(), "dan", &[Role::MpnPartnerAdmin]),
        User { enabled: false, ..user(5.into(), "fay", &[Role::GlobalAdmin]) },
        User { guest: true, ..user(6.into(), "cleo", &[]) },
    ];
    book.holders.insert(
        70.into(),
        vec![
            ("ada@p.example".into(), vec![Role::GlobalAdmin]),
            ("dan@p.example".into(), vec![Role::MpnPartnerAdmin]),
        ],
    );
    book.users.extend(people.map(|user| ((70.into(), user.name.clone()), user)));
    for (order_id, membership_id, partner_id) in [("ORD-1", 10, 70), ("ORD-9", 90, 80)] {
        let order = Order {
            membership_id: membership_id.into(),
            partner_id: partner_id.into(),
            order_id: order_id.into(),
            offer: Some(Offer::Silver),
            year: Year::starting(day("2024-01-31"), 30),
            ended_on: None,
            frozen_by: None,
            support: None,
        };
        book.orders.insert(order_id.into(), order);
    }
    let codes = [MONTHLY, BULK, SEATS, "software", "go_to_market/silver_core"];
    for (entitlement_id, code) in (1..).zip(codes) {
        let held = Held {
            entitlement_id: entitlement_id.into(),
            partner_id: 70.into(),
            membership_id: 10.into(),
            order_id: "ORD-1".into(),
            benefit: Benefit::parse(code).unwrap(),
            quantity: Some(2),
            starts_on: day("2024-01-31"),
            last_usable_on: day("2025-03-02"),
            ended_on: None,
            seats: vec![],
            keys: vec![],
            activated_on: None,
            drawn: 0,
            beside: vec![],
        };
        book.codes.insert((10.into(), code.into()), entitlement_id.into());
        book.benefits.insert(entitlement_id.into(), held);
    }
    book
}

pub(super) const MONTHLY: &str = "azure_monthly_credit";
pub(super) const BULK: &str = "azure_bulk_credit";
pub(super) const SEATS: &str = "visual_studio";

pub(super) fn name(user: &str) -> String {
    format!("{user}@p.example")
}

pub(super) fn assignment(
    benefit: &str,
    action: Assigning,
    user: &str,
    to: Option<&str>,
    on: &str,
) -> AssignmentRow {
    AssignmentRow {
        partner_id: "7".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse(benefit).unwrap(),
        action,
        user: name(user),
        to_user: to.map(name),
        requested_by: name("ada"),
        requested_on: day(on),
    }
}

pub(super) fn assigns(benefit: &str, user: &str, on: &str) -> Asked {
    Asked::Assignment(assignment(benefit, Assigning::Assign, user, None, on))
}

pub(super) fn service(request: Request, by: &str, on: &str) -> Asked {
    Asked::Service(ServiceRequestRow {
        partner_id: "7".into(),
        request_id: "SR-1".into(),
        requested_by: by.into(),
        requested_on: day(on),
        request,
        note: None,
    })
}

fn cancels(by: &str, on: &str) -> Asked {
    service(Request::Cancel { order_id: "ORD-1".into() }, &name(by), on)
}

pub(super) fn arrival(on: &str) -> Arrival<'static> {
    Arrival { received_on: day(on), accept_backdated: false, by_operator: false, partner: None }
}

pub(super) fn ruled_with(book: &Book, asked: &Asked, arrival: &Arrival<'_>, terms: &RequestTerms) -> Ruled {
    rule(book, asked, arrival, terms, &Catalogue::parse(catalogue::BUILT_IN).unwrap(), 100.into())
}

pub(super) fn ruled(book: &Book, asked: &Asked, arrived: &str) -> Ruled {
    ruled_with(book, asked, &arrival(arrived), &SAMPLE)
}

/// Rules on it on the day it is dated, and enters it.
pub(super) fn done(book: &mut Book, asked: &Asked) -> Ruled {
    let ruled = ruled(book, asked, &asked.requested_on().to_string());
    enter(book, asked, &ruled);
    ruled
}

/// Columns and codes of what stands against a request.
pub(super) fn told(ruled: &Ruled) -> Vec<String> {
    let (Outcome::Refused(problems) | Outcome::Conflicts(problems) | Outcome::Unchanged(problems)) =
        &ruled.outcome
    else {
        panic!("{:?}", ruled.outcome)
    };
    problems.iter().map(|problem| format!("{} {}", problem.column, problem.reason.code())).collect()
}

pub(super) fn accepted(ruled: &Ruled) -> &[Effect] {
    let Outcome::Accepted { effects, .. } = &ruled.outcome else { panic!("{:?}", ruled.outcome) };
    effects
}

pub(super) fn given(entitlement_id: i64, user_id: UserNo, user: &str, seat_no: Option<u32>) -> Effect {
    Effect::Assigned {
        entitlement_id: entitlement_id.into(),
        user_id,
        user: name(user),
        seat_no,
        removed_on: None,
    }
}

#[test]
fn a_request_names_a_partner_an_order_a_benefit_and_users_that_are_known() {
    let book = book();
    let change = |change: &dyn Fn(&mut AssignmentRow)| {
        let mut row = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
        change(&mut row);
        told(&ruled(&book, &Asked::Assignment(row), "2024-02-01"))
    };
    assert_eq!(change(&|row| row.partner_id = "9".into()), ["partner_id unknown_partner"]);
    assert_eq!(change(&|row| row.order_id = "ORD-2".into()), ["order_id unknown_order"]);
    assert_eq!(change(&|row| row.order_id = "ORD-9".into()), ["order_id order_of_another_partner"]);
    assert_eq!(
        change(&|row| row.benefit = Benefit::parse("advisory_hours").unwrap()),
        ["benefit unknown_benefit"]
    );
    assert_eq!(change(&|row| row.user = "nobody".into()), ["user unknown_user"]);
    assert_eq!(
        change(&|row| {
            row.requested_by = "nobody".into();
            row.order_id = "ORD-2".into();
        }),
        ["order_id unknown_order", "requested_by unknown_user"]
    );
    let mut to = assignment(BULK, Assigning::Transfer, "ben", Some("nobody"), "2024-02-01");
    assert_eq!(told(&ruled(&book, &Asked::Assignment(to.clone()), "2024-02-01")), ["to_user unknown_user"]);
    to.user = "BEN@P.example".into();
    to.to_user = Some(name("gus"));
    assert_eq!(
        told(&ruled(&book, &Asked::Assignment(to), "2024-02-01")),
        ["user not_assigned"],
        "in any case"
    );
}

#[test]
fn a_file_of_one_partner_holds_no_rows_of_another() {
    let book = book();
    let (seven, eight) = (PartnerId::from("7"), PartnerId::from("8"));
    let of = |partner| Arrival { partner: Some(partner), ..arrival("2024-02-01") };
    let asked = assigns(MONTHLY, "ben", "2024-02-01");
    let other = ruled_with(&book, &asked, &of((80.into(), &eight)), &SAMPLE);
    assert_eq!(told(&other), ["partner_id other_partner"]);
    assert_eq!((other.partner_id, other.membership_id), (None, None), "it is nobody's decision");
    let own = ruled_with(&book, &asked, &of((70.into(), &seven)), &SAMPLE);
    assert_eq!(
        (own.partner_id, own.membership_id, own.entitlement_id),
        (Some(70.into()), Some(10.into()), Some(1.into()))
    );
    assert_eq!(accepted(&own), [given(1, 2.into(), "ben", None)]);
}

#[test]
fn d1_windows_are_counted_from_the_arrival_and_the_operator_opens_them() {
    let book = book();
    let asked = assigns(MONTHLY, "ben", "2024-02-10");
    assert_eq!(told(&ruled(&book, &asked, "2024-02-09")), ["requested_on requested_in_future"]);
    accepted(&ruled(&book, &asked, "2024-02-10"));
    accepted(&ruled(&book, &asked, "2024-02-17"));
    let waits = ruled(&book, &asked, "2024-02-18");
    let Outcome::Waits(problem) = &waits.outcome else { panic!("{:?}", waits.outcome) };
    assert_eq!(problem.reason, Reason::WaitsForOperator { earliest_on: day("2024-02-11") });
    let opened = Arrival { accept_backdated: true, ..arrival("2024-02-18") };
    accepted(&ruled_with(&book, &asked, &opened, &SAMPLE));
    // A waiting one is let in later, under its number.
    let mut held = self::book();
    enter(&mut held, &asked, &waits);
    let again = ruled(&held, &asked, "2024-02-19");
    assert_eq!(
        (told(&again), again.request_no),
        (vec!["requested_on waits_for_operator".to_owned()], 100.into())
    );
    let later = Arrival { received_on: day("2024-02-19"), ..opened };
    let in_now = ruled_with(&held, &asked, &later, &SAMPLE);
    assert_eq!((accepted(&in_now).len(), in_now.waited), (1, true));
    enter(&mut held, &asked, &in_now);
    assert_eq!(told(&ruled_with(&held, &asked, &later, &SAMPLE)), [""; 0], "unchanged");
}

#[test]
fn d1_what_waited_and_was_refused_is_asked_for_anew_and_may_be_corrected() {
    let mut held = book();
    let by = |who: &str| {
        let row = assignment(MONTHLY, Assigning::Assign, "fay", None, "2024-02-10");
        Asked::Assignment(AssignmentRow { requested_by: name(who), ..row })
    };
    let waits = ruled(&held, &by("ada"), "2024-02-18");
    enter(&mut held, &by("ada"), &waits);
    let opened = Arrival { accept_backdated: true, ..arrival("2024-02-18") };
    let refused = ruled_with(&held, &by("ada"), &opened, &SAMPLE);
    assert_eq!((told(&refused), refused.waited), (vec!["user user_disabled".to_owned()], true));
    // As the store has it from then on.
    for recorded in held.recorded.values_mut() {
        (recorded.waits, recorded.refused) = (false, true);
    }
    assert_eq!(told(&ruled_with(&held, &by("ada"), &opened, &SAMPLE)), ["user user_disabled"]);
    assert!(matches!(ruled(&held, &by("ada"), "2024-02-18").outcome, Outcome::Waits(_)));
    held.users.insert((70.into(), name("fay")), user(5.into(), "fay", &[]));
    held.users.insert((70.into(), name("dan")), user(4.into(), "dan", &[Role::GlobalAdmin]));
    let corrected = ruled_with(&held, &by("dan"), &opened, &SAMPLE);
    assert_eq!((accepted(&corrected).len(), corrected.request_no, corrected.waited), (1, 100.into(), true));
    enter(&mut held, &by("dan"), &corrected);
    assert_eq!(ruled_with(&held, &by("dan"), &opened, &SAMPLE).outcome, Outcome::Unchanged(vec![]));
    assert_eq!(told(&ruled(&held, &by("ada"), "2024-02-18")), ["requested_by conflicts_with_earlier"]);
}

#[test]
fn d16_people_are_the_same_by_each_of_their_names_and_a_conflict_says_what_they_sign_in_as() {
    let mut book = book();
    for (object_id, named) in [("id-1", "ada"), ("id-2", "ben"), ("id-3", "gus")] {
        let user = book.user(70.into(), &name(named)).unwrap().clone();
        book.users.insert((70.into(), object_id.into()), user);
    }
    let transfer = |user: &str, to: &str, by: &str| {
        let mut row = assignment(BULK, Assigning::Transfer, "ben", Some("gus"), "2024-02-02");
        (row.user, row.to_user, row.requested_by) = (user.into(), Some(to.into()), by.into());
        Asked::Assignment(row)
    };
    done(&mut book, &assigns(BULK, "ben", "2024-02-01"));
    accepted(&done(&mut book, &transfer("ID-2", "Gus@p.example", "id-1")));
    let again = ruled(&book, &transfer("ben@p.example", "id-3", "ADA@p.example"), "2024-02-02");
    assert_eq!(again.outcome, Outcome::Unchanged(vec![]));
    let other = ruled(&book, &transfer("id-2", "dan@p.example", "Dan@p.example"), "2024-02-02");
    let conflict = |column: &str, value: &str, expected: &str| {
        let (column, expected) = (column.to_owned(), expected.to_owned());
        Problem::at(&column.clone(), value, Reason::ConflictsWithEarlier { column, expected })
    };
    let both = vec![
        conflict("requested_by", "Dan@p.example", "ada@p.example"),
        conflict("to_user", "dan@p.example", "gus@p.example"),
    ];
    assert_eq!(other.outcome, Outcome::Conflicts(both));
}

#[test]
fn d16_the_same_again_is_unchanged_and_other_content_under_its_key_conflicts() {
    let mut book = book();
    done(&mut book, &assigns(MONTHLY, "ben", "2024-02-01"));
    let Outcome::Unchanged(none) = ruled(&book, &assigns(MONTHLY, "ben", "2024-02-01"), "2024-03-01").outcome
    else {
        panic!()
    };
    assert_eq!(none, []);
    let mut other = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
    other.requested_by = name("dan");
    let other = ruled(&book, &Asked::Assignment(other), "2024-02-01");
    assert!(matches!(other.outcome, Outcome::Conflicts(_)));
    assert_eq!(told(&other), ["requested_by conflicts_with_earlier"]);
    // A refusal leaves nothing behind: it is asked for again.
    assert_eq!(told(&done(&mut book, &assigns(MONTHLY, "fay", "2024-02-01"))), ["user user_disabled"]);
    assert_eq!(told(&done(&mut book, &assigns(MONTHLY, "fay", "2024-02-01"))), ["user user_disabled"]);
}

#[test]
fn who_asks_is_enabled_holds_the_role_or_is_the_operator() {
    let book = book();
    let by = |by: &str, operator: bool| {
        let mut row = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
        row.requested_by = by.into();
        let arrival = Arrival { by_operator: operator, ..arrival("2024-02-01") };
        ruled_with(&book, &Asked::Assignment(row), &arrival, &SAMPLE)
    };
    accepted(&by(&name("ada"), false));
    assert_eq!(told(&by(&name("fay"), false)), ["requested_by user_disabled"]);
    let Outcome::Refused(problems) = by(&name("dan"), false).outcome else { panic!() };
    let missing = Reason::RoleMissing { roles: vec![Role::GlobalAdmin], held_by: vec![name("ada")] };
    assert_eq!(problems, [Problem::at("requested_by", &name("dan"), missing)]);
    assert_eq!(told(&by(OPERATOR, false)), ["requested_by unknown_user"]);
    accepted(&by(OPERATOR, true));
    assert_eq!(told(&by(&name("dan"), true)), ["requested_by role_missing"], "a user is asked about as ever");
    let mut book = book;
    book.ambiguous.insert((70.into(), name("ada")));
    let row = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
    let ruled = ruled_with(&book, &Asked::Assignment(row), &arrival("2024-02-01"), &SAMPLE);
    assert_eq!(told(&ruled), ["requested_by ambiguous_user"], "a name of two is nobody's");
}

#[test]
fn d13_every_failed_criterion_is_told_at_once() {
    let mut book = book();
    if let Some(fay) = book.users.get_mut(&(70.into(), name("fay"))) {
        fay.roles = vec![];
    }
    let mut row = assignment(SEATS, Assigning::Assign, "fay", None, "2025-03-03");
    row.requested_by = name("fay");
    assert_eq!(
        told(&ruled(&book, &Asked::Assignment(row), "2025-03-02")),
        [
            "requested_by user_disabled",
            "requested_by role_missing",
            "requested_on requested_in_future",
            "requested_on outside_benefit_dates",
            "user user_disabled",
        ]
    );
}

pub(super) fn key(action: Keying) -> Asked {
    Asked::Key(KeyRequestRow {
        partner_id: "7".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse("software").unwrap(),
        action,
        requested_by: name("ada"),
        requested_on: day("2024-02-01"),
        key_ref: Some(17.into()),
        tenant_id: None,
        mode: None,
    })
}

pub(super) fn activates(benefit: &str) -> Asked {
    Asked::Activation(ActivationRow {
        partner_id: "7".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse(benefit).unwrap(),
        requested_by: name("ada"),
        requested_on: day("2024-02-01"),
    })
}

#[test]
fn each_kind_of_request_needs_its_own_right() {
    let ticket = Ticket {
        order_id: None,
        product: "Deskside 365".into(),
        product_version: None,
        access_id: None,
        contract_id: None,
    };
    let hours = Request::AdvisoryHours { order_id: Some("ORD-1".into()), minutes: 90, product: None };
    let asked = [
        (
            assigns(MONTHLY, "ben", "2024-02-01"),
            Action::Assign,
            "assign",
            "ORD-1|azure_monthly_credit|assign|2|2024-02-01",
        ),
        (key(Keying::Reveal), Action::UseKeys, "reveal", "ORD-1|software|reveal|K17|2024-02-01"),
        (key(Keying::Redeem), Action::UseKeys, "redeem", "ORD-1|software|redeem|K17|2024-02-01"),
        (activates("software"), Action::Activate, "activate", "ORD-1|software"),
        (
            activates("go_to_market/silver_core"),
            Action::ActivateOffer,
            "activate",
            "ORD-1|go_to_market/silver_core",
        ),
        (cancels("ada", "2024-02-01"), Action::Cancel, "cancel", "SR-1"),
        (service(hours, "x", "2024-02-01"), Action::AskForHelp, "advisory_hours", "SR-1"),
        (
            service(Request::CloudSupport(ticket), "x", "2024-02-01"),
            Action::AskForHelp,
            "cloud_support",
            "SR-1",
        ),
    ];
    for (asked, action, kind, key) in asked {
        assert_eq!((asked.action(), asked.kind(), asked.key(2.into()).as_str()), (action, kind, key));
        let family = if key == "SR-1" { "service" } else { kind };
        assert_eq!(asked.family(), family);
    }
}

#[test]
fn what_a_decision_says_was_asked_for_names_no_more_than_it_must() {
    let transfer = Asked::Assignment(assignment(BULK, Assigning::Transfer, "ben", Some("gus"), "2024-02-01"));
    assert_eq!(
        transfer.told(),
        json!({"user": name("ben"), "to_user": name("gus"), "requested_on": "2024-02-01"})
    );
    assert_eq!(transfer.subject(), ("entitlement", "ORD-1/azure_bulk_credit".to_owned()));
    assert_eq!(transfer.content(1, Some(3.into())), json!({"requested_by": 1, "to_user": 3}));
    assert_eq!(cancels("ada", "2024-02-01").subject(), ("order", "ORD-1".to_owned()));
    let hours = Request::AdvisoryHours { order_id: None, minutes: 90, product: None };
    let hours = service(hours, &name("ben"), "2024-02-01");
    assert_eq!(hours.subject(), ("request", "SR-1".to_owned()));
    assert_eq!(
        hours.told(),
        json!({
            "kind": "advisory_hours", "minutes": 90, "request_id": "SR-1", "requested_by": name("ben"),
            "requested_on": "2024-02-01",
        })
    );
}

#[test]
fn d7_a_cancellation_is_for_the_night_and_freezes_its_order_from_its_receipt() {
    let mut book = book();
    let pending = done(&mut book, &cancels("dan", "2024-02-01"));
    assert!(matches!(pending.outcome, Outcome::Pending(_)), "{:?}", pending.outcome);
    assert_eq!(book.orders["ORD-1"].frozen_by, Some("SR-1".into()));
    assert_eq!(told(&ruled(&book, &cancels("dan", "2024-02-01"), "2024-02-02")), [""; 0]);
    let mut second = self::book();
    let waits = ruled(&second, &cancels("dan", "2024-02-01"), "2024-02-20");
    enter(&mut second, &cancels("dan", "2024-02-01"), &waits);
    assert!(matches!(waits.outcome, Outcome::Waits(_)), "{:?}", waits.outcome);
    assert_eq!(
        second.orders["ORD-1"].frozen_by,
        Some("SR-1".into()),
        "also where the operator decides first"
    );
}

#[test]
fn the_operator_asks_in_the_operators_name_though_a_user_of_the_partner_is_called_so() {
    let mut book = book();
    let user = User { name: OPERATOR.into(), ..user(9.into(), "operator", &[]) };
    book.users.insert((70.into(), OPERATOR.into()), user);
    let mut row = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
    row.requested_by = OPERATOR.into();
    let asked = Asked::Assignment(row);
    let by_operator = Arrival { by_operator: true, ..arrival("2024-02-01") };
    accepted(&ruled_with(&book, &asked, &by_operator, &SAMPLE));
    assert_eq!(told(&ruled(&book, &asked, "2024-02-01")), ["requested_by role_missing"], "it is the user's");
}

#[test]
fn d16_what_the_operator_asked_for_is_unchanged_when_it_comes_again_in_a_file() {
    let mut book = book();
    let mut row = assignment(MONTHLY, Assigning::Assign, "ben", None, "2024-02-01");
    row.requested_by = OPERATOR.into();
    let asked = Asked::Assignment(row);
    assert_eq!(told(&ruled(&book, &asked, "2024-02-01")), ["requested_by unknown_user"], "new, in a file");
    let by_operator = Arrival { by_operator: true, ..arrival("2024-02-01") };
    let first = ruled_with(&book, &asked, &by_operator, &SAMPLE);
    accepted(&first);
    enter(&mut book, &asked, &first);
    let again = ruled(&book, &asked, "2024-02-02");
    assert!(matches!(&again.outcome, Outcome::Unchanged(none) if none.is_empty()), "{:?}", again.outcome);
}

#[test]
fn r5_r8_keys_and_activations_are_ruled_on_like_every_other_request() {
    let mut book = book();
    let key = |key_id| Key { key_id, seats: None, months: 12, revealed_on: None, redeemed_on: None };
    book.benefits.get_mut(&4.into()).unwrap().keys = vec![key(41.into())];
    let reveal = Asked::Key(KeyRequestRow {
        partner_id: "7".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse("software").unwrap(),
        action: Keying::Reveal,
        requested_by: name("dan"),
        requested_on: day("2024-02-01"),
        key_ref: None,
        tenant_id: None,
        mode: None,
    });
    let revealed = [Effect::Revealed { entitlement_id: 4.into(), key_id: 41.into() }];
    assert_eq!(accepted(&ruled(&book, &reveal, "2024-02-01")), revealed);
    let activate = Asked::Activation(ActivationRow {
        partner_id: "7".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse("software").unwrap(),
        requested_by: name("dan"),
        requested_on: day("2024-02-01"),
    });
    let effects = done(&mut book, &activate);
    assert!(
        matches!(accepted(&effects), [Effect::Activated { entitlement_id, .. }] if entitlement_id.get() == 4),
        "{effects:?}"
    );
    assert_eq!(book.benefits[&4.into()].activated_on, Some(day("2024-02-01")));
}
