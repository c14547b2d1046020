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
            Self::Mails => Some("mail"),
            Self::Files | Self::None => None,
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
        _ => numbers(conn, rows, span, terms).await?,
    };
    let Some(first) = found.first().copied() else { return Ok(None) };
    let middle = found.get(found.len() / 2).copied().unwrap_or(first);
    Ok(Some(DueKeys { first, middle, several: found.len() > 1 }))
}

async fn requests(conn: &mut PgConnection, kind: &str, span: Span) -> Result<Vec<SpanKey>> {
    let rows = sqlx::query!(
        "select requested_on, request_no from request
         where status = 'pending' and kind = $1
           and (requested_on, request_no) >= ($2, $3) and (requested_on, request_no) < ($4, $5)
         order by requested_on, request_no",
        kind,
        span.from.0,
        span.from.1,
        span.until.0,
        span.until.1
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|r| (r.requested_on, r.request_no)).collect())
}

/// Keys by number alone, under the date of their span. Which partners are owed word is known to the job alone, so these are
/// all of the span.
async fn numbers(conn: &mut PgConnection, rows: Rows, span: Span, terms: DueTerms) -> Result<Vec<SpanKey>> {
    let of = match rows {
        Rows::Memberships => "memberships",
        Rows::Credits => "credits",
        Rows::Usage => "usage",
        Rows::Partners => "partners",
        Rows::Mails => "mails",
        Rows::Requests(_) | Rows::Files | Rows::None => return Ok(vec![]),
    };
    let ids = sqlx::query_scalar!(
        r#"select id as "id!"
           from (select membership_id as id from due_memberships($4, $5, $6) where $1 = 'memberships'
                 union all
                 select entitlement_id from due_credits($4) where $1 = 'credits'
                 union all
                 select entitlement_id from due_usage($4) where $1 = 'usage'
                 union all
                 select partner_id from partner where $1 = 'partners'
                 union all
                 select mail_id from mail where mail_is_unsent(status) and $1 = 'mails') due
           where id >= $2 and id < $3 order by id"#,
        of,
        span.from.1,
        span.until.1,
        terms.today,
        terms.grace_days,
        terms.activate_by_days
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(|id| (span.from.0, id)).collect())
}
