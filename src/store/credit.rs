//! Credit: who is due, on what terms, and where it stands afterwards.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use sqlx::{PgConnection, types::Json};

use super::{Error, Result, holding, own_currency, run::Span};
use crate::domain::{
    benefit::BenefitKind,
    calendar::{Period, PeriodScheme},
    core_difference::Beside,
    credit::{CreditEnd, Schedule, Shape, Terms},
    id::{EntitlementNo, OrderId, PartnerNo},
    money::{Amount, Currency},
    reason::Reason,
};

/// The policy numbers that terms are made with (D2–D4).
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How time is cut into periods.
    pub scheme: PeriodScheme,
    /// Grants in a membership year at most.
    pub periods_in_a_year: u32,
    /// How much older than a period's start its rate may be, in days.
    pub max_rate_age_days: u32,
}

/// An entitlement with its terms and where it stands.
#[derive(Clone, Debug)]
pub struct Credit {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// Its partner.
    pub partner_id: PartnerNo,
    /// The business date it became known: nothing that was over before is mailed (D10).
    pub known_on: NaiveDate,
    /// What decides its credit.
    pub terms: Terms,
    /// From which day on its partner has accounted in which currency, if it ever changed (D4).
    pub changes: Vec<(NaiveDate, Currency)>,
    /// Where it stands; `None`: nothing is to come.
    pub schedule: Option<Schedule>,
}

/// What a span is due.
#[derive(Debug, Default)]
pub struct DueCredit {
    /// Credits, in the order of their numbers.
    pub credits: Vec<Credit>,
    /// Hours and incidents to be granted, by entitlement.
    pub units: Vec<EntitlementNo>,
}

struct CreditRecord {
    entitlement_id: EntitlementNo,
    partner_id: PartnerNo,
    known_on: NaiveDate,
    quantity: Option<i32>,
    starts_on: NaiveDate,
    expires_on: NaiveDate,
    last_usable_on: NaiveDate,
    amount_minor: Option<i64>,
    currency: Option<String>,
    ended_on: Option<NaiveDate>,
    refunded: bool,
    anniversary_on: NaiveDate,
    local: String,
    next_period_no: Option<i16>,
    next_on: Option<NaiveDate>,
    open_minor: Option<i64>,
    open_currency: Option<String>,
    waits: Option<Json<Reason>>,
    scheme: Option<String>,
    benefit: String,
    gold: bool,
    held_back: Option<Json<Reason>>,
}

impl CreditRecord {
    fn credit(self, policy: &Policy, beside: &Besides) -> Result<Credit> {
        let unknown =
            |what: &str| Error::Unknown { what: format!("{what} of entitlement {}", self.entitlement_id) };
        let currency = |code: &str| Currency::stored(code).ok_or_else(|| unknown("a currency"));
        let unit = self.amount_minor.ok_or_else(|| unknown("no amount"))?;
        let units = self.quantity.map(i64::from).ok_or_else(|| unknown("no quantity"))?;
        let minor = unit.checked_mul(units).ok_or_else(|| unknown("an amount out of range"))?;
        // A change of policy concerns what nothing was granted of (D2).
        let frozen = self.scheme.as_deref().and_then(PeriodScheme::parse);
        let scheme = frozen.unwrap_or(policy.scheme);
        let terms = Terms {
            shape: if self.is(BenefitKind::AzureBulkCredit) { Shape::Bulk } else { Shape::Monthly(scheme) },
            starts_on: self.starts_on,
            expires_on: self.expires_on,
            last_usable_on: self.last_usable_on,
            anniversary_on: self.anniversary_on,
            ended: self.ended_on.map(|on| CreditEnd { on, refunded: self.refunded }),
            per_period: Amount::new(minor, currency(self.currency.as_deref().unwrap_or_default())?),
            beside: self.beside(beside),
            local: currency(&self.local)?,
            periods_in_a_year: policy.periods_in_a_year,
            max_rate_age_days: policy.max_rate_age_days,
        };
        let monthly = self.is(BenefitKind::AzureMonthlyCredit);
        let next = |stored: i16| {
            let next = u32::try_from(stored).unwrap_or(0);
            // Nothing was granted of it, so it begins with the period of its arrival, as it is cut now.
            if monthly && frozen.is_none() && next > 0 {
                terms.period_of(self.known_on).unwrap_or(0)
            } else {
                next
            }
        };
        let schedule = self.next_period_no.map(|stored| Schedule {
            next_period: next(stored),
            scheme: frozen,
            held: self.held_back.map(|Json(reason)| reason),
            next_on: self.next_on,
            open_minor: self.open_minor.unwrap_or(0),
            currency: self.open_currency.as_deref().and_then(Currency::stored),
            waits: self.waits.map(|Json(reason)| reason),
        });
        Ok(Credit {
            entitlement_id: self.entitlement_id,
            partner_id: self.partner_id,
            known_on: self.known_on,
            terms,
            changes: Vec::new(),
            schedule,
        })
    }
}

/// Silver's core benefits by partner and benefit.
type Besides = HashMap<(PartnerNo, String), Vec<Beside>>;

impl CreditRecord {
    fn is(&self, kind: BenefitKind) -> bool {
        self.benefit.split('/').next() == Some(kind.name())
    }

    fn is_gold_credit(&self) -> bool {
        self.gold && (self.is(BenefitKind::AzureMonthlyCredit) || self.is(BenefitKind::AzureBulkCredit))
    }

    fn beside(&self, besides: &Besides) -> Vec<Beside> {
        let of = (self.partner_id, self.benefit.clone());
        besides.get(&of).filter(|_| self.is_gold_credit()).cloned().unwrap_or_default()
    }
}

/// What silver brings beside the core credit of gold among these rows (D12). A span without gold asks nothing.
async fn besides(conn: &mut PgConnection, rows: &[CreditRecord]) -> Result<Besides> {
    let partners: BTreeSet<PartnerNo> =
        rows.iter().filter(|row| row.is_gold_credit()).map(|row| row.partner_id).collect();
    holding::silver(conn, &partners.into_iter().collect::<Vec<_>>()).await
}

/// Cuts what is due by `today` into spans of about `rows` entitlements; the date of their keys is `today`. Found in the
/// order of dates, so that a night on which nothing is due reads nothing.
pub async fn due_spans(conn: &mut PgConnection, today: NaiveDate, rows: i64) -> Result<Vec<Span>> {
    let starts = sqlx::query_scalar!(
        r#"select entitlement_id as "id!"
           from (select entitlement_id, row_number() over (order by entitlement_id) as nth
                 from (select entitlement_id from due_credits($1) order by next_on, entitlement_id) due) numbered
           where (nth - 1) % $2 = 0 order by 1"#,
        today,
        rows
    )
    .fetch_all(conn)
    .await?;
    Ok(spans(starts.into_iter().map(|id| (today, id)).collect(), (today, i64::MAX)))
}

/// Turns the starts of spans into spans, the last one ending before `after`.
pub(super) fn spans(starts: Vec<super::run::SpanKey>, after: super::run::SpanKey) -> Vec<Span> {
    let ends = starts.iter().skip(1).copied().chain([after]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(from, until)| Span { from, until }).collect()
}

/// What a span is due by `today`.
///
/// Where most of the span is due, it is stated for both tables, so that they are read side by side; where few are,
/// each is looked up. The planner cannot tell the two apart.
pub async fn due(
    conn: &mut PgConnection,
    span: Span,
    today: NaiveDate,
    policy: &Policy,
) -> Result<DueCredit> {
    let ids = sqlx::query_scalar!(
        r#"select entitlement_id as "id!: EntitlementNo" from due_credits($1)
           where entitlement_id >= $2 and entitlement_id < $3 order by entitlement_id"#,
        today,
        span.from.1,
        span.until.1
    )
    .fetch_all(&mut *conn)
    .await?;
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(DueCredit::default()) };
    let few = i64::try_from(ids.len()).unwrap_or(i64::MAX) < (last.get() - first.get()) / 4;
    let rows =
        if few { looked_up(conn, &ids).await? } else { side_by_side(conn, *first, *last, today).await? };
    let beside = besides(conn, &rows).await?;
    let mut due = DueCredit::default();
    for row in rows {
        if row.is(BenefitKind::AzureBulkCredit) || row.is(BenefitKind::AzureMonthlyCredit) {
            due.credits.push(row.credit(policy, &beside)?);
        } else {
            due.units.push(row.entitlement_id);
        }
    }
    put_changes(conn, &mut due.credits).await?;
    Ok(due)
}

/// Gives credits the changes of their partners' currencies.
async fn put_changes(conn: &mut PgConnection, credits: &mut [Credit]) -> Result<()> {
    let partners: Vec<PartnerNo> =
        credits.iter().map(|c| c.partner_id).collect::<BTreeSet<_>>().into_iter().collect();
    let changes = own_currency::changes(conn, &partners).await?;
    for credit in credits.iter_mut().filter(|_| !changes.is_empty()) {
        credit.changes = changes.get(&credit.partner_id).cloned().unwrap_or_default();
    }
    Ok(())
}

async fn side_by_side(
    conn: &mut PgConnection,
    first: EntitlementNo,
    last: EntitlementNo,
    today: NaiveDate,
) -> Result<Vec<CreditRecord>> {
    Ok(sqlx::query_as!(
        CreditRecord,
        r#"select e.entitlement_id, e.partner_id, e.known_on,
                  e.quantity, e.starts_on, e.expires_on, e.last_usable_on, e.amount_minor, e.currency, e.ended_on,
                  coalesce(e.ended_as = 'cancelled', false) as "refunded!", m.anniversary_on, p.currency as local,
                  s.next_period_no as "next_period_no?", s.next_on, s.open_minor as "open_minor?",
                  s.currency as open_currency,
                  s.waits as "waits: Json<Reason>", s.period_scheme as "scheme?", e.benefit,
                  (m.offer is not distinct from 'gold' and e.benefit_type = 'core') as "gold!",
                  s.held_back as "held_back: Json<Reason>"
           from due_credits($1) s
           join entitlement e on e.entitlement_id = s.entitlement_id
           join membership m on m.membership_id = e.membership_id
           join partner p on p.partner_id = e.partner_id
           where s.entitlement_id between $2 and $3 and e.entitlement_id between $2 and $3
           order by s.entitlement_id"#,
        today,
        first.get(),
        last.get()
    )
    .fetch_all(conn)
    .await?)
}

/// The subselect hides how many numbers there are, for which the planner would read whole tables.
async fn looked_up(conn: &mut PgConnection, ids: &[EntitlementNo]) -> Result<Vec<CreditRecord>> {
    Ok(sqlx::query_as!(
        CreditRecord,
        r#"select s.entitlement_id, s.partner_id, e.known_on,
                  e.quantity, e.starts_on, e.expires_on, e.last_usable_on, e.amount_minor, e.currency, e.ended_on,
                  coalesce(e.ended_as = 'cancelled', false) as "refunded!", m.anniversary_on, p.currency as local,
                  s.next_period_no as "next_period_no?", s.next_on, s.open_minor as "open_minor?",
                  s.currency as open_currency,
                  s.waits as "waits: Json<Reason>", s.period_scheme as "scheme?", e.benefit,
                  (m.offer is not distinct from 'gold' and e.benefit_type = 'core') as "gold!",
                  s.held_back as "held_back: Json<Reason>"
           from unnest((select $1::bigint[])) as due (id)
           join credit_schedule s on s.entitlement_id = due.id
           join entitlement e on e.entitlement_id = due.id
           join membership m on m.membership_id = e.membership_id
           join partner p on p.partner_id = e.partner_id
           order by s.entitlement_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(conn)
    .await?)
}

/// The credits among these entitlements.
pub async fn of_entitlements(
    conn: &mut PgConnection,
    ids: &[EntitlementNo],
    policy: &Policy,
) -> Result<Vec<Credit>> {
    let rows = sqlx::query_as!(
        CreditRecord,
        r#"select e.entitlement_id, e.partner_id, e.known_on,
                  e.quantity, e.starts_on, e.expires_on, e.last_usable_on, e.amount_minor, e.currency, e.ended_on,
                  coalesce(e.ended_as = 'cancelled', false) as "refunded!", m.anniversary_on, p.currency as local,
                  s.next_period_no as "next_period_no?", s.next_on as "next_on?", s.open_minor as "open_minor?",
                  s.currency as open_currency,
                  s.waits as "waits: Json<Reason>", s.period_scheme as "scheme?", e.benefit,
                  (m.offer is not distinct from 'gold' and e.benefit_type = 'core') as "gold!",
                  s.held_back as "held_back: Json<Reason>"
           from entitlement e
           join membership m on m.membership_id = e.membership_id
           join partner p on p.partner_id = e.partner_id
           left join credit_schedule s on s.entitlement_id = e.entitlement_id
           where e.entitlement_id = any($1)
             and (e.benefit like 'azure_monthly_credit%' or e.benefit like 'azure_bulk_credit%')
           order by e.entitlement_id"#,
        ids as &[EntitlementNo]
    )
    .fetch_all(&mut *conn)
    .await?;
    let beside = besides(conn, &rows).await?;
    let credits = rows.into_iter().map(|row| row.credit(policy, &beside));
    let mut credits = credits.collect::<Result<Vec<_>>>()?;
    put_changes(conn, &mut credits).await?;
    Ok(credits)
}

/// Writes where entitlements stand; those with nothing to come leave the schedule.
pub async fn put_schedules(
    conn: &mut PgConnection,
    stands: &[(EntitlementNo, Option<Schedule>)],
) -> Result<()> {
    let gone: Vec<EntitlementNo> = stands.iter().filter(|(_, s)| s.is_none()).map(|(id, _)| *id).collect();
    if !gone.is_empty() {
        sqlx::query!("delete from credit_schedule where entitlement_id = any($1)", &gone as &[EntitlementNo])
            .execute(&mut *conn)
            .await?;
    }
    let (mut ids, mut next_no, mut next_on, mut open) = (vec![], vec![], vec![], vec![]);
    let (mut waits, mut schemes, mut currencies, mut held) = (vec![], vec![], vec![], vec![]);
    for (id, schedule) in stands {
        let Some(schedule) = schedule else { continue };
        ids.push(*id);
        next_no.push(i16::try_from(schedule.next_period).unwrap_or(i16::MAX));
        next_on.push(schedule.next_on);
        open.push(schedule.open_minor);
        waits.push(schedule.waits.clone().map(Json));
        held.push(schedule.held.clone().map(Json));
        schemes.push(schedule.scheme.map(|scheme| scheme.name().to_owned()));
        currencies.push(schedule.currency.map(String::from));
    }
    if ids.is_empty() {
        return Ok(());
    }
    // A planner that sees how many there are would rather read the whole table once a chunk: it is shown expressions.
    sqlx::query!(
        "update credit_schedule s set next_period_no = n.no, next_on = n.next_on, open_minor = n.open, waits = n.waits,
             period_scheme = n.scheme, currency = n.currency, held_back = n.held
         from unnest((select $1::bigint[]), (select $2::smallint[]), (select $3::date[]), (select $4::bigint[]),
                     (select $5::jsonb[]), (select $6::text[]), (select $7::text[]), (select $8::jsonb[]))
              as n (id, no, next_on, open, waits, scheme, currency, held)
         where s.entitlement_id = n.id",
        &ids as &[EntitlementNo],
        &next_no,
        next_on as _,
        &open,
        waits as _,
        schemes as _,
        currencies as _,
        held as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts entitlements into the schedule that had left it; where they stand follows with [`put_schedules`].
pub async fn open_schedules(conn: &mut PgConnection, opened: &[(EntitlementNo, PartnerNo)]) -> Result<()> {
    if opened.is_empty() {
        return Ok(());
    }
    let (ids, partners): (Vec<EntitlementNo>, Vec<PartnerNo>) = opened.iter().copied().unzip();
    sqlx::query!(
        "insert into credit_schedule (entitlement_id, partner_id, next_period_no)
         select id, partner_id, 0 from unnest($1::bigint[], $2::bigint[]) as opened (id, partner_id)
         on conflict (entitlement_id) do nothing",
        &ids as &[EntitlementNo],
        &partners as &[PartnerNo]
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A span of days in which somebody was, or was not, assigned.
#[derive(Clone, Copy, Debug)]
pub struct Lapse {
    /// The entitlement.
    pub entitlement_id: EntitlementNo,
    /// The period that is over.
    pub period: Period,
}

/// A credit that lapsed without anybody assigned to it on any day of its period.
#[derive(Clone, Debug)]
pub struct LapsedUnassigned {
    /// The index of its lapse.
    pub at: usize,
    /// The order.
    pub order_id: OrderId,
    /// The benefit code.
    pub benefit: String,
    /// The first day on which it could be used: not while an agreement excluded it (D14).
    pub usable_from: NaiveDate,
    /// Its benefit has ended.
    pub over: bool,
}

/// Of these lapses the ones in whose period nobody was assigned on any day (D3).
pub async fn unassigned(conn: &mut PgConnection, lapses: &[Lapse]) -> Result<Vec<LapsedUnassigned>> {
    if lapses.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<EntitlementNo> = lapses.iter().map(|l| l.entitlement_id).collect();
    let from: Vec<NaiveDate> = lapses.iter().map(|l| l.period.from).collect();
    let until: Vec<NaiveDate> = lapses.iter().map(|l| l.period.until).collect();
    let rows = sqlx::query!(
        r#"select l.nth - 1 as "nth!", m.order_id, e.benefit, e.ended_on is not null as "over!",
                  greatest(l.from_on, (select max(g.effective_on) from transfer g
                                       where g.entitlement_id = l.id and g.period_from = l.from_on
                                         and g.kind = 'credit_granted' and g.from_account = 'programme'))
                      as "usable_from!"
           from unnest($1::bigint[], $2::date[], $3::date[]) with ordinality as l (id, from_on, until_on, nth)
           join entitlement e on e.entitlement_id = l.id
           join membership m on m.membership_id = e.membership_id
           where not exists (select from assignment a
                             where a.entitlement_id = l.id and a.assigned_on < l.until_on
                               and (a.removed_on is null or a.removed_on > l.from_on or a.assigned_on >= l.from_on))
           order by l.nth"#,
        &ids as &[EntitlementNo],
        &from,
        &until
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter().map(|r| LapsedUnassigned {
        at: usize::try_from(r.nth).unwrap_or(0),
        order_id: r.order_id.into(),
        benefit: r.benefit,
        usable_from: r.usable_from,
        over: r.over,
    });
    Ok(rows.collect())
}
