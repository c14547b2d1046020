//! The book that a span of requests is ruled on: read in a few statements, its orders locked; and what was ruled,
//! written in a few.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sqlx::{PgConnection, types::Json};

use super::{Error, Result, agreement, holding};
use crate::domain::{
    benefit::{Benefit, BenefitKind, Offer},
    book::{Book, Held, Key, Order, Partner, Recorded, Seat, User},
    catalogue::Catalogue,
    directory_role::Role,
    id::{AccessId, ContractId, EntitlementNo, OrderId, OrderNo, PartnerId, PartnerNo, RequestId, TenantId},
    license_key::Subscription,
    membership::Year,
    reason::Reason,
    request::Asked,
};
pub use write::{RuledRequest, write};

mod write;

/// Kinds of benefit that requests draw from.
const DRAWN: [BenefitKind; 3] =
    [BenefitKind::ProductSupport, BenefitKind::SignatureCloudSupport, BenefitKind::AdvisoryHours];

/// Reads all that these requests name; what a partner holds is locked until the transaction ends, order by order, so that
/// a refund and an activation come one after the other (promise 10). `grace_days` is policy.
pub async fn open(
    conn: &mut PgConnection,
    catalogue: &Catalogue,
    asked: &[&Asked],
    grace_days: u32,
) -> Result<Book> {
    // What this very file made has no statistics yet, and tables that look empty are read whole, again and again. All that
    // is read here is found by an index.
    by_index(conn, true).await?;
    let mut book = Book::default();
    partners(conn, &mut book, asked).await?;
    users(conn, &mut book, asked).await?;
    let drawing: Vec<PartnerNo> = ids(&book, asked.iter().filter(|a| a.draws()).copied());
    orders(conn, &mut book, asked, &drawing, grace_days).await?;
    benefits(conn, &mut book, asked, &drawing).await?;
    let of = |kinds: &[BenefitKind]| -> Vec<EntitlementNo> {
        book.benefits
            .values()
            .filter(|h| kinds.contains(&h.benefit.kind()))
            .map(|h| h.entitlement_id)
            .collect()
    };
    let assigned =
        of(&[BenefitKind::AzureMonthlyCredit, BenefitKind::AzureBulkCredit, BenefitKind::VisualStudio]);
    let keyed = of(&[BenefitKind::Software, BenefitKind::LicenseSubscription]);
    let drawable = of(&DRAWN);
    seats(conn, &mut book, &assigned).await?;
    keys(conn, &mut book, &keyed).await?;
    drawn(conn, &mut book, &drawable).await?;
    let named = |kind| asked.iter().filter(move |a| a.benefit().is_some_and(|b| b.kind() == kind)).copied();
    let bulk = ids(&book, named(BenefitKind::AzureBulkCredit));
    exclusions(conn, &mut book, catalogue, &bulk, grace_days).await?;
    let groups: BTreeSet<String> = named(BenefitKind::VisualStudio)
        .filter_map(|a| book.partners.get(a.partner()).map(|partner| partner.group.clone()))
        .collect();
    count_groups(conn, &mut book, groups.into_iter().collect()).await?;
    recorded(conn, &mut book, asked).await?;
    by_index(conn, false).await?;
    Ok(book)
}

/// Lets the planner read no table whole where there is an index, or lets it again; until the transaction ends.
async fn by_index(conn: &mut PgConnection, only: bool) -> Result<()> {
    sqlx::query!("select set_config('enable_seqscan', $1, true)", if only { "off" } else { "on" })
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Numbers of the partners of requests, each once.
fn ids<'a>(book: &Book, asked: impl Iterator<Item = &'a Asked>) -> Vec<PartnerNo> {
    let ids: BTreeSet<PartnerNo> =
        asked.filter_map(|a| book.partners.get(a.partner())).map(|p| p.partner_id).collect();
    ids.into_iter().collect()
}

async fn partners(conn: &mut PgConnection, book: &mut Book, asked: &[&Asked]) -> Result<()> {
    let numbers: BTreeSet<&PartnerId> = asked.iter().map(|a| a.partner()).collect();
    let numbers: Vec<PartnerId> = numbers.into_iter().cloned().collect();
    let rows = sqlx::query!(
        r#"select p.number as "number!", p.partner_id as "partner_id!", p.country as "country!", p.tenant_id, partner_group(p.group_id, p.number) as "group!",
                  c.partner_id is not null as "has_contact!",
                  case when not u.enabled then u.user_principal_name end as disabled_contact
           from unnest($1::text[]) as k (number)
           cross join lateral (select * from partner of where of.number = k.number offset 0) p
           left join lateral (select * from contact of where of.partner_id = p.partner_id offset 0) c on true
           left join lateral (select * from directory_user of where of.user_id = c.user_id offset 0) u on true"#,
        &numbers as &[PartnerId]
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        if let Some(user) = r.disabled_contact {
            book.disabled_contacts.insert(r.partner_id.into(), user);
        }
        let partner = Partner {
            partner_id: r.partner_id.into(),
            country: r.country,
            tenant_id: r.tenant_id.map(TenantId::from),
            group: r.group,
            has_contact: r.has_contact,
            exclusions: Vec::new(),
        };
        book.partners.insert(r.number.into(), partner);
    }
    Ok(())
}

fn roles(names: &[String]) -> Vec<Role> {
    names.iter().filter_map(|name| Role::parse(name)).collect()
}

/// Whoever is named, by object id or user principal name, never by mail; and who holds a role.
async fn users(conn: &mut PgConnection, book: &mut Book, asked: &[&Asked]) -> Result<()> {
    let mut named = BTreeSet::new();
    for a in asked {
        let Some(partner) = book.partners.get(a.partner()) else { continue };
        let others = a.users();
        let others = others.iter().flatten().map(|(_, name)| *name);
        named.extend(others.chain([a.requested_by()]).map(|name| (partner.partner_id, name.to_owned())));
    }
    let (partner_ids, wanted): (Vec<PartnerNo>, Vec<String>) = named.into_iter().unzip();
    let rows = sqlx::query!(
        r#"select k.partner_id as "partner_id!", k.name as "name!", u.user_id as "user_id!", u.user_principal_name as "user_principal_name!",
                  u.enabled as "enabled!", u.user_type as "user_type!", u.roles as "roles!"
           from unnest($1::bigint[], $2::text[]) as k (partner_id, name)
           cross join lateral (
               select * from directory_user of
               where of.partner_id = k.partner_id and lower(of.user_principal_name) = lower(k.name)
               union all
               select * from directory_user of
               where of.partner_id = k.partner_id and lower(of.object_id) = lower(k.name) offset 0) u"#,
        &partner_ids as &[PartnerNo],
        &wanted
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        let user = User {
            user_id: r.user_id.into(),
            name: r.user_principal_name,
            enabled: r.enabled,
            guest: r.user_type == "guest",
            roles: roles(&r.roles),
        };
        let name = (r.partner_id.into(), r.name.to_lowercase());
        if book.users.get(&name).is_some_and(|other| other.user_id != user.user_id) {
            book.ambiguous.insert(name);
        } else {
            book.users.insert(name, user);
        }
    }
    let partner_ids: Vec<PartnerNo> = book.partners.values().map(|partner| partner.partner_id).collect();
    let rows = sqlx::query!(
        r#"select u.partner_id as "partner_id!", u.user_principal_name as "user_principal_name!", u.roles as "roles!"
           from unnest($1::bigint[]) as k (partner_id)
           cross join lateral (select * from directory_user of
                               where of.partner_id = k.partner_id and of.roles <> '{}' and of.enabled offset 0) u"#,
        &partner_ids as &[PartnerNo]
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        book.holders.entry(r.partner_id.into()).or_default().push((r.user_principal_name, roles(&r.roles)));
    }
    Ok(())
}

/// Orders of partners of whom nothing is asked are not locked, so that requests of different partners do not wait for each
/// other, whatever they name.
async fn orders(
    conn: &mut PgConnection,
    book: &mut Book,
    asked: &[&Asked],
    drawing: &[PartnerNo],
    grace_days: u32,
) -> Result<()> {
    let order_ids: BTreeSet<&OrderId> = asked.iter().filter_map(|a| a.order()).collect();
    let order_ids: Vec<OrderId> = order_ids.into_iter().cloned().collect();
    let found = sqlx::query!(
        r#"select m.membership_id as "membership_id!: OrderNo", m.partner_id as "partner_id!: PartnerNo", m.order_id as "order_id!: OrderId"
           from unnest($1::text[]) as k (order_id)
           cross join lateral (select * from membership of where of.order_id = k.order_id offset 0) m
           union
           select m.membership_id, m.partner_id, m.order_id from unnest($2::bigint[]) as k (partner_id)
           cross join lateral (select * from membership of where of.partner_id = k.partner_id offset 0) m"#,
        &order_ids as &[OrderId],
        drawing as &[PartnerNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    let asking: HashSet<PartnerNo> = book.partners.values().map(|partner| partner.partner_id).collect();
    let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|r| asking.contains(&r.partner_id));
    book.orders_of_others.extend(others.into_iter().map(|r| r.order_id));
    let own: Vec<OrderNo> = own.into_iter().map(|r| r.membership_id).collect();
    let rows = sqlx::query!(
        r#"select m.membership_id, m.partner_id, m.order_id, m.offer, m.starts_on, m.anniversary_on, m.ended_on,
                  (select r.request_key from request r
                    where r.membership_id = m.membership_id and r.kind = 'cancel' and r.status in ('waiting', 'pending')
                    order by r.request_no limit 1) as "frozen_by: RequestId",
                  s.access_id as "access_id?: AccessId", s.contract_id as "contract_id?: ContractId"
           from membership m
           left join lateral (select * from support_contract of where of.membership_id = m.membership_id offset 0) s on true
           where m.membership_id = any($1)
           order by m.membership_id for update of m"#,
        &own as &[OrderNo]
    )
    .fetch_all(conn)
    .await?;
    book.orders.extend(rows.into_iter().map(|r| {
        let order = Order {
            membership_id: r.membership_id.into(),
            partner_id: r.partner_id.into(),
            order_id: r.order_id.as_str().into(),
            offer: r.offer.as_deref().and_then(Offer::parse),
            year: Year { starts_on: r.starts_on, anniversary_on: r.anniversary_on, grace_days },
            ended_on: r.ended_on,
            frozen_by: r.frozen_by,
            support: r.access_id.zip(r.contract_id),
        };
        (r.order_id.into(), order)
    }));
    Ok(())
}

/// The orders of these partners, whose numbers ascend.
fn orders_of(book: &Book, partner_ids: &[PartnerNo]) -> Vec<OrderNo> {
    let of = book.orders.values().filter(|order| partner_ids.binary_search(&order.partner_id).is_ok());
    of.map(|order| order.membership_id).collect()
}

/// The benefits that are named, and those that `drawing` partners may draw from.
async fn benefits(
    conn: &mut PgConnection,
    book: &mut Book,
    asked: &[&Asked],
    drawing: &[PartnerNo],
) -> Result<()> {
    let named: BTreeSet<(OrderNo, &str)> = asked
        .iter()
        .filter_map(|a| Some((book.orders.get(a.order()?)?.membership_id, a.benefit()?.as_str())))
        .collect();
    let (orders, codes): (Vec<OrderNo>, Vec<String>) =
        named.into_iter().map(|(order, code)| (order, code.to_owned())).unzip();
    let of_drawing = orders_of(book, drawing);
    let patterns: Vec<String> = DRAWN.iter().map(|kind| format!("{}%", kind.name())).collect();
    let rows = sqlx::query!(
        r#"select e.entitlement_id as "entitlement_id!: EntitlementNo", e.partner_id as "partner_id!: PartnerNo",
                  e.membership_id as "membership_id!: OrderNo", e.benefit as "benefit!", e.quantity,
                  e.starts_on as "starts_on!", least(e.last_usable_on, e.missing_until) as "last_usable_on!", e.ended_on,
                  (select a.activated_on from activation a where a.entitlement_id = e.entitlement_id) as activated_on,
                  (e.benefit_type = 'core' and e.benefit not like 'azure%') as "core!"
           from (select e.* from unnest($1::bigint[], $2::text[]) as k (membership_id, benefit)
                 cross join lateral (select * from entitlement of
                                     where of.membership_id = k.membership_id and of.benefit = k.benefit offset 0) e
                 union all
                 select e.* from unnest($3::bigint[]) as k (membership_id)
                 cross join lateral (select * from entitlement of
                                     where of.membership_id = k.membership_id and of.benefit like any($4) offset 0) e) e"#,
        &orders as &[OrderNo],
        &codes,
        &of_drawing as &[OrderNo],
        &patterns
    )
    .fetch_all(&mut *conn)
    .await?;
    // In the order in which they end; what is named and drawn from is found twice.
    let rows: BTreeMap<_, _> =
        rows.into_iter().map(|r| ((r.ended_on.unwrap_or(r.last_usable_on), r.entitlement_id), r)).collect();
    let ids: HashMap<OrderNo, (OrderId, bool)> = book
        .orders
        .iter()
        .map(|(order_id, order)| (order.membership_id, (order_id.clone(), order.offer == Some(Offer::Gold))))
        .collect();
    let is_gold = |order: &OrderNo| ids.get(order).is_some_and(|(_, gold)| *gold);
    let gold = rows.values().filter(|r| r.core && is_gold(&r.membership_id)).map(|r| r.partner_id);
    let silver = holding::silver(conn, &gold.collect::<Vec<_>>()).await?;
    for r in rows.into_values() {
        let Some((order_id, of_gold)) = ids.get(&r.membership_id) else { continue };
        let benefit = Benefit::parse(&r.benefit).ok_or_else(|| Error::Unknown { what: r.benefit.clone() })?;
        let beside = silver.get(&(r.partner_id, r.benefit.clone())).filter(|_| *of_gold && r.core);
        book.codes.insert((r.membership_id, r.benefit), r.entitlement_id);
        if DRAWN.contains(&benefit.kind()) {
            book.drawable.entry(r.partner_id).or_default().push(r.entitlement_id);
        }
        let held = Held {
            entitlement_id: r.entitlement_id,
            partner_id: r.partner_id,
            membership_id: r.membership_id,
            order_id: order_id.clone(),
            benefit,
            quantity: r.quantity.and_then(|quantity| u32::try_from(quantity).ok()),
            starts_on: r.starts_on,
            last_usable_on: r.last_usable_on,
            ended_on: r.ended_on,
            seats: Vec::new(),
            keys: Vec::new(),
            activated_on: r.activated_on,
            drawn: 0,
            beside: beside.cloned().unwrap_or_default(),
        };
        book.benefits.insert(r.entitlement_id, held);
    }
    Ok(())
}

async fn seats(conn: &mut PgConnection, book: &mut Book, entitlement_ids: &[EntitlementNo]) -> Result<()> {
    let rows = sqlx::query!(
        r#"select a.entitlement_id as "entitlement_id!", a.user_id as "user_id!", u.user_principal_name as "user_principal_name!",
                  a.seat_no, a.assigned_on as "assigned_on!", a.removed_on
           from unnest($1::bigint[]) as k (entitlement_id)
           cross join lateral (select * from assignment of where of.entitlement_id = k.entitlement_id offset 0) a
           cross join lateral (select * from directory_user of where of.user_id = a.user_id offset 0) u
           order by a.assignment_id"#,
        entitlement_ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        let seat = Seat {
            user_id: r.user_id.into(),
            user: r.user_principal_name,
            seat_no: r.seat_no.and_then(|no| u32::try_from(no).ok()),
            assigned_on: r.assigned_on,
            removed_on: r.removed_on,
        };
        if let Some(held) = book.benefits.get_mut(&r.entitlement_id.into()) {
            held.seats.push(seat);
        }
    }
    Ok(())
}

/// Keys, and the subscriptions of the partners that have any.
async fn keys(conn: &mut PgConnection, book: &mut Book, entitlement_ids: &[EntitlementNo]) -> Result<()> {
    let rows = sqlx::query!(
        r#"select k.entitlement_id as "entitlement_id!", k.key_id as "key_id!", k.seats, k.months as "months!",
                  (select r.redeemed_on from redemption r where r.key_id = k.key_id) as redeemed_on,
                  (select min(v.revealed_on) from key_reveal v where v.key_id = k.key_id) as revealed_on
           from unnest($1::bigint[]) as asked (entitlement_id)
           cross join lateral (select * from license_key of where of.entitlement_id = asked.entitlement_id offset 0) k
           order by k.key_id"#,
        entitlement_ids as &[EntitlementNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        let key = Key {
            key_id: r.key_id.into(),
            seats: r.seats.and_then(|seats| u32::try_from(seats).ok()),
            months: u32::try_from(r.months).unwrap_or(0),
            revealed_on: r.revealed_on,
            redeemed_on: r.redeemed_on,
        };
        if let Some(held) = book.benefits.get_mut(&r.entitlement_id.into()) {
            held.keys.push(key);
        }
    }
    let named: BTreeSet<(PartnerNo, &str)> = entitlement_ids
        .iter()
        .filter_map(|id| book.benefits.get(id))
        .map(|held| (held.partner_id, held.benefit.as_str()))
        .collect();
    let (partner_ids, codes): (Vec<PartnerNo>, Vec<String>) =
        named.into_iter().map(|(partner, code)| (partner, code.to_owned())).unzip();
    let rows = sqlx::query!(
        r#"select k.partner_id as "partner_id!", k.benefit as "benefit!", r.seats, r.ends_on
           from unnest($1::bigint[], $2::text[]) as k (partner_id, benefit)
           join lateral (select seats, ends_on from redemption r
                         where r.partner_id = k.partner_id and r.benefit = k.benefit
                         order by r.redemption_id desc limit 1) r on true"#,
        &partner_ids as &[PartnerNo],
        &codes
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        let seats = u32::try_from(r.seats).unwrap_or(0);
        book.subscriptions
            .insert((r.partner_id.into(), r.benefit), Subscription { seats, ends_on: r.ends_on });
    }
    Ok(())
}

async fn drawn(conn: &mut PgConnection, book: &mut Book, entitlement_ids: &[EntitlementNo]) -> Result<()> {
    let rows = sqlx::query!(
        r#"select k.entitlement_id as "entitlement_id!", t.drawn as "drawn!"
           from unnest($1::bigint[]) as k (entitlement_id)
           cross join lateral (
               select coalesce(sum(case when to_account = 'used' then amount_minor
                                        when from_account = 'used' then -amount_minor else 0 end), 0)::bigint as drawn
               from transfer of where of.entitlement_id = k.entitlement_id) t"#,
        entitlement_ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        if let Some(held) = book.benefits.get_mut(&r.entitlement_id.into()) {
            held.drawn = r.drawn;
        }
    }
    Ok(())
}

/// What stands against bulk credit of these partners (D14).
async fn exclusions(
    conn: &mut PgConnection,
    book: &mut Book,
    catalogue: &Catalogue,
    partner_ids: &[PartnerNo],
    grace_days: u32,
) -> Result<()> {
    let mut found = agreement::standing(conn, catalogue, partner_ids, grace_days).await?;
    for partner in book.partners.values_mut() {
        let standing = found.remove(&partner.partner_id).unwrap_or_default();
        partner.exclusions = standing.into_iter().map(|standing| standing.exclusion).collect();
    }
    Ok(())
}

/// What caps count: assigned Visual Studio seats by country, and gold orders, of each of these groups (D12).
async fn count_groups(conn: &mut PgConnection, book: &mut Book, groups: Vec<String>) -> Result<()> {
    let rows = sqlx::query!(
        r#"select partner_group(p.group_id, p.number) as "group!", p.country, count(a.assignment_id) as "seats!"
           from unnest($1::text[]) as k (name)
           cross join lateral (select * from partner of
                               where partner_group(of.group_id, of.number) = k.name offset 0) p
           left join lateral (
               select a.assignment_id
               from (select * from assignment of
                     where of.partner_id = p.partner_id and of.removed_on is null and of.seat_no is not null offset 0) a
               cross join lateral (select * from entitlement of where of.entitlement_id = a.entitlement_id offset 0) e
               where e.benefit like 'visual_studio%' and e.ended_on is null) a on true
           group by 1, 2"#,
        &groups
    )
    .fetch_all(&mut *conn)
    .await?;
    for r in rows {
        let seats = u32::try_from(r.seats).unwrap_or(u32::MAX);
        book.groups.entry(r.group).or_default().seats.insert(r.country, seats);
    }
    let rows = sqlx::query!(
        r#"select partner_group(p.group_id, p.number) as "group!", m.starts_on as "from!",
                  coalesce(m.ended_on, max(e.last_usable_on)) as "until!"
           from unnest($1::text[]) as k (name)
           cross join lateral (select * from partner of
                               where partner_group(of.group_id, of.number) = k.name offset 0) p
           cross join lateral (select * from membership of
                               where of.partner_id = p.partner_id and of.offer = 'gold' offset 0) m
           cross join lateral (select * from entitlement of where of.membership_id = m.membership_id offset 0) e
           group by 1, 2, m.membership_id, m.ended_on"#,
        &groups
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        book.groups.entry(r.group).or_default().gold.push((r.from, r.until));
    }
    Ok(())
}

/// Requests on record under the keys of these.
async fn recorded(conn: &mut PgConnection, book: &mut Book, asked: &[&Asked]) -> Result<()> {
    let (mut partner_ids, mut families, mut names, mut keys) = (vec![], vec![], vec![], vec![]);
    for a in asked {
        let Some(partner) = book.partners.get(a.partner()) else { continue };
        let user = a.users()[0].and_then(|(_, name)| book.user(partner.partner_id, name).ok());
        partner_ids.push(partner.partner_id);
        families.push(a.family());
        names.push(a.family().to_owned());
        keys.push(a.key(user.map_or(0.into(), |user| user.user_id)));
    }
    let rows = sqlx::query!(
        r#"select k.nth as "nth!", r.request_no, r.content as "content: Json<serde_json::Value>", r.kind, r.status,
                  r.refused_by, r.refused_why,
                  b.user_id as "by_id?", b.user_principal_name as "by?", t.user_id as "to_id?", t.user_principal_name as "to?"
           from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality as k (partner_id, family, key, nth)
           join request r on r.partner_id = k.partner_id and r.family = k.family and r.request_key = k.key
           left join directory_user b on b.user_id = case when jsonb_typeof(r.content -> 'requested_by') = 'number'
                                                          then (r.content ->> 'requested_by')::bigint end
           left join directory_user t on t.user_id = (r.content ->> 'to_user')::bigint"#,
        &partner_ids as &[PartnerNo],
        &names,
        &keys
    )
    .fetch_all(conn)
    .await?;
    for r in rows {
        let Some(at) = usize::try_from(r.nth).ok().and_then(|nth| nth.checked_sub(1)) else { continue };
        let (Some(partner_id), Some(family), Some(key)) =
            (partner_ids.get(at), families.get(at), keys.get(at))
        else {
            continue;
        };
        let mut content = r.content.0;
        if *family == "service" {
            content["kind"] = r.kind.as_str().into();
        }
        let people = [r.by_id.zip(r.by), r.to_id.zip(r.to)].into_iter().flatten();
        book.names.extend(people.map(|(user_id, name)| (user_id.into(), name)));
        // What a night refused is decided; what was refused on its arrival may be asked for anew.
        let refused = r.status == "refused" && (r.kind != "cancel" || r.refused_by.is_some());
        let waits = r.status == "waiting";
        let refusal = r.refused_by.zip(r.refused_why).filter(|_| r.status == "refused");
        let refusal = refusal.map(|(by, why)| Reason::RefusedByOperator { by, why });
        let recorded = Recorded { request_no: r.request_no.into(), content, waits, refused, refusal };
        book.recorded.insert((*partner_id, *family, key.clone()), recorded);
    }
    Ok(())
}
