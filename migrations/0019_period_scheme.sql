-- How an entitlement's time is cut into credit periods is frozen with its first grant (D2); null: nothing was granted yet.
alter table credit_schedule add period_scheme text check (period_scheme in ('anniversary', 'calendar'));

-- of what was granted already, the periods on record tell it
update credit_schedule s
set period_scheme = case when t.period_from = (e.starts_on + make_interval(months => t.period_no))::date
                          and (t.period_no > 0
                               or t.period_until = (e.starts_on + interval '1 month')::date)
                         then 'anniversary' else 'calendar' end
from entitlement e, lateral (
    select t.period_no, t.period_from, t.period_until from transfer t
    where t.entitlement_id = e.entitlement_id order by t.period_no desc limit 1) t
where e.entitlement_id = s.entitlement_id and split_part(e.benefit, '/', 1) = 'azure_monthly_credit';

-- a credit of nothing has periods that went by without an entry: the day on which the open one ends tells it
update credit_schedule s
set period_scheme = case when s.next_on = (e.starts_on + make_interval(months => s.next_period_no))::date
                         then 'anniversary' else 'calendar' end
from entitlement e
where e.entitlement_id = s.entitlement_id and s.period_scheme is null and s.next_period_no > 0
  and split_part(e.benefit, '/', 1) = 'azure_monthly_credit' and e.amount_minor * coalesce(e.quantity, 1) = 0;
