-- A file of entitlements may be said to be whole: all that partners hold as of a date. What it lacks then ends (promise 6),
-- on a day that leaves time to tell of it (promise 14).

alter table entitlement
    add column missing_until date,
    add column missing_by bigint references file,
    add check ((missing_until is null) = (missing_by is null)),
    drop constraint entitlement_ended_as_check,
    add constraint entitlement_ended_as_check
        check (ended_as in ('expired', 'cancelled', 'renewed', 'not_activated', 'missing'));
comment on column entitlement.missing_until is
    'A full snapshot does not have it: its last usable day, unless it ends earlier; null: none lacks it, or a file named it since.';
comment on column entitlement.missing_by is 'The file that is that snapshot.';

-- what ends, and what is told of it, night by night
create index entitlement_missing on entitlement (missing_until) where ended_on is null and missing_until is not null;
create index entitlement_missing_by on entitlement (missing_by) where missing_by is not null;

create table file_snapshot (
    file_id   bigint  primary key references file,
    as_of     date    not null,
    -- the last usable day of what it lacks
    ends_on   date    not null,
    -- an operator lets it end more than the guard does
    accepted  boolean not null,
    -- what it lacked is ended, or why not is known
    settled   boolean not null default false,
    ended     integer not null default 0,
    -- what it lacks and a file that arrived after its date had brought or changed
    spared    integer not null default 0,
    -- why nothing was ended
    withheld  jsonb,
    -- what came of it, in a sentence
    said      text
);
comment on table file_snapshot is 'Files that are said to hold all that partners hold as of a date.';

create table partner_snapshot (
    partner_id bigint not null references partner,
    file_id    bigint not null references file_snapshot,
    as_of      date   not null,
    primary key (partner_id, file_id)
);
comment on table partner_snapshot is 'Of which partners such a file says so.';
create index partner_snapshot_newest on partner_snapshot (partner_id, as_of);

-- The last usable day of an entitlement that a snapshot lacks is over.
create function entitlement_is_missing(e entitlement, today date) returns boolean
language sql immutable as $$ select e.ended_on is null and e.missing_until < today $$;

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
        select e.membership_id from entitlement e where entitlement_is_missing(e, today)
        union
        select u.membership_id from unassigned_credits(today, activate_by_days) u) due
    where due.membership_id not in (select o.membership_id from undecided_orders(today) o)
$$;

-- What a snapshot lacks is told by the day on which it ends for that, not by its own last day.
create or replace function reminders_due(anniversaries date[], last_days date[], period_ends date[], since date[])
returns table (subject_kind text, subject_id bigint, partner_id bigint)
language sql stable as $$
    select 'membership', m.membership_id, m.partner_id from membership m
     where m.ended_on is null and m.remind_of is distinct from m.anniversary_on and m.anniversary_on = any(anniversaries)
    union all
    select 'membership', m.membership_id, m.partner_id from membership m
     where m.ended_on is null and m.remind_on = any(since) and m.remind_of = m.anniversary_on
    union all
    select 'entitlement', e.entitlement_id, e.partner_id from entitlement e
     where e.ended_on is null and e.remind_of is distinct from e.last_usable_on and e.last_usable_on = any(last_days)
       and (e.last_usable_on = e.expires_on or e.benefit like 'azure_bulk_credit%') and e.missing_until is null
    union all
    select 'entitlement', e.entitlement_id, e.partner_id from entitlement e
     where e.ended_on is null and e.remind_on = any(since) and e.remind_of = e.last_usable_on and e.missing_until is null
    union all
    select 'missing', e.entitlement_id, e.partner_id from entitlement e
     where e.ended_on is null and e.missing_until = any(last_days)
    union all
    select 'credit', s.entitlement_id, s.partner_id from credit_schedule s
     where s.open_minor > 0 and s.reminded_of is distinct from s.next_on and s.next_on = any(period_ends)
$$;

create or replace view open_credit as
select s.entitlement_id, e.membership_id, s.partner_id, e.benefit, s.open_minor as unspent_minor,
       coalesce(g.currency, p.currency) as currency, s.next_period_no - 1 as period_no,
       least(s.next_on - 1, e.last_usable_on, e.missing_until) as last_usable_on,
       not exists (select from assignment a where a.entitlement_id = s.entitlement_id and a.removed_on is null)
           as unassigned
from credit_schedule s
join entitlement e on e.entitlement_id = s.entitlement_id
join partner p on p.partner_id = s.partner_id
left join lateral (select t.currency from transfer t
                   where t.entitlement_id = s.entitlement_id and t.period_no = s.next_period_no - 1
                     and t.kind = 'credit_granted' and t.corrects is null limit 1) g on true
where s.open_minor > 0 and s.next_period_no > 0 and e.ended_on is null
  and e.benefit like 'azure%';

-- That an operator let a file end more than the guard does is on record.
do $$
declare known text := (select pg_get_expr(conbin, conrelid) from pg_constraint where conname = 'operator_action_action_check');
begin
    execute 'alter table operator_action drop constraint operator_action_action_check';
    execute format('alter table operator_action add constraint operator_action_action_check check (%s or action = %L)',
                   known, 'accept_ends');
end $$;
alter table operator_action
    drop constraint operator_action_why_check,
    add constraint operator_action_why_check check (why <> '' or action in ('admit_request', 'accept_ends'));
