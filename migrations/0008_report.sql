-- What BI tools read. Stable: columns are added at the end, never renamed or removed.

create schema report;
comment on schema report is 'Stable views over the store. Outside identifiers only; amounts in minor units (ISO 4217).';

create view report.partner as
select number as partner_id, name, account_email, country, currency, language
from public.partner;
comment on view report.partner is 'Companies in the programme.';
comment on column report.partner.partner_id is 'The programme''s Partner ID.';
comment on column report.partner.currency is 'ISO 4217 code in which credit is granted.';
comment on column report.partner.language is 'BCP 47 tag; null: written to in English.';

create view report.membership as
select p.number as partner_id, m.order_id, m.offer, m.purchased_on, m.starts_on,
       m.anniversary_on - 1 as expires_on, m.anniversary_on, m.status, m.ended_on
from public.membership m join public.partner p using (partner_id);
comment on view report.membership is 'Orders, with their year and status (D5).';
comment on column report.membership.offer is 'Null while a renewal waits for its entitlements file.';
comment on column report.membership.expires_on is 'The last day before grace: the anniversary date less one.';
comment on column report.membership.anniversary_on is 'The anniversary date; grace runs from it through its 30th day after.';
comment on column report.membership.ended_on is 'Last usable day, once renewed, expired or cancelled.';

create view report.entitlement as
select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
       coalesce(e.quantity::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
       coalesce(e.ended_as, m.status) as status, e.ended_on,
       (select string_agg(u.user_principal_name, '+' order by a.assigned_on, a.assignment_id)
          from public.assignment a join public.directory_user u using (user_id)
         where a.entitlement_id = e.entitlement_id and a.removed_on is null) as assigned_to,
       null::date as subscription_ends_on
from public.entitlement e
join public.membership m using (membership_id)
join public.partner p on p.partner_id = e.partner_id;
comment on view report.entitlement is 'Every benefit an order brings (R10).';
comment on column report.entitlement.quantity is 'Seats, incidents or hours, or unlimited.';
comment on column report.entitlement.ended_on is 'Last usable day, once it has ended.';
comment on column report.entitlement.assigned_to is 'User principal names, joined by +.';
comment on column report.entitlement.subscription_ends_on is 'End of the licence subscription a key was redeemed onto; null where no key was.';

create view report.ledger as
select t.transfer_id as entry_id, p.number as partner_id, m.order_id, e.benefit, t.kind::text as kind,
       t.period_from, t.period_until, t.effective_on, t.recorded_at,
       case when t.to_account in ('available', 'billed') then t.amount_minor else -t.amount_minor end as amount_minor,
       t.currency,
       case when t.to_account in ('available', 'billed') then t.usd_minor else -t.usd_minor end as usd_minor,
       t.rate_nano::numeric / 1000000000 as rate, t.rate_on, t.corrects
from public.transfer t
join public.entitlement e using (entitlement_id)
join public.membership m using (membership_id)
join public.partner p on p.partner_id = t.partner_id;
comment on view report.ledger is 'Every movement, signed from the partner''s side: what arrives is positive.';
comment on column report.ledger.amount_minor is 'Minor units of the currency; minutes for hours_*, counts for incidents_*.';
comment on column report.ledger.period_until is 'First day after the period.';
comment on column report.ledger.effective_on is 'The date the facts give the entry, whenever it was recorded.';
comment on column report.ledger.rate is 'Local units per US dollar, frozen on the grant (D4).';
comment on column report.ledger.rate_on is 'The day the European Central Bank published the rate.';
comment on column report.ledger.corrects is 'The entry that this one corrects.';

create view report.balance as
select p.number as partner_id, m.order_id, e.benefit, b.currency, b.balance_minor
from (select entitlement_id, currency,
             sum(case when to_account = 'available' then amount_minor else -amount_minor end)::bigint as balance_minor
        from public.transfer
       where 'available' in (from_account, to_account)
       group by entitlement_id, currency) b
join public.entitlement e using (entitlement_id)
join public.membership m using (membership_id)
join public.partner p on p.partner_id = e.partner_id;
comment on view report.balance is 'What is unspent now, a benefit and currency; overage does not count against it.';

create view report.decision as
select d.decided_at, d.subject_kind, d.subject, d.action, d.requested_by, d.outcome,
       array(select r ->> 'code' from jsonb_array_elements(d.reasons) r) as reason_codes, d.earliest_on
from public.decision d;
comment on view report.decision is 'Every yes and no with all its reasons (D13).';
comment on column report.decision.earliest_on is 'When the no becomes a yes; null: never, or no date is known.';

create view report.mail as
select l.message_id, p.number as partner_id, l.recipient, l.language, n.kind as notice, n.anchor_on,
       case when n.status = 'mailed' then l.status else n.status end as status,
       coalesce(l.attempts, 0) as attempts, l.queued_at, l.sent_at, l.last_reply
from public.notice n
join public.partner p using (partner_id)
left join public.mail l using (mail_id);
comment on view report.mail is 'Every notice owed, and the mail that carried it.';
comment on column report.mail.anchor_on is 'The date that made the notice owed, once for ever (D10).';
comment on column report.mail.status is 'owed, superseded, queued, claimed, sent, unknown or failed.';

create view report.file as
select name, sha256, kind, received_at, status, row_count, applied, unchanged, rejected
from public.file;
comment on view report.file is 'Every file that was dropped, and what became of its rows.';

create view report.job_run as
select job, due_on, status, attempts, started_at, finished_at, done, refused, failed
from public.run;
comment on view report.job_run is 'Every nightly job, one row a business date.';
