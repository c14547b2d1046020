-- Hours and incidents that were booked before their order's year moved: the next night settles them under its dates (D16).
insert into credit_unsettled (entitlement_id, partner_id, rule)
select distinct t.entitlement_id, t.partner_id, 'D16'
from transfer t join entitlement e using (entitlement_id)
where t.currency is null and t.corrects is null and t.period_until <> greatest(e.last_usable_on, t.period_from) + 1
on conflict (entitlement_id) do update set due_on = null;
