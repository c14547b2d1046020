//! What is due is written once: the plan of a night's work, the work itself, and what `jobs show` lists of it come to the
//! same, whatever state a row is in.

use std::collections::BTreeSet;

use benefactor::{
    domain::id::EntitlementNo,
    store::{
        credit::{self, Policy},
        order,
        run::Span,
        settlement,
        work::{self, DueTerms, Rows},
    },
};
use chrono::NaiveDate;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::house::House;

const TODAY: &str = "2024-06-15";

/// Orders in every status around every date that decides, and one order for each state of a credit: over or not, ended or
/// not, assigned to in time, late, or never; with usage, with a period that is due, with a year that moved.
const EVERY_STATE: &str = "
insert into file (sha256, name, kind, dialect, header, received_on, status)
values (repeat('0', 64), 'states.csv', 'entitlements', 'canonical', '{}', '2024-01-01', 'done');
insert into partner (number, name, account_email, country, currency, file_id)
values ('4711', 'Harbor & Pine', 'accounts@harborpine.example', 'US', 'USD', 1);
insert into directory_user (partner_id, object_id, user_principal_name, file_id) values (1, 'o-1', 'ada@harborpine.example', 1);

insert into membership (partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status, ended_on)
select 1, 'M-' || status || days, 'action_pack', '2023-01-01',
       case when status = 'pending' then today + days else today + days - 365 end,
       case when status = 'pending' then today + days + 365 else today + days end,
       status, case when status in ('renewed', 'expired', 'cancelled') then today + days - 1 end
from unnest(array['pending', 'active', 'in_grace', 'renewed', 'expired', 'cancelled']) as status,
     unnest(array[-60, -32, -31, -30, -29, -1, 0, 1, 60]) as days, (select date '2024-06-15' as today) t;

create temp table state as
select row_number() over () as nth, *
from unnest(array['azure_monthly_credit', 'azure_bulk_credit', 'visual_studio']) as benefit,
     unnest(array[-40, -21, -20, -19, 0]) as started, unnest(array[0, 15]) as known_after,
     unnest(array[-1, 0, 30]) as ends, unnest(array[false, true]) as ended,
     unnest(array[null, 0, 20, 21]) as assigned_after
where started + known_after <= 0 and started <= ends;
insert into membership (partner_id, order_id, offer, purchased_on, starts_on, anniversary_on, status)
select 1, 'E-' || nth, 'action_pack', '2023-01-01', date '2024-06-15' - 100, date '2024-06-15' + 265, 'active' from state;
insert into entitlement (partner_id, membership_id, benefit, benefit_type, quantity, starts_on, expires_on, last_usable_on,
                         amount_minor, currency, known_on, ended_on, ended_as)
select 1, m.membership_id, s.benefit, 'core', 1, today + started, today + ends, today + ends, 10000, 'USD',
       today + started + known_after, case when ended then today + ends end, case when ended then 'expired' end
from state s join membership m on m.order_id = 'E-' || s.nth, (select date '2024-06-15' as today) t;
insert into assignment (partner_id, entitlement_id, user_id, assigned_on)
select 1, e.entitlement_id, 1, greatest(e.starts_on, e.known_on) + s.assigned_after
from state s join membership m on m.order_id = 'E-' || s.nth join entitlement e using (membership_id)
where s.assigned_after is not null;
insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on)
select entitlement_id, 1, 1, case entitlement_id % 4 when 0 then null else date '2024-06-15' + (entitlement_id % 4)::int - 2 end
from entitlement where benefit like 'azure%';
insert into credit_usage (partner_id, entitlement_id, reference, used_on, amount_minor, currency, file_id, line, settled)
select 1, entitlement_id, 'u-' || entitlement_id, date '2024-06-15' + (entitlement_id % 3)::int - 1, 100, 'USD', 1, 2,
       entitlement_id % 2 = 0
from entitlement where benefit like 'azure%';
insert into credit_unsettled (entitlement_id, partner_id, rule)
select entitlement_id, 1, 'D16' from entitlement where benefit like 'azure%' and entitlement_id % 7 = 0;
-- Some have a request that is due and not decided, or one that is not due yet or is decided.
insert into request (partner_id, kind, request_key, content, membership_id, requested_by, requested_on, file_id, line, status)
select 1, kind, kind || membership_id, '{}', membership_id, 'ada', date '2024-06-15' + (membership_id % 2)::int, 1, 2,
       case when membership_id % 3 = 0 then 'accepted' else 'pending' end
from membership, unnest(array['cancel', 'renew']) as kind
where membership_id % 8 = case kind when 'cancel' then 0 else 1 end or membership_id % 8 = 2;
insert into mail (partner_id, message_id, recipient, language, run_id, day, status)
select 1, status || '@benefactor.example', status || '@harborpine.example', 'en', 0, date '2024-06-15', status
from unnest(array['queued', 'claimed', 'unknown', 'sent', 'failed']) as status;
";

fn all(today: NaiveDate) -> Span {
    Span { from: (today, 0), until: (today, i64::MAX) }
}

/// Where the spans of a plan begin; one row each, so that they are the rows.
fn starts(spans: &[Span]) -> BTreeSet<i64> {
    spans.iter().map(|span| span.from.1).collect()
}

/// What `jobs show` lists, by the names that people know, as numbers of the store.
async fn listed(
    conn: &mut PgConnection,
    house: &House,
    rows: Rows,
    terms: DueTerms,
    id_of: &str,
) -> BTreeSet<i64> {
    let (due, total) = work::due(conn, rows, all(terms.today), terms, 10_000).await.unwrap();
    assert_eq!(i64::try_from(due.len()).unwrap(), total);
    let mut ids = BTreeSet::new();
    for row in due {
        let subject = row.subject.unwrap();
        ids.insert(house.one::<i64>(&id_of.replace("NAME", &subject)).await);
    }
    assert_eq!(i64::try_from(ids.len()).unwrap(), total, "each once");
    ids
}

const OF_ORDER: &str = "select membership_id from membership where order_id = 'NAME'";
const OF_BENEFIT: &str = "select entitlement_id from entitlement join membership using (membership_id)
                          where order_id || '/' || benefit = 'NAME'";

#[tokio::test]
async fn what_is_planned_what_is_worked_on_and_what_is_listed_are_the_same_rows_in_every_state() {
    let house = House::open().await;
    sqlx::raw_sql(AssertSqlSafe(EVERY_STATE)).execute(&house.owner).await.unwrap();
    let mut conn = house.pool.acquire().await.unwrap();
    let today: NaiveDate = TODAY.parse().unwrap();
    let span = all(today);

    // D5, D6, D11: with the policy on unassigned credits and without it.
    let mut with_and_without = Vec::new();
    // D5, D7: an order that is still to be decided is left alone, and its benefits.
    let undecided: BTreeSet<i64> =
        sqlx::query_scalar("select membership_id from undecided_orders('2024-06-15')")
            .fetch_all(&house.owner)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let benefits: BTreeSet<i64> =
        sqlx::query_scalar("select entitlement_id from undecided_entitlements('2024-06-15')")
            .fetch_all(&house.owner)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let asked = "select count(distinct membership_id) from request where status = 'pending' and requested_on = '2024-06-15'";
    assert_eq!(i64::try_from(undecided.len()).unwrap(), house.one::<i64>(asked).await);
    assert!(!undecided.is_empty() && benefits.len() > 10);
    for activate_by_days in [20, 0] {
        let terms = DueTerms { today, grace_days: 30, activate_by_days };
        let planned = starts(&order::ending_spans(&mut conn, today, 30, activate_by_days, 1).await.unwrap());
        let changing = order::changing(&mut conn, span, today, 30).await.unwrap();
        let mut worked: BTreeSet<i64> = changing.iter().map(|one| one.membership_id.get()).collect();
        let over = order::over(&mut conn, span, today).await.unwrap();
        let unassigned = order::unassigned(&mut conn, span, today, activate_by_days).await.unwrap();
        assert!(!changing.is_empty() && !over.is_empty());
        assert_eq!(unassigned.is_empty(), activate_by_days == 0);
        for order_id in over.iter().map(|one| &one.order_id).chain(unassigned.iter().map(|one| &one.order_id))
        {
            worked.insert(house.one::<i64>(&OF_ORDER.replace("NAME", order_id.as_str())).await);
        }
        assert!(planned.is_disjoint(&undecided));
        assert_eq!(planned, worked, "within {activate_by_days} days");
        assert_eq!(planned, listed(&mut conn, &house, Rows::Memberships, terms, OF_ORDER).await);
        with_and_without.push(planned.len());
    }
    assert!(with_and_without[0] > with_and_without[1], "{with_and_without:?}");

    // D2, D3.
    let terms = DueTerms { today, grace_days: 30, activate_by_days: 0 };
    let planned = starts(&credit::due_spans(&mut conn, today, 1).await.unwrap());
    let policy = Policy {
        scheme: benefactor::domain::calendar::PeriodScheme::Anniversary,
        periods_in_a_year: 12,
        max_rate_age_days: 7,
    };
    let worked = credit::due(&mut conn, span, today, &policy).await.unwrap();
    assert_eq!(planned, worked.credits.iter().map(|one| one.entitlement_id.get()).collect());
    assert_eq!(planned, listed(&mut conn, &house, Rows::Credits, terms, OF_BENEFIT).await);
    assert!(!planned.is_empty() && planned.is_disjoint(&benefits));

    // D15, D16: what a year that moved leaves to be settled is due without any usage.
    let planned = starts(&settlement::usage_spans(&mut conn, today, 1).await.unwrap());
    let worked = settlement::with_usage(&mut conn, span, today).await.unwrap();
    assert_eq!(planned, worked.into_iter().map(EntitlementNo::get).collect());
    assert_eq!(planned, listed(&mut conn, &house, Rows::Usage, terms, OF_BENEFIT).await);
    assert!(planned.is_disjoint(&benefits));
    let drawn: i64 =
        house.one("select count(distinct entitlement_id) from credit_usage where not settled and used_on <= '2024-06-15'").await;
    assert!(i64::try_from(planned.len()).unwrap() > drawn);

    let planned = starts(&benefactor::store::mail::mail_spans(&mut conn, today, 1).await.unwrap());
    let of_mail = "select mail_id from mail where message_id = 'NAME'";
    assert_eq!(planned, listed(&mut conn, &house, Rows::Mails, terms, of_mail).await);
    assert_eq!(planned.len(), 3);
}
