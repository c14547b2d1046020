//! Reference rates, and the days on which there are none (D4).

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{Result, bulk::CopyRows, open_rates, operator_action, work::By};
use crate::domain::{
    id::FileNo,
    money::{Currency, PerEuro},
    rate::Rates,
};

/// The rates of the currencies that partners are granted in and of the dollar, and every day that is known.
pub async fn load(conn: &mut PgConnection) -> Result<Rates> {
    // One row a currency: there are thousands of days.
    let rows = sqlx::query!(
        r#"select currency, array_agg(published_on order by published_on) as "days!",
                  array_agg(per_euro_micro order by published_on) as "rates!"
           from reference_rate
           where currency = 'USD' or currency in (select distinct currency from partner)
              or currency in (select currency from partner_currency)
           group by currency"#
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut rates = Rates::default();
    for r in rows {
        let Some(currency) = Currency::stored(&r.currency) else { continue };
        for (day, micro) in r.days.into_iter().zip(r.rates) {
            if let Some(rate) = PerEuro::from_micro(micro) {
                rates.insert(currency, day, rate);
            }
        }
    }
    let days = sqlx::query!(
        r#"select published, array_agg(day order by day) as "days!" from rate_day group by published"#
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in days {
        for day in r.days {
            if r.published { rates.publish(day) } else { rates.leave_out(day) }
        }
    }
    open_rates::load(conn, &mut rates).await?;
    Ok(rates)
}

/// What is known of days.
#[derive(Debug, Default)]
pub struct KnownRates {
    /// Rates in millionths, by day and currency.
    pub rates: HashMap<(NaiveDate, Currency), i64>,
    /// Days that an operator stated as unpublished.
    pub unpublished: BTreeSet<NaiveDate>,
}

/// What is known of these days.
pub async fn known(conn: &mut PgConnection, days: &[NaiveDate]) -> Result<KnownRates> {
    let rows = sqlx::query!(
        "select published_on, currency, per_euro_micro from reference_rate where published_on = any($1)",
        days
    )
    .fetch_all(&mut *conn)
    .await?;
    let rates = rows.into_iter().filter_map(|r| {
        Currency::stored(&r.currency).map(|currency| ((r.published_on, currency), r.per_euro_micro))
    });
    let rates = rates.collect();
    let unpublished =
        sqlx::query_scalar!("select day from rate_day where day = any($1) and not published", days)
            .fetch_all(conn)
            .await?;
    Ok(KnownRates { rates, unpublished: unpublished.into_iter().collect() })
}

/// Records published rates.
pub async fn append(
    conn: &mut PgConnection,
    file_id: FileNo,
    rates: &[(NaiveDate, Currency, PerEuro)],
) -> Result<()> {
    let mut rows = CopyRows::into("reference_rate");
    for (day, currency, rate) in rates {
        rows.cell(currency).date(*day).cell(rate.micro()).cell(file_id).end();
    }
    rows.copy(&mut *conn).await?;
    let days: Vec<NaiveDate> =
        rates.iter().map(|(day, ..)| *day).collect::<BTreeSet<_>>().into_iter().collect();
    sqlx::query!(
        "insert into rate_day (day, published) select day, true from unnest($1::date[]) as n (day)
         on conflict (day) do nothing",
        &days
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What became of a statement about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementOutcome {
    /// It is recorded.
    Done,
    /// It was so already.
    Unchanged,
    /// Rates of the day are stored.
    Published,
    /// Credit was granted that counts on the day being without rates.
    Granted,
}

/// Records that nothing was published on a day, by whom and why.
pub async fn state_unpublished(
    conn: &mut PgConnection,
    day: NaiveDate,
    by: By<'_>,
) -> Result<StatementOutcome> {
    let added =
        sqlx::query!("insert into rate_day (day, published) values ($1, false) on conflict do nothing", day)
            .execute(&mut *conn)
            .await?;
    if added.rows_affected() == 0 {
        let published =
            sqlx::query_scalar!("select published from rate_day where day = $1", day).fetch_one(conn).await?;
        return Ok(if published { StatementOutcome::Published } else { StatementOutcome::Unchanged });
    }
    note(conn, day, "state_unpublished", "not known", by).await?;
    Ok(StatementOutcome::Done)
}

/// Takes such a statement back, unless a grant was made that counts on it.
pub async fn take_back(conn: &mut PgConnection, day: NaiveDate, by: By<'_>) -> Result<StatementOutcome> {
    let counted_on = sqlx::query_scalar!(
        r#"select exists (select from transfer where kind = 'credit_granted' and rate_on < $1 and period_from >= $1)
               as "granted!""#,
        day
    )
    .fetch_one(&mut *conn)
    .await?;
    if counted_on {
        return Ok(StatementOutcome::Granted);
    }
    let gone = sqlx::query!("delete from rate_day where day = $1 and not published", day)
        .execute(&mut *conn)
        .await?;
    if gone.rows_affected() == 0 {
        return Ok(StatementOutcome::Unchanged);
    }
    note(conn, day, "take_back_unpublished", "stated as unpublished", by).await?;
    Ok(StatementOutcome::Done)
}

async fn note(conn: &mut PgConnection, day: NaiveDate, action: &str, before: &str, by: By<'_>) -> Result<()> {
    operator_action::record(conn, action, &[format!("rates {day}")], &[before.to_owned()], None, by).await
}

/// A day that an operator stated as unpublished.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The day.
    pub day: NaiveDate,
    /// When it was stated.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
}

/// The days that stand as unpublished, newest first.
pub async fn statements(conn: &mut PgConnection) -> Result<Vec<Statement>> {
    let rows = sqlx::query!(
        r#"select d.day, o.at, o.by, o.why
           from rate_day d
           join lateral (select at, by, why from operator_action
                         where subject = 'rates ' || d.day and action = 'state_unpublished'
                         order by action_id desc limit 1) o on true
           where not d.published order by d.day desc"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| Statement { day: r.day, at: r.at, by: r.by, why: r.why }).collect())
}
