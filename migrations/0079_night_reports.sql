-- What a night came to, or several that were made up for, told once to those whom the policy of email_operators names.

create table night_report (
    -- the business date of the last night that it tells of
    day     date        primary key,
    -- that of the first
    from_on date        not null,
    -- the run that made it
    run_id  bigint      not null,
    -- nothing of it needs anybody
    well    boolean     not null,
    -- what it tells, in no language; rendered when the mail is written
    content jsonb       not null,
    made_at timestamptz not null default now(),
    check (from_on <= day)
);

-- Its mails are a stream of their own and of no partner.
alter table mail alter column partner_id drop not null;
alter table mail drop constraint mail_stream_check;
alter table mail add constraint mail_stream_check check (stream in ('transactional', 'marketing', 'operator'));
alter table mail add constraint mail_of_a_partner check ((stream = 'operator') = (partner_id is null));
-- So are the messages that come back about them.
alter table bounce drop constraint bounce_check;
alter table bounce add constraint bounce_of_a_mail check (mail_id is not null or partner_id is null);

create or replace view report.mail as
select l.message_id, p.number as partner_id, l.recipient, l.language, n.kind as notice, n.anchor_on,
       case when n.status = 'mailed' then l.status else n.status end as status,
       coalesce(l.attempts, 0) as attempts, l.queued_at, l.sent_at, l.last_reply, l.stream
from public.notice_told n
join public.partner p using (partner_id)
left join public.mail l using (mail_id)
union all
select l.message_id, null, l.recipient, l.language, 'night_report', l.day, l.status, l.attempts, l.queued_at, l.sent_at,
       l.last_reply, l.stream
from public.mail l
where l.stream = 'operator';
comment on column report.mail.partner_id is 'Null: it is the mail of a night to an operator, which is of no partner.';
comment on column report.mail.stream is
    'transactional; marketing, which a recipient may do without; operator: the mail of a night; null where no mail carries the notice.';
