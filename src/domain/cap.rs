//! How many Visual Studio seats the companies of a group may have together (D12).

use std::collections::BTreeMap;

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

#[cfg(test)]
mod tests {
    use super::*;

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
