//! Core benefits are granted once: while silver and gold of a partner both run, gold brings the difference to silver's core
//! (D12). What is held back of seats, incidents, hours and bulk credit comes on the day after silver ends; of monthly credit
//! each period is decided by itself. What another order of the same offer brought before is taken off what the catalogue fills.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    benefit::{BenefitKind, BenefitType, Offer, Quantity},
    calendar::add_days,
    held_back::Part,
    id::{EntitlementNo, OrderId, OrderNo},
    kinds::entitlements::EntitlementRow,
    money::{Amount, Currency},
    reason::Reason,
};

/// A core benefit of a silver order that stands beside the same one of gold. A refunded order never ran, and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// The silver order.
    pub order_id: OrderId,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day, without grace.
    pub until: NaiveDate,
    /// Seats, incidents or hours; `None`: unlimited.
    pub quantity: Option<u32>,
    /// What credit brings a period, or once, quantity included.
    pub amount: Option<Amount>,
}

impl Beside {
    fn runs_on(&self, day: NaiveDate) -> bool {
        self.starts_on <= day && day <= self.until
    }
}

/// What gold brings in the period that begins on `on`, and what there is to say of it: the difference to what silver
/// brings where silver runs on that day. Amounts in different currencies cannot be compared, and nothing is held back.
#[must_use]
pub fn difference(
    full: Amount,
    beside: &[Beside],
    on: NaiveDate,
    part: fn(Amount) -> Part,
) -> (Amount, Option<Reason>) {
    let (mut left, mut why) = (full, None);
    for silver in beside.iter().filter(|silver| silver.runs_on(on)) {
        let Some(theirs) = silver.amount else { continue };
        let order_id = silver.order_id.clone();
        if theirs.currency != full.currency {
            why.get_or_insert(Reason::NotHeldBack { on, order_id });
            continue;
        }
        let held = Amount::new(theirs.minor.min(left.minor), full.currency);
        left.minor = left.minor.saturating_sub(held.minor);
        if held.minor > 0 && !matches!(why, Some(Reason::HeldBack { .. })) {
            why = Some(Reason::HeldBack { on, held: part(held), order_id, until: silver.until });
        }
    }
    (left, why)
}

/// How many seats, incidents or hours of gold's `quantity` silver leaves on a day, and what is said of the rest.
#[must_use]
pub fn units_on(quantity: u32, beside: &[Beside], on: NaiveDate) -> (u32, Option<Reason>) {
    let mut running = beside.iter().filter(|silver| silver.runs_on(on)).peekable();
    let first = running.peek().copied();
    let silver = running.fold(0_u32, |sum, silver| sum.saturating_add(silver.quantity.unwrap_or(u32::MAX)));
    let units = silver.min(quantity);
    let why = first.filter(|_| units > 0).map(|silver| {
        let (held, order_id) = (Part::Units { units }, silver.order_id.clone());
        Reason::HeldBack { on, held, order_id, until: silver.until }
    });
    (quantity.saturating_sub(units), why)
}

/// The days after `from`, and by `last`, from which silver leaves more or less than before.
#[must_use]
pub fn changes(beside: &[Beside], from: NaiveDate, last: NaiveDate) -> BTreeSet<NaiveDate> {
    let days = beside.iter().flat_map(|silver| [silver.starts_on, add_days(silver.until, 1)]);
    days.filter(|day| from < *day && *day <= last).collect()
}

/// A core row of silver or gold, as it is known.
#[derive(Clone, Debug)]
pub struct CoreRow {
    /// Its number in the store; one that arrived later has a higher one.
    pub entitlement_id: EntitlementNo,
    /// Its order.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last day, without grace.
    pub until: NaiveDate,
    /// Last usable day, once it has ended.
    pub ended_on: Option<NaiveDate>,
    /// The business date its file arrived.
    pub known_on: NaiveDate,
    /// `None`: unlimited.
    pub quantity: Option<u32>,
    /// Per unit.
    pub amount: Option<Amount>,
    /// The order, as the partner knows it.
    pub order_id: OrderId,
    /// Its order is gold.
    pub gold: bool,
    /// Its order was refunded: it counts as never having run.
    pub refunded: bool,
}

/// What is to be said of a core benefit of silver or gold, of a kind, quantity and amount per unit, beside the other's: what
/// gold holds back, whichever came first, and until when.
pub fn told<'a>(
    rows: impl IntoIterator<Item = &'a CoreRow>,
    own: &Own<'_>,
    gold: bool,
    kind: BenefitKind,
    quantity: Option<u32>,
    unit: Option<Amount>,
) -> Option<Reason> {
    let other = rows.into_iter().find(|row| {
        row.benefit == own.benefit
            && row.gold != gold
            && !row.refunded
            && Some(row.membership_id) != own.membership_id
            && row.starts_on <= own.expires_on
            && own.starts_on <= row.until
    })?;
    let brings = |unit: Option<Amount>, quantity: Option<u32>| {
        unit.map(|unit| Amount::new(unit.minor.saturating_mul(quantity.map_or(1, i64::from)), unit.currency))
    };
    let ours = Beside {
        order_id: own.order_id.clone(),
        starts_on: own.starts_on,
        until: own.expires_on,
        quantity,
        amount: brings(unit, quantity),
    };
    let theirs = Beside {
        order_id: other.order_id.clone(),
        starts_on: other.starts_on,
        until: other.until,
        quantity: other.quantity,
        amount: brings(other.amount, other.quantity),
    };
    let both_from = ours.starts_on.max(theirs.starts_on);
    let (silver, gold) = if gold { (theirs, ours) } else { (ours, theirs) };
    match kind {
        BenefitKind::AzureMonthlyCredit => difference(gold.amount?, &[silver], both_from, Part::Period).1,
        BenefitKind::AzureBulkCredit => difference(gold.amount?, &[silver], gold.starts_on, Part::bulk).1,
        _ => units_on(gold.quantity?, &[silver], both_from).1,
    }
}

/// The row that is filled: what stands before it counts.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// The benefit code.
    pub benefit: &'a str,
    /// Its order, if known.
    pub membership_id: Option<OrderNo>,
    /// Its entitlement, if known.
    pub entitlement_id: Option<EntitlementNo>,
    /// The order.
    pub order_id: &'a OrderId,
    /// First usable day.
    pub starts_on: NaiveDate,
    /// Last usable day.
    pub expires_on: NaiveDate,
    /// The business date its file arrives.
    pub arrives_on: NaiveDate,
}

/// What other core rows hold of a benefit already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBeside {
    /// This number of units.
    pub units: u32,
    /// Units without limit.
    pub unlimited: bool,
    /// This many US cents of credit. Amounts in another currency cannot be compared and are left out.
    pub usd_minor: i64,
}

/// Whether a row is a core row of silver or gold.
#[must_use]
pub fn concerns(row: &EntitlementRow) -> bool {
    row.benefit_type == BenefitType::Core && matches!(row.offer, Offer::Silver | Offer::Gold)
}

/// What the rows of other orders that came before hold beside a row. A row that is dropped again finds what it found
/// when it came first, whatever has ended since.
pub fn held<'a>(rows: impl IntoIterator<Item = &'a CoreRow>, own: &Own<'_>) -> HeldBeside {
    let rows: Vec<&CoreRow> = rows.into_iter().filter(|row| row.benefit == own.benefit).collect();
    let known = rows.iter().find(|row| Some(row.entitlement_id) == own.entitlement_id);
    let arrived_on = known.map_or(own.arrives_on, |row| row.known_on);
    let beside = |row: &&&CoreRow| {
        Some(row.membership_id) != own.membership_id
            && own.entitlement_id.is_none_or(|id| row.entitlement_id < id)
            && row.ended_on.is_none_or(|ended_on| arrived_on <= ended_on)
            && row.starts_on <= own.expires_on
            && own.starts_on <= row.until
    };
    rows.iter().filter(beside).fold(HeldBeside::default(), |held, row| {
        let usd =
            row.amount.filter(|amount| amount.currency == Currency::USD).map_or(0, |amount| amount.minor);
        let usd = usd.saturating_mul(row.quantity.map_or(1, i64::from));
        HeldBeside {
            units: held.units.saturating_add(row.quantity.unwrap_or(0)),
            unlimited: held.unlimited || row.quantity.is_none(),
            usd_minor: held.usd_minor.saturating_add(usd),
        }
    })
}

impl HeldBeside {
    /// What is left of what the catalogue lists.
    #[must_use]
    pub const fn units_beside(&self, listed: Quantity) -> Quantity {
        match listed {
            Quantity::Unlimited => Quantity::Unlimited,
            Quantity::Count(_) if self.unlimited => Quantity::Count(0),
            Quantity::Count(count) => Quantity::Count(count.saturating_sub(self.units)),
        }
    }

    /// What is left of an amount that the catalogue lists, in US cents.
    #[must_use]
    pub fn usd_beside(&self, listed: i64) -> i64 {
        listed.saturating_sub(self.usd_minor).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::kinds::cell, *};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn silver(quantity: Option<u32>) -> CoreRow {
        CoreRow {
            entitlement_id: 10.into(),
            membership_id: 1.into(),
            benefit: "visual_studio".into(),
            starts_on: day("2024-01-31"),
            until: day("2025-01-30"),
            ended_on: None,
            known_on: day("2024-01-31"),
            quantity,
            amount: Some(Amount::new(10_000, Currency::USD)),
            order_id: "ORD-S".into(),
            gold: false,
            refunded: false,
        }
    }

    fn beside(order: &str, from: &str, until: &str, quantity: Option<u32>, amount: Option<Amount>) -> Beside {
        Beside { order_id: order.into(), starts_on: day(from), until: day(until), quantity, amount }
    }

    fn gold() -> Own<'static> {
        Own {
            benefit: "visual_studio",
            membership_id: Some(2.into()),
            entitlement_id: None,
            order_id: Box::leak(Box::new(OrderId::from("ORD-G"))),
            starts_on: day("2024-06-01"),
            expires_on: day("2025-05-31"),
            arrives_on: day("2024-06-01"),
        }
    }

    #[test]
    fn d12_gold_beside_silver_brings_the_difference_and_never_less_than_nothing() {
        let held = held(&[silver(Some(5))], &gold());
        assert_eq!(held, HeldBeside { units: 5, unlimited: false, usd_minor: 50_000 });
        assert_eq!(held.units_beside(Quantity::Count(10)), Quantity::Count(5));
        assert_eq!(held.units_beside(Quantity::Count(3)), Quantity::Count(0));
        assert_eq!(held.units_beside(Quantity::Unlimited), Quantity::Unlimited);
        assert_eq!((held.usd_beside(50_001), held.usd_beside(10_000)), (1, 0));
        let without_limit = super::held(&[silver(None)], &gold());
        assert_eq!(without_limit.units_beside(Quantity::Count(10)), Quantity::Count(0));
    }

    #[test]
    fn d12_only_other_orders_of_the_same_benefit_and_the_same_days_count() {
        let none = |row: CoreRow| assert_eq!(held(&[row], &gold()), HeldBeside::default());
        none(CoreRow { benefit: "advisory_hours".into(), ..silver(Some(5)) });
        none(CoreRow { membership_id: 2.into(), ..silver(Some(5)) });
        none(CoreRow { until: day("2024-05-31"), ..silver(Some(5)) });
        none(CoreRow { starts_on: day("2025-06-01"), ..silver(Some(5)) });
        none(CoreRow { ended_on: Some(day("2024-05-31")), ..silver(Some(5)) });
        assert_eq!(held(&[CoreRow { until: day("2024-06-01"), ..silver(Some(5)) }], &gold()).units, 5);
    }

    #[test]
    fn d12_d16_a_row_that_is_dropped_again_finds_what_it_found_first() {
        let late = CoreRow {
            entitlement_id: 11.into(),
            membership_id: 2.into(),
            known_on: day("2024-06-01"),
            ..silver(Some(5))
        };
        let ended =
            CoreRow { ended_on: Some(day("2024-09-01")), until: day("2024-09-01"), ..silver(Some(5)) };
        let again = Own { entitlement_id: Some(11.into()), arrives_on: day("2024-10-01"), ..gold() };
        assert_eq!(held(&[ended, late.clone()], &again).units, 5);
        // And silver, dropped again, does not find the gold that came after it.
        let own = Own {
            entitlement_id: Some(10.into()),
            membership_id: Some(1.into()),
            starts_on: day("2024-01-31"),
            ..gold()
        };
        assert_eq!(held(&[silver(Some(5)), late], &own), HeldBeside::default());
    }

    #[test]
    fn d12_a_period_is_less_by_what_silver_brings_only_where_silver_runs_on_its_first_day() {
        let dollars = |minor| Amount::new(minor, Currency::USD);
        let silver = |amount| beside("S", "2024-01-01", "2024-12-31", Some(1), Some(amount));
        let left = |amount, on: &str| difference(dollars(15_000), &[silver(amount)], day(on), Part::Period);
        let held = |on: &str, minor| {
            let (on, order_id, until) = (day(on), OrderId::from("S"), day("2024-12-31"));
            Some(Reason::HeldBack { on, held: Part::Period(dollars(minor)), order_id, until })
        };
        assert_eq!(left(dollars(10_000), "2024-12-31"), (dollars(5_000), held("2024-12-31", 10_000)));
        assert_eq!(left(dollars(20_000), "2024-01-01"), (dollars(0), held("2024-01-01", 15_000)));
        assert_eq!(left(dollars(10_000), "2025-01-01"), (dollars(15_000), None));
        assert_eq!(left(dollars(10_000), "2023-12-31"), (dollars(15_000), None));
        let kronor = Amount::new(90_000, Currency::parse("SEK").unwrap());
        let (on, order_id) = (day("2024-05-01"), OrderId::from("S"));
        assert_eq!(left(kronor, "2024-05-01"), (dollars(15_000), Some(Reason::NotHeldBack { on, order_id })));
    }

    #[test]
    fn d12_units_are_less_by_what_silver_brings_on_the_days_on_which_it_runs() {
        let run = [
            beside("S-1", "2024-01-01", "2024-12-31", Some(5), None),
            beside("S-2", "2024-06-01", "2025-05-31", Some(3), None),
        ];
        let left = |on: &str| units_on(7, &run, day(on)).0;
        assert_eq!([left("2023-12-31"), left("2024-05-31"), left("2024-06-01")], [7, 2, 0]);
        assert_eq!([left("2025-01-01"), left("2025-05-31"), left("2025-06-01")], [4, 4, 7]);
        let told = units_on(7, &run, day("2024-12-31")).1;
        let (held, order_id) = (Part::Units { units: 7 }, OrderId::from("S-1"));
        let (on, until) = (day("2024-12-31"), day("2024-12-31"));
        assert_eq!(told, Some(Reason::HeldBack { on, held, order_id, until }));
        let days: Vec<NaiveDate> = changes(&run, day("2024-01-01"), day("2025-01-01")).into_iter().collect();
        assert_eq!(days, [day("2024-06-01"), day("2025-01-01")]);
        let without_limit = [beside("S", "2024-01-01", "2024-12-31", None, None)];
        assert_eq!(units_on(7, &without_limit, day("2024-12-31")).0, 0);
    }

    #[test]
    fn d12_what_is_held_back_is_stored_as_it_is_read() {
        for held in [
            Part::Period(Amount::new(1, Currency::USD)),
            Part::bulk(Amount::new(2, Currency::USD)),
            Part::Units { units: 3 },
        ] {
            let stored = serde_json::to_string(&held).unwrap();
            assert_eq!(serde_json::from_str::<Part>(&stored).unwrap(), held, "{stored}");
        }
    }

    #[test]
    fn d12_only_core_rows_of_silver_and_gold_are_granted_once() {
        let row = |offer: &str, benefit_type: &str| {
            let pairs = [
                ("partner_id", "4201"),
                ("order_id", "ORD-1"),
                ("offer", offer),
                ("benefit", "visual_studio"),
                ("benefit_type", benefit_type),
                ("quantity", "5"),
                ("purchased_on", "2024-01-31"),
                ("starts_on", "2024-01-31"),
                ("expires_on", "2025-01-30"),
            ];
            let parse = crate::domain::kinds::entitlements::parse;
            concerns(
                &cell::tests::parse(crate::domain::kinds::entitlements::KIND.columns, parse, &pairs).unwrap(),
            )
        };
        assert!(row("silver", "core") && row("gold", "core"));
        assert!(!row("action_pack", "core") && !row("isv_cosell_ready", "core"));
        assert!(!row("silver", "incremental") && !row("gold", "incremental"));
    }
}
