//! Published rates: events; the same day with another rate is a conflict, told loudly (D4, D16).

use sqlx::PgConnection;

use crate::{
    domain::{
        money::plain,
        reason::{Problem, Reason},
    },
    files::portals::ecb_rates::RateColumns,
    jobs::{
        engine::{Context, Error, Result},
        intake::staged::{StagedFile, Verdict, date_beyond, record},
    },
    store::{
        file::StagedRow,
        rate::{self, KnownRates},
    },
};

/// Applies published days of a rates file.
pub async fn apply(
    _: &Context,
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
    let KnownRates { rates: mut known, unpublished } = rate::known(conn, &published).await?;
    let (mut verdicts, mut fresh) = (Vec::with_capacity(rows.len()), Vec::new());
    for day in days {
        let day = match day {
            Ok(day) => day,
            Err(problems) => {
                verdicts.push(Verdict::Rejected(problems));
                continue;
            }
        };
        let written = day.on.to_string();
        let mut problems = Vec::from_iter(date_beyond("Date", &written, day.on, &staged.dates));
        let mut new = Vec::new();
        if unpublished.contains(&day.on) {
            problems.push(Problem::at("Date", &written, Reason::StatedUnpublished { on: day.on }));
        }
        for (currency, rate) in day.rates {
            match known.get(&(day.on, currency)) {
                None => new.push((day.on, currency, rate)),
                Some(micro) if *micro == rate.micro() => {}
                Some(micro) => {
                    let (column, expected) = (currency.to_string(), plain(*micro, 6));
                    let reason = Reason::ConflictsWithEarlier { column, expected };
                    problems.push(Problem::at(currency.code(), &plain(rate.micro(), 6), reason));
                }
            }
        }
        verdicts.push(if !problems.is_empty() {
            Verdict::Rejected(problems)
        } else if new.is_empty() {
            Verdict::Unchanged(vec![])
        } else {
            known.extend(new.iter().map(|(on, currency, rate)| ((*on, *currency), rate.micro())));
            fresh.extend(new);
            Verdict::Applied(vec![])
        });
    }
    rate::append(conn, staged.file_id, &fresh).await?;
    Ok(verdicts)
}
