//! What was taken back with its file.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{super::Result, subject::Subject};
use crate::domain::id::{PartnerId, UserNo};

/// A thing that a file had said and that was taken back.
#[derive(Clone, Debug)]
pub struct ThingTakenBack {
    /// Whose it was.
    pub partner: PartnerId,
    /// `entitlement`, `order`, `user` and so on.
    pub kind: String,
    /// What it was called; a user by the object ID if it is not there any more.
    pub subject: String,
    /// The file.
    pub file: String,
    /// Its line.
    pub line: Option<i32>,
    /// The business date on which it was taken back.
    pub on: NaiveDate,
    /// When that was, by the database's clock.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
    /// It is there again as it was before the file.
    pub stands: bool,
}

/// What was taken back that went by a name, the latest first.
pub async fn taken_back(conn: &mut PgConnection, name: &str) -> Result<Vec<ThingTakenBack>> {
    Ok(sqlx::query_as!(
        ThingTakenBack,
        r#"select t.partner, t.subject_kind as kind, coalesce(u.user_principal_name, t.subject) as "subject!", f.name as file, t.line, t.business_on as on, t.recorded_at,
                  coalesce(a.by, '') as "by!", coalesce(a.why, '') as "why!", t.stands is not null as "stands!"
           from taken_back t join file f using (file_id)
           left join directory_user u on t.subject_kind = 'user' and u.partner_id = t.partner_id and u.object_id = t.subject
           left join operator_action a on a.subject = 'file ' || f.name || ' (SHA-256 ' || f.sha256 || ')' and a.at = t.recorded_at
           where t.subject = $1 order by t.taken_back_id desc limit 10"#,
        name
    )
    .fetch_all(conn)
    .await?)
}

impl Subject {
    /// What was taken back of it.
    pub async fn taken_back(&self, conn: &mut PgConnection) -> Result<Vec<ThingTakenBack>> {
        Ok(sqlx::query_as!(
            ThingTakenBack,
            r#"select t.partner, t.subject_kind as kind, coalesce(u.user_principal_name, t.subject) as "subject!", f.name as file, t.line, t.business_on as on, t.recorded_at,
                      coalesce(a.by, '') as "by!", coalesce(a.why, '') as "why!", t.stands is not null as "stands!"
               from taken_back t join file f using (file_id)
               left join directory_user u on t.subject_kind = 'user' and u.partner_id = t.partner_id and u.object_id = t.subject
               left join operator_action a
                    on a.subject = 'file ' || f.name || ' (SHA-256 ' || f.sha256 || ')' and a.at = t.recorded_at
               where t.partner_id = $1 and ($2 = 'partner' or t.subject = $3 or $2 = 'user' and u.user_id = $4
                     or $2 = 'order' and starts_with(t.subject, $3 || '/')
                     or $2 = 'entitlement' and t.subject = split_part($3, '/', 1))
               order by t.taken_back_id"#,
            self.partner_id.get(),
            self.kind,
            self.name,
            self.user_id.map(UserNo::get)
        )
        .fetch_all(conn)
        .await?)
    }
}
