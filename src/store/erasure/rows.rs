//! Rows that name somebody: their own give way to the pseudonym, and in texts it takes the place of what they are called.

use sqlx::PgConnection;

use super::{
    pattern::{in_json, in_text},
    person::Person,
};
use crate::{
    domain::id::{PartnerNo, UserNo},
    store::Result,
};

/// By what texts are searched.
pub(super) struct Patterns {
    /// For what the person is called at the partner.
    pub(super) there: String,
    /// The same in the text of jsonb.
    pub(super) there_in_json: String,
    /// For what nobody else is called at any partner.
    pub(super) anywhere: String,
    /// The same in the text of jsonb.
    pub(super) anywhere_in_json: String,
    /// For how they are called and what they wrote, in the text of jsonb.
    pub(super) quoted_in_json: String,
}

impl Patterns {
    pub(super) fn of(person: &Person) -> Self {
        let there: Vec<&str> = person.names.iter().chain(&person.called).map(String::as_str).collect();
        let anywhere: Vec<&str> = person.own_names.iter().map(String::as_str).collect();
        let quoted: Vec<&str> = person.called.iter().chain(&person.written).map(String::as_str).collect();
        Self {
            quoted_in_json: in_json(&quoted),
            there: in_text(&there),
            there_in_json: in_json(&there),
            anywhere: in_text(&anywhere),
            anywhere_in_json: in_json(&anywhere),
        }
    }
}

/// Rows changed, by table.
pub(super) type ErasedRows = Vec<(String, i64)>;

fn count(place: &str, rows: u64) -> (String, i64) {
    (place.to_owned(), i64::try_from(rows).unwrap_or(i64::MAX))
}

/// The rows that are theirs: in the directory as they stand and as they stood, and as contacts.
pub(super) async fn people(conn: &mut PgConnection, person: &Person, pseudonym: &str) -> Result<ErasedRows> {
    let users = sqlx::query!(
        "update directory_user u set object_id = n.named, user_principal_name = n.named, display_name = null, mail = null,
             user_type = 'member', enabled = false, roles = '{}', language = null
         from (select user_id, case row_number() over (partition by partner_id order by user_id) when 1 then $2
                   else $2 || '.' || row_number() over (partition by partner_id order by user_id) end as named
               from directory_user where user_id = any($1)) n
         where u.user_id = n.user_id",
        &person.users as &[UserNo],
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    let contacts = sqlx::query!(
        "delete from contact where user_id = any($1) or lower(email) = any($2)",
        &person.users as &[UserNo],
        &person.addresses
    )
    .execute(&mut *conn)
    .await?;
    let stood = sqlx::query!(
        "update overwritten o set was = o.was || to_jsonb(u) - 'file_id' || jsonb_build_object('file_id', o.was -> 'file_id')
         from directory_user u
         where o.subject_kind = 'user' and o.subject_id = any($1) and u.user_id = o.subject_id",
        &person.users as &[UserNo]
    )
    .execute(&mut *conn)
    .await?;
    // What was a partner's account e-mail once cannot come back with a file that is taken back: the present one does.
    let accounts = sqlx::query!(
        "update overwritten o set was = o.was || jsonb_build_object('account_email', p.account_email)
         from partner p
         where o.subject_kind = 'partner' and p.partner_id = o.subject_id and lower(o.was ->> 'account_email') = any($1)",
        &person.addresses
    )
    .execute(conn)
    .await?;
    Ok(vec![
        count("directory_user", users.rows_affected()),
        count("contact", contacts.rows_affected()),
        count("overwritten", stood.rows_affected() + accounts.rows_affected()),
    ])
}

/// Texts that may name them.
pub(super) async fn texts(
    conn: &mut PgConnection,
    whose: Option<PartnerNo>,
    patterns: &Patterns,
    pseudonym: &str,
) -> Result<ErasedRows> {
    let mut counts = at_partner(conn, whose, patterns, pseudonym).await?;
    let answers = sqlx::query!(
        "update row_answer set problems = regexp_replace(problems::text, $1, $2, 'gi')::jsonb where problems::text ~* $1",
        &patterns.anywhere_in_json,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    counts.push(count("row_answer", answers.rows_affected()));
    // Where a request conflicts with theirs, its answer quotes what they wrote.
    let quoting = sqlx::query!(
        r#"update row_answer set problems = regexp_replace(problems::text, $1, $2, 'gi')::jsonb
           where problems @> '[{"column": "note"}]' and problems::text ~* $1"#,
        &patterns.quoted_in_json,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    counts.push(count("row_answer", quoting.rows_affected()));
    if let Some(whose) = whose {
        let answers = sqlx::query!(
            "update row_answer set problems = regexp_replace(problems::text, $1, $2, 'gi')::jsonb
             where file_id in (select file_id from file where partner_id = $3) and problems::text ~* $1",
            &patterns.there_in_json,
            pseudonym,
            whose.get()
        )
        .execute(&mut *conn)
        .await?;
        counts.push(count("row_answer", answers.rows_affected()));
    }
    let attempts = sqlx::query!(
        "update attempt set error = regexp_replace(error, $1, $2, 'gi') where error ~* $1",
        &patterns.anywhere,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    counts.push(count("attempt", attempts.rows_affected()));
    let dropped = sqlx::query!(
        "update dropped set said = regexp_replace(said, $1, $2, 'gi') where said ~* $1",
        &patterns.anywhere,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    counts.push(count("dropped", dropped.rows_affected()));
    let files = sqlx::query!(
        "update file set refusal = regexp_replace(refusal, $1, $2, 'gi'),
             refusal_swedish = regexp_replace(refusal_swedish, $1, $2, 'gi')
         where refusal ~* $1 or refusal_swedish ~* $1",
        &patterns.anywhere,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    counts.push(count("file", files.rows_affected()));
    let reports = sqlx::query!(
        "update night_report set content = regexp_replace(content::text, $1, $2, 'gi')::jsonb where content::text ~* $1",
        &patterns.anywhere_in_json,
        pseudonym
    )
    .execute(conn)
    .await?;
    counts.push(count("night_report", reports.rows_affected()));
    Ok(counts)
}

/// Texts of one partner, or of all.
async fn at_partner(
    conn: &mut PgConnection,
    whose: Option<PartnerNo>,
    patterns: &Patterns,
    pseudonym: &str,
) -> Result<ErasedRows> {
    let whose = whose.map(PartnerNo::get);
    let requests = sqlx::query!(
        "update request r
         set requested_by = regexp_replace(r.requested_by, $2, $4, 'gi'),
             content = regexp_replace((case when r.requested_by ~* $2 then r.content - 'note' else r.content end)::text, $3, $4,
                                      'gi')::jsonb,
             refused_why = regexp_replace(r.refused_why, $2, $4, 'gi')
         where ($1::bigint is null or r.partner_id = $1)
             and (r.requested_by ~* $2 or r.content::text ~* $3 or r.refused_why ~* $2)",
        whose,
        &patterns.there,
        &patterns.there_in_json,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    let uses = sqlx::query!(
        "update benefit_use b set used_by = regexp_replace(b.used_by, $2, $3, 'gi')
         where ($1::bigint is null or b.partner_id = $1) and b.used_by ~* $2",
        whose,
        &patterns.there,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    let notices = sqlx::query!(
        "update notice n set content = regexp_replace(n.content::text, $2, $3, 'gi')::jsonb
         where ($1::bigint is null or n.partner_id = $1) and n.content::text ~* $2",
        whose,
        &patterns.there_in_json,
        pseudonym
    )
    .execute(&mut *conn)
    .await?;
    // What a night came to is told of all partners.
    let reports = sqlx::query!(
        "update night_report set content = regexp_replace(content::text, $1, $2, 'gi')::jsonb where content::text ~* $1",
        &patterns.anywhere_in_json,
        pseudonym
    )
    .execute(conn)
    .await?;
    Ok(vec![
        count("night_report", reports.rows_affected()),
        count("request", requests.rows_affected()),
        count("benefit_use", uses.rows_affected()),
        count("notice", notices.rows_affected()),
    ])
}
