//! The business days of TARGET, on which the European Central Bank publishes reference rates (D4).

use chrono::{Datelike, NaiveDate, Weekday};

use super::calendar::{add_days, sub_days};

/// Whether the Bank publishes rates on `day`: not on Saturdays and Sundays, 1 January, Good Friday, Easter Monday, 1 May,
/// 25 and 26 December.
#[must_use]
pub fn is_business_day(day: NaiveDate) -> bool {
    let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let fixed = matches!((day.month(), day.day()), (1 | 5, 1) | (12, 25 | 26));
    let easter = easter_sunday(day.year());
    let moving = easter.is_some_and(|sunday| day == sub_days(sunday, 2) || day == add_days(sunday, 1));
    !weekend && !fixed && !moving
}

/// Easter Sunday of a year of the Gregorian calendar (Meeus, Jones and Butcher), in whole numbers.
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let lunar = year.checked_rem(19)?;
    let (century, of_century) = (year.checked_div(100)?, year.checked_rem(100)?);
    let (leap_centuries, after_leap) = (century.checked_div(4)?, century.checked_rem(4)?);
    let shift = century.checked_add(8)?.checked_div(25)?;
    let shift = century.checked_sub(shift)?.checked_add(1)?.checked_div(3)?;
    let full_moon = lunar.checked_mul(19)?.checked_add(century)?.checked_sub(leap_centuries)?;
    let full_moon = full_moon.checked_sub(shift)?.checked_add(15)?.checked_rem(30)?;
    let (leap_years, after_leap_year) = (of_century.checked_div(4)?, of_century.checked_rem(4)?);
    let to_sunday = after_leap.checked_add(leap_years)?.checked_mul(2)?.checked_add(32)?;
    let to_sunday = to_sunday.checked_sub(full_moon)?.checked_sub(after_leap_year)?.checked_rem(7)?;
    let late = full_moon.checked_mul(11)?.checked_add(to_sunday.checked_mul(22)?)?.checked_add(lunar)?;
    let late = late.checked_div(451)?;
    // The day counted from 22 March, which Easter is never before.
    let after_22_march = full_moon.checked_add(to_sunday)?.checked_sub(late.checked_mul(7)?)?;
    let first = NaiveDate::from_ymd_opt(year, 3, 22)?;
    Some(add_days(first, u32::try_from(after_22_march).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn d4_easter_is_the_sunday_that_the_almanacs_have() {
        for sunday in [
            "1999-04-04",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2016-03-27",
            "2021-04-04",
            "2022-04-17",
            "2023-04-09",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2100-03-28",
        ] {
            assert_eq!(easter_sunday(day(sunday).year()), Some(day(sunday)));
        }
    }

    #[test]
    fn d4_target_closes_on_weekends_and_six_days_a_year() {
        for closed in [
            "2024-01-01",
            "2024-03-29",
            "2024-04-01",
            "2024-05-01",
            "2024-12-25",
            "2024-12-26",
            "2024-02-03",
            "2024-02-04",
            "2022-12-31",
            "2023-04-07",
            "2023-04-10",
        ] {
            assert!(!is_business_day(day(closed)), "{closed}");
        }
        for open in
            ["2024-01-02", "2024-01-31", "2024-03-28", "2024-04-02", "2024-12-24", "2024-12-27", "2024-12-31"]
        {
            assert!(is_business_day(day(open)), "{open}");
        }
    }

    #[test]
    fn d4_every_day_of_the_banks_history_file_is_a_business_day_and_none_is_left_out() {
        let file = include_str!("../../fixtures/ecb/eurofxref-hist.csv");
        let published: Vec<NaiveDate> = file.lines().skip(1).map(|line| day(&line[..10])).collect();
        let (first, last) = (*published.last().unwrap(), published[0]);
        let mut open: Vec<NaiveDate> =
            first.iter_days().take_while(|day| *day <= last).filter(|day| is_business_day(*day)).collect();
        open.reverse();
        assert_eq!(open, published);
    }
}
