use super::{
    super::{
        benefit::{Benefit, Offer as Bought},
        book::{self, Book, Order, Partner},
        catalogue::{self, Catalogue},
        id::{AccessId, ContractId, OrderId},
        membership::Year,
        request_terms::SAMPLE,
    },
    *,
};

/// A date.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What requests of one partner, number 7, are ruled on: its orders and benefits.
pub struct World {
    /// What is known.
    pub book: Book,
    partner: Partner,
    catalogue: Catalogue,
}

impl World {
    /// A partner with a contact and one gold order, ORD-41, of 31 January 2024.
    pub fn new() -> Self {
        let partner = Partner { partner_id: 7.into(), has_contact: true, ..book::sample::partner() };
        let mut world = Self {
            book: Book::default(),
            partner,
            catalogue: Catalogue::parse(catalogue::BUILT_IN).unwrap(),
        };
        world.order(41, Bought::Gold);
        world
    }

    /// Another order, `ORD-<number>`.
    pub fn order(&mut self, membership_id: i64, offer: Bought) {
        let order = Order {
            membership_id: membership_id.into(),
            partner_id: 7.into(),
            order_id: format!("ORD-{membership_id}").into(),
            offer: Some(offer),
            year: Year::starting(day("2024-01-31"), 30),
            ended_on: None,
            frozen_by: None,
            support: None,
        };
        self.book.orders.insert(order.order_id.clone(), order);
    }

    /// An order, to be changed.
    pub fn order_mut(&mut self, order_id: &str) -> &mut Order {
        self.book.orders.get_mut(order_id).unwrap()
    }

    /// A benefit of an order from 31 January 2024 through a day.
    pub fn benefit(&mut self, id: i64, order: i64, code: &str, quantity: Option<u32>, ends_on: &str) {
        let held = Held {
            entitlement_id: id.into(),
            partner_id: 7.into(),
            membership_id: order.into(),
            order_id: format!("ORD-{order}").into(),
            benefit: Benefit::parse(code).unwrap(),
            quantity,
            starts_on: day("2024-01-31"),
            last_usable_on: day(ends_on),
            ended_on: None,
            seats: vec![],
            keys: vec![],
            activated_on: None,
            drawn: 0,
            beside: vec![],
        };
        self.book.benefits.insert(id.into(), held);
        let drawable = self.book.drawable.entry(7.into()).or_default();
        drawable.push(id.into());
        drawable.sort_by_key(|id| (self.book.benefits[id].ends_on(), *id));
    }

    /// A benefit, to be changed.
    pub fn held(&mut self, id: i64) -> &mut Held {
        self.book.benefits.get_mut(&id.into()).unwrap()
    }

    /// The case of a request that names an order, or none, and a benefit of it, or none.
    pub fn case(&self, order: Option<&OrderId>, held: Option<i64>, on: &str) -> Case<'_> {
        Case {
            book: &self.book,
            partner: &self.partner,
            order: order.map(|order_id| &self.book.orders[order_id]),
            held: held.map(|id| &self.book.benefits[&id.into()]),
            on: day(on),
            terms: &SAMPLE,
            catalogue: &self.catalogue,
        }
    }

    fn activate(&self, id: i64, on: &str) -> Ruling {
        let held = &self.book.benefits[&id.into()];
        let activation = ActivationRow {
            partner_id: "4201".into(),
            order_id: held.order_id.clone(),
            benefit: held.benefit.clone(),
            requested_by: "bo@akeri.example".into(),
            requested_on: day(on),
        };
        decide(&self.case(Some(&held.order_id), Some(id), on), held, &activation)
    }

    fn activated(&mut self, id: i64, on: &str) -> (Vec<Effect>, Vec<Problem>) {
        let (effects, remarks) = self.activate(id, on).unwrap();
        for effect in &effects {
            self.book.enter(effect, day(on));
        }
        (effects, remarks)
    }
}

#[test]
fn r5_software_is_activated_once_for_ever() {
    let mut world = World::new();
    world.benefit(1, 41, "software", Some(1), "2025-03-02");
    let activated = Effect::Activated { entitlement_id: 1.into(), live_on: None };
    assert_eq!(world.activated(1, "2024-02-10"), (vec![activated], vec![]));
    let again =
        Problem::at("benefit", "software", Reason::AlreadyActivated { activated_on: day("2024-02-10") });
    assert_eq!(world.activate(1, "2024-02-11"), Err(vec![again]));
}

#[test]
fn r6_the_first_support_benefit_of_an_order_opens_its_ids_and_the_second_reuses_them() {
    let mut world = World::new();
    world.order(42, Bought::Silver);
    world.benefit(1, 41, "product_support", Some(20), "2025-03-02");
    world.benefit(2, 41, "signature_cloud_support", Some(10), "2025-03-02");
    world.benefit(3, 42, "product_support", Some(15), "2025-03-02");
    let ids = |contract: &str| {
        let (access_id, contract_id) = (AccessId::from("1000000007"), ContractId::from(contract));
        (
            access_id.clone(),
            contract_id.clone(),
            Problem::of_row(Reason::SupportIds { access_id, contract_id }),
        )
    };
    let opened = |id, membership_id, contract| {
        let (access_id, contract_id, told) = ids(contract);
        let effects = vec![
            Effect::Activated { entitlement_id: id, live_on: None },
            Effect::SupportOpened { membership_id, access_id, contract_id },
        ];
        (effects, vec![told])
    };
    assert_eq!(world.activated(1, "2024-02-10"), opened(1.into(), 41.into(), "2000000041"));
    let reused =
        (vec![Effect::Activated { entitlement_id: 2.into(), live_on: None }], vec![ids("2000000041").2]);
    assert_eq!(world.activated(2, "2024-02-11"), reused);
    assert_eq!(
        world.activated(3, "2024-02-11"),
        opened(3.into(), 42.into(), "2000000042"),
        "per order, the partner's own"
    );
}

#[test]
fn r8_an_offer_is_live_some_days_after_its_activation_and_through_its_last_day() {
    let mut world = World::new();
    world.benefit(1, 41, "go_to_market/gold_core", Some(1), "2025-03-02");
    let live = |live_on: &str| {
        let (live_on, until) = (day(live_on), day("2025-03-02"));
        let effect = Effect::Activated { entitlement_id: 1.into(), live_on: Some(live_on) };
        Ok((vec![effect], vec![Problem::of_row(Reason::GoesLive { live_on, until })]))
    };
    assert_eq!(world.activate(1, "2024-02-27"), live("2024-03-01"), "over 29 February");
    assert_eq!(world.activate(1, "2025-02-27"), live("2025-03-02"), "on its last day");
    let too_late = Reason::EndsBeforeLive { live_on: day("2025-03-03"), ends_on: day("2025-03-02") };
    let too_late = Problem::at("requested_on", "2025-02-28", too_late);
    assert_eq!(world.activate(1, "2025-02-28"), Err(vec![too_late]));
}

#[test]
fn r8_an_offer_needs_a_contact_first_who_can_sign_in() {
    let mut world = World::new();
    world.benefit(1, 41, "go_to_market/gold_core", Some(1), "2025-03-02");
    world.book.disabled_contacts.insert(7.into(), "ada@akeri.example".into());
    let disabled = Problem::at("", "ada@akeri.example", Reason::UserDisabled);
    assert_eq!(world.activate(1, "2024-02-10"), Err(vec![disabled]));
    world.book.disabled_contacts.clear();
    world.partner.has_contact = false;
    let missing = Problem::at("benefit", "go_to_market/gold_core", Reason::ContactMissing);
    assert_eq!(world.activate(1, "2024-02-10"), Err(vec![missing]));
    world.benefit(2, 41, "software", Some(1), "2025-03-02");
    assert!(world.activate(2, "2024-02-10").is_ok(), "other benefits need none");
}

#[test]
fn d7_a_frozen_order_activates_nothing_of_any_kind() {
    let mut world = World::new();
    world.order_mut("ORD-41").frozen_by = Some("SR-1".into());
    let kinds = ["software", "product_support", "signature_cloud_support", "go_to_market/gold_core"];
    for (id, code) in (1..).zip(kinds) {
        world.benefit(id, 41, code, Some(1), "2025-03-02");
        let frozen = Problem::at("order_id", "ORD-41", Reason::OrderFrozen { request_id: "SR-1".into() });
        assert_eq!(world.activate(id, "2024-02-10"), Err(vec![frozen]), "{code}");
    }
}

#[test]
fn a_benefit_is_activated_from_its_first_through_its_last_usable_day_and_every_reason_is_listed() {
    let mut world = World::new();
    world.benefit(1, 41, "software", Some(1), "2025-03-02");
    let outside = |on: &str, ends_on: &str| {
        let reason = Reason::OutsideBenefitDates {
            on: Some(day(on)),
            starts_on: day("2024-01-31"),
            ends_on: day(ends_on),
        };
        Problem::at("requested_on", on, reason)
    };
    assert_eq!(world.activate(1, "2024-01-30"), Err(vec![outside("2024-01-30", "2025-03-02")]));
    assert!(world.activate(1, "2024-01-31").is_ok() && world.activate(1, "2025-03-02").is_ok());
    assert_eq!(world.activate(1, "2025-03-03"), Err(vec![outside("2025-03-03", "2025-03-02")]));
    let held = world.held(1);
    held.ended_on = Some(day("2024-06-30"));
    held.activated_on = Some(day("2024-02-10"));
    world.order_mut("ORD-41").frozen_by = Some("SR-1".into());
    let every = world.activate(1, "2024-07-01").unwrap_err();
    let codes: Vec<&str> = every.iter().map(|problem| problem.reason.code()).collect();
    assert_eq!(codes, ["already_activated", "order_frozen", "outside_benefit_dates"]);
    for (id, code) in (2..).zip([
        "azure_monthly_credit",
        "azure_bulk_credit/cloud_platform",
        "license_subscription/office_365",
        "visual_studio/app_dev",
        "advisory_hours",
    ]) {
        let mut world = World::new();
        world.benefit(id, 41, code, Some(1), "2025-03-02");
        let never = Problem::at("benefit", code, Reason::NotActivatable);
        assert_eq!(world.activate(id, "2024-02-10"), Err(vec![never]));
    }
}

#[test]
fn r8_an_offer_goes_live_on_its_day_unless_it_ended_before() {
    let offer = PendingOffer {
        activated_on: day("2024-02-10"),
        live_on: day("2024-02-13"),
        last_usable_on: day("2025-03-02"),
        ended_on: None,
        known_on: day("2024-02-10"),
    };
    assert!(!offer.is_live(day("2024-02-12")) && offer.is_live(day("2024-02-13")));
    let ended = |on: &str| PendingOffer { ended_on: Some(day(on)), ..offer };
    assert!(!ended("2024-02-12").is_live(day("2024-03-01")));
    assert!(ended("2024-02-13").is_live(day("2024-03-01")));
    assert!(offer.is_told() && !ended("2024-02-13").is_told());
    let known = |on: &str| PendingOffer { known_on: day(on), ..offer };
    assert!(known("2025-03-02").is_told() && !known("2025-03-03").is_told(), "over before it was known");
}
