-- What comes near is told when it is due or overdue and was not told yet (D10). Each thing that ends remembers for which
-- date it was told last and when the next word of it is due, so that a night reads what is due and nothing else.

alter table membership
    -- the anniversary date that remind_on was counted for
    add remind_of date,
    -- when the next word of its end or its grace is due; null: none is
    add remind_on date;
alter table entitlement
    -- the last usable day that remind_on was counted for
    add remind_of date,
    add remind_on date;
alter table credit_schedule
    -- the end of the period that was told to come near
    add reminded_of date;

create index membership_to_remind on membership (anniversary_on, partner_id)
    where ended_on is null and remind_of is distinct from anniversary_on;
create index membership_remind on membership (remind_on, partner_id) where ended_on is null and remind_on is not null;
-- what runs with its membership is told with it, but for bulk credit, which is lost at the end of grace
create index entitlement_to_remind on entitlement (last_usable_on, partner_id)
    where ended_on is null and remind_of is distinct from last_usable_on
      and (last_usable_on = expires_on or benefit like 'azure_bulk_credit%');
create index entitlement_remind on entitlement (remind_on, partner_id)
    where ended_on is null and remind_on is not null;
create index credit_schedule_to_remind on credit_schedule (next_on, partner_id)
    where open_minor > 0 and reminded_of is distinct from next_on;

-- a period ends with its entitlement's last usable day (D2)
update credit_schedule s set next_on = e.last_usable_on + 1
from entitlement e
where e.entitlement_id = s.entitlement_id and s.open_minor > 0 and s.next_on > e.last_usable_on + 1;

-- what was told of the periods that are open
update credit_schedule s set reminded_of = s.next_on
from notice n
where n.subject_kind = 'entitlement' and n.subject_id = s.entitlement_id and n.kind = 'credit_about_to_lapse'
  and n.true_until = s.next_on - 1;

-- Of what word may be due: memberships by the anniversary dates around a morning, benefits by the last usable days after
-- it, credits by the ends of periods after it; and whatever was due next on one of the days before it.
create function reminders_due(anniversaries date[], last_days date[], period_ends date[], since date[])
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
       and (e.last_usable_on = e.expires_on or e.benefit like 'azure_bulk_credit%')
    union all
    select 'entitlement', e.entitlement_id, e.partner_id from entitlement e
     where e.ended_on is null and e.remind_on = any(since) and e.remind_of = e.last_usable_on
    union all
    select 'credit', s.entitlement_id, s.partner_id from credit_schedule s
     where s.open_minor > 0 and s.reminded_of is distinct from s.next_on and s.next_on = any(period_ends)
$$;

-- Credit that can be spent, in the currency of its grant, with the last day on which it can: of bulk credit the last of
-- grace, of a period its own (D2, D4).
create view open_credit as
select s.entitlement_id, e.membership_id, s.partner_id, e.benefit, s.open_minor as unspent_minor,
       coalesce(g.currency, p.currency) as currency, s.next_period_no - 1 as period_no,
       least(s.next_on - 1, e.last_usable_on) as last_usable_on,
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

-- what a notice of an end says of such credit
create function stake(credit open_credit) returns jsonb
language sql immutable as $$
    select jsonb_build_object('benefit', credit.benefit, 'period_no', credit.period_no,
                              'unspent', jsonb_build_object('minor', credit.unspent_minor, 'currency', credit.currency),
                              'last_usable_on', credit.last_usable_on)
$$;
