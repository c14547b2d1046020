//! What the ledger says, as one number to compare two stores by.

use std::fmt::Write as _;

use chrono::NaiveDate;
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::Result;

/// SHA-256 over the business content of the ledger with effect by `on`, in canonical order: outside identifiers, kinds,
/// periods, dates, amounts, rates, and the references of usage and of requests that drew; corrections netted into what
/// they correct, which has the dates of the last that booked it; hours and incidents end with their benefit; neither when
/// something was recorded nor any number of the store. Memory does not grow with the ledger.
pub async fn digest(conn: &mut PgConnection, on: Option<NaiveDate>) -> Result<String> {
    let mut lines = sqlx::query_scalar!(
        r#"select concat_ws('|', p.number, m.order_id, e.benefit, t.kind, t.period_from,
                  case when t.currency is null then greatest(e.last_usable_on + 1, t.period_from + 1)
                       else coalesce(c.period_until, t.period_until) end,
                  coalesce(c.effective_on, t.effective_on),
                  t.amount_minor + coalesce(c.minor, 0), coalesce(t.currency, '-'),
                  coalesce(coalesce(c.usd_minor, t.usd_minor)::text, '-'),
                  coalesce(t.rate_nano::text, '-'), coalesce(t.rate_on::text, '-'),
                  coalesce(u.reference, r.request_key, '-')) as "line!"
           from transfer t
           join entitlement e using (entitlement_id)
           join membership m using (membership_id)
           join partner p on p.partner_id = t.partner_id
           left join credit_usage u on u.usage_id = t.usage_id
           left join request r on r.request_no = t.request_no
           left join (select c.corrects, sum(case when c.from_account = o.from_account then c.amount_minor
                                                  else -c.amount_minor end)::bigint as minor,
                             (array_agg(c.period_until order by c.correction_no desc)
                                  filter (where c.from_account = o.from_account))[1] as period_until,
                             (array_agg(c.effective_on order by c.correction_no desc)
                                  filter (where c.from_account = o.from_account))[1] as effective_on,
                             (array_agg(c.usd_minor order by c.correction_no desc)
                                  filter (where c.from_account = o.from_account))[1] as usd_minor
                      from transfer c join transfer o on o.transfer_id = c.corrects group by c.corrects) c
             on c.corrects = t.transfer_id
           where t.corrects is null and t.amount_minor + coalesce(c.minor, 0) <> 0
             and ($1::date is null or coalesce(c.effective_on, t.effective_on) <= $1)
           order by p.number collate "C", m.order_id collate "C", e.benefit collate "C", t.period_no, t.kind,
                    coalesce(c.effective_on, t.effective_on), coalesce(u.reference, r.request_key) collate "C""#,
        on
    )
    .fetch(conn);
    let mut hash = Sha256::new();
    while let Some(line) = lines.try_next().await? {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    Ok(hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
