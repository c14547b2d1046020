-- Credits whose order's year moved after something was booked of them: the next night settles what is booked against what is
-- wanted, by correcting entries that say which rule (D16).
create table credit_unsettled (
    entitlement_id bigint primary key references entitlement,
    partner_id     bigint not null,
    rule           text   not null
);
-- the rule by which a correction puts right what was booked; null: late usage (D15) or a refund (D7)
alter table transfer add rule text;

-- A credit's last period ends with its last usable day (D2): one that is open and would run on into grace is cut.
insert into credit_unsettled (entitlement_id, partner_id, rule)
select s.entitlement_id, s.partner_id, 'D2'
from credit_schedule s join entitlement e using (entitlement_id) join membership m using (membership_id)
where e.benefit like 'azure_monthly_credit%' and e.ended_on is null and s.next_period_no > 0
  and s.next_on > least(e.expires_on, m.anniversary_on - 1) + 1;
-- An order whose start was moved by a later file left grants in grace (D16).
insert into credit_unsettled (entitlement_id, partner_id, rule)
select distinct t.entitlement_id, t.partner_id, 'D16'
from transfer t join entitlement e using (entitlement_id) join membership m using (membership_id)
where t.kind = 'credit_granted' and t.corrects is null and t.period_from >= m.anniversary_on
  and e.benefit like 'azure_monthly_credit%' and e.ended_as is distinct from 'cancelled'
on conflict (entitlement_id) do nothing;

create or replace view report.ledger as
select t.transfer_id as entry_id, p.number as partner_id, m.order_id, e.benefit, t.kind::text as kind,
       t.period_from, t.period_until, t.effective_on, t.recorded_at,
       case when t.to_account in ('available', 'billed') then t.amount_minor else -t.amount_minor end as amount_minor,
       t.currency,
       case when t.to_account in ('available', 'billed') then t.usd_minor else -t.usd_minor end as usd_minor,
       t.rate_nano::numeric / 1000000000 as rate, t.rate_on, t.corrects, t.rule
from public.transfer t
join public.entitlement e using (entitlement_id)
join public.membership m using (membership_id)
join public.partner p on p.partner_id = t.partner_id;
comment on column report.ledger.rule is 'The rule by which a correction puts right what was booked, such as D16.';
