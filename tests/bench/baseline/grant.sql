-- What an experienced hand would write for the night of :on: one statement, each row that the job writes.
insert into run (job, due_on, status, stage, finished_at, binary_version, policy_sha256, catalogue_sha256, input_sha256)
values ('provision_credits', ':on', 'done', 1, now(), '0', '', '', '');
insert into run_chunk (run_id, chunk_no, stage, from_on, from_id, until_on, until_id, status, attempts, epoch)
select max(run_id), 1, 1, ':on', 0, ':on', 0, 'done', 1, 1 from run;
insert into attempt (run_id, chunk_no, epoch, worker, finished_at) select max(run_id), 1, 1, 'baseline', now() from run;

with rate as (
    -- the rate of the last published day on or before the period's start; local units for one dollar
    select currency, published_on, per_euro / usd as local from (
        select r.currency, r.published_on, r.per_euro_micro::numeric as per_euro, u.per_euro_micro::numeric as usd
        from reference_rate r join reference_rate u on u.currency = 'USD' and u.published_on = r.published_on
        where r.published_on = ':on' and r.currency <> 'USD'
        union all
        select 'EUR', published_on, 1000000, per_euro_micro from reference_rate
        where currency = 'USD' and published_on = ':on') both_sides
), due as materialized (
    select s.entitlement_id, s.partner_id, s.next_period_no as no, s.next_on as period_from, s.open_minor,
           (e.starts_on + (s.next_period_no - 1) * interval '1 month')::date as before_from,
           (e.starts_on + (s.next_period_no + 1) * interval '1 month')::date as period_until,
           e.amount_minor * e.quantity as usd_minor, p.currency, r.local, r.published_on,
           coalesce(round(e.amount_minor * e.quantity * r.local), e.amount_minor * e.quantity)::bigint as amount_minor
    from credit_schedule s
    join entitlement e using (entitlement_id)
    join membership m using (membership_id)
    join partner p on p.partner_id = s.partner_id
    left join rate r on r.currency = p.currency
    where s.next_on <= ':on' and s.next_period_no < 12 and s.next_on <= e.expires_on and s.next_on < m.anniversary_on
), entries as (
    insert into transfer (partner_id, entitlement_id, run_id, kind, from_account, to_account, period_no, period_from,
                          period_until, effective_on, amount_minor, currency, usd_minor, rate_nano, rate_on)
    select partner_id, entitlement_id, (select max(run_id) from run), 'credit_granted'::ledger_kind,
           'programme'::ledger_account, 'available'::ledger_account, no,
           period_from, period_until, period_from, amount_minor, currency, usd_minor,
           round(local * 1000000000)::bigint, published_on
    from due
    union all
    select partner_id, entitlement_id, (select max(run_id) from run), 'credit_lapsed', 'available', 'lapsed', no - 1,
           before_from, period_from, period_from, open_minor, currency, null, null, null
    from due where open_minor > 0
)
update credit_schedule s
set next_period_no = d.no + 1, next_on = d.period_until, open_minor = d.amount_minor, waits = null
from due d where d.entitlement_id = s.entitlement_id;
