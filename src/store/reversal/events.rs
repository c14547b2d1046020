//! Contacts, agreements, usage, product keys and requests that files brought.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{FileGroup, FoundHindrance, Result, TakenBack, hindrances};
use crate::domain::{id::FileNo, reversal::Hindrance};

fn count(done: &sqlx::postgres::PgQueryResult) -> usize {
    usize::try_from(done.rows_affected()).unwrap_or(usize::MAX)
}

/// Takes marketing contacts back, or says what was built on them. The one before holds again, if there was one.
pub async fn contacts(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let files = &group.files[..];
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"with own as materialized (
               select c.partner_id, min(c.version_no) as first_no, p.number
               from contact_version c join partner p using (partner_id) where c.file_id = any($1) group by 1, 3
           )
           select number as "partner!", 'marketing contact' as "subject!", built as "built!", what as "what!", "on" from (
               select o.number, 'later_file' as built, f.name as what, f.received_on as "on"
               from own o join contact_version c using (partner_id) join file f on f.file_id = c.file_id
               where c.version_no > o.first_no and c.file_id <> all($1) and f.reverted_at is null
               union all
               select o.number, 'mail', 'to ' || x.recipient, x.day from own o cross join lateral (
                   select recipient, day from mail l where l.partner_id = o.partner_id and l.queued_at >= $2 limit 1) x
               union all
               select o.number, 'asked', 'activate', x.activated_on from own o cross join lateral (
                   select a.activated_on from activation a join entitlement e using (entitlement_id)
                   join request r on r.request_no = a.request_no join file f on f.file_id = r.file_id
                   where a.partner_id = o.partner_id and e.benefit like 'go_to_market%'
                     and (f.received_at >= $2 or exists (
                          select from decision d where d.request_no = r.request_no and d.decided_at >= $2)) limit 1) x
           ) built order by 1, 3"#,
        files as &[FileNo],
        group.received_at
    )
    .fetch_all(&mut *conn)
    .await?;
    if !found.is_empty() {
        return hindrances(found);
    }
    let restored = sqlx::query!(
        "with own as materialized (
             select partner_id, min(version_no) as first_no, min(line) as line from contact_version
             where file_id = any($1) group by 1
         ), before as materialized (
             select o.line, b.* from own o cross join lateral (
                 select c.* from contact_version c join file f on f.file_id = c.file_id
                 where c.partner_id = o.partner_id and c.version_no < o.first_no and f.reverted_at is null
                   and not is_pseudonym(c.email)
                 order by c.version_no desc limit 1) b
         ), kept as (
             insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, stands, business_on)
             select $2, c.partner_id, p.number, 'contact', p.number, o.line, to_jsonb(c) - '{email,phone}'::text[],
                    (select to_jsonb(b) - '{email,phone}'::text[] from before b where b.partner_id = o.partner_id), $3
             from own o join contact c using (partner_id) join partner p using (partner_id)
         )
         update contact c set user_id = b.user_id, email = b.email, phone = b.phone, language = b.language,
             file_id = b.file_id
         from before b where c.partner_id = b.partner_id",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let removed =
        sqlx::query!("delete from contact where file_id = any($1)", files as &[FileNo]).execute(conn).await?;
    (taken.restored, taken.removed) = (count(&restored), count(&removed));
    Ok(vec![])
}

/// Takes agreements back, and the ends that were given to some, or says what was built on them.
pub async fn agreements(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let files = &group.files[..];
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"with touched as materialized (
               select a.agreement_id, a.partner_id, a.name || ' from ' || a.valid_from as subject, p.number
               from agreement a join partner p using (partner_id)
               where a.file_id = any($1) or a.agreement_id in (
                     select subject_id from overwritten
                     where file_id = any($1) and subject_kind = 'agreement' and not undone)
           )
           select number as "partner!", subject as "subject!", built as "built!", what as "what!", "on" from (
               select t.number, t.subject, 'later_file' as built, f.name as what, f.received_on as "on"
               from touched t join overwritten o on o.subject_kind = 'agreement' and o.subject_id = t.agreement_id
               join file f on f.file_id = o.file_id
               where not o.undone and o.file_id <> all($1)
               union all
               select t.number, t.subject, 'booked', x.benefit, x.effective_on from touched t cross join lateral (
                   select e.benefit, b.effective_on from entitlement e join transfer b using (entitlement_id)
                   where e.partner_id = t.partner_id and e.benefit like 'azure_bulk_credit%' and b.recorded_at >= $2
                   limit 1) x
           ) built order by 1, 2"#,
        files as &[FileNo],
        group.received_at
    )
    .fetch_all(&mut *conn)
    .await?;
    if !found.is_empty() {
        return hindrances(found);
    }
    let removed = sqlx::query!(
        "with kept as (
             insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, business_on)
             select $2, a.partner_id, p.number, 'agreement', a.name || ' from ' || a.valid_from, a.line, to_jsonb(a), $3
             from agreement a join partner p using (partner_id) where a.file_id = any($1)
         )
         delete from agreement where file_id = any($1)",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let restored = sqlx::query!(
        "with first as materialized (
             select distinct on (subject_id) subject_id, was from overwritten
             where file_id = any($1) and subject_kind = 'agreement' and not undone order by subject_id, overwritten_id
         ), kept as (
             insert into taken_back (file_id, partner_id, partner, subject_kind, subject, said, stands, business_on)
             select $2, a.partner_id, p.number, 'agreement', a.name || ' from ' || a.valid_from, to_jsonb(a), f.was, $3
             from first f join agreement a on a.agreement_id = f.subject_id join partner p using (partner_id)
         )
         update agreement a set valid_until = w.valid_until
         from first f, jsonb_populate_record(null::agreement, f.was) w where a.agreement_id = f.subject_id",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    undone(conn, files).await?;
    (taken.restored, taken.removed) = (count(&restored), count(&removed));
    Ok(vec![])
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

/// Takes usage back. What nights drew for it is taken back by the next one, by entries that name what they correct (D15).
pub async fn usage(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let files = &group.files[..];
    sqlx::query!(
        "insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, business_on)
         select $2, u.partner_id, p.number, 'usage', m.order_id || '/' || e.benefit, u.line, to_jsonb(u), $3
         from credit_usage u join entitlement e using (entitlement_id) join membership m using (membership_id)
         join partner p on p.partner_id = u.partner_id
         where u.file_id = any($1) and u.withdrawn_at is null",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let corrected = sqlx::query!(
        "update credit_usage u set withdrawn_at = now(), settled = false
         where file_id = any($1) and withdrawn_at is null
           and exists (select from transfer t where t.entitlement_id = u.entitlement_id and t.usage_id = u.usage_id)",
        files as &[FileNo]
    )
    .execute(&mut *conn)
    .await?;
    let removed = sqlx::query!(
        "delete from credit_usage where file_id = any($1) and withdrawn_at is null",
        files as &[FileNo]
    )
    .execute(conn)
    .await?;
    taken.corrected = count(&corrected);
    taken.removed = count(&removed).saturating_add(taken.corrected);
    Ok(vec![])
}

/// Takes product keys back that nobody has seen, and seats that were said of some.
pub async fn keys(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let files = &group.files[..];
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"select p.number as "partner!", 'K' || k.key_id as "subject!", 'key_out' as "built!", x.what as "what!", x."on"
           from license_key k join partner p using (partner_id)
           cross join lateral (
               select 'redeemed' as what, redeemed_on as "on" from redemption r where r.key_id = k.key_id
               union all
               select 'revealed', revealed_on from key_reveal v where v.key_id = k.key_id limit 1) x
           where k.file_id = any($1) or k.key_id in (
                 select subject_id from overwritten where file_id = any($1) and subject_kind = 'key' and not undone)
           order by k.key_id"#,
        files as &[FileNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    if !found.is_empty() {
        return hindrances(found);
    }
    sqlx::query!(
        "insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, business_on)
         select $2, k.partner_id, p.number, 'key', 'K' || k.key_id, k.line,
                jsonb_build_object('of', m.order_id || '/' || e.benefit, 'tail', k.tail, 'seats', k.seats), $3
         from license_key k join entitlement e using (entitlement_id) join membership m using (membership_id)
         join partner p on p.partner_id = k.partner_id
         where k.file_id = any($1) or k.key_id in (
               select subject_id from overwritten where file_id = any($1) and subject_kind = 'key' and not undone)",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(&mut *conn)
    .await?;
    let restored = sqlx::query!(
        "update license_key k set seats = null
         from overwritten o
         where o.file_id = any($1) and o.subject_kind = 'key' and not o.undone and k.key_id = o.subject_id
           and k.file_id <> all($1)",
        files as &[FileNo]
    )
    .execute(&mut *conn)
    .await?;
    let removed = sqlx::query!("delete from license_key where file_id = any($1)", files as &[FileNo])
        .execute(&mut *conn)
        .await?;
    undone(conn, files).await?;
    (taken.restored, taken.removed) = (count(&restored), count(&removed));
    Ok(vec![])
}

/// Takes requests back that nobody has decided: those that wait for an operator or for their night. What was accepted stays,
/// and stands against all of them; a refusal did nothing.
pub async fn requests(
    conn: &mut PgConnection,
    group: &FileGroup,
    on: NaiveDate,
    taken: &mut TakenBack,
) -> Result<Vec<Hindrance>> {
    let files = &group.files[..];
    let found = sqlx::query_as!(
        FoundHindrance,
        r#"select p.number as "partner!",
                  coalesce(m.order_id || coalesce('/' || e.benefit, ''), r.request_key) as "subject!", 'done' as "built!",
                  r.kind as "what!", r.requested_on as "on"
           from request r join partner p using (partner_id) left join membership m using (membership_id)
           left join entitlement e on e.entitlement_id = r.entitlement_id
           where r.file_id = any($1) and r.status = 'accepted' order by r.request_no"#,
        files as &[FileNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    if !found.is_empty() {
        return hindrances(found);
    }
    let removed = sqlx::query!(
        "with kept as (
             insert into taken_back (file_id, partner_id, partner, subject_kind, subject, line, said, business_on)
             select $2, r.partner_id, p.number, 'request', coalesce(m.order_id, r.request_key), r.line, to_jsonb(r) - 'requested_by', $3
             from request r join partner p using (partner_id) left join membership m using (membership_id)
             where r.file_id = any($1) and r.status in ('waiting', 'pending')
         )
         delete from request where file_id = any($1) and status in ('waiting', 'pending')",
        files as &[FileNo],
        group.number.get(),
        on
    )
    .execute(conn)
    .await?;
    taken.removed = count(&removed);
    Ok(vec![])
}
