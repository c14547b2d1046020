copy (
    select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
           coalesce(e.quantity::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
           (e.amount_minor / 100.0)::numeric(18, 2) as amount, e.currency, e.competency, e.subscription_id
    from entitlement e join membership m using (membership_id) join partner p on p.partner_id = e.partner_id
    order by p.number, m.order_id, e.benefit
) to stdout (format csv, header);
