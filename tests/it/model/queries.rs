//! What the store says, in the lines that the rules' are compared with; and what must never be found in it.

/// Who has what.
pub const ASSIGNED: &str =
    "select concat_ws('|', order_id, benefit, coalesce(assigned_to, '')) from report.entitlement";

/// When subscriptions end.
pub const SUBSCRIBED: &str = "
    select concat_ws('|', order_id, benefit, subscription_ends_on) from report.entitlement
    where subscription_ends_on is not null";

/// Keys by their order, benefit and what the store calls them, seats and months.
pub const KEYS: &str = "
    select concat_ws('|', m.order_id, e.benefit, 'K' || k.key_id, coalesce(k.seats, 0), k.months)
    from license_key k join entitlement e using (entitlement_id) join membership m using (membership_id)
    order by k.key_id";

/// Order, Access ID, Contract ID.
pub const CONTRACTS: &str = "
    select concat_ws(' ', order_id, access_id, contract_id) from support_contract join membership using (membership_id)";

/// How orders and benefits stand.
pub const STANDING: &str = "
    select concat_ws('|', order_id, '', status, coalesce(ended_on::text, '-'), anniversary_on) from report.membership
    union all
    select concat_ws('|', order_id, benefit, status, coalesce(ended_on::text, '-'), '') from report.entitlement";

/// Every yes and no to what was asked in its order, codes as a set; that silver leaves nothing of a period is in the books.
pub const DECISIONS: &str = "
    select concat_ws(' ', action, subject, outcome,
               coalesce((select string_agg(distinct r ->> 'code' collate \"C\", '+' order by r ->> 'code' collate \"C\")
                         from jsonb_array_elements(reasons) r), ''), coalesce(earliest_on::text, '-'))
    from decision where action <> 'grant' order by decision_id";

/// Each period of a credit: granted, used, lapsed, overage, corrections netted.
pub const BOOKS: &str = "
    select concat_ws('|', m.order_id, e.benefit, b.period_no, b.granted, b.used, b.lapsed, b.overage)
    from (select entitlement_id, period_no,
              sum(case 'programme' when from_account::text then amount_minor when to_account::text then -amount_minor else 0 end) as granted,
              sum(case 'used' when to_account::text then amount_minor when from_account::text then -amount_minor else 0 end) as used,
              sum(case 'lapsed' when to_account::text then amount_minor when from_account::text then -amount_minor else 0 end) as lapsed,
              sum(case 'overage' when to_account::text then amount_minor when from_account::text then -amount_minor else 0 end) as overage
          from transfer group by 1, 2) b
    join entitlement e using (entitlement_id) join membership m using (membership_id)
    where (b.granted, b.used, b.lapsed, b.overage) <> (0, 0, 0, 0)";

/// After a night: hours and incidents that stand under other dates than those of their order's year (D16).
pub const MISDATED: &str = "
    select concat_ws('|', e.entitlement_id, t.kind, t.period_no, t.period_until)
    from transfer t join entitlement e using (entitlement_id)
    where t.currency is null and t.period_until <> greatest(e.last_usable_on, t.period_from) + 1
    group by e.entitlement_id, t.kind, t.period_no, t.period_until
    having sum(case 'available' when t.to_account::text then t.amount_minor else -t.amount_minor end) <> 0";

/// What may not be, a line each.
pub const BROKEN: &str = "
    with entry as (
        -- hours and incidents are drawn from all that was granted of them
        select *, case when currency is null then 0 else period_no end as of_no from transfer
    ), moved as (
        select entitlement_id, of_no as period_no, to_account::text as account, amount_minor from entry
        union all select entitlement_id, of_no, from_account::text, -amount_minor from entry
    ), account as (
        select entitlement_id, period_no, account, sum(amount_minor) as minor from moved group by 1, 2, 3
    ), seat as (
        select a.*, e.benefit, e.quantity, e.ended_on from assignment a join entitlement e using (entitlement_id)
        where a.removed_on is null
    )
    select 'overdrawn ' || account || ' of ' || entitlement_id from account
     where minor < 0 and account not in ('programme', 'billed')
    union all
    select 'unbalanced ' || entitlement_id || ' period ' || period_no from account group by entitlement_id, period_no
    having sum(minor) <> 0
    union all
    select 'two on a seat of ' || entitlement_id from seat where seat_no is not null
     group by entitlement_id, seat_no having count(*) > 1
    union all
    select 'twice assigned ' || entitlement_id from seat group by entitlement_id, user_id having count(*) > 1
    union all
    select 'bulk credit of several ' || entitlement_id from seat where benefit like 'azure_bulk%'
     group by entitlement_id having count(*) > 1
    union all
    select 'too many seats of ' || entitlement_id from seat where benefit like 'visual_studio%'
     group by entitlement_id, quantity having count(*) > quantity
    union all
    select 'assigned after its end ' || entitlement_id from seat where ended_on is not null
    union all
    select 'cap of ' || c.name || ' ' || coalesce(c.country, 'in all') from (
        select g.name, g.country, count(*) as seats
        from (select partner_group(p.group_id, p.number) as name, p.country from seat s join partner p using (partner_id)
              where s.benefit like 'visual_studio%') g
        group by grouping sets ((g.name, g.country), (g.name))) c
     where c.seats > case when c.country is null then 75 else 25 end
         * case when exists (select from membership m join partner o using (partner_id)
                             where m.offer = 'gold' and partner_group(o.group_id, o.number) = c.name) then 2 else 1 end
    union all
    select 'redeemed twice ' || key_id from redemption group by key_id having count(*) > 1
    union all
    select 'refunded though used ' || m.order_id from membership m
     where m.status = 'cancelled' and exists (
         select from entitlement e join benefit_use b using (entitlement_id)
         where e.membership_id = m.membership_id
           and b.event in ('software_key_revealed', 'software_key_redeemed', 'software_activated'))
    union all
    select 'told twice ' || kind || ' ' || anchor_on from notice
     group by subject_kind, subject_id, kind, anchor_on having count(*) > 1
    union all
    select 'decided twice ' || request_no from decision where request_no is not null
     group by request_no having count(*) > 1";
