-- What a night owes, each predicate written once: the plan of the work counts it into chunks, a chunk works on it, and
-- `benefactor jobs show` lists it. Each is a plain SELECT, which the planner puts in the place of the call, so that every
-- part of it is still found along its index.

-- A membership starts, and one enters grace or expires (D5). They look at the row alone, so that a row that had to be waited
-- for is looked at again.
create function membership_starts(m membership, today date) returns boolean
language sql immutable as $$ select m.status = 'pending' and m.starts_on <= today $$;

create function membership_passes_anniversary(m membership, today date, grace_days int) returns boolean
language sql immutable as $$
    select m.ended_on is null and m.anniversary_on <= today
       and (m.status <> 'in_grace' or m.anniversary_on + grace_days < today)
$$;

-- An entitlement's last usable day is over (D6).
create function entitlement_is_over(e entitlement, today date) returns boolean
language sql immutable as $$ select e.ended_on is null and e.last_usable_on < today $$;

-- Running credits that nobody was assigned to within so many days of their start, or of the day they became known, with the
-- last day on which somebody could be (D11). None where credits need no assignment: 0 days.
create function unassigned_credits(today date, activate_by_days int)
returns table (entitlement_id bigint, membership_id bigint, latest_on date)
language sql stable as $$
    select e.entitlement_id, e.membership_id, greatest(e.starts_on, e.known_on) + activate_by_days
    from entitlement e
    where activate_by_days > 0 and e.ended_on is null and e.last_usable_on >= today
      and (e.benefit like 'azure_monthly_credit%' or e.benefit like 'azure_bulk_credit%')
      and greatest(e.starts_on, e.known_on) + activate_by_days < today
      and not exists (select from assignment a
                      where a.entitlement_id = e.entitlement_id
                        and a.assigned_on <= greatest(e.starts_on, e.known_on) + activate_by_days)
$$;

-- Memberships that a night changes, or of which it ends a benefit: any of the above.
create function due_memberships(today date, grace_days int, activate_by_days int) returns table (membership_id bigint)
language sql stable as $$
    select m.membership_id from membership m where membership_starts(m, today)
    union
    select m.membership_id from membership m where membership_passes_anniversary(m, today, grace_days)
    union
    select e.membership_id from entitlement e where entitlement_is_over(e, today)
    union
    select u.membership_id from unassigned_credits(today, activate_by_days) u
$$;

-- Entitlements with a credit to grant or to close (D2, D3).
create function due_credits(today date) returns setof credit_schedule
language sql stable as $$ select s.* from credit_schedule s where s.next_on <= today $$;

-- Entitlements with usage that is not drawn yet (D15), and those whose order's year moved (D16).
create function due_usage(today date) returns table (entitlement_id bigint)
language sql stable as $$
    select u.entitlement_id from credit_usage u where not u.settled and u.used_on <= today
    union
    select s.entitlement_id from credit_unsettled s
$$;

-- A mail that is to be sent, or sent again.
create function mail_is_unsent(status text) returns boolean
language sql immutable as $$ select status in ('queued', 'claimed', 'unknown') $$;
