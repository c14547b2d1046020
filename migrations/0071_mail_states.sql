-- A mail is owed by the night, and delivered whenever it can be. It is queued, claimed, and then one of
--   sent       the other side has it
--   refused    the other side said no for good
--   failed     it cannot be written, or nobody took it for days
--   withdrawn  nothing in it was true any more when it was to be sent, or its address is suppressed
--   unknown    nobody can say whether the other side has it

alter table mail
    -- its Date: when it was first written, the same whenever it is handed over again
    add column composed_at timestamptz;
alter table mail drop constraint mail_status_check;
alter table mail add constraint mail_status_check check
    (status in ('queued', 'claimed', 'unknown', 'sent', 'refused', 'failed', 'withdrawn'));
-- What an earlier version wrote and did not record: it was dated so.
update mail set composed_at = ((day + 1) + time '06:00') at time zone 'UTC' where status in ('claimed', 'unknown');

-- what status, metrics and lists look at
create index mail_not_sent on mail (status, mail_id) where status <> 'sent';

-- Addresses that no mail goes to, looked at when a mail is sent; what was taken back stays on record.
create table suppression (
    suppression_id bigint generated always as identity primary key,
    -- lower case
    address        text        not null,
    added_at       timestamptz not null default now(),
    added_by       text        not null,
    why            text        not null,
    removed_at     timestamptz,
    removed_by     text,
    removed_why    text
);
create unique index suppression_holds on suppression (address) where removed_at is null;

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
            when exists (select from notice n join mail w using (mail_id)
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
    from notice n join mail w using (mail_id)
    where w.status not in ('failed', 'refused', 'withdrawn') and w.day <= l.told_by
      and (n.subject_kind = 'entitlement' and n.subject_id = e.entitlement_id
           or n.subject_kind = 'membership' and n.subject_id = e.membership_id)
      and (n.kind = 'credit_about_to_lapse'
             and coalesce((n.content ->> 'period_no')::int = l.period_no, n.true_until >= l.period_from)
           or n.content -> 'at_stake' @> jsonb_build_array(
                  jsonb_build_object('benefit', e.benefit, 'period_no', l.period_no)))) told on true;
comment on column report.credit_lapse.not_told_because is
    'known_late, granted_late: there was no day left to tell of it; ended_early: a renewal or cancellation ended it; '
    'mail_failed: the mail could not be written or delivered; not_told: nobody was told.';

comment on column report.mail.status is
    'owed, superseded, queued, claimed, sent, refused, failed, withdrawn or unknown.';
