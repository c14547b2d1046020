//! A row of `agreements`: another licensing, prepaid or credit agreement of a partner; and what it excludes (R2, D14).

use chrono::NaiveDate;

use super::{calendar::add_days, reason::Reason};

/// A span of days in which something excludes bulk credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// The agreement's name, or `action_pack`.
    pub name: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day; `None`: until further notice.
    pub until: Option<NaiveDate>,
}

impl Exclusion {
    /// Whether it excludes bulk credit on a day.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// An exclusion, and since when it is known: what was granted before stays (D14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownExclusion {
    /// What excludes.
    pub exclusion: Exclusion,
    /// The business date its file arrived.
    pub known_on: NaiveDate,
}

/// The first day from `from` through `through` on which nothing excludes a bulk credit that became known on `known_on`:
/// each day is decided once, on what was known that day, or when the credit became known. So it comes to the same
/// on whatever night it is asked.
///
/// # Errors
/// The name of what excludes it until then: there is no such day.
pub fn first_open(
    standing: &[KnownExclusion],
    from: NaiveDate,
    through: NaiveDate,
    known_on: NaiveDate,
) -> Result<NaiveDate, String> {
    let mut day = from;
    loop {
        let covers = |s: &&KnownExclusion| s.exclusion.covers(day) && s.known_on <= day.max(known_on);
        let Some(KnownExclusion { exclusion, .. }) =
            standing.iter().filter(covers).max_by_key(|s| s.exclusion.until.unwrap_or(NaiveDate::MAX))
        else {
            return Ok(day);
        };
        match exclusion.until {
            Some(until) if until < through => day = add_days(until, 1),
            _ => return Err(exclusion.name.clone()),
        }
    }
}

/// Why bulk credit that runs through `last_usable_on` cannot be used, assigned or transferred on `on`, with the first
/// day on which nothing excludes it; `None`: nothing does (D14).
#[must_use]
pub fn blocks(exclusions: &[Exclusion], on: NaiveDate, last_usable_on: NaiveDate) -> Option<Reason> {
    let on_day = |day: NaiveDate| {
        let live = exclusions.iter().filter(move |e| e.covers(day));
        live.max_by_key(|e| (e.until.unwrap_or(NaiveDate::MAX), std::cmp::Reverse(e.from)))
    };
    let agreement = on_day(on)?.name.clone();
    let mut day = on;
    while let Some(exclusion) = on_day(day) {
        match exclusion.until {
            Some(until) if until < last_usable_on => day = add_days(until, 1),
            _ => return Some(Reason::BulkBlocked { agreement, earliest_on: None }),
        }
    }
    Some(Reason::BulkBlocked { agreement, earliest_on: Some(day) })
}

/// Why bulk credit that runs from `from` through `last_usable_on` is blocked on some day of it: as on the first such day.
#[must_use]
pub fn overlaps(exclusions: &[Exclusion], from: NaiveDate, last_usable_on: NaiveDate) -> Option<Reason> {
    let overlapping = exclusions
        .iter()
        .filter(|e| e.from <= last_usable_on && e.until.is_none_or(|until| from <= until))
        .map(|e| e.from.max(from));
    blocks(exclusions, overlapping.min()?, last_usable_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn exclusion(name: &str, from: &str, until: &str) -> Exclusion {
        Exclusion { name: name.into(), from: day(from), until: until.parse().ok() }
    }

    #[test]
    fn d14_bulk_credit_is_blocked_from_the_first_to_the_last_day_of_an_agreement() {
        let csp = [exclusion("csp", "2024-03-01", "2024-03-31")];
        let blocked = |on| blocks(&csp, day(on), day("2025-01-30"));
        let until_april =
            Some(Reason::BulkBlocked { agreement: "csp".into(), earliest_on: Some(day("2024-04-01")) });
        assert_eq!(blocked("2024-02-29"), None);
        assert_eq!(blocked("2024-03-01"), until_april);
        assert_eq!(blocked("2024-03-31"), until_april);
        assert_eq!(blocked("2024-04-01"), None);
    }

    #[test]
    fn d14_what_follows_without_a_gap_blocks_on_and_what_outlasts_the_credit_blocks_for_good() {
        let both = [
            exclusion("csp", "2024-03-01", "2024-03-31"),
            exclusion("azure_pass", "2024-04-01", "2024-04-02"),
        ];
        let earliest_on = Some(day("2024-04-03"));
        let reason = Reason::BulkBlocked { agreement: "csp".into(), earliest_on };
        assert_eq!(blocks(&both, day("2024-03-10"), day("2025-01-30")), Some(reason));
        let never =
            |agreement: &str| Some(Reason::BulkBlocked { agreement: agreement.into(), earliest_on: None });
        let open = [exclusion("enterprise_agreement", "2024-03-01", "")];
        assert_eq!(blocks(&open, day("2024-03-10"), day("2025-01-30")), never("enterprise_agreement"));
        assert_eq!(blocks(&both, day("2024-03-10"), day("2024-04-02")), never("csp"));
        let last = Some(Reason::BulkBlocked { agreement: "csp".into(), earliest_on });
        assert_eq!(blocks(&both, day("2024-03-10"), day("2024-04-03")), last);
    }

    #[test]
    fn d14_a_credit_overlaps_what_begins_by_its_last_day_and_ends_on_its_first_or_later() {
        let over = |from: &str, until: &str| {
            overlaps(&[exclusion("csp", from, until)], day("2024-03-01"), day("2025-01-30")).is_some()
        };
        assert!(over("2024-01-01", "2024-03-01") && over("2025-01-30", ""));
        assert!(!over("2024-01-01", "2024-02-29") && !over("2025-01-31", ""));
    }

    #[test]
    fn d14_a_credit_opens_on_the_first_day_that_nothing_known_by_then_excludes() {
        let standing = |name: &str, from: &str, until: &str, known_on: &str| KnownExclusion {
            exclusion: exclusion(name, from, until),
            known_on: day(known_on),
        };
        let open = |standing: &[KnownExclusion], through: &str, known_on: &str| {
            first_open(standing, day("2024-03-01"), day(through), day(known_on)).map(|day| day.to_string())
        };
        let csp = standing("csp", "2024-02-01", "2024-03-31", "2024-02-01");
        let pass = standing("azure_pass", "2024-04-01", "2024-04-02", "2024-04-01");
        assert_eq!(open(&[], "2024-03-01", "2024-03-01"), Ok("2024-03-01".into()));
        assert_eq!(open(std::slice::from_ref(&csp), "2024-03-31", "2024-03-01"), Err("csp".into()));
        assert_eq!(open(std::slice::from_ref(&csp), "2024-04-01", "2024-03-01"), Ok("2024-04-01".into()));
        let both = [csp, pass];
        assert_eq!(open(&both, "2024-05-01", "2024-03-01"), Ok("2024-04-03".into()));
        assert_eq!(open(&both, "2024-04-02", "2024-03-01"), Err("azure_pass".into()));
        // What arrives after a day was decided does not undo it, unless the credit itself arrives later still.
        let late = [standing("csp", "2024-02-01", "2024-03-31", "2024-03-05")];
        assert_eq!(open(&late, "2024-05-01", "2024-03-01"), Ok("2024-03-01".into()));
        assert_eq!(open(&late, "2024-05-01", "2024-03-05"), Ok("2024-04-01".into()));
        let endless = [standing("csp", "2024-02-01", "", "2024-02-01")];
        assert_eq!(open(&endless, "2025-05-01", "2024-03-01"), Err("csp".into()));
    }
}
