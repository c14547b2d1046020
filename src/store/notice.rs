//! Notices owed and the mails that carry them (D10).

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::{PgConnection, types::Json};

use super::Result;
use crate::domain::{
    id::{EntitlementNo, OrderId, OrderNo, PartnerId, PartnerNo, RequestNo, RunNo},
    notice::{KINDS, Notice, Stream},
};

/// A notice as the store has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum StoredNotice {
    /// One that this version knows.
    Known(Box<Notice>),
    /// One that it does not: its mail cannot be written, which is no other mail's doing.
    Unknown(UnknownNotice),
}

/// What can be told of a notice that this version does not know.
#[derive(Clone, Debug, Deserialize)]
pub struct UnknownNotice {
    /// Its kind.
    #[serde(default)]
    pub kind: String,
    /// The order that it is about.
    #[serde(default)]
    pub order_id: Option<OrderId>,
}

impl StoredNotice {
    /// What it says, in one breath.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Known(notice) => notice.line(),
            Self::Unknown(unknown) => format!("a notice that this version cannot read ({})", unknown.kind),
        }
    }

    /// What it is about: the order, or the order and the benefit.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Known(notice) => notice.subject(),
            Self::Unknown(unknown) => unknown.order_id.as_ref().map(OrderId::to_string).unwrap_or_default(),
        }
    }
}

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
///
/// Each comes into the open batch of its partner, audience and stream. Whoever closes batches waits for those who add to them, and
/// they for it, so that nothing comes into one whose mail is under way; those who add do not wait for each other.
pub async fn owe(conn: &mut PgConnection, run_id: RunNo, owed: &[Owed]) -> Result<usize> {
    if owed.is_empty() {
        return Ok(0);
    }
    let partners: Vec<PartnerNo> = owed.iter().map(|o| o.partner_id).collect();
    let subject_kinds: Vec<String> = owed.iter().map(|o| o.subject.stored().0.to_owned()).collect();
    let subjects: Vec<i64> = owed.iter().map(|o| o.subject.stored().1).collect();
    let kinds: Vec<String> = owed.iter().map(|o| o.notice.kind().to_owned()).collect();
    let audiences: Vec<String> = owed.iter().map(|o| o.notice.audience().as_str().to_owned()).collect();
    let streams: Vec<Stream> = owed.iter().map(|o| o.notice.stream()).collect();
    let anchors: Vec<NaiveDate> = owed.iter().map(|o| o.anchor_on).collect();
    let until: Vec<Option<NaiveDate>> = owed.iter().map(|o| o.true_until).collect();
    let content: Vec<Json<&Notice>> = owed.iter().map(|o| Json(&o.notice)).collect();
    sqlx::query!("select pg_advisory_xact_lock_shared(hashtext('benefactor.notice_batch'))")
        .fetch_one(&mut *conn)
        .await?;
    let inserted = sqlx::query!(
        "with new as materialized (
             select o.partner_id, o.subject_kind, o.subject_id, o.kind, o.until_on, o.content, o.audience, o.stream,
                    case when told.taken then told.latest_on + 1 else o.anchor_on end as anchor_on
             from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::date[], $6::date[], $7::jsonb[],
                         $10::text[], $11::text[])
                  as o (partner_id, subject_kind, subject_id, kind, anchor_on, until_on, content, audience, stream)
             cross join lateral (
                 select max(n.anchor_on) as latest_on, coalesce(bool_or(n.anchor_on = o.anchor_on), false) as taken,
                        coalesce(bool_or(n.true_until = o.until_on and n.anchor_on >= o.anchor_on), false) as same
                 from notice n
                 where n.subject_kind = o.subject_kind and n.subject_id = o.subject_id and n.kind = o.kind) told
             where case when o.kind = any($9) then not told.same else not told.taken end
         ), batch as (
             select distinct partner_id, audience, stream from new
         ), open as materialized (
             select o.* from batch w
             cross join lateral (
                 select b.batch_id, b.partner_id, b.audience, b.stream from notice_batch b
                 where b.partner_id = w.partner_id and b.audience = w.audience and b.stream = w.stream and b.mail_id is null
                 limit 1) o
         ), opened as (
             insert into notice_batch (partner_id, audience, stream)
             select * from batch w
             where not exists (select from open o where o.partner_id = w.partner_id and o.audience = w.audience
                                                    and o.stream = w.stream)
             order by partner_id
             returning batch_id, partner_id, audience, stream
         )
         insert into notice (partner_id, subject_kind, subject_id, kind, anchor_on, true_until, content, run_id, batch_id)
         select partner_id, n.subject_kind, n.subject_id, n.kind, n.anchor_on, n.until_on, n.content, $8::bigint, b.batch_id
         from new n join (select * from open union all select * from opened) b using (partner_id, audience, stream)
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
        &audiences,
        streams as _,
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
    let owed = sqlx::query_scalar!(
        r#"select exists (select from mail_notice where mail_id is null offset 0) as "owed!""#
    );
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
        "update notice of set superseded = true
         from (select n.notice_id, n.partner_id, n.subject_kind, n.subject_id, n.kind, n.anchor_on, n.true_until,
                      (n.content ->> 'closes')::boolean as closes
               from notice_batch b join notice n using (batch_id)
               where $3::bigint[] is null and b.mail_id is null and not n.superseded
               union all
               select n.notice_id, n.partner_id, n.subject_kind, n.subject_id, n.kind, n.anchor_on, n.true_until,
                      (n.content ->> 'closes')::boolean
               from unnest($3) as l (mail_id)
               cross join lateral (select * from mail_notice o where o.mail_id = l.mail_id offset 0) n) n
         where of.notice_id = n.notice_id and (
             n.true_until < $1
             or n.true_until is not null and exists (
                 select from notice later
                 where later.subject_kind = n.subject_kind and later.subject_id = n.subject_id
                   and later.kind = n.kind and later.anchor_on > n.anchor_on and later.anchor_on <= $1)
             or n.kind = any($2) and exists (
                 select from notice o join notice_batch ob using (batch_id)
                 where o.subject_kind = n.subject_kind and o.subject_id = n.subject_id and not o.superseded
                   and (ob.mail_id is null or ob.mail_id = any($3)) and o.kind = any($2) and o.true_until = n.true_until
                   and (o.anchor_on, o.kind = 'credit_about_to_lapse') > (n.anchor_on, n.kind = 'credit_about_to_lapse'))
             or n.true_until is not null and n.subject_kind = 'entitlement' and exists (
                 select from entitlement e where e.entitlement_id = n.subject_id and e.ended_on is not null offset 0)
             or n.true_until is not null and n.subject_kind = 'membership' and exists (
                 select from membership m where m.membership_id = n.subject_id and m.ended_on is not null offset 0)
             or n.kind = 'entitlement_ending' and exists (
                 select from entitlement e where e.entitlement_id = n.subject_id
                    and n.true_until <> least(e.last_usable_on, e.missing_until) offset 0)
             or n.kind = 'contact_needed' and exists (select from contact c where c.partner_id = n.partner_id offset 0)
             or n.kind = 'credit_about_to_lapse' and not exists (
                 select from credit_schedule s where s.entitlement_id = n.subject_id and s.open_minor > 0 offset 0)
             or n.kind = 'credit_about_to_lapse' and n.closes and exists (
                 select from assignment a where a.entitlement_id = n.subject_id offset 0))",
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
        "update notice n set content = jsonb_set(n.content, '{unspent,minor}', to_jsonb(o.unspent_minor))
                                           || jsonb_build_object('unassigned', o.unassigned)
         from (select n.notice_id, o.unspent_minor, o.unassigned
               from notice_batch b join notice n using (batch_id)
               cross join lateral (
                   select s.open_minor as unspent_minor, not exists (
                       select from assignment a where a.entitlement_id = s.entitlement_id and a.removed_on is null) as unassigned
                   from credit_schedule s where s.entitlement_id = n.subject_id and s.open_minor > 0) o
               where b.mail_id is null and not n.superseded and n.kind = 'credit_about_to_lapse'
                 and ((n.content #>> '{unspent,minor}')::bigint <> o.unspent_minor
                      or (n.content ->> 'unassigned')::boolean is distinct from o.unassigned)) o
         where n.notice_id = o.notice_id"
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update notice n set content = o.named
         from (select n.notice_id, n.content as was,
                      n.content || jsonb_build_object('at_stake', o.at_stake || stakes_to_come(n)) as named
               from notice_batch b join notice n using (batch_id)
               cross join lateral (
                   select coalesce(jsonb_agg(stake(o) order by o.last_usable_on, o.benefit), '[]') as at_stake
                   from open_credit o
                   where o.membership_id = n.subject_id
                     and o.last_usable_on >= coalesce((n.content ->> 'last_day_on')::date, '-infinity')) o
               where b.mail_id is null and not n.superseded and n.kind in ('membership_ending', 'membership_in_grace')
               union all
               select n.notice_id, n.content,
                      n.content || jsonb_build_object('at_stake', o.at_stake || stakes_to_come(n))
               from notice_batch b join notice n using (batch_id)
               cross join lateral (
                   select coalesce(jsonb_agg(stake(o)), '[]') as at_stake
                   from open_credit o
                   where o.entitlement_id = n.subject_id and o.last_usable_on = n.true_until) o
               where b.mail_id is null and not n.superseded and n.kind = 'entitlement_ending') o
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
         from notice_batch b
         where b.batch_id = n.batch_id and b.mail_id is null and not n.superseded and n.kind = 'credit_lapsed_unassigned'
           and (n.content #>> '{next,until}')::date <= $1",
        today
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "update notice n set content = n.content || jsonb_build_object('over', true)
         from notice_batch b
         where b.batch_id = n.batch_id and b.mail_id is null and not n.superseded and n.kind = 'credit_lapsed_unassigned'
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
    /// The batches that it tells, by their numbers in the store.
    pub batches: Vec<i64>,
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

/// Waits until nobody adds to a batch, and keeps all others from it until the transaction ends.
pub async fn hold_batches(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('benefactor.notice_batch'))").fetch_one(conn).await?;
    Ok(())
}

/// The recipients of what is owed, a stream at a time, who have had no digest of it on `day` yet. Offer mail waits for a
/// contact.
pub async fn recipients(conn: &mut PgConnection, day: NaiveDate) -> Result<Vec<Recipient>> {
    let batches = sqlx::query!(
        r#"select o.batch_id as "batch_id!", o.stream as "stream!: Stream", o.partner_id as "partner_id!: PartnerNo",
                  o.number as "number!: PartnerId", o.address as "address!", o.name, o.language as "language!"
           from owed_batch o
           where o.address is not null and not exists (
               select from mail m where m.recipient = o.address and m.day = $1 and m.stream = o.stream)
           order by o.address, o.stream desc, o.partner_id, o.batch_id"#,
        day
    )
    .fetch_all(conn)
    .await?;
    let mut recipients: Vec<Recipient> = Vec::new();
    for batch in batches {
        match recipients.last_mut().filter(|r| r.address == batch.address && r.stream == batch.stream) {
            Some(same) => same.batches.push(batch.batch_id),
            None => recipients.push(Recipient {
                stream: batch.stream,
                batches: vec![batch.batch_id],
                partner_id: batch.partner_id,
                number: batch.number,
                address: batch.address,
                name: batch.name,
                language: batch.language,
            }),
        }
    }
    Ok(recipients)
}

/// Queues one digest a stream, recipient and day, and closes the batches that it tells. Says how many mails.
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
    let told =
        || recipients.iter().zip(message_ids).flat_map(|(r, id)| r.batches.iter().map(move |b| (b, id)));
    let batches: Vec<i64> = told().map(|(batch, _)| *batch).collect();
    let told_by: Vec<String> = told().map(|(_, id)| id.clone()).collect();
    let queued = sqlx::query_scalar!(
        r#"with queued as (
               insert into mail (partner_id, message_id, recipient, language, stream, day, recipient_name, run_id)
               select partner_id, message_id, address, language, stream, $5, name,
                      (select run_id from run where job = $7 and due_on = $5)
               from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $6::text[], $8::text[])
                    as m (partner_id, message_id, address, language, name, stream)
               on conflict do nothing returning mail_id, message_id
           ), closed as (
               update notice_batch b set mail_id = q.mail_id
               from unnest($9::bigint[], $10::text[]) as t (batch_id, message_id) join queued q using (message_id)
               where b.batch_id = t.batch_id and b.mail_id is null
           )
           select count(*) as "queued!" from queued"#,
        &partners as &[PartnerNo],
        message_ids,
        &addresses,
        &languages,
        day,
        names as _,
        job,
        streams as _,
        &batches,
        &told_by,
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(queued).unwrap_or(usize::MAX))
}
