//! Notices owed and the mails that carry them (D10).

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::Result;
use crate::domain::{
    id::{EntitlementNo, OrderNo, PartnerId, PartnerNo, RequestNo, RunNo},
    notice::{Audience, KINDS, Notice, Stream, kinds_in, kinds_to},
};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeSubject {
    /// A membership, by its number in the store.
    Membership(OrderNo),
    /// An entitlement.
    Entitlement(EntitlementNo),
    /// A request.
    Request(RequestNo),
}

impl NoticeSubject {
    const fn stored(self) -> (&'static str, i64) {
        match self {
            Self::Membership(id) => ("membership", id.get()),
            Self::Entitlement(id) => ("entitlement", id.get()),
            Self::Request(id) => ("request", id.get()),
        }
    }
}

/// A notice that is owed, once for ever by subject, kind and anchor date.
#[derive(Clone, Debug)]
pub struct Owed {
    /// To whose contact.
    pub partner_id: PartnerNo,
    /// About what.
    pub subject: NoticeSubject,
    /// The date that makes it owed.
    pub anchor_on: NaiveDate,
    /// The last day on which it is still true; `None`: it stays true.
    pub true_until: Option<NaiveDate>,
    /// What it says.
    pub notice: Notice,
}

/// Records notices; those already owed change nothing. Says how many are new. A step of an end that moved may fall on a
/// date under which the end of before was told: it is owed under the first free date after what was told.
pub async fn owe(conn: &mut PgConnection, run_id: RunNo, owed: &[Owed]) -> Result<usize> {
    if owed.is_empty() {
        return Ok(0);
    }
    let partners: Vec<PartnerNo> = owed.iter().map(|o| o.partner_id).collect();
    let subject_kinds: Vec<String> = owed.iter().map(|o| o.subject.stored().0.to_owned()).collect();
    let subjects: Vec<i64> = owed.iter().map(|o| o.subject.stored().1).collect();
    let kinds: Vec<String> = owed.iter().map(|o| o.notice.kind().to_owned()).collect();
    let anchors: Vec<NaiveDate> = owed.iter().map(|o| o.anchor_on).collect();
    let until: Vec<Option<NaiveDate>> = owed.iter().map(|o| o.true_until).collect();
    let content: Vec<Json<&Notice>> = owed.iter().map(|o| Json(&o.notice)).collect();
    let inserted = sqlx::query!(
        "insert into notice (partner_id, subject_kind, subject_id, kind, anchor_on, true_until, content, run_id)
         select o.partner_id, o.subject_kind, o.subject_id, o.kind,
                case when told.taken then told.latest_on + 1 else o.anchor_on end, o.until_on, o.content, $8::bigint
         from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::date[], $6::date[], $7::jsonb[])
              as o (partner_id, subject_kind, subject_id, kind, anchor_on, until_on, content)
         cross join lateral (
             select max(n.anchor_on) as latest_on, bool_or(n.anchor_on = o.anchor_on) as taken,
                    coalesce(bool_or(n.true_until = o.until_on and n.anchor_on >= o.anchor_on), false) as same
             from notice n
             where n.subject_kind = o.subject_kind and n.subject_id = o.subject_id and n.kind = o.kind
               and o.kind = any($9)) told
         where not told.same
         on conflict (subject_kind, subject_id, kind, anchor_on) do nothing",
        &partners as &[PartnerNo],
        &subject_kinds,
        &subjects,
        &kinds,
        &anchors,
        until as _,
        content as _,
        run_id.get(),
        &reminders(),
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(inserted.rows_affected()).unwrap_or(usize::MAX))
}

/// The kinds that remind of something that comes near.
fn reminders() -> Vec<String> {
    KINDS.iter().filter(|kind| kind.steps.is_some()).map(|kind| kind.name.to_owned()).collect()
}

/// Drops notices that are no longer true on `today`, or whose subject has a more urgent one (D10).
///
/// Of reminders of one kind about one subject only the latest is sent, and of those of one end only the most urgent,
/// which of a credit names its value; all of a subject that ended are dropped, and of credit that was spent or assigned
/// in time. That a contact is needed is not told any more once there is one. Says whether any notice was owed.
pub async fn supersede(conn: &mut PgConnection, today: NaiveDate) -> Result<bool> {
    let owed = sqlx::query_scalar!(r#"select exists (select from notice where status = 'owed') as "owed!""#);
    if !owed.fetch_one(&mut *conn).await? {
        return Ok(false);
    }
    drop_untrue(conn, today, None).await?;
    name_amounts(conn).await?;
    name_what_is_over(conn, today).await?;
    Ok(true)
}

/// Drops what is not true on `today`, of the notices that are owed, or of those that `mails` carry.
pub(super) async fn drop_untrue(
    conn: &mut PgConnection,
    today: NaiveDate,
    mails: Option<&[i64]>,
) -> Result<()> {
    sqlx::query!(
        "update notice n set status = 'superseded', mail_id = null
         where (n.status = 'owed' and $3::bigint[] is null or n.mail_id = any($3)) and (
             n.true_until < $1
             or n.true_until is not null and exists (
                 select from notice later
                 where later.subject_kind = n.subject_kind and later.subject_id = n.subject_id
                   and later.kind = n.kind and later.anchor_on > n.anchor_on and later.anchor_on <= $1)
             or n.kind = any($2) and exists (
                 select from notice o
                 where o.subject_kind = n.subject_kind and o.subject_id = n.subject_id
                   and (o.status = 'owed' or o.mail_id = any($3)) and o.kind = any($2) and o.true_until = n.true_until
                   and (o.anchor_on, o.kind = 'credit_about_to_lapse') > (n.anchor_on, n.kind = 'credit_about_to_lapse'))
             or n.true_until is not null and n.subject_kind = 'entitlement' and exists (
                 select from entitlement e where e.entitlement_id = n.subject_id and e.ended_on is not null)
             or n.true_until is not null and n.subject_kind = 'membership' and exists (
                 select from membership m where m.membership_id = n.subject_id and m.ended_on is not null)
             or n.kind = 'entitlement_ending' and exists (
                 select from entitlement e where e.entitlement_id = n.subject_id
                    and n.true_until <> least(e.last_usable_on, e.missing_until))
             or n.kind = 'contact_needed' and exists (select from contact c where c.partner_id = n.partner_id)
             or n.kind = 'credit_about_to_lapse' and not exists (
                 select from credit_schedule s where s.entitlement_id = n.subject_id and s.open_minor > 0)
             or n.kind = 'credit_about_to_lapse' and (n.content ->> 'closes')::boolean and exists (
                 select from assignment a where a.entitlement_id = n.subject_id))",
        today,
        &reminders(),
        mails
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts into the notices that are to be mailed what is unspent now (D10): of credit about to lapse, of the credit that
/// ends with a benefit, and of all that a membership's end or grace puts at stake. What was to come when a notice was owed
/// and is granted by now is among what is unspent.
async fn name_amounts(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "update notice n set content = o.named
         from (select n.notice_id, n.content as was,
                      jsonb_set(n.content, '{unspent,minor}', to_jsonb(o.unspent_minor))
                          || jsonb_build_object('unassigned', o.unassigned) as named
               from notice n
               cross join lateral (select * from open_credit o where o.entitlement_id = n.subject_id limit 1) o
               where n.status = 'owed' and n.kind = 'credit_about_to_lapse') o
         where n.notice_id = o.notice_id and o.named is distinct from o.was"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update notice n set content = o.named
         from (select n.notice_id, n.content as was,
                      n.content || jsonb_build_object('at_stake', o.at_stake || stakes_to_come(n)) as named
               from notice n
               cross join lateral (
                   select coalesce(jsonb_agg(stake(o) order by o.last_usable_on, o.benefit), '[]') as at_stake
                   from open_credit o
                   where o.membership_id = n.subject_id
                     and o.last_usable_on >= coalesce((n.content ->> 'last_day_on')::date, '-infinity')) o
               where n.status = 'owed' and n.kind in ('membership_ending', 'membership_in_grace')
               union all
               select n.notice_id, n.content,
                      n.content || jsonb_build_object('at_stake', o.at_stake || stakes_to_come(n))
               from notice n
               cross join lateral (
                   select coalesce(jsonb_agg(stake(o)), '[]') as at_stake
                   from open_credit o
                   where o.entitlement_id = n.subject_id and o.last_usable_on = n.true_until) o
               where n.status = 'owed' and n.kind = 'entitlement_ending') o
         where n.notice_id = o.notice_id and o.named is distinct from o.was"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Of credit that lapsed for want of an assignment: that the benefit is over by now, or no more of the period after it if
/// that is over on `today` as well.
async fn name_what_is_over(conn: &mut PgConnection, today: NaiveDate) -> Result<()> {
    sqlx::query!(
        "update notice n set content = n.content - 'next'
         where n.status = 'owed' and n.kind = 'credit_lapsed_unassigned'
           and (n.content #>> '{next,until}')::date <= $1",
        today
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update notice n set content = n.content || jsonb_build_object('over', true)
         where n.status = 'owed' and n.kind = 'credit_lapsed_unassigned'
           and n.content ->> 'over' is distinct from 'true' and exists (
             select from entitlement e where e.entitlement_id = n.subject_id and e.ended_on is not null)"
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Who a digest of a stream goes to: the marketing contact or the account e-mail.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Which stream.
    pub stream: Stream,
    /// The partner (of several that share an address: the first).
    pub partner_id: PartnerNo,
    /// Its Partner ID.
    pub number: PartnerId,
    /// Address, lower case.
    pub address: String,
    /// The marketing contact's name; `None`: it is the account e-mail.
    pub name: Option<String>,
    /// BCP 47 tag.
    pub language: String,
}

/// The recipients of notices owed, a stream at a time, who have had no digest of it on `day` yet. Offer mail waits for a contact.
pub async fn recipients(conn: &mut PgConnection, day: NaiveDate) -> Result<Vec<Recipient>> {
    Ok(sqlx::query_as!(
        Recipient,
        r#"select distinct on (r.address, r.stream) r.stream as "stream!: Stream", r.partner_id as "partner_id!",
                  r.number as "number!", r.address as "address!", r.name, r.language as "language!"
           from (select p.partner_id, p.number, n.stream,
                        lower(case when n.account then p.account_email when n.offer then c.email
                                   else coalesce(c.email, p.account_email) end) as address,
                        case when not n.account then coalesce(u.display_name, u.user_principal_name) end as name,
                        coalesce(case when not n.account then c.language end, p.language, 'en') as language
                 from (select distinct partner_id, kind = any($2) as offer, kind = any($3) as account,
                              case when kind = any($4) then 'marketing' else 'transactional' end as stream
                       from notice where status = 'owed') n
                 join partner p using (partner_id) left join contact c using (partner_id) left join directory_user u using (user_id)) r
           where r.address is not null and not exists (
               select from mail m where m.recipient = r.address and m.day = $1 and m.stream = r.stream)
           order by r.address, r.stream desc, r.partner_id"#,
        day,
        &kinds_to(Audience::Contact),
        &kinds_to(Audience::Account),
        &kinds_in(Stream::Marketing)
    )
    .fetch_all(conn)
    .await?)
}

/// Queues one digest a stream, recipient and day, and puts their owed notices into it. Says how many mails.
pub async fn queue_mails(
    conn: &mut PgConnection,
    job: &str,
    day: NaiveDate,
    recipients: &[Recipient],
    message_ids: &[String],
) -> Result<usize> {
    let partners: Vec<PartnerNo> = recipients.iter().map(|r| r.partner_id).collect();
    let streams: Vec<Stream> = recipients.iter().map(|r| r.stream).collect();
    let addresses: Vec<String> = recipients.iter().map(|r| r.address.clone()).collect();
    let names: Vec<Option<String>> = recipients.iter().map(|r| r.name.clone()).collect();
    let languages: Vec<String> = recipients.iter().map(|r| r.language.clone()).collect();
    let queued = sqlx::query!(
        "insert into mail (partner_id, message_id, recipient, language, stream, day, recipient_name, run_id)
         select partner_id, message_id, address, language, stream, $5, name,
                (select run_id from run where job = $7 and due_on = $5)
         from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $6::text[], $8::text[])
              as m (partner_id, message_id, address, language, name, stream)
         on conflict do nothing",
        &partners as &[PartnerNo],
        message_ids,
        &addresses,
        &languages,
        day,
        names as _,
        job,
        streams as _,
    )
    .execute(&mut *conn)
    .await?;
    // The table of mails has just been filled, so nothing is known of it: each notice looks its mail up by its unique key.
    sqlx::query!(
        "update notice n set status = 'mailed', mail_id = into_mail.mail_id
         from (select owed.notice_id, m.mail_id
               from (select n.notice_id, case when n.kind = any($4) then 'marketing' else 'transactional' end as stream,
                            lower(case when n.kind = any($3) then p.account_email when n.kind = any($2) then c.email
                                       else coalesce(c.email, p.account_email) end) as address
                     from notice n join partner p using (partner_id) left join contact c using (partner_id)
                     where n.status = 'owed') owed
               cross join lateral (select l.mail_id, l.status from mail l
                                   where l.recipient = owed.address and l.day = $1 and l.stream = owed.stream limit 1) m
               where m.status = 'queued') into_mail
         where n.notice_id = into_mail.notice_id",
        day,
        &kinds_to(Audience::Contact),
        &kinds_to(Audience::Account),
        &kinds_in(Stream::Marketing)
    )
    .execute(conn)
    .await?;
    Ok(usize::try_from(queued.rows_affected()).unwrap_or(usize::MAX))
}
