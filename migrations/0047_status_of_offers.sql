-- An offer that nobody activated says so (R8), as since 0027; 0037 made the view anew without it.
create or replace view report.entitlement as
select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
       coalesce(quantity_left(e)::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
       coalesce(e.ended_as,
                case when s.waits ->> 'code' = 'bulk_blocked' then 'blocked'
                     when a.live_on is not null and not a.live then 'activating'
                     when a.live_on is null and split_part(e.benefit, '/', 1) = 'go_to_market' then 'not_activated' end,
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
