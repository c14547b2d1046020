//! Requests, and the agreements and keys that they stand against, as an import reads them.

pub(super) const AGREEMENTS: &str =
    "select p.number as partner_id, {text a.name} as agreement, a.valid_from, a.valid_until
from agreement a join partner p using (partner_id) order by p.number collate \"C\", a.name collate \"C\", a.valid_from";

/// A key itself is never written (promise 11): in its place stands what an import refuses to take for one.
pub(super) const KEYS: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       '*****-' || k.tail as key, k.seats, k.months, {text k.product} as product, {text k.language} as language,
       {text k.os} as os, {text k.download_url} as download_url, {text k.instructions} as instructions,
       'K' || k.key_id as key_ref,
       (select min(v.revealed_on) from key_reveal v where v.key_id = k.key_id) as revealed_on,
       (select d.redeemed_on from redemption d where d.key_id = k.key_id) as redeemed_on
from license_key k join entitlement e using (entitlement_id) join membership m using (membership_id)
join partner p on p.partner_id = k.partner_id
order by k.key_id";

pub(super) const RENEWALS: &str = "select p.number as partner_id, {text r.request_key} as order_id,
       r.content ->> 'renewed_on' as renewed_on, {text r.content ->> 'new_order_id'} as new_order_id,
       {text coalesce(b.user_principal_name, r.requested_by)} as requested_by
from request r join partner p using (partner_id)
left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                              then (r.content ->> 'requested_by')::bigint end
where r.kind = 'renew' and {by r.requested_on} order by r.requested_on, r.request_no";

/// The users' numbers in the store are part of the request's key and content, so that a user who is renamed stays the
/// same. What was refused on its arrival is no request: decisions tell of it.
pub(super) const ASSIGNMENTS: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       r.kind as action, {text u.user_principal_name} as \"user\", {text coalesce(b.user_principal_name, r.requested_by)} as requested_by,
       r.requested_on, {text w.user_principal_name} as to_user
from request r join partner p using (partner_id) join membership m using (membership_id)
join entitlement e using (entitlement_id)
join directory_user u on u.user_id = split_part(r.request_key, '|', -2)::bigint
left join directory_user w on w.user_id = (r.content ->> 'to_user')::bigint
left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                              then (r.content ->> 'requested_by')::bigint end
where r.kind in ('assign', 'remove', 'transfer', 'reassign') and r.status <> 'refused' and {by r.requested_on}
order by r.requested_on, r.request_no";

/// The key as it was asked for: one that was left to the store to choose stays so, and is named by `keys`.
pub(super) const KEY_REQUESTS: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       r.kind as action, {text coalesce(b.user_principal_name, r.requested_by)} as requested_by, r.requested_on,
       nullif(split_part(r.request_key, '|', -2), '') as key_ref, {text r.content ->> 'tenant_id'} as tenant_id,
       r.content ->> 'mode' as mode
from request r join partner p using (partner_id) join membership m using (membership_id)
join entitlement e using (entitlement_id)
left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                              then (r.content ->> 'requested_by')::bigint end
where r.kind in ('reveal', 'redeem') and r.status <> 'refused' and {by r.requested_on} order by r.requested_on, r.request_no";

pub(super) const ACTIVATIONS: &str =
    "select p.number as partner_id, {text m.order_id} as order_id, {text e.benefit} as benefit,
       {text coalesce(b.user_principal_name, r.requested_by)} as requested_by, r.requested_on
from request r join partner p using (partner_id) join membership m using (membership_id)
join entitlement e using (entitlement_id)
left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                              then (r.content ->> 'requested_by')::bigint end
where r.kind = 'activate' and r.status <> 'refused' and {by r.requested_on} order by r.requested_on, r.request_no";

/// Hours are kept in minutes, of which a file can state multiples of three only: exact in two places.
pub(super) const SERVICE_REQUESTS: &str =
    "select p.number as partner_id, {text r.request_key} as request_id, r.kind,
       {text coalesce(b.user_principal_name, r.requested_by)} as requested_by, r.requested_on, {text r.content ->> 'order_id'} as order_id,
       {text r.content ->> 'product'} as product, {text r.content ->> 'product_version'} as product_version,
       {text r.content ->> 'access_id'} as access_id, {text r.content ->> 'contract_id'} as contract_id,
       {number trim_scale((r.content ->> 'minutes')::numeric / 60)} as hours, {text r.content ->> 'note'} as note
from request r join partner p using (partner_id)
left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                              then (r.content ->> 'requested_by')::bigint end
where (r.status <> 'refused' or r.kind = 'cancel')
  and r.kind in ('cancel', 'product_support', 'cloud_support', 'advisory_hours') and {by r.requested_on}
order by r.requested_on, r.request_no";
