-- A period that lapsed and is open again, because its order's year moved, closes by a correction (D16): it is settled every
-- night until then. Those that stand open today are settled from the next night on.
insert into credit_unsettled (entitlement_id, partner_id, rule)
select s.entitlement_id, s.partner_id, 'D16'
from credit_schedule s
where s.open_minor > 0 and s.next_period_no > 0
  and exists (select from transfer t
              where t.entitlement_id = s.entitlement_id and t.period_no = s.next_period_no - 1
                and t.kind in ('credit_lapsed', 'credit_reversed') and t.usage_id is null and t.corrects is null)
on conflict (entitlement_id) do nothing;
