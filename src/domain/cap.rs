//! How many Visual Studio seats the companies of a group may have together (D12).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::{
    id::{EntitlementNo, PartnerNo},
    reason::Reason,
};

/// The most seats there may be; the catalogue names one for groups with silver only, one for any gold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// In one country.
    pub per_country: u32,
    /// In all countries together.
    pub in_all: u32,
}

/// Seats that there are, as the two caps count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// In one country.
    pub in_country: u32,
    /// In all countries together.
    pub in_all: u32,
}

impl Counted {
    /// Those of a country among seats by country.
    #[must_use]
    pub fn of(seats: &BTreeMap<String, u32>, country: &str) -> Self {
        Self {
            in_country: seats.get(country).copied().unwrap_or(0),
            in_all: seats.values().fold(0, |sum, seats| sum.saturating_add(*seats)),
        }
    }
}

/// Every cap that so many `more` seats in a country would break, given those there are.
#[must_use]
pub fn check(cap: Cap, there_are: Counted, country: &str, more: u32) -> Vec<Reason> {
    let in_country = there_are.in_country.saturating_add(more);
    let in_all = there_are.in_all.saturating_add(more);
    let broken =
        [(Some(country.to_owned()), cap.per_country, in_country), (None, cap.in_all, in_all)].into_iter();
    broken
        .filter(|(_, cap, wanted)| wanted > cap)
        .map(|(country, cap, wanted)| Reason::CapReached { country, cap, wanted })
        .collect()
}

/// Seats that an entitlement brings, and the days on which it does; none in grace, so that a new set may stand beside
/// the one it takes the place of.
#[derive(Clone, Debug)]
pub struct Seats {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Its partner's country.
    pub country: String,
    /// How many.
    pub quantity: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
    /// Set on core seats of silver and gold, which stand once while both run.
    pub once: Option<Once>,
}

/// Whose core seats they are: of both offers together there are no more than the offer with more of them has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Once {
    /// The partner.
    pub partner_id: PartnerNo,
    /// The benefit.
    pub benefit: String,
    /// The offer is gold, not silver.
    pub gold: bool,
}

impl Once {
    /// Those of an order's offer, if they are core seats of silver or gold.
    #[must_use]
    pub fn of(core: bool, offer: Option<&str>, partner_id: PartnerNo, benefit: &str) -> Option<Self> {
        let gold = match offer {
            Some("gold") => true,
            Some("silver") => false,
            _ => return None,
        };
        core.then(|| Self { partner_id, benefit: benefit.to_owned(), gold })
    }
}

/// What the companies of a group have: seats, and gold orders by their first and last day.
#[derive(Clone, Debug, Default)]
pub struct GroupSeats {
    /// Seats of what has not ended.
    pub seats: Vec<Seats>,
    /// Gold orders that have not ended.
    pub gold: Vec<(NaiveDate, NaiveDate)>,
}

impl GroupSeats {
    /// The most seats there are on one of the days of `own`, in its country and in all, its own in place of what its
    /// entitlement had. There are never more than on a day on which some begin.
    #[must_use]
    pub fn most_with(&self, own: &Seats) -> Counted {
        let beside = self.seats.iter().filter(|seats| seats.entitlement_id != own.entitlement_id);
        let all: Vec<&Seats> = beside.chain([own]).collect();
        let begins = all.iter().map(|seats| seats.from).filter(|day| own.from < *day && *day <= own.until);
        let mut most = Counted::default();
        for day in begins.chain([own.from]) {
            let mut by_country = BTreeMap::<String, u32>::new();
            let mut once = BTreeMap::<(PartnerNo, &str), [u32; 2]>::new();
            for seats in all.iter().filter(|seats| seats.from <= day && day <= seats.until) {
                let more = match &seats.once {
                    None => seats.quantity,
                    Some(Once { partner_id, benefit, gold }) => {
                        let of = once.entry((*partner_id, benefit)).or_default();
                        let before = of[0].max(of[1]);
                        let offer = &mut of[usize::from(*gold)];
                        *offer = offer.saturating_add(seats.quantity);
                        of[0].max(of[1]).saturating_sub(before)
                    }
                };
                let sum = by_country.entry(seats.country.clone()).or_default();
                *sum = sum.saturating_add(more);
            }
            let country = &own.country;
            let counted = Counted::of(&by_country, country);
            most.in_country = most.in_country.max(counted.in_country);
            most.in_all = most.in_all.max(counted.in_all);
        }
        most
    }

    /// Whether any company has gold on one of the days.
    #[must_use]
    pub fn has_gold(&self, from: NaiveDate, until: NaiveDate) -> bool {
        self.gold.iter().any(|(first, last)| *first <= until && from <= *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_what_an_entitlement_had_is_replaced_and_what_is_over_is_not_counted() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let seats = |entitlement_id, country: &str, quantity, from, until| Seats {
            entitlement_id,
            country: country.into(),
            quantity,
            from: day(from),
            until: day(until),
            once: None,
        };
        let group = GroupSeats {
            seats: vec![
                seats(1.into(), "SE", 5, "2024-01-31", "2025-01-30"),
                seats(2.into(), "SE", 10, "2023-01-31", "2024-01-30"),
                seats(3.into(), "NO", 7, "2025-01-30", "2026-01-29"),
            ],
            gold: vec![(day("2024-06-01"), day("2025-05-31"))],
        };
        let (from, until) = (day("2024-01-31"), day("2025-01-30"));
        let counted = |in_country, in_all| Counted { in_country, in_all };
        let with = |id, until| group.most_with(&seats(id, "SE", 1, "2024-01-31", until));
        assert_eq!(with(9.into(), "2025-01-30"), counted(6, 13));
        assert_eq!(with(1.into(), "2025-01-30"), counted(1, 8));
        assert_eq!(with(9.into(), "2025-01-29"), counted(6, 6), "the day before Norway's");
        assert!(group.has_gold(from, until) && group.has_gold(day("2025-05-31"), day("2026-01-01")));
        assert!(!group.has_gold(day("2023-01-31"), day("2024-05-31")));
    }

    #[test]
    fn d12_the_day_with_the_most_seats_counts_and_no_sum_of_what_never_stands_at_once() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let seats = |entitlement_id, from, until| Seats {
            entitlement_id,
            country: "SE".into(),
            quantity: 15,
            from: day(from),
            until: day(until),
            once: None,
        };
        let halves =
            [seats(1.into(), "2024-01-31", "2024-07-30"), seats(2.into(), "2024-07-31", "2025-01-30")];
        let group = GroupSeats { seats: halves.into(), gold: vec![] };
        let with = |group: &GroupSeats| {
            group.most_with(&Seats { quantity: 0, ..seats(3.into(), "2024-01-31", "2025-01-30") }).in_all
        };
        assert_eq!(with(&group), 15);
        let overlap =
            [seats(1.into(), "2024-01-31", "2024-07-31"), seats(2.into(), "2024-07-31", "2025-01-30")];
        assert_eq!(with(&GroupSeats { seats: overlap.into(), gold: vec![] }), 30);
    }

    #[test]
    fn d12_core_seats_of_silver_and_gold_are_counted_once_while_both_run() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let seats = |entitlement_id, offer, quantity, from, until| Seats {
            entitlement_id,
            country: "SE".into(),
            quantity,
            from: day(from),
            until: day(until),
            once: Once::of(true, Some(offer), 1.into(), "visual_studio"),
        };
        let group = GroupSeats {
            seats: vec![
                seats(1.into(), "silver", 5, "2024-01-31", "2025-01-30"),
                seats(2.into(), "action_pack", 3, "2024-01-31", "2025-01-30"),
            ],
            gold: vec![],
        };
        let with =
            |quantity| group.most_with(&seats(3.into(), "gold", quantity, "2024-06-01", "2025-05-31")).in_all;
        assert_eq!([with(2), with(10)], [8, 13]);
    }

    const SILVER: Cap = Cap { per_country: 25, in_all: 75 };

    #[test]
    fn d12_the_last_seat_under_a_cap_is_given_and_the_next_is_not() {
        let seats: BTreeMap<String, u32> = [("SE".into(), 24), ("NO".into(), 25), ("DK".into(), 25)].into();
        assert_eq!(check(SILVER, Counted::of(&seats, "SE"), "SE", 1), []);
        let se = Reason::CapReached { country: Some("SE".into()), cap: 25, wanted: 26 };
        let all = Reason::CapReached { country: None, cap: 75, wanted: 76 };
        assert_eq!(check(SILVER, Counted::of(&seats, "SE"), "SE", 2), [se, all.clone()]);
        assert_eq!(check(SILVER, Counted::of(&seats, "FI"), "FI", 2), [all]);
        assert_eq!(check(SILVER, Counted::default(), "SE", 25), []);
    }
}
