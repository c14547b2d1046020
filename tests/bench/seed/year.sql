-- :rows orders of 2023-07-15, each with a monthly credit that is due on 2024-06-15. Its eleven periods before are
-- granted; ten lapsed, the open one is spent. The order before it, ended, left its last grant and lapse.
set session_replication_role = replica; -- foreign keys hold by construction

insert into membership (partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status, ended_on)
select 1 + n % :partners, 'MPN-2022-' || n, 'action_pack', '2022-07-15', '2022-07-15', '2023-07-15', 'renewed',
       '2023-07-14'
from generate_series(0, :rows - 1) n;
insert into membership (partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status)
select 1 + n % :partners, 'MPN-2023-' || n, 'action_pack', '2023-07-15', '2023-07-15', '2024-07-15', 'active'
from generate_series(0, :rows - 1) n;

insert into entitlement (partner_id, membership_id, benefit, benefit_type, quantity, starts_on, expires_on,
                         last_usable_on, amount_minor, currency, known_on, ended_on, ended_as)
select partner_id, membership_id, 'azure_monthly_credit', 'core', 1, starts_on, anniversary_on - 1,
       anniversary_on + 30, 10000, 'USD', starts_on, ended_on, case when ended_on is not null then 'renewed' end
from membership order by membership_id;

insert into assignment (partner_id, entitlement_id, user_id, assigned_on)
select partner_id, entitlement_id, partner_id, starts_on from entitlement where ended_on is null;

insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on, open_minor, period_scheme)
select entitlement_id, partner_id, 11, '2024-06-15', 0, 'anniversary' from entitlement where ended_on is null order by 1;

-- Indexes are made after the rows, as they were.
create temp table index_again on commit drop as
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index where indrelid = 'transfer'::regclass and not indisprimary;
do $$
declare name text;
begin
    for name in select i.name from index_again i loop execute 'drop index ' || name; end loop;
    alter table transfer drop constraint transfer_pkey;
end $$;

insert into transfer (partner_id, entitlement_id, run_id, kind, from_account, to_account, period_no, period_from,
                      period_until, effective_on, amount_minor, currency, usd_minor)
select e.partner_id, e.entitlement_id, 0, k.kind, k.from_account, k.to_account, n, p.period_from, p.period_until,
       case k.kind when 'credit_granted' then p.period_from when 'credit_used' then p.period_from + 3
                   else p.period_until end,
       k.amount_minor, 'USD', k.usd_minor
from generate_series(0, 11) n
join entitlement e on (e.ended_on is null) = (n < 11)
cross join lateral (select (e.starts_on + n * interval '1 month')::date as period_from,
                           (e.starts_on + (n + 1) * interval '1 month')::date as period_until) p
cross join lateral (
    values ('credit_granted'::ledger_kind, 'programme'::ledger_account, 'available'::ledger_account, 10000, 10000),
           (case when n = 10 then 'credit_used' else 'credit_lapsed' end::ledger_kind, 'available'::ledger_account,
            case when n = 10 then 'used' else 'lapsed' end::ledger_account, 10000, null)
) k (kind, from_account, to_account, amount_minor, usd_minor)
order by n, e.entitlement_id;

do $$
declare definition text;
begin
    alter table transfer add primary key (transfer_id);
    for definition in select i.definition from index_again i loop execute definition; end loop;
end $$;
