-- A chunk that fails for its data is cut in halves, and each half again, down to the one key at fault; the night goes on
-- past that (promise 5).

alter table run_chunk
    -- the chunk of its run that was cut, of which this one is a part
    add column split_of integer,
    -- of a dead letter whose span is one key, which itself is at fault: what that key is of
    add column only_key text check (only_key in ('request', 'membership', 'entitlement', 'partner')),
    drop constraint run_chunk_status_check,
    -- split: its parts stand for it; neither open nor failed
    add constraint run_chunk_status_check
        check (status in ('ready', 'claimed', 'done', 'failed', 'discarded', 'split'));
comment on column run_chunk.status is
    'ready; claimed under a lease; done; failed for good (a dead letter); discarded by an operator; split: its parts stand for it';
-- for metrics, and for those who look where the parts are
create index run_chunk_split on run_chunk (run_id, chunk_no) where status = 'split';
-- what later nights leave out
create index run_chunk_only_key on run_chunk (only_key, from_on, from_id) where status = 'failed' and only_key is not null;

-- Orders with a cancellation or a renewal that is due and not decided yet, as when deciding it failed. What it is to end,
-- and from which day on, is not known: until it is decided nothing of them runs out, is granted or lapses (D5, D7). In plpgsql,
-- so that the planner takes them for the few that they are, whatever it knows of the tables.
create function undecided_orders(today date) returns table (membership_id bigint)
language plpgsql stable rows 100 as $$
begin
    return query
        select distinct r.membership_id from request r
        where r.status = 'pending' and r.requested_on <= today and r.kind in ('cancel', 'renew')
          and r.membership_id is not null;
end $$;

-- The benefits of these orders.
create function undecided_entitlements(today date) returns table (entitlement_id bigint)
language plpgsql stable rows 100 as $$
begin
    return query
        select e.entitlement_id from undecided_orders(today) o
        cross join lateral (select b.entitlement_id from entitlement b
                            where b.membership_id = o.membership_id offset 0) e;
end $$;

create or replace function due_memberships(today date, grace_days int, activate_by_days int)
returns table (membership_id bigint)
language sql stable as $$
    select due.membership_id from (
        select m.membership_id from membership m where membership_starts(m, today)
        union
        select m.membership_id from membership m where membership_passes_anniversary(m, today, grace_days)
        union
        select e.membership_id from entitlement e where entitlement_is_over(e, today)
        union
        select u.membership_id from unassigned_credits(today, activate_by_days) u) due
    where due.membership_id not in (select o.membership_id from undecided_orders(today) o)
$$;

create or replace function due_credits(today date) returns setof credit_schedule
language sql stable as $$
    select s.* from credit_schedule s
    where s.next_on <= today and s.entitlement_id not in (select u.entitlement_id from undecided_entitlements(today) u)
$$;

create or replace function due_usage(today date) returns table (entitlement_id bigint)
language sql stable as $$
    select due.entitlement_id from (
        select u.entitlement_id from credit_usage u where not u.settled and u.used_on <= today
        union
        select s.entitlement_id from credit_unsettled s where s.due_on is null or s.due_on <= today) due
    where due.entitlement_id not in (select u.entitlement_id from undecided_entitlements(today) u)
$$;
