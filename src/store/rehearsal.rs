//! The effects of the transaction that is open: what a dry run tells before it is rolled back.

use serde_json::Value;
use sqlx::PgConnection;

use super::Result;

/// Every effect recorded in this transaction, as objects without what differs from run to run, in canonical order.
pub async fn effects(conn: &mut PgConnection) -> Result<Vec<Value>> {
    Ok(sqlx::query_scalar!(
        r#"select effect as "effect!" from (
               select 1 as part, jsonb_build_object('effect', 'transfer', 'partner_id', partner_id, 'order_id', order_id,
                          'benefit', benefit, 'kind', kind, 'period_from', period_from, 'effective_on', effective_on,
                          'amount_minor', amount_minor, 'currency', currency, 'correction', corrects is not null) as effect
               from report.ledger where recorded_at = now()
               union all
               select 2, jsonb_build_object('effect', 'decision', 'partner_id', p.number, 'subject', d.subject,
                          'action', d.action, 'outcome', d.outcome, 'reasons', d.reasons, 'decided_on', d.decided_on)
               from decision d join partner p using (partner_id) where d.decided_at = now()
               union all
               select 3, jsonb_build_object('effect', 'ended', 'partner_id', p.number, 'order_id', m.order_id,
                          'benefit', e.benefit, 'ended_on', v.ended_on, 'as', v.ended_as)
               from entitlement_version v join entitlement e using (entitlement_id)
               join membership m using (membership_id) join partner p on p.partner_id = v.partner_id
               where v.recorded_at = now() and v.ended_on is not null
               union all
               select 4, jsonb_build_object('effect', 'mail', 'partner_id', p.number, 'recipient', l.recipient, 'day', l.day,
                          'notice', n.kind, 'anchor_on', n.anchor_on, 'message_id', l.message_id)
               from mail l join notice_told n using (mail_id) join partner p on p.partner_id = n.partner_id
               where l.queued_at = now() and l.status <> 'withdrawn'
               union all
               select 5, jsonb_build_object('effect', 'mail', 'partner_id', null, 'recipient', l.recipient, 'day', l.day,
                          'notice', 'night_report', 'anchor_on', l.day, 'message_id', l.message_id)
               from mail l where l.stream = 'operator' and l.queued_at = now() and l.status <> 'withdrawn'
           ) effects order by part, effect::text"#
    )
    .fetch_all(conn)
    .await?)
}
