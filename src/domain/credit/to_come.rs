//! What is still to be granted of a credit and ends with it, so that it can be told of before (D10).

use chrono::NaiveDate;

use super::{Opening, Schedule, Shape, Terms};
use crate::domain::{
    agreement::{self, KnownExclusion},
    calendar::Period,
    reason::Reason,
};

/// The last period of a credit, not granted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToCome {
    /// Its number.
    pub period_no: u32,
    /// The days on which it can be used.
    pub period: Period,
    /// What excludes it until then (D14).
    pub blocked: Option<Reason>,
}

impl Terms {
    /// The last period that is granted (D3), if it is still to come as `schedule` stands on `today`, of a credit that
    /// became known on `known_on`. Bulk credit is granted on the first day on which no agreement excludes it, if there
    /// is one by its last day (D14).
    #[must_use]
    pub fn to_come(
        &self,
        schedule: &Schedule,
        standing: &[KnownExclusion],
        known_on: NaiveDate,
        today: NaiveDate,
    ) -> Option<ToCome> {
        let numbers = schedule.next_period..self.periods_in_a_year.max(1);
        let period_no = numbers.take_while(|number| self.grants(*number)).last()?;
        let period = self.period(period_no);
        let from = match self.opening(standing, known_on, today) {
            Opening::On(day) => day,
            Opening::Blocked(_) if self.last_grant_on() < today => return None,
            Opening::AtStart | Opening::Blocked(_) => period.from,
        };
        let blocked = if self.shape == Shape::Bulk {
            let known = standing.iter().filter(|s| s.known_on <= today).map(|s| s.exclusion.clone());
            agreement::blocks(&known.collect::<Vec<_>>(), self.starts_on.max(today), self.last_grant_on())
        } else {
            None
        };
        Some(ToCome { period_no, period: Period { from, ..period }, blocked })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::monthly, *};
    use crate::domain::{agreement::Exclusion, calendar::PeriodScheme};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn terms(shape: Shape, starts_on: &str, expires_on: &str) -> Terms {
        Terms { shape, last_usable_on: day(expires_on), ..monthly(starts_on, expires_on) }
    }

    #[test]
    fn d10_the_last_period_is_to_come_until_it_is_granted() {
        let terms = terms(Shape::Monthly(PeriodScheme::Anniversary), "2024-02-01", "2024-03-05");
        let schedule = Schedule::new(&terms, None);
        let last = terms.to_come(&schedule, &[], day("2024-01-31"), day("2024-01-31")).unwrap();
        assert_eq!(
            (last.period_no, last.period.from, last.period.until),
            (1, day("2024-03-01"), day("2024-03-06"))
        );
        let granted = Schedule { next_period: 2, ..schedule };
        assert_eq!(terms.to_come(&granted, &[], day("2024-01-31"), day("2024-03-01")), None);
    }

    #[test]
    fn d14_bulk_credit_is_to_come_while_it_is_blocked_and_not_after_the_last_day_of_a_grant() {
        let terms = terms(Shape::Bulk, "2024-01-31", "2024-03-12");
        let schedule = Schedule::new(&terms, None);
        let csp = |until: Option<&str>| KnownExclusion {
            exclusion: Exclusion { name: "csp".into(), from: day("2024-01-01"), until: until.map(day) },
            known_on: day("2024-01-01"),
        };
        let on = |until, today| {
            let last = terms.to_come(&schedule, &[csp(until)], day("2024-01-31"), day(today));
            last.map(|last| (last.period.from.to_string(), last.blocked))
        };
        let blocked = |earliest_on| Some(Reason::BulkBlocked { agreement: "csp".into(), earliest_on });
        let from = |from: &str, blocked| Some((from.to_owned(), blocked));
        let until = Some("2024-03-09");
        assert_eq!(on(until, "2024-02-01"), from("2024-01-31", blocked(Some(day("2024-03-10")))));
        assert_eq!(on(None, "2024-02-01"), from("2024-01-31", blocked(None)));
        // Open, it waits for its rate, and does so past its last day.
        assert_eq!(on(until, "2024-03-10"), from("2024-03-10", None));
        assert_eq!(on(until, "2024-03-20"), from("2024-03-10", None));
        assert_eq!(on(None, "2024-03-13"), None);
        assert_eq!(on(Some("2024-03-12"), "2024-03-13"), None, "never granted, though the agreement is over");
    }
}
