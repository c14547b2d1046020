-- Two streams of mail, each with a digest of its own a recipient and day (D10): what is decided, ends, lapses or was asked for is
-- transactional, and that an offer is live is marketing, which a recipient may do without.

alter table mail
    add column stream text not null default 'transactional' check (stream in ('transactional', 'marketing'));

-- Until now an offer that is live was told among the rest. A mail that tells nothing else is marketing, and so is what is
-- queued of such; one that tells more stays what it is. Each keeps its Message-ID.
update mail m set stream = 'marketing'
where exists (select from notice n where n.mail_id = m.mail_id and n.kind = 'offer_live')
  and not exists (select from notice n where n.mail_id = m.mail_id and n.kind <> 'offer_live');

alter table mail drop constraint mail_recipient_day_key;
alter table mail add constraint mail_of_a_day unique (recipient, day, stream);

-- What a suppression keeps from its address. One of each may hold for an address: that all mail may go there again does not
-- mean that marketing may.
alter table suppression
    add column scope text not null default 'all' check (scope in ('all', 'marketing'));
drop index suppression_holds;
create unique index suppression_holds on suppression (address, scope) where removed_at is null;

create or replace view report.mail as
select l.message_id, p.number as partner_id, l.recipient, l.language, n.kind as notice, n.anchor_on,
       case when n.status = 'mailed' then l.status else n.status end as status,
       coalesce(l.attempts, 0) as attempts, l.queued_at, l.sent_at, l.last_reply, l.stream
from public.notice n
join public.partner p using (partner_id)
left join public.mail l using (mail_id);
comment on column report.mail.stream is
    'transactional, or marketing, which a recipient may do without; null where no mail carries the notice.';
