//! Which rows a chunk still owes something, by the names that people know them by.

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::{
    domain::id::PartnerId,
    store::{Result, run::Span},
};

/// What the keys of a chunk's span are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Requests of this kind (`cancel`, `renew`), by date, then arrival.
    Requests(&'static str),
    /// Memberships, by number.
    Memberships,
    /// Entitlements with a credit to grant or to close, by number.
    Credits,
    /// Entitlements with usage that is not drawn yet, or whose order's year moved, by number.
    Usage,
    /// Partners, by number.
    Partners,
    /// Mails, by number.
    Mails,
    /// Files that were staged and not finished.
    Files,
    /// None: it writes one thing, whole.
    None,
}

/// What decides which rows are due.
#[derive(Clone, Copy, Debug)]
pub struct DueTerms {
    /// The business date.
    pub today: NaiveDate,
    /// How long grace lasts (D5).
    pub grace_days: i32,
    /// How long a credit may be without an assignment; 0: always (D11).
    pub activate_by_days: i32,
}

impl DueTerms {
    /// By the policy numbers as they are.
    #[must_use]
    pub fn new(today: NaiveDate, grace_days: u32, activate_by_days: u32) -> Self {
        let days = |days| i32::try_from(days).unwrap_or(i32::MAX);
        Self { today, grace_days: days(grace_days), activate_by_days: days(activate_by_days) }
    }
}

/// A row that a chunk owes something.
#[derive(Clone, Debug)]
pub struct DueRow {
    /// The Partner ID, where it is of one partner.
    pub partner: Option<PartnerId>,
    /// The order, the order and its benefit, the request, the mail's Message-ID, or the file.
    pub subject: Option<String>,
    /// Since when, or for when.
    pub on: Option<NaiveDate>,
}

/// The first `limit` rows of a span that are still due, and how many there are.
pub async fn due(
    conn: &mut PgConnection,
    rows: Rows,
    span: Span,
    terms: DueTerms,
    limit: i64,
) -> Result<(Vec<DueRow>, i64)> {
    let due_on = terms.today;
    match rows {
        Rows::Requests(kind) => requests(conn, kind, span, limit).await,
        Rows::Memberships => memberships(conn, span, terms, limit).await,
        Rows::Credits => credits(conn, span, due_on, limit).await,
        Rows::Usage => usage(conn, span, due_on, limit).await,
        Rows::Partners => partners(conn, span, limit).await,
        Rows::Mails => mails(conn, span, limit).await,
        Rows::Files => files(conn, limit).await,
        Rows::None => Ok((vec![], 0)),
    }
}

/// Splits what a query says into rows and how many there are in all.
macro_rules! counted {
    ($found:expr) => {{
        let found = $found;
        let total = found.first().map_or(0, |row| row.total);
        let due = found.into_iter().map(|r| DueRow {
            partner: r.partner.map(PartnerId::from),
            subject: r.subject,
            on: r.on,
        });
        Ok((due.collect(), total))
    }};
}

async fn requests(conn: &mut PgConnection, kind: &str, span: Span, limit: i64) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", r.request_key || ' for ' || m.order_id as "subject?",
                      r.requested_on as "on?", count(*) over () as "total!"
               from request r join partner p using (partner_id) join membership m using (membership_id)
               where r.status = 'pending' and r.kind = $1
                 and (r.requested_on, r.request_no) >= ($2, $3) and (r.requested_on, r.request_no) < ($4, $5)
               order by r.requested_on, r.request_no limit $6"#,
            kind,
            span.from.0,
            span.from.1,
            span.until.0,
            span.until.1,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn memberships(
    conn: &mut PgConnection,
    span: Span,
    terms: DueTerms,
    limit: i64,
) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", m.order_id as "subject?",
                      case when m.status = 'pending' then m.starts_on else m.anniversary_on end as "on?",
                      count(*) over () as "total!"
               from due_memberships($3, $4, $5) d join membership m using (membership_id)
               join partner p using (partner_id)
               where d.membership_id >= $1 and d.membership_id < $2
               order by d.membership_id limit $6"#,
            span.from.1,
            span.until.1,
            terms.today,
            terms.grace_days,
            terms.activate_by_days,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn credits(
    conn: &mut PgConnection,
    span: Span,
    due_on: NaiveDate,
    limit: i64,
) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", m.order_id || '/' || e.benefit as "subject?", s.next_on as "on?",
                      count(*) over () as "total!"
               from due_credits($3) s join entitlement e using (entitlement_id)
               join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
               where s.entitlement_id >= $1 and s.entitlement_id < $2
               order by s.entitlement_id limit $4"#,
            span.from.1,
            span.until.1,
            due_on,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn usage(
    conn: &mut PgConnection,
    span: Span,
    due_on: NaiveDate,
    limit: i64,
) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", m.order_id || '/' || e.benefit as "subject?", 
                      (select min(u.used_on) from credit_usage u
                       where u.entitlement_id = d.entitlement_id and not u.settled) as "on?",
                      count(*) over () as "total!"
               from due_usage($3) d join entitlement e using (entitlement_id)
               join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
               where d.entitlement_id >= $1 and d.entitlement_id < $2
               order by d.entitlement_id limit $4"#,
            span.from.1,
            span.until.1,
            due_on,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn partners(conn: &mut PgConnection, span: Span, limit: i64) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select number as "partner?", name as "subject?", null::date as "on?", count(*) over () as "total!"
               from partner where partner_id >= $1 and partner_id < $2 order by partner_id limit $3"#,
            span.from.1,
            span.until.1,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn mails(conn: &mut PgConnection, span: Span, limit: i64) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", m.message_id as "subject?", m.day as "on?", count(*) over () as "total!"
               from mail m left join partner p using (partner_id)
               where mail_is_unsent(m.status) and m.mail_id >= $1 and m.mail_id < $2
               order by m.mail_id limit $3"#,
            span.from.1,
            span.until.1,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}

async fn files(conn: &mut PgConnection, limit: i64) -> Result<(Vec<DueRow>, i64)> {
    counted!(
        sqlx::query!(
            r#"select p.number as "partner?", f.name as "subject?", f.received_on as "on?", count(*) over () as "total!"
               from file f left join partner p using (partner_id)
               where f.status = 'staged' order by f.file_id limit $1"#,
            limit
        )
        .fetch_all(conn)
        .await?
    )
}
