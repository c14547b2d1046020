use super::{
    super::{
        activation::tests::{World, day},
        benefit::Offer,
    },
    *,
};

const SERVER: &str = "Harbour Server";
const CLOUD: &str = "Deskside 365";

/// A gold order, ORD-41, with support activated on 10 February 2024; and silver ORD-42 that ends earlier, without.
fn world() -> World {
    let mut world = World::new();
    world.order(42, Offer::Silver);
    world.benefit(1, 41, "product_support", Some(20), "2025-03-02");
    world.benefit(2, 41, "signature_cloud_support", Some(10), "2025-03-02");
    world.benefit(3, 42, "product_support", Some(1), "2024-06-30");
    world.benefit(4, 42, "signature_cloud_support", Some(1), "2024-06-30");
    open(&mut world, 1, "ORD-41");
    world
}

fn open(world: &mut World, benefit: i64, order_id: &str) {
    world.held(benefit).activated_on = Some(day("2024-02-10"));
    let order = world.order_mut(order_id);
    order.support = Some((access_id(7.into()), contract_id(order.membership_id)));
}

/// A ticket about a product and its version, of an order or none, with an Access ID and a Contract ID or none.
fn ticket(product: &str, version: &str, order: &str, ids: (&str, &str)) -> Ticket {
    let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ticket {
        order_id: set(order).map(OrderId::from),
        product: product.into(),
        product_version: set(version),
        access_id: set(ids.0).map(AccessId::from),
        contract_id: set(ids.1).map(ContractId::from),
    }
}

fn ask(world: &World, request: &Request, on: &str) -> Ruling {
    decide(&world.case(request.order_id(), None, on), request)
}

fn on_premises(world: &World, version: &str, order: &str, ids: (&str, &str), on: &str) -> Ruling {
    ask(world, &Request::ProductSupport(ticket(SERVER, version, order, ids)), on)
}

fn cloud(world: &World, product: &str, order: &str, ids: (&str, &str), on: &str) -> Ruling {
    ask(world, &Request::CloudSupport(ticket(product, "", order, ids)), on)
}

#[expect(clippy::unnecessary_wraps, reason = "compared with rulings")]
fn drawn(entitlement_id: i64, left: i64) -> Ruling {
    let left = Problem::of_row(Reason::LeftOver { unit: Unit::Incidents, left });
    Ok((vec![Effect::Drawn { entitlement_id: entitlement_id.into(), count: 1 }], vec![left]))
}

fn no(column: &str, value: &str, reason: Reason) -> Ruling {
    Err(vec![Problem::at(column, value, reason)])
}

const IDS: (&str, &str) = ("1000000007", "2000000041");

#[test]
fn r6_ids_are_the_partners_and_the_orders_and_are_seen_by_the_enabled_once_activated() {
    assert_eq!((access_id(7.into()).as_str(), contract_id(41.into()).as_str()), IDS);
    assert_eq!(access_id(1_234_567_890.into()), "11234567890");
    assert_eq!(see_ids(true, Some(IDS)), Ok(IDS));
    assert_eq!(see_ids(false, Some(IDS)), Err(Reason::UserDisabled));
    assert_eq!(see_ids(true, None::<()>), Err(Reason::SupportNotActivated));
    assert_eq!(see_ids(false, None::<()>), Err(Reason::UserDisabled));
}

#[test]
fn r6_the_contract_names_the_order_that_an_incident_is_taken_from() {
    let mut world = world();
    assert_eq!(on_premises(&world, "2022", "", IDS, "2024-03-01"), drawn(1, 19));
    open(&mut world, 3, "ORD-42");
    let other = ("1000000007", "2000000042");
    assert_eq!(on_premises(&world, "2022", "", other, "2024-03-01"), drawn(3, 0));
    assert_eq!(on_premises(&world, "2022", "ORD-42", other, "2024-03-01"), drawn(3, 0));
    let wrong = no("contract_id", IDS.1, Reason::WrongSupportId);
    assert_eq!(on_premises(&world, "2022", "ORD-42", IDS, "2024-03-01"), wrong);
}

#[test]
fn r6_ids_are_needed_on_premises_for_azure_and_dynamics_and_nowhere_else() {
    let world = world();
    let lacks = Err(vec![
        Problem::at("access_id", "", Reason::Missing),
        Problem::at("contract_id", "", Reason::Missing),
    ]);
    assert_eq!(on_premises(&world, "2022", "", ("", ""), "2024-03-01"), lacks);
    for product in ["azure", "Ledgerline Business"] {
        assert_eq!(cloud(&world, product, "", ("", ""), "2024-03-01"), lacks, "{product}");
        assert_eq!(cloud(&world, product, "", IDS, "2024-03-01"), drawn(2, 9), "{product}");
    }
    for product in ["Azure through a cloud solution provider", CLOUD] {
        assert_eq!(cloud(&world, product, "", ("", ""), "2024-03-01"), drawn(4, 10), "{product}");
    }
    assert_eq!(
        cloud(&world, "Azure", "", ("1000000008", "2000000042"), "2024-03-01"),
        Err(vec![
            Problem::at("access_id", "1000000008", Reason::WrongSupportId),
            Problem::at("contract_id", "2000000042", Reason::WrongSupportId),
        ])
    );
    assert_eq!(
        cloud(&world, "Azure", "", ("", IDS.1), "2024-03-01"),
        no("access_id", "", Reason::Missing),
        "both are"
    );
}

#[test]
fn r6_a_ticket_that_needs_ids_is_refused_until_the_orders_support_is_activated() {
    let world = world();
    let not_yet = |order: &str| no("order_id", order, Reason::SupportNotActivated);
    assert_eq!(on_premises(&world, "2022", "ORD-42", IDS, "2024-03-01"), not_yet("ORD-42"));
    assert_eq!(on_premises(&world, "2022", "", IDS, "2024-02-09"), not_yet(""), "the request's date decides");
    assert_eq!(on_premises(&world, "2022", "", IDS, "2024-02-10"), drawn(1, 19));
}

#[test]
fn r6_only_the_current_and_the_previous_version_on_the_requests_date_are_supported() {
    let world = world();
    let ask = |version, on| on_premises(&world, version, "ORD-41", IDS, on);
    let unsupported = |version: &str, supported: [&str; 2]| {
        let supported = supported.map(str::to_owned).to_vec();
        no("product_version", version, Reason::VersionNotSupported { supported })
    };
    // 2025 came out on 4 November 2024.
    assert_eq!(ask("2019", "2024-11-03"), drawn(1, 19));
    assert_eq!(ask("2019", "2024-11-04"), unsupported("2019", ["2022", "2025"]));
    assert_eq!(ask("2025", "2024-11-03"), unsupported("2025", ["2019", "2022"]));
    assert_eq!(ask("2025", "2024-11-04"), drawn(1, 19));
    assert_eq!(ask("", "2024-11-04"), no("product_version", "", Reason::Missing));
}

#[test]
fn r6_each_kind_of_support_is_for_its_families_and_a_product_must_be_known() {
    let world = world();
    let kinds: [fn(Ticket) -> Request; 2] = [Request::ProductSupport, Request::CloudSupport];
    for (product, covered) in [
        (SERVER, [true, false]),
        ("Azure", [false, true]),
        ("Azure through a cloud solution provider", [false, true]),
        ("Ledgerline Business", [false, true]),
        (CLOUD, [false, true]),
    ] {
        for (kind, covered) in kinds.into_iter().zip(covered) {
            let ruling = ask(&world, &kind(ticket(product, "2022", "", IDS)), "2024-03-01");
            let refused = no("product", product, Reason::ProductNotCovered);
            assert!(if covered { ruling.is_ok() } else { ruling == refused }, "{product}: {ruling:?}");
        }
    }
    let unknown = no("product", "Abacus", Reason::UnknownProduct);
    assert_eq!(cloud(&world, "Abacus", "", ("", ""), "2024-03-01"), unknown);
    assert!(cloud(&world, "DESKSIDE 365", "", ("", ""), "2024-03-01").is_ok());
}

#[test]
fn r6_product_support_comes_with_three_offers_and_cloud_support_with_two() {
    for (offer, [product, online]) in [
        (Offer::ActionPack, [true, false]),
        (Offer::Silver, [true, true]),
        (Offer::Gold, [true, true]),
        (Offer::IsvCosellReady, [false, false]),
    ] {
        let mut world = World::new();
        world.order_mut("ORD-41").offer = Some(offer);
        world.benefit(1, 41, "product_support", Some(20), "2025-03-02");
        world.benefit(2, 41, "signature_cloud_support", Some(10), "2025-03-02");
        open(&mut world, 1, "ORD-41");
        let none = Err(vec![Problem::of_row(Reason::NoBenefitsYet)]);
        let asked = on_premises(&world, "2022", "ORD-41", IDS, "2024-03-01");
        assert_eq!(asked, if product { drawn(1, 19) } else { none.clone() }, "{offer:?}");
        let asked = cloud(&world, CLOUD, "ORD-41", ("", ""), "2024-03-01");
        assert_eq!(asked, if online { drawn(2, 9) } else { none }, "{offer:?}");
    }
}

#[test]
fn r6_an_incident_is_taken_from_what_ends_first_and_has_one_left() {
    let mut world = world();
    let ask = |world: &World, order, on| cloud(world, CLOUD, order, ("", ""), on);
    assert_eq!(ask(&world, "", "2024-06-30"), drawn(4, 10));
    assert_eq!(ask(&world, "", "2024-07-01"), drawn(2, 9), "the other has ended");
    world.held(4).drawn = 1;
    assert_eq!(ask(&world, "", "2024-06-30"), drawn(2, 9));
    let none_left = Reason::NotEnoughLeft { unit: Unit::Incidents, wanted: 1, left: 0, earliest_on: None };
    assert_eq!(ask(&world, "ORD-42", "2024-06-30"), no("kind", "cloud_support", none_left));
    let over = Reason::OutsideBenefitDates {
        on: Some(day("2024-07-01")),
        starts_on: day("2024-01-31"),
        ends_on: day("2024-06-30"),
    };
    assert_eq!(ask(&world, "ORD-42", "2024-07-01"), no("requested_on", "2024-07-01", over));
    world.order(43, Offer::Gold);
    assert_eq!(ask(&world, "ORD-43", "2024-06-30"), no("order_id", "ORD-43", Reason::NoBenefitsYet));
    let nothing = Err(vec![Problem::of_row(Reason::NoBenefitsYet)]);
    assert_eq!(ask(&world, "ORD-41", "2024-01-30"), nothing, "nothing runs at all");
    assert_eq!(ask(&world, "", "2025-03-03"), nothing);
}

#[test]
fn r6_of_unlimited_support_nothing_is_drawn() {
    let mut world = world();
    world.held(4).quantity = None;
    assert_eq!(cloud(&world, CLOUD, "", ("", ""), "2024-03-01"), Ok((vec![], vec![])));
}

#[test]
fn r6_every_failed_criterion_is_listed() {
    let mut world = world();
    world.held(1).drawn = 20;
    let ruling = on_premises(&world, "2016", "ORD-41", ("", "2000000042"), "2024-03-01").unwrap_err();
    let told: Vec<(&str, &str)> = ruling.iter().map(|p| (p.column.as_str(), p.reason.code())).collect();
    assert_eq!(
        told,
        [
            ("product_version", "version_not_supported"),
            ("access_id", "missing"),
            ("contract_id", "wrong_support_id"),
            ("kind", "not_enough_left"),
        ]
    );
}

#[test]
fn r7_hours_are_drawn_in_minutes_from_what_ends_first_over_as_many_benefits_as_it_takes() {
    let mut world = World::new();
    world.order(42, Offer::Silver);
    world.benefit(1, 41, "advisory_hours", Some(50), "2025-03-02");
    world.benefit(2, 42, "advisory_hours", Some(20), "2024-06-30");
    world.held(2).drawn = 18 * 60;
    let hours = |world: &World, order: &str, minutes, on: &str| {
        let order_id = (!order.is_empty()).then(|| order.into());
        ask(world, &Request::AdvisoryHours { order_id, minutes, product: None }, on)
    };
    let draws = |draws: &[(i64, i64)], left| {
        let effects = draws.iter().map(|(entitlement_id, count)| Effect::Drawn {
            entitlement_id: (*entitlement_id).into(),
            count: *count,
        });
        Ok((effects.collect(), vec![Problem::of_row(Reason::LeftOver { unit: Unit::Hours, left })]))
    };
    assert_eq!(hours(&world, "", 120, "2024-03-01"), draws(&[(2, 120)], 3_000));
    assert_eq!(hours(&world, "", 121, "2024-03-01"), draws(&[(2, 120), (1, 1)], 2_999));
    assert_eq!(hours(&world, "", 3_120, "2024-03-01"), draws(&[(2, 120), (1, 3_000)], 0));
    let short = |value: &str, wanted, left| {
        no("hours", value, Reason::NotEnoughLeft { unit: Unit::Hours, wanted, left, earliest_on: None })
    };
    assert_eq!(hours(&world, "", 3_135, "2024-03-01"), short("52.25", 3_135, 3_120));
    assert_eq!(hours(&world, "ORD-42", 150, "2024-03-01"), short("2.5", 150, 120));
    assert_eq!(hours(&world, "", 120, "2024-07-01"), draws(&[(1, 120)], 2_880));
    let none = Err(vec![Problem::of_row(Reason::NoBenefitsYet)]);
    assert_eq!(hours(&world, "", 60, "2025-03-03"), none);
    assert_eq!(hours(&World::new(), "", 60, "2024-03-01"), none);
    world.held(1).quantity = None;
    assert_eq!(hours(&world, "ORD-41", 600_000, "2024-03-01"), Ok((vec![], vec![])));
}
