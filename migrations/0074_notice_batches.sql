-- Notices go into mails by the batch. A batch is what one audience of a partner is owed in one stream: a notice comes into an open
-- one when it is owed, and the night closes it by naming the mail that tells what is in it. So a night writes as many rows as
-- there are recipients, however many notices there are, and a notice is written once.

create table notice_batch (
    batch_id   bigint generated always as identity primary key,
    partner_id bigint not null references partner,
    -- the marketing contact, else the account e-mail; the contact and nobody else; the account e-mail
    audience   text   not null check (audience in ('contact_else_account', 'contact', 'account')),
    stream     text   not null check (stream in ('transactional', 'marketing')),
    -- the mail that tells it; null: it is open, and what is in it is owed
    mail_id    bigint references mail,
    unique (batch_id, partner_id)
);
-- Usually one is open for an audience and stream; two that are recorded at the same time may open one each.
create index notice_batch_open on notice_batch (partner_id, audience, stream) where mail_id is null;
create index notice_batch_mail on notice_batch (mail_id) where mail_id is not null;

alter table notice
    -- null: it was overtaken before there were batches
    add column batch_id   bigint,
    -- it was no longer true, or something more urgent was, before it was told
    add column superseded boolean not null default false;

-- What is owed or was told until now, as the kinds go.
insert into notice_batch (partner_id, audience, stream, mail_id)
select distinct n.partner_id, g.audience, coalesce(m.stream, g.stream) as stream, n.mail_id
from notice n
left join mail m using (mail_id)
cross join lateral (select case when n.kind in ('offer_instructions', 'offer_live') then 'contact'
                                when n.kind = 'contact_needed' then 'account' else 'contact_else_account' end as audience,
                           case when n.kind = 'offer_live' then 'marketing' else 'transactional' end as stream) g
where n.status <> 'superseded'
order by n.mail_id, n.partner_id, audience, stream;
update notice n set batch_id = b.batch_id
from notice_batch b
where b.mail_id = n.mail_id and b.partner_id = n.partner_id
  and b.audience = case when n.kind in ('offer_instructions', 'offer_live') then 'contact'
                        when n.kind = 'contact_needed' then 'account' else 'contact_else_account' end;
update notice n set batch_id = b.batch_id
from notice_batch b
where n.status = 'owed' and b.mail_id is null and b.partner_id = n.partner_id
  and b.audience = case when n.kind in ('offer_instructions', 'offer_live') then 'contact'
                        when n.kind = 'contact_needed' then 'account' else 'contact_else_account' end
  and b.stream = case when n.kind = 'offer_live' then 'marketing' else 'transactional' end;
update notice set superseded = true where status = 'superseded';

-- Each notice with where it stands, and the mail that tells it.
create view notice_told as
select n.notice_id, n.partner_id, n.run_id, n.subject_kind, n.subject_id, n.kind, n.anchor_on, n.true_until, n.content,
       n.batch_id, b.mail_id,
       case when n.superseded then 'superseded' when b.mail_id is null then 'owed' else 'mailed' end as status
from notice n
left join notice_batch b on b.batch_id = n.batch_id and not n.superseded;

-- What each mail tells; where there is none, what is owed. Whatever the database knows of its tables, a batch's notices are looked
-- up by its number.
create view mail_notice as
select b.mail_id, b.batch_id, n.notice_id, b.partner_id, n.subject_kind, n.subject_id, n.kind, n.anchor_on, n.true_until, n.content
from notice_batch b
cross join lateral (
    select of.notice_id, of.subject_kind, of.subject_id, of.kind, of.anchor_on, of.true_until, of.content
    from notice of where of.batch_id = b.batch_id and not of.superseded offset 0) n;

-- What the night queues mails for: the open batches in which something is owed, and where they go.
create view owed_batch as
select b.batch_id, b.partner_id, p.number, b.stream,
       lower(case b.audience when 'account' then p.account_email when 'contact' then c.email
                             else coalesce(c.email, p.account_email) end) as address,
       case when b.audience <> 'account' then coalesce(u.display_name, u.user_principal_name) end as name,
       coalesce(case when b.audience <> 'account' then c.language end, p.language, 'en') as language
from notice_batch b
join partner p using (partner_id)
left join contact c using (partner_id)
left join directory_user u using (user_id)
where b.mail_id is null and exists (select from notice n where n.batch_id = b.batch_id and not n.superseded offset 0);

create or replace view report.mail as
select l.message_id, p.number as partner_id, l.recipient, l.language, n.kind as notice, n.anchor_on,
       case when n.status = 'mailed' then l.status else n.status end as status,
       coalesce(l.attempts, 0) as attempts, l.queued_at, l.sent_at, l.last_reply, l.stream
from public.notice_told n
join public.partner p using (partner_id)
left join public.mail l using (mail_id);

create or replace view report.credit_lapse as
with lapse as (
    select t.entitlement_id, t.partner_id, t.period_no, t.period_from, t.effective_on, t.currency, t.run_id,
           t.amount_minor + coalesce((select sum(case when c.from_account = t.from_account then c.amount_minor
                                                      else -c.amount_minor end)
                                      from transfer c where c.corrects = t.transfer_id), 0)::bigint as minor,
           -- a mail of a night is read on the morning after it, when there must be a day left
           t.effective_on - 2 as told_by
    from transfer t
    where t.kind = 'credit_lapsed' and t.corrects is null
)
select p.number as partner_id, m.order_id, e.benefit, l.period_no, l.period_from, l.effective_on as lapsed_on,
       l.minor as lapsed_minor, l.currency, told.day as told_on,
       case when told.day is not null then null
            when e.known_on > l.told_by then 'known_late'
            when granted.due_on > l.told_by then 'granted_late'
            when e.ended_as in ('renewed', 'cancelled') and e.ended_on < least(l.period_until_told, e.last_usable_on)
                then 'ended_early'
            when exists (select from notice_told n join mail w using (mail_id)
                          where n.subject_kind = 'entitlement' and n.subject_id = e.entitlement_id and w.status in ('failed', 'refused', 'withdrawn'))
                then 'mail_failed'
            else 'not_told' end as not_told_because
from (select l.*, (select g.period_until from transfer g
                    where g.entitlement_id = l.entitlement_id and g.period_no = l.period_no
                      and g.kind = 'credit_granted' and g.corrects is null limit 1) as period_until_told
      from lapse l where l.minor > 0) l
join entitlement e on e.entitlement_id = l.entitlement_id
join membership m on m.membership_id = e.membership_id
join partner p on p.partner_id = l.partner_id
left join lateral (select r.due_on from transfer g join run r on r.run_id = g.run_id
                    where g.entitlement_id = l.entitlement_id and g.period_no = l.period_no
                      and g.kind = 'credit_granted' and g.corrects is null limit 1) granted on true
left join lateral (
    select min(w.day) as day
    from notice_told n join mail w using (mail_id)
    where w.status not in ('failed', 'refused', 'withdrawn') and w.day <= l.told_by
      and (n.subject_kind = 'entitlement' and n.subject_id = e.entitlement_id
           or n.subject_kind = 'membership' and n.subject_id = e.membership_id)
      and (n.kind = 'credit_about_to_lapse'
             and coalesce((n.content ->> 'period_no')::int = l.period_no, n.true_until >= l.period_from)
           or n.content -> 'at_stake' @> jsonb_build_array(
                  jsonb_build_object('benefit', e.benefit, 'period_no', l.period_no)))) told on true;

alter table notice
    drop column status,
    drop column mail_id,
    drop constraint notice_partner_id_fkey,
    add foreign key (batch_id, partner_id) references notice_batch (batch_id, partner_id),
    add constraint notice_in_batch check (batch_id is not null or superseded);
create index notice_of_batch on notice (batch_id) where not superseded;
