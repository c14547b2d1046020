-- A file of entitlements that are all new, every cell as it should be: read as it is, merged at once.
create unlogged table incoming (
    partner_id text, order_id text, offer text, benefit text, benefit_type text, quantity integer, purchased_on date,
    starts_on date, expires_on date, amount numeric, currency char(3), competency text, subscription_id text,
    line integer generated always as identity (start 2)
);
copy incoming (partner_id, order_id, offer, benefit, benefit_type, quantity, purchased_on, starts_on, expires_on,
               amount, currency, competency, subscription_id) from stdin (format csv, header);
insert into file (sha256, name, kind, dialect, header, received_on, status, row_count, applied)
select repeat('1', 64), 'entitlements.csv', 'entitlements', 'canonical', '{}', ':on', 'done', count(*), count(*)
from incoming;

with orders as (
    insert into membership (partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status)
    select p.partner_id, order_id, min(offer), min(purchased_on), min(starts_on),
           (min(starts_on) + interval '12 months')::date, 'active'
    from incoming i join partner p on p.number = i.partner_id
    group by p.partner_id, order_id
    returning membership_id, partner_id, order_id, anniversary_on
), entitlements as (
    insert into entitlement (partner_id, membership_id, benefit, benefit_type, quantity, starts_on, expires_on,
                             last_usable_on, amount_minor, currency, competency, subscription_id, known_on)
    select o.partner_id, o.membership_id, benefit, benefit_type, quantity, starts_on, expires_on,
           case when expires_on >= o.anniversary_on - 1 then o.anniversary_on + 30 else expires_on end,
           (amount * 100)::bigint, currency, competency, subscription_id, ':on'
    from incoming join orders o using (order_id)
    returning *
), versions as (
    insert into entitlement_version (entitlement_id, version_no, partner_id, file_id, line, quantity, starts_on,
                                     expires_on, amount_minor, currency, competency, subscription_id, benefit_type)
    select e.entitlement_id, 1, e.partner_id, (select max(file_id) from file), i.line, e.quantity, e.starts_on,
           e.expires_on, e.amount_minor, e.currency, e.competency, e.subscription_id, e.benefit_type
    from entitlements e join orders o using (membership_id)
    join incoming i on i.order_id = o.order_id and i.benefit = e.benefit
)
insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on)
select entitlement_id, partner_id, 0, starts_on from entitlements where benefit in ('azure_monthly_credit', 'product_support');
drop table incoming;
