-- Gold's monthly core credit is the difference to silver's only in periods on whose first day silver runs (D12). It is taken
-- when a period is granted, no more from the amount of the row.

-- what silver holds back of the open period: the reason that is told
alter table credit_schedule add held_back jsonb;

-- What the catalogue filled of a row was less, for its whole term, by the rows of the other offer that came before: the row
-- has its whole amount again. An amount that the file stated differed from the catalogue, and its row was told so.
with reduced as (
    select e.entitlement_id, e.amount_minor + sum(o.amount_minor * o.quantity)::bigint as whole
    from membership m
    join entitlement e on e.membership_id = m.membership_id
    join membership n on n.partner_id = m.partner_id and n.membership_id <> m.membership_id
    join entitlement o on o.membership_id = n.membership_id and o.benefit = e.benefit
    where m.offer in ('silver', 'gold') and n.offer in ('silver', 'gold') and m.offer <> n.offer
      and e.benefit like 'azure_monthly_credit%' and e.benefit_type = 'core' and o.benefit_type = 'core'
      and e.currency = 'USD' and o.currency = 'USD' and o.amount_minor > 0
      and o.entitlement_id < e.entitlement_id and (o.ended_on is null or e.known_on <= o.ended_on)
      and o.starts_on <= e.expires_on and e.starts_on <= least(o.expires_on, n.anniversary_on - 1, o.ended_on)
      and not exists (
          select from entitlement_version v
          join row_answer a on a.file_id = v.file_id and a.line = v.line
          cross join lateral jsonb_array_elements(a.problems) as p
          where v.entitlement_id = e.entitlement_id
            and p ->> 'column' = 'amount' and p #>> '{reason,code}' = 'differs_from_catalogue')
    group by e.entitlement_id, e.amount_minor
), restored as (
    update entitlement e set amount_minor = r.whole from reduced r where e.entitlement_id = r.entitlement_id
    returning e.entitlement_id, e.partner_id
)
insert into credit_unsettled (entitlement_id, partner_id, rule)
select entitlement_id, partner_id, 'D12' from restored
on conflict (entitlement_id) do nothing;

-- What was booked of gold beside silver is settled by the next night.
insert into credit_unsettled (entitlement_id, partner_id, rule)
select distinct e.entitlement_id, e.partner_id, 'D12'
from membership m
join entitlement e on e.membership_id = m.membership_id
join membership n on n.partner_id = m.partner_id
join entitlement o on o.membership_id = n.membership_id and o.benefit = e.benefit
where m.offer = 'gold' and n.offer = 'silver' and e.benefit like 'azure_monthly_credit%'
  and e.benefit_type = 'core' and o.benefit_type = 'core'
  and o.starts_on <= e.expires_on and e.starts_on <= least(o.expires_on, n.anniversary_on - 1, o.ended_on)
  and exists (select from credit_schedule s where s.entitlement_id = e.entitlement_id and s.next_period_no > 0
              union all
              select from transfer t where t.entitlement_id = e.entitlement_id)
on conflict (entitlement_id) do nothing;
