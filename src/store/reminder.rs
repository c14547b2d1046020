//! Who is to be reminded of what on a day (D10).

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::{Result, credit::spans, run::Span};
use crate::domain::{
    activation::PendingOffer,
    id::{EntitlementNo, OrderId, OrderNo, PartnerNo},
    money::{Amount, Currency},
};

/// A benefit or an offer, and a date.
#[derive(Clone, Debug)]
pub struct Near {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub name: String,
    /// Its last usable day.
    pub on: NaiveDate,
}

/// The dates around a morning by which word may be due.
#[derive(Clone, Debug)]
pub struct Days {
    /// Anniversary dates: of memberships that end within days, or are in grace.
    pub anniversaries: Vec<NaiveDate>,
    /// Last usable days of benefits.
    pub last_days: Vec<NaiveDate>,
    /// First days after credit periods.
    pub period_ends: Vec<NaiveDate>,
    /// Days on which the next word of something may have been due.
    pub since: Vec<NaiveDate>,
    /// Days within which somebody must be assigned to a credit; 0: there is no such policy (D11).
    pub activate_by_days: i32,
    /// The morning, and the last day by which an unassigned credit closes of which word is due.
    pub closing: (NaiveDate, NaiveDate),
}

/// Cuts the partners with anything to be reminded of into spans; the date of their keys is `today`.
pub async fn partner_spans(
    conn: &mut PgConnection,
    days: &Days,
    today: NaiveDate,
    rows: i64,
) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select partner_id as "id!"
           from (select partner_id, total, lag(total, 1, 0::bigint) over (order by partner_id) as before
                 from (select partner_id, (sum(count(*)) over (order by partner_id))::bigint as total
                       from (select partner_id from reminders_due($1, $2, $3, $4)
                             union all
                             select e.partner_id from entitlement e
                              where $7 > 0 and e.ended_on is null and e.benefit like 'azure%'
                                and greatest(e.starts_on, e.known_on) + $7 between $8 and $9
                                and not exists (select from assignment a where a.entitlement_id = e.entitlement_id)
                             union all
                             select a.partner_id from activation a join entitlement e using (entitlement_id)
                              where not a.live and a.live_on is not null and a.activated_on <= $6
                                and a.live_on <= coalesce(e.ended_on, e.last_usable_on)
                                and (a.live_on <= $6 or not exists (
                                    select from notice n where n.subject_kind = 'entitlement'
                                      and n.subject_id = a.entitlement_id and n.kind = 'offer_instructions'))
                             union all
                             select e.partner_id from entitlement e
                              where e.benefit like 'go_to_market%' and e.ended_on is null
                                and e.last_usable_on >= $6 and greatest(e.starts_on, e.known_on) <= $6
                                and not exists (select from contact c where c.partner_id = e.partner_id)
                                and not exists (select from activation a where a.entitlement_id = e.entitlement_id)
                                and not exists (
                                    select from notice n where n.subject_kind = 'entitlement'
                                      and n.subject_id = e.entitlement_id and n.kind = 'contact_needed')) due
                       group by partner_id) sums) cut
           where before = 0 or before / $5 <> total / $5 order by 1"#,
        &days.anniversaries,
        &days.last_days,
        &days.period_ends,
        &days.since,
        rows,
        today,
        days.activate_by_days,
        days.closing.0,
        days.closing.1
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// What word may be due of, by number.
#[derive(Clone, Debug, Default)]
pub struct Due {
    /// Memberships.
    pub memberships: Vec<OrderNo>,
    /// Benefits that end, bulk credit among them.
    pub entitlements: Vec<EntitlementNo>,
    /// Benefits that end because a snapshot lacks them.
    pub missing: Vec<EntitlementNo>,
    /// Credits whose period ends, by entitlement.
    pub credits: Vec<EntitlementNo>,
}

/// What word may be due of at a span of partners.
pub async fn due(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Due> {
    let rows = sqlx::query!(
        r#"select subject_kind as "kind!", subject_id as "id!" from reminders_due($1, $2, $3, $4)
           where partner_id >= $5 and partner_id < $6 order by subject_id"#,
        &days.anniversaries,
        &days.last_days,
        &days.period_ends,
        &days.since,
        span.from.1,
        span.until.1
    )
    .fetch_all(conn)
    .await?;
    let mut due = Due::default();
    for row in rows {
        match row.kind.as_str() {
            "membership" => due.memberships.push(row.id.into()),
            "entitlement" => due.entitlements.push(row.id.into()),
            "missing" => due.missing.push(row.id.into()),
            _ => due.credits.push(row.id.into()),
        }
    }
    Ok(due)
}

/// A membership that comes near its end, or is in grace.
#[derive(Clone, Debug)]
pub struct NearMembership {
    /// Which.
    pub membership_id: OrderNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The offer.
    pub offer: String,
    /// AD.
    pub anniversary_on: NaiveDate,
}

/// These memberships, if they bring anything. The subselect hides how many numbers there are, for which the planner
/// would read the whole table.
pub async fn memberships(conn: &mut PgConnection, ids: &[OrderNo]) -> Result<Vec<NearMembership>> {
    Ok(sqlx::query_as!(
        NearMembership,
        r#"select m.membership_id, m.partner_id, m.order_id, coalesce(m.offer, '') as "offer!", m.anniversary_on
           from unnest((select $1::bigint[])) as due (id) join membership m on m.membership_id = due.id
           where exists (select from entitlement e where e.membership_id = m.membership_id)
           order by m.membership_id"#,
        ids as &[OrderNo]
    )
    .fetch_all(conn)
    .await?)
}

/// A credit whose benefit or membership comes near its end.
#[derive(Clone, Debug)]
pub struct EndingCredit {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Its order.
    pub membership_id: OrderNo,
    /// The benefit code.
    pub benefit: String,
}

/// The live credits of these memberships, and those of these entitlements.
pub async fn ending_credits(
    conn: &mut PgConnection,
    memberships: &[OrderNo],
    entitlements: &[EntitlementNo],
) -> Result<Vec<EndingCredit>> {
    Ok(sqlx::query_as!(
        EndingCredit,
        r#"select e.entitlement_id as "entitlement_id!", e.membership_id as "membership_id!", e.benefit as "benefit!"
           from (select e.* from unnest((select $1::bigint[])) as due (id)
                 join entitlement e on e.membership_id = due.id
                 union
                 select e.* from unnest((select $2::bigint[])) as due (id)
                 join entitlement e on e.entitlement_id = due.id) e
           where e.ended_on is null and e.missing_until is null
             and (e.benefit like 'azure_monthly_credit%' or e.benefit like 'azure_bulk_credit%')
           order by 1"#,
        memberships as &[OrderNo],
        entitlements as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?)
}

/// Credit that can be spent.
#[derive(Clone, Debug)]
pub struct OpenCredit {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Whose.
    pub partner_id: PartnerNo,
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// What is unspent, in the currency of its grant.
    pub unspent: Amount,
    /// The number of its period.
    pub period_no: i32,
    /// Last day on which it can be spent.
    pub last_usable_on: NaiveDate,
    /// Nobody is assigned.
    pub unassigned: bool,
    /// Its benefit ends on that day, before its membership does.
    pub ends: bool,
}

/// A benefit that comes near its end, and what is unspent of it.
#[derive(Clone, Debug)]
pub struct NearEnd {
    /// The benefit; `on` is its last usable day.
    pub near: Near,
    /// It ends before its membership does.
    pub early: bool,
    /// It is bulk credit.
    pub bulk: bool,
    /// Of bulk credit, and of what a snapshot lacks, what can be spent of it.
    pub credit: Option<OpenCredit>,
    /// The date of the full snapshot that does not have it, if it ends for that.
    pub missing_as_of: Option<NaiveDate>,
}

fn amount(minor: i64, currency: &str) -> Option<Amount> {
    Currency::parse(currency).map(|currency| Amount::new(minor, currency))
}

/// These benefits; of what a snapshot lacks, by the day on which it ends for that.
pub async fn endings(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<Vec<NearEnd>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit,
                  least(e.last_usable_on, e.missing_until) as "last_usable_on!",
                  (e.missing_until is not null or e.last_usable_on < m.anniversary_on - 1) as "early!",
                  e.benefit like 'azure_bulk_credit%' as "bulk!",
                  case when e.missing_until <= e.last_usable_on
                       then (select s.as_of from file_snapshot s where s.file_id = e.missing_by) end as missing_as_of,
                  o.unspent_minor as "unspent_minor?", o.currency as "currency?", o.period_no as "period_no?",
                  o.unassigned as "unassigned?"
           from unnest((select $1::bigint[])) as due (id)
           join entitlement e on e.entitlement_id = due.id
           join membership m on m.membership_id = e.membership_id
           left join lateral (select o.unspent_minor, o.currency, o.period_no, o.unassigned from open_credit o
                              where o.entitlement_id = e.entitlement_id
                                and (e.benefit like 'azure_bulk_credit%' or e.missing_until is not null) limit 1) o
             on true
           order by e.entitlement_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    let endings = rows.into_iter().map(|r| {
        let near = Near {
            entitlement_id: r.entitlement_id.into(),
            partner_id: r.partner_id.into(),
            order_id: r.order_id.into(),
            name: r.benefit,
            on: r.last_usable_on,
        };
        let unspent = r.unspent_minor.zip(r.currency).and_then(|(minor, code)| amount(minor, &code));
        let credit = unspent.map(|unspent| OpenCredit {
            entitlement_id: near.entitlement_id,
            partner_id: near.partner_id,
            order_id: near.order_id.clone(),
            benefit: near.name.clone(),
            unspent,
            period_no: r.period_no.unwrap_or_default(),
            last_usable_on: near.on,
            unassigned: r.unassigned.unwrap_or_default(),
            ends: r.early,
        });
        NearEnd { near, early: r.early, bulk: r.bulk, credit, missing_as_of: r.missing_as_of }
    });
    Ok(endings.collect())
}

struct OpenRow {
    entitlement_id: EntitlementNo,
    partner_id: PartnerNo,
    order_id: OrderId,
    benefit: String,
    unspent_minor: i64,
    currency: String,
    period_no: i32,
    last_usable_on: NaiveDate,
    unassigned: bool,
    ends: bool,
}

impl OpenRow {
    fn open(self) -> Option<OpenCredit> {
        Some(OpenCredit {
            unspent: amount(self.unspent_minor, &self.currency)?,
            entitlement_id: self.entitlement_id,
            partner_id: self.partner_id,
            order_id: self.order_id,
            benefit: self.benefit,
            period_no: self.period_no,
            last_usable_on: self.last_usable_on,
            unassigned: self.unassigned,
            ends: self.ends,
        })
    }
}

/// What can be spent of these credits.
pub async fn open_credits(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<Vec<OpenCredit>> {
    let rows = sqlx::query_as!(
        OpenRow,
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, o.unspent_minor as "unspent_minor!",
                  o.currency as "currency!", o.period_no as "period_no!", o.last_usable_on as "last_usable_on!",
                  o.unassigned as "unassigned!",
                  (o.last_usable_on = least(e.last_usable_on, e.missing_until)
                       and least(e.last_usable_on, e.missing_until) < m.anniversary_on - 1) as "ends!"
           from unnest((select $1::bigint[])) as due (id)
           join entitlement e on e.entitlement_id = due.id
           join membership m on m.membership_id = e.membership_id
           cross join lateral (select * from open_credit o where o.entitlement_id = e.entitlement_id limit 1) o
           order by e.entitlement_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(OpenRow::open).collect())
}

/// Open credits of a span of partners to which nobody was assigned yet and which close for it within days (D11); the
/// last usable day is that on which somebody can be assigned at the latest.
pub async fn closing_credits(conn: &mut PgConnection, span: Span, days: &Days) -> Result<Vec<OpenCredit>> {
    if days.activate_by_days == 0 {
        return Ok(vec![]);
    }
    let rows = sqlx::query_as!(
        OpenRow,
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, o.unspent_minor as "unspent_minor!",
                  o.currency as "currency!", o.period_no as "period_no!",
                  (greatest(e.starts_on, e.known_on) + $3::int) as "last_usable_on!",
                  true as "unassigned!", true as "ends!"
           from entitlement e
           join membership m on m.membership_id = e.membership_id
           cross join lateral (select * from open_credit o where o.entitlement_id = e.entitlement_id limit 1) o
           where e.partner_id >= $1 and e.partner_id < $2 and e.ended_on is null and e.benefit like 'azure%'
             and greatest(e.starts_on, e.known_on) + $3 between $4 and $5
             and greatest(e.starts_on, e.known_on) + $3 < e.last_usable_on
             and not exists (select from assignment a where a.entitlement_id = e.entitlement_id)
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        days.activate_by_days,
        days.closing.0,
        days.closing.1
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(OpenRow::open).collect())
}

/// Up to which step something was told, and when the next one is due.
#[derive(Clone, Copy, Debug)]
pub struct ReminderMark<No> {
    /// The membership or entitlement.
    pub subject: No,
    /// The date that comes near.
    pub of: NaiveDate,
    /// When the next word is due; `None`: none is.
    pub next_on: Option<NaiveDate>,
}

fn columns<No: Copy>(marks: &[ReminderMark<No>]) -> (Vec<No>, Vec<NaiveDate>, Vec<Option<NaiveDate>>) {
    marks.iter().map(|mark| (mark.subject, mark.of, mark.next_on)).collect()
}

/// Notes up to which step memberships were told.
pub async fn mark_memberships(conn: &mut PgConnection, marks: &[ReminderMark<OrderNo>]) -> Result<()> {
    let (ids, of, next) = columns(marks);
    sqlx::query!(
        "update membership m set remind_of = n.of_on, remind_on = n.next_on
         from unnest((select $1::bigint[]), (select $2::date[]), (select $3::date[])) as n (id, of_on, next_on)
         where m.membership_id = n.id",
        &ids as &[OrderNo],
        &of,
        next as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes up to which step the ends of benefits were told.
pub async fn mark_entitlements(conn: &mut PgConnection, marks: &[ReminderMark<EntitlementNo>]) -> Result<()> {
    let (ids, of, next) = columns(marks);
    sqlx::query!(
        "update entitlement e set remind_of = n.of_on, remind_on = n.next_on
         from unnest((select $1::bigint[]), (select $2::date[]), (select $3::date[])) as n (id, of_on, next_on)
         where e.entitlement_id = n.id",
        &ids as &[EntitlementNo],
        &of,
        next as _
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the ends of these credits' open periods were told.
pub async fn mark_credits(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<()> {
    sqlx::query!(
        "update credit_schedule s set reminded_of = s.next_on
         from unnest((select $1::bigint[])) as n (id) where s.entitlement_id = n.id",
        ids as &[EntitlementNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Offers of a span of partners that were activated by `today` and are not live, with what there is to tell of them.
pub async fn activated_offers(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
) -> Result<Vec<(Near, PendingOffer)>> {
    let rows = sqlx::query!(
        r#"select a.entitlement_id, a.partner_id, m.order_id, e.benefit, a.activated_on, a.live_on as "live_on!",
                  e.last_usable_on, e.ended_on, greatest(e.known_on, f.received_on) as "known_on!"
           from activation a
           join entitlement e using (entitlement_id)
           join membership m using (membership_id)
           join request r using (request_no)
           join file f using (file_id)
           where a.partner_id >= $1 and a.partner_id < $2 and not a.live and a.live_on is not null
             and a.activated_on <= $3
           order by a.entitlement_id for no key update of a"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?;
    let offers = rows.into_iter().map(|r| {
        let near = Near {
            entitlement_id: r.entitlement_id.into(),
            partner_id: r.partner_id.into(),
            order_id: r.order_id.into(),
            name: r.benefit,
            on: r.last_usable_on,
        };
        let offer = PendingOffer {
            activated_on: r.activated_on,
            live_on: r.live_on,
            last_usable_on: r.last_usable_on,
            ended_on: r.ended_on,
            known_on: r.known_on,
        };
        (near, offer)
    });
    Ok(offers.collect())
}

/// These offers are live from now on.
pub async fn mark_live(conn: &mut PgConnection, entitlement_ids: &[EntitlementNo]) -> Result<()> {
    sqlx::query!(
        "update activation set live = true where entitlement_id = any($1)",
        entitlement_ids as &[EntitlementNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An offer that cannot be activated for want of a contact.
#[derive(Clone, Debug)]
pub struct OfferWithoutContact {
    /// What waits; `on` is its last usable day.
    pub offer: Near,
    /// The later of its start and its file's arrival.
    pub since: NaiveDate,
}

/// Offers of a span of partners that run on `today`, are not activated, and whose partner has no marketing contact and
/// was not told so of this offer.
pub async fn waiting_offers(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
) -> Result<Vec<OfferWithoutContact>> {
    let rows = sqlx::query!(
        r#"select e.entitlement_id, e.partner_id, m.order_id, e.benefit, e.last_usable_on,
                  greatest(e.starts_on, e.known_on) as "since!"
           from entitlement e join membership m using (membership_id)
           where e.partner_id >= $1 and e.partner_id < $2 and e.benefit like 'go_to_market%' and e.ended_on is null
             and e.last_usable_on >= $3 and greatest(e.starts_on, e.known_on) <= $3
             and not exists (select from contact c where c.partner_id = e.partner_id)
             and not exists (select from activation a where a.entitlement_id = e.entitlement_id)
             and not exists (select from notice n where n.subject_kind = 'entitlement'
                             and n.subject_id = e.entitlement_id and n.kind = 'contact_needed')
           order by e.entitlement_id"#,
        span.from.1,
        span.until.1,
        today
    )
    .fetch_all(conn)
    .await?;
    let waiting = rows.into_iter().map(|r| OfferWithoutContact {
        offer: Near {
            entitlement_id: r.entitlement_id.into(),
            partner_id: r.partner_id.into(),
            order_id: r.order_id.into(),
            name: r.benefit,
            on: r.last_usable_on,
        },
        since: r.since,
    });
    Ok(waiting.collect())
}
