//! What a row of an entitlements file does to what is known, on both sides of every day that decides it.

use super::{super::catalogue::BUILT_IN, *};
use crate::domain::kinds::{
    cell::tests::{parse, with},
    entitlements,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue::parse(BUILT_IN).unwrap()
}

fn kronor() -> Currency {
    Currency::parse("SEK").unwrap()
}

/// Monthly credit of silver, a year from 31 January 2024, with what the catalogue fills left open.
const CREDIT: &[(&str, &str)] = &[
    ("partner_id", "4201"),
    ("order_id", "ORD-1"),
    ("offer", "silver"),
    ("benefit", "azure_monthly_credit"),
    ("benefit_type", "core"),
    ("quantity", ""),
    ("purchased_on", "2024-01-31"),
    ("starts_on", "2024-01-31"),
    ("expires_on", "2025-01-30"),
];
const CLOUD: &[(&str, &str)] = &[("benefit", "signature_cloud_support")];
const STUDIO: &[(&str, &str)] = &[("benefit", "visual_studio")];

fn credit(changes: &[(&str, &str)]) -> EntitlementRow {
    parse(entitlements::KIND.columns, entitlements::parse, &with(CREDIT, changes)).unwrap()
}

/// The order of 31 January 2024: AD 31 January 2025, in grace through 2 March.
fn order() -> KnownOrder {
    KnownOrder {
        offer: Some(Offer::Silver),
        purchased_on: Some(day("2024-01-31")),
        year: Year::starting(day("2024-01-31"), 30),
        ended_on: None,
        new: false,
    }
}

/// What a file of some day finds: an order, or none; an entitlement, or none; what other core rows hold.
#[derive(Clone)]
struct Found {
    order: Option<KnownOrder>,
    known: Option<Known>,
    held: HeldBeside,
    arrived_on: &'static str,
}

fn nothing() -> Found {
    Found { order: None, known: None, held: HeldBeside::default(), arrived_on: "2024-02-01" }
}

fn of_order(order: KnownOrder) -> Found {
    Found { order: Some(order), ..nothing() }
}

impl Found {
    fn decide(&self, row: &EntitlementRow) -> Result<(Change, Vec<Problem>), Vec<Problem>> {
        let catalogue = catalogue();
        let (order, known) = (self.order.as_ref(), self.known.as_ref());
        let arrived_on = day(self.arrived_on);
        decide(
            row,
            &Against {
                local: kronor(),
                at_start: kronor(),
                order,
                known,
                catalogue: &catalogue,
                held: self.held,
                arrived_on,
            },
        )
    }

    #[track_caller]
    fn stated(&self, changes: &[(&str, &str)]) -> Stated {
        match self.decide(&credit(changes)).unwrap().0 {
            Change::Put(stated) => stated,
            Change::Unchanged => panic!("unchanged"),
        }
    }

    /// Column, value and code of every reason against it.
    #[track_caller]
    fn refused(&self, changes: &[(&str, &str)]) -> Vec<String> {
        told(&self.decide(&credit(changes)).unwrap_err())
    }

    #[track_caller]
    fn remarks(&self, changes: &[(&str, &str)]) -> Vec<String> {
        told(&self.decide(&credit(changes)).unwrap().1)
    }

    /// Arrived on another day.
    fn on(&self, arrived_on: &'static str) -> Self {
        Self { arrived_on, ..self.clone() }
    }
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|p| format!("{} {} {}", p.column, p.value, p.reason.code())).collect()
}

/// The entitlement of the tidy row, as it stands once it was taken in.
fn taken_in(granted: bool) -> Found {
    let stated = nothing().stated(&[]);
    Found { known: Some(Known { stated, granted, ended_on: None, missing_until: None }), ..of_order(order()) }
}

#[test]
fn d12_the_catalogue_fills_what_a_row_leaves_open_and_the_row_wins() {
    let filled = nothing().stated(&[]);
    assert_eq!((filled.quantity, filled.amount), (Some(1), Some(Amount::new(10_000, Currency::USD))));
    assert_eq!((filled.starts_on, filled.expires_on), (day("2024-01-31"), day("2025-01-30")));
    let own = nothing().stated(&[("quantity", "2"), ("amount", "50"), ("benefit_type", "incremental")]);
    assert_eq!((own.quantity, own.amount), (Some(2), Some(Amount::new(5_000, Currency::USD))));
    assert_eq!(own.benefit_type, "incremental");
    let cleared = taken_in(false).stated(&[("amount", ""), ("subscription_id", "sub-1")]);
    assert_eq!(cleared.amount, Some(Amount::new(10_000, Currency::USD)));
    let cloud = nothing().stated(&with(CLOUD, &[("competency", "cloud_platform")]));
    assert_eq!((cloud.quantity, cloud.amount), (None, None), "without limit, and no money");
    assert_eq!(nothing().stated(&with(CLOUD, &[("quantity", "unlimited")])).quantity, None);
    assert_eq!(nothing().stated(&with(CLOUD, &[])).quantity, Some(5));
    let unlisted = [("offer", "isv_cosell_ready")];
    let reasons = nothing().refused(&unlisted);
    assert_eq!(reasons, ["quantity  missing", "amount  no_amount"]);
    assert_eq!(nothing().refused(&with(STUDIO, &unlisted)), ["quantity  missing"], "it is no credit");
}

#[test]
fn d12_core_rows_bring_the_difference_of_units_or_of_dollars() {
    let beside = Found { held: HeldBeside { units: 3, unlimited: false, usd_minor: 4_000 }, ..nothing() };
    assert_eq!(beside.stated(STUDIO).quantity, Some(2));
    let credit = beside.stated(&[]);
    assert_eq!((credit.quantity, credit.amount), (Some(1), Some(Amount::new(6_000, Currency::USD))));
    assert_eq!(beside.remarks(&with(STUDIO, &[("quantity", "2")])), [""; 0]);
    assert_eq!(beside.remarks(&with(STUDIO, &[("quantity", "5")])), ["quantity 5 differs_from_catalogue"]);
    assert_eq!(beside.remarks(&[("quantity", "1"), ("amount", "60")]), [""; 0]);
    assert_eq!(beside.remarks(&[("quantity", "2")]), ["quantity 2 differs_from_catalogue"]);
}

#[test]
fn d12_what_differs_from_the_catalogue_is_taken_in_and_remarked_on() {
    let remarks = |changes: &[(&str, &str)]| nothing().remarks(changes);
    assert_eq!(remarks(&[]), [""; 0]);
    assert_eq!(remarks(&[("quantity", "1"), ("amount", "100")]), [""; 0]);
    assert_eq!(remarks(&[("amount", "99.99")]), ["amount 99.99 differs_from_catalogue"]);
    assert_eq!(remarks(&[("amount", "1000"), ("currency", "SEK")]), [""; 0], "it cannot be compared");
    assert_eq!(remarks(&with(STUDIO, &[("amount", "7")])), [""; 0], "the catalogue lists no money for it");
    assert_eq!(
        remarks(&[("benefit_type", "incremental")]),
        ["benefit_type incremental differs_from_catalogue"]
    );
    assert_eq!(
        remarks(&with(CLOUD, &[("quantity", "unlimited")])),
        ["quantity unlimited differs_from_catalogue"]
    );
    let gold = [("offer", "gold"), ("benefit", "azure_bulk_credit"), ("competency", "cloud_platform")];
    assert_eq!(remarks(&with(&gold, &[("amount", "13000")])), [""; 0]);
    let (_, told) = nothing().decide(&credit(&with(&gold, &[("amount", "6000")]))).unwrap();
    let expected = "12000.00 / 13000.00".to_owned();
    assert_eq!(told[0].reason, Reason::DiffersFromCatalogue { column: "amount".into(), expected });
}

#[test]
fn d4_an_amount_is_in_dollars_or_in_the_partners_own_currency() {
    let amount = |amount, currency| [("amount", amount), ("currency", currency)];
    assert_eq!(nothing().stated(&amount("10", "USD")).amount, Some(Amount::new(1_000, Currency::USD)));
    assert_eq!(nothing().stated(&amount("10", "SEK")).amount, Some(Amount::new(1_000, kronor())));
    assert_eq!(nothing().refused(&amount("10", "EUR")), ["currency EUR currency_not_accepted"]);
}

#[test]
fn d5_offer_and_purchase_date_agree_on_all_rows_of_an_order() {
    let found = of_order(order());
    found.stated(&[]);
    assert_eq!(found.refused(&[("offer", "gold")]), ["offer gold order_mismatch"]);
    let bought = [("purchased_on", "2024-01-30")];
    assert_eq!(found.refused(&bought), ["purchased_on 2024-01-30 order_mismatch"]);
    let both = [("offer", "isv_cosell_ready"), ("purchased_on", "2024-01-30"), ("quantity", "1")];
    assert_eq!(
        found.refused(&both),
        [
            "offer isv_cosell_ready order_mismatch",
            "purchased_on 2024-01-30 order_mismatch",
            "amount  no_amount"
        ]
    );
    let renewed = of_order(KnownOrder { offer: None, purchased_on: None, ..order() });
    renewed.stated(&[("offer", "gold"), ("purchased_on", "2024-01-30")]);
}

#[test]
fn d16_an_absent_column_keeps_and_the_identical_row_is_unchanged() {
    let sub = [("subscription_id", "sub-1"), ("amount", "90"), ("competency", "devops")];
    let stated = nothing().stated(&sub);
    let known = Some(Known { stated, granted: true, ended_on: Some(day("2024-03-01")), missing_until: None });
    let found = Found { known, ..of_order(KnownOrder { ended_on: Some(day("2024-03-01")), ..order() }) };
    assert_eq!(found.decide(&credit(&sub)).unwrap().0, Change::Unchanged);
    assert_eq!(found.decide(&credit(&[])).unwrap().0, Change::Unchanged, "what it does not say is kept");
    assert_eq!(found.refused(&[("subscription_id", "sub-2")]), ["order_id ORD-1 already_ended"]);
    let live = Found { known: taken_in(false).known, ..of_order(order()) };
    assert_eq!(live.stated(&[("subscription_id", "Sub-2")]).subscription_id, Some("Sub-2".into()));
}

#[test]
fn d16_what_a_snapshot_lacked_is_kept_by_a_row_that_arrives_in_time_and_not_afterwards() {
    let mut found = taken_in(true);
    if let Some(known) = &mut found.known {
        known.missing_until = Some(day("2024-03-08"));
    }
    for in_time in ["2024-03-01", "2024-03-08", "2024-03-09"] {
        let (change, remarks) = found.on(in_time).decide(&credit(&[])).unwrap();
        assert!(matches!(change, Change::Put(_)), "{in_time}");
        assert_eq!(told(&remarks), ["  named_again"], "{in_time}");
    }
    let late = found.on("2024-03-10");
    assert_eq!(late.decide(&credit(&[])).unwrap(), (Change::Unchanged, vec![]));
    assert_eq!(late.refused(&[("competency", "devops")]), ["order_id ORD-1 already_ended"]);
}

#[test]
fn d16_after_the_first_grant_dates_and_amount_are_fixed_and_the_rest_is_not() {
    let (open, granted) = (taken_in(false), taken_in(true));
    let changes = [
        ("quantity", "2"),
        ("starts_on", "2024-02-01"),
        ("expires_on", "2025-01-29"),
        ("amount", "90"),
        ("currency", "SEK"),
    ];
    assert_eq!(open.stated(&changes).quantity, Some(2));
    assert_eq!(
        granted.refused(&changes),
        [
            "quantity 2 already_granted",
            "starts_on 2024-02-01 already_granted",
            "expires_on 2025-01-29 already_granted",
            "amount 90.00 already_granted",
            "currency SEK already_granted"
        ]
    );
    assert_eq!(granted.refused(&[("expires_on", "2025-01-31")]), ["expires_on 2025-01-31 already_granted"]);
    assert_eq!(granted.stated(&[("competency", "devops")]).competency.as_deref(), Some("devops"));
}

#[test]
fn d16_a_file_revives_nothing_that_was_over_when_it_arrived() {
    let changed = [("subscription_id", "sub-1")];
    let ended = |found: &Found| {
        let problems = found.decide(&credit(&changed)).unwrap_err();
        let [Problem { column, reason: Reason::AlreadyEnded { ended_on }, .. }] = problems.as_slice() else {
            panic!("{problems:?}")
        };
        assert_eq!(column, "order_id");
        ended_on.to_string()
    };
    // It runs with the membership, through the last day of grace, 2 March; the night of the 3rd ends it.
    let live = taken_in(false);
    live.on("2025-03-03").stated(&changed);
    assert_eq!(ended(&live.on("2025-03-04")), "2025-03-02");
    // One that says an earlier day has no grace.
    let mut short = taken_in(false);
    short.known.as_mut().unwrap().stated.expires_on = day("2024-06-30");
    short.on("2024-07-01").stated(&changed);
    assert_eq!(ended(&short.on("2024-07-02")), "2024-06-30");
    // Closed by itself, or with its order.
    let mut closed = taken_in(false);
    closed.known.as_mut().unwrap().ended_on = Some(day("2024-02-10"));
    assert_eq!(ended(&closed), "2024-02-10");
    let mut refunded = taken_in(false);
    refunded.order.as_mut().unwrap().ended_on = Some(day("2024-02-20"));
    assert_eq!(ended(&refunded), "2024-02-20");
}

#[test]
fn d16_an_order_that_is_over_takes_no_new_benefit_unless_this_file_makes_it() {
    let live = of_order(order());
    live.on("2025-03-03").stated(&[]);
    assert_eq!(live.on("2025-03-04").refused(&[]), ["order_id ORD-1 already_ended"]);
    let known_late = of_order(KnownOrder { new: true, ..order() });
    known_late.on("2025-03-04").stated(&[]);
    let refunded = of_order(KnownOrder { ended_on: Some(day("2024-02-20")), ..order() });
    assert_eq!(refunded.refused(&[]), ["order_id ORD-1 already_ended"]);
    // And every other reason is told with it.
    let reasons = refunded.refused(&[("amount", "10"), ("currency", "EUR")]);
    assert_eq!(reasons, ["order_id ORD-1 already_ended", "currency EUR currency_not_accepted"]);
}

#[test]
fn d12_an_amount_for_all_units_together_that_cannot_be_kept_is_refused_where_it_can_be_corrected() {
    let of = |amount: &str, quantity: &str| nothing().refused(&[("amount", amount), ("quantity", quantity)]);
    let most = "10000000000000.00";
    assert_eq!(nothing().stated(&[("amount", most), ("quantity", "1")]).quantity, Some(1));
    for (amount, quantity) in [(most, "2"), ("90000000000.00", "1000000"), ("10000000.01", "1000000")] {
        assert_eq!(of(amount, quantity), [format!("amount {amount} amount_too_large")]);
    }
    let cents = |minor| Amount::new(minor, Currency::USD);
    assert_eq!(cents(100).times(3), Some(cents(300)));
    assert_eq!((cents(i64::MAX).times(2), cents(i64::MAX).times(1)), (None, None));
    // Where the row leaves the amount as it is, its quantity is what can be corrected.
    let mut known = taken_in(false);
    known.known.as_mut().unwrap().stated.amount = Some(cents(1_000_000_000_000_000));
    assert_eq!(known.refused(&[("quantity", "2")]), ["quantity 2 amount_too_large"]);
    assert_eq!(known.decide(&credit(&[("quantity", "1")])).unwrap().0, Change::Unchanged);
}

#[test]
fn r6_what_an_offer_does_not_bring_is_taken_in_with_nothing_to_grant() {
    let row = with(CLOUD, &[("offer", "action_pack"), ("quantity", "5")]);
    let stated = nothing().stated(&row);
    assert_eq!(stated.quantity, Some(0));
    // What was granted of one taken in before this was looked at does not forbid its row.
    let stated = Stated { quantity: Some(5), ..stated };
    let before = Found {
        known: Some(Known { stated, granted: true, ended_on: None, missing_until: None }),
        ..nothing()
    };
    assert_eq!(before.decide(&credit(&row)).unwrap().0, Change::Unchanged);
    for (offer, remark) in
        [("action_pack", true), ("isv_cosell_ready", true), ("silver", false), ("gold", false)]
    {
        let remarks = nothing().remarks(&with(CLOUD, &[("offer", offer), ("quantity", "unlimited")]));
        let found = remarks.iter().any(|told| told.ends_with("not_in_offer"));
        assert_eq!(found, remark, "{offer}: {remarks:?}");
    }
}
