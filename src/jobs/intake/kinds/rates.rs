//! Published rates: events; the same day with another rate is a conflict, told loudly (D4, D16). One that differs greatly from
//! the one before waits for the operator, if its day is the newest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::{
        money::{Currency, PerEuro, plain},
        rate_jump::{self, Jump},
        reason::{Problem, Reason},
    },
    files::portals::ecb_rates::{PublishedDay, RateColumns},
    jobs::{
        engine::{Context, Error, Result},
        intake::staged::{StagedFile, Verdict, date_beyond, record},
    },
    store::{
        file::{self, StagedRow},
        open_rates::{self, DatedMicro},
        rate::{self, KnownRates},
    },
};

/// Decimals of a rate as it is told.
const PLACES: u32 = 6;

/// Applies published days of a rates file.
pub async fn apply(
    cx: &Context,
    conn: &mut PgConnection,
    staged: &StagedFile,
    rows: &[StagedRow],
) -> Result<Vec<Verdict>> {
    let columns = RateColumns::of_header(&staged.header)
        .map_err(|refusal| Error::file(std::path::Path::new("rates"))(std::io::Error::other(refusal)))?;
    let day = |row: &StagedRow| match record(staged, row)? {
        (record, unsettled) if unsettled.is_empty() => columns.day(&record),
        (_, unsettled) => Err(unsettled),
    };
    let days: Vec<_> = rows.iter().map(day).collect();
    let published: Vec<_> = days.iter().flatten().map(|day| day.on).collect();
    let mut known = KnownDays {
        rates: rate::known(conn, &published).await?,
        open: open_rates::of_days(conn, &published).await?,
        newest: open_rates::newest(conn).await?,
        came_on: file::came_on(conn, staged.file_id).await?,
        fresh: BTreeMap::new(),
        closed: Vec::new(),
    };
    let mut verdicts: Vec<Verdict> = days
        .iter()
        .map(|day| match day {
            Ok(day) => known.rule(staged, day),
            Err(problems) => Verdict::Rejected(problems.clone()),
        })
        .collect();
    let jumps = known.jumps(conn, cx.policies.import_entitlements.policy.rate_jump_percent).await?;
    // What the operator states by command, the operator has looked at.
    let waits = |jump: &Jump| jump.waits && !staged.by_operator;
    for (day, verdict) in days.iter().zip(&mut verdicts) {
        if let (Ok(day), Verdict::Applied(remarks)) = (day, &mut *verdict) {
            remarks.extend(
                jumps.iter().filter(|jump| jump.rate.0 == day.on).map(|jump| told(jump, waits(jump))),
            );
        }
    }
    let held: Vec<Jump> = jumps.into_iter().filter(waits).collect();
    let is_held =
        |on: NaiveDate, currency| held.iter().any(|jump| (jump.rate.0, jump.currency) == (on, currency));
    let fresh =
        known.fresh.iter().flat_map(|(currency, days)| days.iter().map(|(on, rate)| (*on, *currency, *rate)));
    let taken: Vec<_> = fresh.filter(|(on, currency, _)| !is_held(*on, *currency)).collect();
    rate::append(conn, staged.file_id, &taken).await?;
    known.closed.extend(taken.iter().map(|(on, currency, _)| (*on, *currency)));
    known.closed.extend(held.iter().map(|jump| (jump.rate.0, jump.currency)));
    open_rates::close(conn, &known.closed).await?;
    open_rates::append(conn, staged.file_id, &held).await?;
    Ok(verdicts)
}

/// What is said of a rate that differs greatly from the one before.
fn told(jump: &Jump, waits: bool) -> Problem {
    let (before, before_on) = (plain(jump.before.1.micro(), PLACES), jump.before.0);
    let reason = if waits {
        Reason::RateUnlikely { before, before_on }
    } else {
        Reason::RateJumped { before, before_on }
    };
    Problem::at(jump.currency.code(), &plain(jump.rate.1.micro(), PLACES), reason)
}

/// What is known of the days of a span, before and by the rows that were looked at.
struct KnownDays {
    rates: KnownRates,
    open: BTreeMap<(NaiveDate, String), Option<DatedMicro>>,
    newest: Option<NaiveDate>,
    /// No rates can be of a later day.
    came_on: NaiveDate,
    /// What is new, by currency.
    fresh: BTreeMap<Currency, BTreeMap<NaiveDate, PerEuro>>,
    /// Of what was taken back, what the Bank had none of.
    closed: Vec<(NaiveDate, Currency)>,
}

impl KnownDays {
    /// What becomes of a day.
    fn rule(&mut self, staged: &StagedFile, day: &PublishedDay) -> Verdict {
        let written = day.on.to_string();
        let mut problems = Vec::from_iter(date_beyond("Date", &written, day.on, &staged.dates));
        if day.on > self.came_on {
            let received_on = self.came_on;
            problems.push(Problem::at("Date", &written, Reason::RateInFuture { received_on }));
        }
        if self.rates.unpublished.contains(&day.on) {
            problems.push(Problem::at("Date", &written, Reason::StatedUnpublished { on: day.on }));
        }
        let (mut new, mut remarks) = (Vec::new(), Vec::new());
        for (currency, rate) in &day.rates {
            let open = self.open.get(&(day.on, currency.to_string())).copied().flatten();
            let known = self.rates.rates.get(&(day.on, *currency)).copied();
            match (known.or(open.map(|open| open.micro)), open) {
                (None, _) => new.push((*currency, *rate)),
                (Some(micro), None) if micro == rate.micro() => {}
                (Some(micro), Some(open)) if micro == rate.micro() => {
                    let before = plain(open.before.1, PLACES);
                    let reason = Reason::RateUnlikely { before, before_on: open.before.0 };
                    remarks.push(Problem::at(currency.code(), &plain(micro, PLACES), reason));
                }
                (Some(micro), _) => {
                    let (column, expected) = (currency.to_string(), plain(micro, PLACES));
                    let reason = Reason::ConflictsWithEarlier { column, expected };
                    problems.push(Problem::at(currency.code(), &plain(rate.micro(), PLACES), reason));
                }
            }
        }
        if !problems.is_empty() {
            return Verdict::Rejected(problems);
        }
        let gone = |currency: &&Currency| self.open.contains_key(&(day.on, currency.to_string()));
        let closed: Vec<_> = day.without.iter().filter(gone).map(|currency| (day.on, *currency)).collect();
        self.closed.extend(closed);
        if new.is_empty() {
            return Verdict::Unchanged(remarks);
        }
        for (currency, rate) in new {
            self.rates.rates.insert((day.on, currency), rate.micro());
            self.fresh.entry(currency).or_default().insert(day.on, rate);
        }
        Verdict::Applied(remarks)
    }

    /// Which of the new rates differ from the one before by more than `percent`.
    async fn jumps(&self, conn: &mut PgConnection, percent: u32) -> Result<Vec<Jump>> {
        let days: BTreeSet<NaiveDate> = self.fresh.values().flat_map(|days| days.keys().copied()).collect();
        let Some((first, last)) = days.first().zip(days.last()) else { return Ok(vec![]) };
        let currencies: Vec<Currency> = self.fresh.keys().copied().collect();
        let taken = open_rates::taken(conn, &currencies, *first, *last).await?;
        let none = BTreeMap::new();
        let jumps = self.fresh.iter().flat_map(|(currency, fresh)| {
            let taken = taken.get(currency.code()).unwrap_or(&none);
            rate_jump::find(*currency, fresh, taken, self.newest, percent)
        });
        Ok(jumps.collect())
    }
}
