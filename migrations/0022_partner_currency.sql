-- A partner's currency may change, as when its country joins the euro (D4).

-- From which day on a partner that changed its currency accounts in which; the first row, of the year 1, is what it had
-- before. A partner without a row never changed.
create table partner_currency (
    partner_id bigint  not null references partner,
    from_on    date    not null,
    currency   char(3) not null,
    file_id    bigint  not null references file,
    primary key (partner_id, from_on)
);

-- the currency that the open period was granted in
alter table credit_schedule add currency char(3);
update credit_schedule s set currency = p.currency
from partner p where p.partner_id = s.partner_id and s.next_period_no > 0;

comment on column report.partner.currency is 'ISO 4217 code in which credit is granted: the one of the latest change.';
