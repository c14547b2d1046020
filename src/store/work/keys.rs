//! The keys of a chunk's span that are still due: along these it is cut when it fails.

use sqlx::PgConnection;

use super::rows::{DueTerms, Rows};
use crate::store::{
    Result,
    run::{Span, SpanKey},
};

/// What of a span is still due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueKeys {
    /// The first key.
    pub first: SpanKey,
    /// The first of the second half; of one key alone the first.
    pub middle: SpanKey,
    /// There are several.
    pub several: bool,
}

impl Rows {
    /// What each key is of, where a chunk can be cut down to one.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        match self {
            Self::Requests(_) => Some("request"),
            Self::Memberships => Some("membership"),
            Self::Credits | Self::Usage => Some("entitlement"),
            Self::Partners => Some("partner"),
            Self::Mails | Self::Files | Self::None => None,
        }
    }
}

/// The keys of a span that are still due; `None`: none is, or its chunks cannot be cut.
pub async fn keys(
    conn: &mut PgConnection,
    rows: Rows,
    span: Span,
    terms: DueTerms,
) -> Result<Option<DueKeys>> {
    let found = match rows {
        Rows::Requests(kind) => requests(conn, kind, span).await?,
        Rows::Memberships => numbered(span, memberships(conn, span, terms).await?),
        Rows::Credits => numbered(span, credits(conn, span, terms).await?),
        Rows::Usage => numbered(span, usage(conn, span, terms).await?),
        Rows::Partners => numbered(span, partners(conn, span).await?),
        Rows::Mails | Rows::Files | Rows::None => vec![],
    };
    let ends = found.first().zip(found.last());
    Ok(ends.map(|(first, middle)| DueKeys { first: *first, middle: *middle, several: found.len() > 1 }))
}

/// Keys by number alone have the date of their span.
fn numbered(span: Span, ids: Vec<i64>) -> Vec<SpanKey> {
    ids.into_iter().map(|id| (span.from.0, id)).collect()
}

async fn requests(conn: &mut PgConnection, kind: &str, span: Span) -> Result<Vec<SpanKey>> {
    let rows = sqlx::query!(
        r#"select requested_on as "on!", request_no as "no!"
           from (select requested_on, request_no, count(*) over () as total,
                        row_number() over (order by requested_on, request_no) as nth
                 from request
                 where status = 'pending' and kind = $1
                   and (requested_on, request_no) >= ($2, $3) and (requested_on, request_no) < ($4, $5)) k
           where nth in (1, total / 2 + 1) order by nth"#,
        kind,
        span.from.0,
        span.from.1,
        span.until.0,
        span.until.1
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.on, r.no)).collect())
}

async fn memberships(conn: &mut PgConnection, span: Span, terms: DueTerms) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id!"
           from (select membership_id as id, count(*) over () as total,
                        row_number() over (order by membership_id) as nth
                 from due_memberships($3, $4, $5) where membership_id >= $1 and membership_id < $2) k
           where nth in (1, total / 2 + 1) order by nth"#,
        span.from.1,
        span.until.1,
        terms.today,
        terms.grace_days,
        terms.activate_by_days
    )
    .fetch_all(conn)
    .await?)
}

async fn credits(conn: &mut PgConnection, span: Span, terms: DueTerms) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id!"
           from (select entitlement_id as id, count(*) over () as total,
                        row_number() over (order by entitlement_id) as nth
                 from due_credits($3) where entitlement_id >= $1 and entitlement_id < $2) k
           where nth in (1, total / 2 + 1) order by nth"#,
        span.from.1,
        span.until.1,
        terms.today
    )
    .fetch_all(conn)
    .await?)
}

async fn usage(conn: &mut PgConnection, span: Span, terms: DueTerms) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id!"
           from (select entitlement_id as id, count(*) over () as total,
                        row_number() over (order by entitlement_id) as nth
                 from due_usage($3) where entitlement_id >= $1 and entitlement_id < $2) k
           where nth in (1, total / 2 + 1) order by nth"#,
        span.from.1,
        span.until.1,
        terms.today
    )
    .fetch_all(conn)
    .await?)
}

/// Which of them are owed word is known to the job alone, so these are all of the span.
async fn partners(conn: &mut PgConnection, span: Span) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id!"
           from (select partner_id as id, count(*) over () as total,
                        row_number() over (order by partner_id) as nth
                 from partner where partner_id >= $1 and partner_id < $2) k
           where nth in (1, total / 2 + 1) order by nth"#,
        span.from.1,
        span.until.1
    )
    .fetch_all(conn)
    .await?)
}
