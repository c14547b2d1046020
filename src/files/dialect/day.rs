//! Dates as people, spreadsheets and portals write them, with a time of day behind or without.

use chrono::NaiveDate;

use crate::domain::naming;

/// Which of two numbers comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrder {
    /// `17/06/2021`
    DayFirst,
    /// `6/17/2021`
    MonthFirst,
}

/// What a date says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenDay {
    /// The same in either order.
    Same(NaiveDate),
    /// It can only be meant in this order.
    With(DayOrder, NaiveDate),
    /// `03/04/2021`
    Either {
        /// What it says with the day first.
        day_first: NaiveDate,
        /// What it says with the month first.
        month_first: NaiveDate,
    },
}

/// Reads a date without surrounding space; a time of day behind it is passed over, as of UTC. `None`: it is none.
#[must_use]
pub fn read(text: &str) -> Option<WrittenDay> {
    if let Some(named) = named(text) {
        return Some(WrittenDay::Same(named));
    }
    let (date, time) = text.split_once(' ').unwrap_or((text, ""));
    if !(time.is_empty() && !text.ends_with(' ') || is_time(time)) {
        return None;
    }
    let mark = date.chars().find(|c| !c.is_ascii_digit())?;
    let mut parts = date.split(mark);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    match (mark, first.len()) {
        ('-', 4) if second.len() == 2 && third.len() == 2 => {
            date_of(first, second, third).map(WrittenDay::Same)
        }
        ('/', 4) => date_of(first, second, third).map(WrittenDay::Same),
        ('.', _) => date_of(third, second, first).map(WrittenDay::Same),
        ('/' | '-', _) => match (date_of(third, second, first), date_of(third, first, second)) {
            (Some(day_first), Some(month_first)) if day_first == month_first => {
                Some(WrittenDay::Same(day_first))
            }
            (Some(day_first), Some(month_first)) => Some(WrittenDay::Either { day_first, month_first }),
            (Some(date), None) => Some(WrittenDay::With(DayOrder::DayFirst, date)),
            (None, Some(date)) => Some(WrittenDay::With(DayOrder::MonthFirst, date)),
            (None, None) => None,
        },
        _ => None,
    }
}

/// `06 February 2026`, in English or Swedish.
fn named(text: &str) -> Option<NaiveDate> {
    let mut words = text.split_ascii_whitespace();
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = naming::month(month)?.to_string();
    let time = words.collect::<Vec<_>>().join(" ");
    (time.is_empty() || is_time(&time)).then(|| date_of(year, &month, day)).flatten()
}

/// A year of four digits, month and day of one or two.
fn date_of(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let year = i32::try_from(number(year, 4..=4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(month, 1..=2)?, number(day, 1..=2)?)
}

/// `0:00`, `19:49:35Z`, `1:25:31 PM`.
fn is_time(text: &str) -> bool {
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix(" UTC")).unwrap_or(text);
    let half = text.strip_suffix(" AM").or_else(|| text.strip_suffix(" PM"));
    let hours = if half.is_some() { 1..=12 } else { 0..=23_u32 };
    let (clock, fraction) = half.unwrap_or(text).split_once('.').unwrap_or((half.unwrap_or(text), "0"));
    let mut parts = clock.split(':');
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let text = parts.next()?;
        let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hour, minute) = (part(1..=2), part(2..=2));
    let second = if clock.matches(':').count() == 2 { part(2..=2) } else { Some(0) };
    let whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = hour.is_some_and(|hour| hours.contains(&hour))
        && minute.is_some_and(|minute| minute < 60)
        && second.is_some_and(|second| second < 60);
    in_range && whole && clock.matches(':').count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_meant_or_as_either() {
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let same = |text| Some(WrittenDay::Same(date(text)));
        for (written, meant) in [
            ("2021-06-17", same("2021-06-17")),
            ("2021/06/17", same("2021-06-17")),
            ("2021/6/7", same("2021-06-07")),
            ("17.06.2021", same("2021-06-17")),
            ("5/5/2021", same("2021-05-05")),
            ("06 February 2026", same("2026-02-06")),
            ("6 februari 2026", same("2026-02-06")),
            ("2022-03-18 19:49:35Z", same("2022-03-18")),
            ("2022-03-18 00:00:00", same("2022-03-18")),
            ("17/06/2021", Some(WrittenDay::With(DayOrder::DayFirst, date("2021-06-17")))),
            ("17-06-2021", Some(WrittenDay::With(DayOrder::DayFirst, date("2021-06-17")))),
            ("6/17/2021", Some(WrittenDay::With(DayOrder::MonthFirst, date("2021-06-17")))),
            ("8/19/2021 1:25:31 PM", Some(WrittenDay::With(DayOrder::MonthFirst, date("2021-08-19")))),
            (
                "2/1/2019 0:00",
                Some(WrittenDay::Either { day_first: date("2019-01-02"), month_first: date("2019-02-01") }),
            ),
        ] {
            assert_eq!(read(written), meant, "{written}");
        }
        for none in [
            "",
            "17/06/21",
            "6.17.2021",
            "2021-6-7",
            "2021-02-30",
            "31/02/2021",
            "17/6",
            "17/06/2021/1",
            "17.06-2021",
            "2021-06-17 25:00",
            "2021-06-17 ",
            "8/19/2021 13:25 PM",
            "06 Februarius 2026",
            "1 May 26",
            "soon",
            "20210617",
            "2021-06-17 1:2:3:4",
            "٣/٤/2021",
            "2021-06-17T10:00:00Z",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
