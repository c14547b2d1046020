//! Partners and directory users that files made or changed: those that they made go, those that they changed are again as
//! `overwritten` has them.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{FileGroup, FoundHindrance, Result, TakenBack, hindrances};
use crate::domain::{
    id::{FileNo, PartnerNo, UserNo},
    reversal::Hindrance,
};

/// Takes partners and their changes of currency back, or says what was built on them.
pub async fn partners(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let against = against_partners(conn, group).await?;
    if !against.is_empty() {
        return Ok(against);
    }
    let files = &group.files[..];
    let changed = sqlx::query_scalar!(
        r#"with first as materialized (
               select distinct on (subject_id) subject_id, was from overwritten
               where file_id = any($1) and subject_kind = 'partner' and not undone order by subject_id, overwritten_id
           ), kept as (
               insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, stands, business_on)
               select $2, p.partner_id, p.number, 'partner', p.number, to_jsonb(p) - '{name,account_email}'::text[],
                      f.was - '{name,account_email}'::text[], $3
               from first f join partner p on p.partner_id = f.subject_id
               where (f.was ->> 'file_id')::bigint <> all($1)
           )
           update partner p set name = w.name, account_email = w.account_email, country = w.country, currency = w.currency,
               tenant_id = w.tenant_id, language = w.language, group_id = w.group_id, file_id = w.file_id
           from first f, jsonb_populate_record(null::partner, f.was) w
           where p.partner_id = f.subject_id and w.file_id <> all($1)
           returning p.partner_id as "id: PartnerNo""#,
        files as &[FileNo],
        group.number.get(),
        on
    )
    .fetch_all(&mut *conn)
    .await?;
    let currencies = currencies(conn, group).await?;
    let made = sqlx::query_scalar!(
        r#"with kept as (
               insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, business_on)
               select $2, p.partner_id, p.number, 'partner', p.number, to_jsonb(p) - '{name,account_email}'::text[], $3
               from partner p where file_id = any($1)
           )
           delete from partner where file_id = any($1) returning partner_id as "id: PartnerNo""#,
        files as &[FileNo],
        group.number.get(),
        on
    )
    .fetch_all(&mut *conn)
    .await?;
    undone(conn, files).await?;
    taken.removed = made.len();
    let only_currency = currencies.iter().filter(|id| !changed.contains(id) && !made.contains(id)).count();
    taken.restored = changed.len().saturating_add(only_currency);
    Ok(vec![])
}

/// The currencies that partners account in from a day on. Says whose changed.
async fn currencies(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<PartnerNo>> {
    let files = &group.files[..];
    let mut whose = sqlx::query_scalar!(
        r#"delete from partner_currency where file_id = any($1) returning partner_id as "id: PartnerNo""#,
        files as &[FileNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into partner_currency
         select w.* from (select distinct on (subject_id, was ->> 'from_on') was from overwritten
                          where file_id = any($1) and subject_kind = 'partner_currency' and not undone
                          order by subject_id, was ->> 'from_on', overwritten_id) f,
                         jsonb_populate_record(null::partner_currency, f.was) w
         where w.file_id <> all($1)",
        files as &[FileNo]
    )
    .execute(conn)
    .await?;
    whose.sort_unstable();
    whose.dedup();
    Ok(whose)
}

async fn undone(conn: &mut PgConnection, files: &[FileNo]) -> Result<()> {
    sqlx::query!(
        "update overwritten set undone = true where file_id = any($1) and not undone",
        files as &[FileNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "one query")]
async fn against_partners(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<Hindrance>> {
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"with first as materialized (
               select distinct on (subject_id) subject_id, was from overwritten
               where file_id = any($1) and subject_kind = 'partner' and not undone order by subject_id, overwritten_id
           ), touched as materialized (
               select p.*, jsonb_populate_record(null::partner, f.was) as was,
                      f.was is null or (f.was ->> 'file_id')::bigint = any($1) as made,
                      exists (select from partner_currency c where c.partner_id = p.partner_id and c.file_id = any($1)) as money
               from partner p left join first f on f.subject_id = p.partner_id
               where p.file_id = any($1) or f.subject_id is not null
                  or exists (select from partner_currency c where c.partner_id = p.partner_id and c.file_id = any($1))
                  or exists (select from overwritten o where o.subject_kind in ('partner', 'partner_currency')
                              and o.subject_id = p.partner_id and not o.undone and (o.was ->> 'file_id')::bigint = any($1))
           ), t as materialized (
               -- a partner of which only the currency was changed is not made by the file
               select t.*, t.made and t.file_id = any($1) as is_made,
                      t.money or t.made is false and (t.was).currency <> t.currency as of_money,
                      not t.made and ((t.was).country, coalesce((t.was).group_id, '')) <> (t.country, coalesce(t.group_id, ''))
                          as of_caps,
                      not t.made and ((t.was).name, (t.was).account_email, coalesce((t.was).language, ''))
                          <> (t.name, t.account_email, coalesce(t.language, '')) as of_mail,
                      not t.made and coalesce((t.was).tenant_id, '') <> coalesce(t.tenant_id, '') as of_tenant
               from touched t
           )
           select number as "partner!", number as "subject!", built as "built!", what as "what!", "on" from (
               select t.number, 'later_file' as built, f.name as what, f.received_on as "on"
               from t join lateral (
                   select o.file_id from overwritten o
                   where o.subject_kind in ('partner', 'partner_currency') and o.subject_id = t.partner_id and not o.undone
                     and o.file_id <> all($1) and (o.was ->> 'file_id')::bigint = any($1) limit 1) o on true
               join file f on f.file_id = o.file_id
               union all
               select t.number, 'holds', x.what, null from t cross join lateral (
                   select 'orders' as what from membership m where m.partner_id = t.partner_id
                   union all select 'users' from directory_user u where u.partner_id = t.partner_id
                   union all select 'agreements' from agreement a where a.partner_id = t.partner_id
                   union all select 'files of its own' from file f where f.partner_id = t.partner_id
                   union all select 'files in its folder' from dropped d where d.partner_id = t.partner_id
                   union all select 'decisions' from decision d where d.partner_id = t.partner_id
                   union all select 'mail' from mail l where l.partner_id = t.partner_id
                   limit 1) x where t.is_made
               union all
               select t.number, 'booked', x.kind::text, x.effective_on from t cross join lateral (
                   select kind, effective_on from transfer b
                   where b.partner_id = t.partner_id and b.recorded_at >= $2 limit 1) x
               where t.of_money and not t.is_made
               union all
               select t.number, 'usage', x.name, x.used_on from t cross join lateral (
                   select f.name, u.used_on from credit_usage u join file f on f.file_id = u.file_id
                   where u.partner_id = t.partner_id and f.received_at >= $2 limit 1) x
               where t.of_money and not t.is_made
               union all
               select t.number, 'later_file', x.name, x.received_on from t cross join lateral (
                   select f.name, f.received_on from entitlement_version v join file f on f.file_id = v.file_id
                   where v.partner_id = t.partner_id and f.received_at >= $2 and v.recorded_at >= $2 limit 1) x
               where (t.of_caps or t.of_money) and not t.is_made
               union all
               select t.number, 'mail', 'to ' || x.recipient, x.day from t cross join lateral (
                   select recipient, day from mail l where l.partner_id = t.partner_id and l.queued_at >= $2 limit 1) x
               where t.of_mail and not t.is_made
               union all
               select t.number, 'later_file', x.name, x.received_on from t cross join lateral (
                   select f.name, f.received_on from contact_version c join file f on f.file_id = c.file_id
                   where c.partner_id = t.partner_id and f.received_at >= $2 limit 1) x
               where t.of_mail and not t.is_made
               union all
               select t.number, 'key_out', 'redeemed', x.redeemed_on from t cross join lateral (
                   select redeemed_on from redemption r where r.partner_id = t.partner_id and r.recorded_at >= $2 limit 1) x
               where t.of_tenant and not t.is_made
           ) built order by 1, 3"#,
        &group.files as &[FileNo],
        group.received_at
    )
    .fetch_all(conn)
    .await?;
    hindrances(found)
}

/// Takes directory users back, or says what was built on them.
pub async fn users(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let against = against_users(conn, group).await?;
    if !against.is_empty() {
        return Ok(against);
    }
    let files = &group.files[..];
    let made = sqlx::query_scalar!(
        r#"with first as materialized (
               select distinct on (subject_id) subject_id, was from overwritten
               where file_id = any($1) and subject_kind = 'user' and not undone order by subject_id, overwritten_id
           ), made as materialized (
               select u.user_id from directory_user u left join first f on f.subject_id = u.user_id
               where u.file_id = any($1) and (f.was is null or (f.was ->> 'file_id')::bigint = any($1))
           ), kept as (
               insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, business_on)
               select $2, u.partner_id, p.number, 'user', u.object_id, to_jsonb(u) - '{user_principal_name,display_name,mail}'::text[], $3
               from made join directory_user u using (user_id) join partner p using (partner_id)
           )
           delete from directory_user u using made where u.user_id = made.user_id returning u.user_id as "id: UserNo""#,
        files as &[FileNo],
        group.number.get(),
        on
    )
    .fetch_all(&mut *conn)
    .await?;
    // A name that one gives back and another has is held by nobody in between.
    sqlx::query!(
        "update directory_user u set user_principal_name = u.user_id::text
         where user_id in (select subject_id from overwritten
                           where file_id = any($1) and subject_kind = 'user' and not undone)",
        files as &[FileNo]
    )
    .execute(&mut *conn)
    .await?;
    let changed = sqlx::query!(
        "with first as materialized (
             select distinct on (subject_id) subject_id, was from overwritten
             where file_id = any($1) and subject_kind = 'user' and not undone order by subject_id, overwritten_id
         ), kept as (
             insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, stands, business_on)
             select $2, u.partner_id, p.number, 'user', w.object_id,
                    to_jsonb(u) - '{user_principal_name,display_name,mail}'::text[], f.was - '{user_principal_name,display_name,mail}'::text[], $3
             from first f join directory_user u on u.user_id = f.subject_id join partner p using (partner_id),
                  jsonb_populate_record(null::directory_user, f.was) w
         )
         update directory_user u set object_id = w.object_id, user_principal_name = w.user_principal_name,
             display_name = w.display_name, mail = w.mail, user_type = w.user_type, enabled = w.enabled, roles = w.roles,
             language = w.language, file_id = w.file_id
         from first f, jsonb_populate_record(null::directory_user, f.was) w where u.user_id = f.subject_id",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    undone(conn, files).await?;
    taken.removed = made.len();
    taken.restored = usize::try_from(changed.rows_affected()).unwrap_or(usize::MAX);
    Ok(vec![])
}

async fn against_users(conn: &mut PgConnection, group: &FileGroup) -> Result<Vec<Hindrance>> {
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"with first as materialized (
               select distinct on (subject_id) subject_id, was from overwritten
               where file_id = any($1) and subject_kind = 'user' and not undone order by subject_id, overwritten_id
           ), touched as materialized (
               select u.*, jsonb_populate_record(null::directory_user, f.was) as was, p.number,
                      f.was is null or (f.was ->> 'file_id')::bigint = any($1) as made
               from directory_user u join partner p using (partner_id) left join first f on f.subject_id = u.user_id
               where u.file_id = any($1) or f.subject_id is not null
                  or exists (select from overwritten o where o.subject_kind = 'user' and o.subject_id = u.user_id
                              and not o.undone and (o.was ->> 'file_id')::bigint = any($1))
           ), t as materialized (
               select t.*, t.made or ((t.was).roles, (t.was).enabled, (t.was).user_principal_name, (t.was).object_id)
                                     is distinct from (t.roles, t.enabled, t.user_principal_name, t.object_id) as may
               from touched t
           )
           select number as "partner!", user_principal_name as "subject!", built as "built!", what as "what!", "on" from (
               select t.number, t.user_principal_name, 'later_file' as built, f.name as what, f.received_on as "on"
               from t join lateral (
                   select o.file_id from overwritten o
                   where o.subject_kind = 'user' and o.subject_id = t.user_id and not o.undone
                     and o.file_id <> all($1) and (o.was ->> 'file_id')::bigint = any($1) limit 1) o on true
               join file f on f.file_id = o.file_id
               union all
               select t.number, t.user_principal_name, 'asked', x.kind, x.on from t cross join lateral (
                   select coalesce(r.kind, 'assign') as kind, a.assigned_on as "on"
                   from assignment a left join request r on r.request_no = a.request_no
                   left join file f on f.file_id = r.file_id
                   where a.partner_id = t.partner_id and a.user_id = t.user_id
                     and (t.made or f.received_at >= $2
                          or exists (select from decision d where d.request_no = a.request_no and d.decided_at >= $2))
                   limit 1) x where t.may
               union all
               select t.number, t.user_principal_name, 'asked', x.kind, x.requested_on from t cross join lateral (
                   select r.kind, r.requested_on from request r join file f on f.file_id = r.file_id
                   where r.partner_id = t.partner_id and t.user_id::text in (r.content ->> 'requested_by',
                         r.content ->> 'user', r.content ->> 'to_user')
                     and (f.received_at >= $2
                          or exists (select from decision d where d.request_no = r.request_no and d.decided_at >= $2))
                   limit 1) x where t.may
               union all
               select t.number, t.user_principal_name, 'asked', x.action, x.decided_on from t cross join lateral (
                   select action, decided_on from decision d
                   where d.partner_id = t.partner_id and d.outcome = 'accepted' and d.decided_at >= $2
                     and lower(d.requested_by) in (lower(t.object_id), lower(t.user_principal_name)) limit 1) x
               where t.may
               union all
               select t.number, t.user_principal_name, 'holds', 'the marketing contact', x.known_on
               from t cross join lateral (
                   select known_on from contact_version c join file f on f.file_id = c.file_id
                   where c.partner_id = t.partner_id and c.user_id = t.user_id and (t.made or f.received_at >= $2)
                   limit 1) x where t.may
               union all
               select t.number, t.user_principal_name, 'name_taken', x.object_id, null from t cross join lateral (
                   select o.object_id from directory_user o
                   where not t.made and o.partner_id = t.partner_id and o.user_id <> t.user_id
                     and not exists (select from t other where other.user_id = o.user_id)
                     and (lower(o.user_principal_name) = lower((t.was).user_principal_name)
                          or lower(o.object_id) = lower((t.was).object_id)) limit 1) x
           ) built order by 1, 2, 3"#,
        &group.files as &[FileNo],
        group.received_at
    )
    .fetch_all(conn)
    .await?;
    hindrances(found)
}
