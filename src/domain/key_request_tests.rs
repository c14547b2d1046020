use super::{
    super::{
        benefit::{Benefit, Offer},
        book::{Book, Order, Partner},
        catalogue::{self, Catalogue},
        membership::Year,
        reason::Earliest,
        request_terms::SAMPLE,
    },
    *,
};

const TENANT: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
const SUITE: &str = "license_subscription/office_365";

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

fn key(key_id: i64, seats: u32) -> Key {
    Key { key_id: key_id.into(), seats: Some(seats), months: 12, revealed_on: None, redeemed_on: None }
}

/// An order of a year from 10 February 2024, with a licence subscription of three keys.
struct Scene {
    book: Book,
    order: Order,
    held: Held,
    partner: Partner,
}

impl Scene {
    fn new(benefit: &str) -> Self {
        let order = Order {
            membership_id: 1.into(),
            partner_id: 7.into(),
            order_id: "ORD-1".into(),
            offer: Some(Offer::Silver),
            year: Year::starting(day("2024-02-10"), 30),
            ended_on: None,
            frozen_by: None,
            support: None,
        };
        let held = Held {
            entitlement_id: 4.into(),
            partner_id: 7.into(),
            membership_id: 1.into(),
            order_id: "ORD-1".into(),
            benefit: Benefit::parse(benefit).unwrap(),
            quantity: Some(1),
            starts_on: day("2024-02-10"),
            last_usable_on: day("2025-03-12"),
            ended_on: None,
            seats: vec![],
            keys: vec![key(11, 25), key(12, 25), key(13, 80)],
            activated_on: None,
            drawn: 0,
            beside: vec![],
        };
        let partner = Partner {
            partner_id: 7.into(),
            country: "SE".into(),
            tenant_id: Some(TENANT.into()),
            group: "partner 4201".into(),
            has_contact: false,
            exclusions: vec![],
        };
        Self { book: Book::default(), order, held, partner }
    }

    fn subscribed(mut self, seats: u32, ends_on: &str) -> Self {
        let of = (7.into(), self.held.benefit.as_str().to_owned());
        self.book.subscriptions.insert(of, Subscription { seats, ends_on: day(ends_on) });
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "rows are written where they are asked for")]
    fn rule(&self, asked: KeyRequestRow) -> Ruling {
        let catalogue = Catalogue::parse(catalogue::BUILT_IN).unwrap();
        let case = Case {
            book: &self.book,
            partner: &self.partner,
            order: Some(&self.order),
            held: Some(&self.held),
            on: asked.requested_on,
            terms: &SAMPLE,
            catalogue: &catalogue,
        };
        decide(&case, &self.held, &asked)
    }

    #[track_caller]
    fn refused(&self, asked: KeyRequestRow) -> Vec<String> {
        let problems = self.rule(asked).unwrap_err();
        problems.iter().map(|p| format!("{} {}", p.column, p.reason.code()).trim().to_owned()).collect()
    }
}

fn asks(action: KeyAction, on: &str) -> KeyRequestRow {
    KeyRequestRow {
        partner_id: "4201".into(),
        order_id: "ORD-1".into(),
        benefit: Benefit::parse(SUITE).unwrap(),
        action,
        requested_by: "ada@akeri.example".into(),
        requested_on: day(on),
        key_ref: None,
        tenant_id: None,
        mode: None,
    }
}

fn redeems(mode: Mode, on: &str) -> KeyRequestRow {
    KeyRequestRow { mode: Some(mode), ..asks(KeyAction::Redeem, on) }
}

#[test]
fn r5_the_oldest_key_that_was_not_revealed_is_revealed_or_the_one_that_is_named() {
    let mut scene = Scene::new(SUITE);
    let revealed = |ruling: Ruling| match ruling.unwrap().0.as_slice() {
        [Effect::Revealed { entitlement_id, key_id }] if entitlement_id.get() == 4 => *key_id,
        other => panic!("{other:?}"),
    };
    let asked = asks(KeyAction::Reveal, "2024-02-12");
    assert_eq!(revealed(scene.rule(asked.clone())), 11.into());
    scene.held.keys[0].revealed_on = Some(day("2024-02-11"));
    assert_eq!(revealed(scene.rule(asked.clone())), 12.into());
    assert_eq!(
        revealed(scene.rule(KeyRequestRow { key_ref: Some(11.into()), ..asked.clone() })),
        11.into(),
        "once more"
    );
    assert_eq!(
        scene.refused(KeyRequestRow { key_ref: Some(99.into()), ..asked.clone() }),
        ["key_ref unknown_key"],
        "another benefit's"
    );
    scene.held.keys.truncate(1);
    assert_eq!(scene.refused(asked), ["benefit no_key_left"]);
}

#[test]
fn r5_software_is_revealed_and_not_redeemed_and_credit_is_neither() {
    let software = Scene::new("software/windows");
    assert!(software.rule(asks(KeyAction::Reveal, "2024-02-12")).is_ok());
    assert_eq!(software.refused(asks(KeyAction::Redeem, "2024-02-12")), ["benefit not_redeemable"]);
    let mut credit = Scene::new("azure_monthly_credit");
    credit.held.keys.clear();
    let reasons = credit.refused(asks(KeyAction::Reveal, "2024-02-12"));
    assert_eq!(reasons, ["benefit not_revealable", "benefit no_key_left"]);
}

#[test]
fn r3_a_key_begins_a_subscription_on_the_partners_own_tenant_and_only_once() {
    let mut scene = Scene::new(SUITE);
    let (effects, remarks) = scene.rule(asks(KeyAction::Redeem, "2024-02-29")).unwrap();
    let after = Subscription { seats: 25, ends_on: day("2025-02-28") };
    let expected = Effect::Redeemed {
        entitlement_id: 4.into(),
        key_id: 11.into(),
        mode: Mode::New,
        tenant_id: TENANT.into(),
        before: None,
        after,
    };
    assert_eq!(effects, std::slice::from_ref(&expected));
    let codes: Vec<&str> = remarks.iter().map(|remark| remark.reason.code()).collect();
    assert_eq!(codes, ["key_named", "subscription_now"]);
    scene.book.benefits.insert(4.into(), scene.held.clone());
    scene.book.enter(&expected, day("2024-02-29"));
    scene.held = scene.book.benefits[&4.into()].clone();
    let again = KeyRequestRow { key_ref: Some(11.into()), ..redeems(Mode::Extend, "2024-03-01") };
    let problems = scene.rule(again).unwrap_err();
    assert_eq!(problems[0].reason, Reason::KeyRedeemed { redeemed_on: day("2024-02-29") });
    assert_eq!(problems[0].reason.earliest(), Earliest::Never);
    // The next key is the one that was neither redeemed nor revealed.
    scene.held.keys[1].revealed_on = Some(day("2024-03-01"));
    let (effects, _) = scene.rule(redeems(Mode::AddSeats, "2024-03-01")).unwrap();
    assert!(matches!(effects[0], Effect::Redeemed { key_id, .. } if key_id == 13.into()), "{effects:?}");
}

#[test]
fn r3_another_tenant_or_an_unknown_one_is_refused() {
    let mut scene = Scene::new(SUITE);
    let onto = |tenant: &str| KeyRequestRow {
        tenant_id: Some(tenant.into()),
        ..asks(KeyAction::Redeem, "2024-02-12")
    };
    assert!(scene.rule(onto(&TENANT.to_uppercase())).is_ok());
    let other = "00000000-4f89-11d3-9a0c-0305e82c3301";
    assert_eq!(scene.refused(onto(other)), ["tenant_id wrong_tenant"]);
    scene.partner.tenant_id = None;
    assert_eq!(scene.refused(onto(other)), ["tenant_id tenant_unknown"]);
    assert_eq!(scene.refused(asks(KeyAction::Redeem, "2024-02-12")), ["tenant_id tenant_unknown"]);
}

#[test]
fn r3_a_live_subscription_is_added_to_or_extended_and_one_that_ended_begins_anew() {
    let scene = Scene::new(SUITE).subscribed(25, "2024-06-10");
    let after = |mode, on: &str| match scene.rule(redeems(mode, on)).unwrap().0.as_slice() {
        [Effect::Redeemed { after, .. }] => (after.seats, after.ends_on.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(after(Mode::AddSeats, "2024-02-10"), (50, "2024-10-10".into()));
    assert_eq!(after(Mode::Extend, "2024-02-10"), (25, "2025-06-10".into()));
    assert_eq!(scene.refused(redeems(Mode::New, "2024-06-09")), ["mode subscription_live"]);
    assert_eq!(scene.refused(asks(KeyAction::Redeem, "2024-06-09")), ["mode subscription_live"]);
    assert_eq!(after(Mode::New, "2024-06-10"), (25, "2025-06-10".into()));
    assert_eq!(scene.refused(redeems(Mode::Extend, "2024-06-10")), ["mode no_live_subscription"]);
    let big = KeyRequestRow { key_ref: Some(13.into()), ..redeems(Mode::Extend, "2024-06-09") };
    assert_eq!(scene.rule(big).unwrap_err()[0].reason, Reason::ExtendsTooMuch { seats: 80, most: 75 });
}

#[test]
fn d7_a_frozen_order_gives_out_no_key_and_a_refunded_one_never_again_whatever_the_date() {
    let mut scene = Scene::new(SUITE);
    scene.order.frozen_by = Some("SR-1".into());
    for action in [KeyAction::Reveal, KeyAction::Redeem] {
        assert_eq!(scene.refused(asks(action, "2024-02-12")), ["order_id order_frozen"]);
    }
    scene.order.frozen_by = None;
    (scene.order.ended_on, scene.held.ended_on) = (Some(day("2024-03-11")), Some(day("2024-03-11")));
    for action in [KeyAction::Reveal, KeyAction::Redeem] {
        assert_eq!(scene.refused(asks(action, "2024-03-11")), ["order_id already_ended"]);
    }
    let reasons = scene.refused(asks(KeyAction::Reveal, "2024-03-12"));
    assert_eq!(reasons, ["order_id already_ended", "requested_on outside_benefit_dates"]);
    // One that ran its year has ended too, and a late request about it is still judged by its date.
    (scene.order.ended_on, scene.held.ended_on) = (Some(day("2025-03-12")), Some(day("2025-03-12")));
    assert!(scene.rule(asks(KeyAction::Reveal, "2025-03-12")).is_ok());
}

#[test]
fn d13_every_reason_is_listed_and_the_benefits_days_are_inclusive() {
    let mut scene = Scene::new(SUITE).subscribed(5, "2026-01-01");
    scene.order.frozen_by = Some("SR-1".into());
    scene.held.keys[0].seats = None;
    let bad = KeyRequestRow {
        key_ref: Some(11.into()),
        tenant_id: Some("00000000-4f89-11d3-9a0c-0305e82c3301".into()),
        ..redeems(Mode::New, "2025-03-13")
    };
    assert_eq!(
        scene.refused(bad),
        [
            "order_id order_frozen",
            "requested_on outside_benefit_dates",
            "tenant_id wrong_tenant",
            "mode subscription_live",
            "key_ref key_without_seats"
        ]
    );
    let scene = Scene::new(SUITE);
    for (on, runs) in
        [("2024-02-09", false), ("2024-02-10", true), ("2025-03-12", true), ("2025-03-13", false)]
    {
        assert_eq!(scene.rule(asks(KeyAction::Reveal, on)).is_ok(), runs, "{on}");
    }
}

#[test]
fn r5_the_key_that_a_request_without_one_is_about_is_told_by_its_number() {
    let mut scene = Scene::new(SUITE);
    let asked = asks(KeyAction::Reveal, "2024-02-12");
    assert_eq!(chosen(&scene.held, &asked), Some(11.into()));
    assert_eq!(
        chosen(&scene.held, &KeyRequestRow { key_ref: Some(13.into()), ..asked.clone() }),
        Some(13.into())
    );
    scene.held.keys.clear();
    assert_eq!(chosen(&scene.held, &asked), None);
}

#[test]
fn d13_a_mode_that_cannot_be_is_told_as_it_was_written() {
    let live = Scene::new(SUITE).subscribed(25, "2024-06-10");
    let value = |scene: &Scene, asked| scene.rule(asked).unwrap_err()[0].value.clone();
    assert_eq!(value(&live, redeems(Mode::New, "2024-06-09")), "new");
    assert_eq!(value(&live, asks(KeyAction::Redeem, "2024-06-09")), "");
    assert_eq!(value(&live, redeems(Mode::Extend, "2024-06-10")), "extend");
}
