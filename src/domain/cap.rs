//! How many Visual Studio seats the companies of a group may have together (D12).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::reason::Reason;

/// The most seats there may be; the catalogue names one for groups with silver only, one for any gold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// In one country.
    pub per_country: u32,
    /// In all countries together.
    pub in_all: u32,
}

/// Every cap that so many `more` seats in a country would break, given those there are by country.
#[must_use]
pub fn check(cap: Cap, seats: &BTreeMap<String, u32>, country: &str, more: u32) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let wanted = seats.get(country).copied().unwrap_or(0).saturating_add(more);
    if wanted > cap.per_country {
        let country = Some(country.to_owned());
        reasons.push(Reason::CapReached { country, cap: cap.per_country, wanted });
    }
    let wanted = seats.values().fold(more, |sum, seats| sum.saturating_add(*seats));
    if wanted > cap.in_all {
        reasons.push(Reason::CapReached { country: None, cap: cap.in_all, wanted });
    }
    reasons
}

/// Seats that an entitlement brings, and the days on which it does; none in grace, so that a new set may stand beside
/// the one it takes the place of.
#[derive(Clone, Debug)]
pub struct Seats {
    /// The entitlement.
    pub entitlement_id: i64,
    /// Its partner's country.
    pub country: String,
    /// How many.
    pub quantity: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub until: NaiveDate,
}

/// What the companies of a group have: seats, and gold orders by their first and last day.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Seats of what has not ended.
    pub seats: Vec<Seats>,
    /// Gold orders that have not ended.
    pub gold: Vec<(NaiveDate, NaiveDate)>,
}

impl Group {
    /// The seats by country on the days from `from` through `until`, without those of `own`, an entitlement that is stated
    /// anew.
    #[must_use]
    pub fn seats_beside(&self, own: Option<i64>, from: NaiveDate, until: NaiveDate) -> BTreeMap<String, u32> {
        let mut by_country = BTreeMap::<String, u32>::new();
        let beside = |s: &&Seats| Some(s.entitlement_id) != own && s.from <= until && from <= s.until;
        for seats in self.seats.iter().filter(beside) {
            let sum = by_country.entry(seats.country.clone()).or_default();
            *sum = sum.saturating_add(seats.quantity);
        }
        by_country
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
        };
        let group = Group {
            seats: vec![
                seats(1, "SE", 5, "2024-01-31", "2025-01-30"),
                seats(2, "SE", 10, "2023-01-31", "2024-01-30"),
                seats(3, "NO", 7, "2025-01-30", "2026-01-29"),
            ],
            gold: vec![(day("2024-06-01"), day("2025-05-31"))],
        };
        let (from, until) = (day("2024-01-31"), day("2025-01-30"));
        assert_eq!(group.seats_beside(None, from, until), [("NO".into(), 7), ("SE".into(), 5)].into());
        assert_eq!(group.seats_beside(Some(1), from, until), [("NO".into(), 7)].into());
        assert!(group.has_gold(from, until) && group.has_gold(day("2025-05-31"), day("2026-01-01")));
        assert!(!group.has_gold(day("2023-01-31"), day("2024-05-31")));
    }

    const SILVER: Cap = Cap { per_country: 25, in_all: 75 };

    #[test]
    fn d12_the_last_seat_under_a_cap_is_given_and_the_next_is_not() {
        let seats: BTreeMap<String, u32> = [("SE".into(), 24), ("NO".into(), 25), ("DK".into(), 25)].into();
        assert_eq!(check(SILVER, &seats, "SE", 1), []);
        let se = Reason::CapReached { country: Some("SE".into()), cap: 25, wanted: 26 };
        let all = Reason::CapReached { country: None, cap: 75, wanted: 76 };
        assert_eq!(check(SILVER, &seats, "SE", 2), [se, all.clone()]);
        assert_eq!(check(SILVER, &seats, "FI", 2), [all]);
        assert_eq!(check(SILVER, &BTreeMap::new(), "SE", 25), []);
    }
}
