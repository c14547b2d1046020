-- What silver brings is held back of gold's core seats, incidents, hours and bulk credit while silver runs, and comes on the day
-- after it ends (D12). The row keeps its whole quantity and amount.

-- What is to be settled by a night: at once, or from the day on which what silver leaves of it changes.
alter table credit_unsettled add due_on date;
comment on column credit_unsettled.due_on is 'The day from which it is to be settled; null: at once.';

create or replace function due_usage(today date) returns table (entitlement_id bigint)
language sql stable as $$
    select u.entitlement_id from credit_usage u where not u.settled and u.used_on <= today
    union
    select s.entitlement_id from credit_unsettled s where s.due_on is null or s.due_on <= today
$$;

-- what silver holds back of seats, incidents or hours, as the last night saw it: the reason that is told
alter table entitlement add held_back jsonb;

create function quantity_left(e entitlement) returns integer
language sql immutable as $$ select greatest(e.quantity - coalesce((e.held_back #>> '{held,units}')::integer, 0), 0) $$;

create or replace view report.entitlement as
select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
       coalesce(quantity_left(e)::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
       coalesce(e.ended_as,
                case when s.waits ->> 'code' = 'bulk_blocked' then 'blocked'
                     when a.live_on is not null and not a.live then 'activating' end,
                m.status) as status, e.ended_on,
       (select string_agg(u.user_principal_name, '+' order by a.assigned_on, a.assignment_id)
          from public.assignment a join public.directory_user u using (user_id)
         where a.entitlement_id = e.entitlement_id and a.removed_on is null) as assigned_to,
       (select l.ends_on from public.redemption r
          join lateral (select ends_on from public.redemption l
                         where l.partner_id = r.partner_id and l.benefit = r.benefit
                         order by l.redemption_id desc limit 1) l on true
         where r.entitlement_id = e.entitlement_id limit 1) as subscription_ends_on,
       a.activated_on, a.live_on
from public.entitlement e
join public.membership m using (membership_id)
join public.partner p on p.partner_id = e.partner_id
left join public.credit_schedule s on s.entitlement_id = e.entitlement_id
left join public.activation a on a.entitlement_id = e.entitlement_id;
comment on column report.entitlement.quantity is
    'Seats, incidents or hours, or unlimited; of gold, what silver leaves of them (D12).';

-- What the catalogue filled of a row was less, for its whole term, by the rows of the other offer that came before: the row has
-- again what its offer brings.
with listed (offer, benefit, whole) as (
    values ('silver', 'visual_studio', 5), ('gold', 'visual_studio', 10),
           ('silver', 'product_support', 15), ('gold', 'product_support', 20),
           ('silver', 'signature_cloud_support', 5), ('gold', 'signature_cloud_support', 10),
           ('silver', 'advisory_hours', 20), ('gold', 'advisory_hours', 50)
), earlier as (
    select e.entitlement_id, l.whole,
           case when bool_or(o.quantity is null) then l.whole else sum(o.quantity) end as held
    from listed l
    join membership m on m.offer = l.offer
    join entitlement e on e.membership_id = m.membership_id and e.benefit = l.benefit
    join membership n on n.partner_id = m.partner_id and n.offer in ('silver', 'gold') and n.offer <> m.offer
    join entitlement o on o.membership_id = n.membership_id and o.benefit = e.benefit
    where e.benefit_type = 'core' and o.benefit_type = 'core' and o.entitlement_id < e.entitlement_id
      and (o.ended_on is null or e.known_on <= o.ended_on)
      and o.starts_on <= e.expires_on and e.starts_on <= least(o.expires_on, n.anniversary_on - 1, o.ended_on)
    group by e.entitlement_id, l.whole
)
update entitlement e set quantity = earlier.whole
from earlier
where e.entitlement_id = earlier.entitlement_id and e.quantity < earlier.whole
  and e.quantity = greatest(earlier.whole - earlier.held, 0);

with earlier as (
    select e.entitlement_id, w.whole, sum(o.amount_minor * o.quantity) as held
    from (values ('silver', 600000::bigint), ('gold', 1200000), ('gold', 1300000)) w (offer, whole)
    join membership m on m.offer = w.offer
    join entitlement e on e.membership_id = m.membership_id
    join membership n on n.partner_id = m.partner_id and n.offer in ('silver', 'gold') and n.offer <> m.offer
    join entitlement o on o.membership_id = n.membership_id and o.benefit = e.benefit
    where e.benefit like 'azure_bulk_credit%' and e.currency = 'USD' and o.currency = 'USD'
      and e.benefit_type = 'core' and o.benefit_type = 'core' and o.entitlement_id < e.entitlement_id
      and (o.ended_on is null or e.known_on <= o.ended_on)
      and o.starts_on <= e.expires_on and e.starts_on <= least(o.expires_on, n.anniversary_on - 1, o.ended_on)
    group by e.entitlement_id, w.whole
)
update entitlement e set amount_minor = earlier.whole
from earlier
where e.entitlement_id = earlier.entitlement_id and e.amount_minor < earlier.whole
  and e.amount_minor = greatest(earlier.whole - earlier.held, 0);

-- The next night settles what is booked of both offers, and of what has its quantity again there may be something to grant.
insert into credit_unsettled (entitlement_id, partner_id, rule)
select distinct e.entitlement_id, e.partner_id, 'D12'
from membership m
join entitlement e on e.membership_id = m.membership_id
join membership n on n.partner_id = m.partner_id and n.offer <> m.offer
join entitlement o on o.membership_id = n.membership_id and o.benefit = e.benefit
where m.offer in ('silver', 'gold') and n.offer in ('silver', 'gold')
  and e.benefit not like 'azure_monthly_credit%' and e.benefit_type = 'core' and o.benefit_type = 'core'
  and o.starts_on <= e.expires_on and e.starts_on <= least(o.expires_on, n.anniversary_on - 1, o.ended_on)
on conflict (entitlement_id) do nothing;
