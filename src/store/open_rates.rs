//! Rates that nothing is granted at: those that wait for an operator, and those that were taken back (D4).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, bulk::CopyRows, operator_action, work::By};
use crate::domain::{
    id::{FileNo, OrderId, PartnerId},
    money::{Currency, PerEuro},
    rate::Rates,
    rate_jump::{self, DatedRate, Jump},
};

/// Adds to `rates` what nothing is granted at.
pub(super) async fn load(conn: &mut PgConnection, rates: &mut Rates) -> Result<()> {
    let rows = sqlx::query!(
        r#"select currency, published_on, per_euro_micro is not null as "waits!" from rate_open"#
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        let Some(currency) = Currency::stored(&r.currency) else { continue };
        if r.waits { rates.hold(currency, r.published_on) } else { rates.take_back(currency, r.published_on) }
    }
    Ok(())
}

/// A rate that waits, or one that was taken back.
#[derive(Clone, Debug)]
pub struct OpenRate {
    /// Its currency.
    pub currency: Currency,
    /// Its day.
    pub on: NaiveDate,
    /// What waits, and the rate before it; `None`: it was taken back.
    pub waits: Option<(PerEuro, DatedRate)>,
    /// The file that brought it.
    pub file: String,
}

/// All of them, by day and currency.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<OpenRate>> {
    let rows = sqlx::query!(
        "select o.currency, o.published_on, o.per_euro_micro, o.before_on, o.before_micro, f.name
         from rate_open o join file f using (file_id) order by o.published_on, o.currency"
    )
    .fetch_all(conn)
    .await?;
    let open = rows.into_iter().filter_map(|r| {
        let rate = r.per_euro_micro.and_then(PerEuro::from_micro);
        let before = r.before_on.zip(r.before_micro.and_then(PerEuro::from_micro));
        let currency = Currency::stored(&r.currency)?;
        Some(OpenRate { currency, on: r.published_on, waits: rate.zip(before), file: r.name })
    });
    Ok(open.collect())
}

/// What of these days is open, in millionths; `None`: taken back.
pub async fn of_days(
    conn: &mut PgConnection,
    days: &[NaiveDate],
) -> Result<BTreeMap<(NaiveDate, String), Option<DatedMicro>>> {
    let rows = sqlx::query!(
        "select currency, published_on, per_euro_micro, before_on, before_micro from rate_open where published_on = any($1)",
        days
    )
    .fetch_all(conn)
    .await?;
    let open = rows.into_iter().map(|r| {
        let before = r.before_on.zip(r.before_micro);
        let waits = r.per_euro_micro.zip(before).map(|(micro, before)| DatedMicro { micro, before });
        ((r.published_on, r.currency), waits)
    });
    Ok(open.collect())
}

/// A rate that waits, in millionths, and the one before it.
#[derive(Clone, Copy, Debug)]
pub struct DatedMicro {
    /// The rate.
    pub micro: i64,
    /// The one before, with its day.
    pub before: (NaiveDate, i64),
}

/// The newest day of which rates are stored.
pub async fn newest(conn: &mut PgConnection) -> Result<Option<NaiveDate>> {
    Ok(sqlx::query_scalar!("select max(day) from rate_day where published").fetch_one(conn).await?)
}

/// The rates of currencies from a day through another, and of each the last one before.
pub async fn taken(
    conn: &mut PgConnection,
    currencies: &[Currency],
    from: NaiveDate,
    through: NaiveDate,
) -> Result<BTreeMap<String, BTreeMap<NaiveDate, PerEuro>>> {
    let codes: Vec<String> = currencies.iter().map(ToString::to_string).collect();
    let rows = sqlx::query!(
        r#"select currency as "currency!", published_on as "on!", per_euro_micro as "micro!" from reference_rate
            where currency = any($1) and published_on between $2 and $3
           union all
           select c.code, r.published_on, r.per_euro_micro from unnest($1::text[]) as c (code)
           cross join lateral (select published_on, per_euro_micro from reference_rate
                                where currency = c.code and published_on < $2 order by published_on desc limit 1) r"#,
        &codes,
        from,
        through
    )
    .fetch_all(conn)
    .await?;
    let mut taken: BTreeMap<String, BTreeMap<NaiveDate, PerEuro>> = BTreeMap::new();
    for r in rows {
        if let Some(rate) = PerEuro::from_micro(r.micro) {
            taken.entry(r.currency).or_default().insert(r.on, rate);
        }
    }
    Ok(taken)
}

/// Records rates that wait; their days are known from then on.
pub async fn append(conn: &mut PgConnection, file_id: FileNo, jumps: &[Jump]) -> Result<()> {
    let mut rows = CopyRows::into("rate_open");
    for Jump { currency, rate: (on, rate), before: (before_on, before), .. } in jumps {
        rows.cell(currency)
            .date(*on)
            .cell(rate.micro())
            .date(*before_on)
            .cell(before.micro())
            .cell(file_id)
            .end();
    }
    rows.copy(&mut *conn).await?;
    publish(conn, &jumps.iter().map(|jump| jump.rate.0).collect::<Vec<_>>()).await
}

async fn publish(conn: &mut PgConnection, days: &[NaiveDate]) -> Result<()> {
    sqlx::query!(
        "insert into rate_day (day, published) select distinct day, true from unnest($1::date[]) as n (day)
         on conflict (day) do nothing",
        days
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that rates were taken back: others have come, or the bank says that it had none.
pub async fn close(conn: &mut PgConnection, cells: &[(NaiveDate, Currency)]) -> Result<()> {
    let days: Vec<NaiveDate> = cells.iter().map(|(on, _)| *on).collect();
    let codes: Vec<String> = cells.iter().map(|(_, currency)| currency.to_string()).collect();
    sqlx::query!(
        "delete from rate_open o using unnest($1::date[], $2::text[]) as n (day, code)
         where o.published_on = n.day and o.currency = n.code and o.per_euro_micro is null",
        &days,
        &codes
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What became of an admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is taken, and so are the later days that it makes plausible.
    Done(Vec<NaiveDate>),
    /// No such rate waits.
    NotWaiting,
}

/// Takes a rate that waits, and with it the days after it that differ from it by no more than `percent`.
pub async fn admit(
    conn: &mut PgConnection,
    (on, currency): (NaiveDate, Currency),
    percent: u32,
    by: By<'_>,
) -> Result<Admission> {
    let code = currency.to_string();
    let rows = sqlx::query!(
        r#"select published_on, per_euro_micro as "micro!" from rate_open
           where currency = $1 and published_on >= $2 and per_euro_micro is not null order by published_on"#,
        code,
        on
    )
    .fetch_all(&mut *conn)
    .await?;
    let waiting = rows.into_iter().filter_map(|r| Some((r.published_on, PerEuro::from_micro(r.micro)?)));
    let mut waiting = waiting.collect::<BTreeMap<_, _>>();
    let Some(rate) = waiting.remove(&on) else { return Ok(Admission::NotWaiting) };
    let last = waiting.keys().next_back().copied().unwrap_or(on);
    let mut measure = taken(conn, &[currency], on, last).await?.remove(&code).unwrap_or_default();
    measure.insert(on, rate);
    let still: Vec<NaiveDate> = rate_jump::find(currency, &waiting, &measure, Some(on), percent)
        .iter()
        .map(|jump| jump.rate.0)
        .collect();
    let mut admitted = vec![on];
    admitted.extend(waiting.into_keys().filter(|day| !still.contains(day)));
    sqlx::query!(
        "with admitted as (
             delete from rate_open where currency = $1 and published_on = any($2) and per_euro_micro is not null
             returning currency, published_on, per_euro_micro, file_id)
         insert into reference_rate (currency, published_on, per_euro_micro, file_id)
         select currency, published_on, per_euro_micro, file_id from admitted",
        code,
        &admitted
    )
    .execute(&mut *conn)
    .await?;
    let subjects: Vec<String> = admitted.iter().map(|day| format!("rates {day} {code}")).collect();
    let before = vec!["waiting".to_owned(); subjects.len()];
    operator_action::record(conn, "admit_rate", &subjects, &before, None, by).await?;
    Ok(Admission::Done(admitted))
}

/// Which rates are to be taken back.
#[derive(Clone, Debug)]
pub enum WhichRates {
    /// Those that files with these bytes brought.
    OfFile {
        /// SHA-256 of the bytes.
        sha256: String,
        /// What the file is called.
        name: String,
    },
    /// Those of a day, of one currency or of all.
    OfDay(NaiveDate, Option<Currency>),
}

/// A grant that counts on rates.
#[derive(Clone, Debug)]
pub struct CountingGrant {
    /// Whose.
    pub partner: PartnerId,
    /// The order.
    pub order_id: OrderId,
    /// The benefit.
    pub benefit: String,
    /// Its period's start.
    pub period_from: NaiveDate,
    /// The day of its rate.
    pub rate_on: NaiveDate,
}

/// What became of taking rates back.
#[derive(Clone, Debug)]
pub enum Reversal {
    /// They are gone: how many, of how many days, and how many of these had no others.
    Done {
        /// Rates.
        rates: i64,
        /// Their days.
        days: i64,
        /// Days that are missing now.
        missing: i64,
    },
    /// There are none to take back.
    Nothing,
    /// Grants count on them; the first of them, and how many.
    Granted(Vec<CountingGrant>, i64),
}

/// Grants that are named at most.
const NAMED_GRANTS: i64 = 20;

/// Takes rates back, all of them or, where a grant counts on one, none. Facts must not change meanwhile.
pub async fn revert(conn: &mut PgConnection, which: &WhichRates, by: By<'_>) -> Result<Reversal> {
    let (sha256, day, code) = match which {
        WhichRates::OfFile { sha256, .. } => (Some(sha256.as_str()), None, None),
        WhichRates::OfDay(day, currency) => (None, Some(*day), currency.map(|code| code.to_string())),
    };
    let cells = sqlx::query!(
        r#"select r.currency as "currency!", r.published_on as "on!", r.file_id as "file_id!: FileNo"
           from (select currency, published_on, file_id from reference_rate
                 union all
                 select currency, published_on, file_id from rate_open where per_euro_micro is not null) r
           where ($1::text is null or r.file_id in (select f.file_id from file f where f.sha256 = $1))
             and ($2::date is null or r.published_on = $2) and ($3::text is null or r.currency = $3)"#,
        sha256,
        day,
        code
    )
    .fetch_all(&mut *conn)
    .await?;
    if cells.is_empty() {
        return Ok(Reversal::Nothing);
    }
    let codes: Vec<String> = cells.iter().map(|cell| cell.currency.clone()).collect();
    let days: Vec<NaiveDate> = cells.iter().map(|cell| cell.on).collect();
    let files: Vec<FileNo> = cells.iter().map(|cell| cell.file_id).collect();
    let (named, count) = counting(conn, &days, &codes).await?;
    if count > 0 {
        return Ok(Reversal::Granted(named, count));
    }
    let missing = take_away(conn, &days, &codes, &files).await?;
    let distinct = days.iter().collect::<std::collections::BTreeSet<_>>().len();
    let (rates, days) =
        (i64::try_from(cells.len()).unwrap_or(i64::MAX), i64::try_from(distinct).unwrap_or(i64::MAX));
    let subject = match which {
        WhichRates::OfFile { name, sha256 } => format!("rates of {name} (SHA-256 {sha256})"),
        WhichRates::OfDay(day, None) => format!("rates {day}"),
        WhichRates::OfDay(day, Some(currency)) => format!("rates {day} {currency}"),
    };
    let before = format!("{rates} rates of {days} days");
    operator_action::record(conn, "revert_rates", &[subject], &[before], None, by).await?;
    Ok(Reversal::Done { rates, days, missing })
}

/// Grants at these rates, or at the rate of an earlier day because these days had none of their currency.
async fn counting(
    conn: &mut PgConnection,
    days: &[NaiveDate],
    codes: &[String],
) -> Result<(Vec<CountingGrant>, i64)> {
    let rows = sqlx::query!(
        r#"with gone as (select * from unnest($1::date[], $2::text[]) as n (day, code)),
                wholly as (
                    select day from gone group by day
                    having count(*) = (select count(*) from (
                        select currency from reference_rate r where r.published_on = day
                        union all
                        select currency from rate_open o where o.published_on = day and o.per_euro_micro is not null) a))
           select p.number as "partner: PartnerId", m.order_id as "order_id: OrderId", e.benefit, t.period_from as "period_from!",
                  t.rate_on as "rate_on!", count(*) over () as "count!"
           from transfer t join entitlement e using (entitlement_id) join membership m using (membership_id)
           join partner p on p.partner_id = m.partner_id
           where t.kind = 'credit_granted' and t.rate_on is not null
             and (exists (select from gone g where g.day = t.rate_on and g.code in (t.currency, 'USD'))
                  or exists (select from wholly w where t.rate_on < w.day and w.day <= t.period_from))
           order by t.period_from, t.transfer_id limit $3"#,
        days,
        codes,
        NAMED_GRANTS
    )
    .fetch_all(conn)
    .await?;
    let count = rows.first().map_or(0, |r| r.count);
    let named = rows.into_iter().map(|r| CountingGrant {
        partner: r.partner,
        order_id: r.order_id,
        benefit: r.benefit,
        period_from: r.period_from,
        rate_on: r.rate_on,
    });
    Ok((named.collect(), count))
}

/// Removes rates. A day without any other is missing from then on; of the others it is kept that the rate was taken back, so
/// that nothing is granted at an older one. Says how many days are missing.
async fn take_away(
    conn: &mut PgConnection,
    days: &[NaiveDate],
    codes: &[String],
    files: &[FileNo],
) -> Result<i64> {
    sqlx::query!(
        "delete from reference_rate r using unnest($1::date[], $2::text[]) as n (day, code)
         where r.published_on = n.day and r.currency = n.code",
        days,
        codes
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into rate_open (currency, published_on, file_id)
         select n.code, n.day, n.file_id from unnest($1::date[], $2::text[], $3::bigint[]) as n (day, code, file_id)
         on conflict (currency, published_on) do update
             set per_euro_micro = null, before_on = null, before_micro = null",
        days,
        codes,
        files as &[FileNo]
    )
    .execute(&mut *conn)
    .await?;
    let missing = sqlx::query!(
        "delete from rate_day d where d.day = any($1) and d.published
           and not exists (select from reference_rate r where r.published_on = d.day)
           and not exists (select from rate_open o where o.published_on = d.day and o.per_euro_micro is not null)",
        days
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from rate_open o where o.published_on = any($1) and o.per_euro_micro is null
           and not exists (select from rate_day d where d.day = o.published_on)",
        days
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("update file set reverted_at = now() where file_id = any($1)", files as &[FileNo])
        .execute(conn)
        .await?;
    Ok(i64::try_from(missing.rows_affected()).unwrap_or(i64::MAX))
}

/// The files of rates that were taken in under a name, or whose SHA-256 begins so: SHA-256 and name, each once.
pub async fn files(conn: &mut PgConnection, called: &str) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"select distinct on (sha256) sha256, name from file
           where kind = 'rates' and status in ('done', 'staged') and (name = $1 or length($1) >= 8 and starts_with(sha256, $1))
           order by sha256, file_id desc"#,
        called
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.sha256, r.name)).collect())
}
