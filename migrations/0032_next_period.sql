-- A word of lost credit names the period after it only where one is granted (D3). Those that are not sent yet are given it.

update notice n set content = n.content || jsonb_build_object('next', jsonb_build_object(
    'from', l.until_on,
    'until', least((l.until_on + interval '1 month')::date, e.expires_on + 1, m.anniversary_on)))
from (select notice_id, (content ->> 'period_until')::date as until_on from notice
      where kind = 'credit_lapsed_unassigned') l, entitlement e, membership m
where n.notice_id = l.notice_id and e.entitlement_id = n.subject_id and m.membership_id = e.membership_id
  and e.benefit like 'azure_monthly_credit%' and l.until_on <= e.expires_on and l.until_on < m.anniversary_on
  and (n.status = 'owed' or exists (select from mail w where w.mail_id = n.mail_id and mail_is_unsent(w.status)));
