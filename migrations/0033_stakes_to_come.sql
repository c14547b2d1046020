-- What a notice of an end says of credit that was still to be granted when it was owed, as far as it still is.
create function stakes_to_come(n notice) returns jsonb
language sql stable as $$
    select coalesce(jsonb_agg(s.stake), '[]')
    from jsonb_array_elements(n.content -> 'at_stake') as s (stake)
    where s.stake ? 'granted_on' and exists (
        select from entitlement e join credit_schedule c on c.entitlement_id = e.entitlement_id
        where e.membership_id = case n.subject_kind when 'membership' then n.subject_id
                                     else (select o.membership_id from entitlement o where o.entitlement_id = n.subject_id) end
          and e.benefit = s.stake ->> 'benefit' and e.ended_on is null
          and c.next_period_no <= (s.stake ->> 'period_no')::int)
$$;
