//! What day it is: the only module that asks the machine for the time.
//!
//! Rules take their date as an argument; commands get it from a [`Clock`], so that `--now` moves the whole
//! business to another day. Leases and time-outs are not business: they keep the database's clock.

use std::time::Instant;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Where a command takes its business time from. All instants are UTC (D1).
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Stands still: a one-shot command under `--now` sees one instant from start to end.
    Fixed(DateTime<Utc>),
    /// Ticks, starting from another instant: a long-running command under `--now`.
    Offset {
        /// The instant it was set to.
        from: DateTime<Utc>,
        /// When it was set, on the machine's steady clock.
        since: Instant,
    },
}

impl Clock {
    /// A clock that is set to `from` now and ticks from there.
    #[must_use]
    pub fn ticking_from(from: DateTime<Utc>) -> Self {
        Self::Offset { from, since: Instant::now() }
    }

    /// The business instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => system_now(),
            Self::Fixed(instant) => *instant,
            Self::Offset { from, since } => {
                let passed = TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX);
                from.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC)
            }
        }
    }

    /// The business date: the UTC date of [`Clock::now`] (D1).
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}

/// Reads what `--now` takes: an RFC 3339 instant (`2022-01-31T09:30:00+01:00`), or a date (`2022-01-31`),
/// which stands for its first moment in UTC.
///
/// # Errors
/// A sentence, if it is neither.
pub fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_err(|_| format!("`{text}` is neither a date (2022-01-31) nor an instant (2022-01-31T09:30:00Z)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_a_date_is_its_first_moment_in_utc_and_an_offset_is_converted() {
        assert_eq!(parse_instant("2022-01-31").unwrap().to_rfc3339(), "2022-01-31T00:00:00+00:00");
        assert_eq!(
            parse_instant("2022-02-01T00:30:00+01:00").unwrap().to_rfc3339(),
            "2022-01-31T23:30:00+00:00"
        );
        assert!(parse_instant("31/01/2022").is_err());
        assert!(parse_instant("2022-02-30").is_err());
    }

    #[test]
    fn a_fixed_clock_stands_still_and_an_offset_clock_ticks() {
        let start = parse_instant("2022-01-31T23:59:59Z").unwrap();
        let fixed = Clock::Fixed(start);
        let ticking = Clock::ticking_from(start);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(fixed.now(), start);
        assert!(ticking.now() > start);
        assert_eq!(fixed.today().to_string(), "2022-01-31");
    }
}
