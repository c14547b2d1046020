-- Money only moves, history only grows.

create type ledger_kind as enum (
    'credit_granted', 'credit_used', 'credit_overage', 'credit_lapsed', 'credit_reversed',
    'hours_granted', 'hours_used', 'hours_lapsed',
    'incidents_granted', 'incidents_used', 'incidents_lapsed'
);

-- accounts of one entitlement's period; overage never touches what is available
create type ledger_account as enum ('programme', 'available', 'used', 'lapsed', 'billed', 'overage');

-- Double entry in one row: an amount leaves one account and reaches another, so it balances by construction.
create table transfer (
    transfer_id    bigint generated always as identity primary key,
    partner_id     bigint         not null,
    entitlement_id bigint         not null references entitlement,
    -- runs are never removed; a foreign key would lock that one row a million times a night
    run_id         bigint         not null,
    kind           ledger_kind    not null,
    from_account   ledger_account not null,
    to_account     ledger_account not null,
    period_no      smallint       not null check (period_no >= 0),
    -- 0: the original; n: the n-th correction of `corrects`
    correction_no  smallint       not null default 0,
    period_from    date           not null,
    period_until   date           not null,
    -- the date the facts give it, never the date of the run
    effective_on   date           not null,
    recorded_at    timestamptz    not null default now(),
    -- minor units of the currency; minutes or counts where the currency is null
    amount_minor   bigint         not null check (amount_minor > 0),
    currency       char(3),
    -- what the catalogue granted, in US cents, and the rate that made it local (D4)
    usd_minor      bigint,
    -- local units per US dollar, in billionths
    rate_nano      bigint,
    rate_on        date,
    -- the usage that drew it (D15)
    usage_id       bigint,
    corrects       bigint,
    check (from_account <> to_account),
    check (period_from < period_until),
    check ((corrects is null) = (correction_no = 0)),
    check ((rate_nano is null) = (rate_on is null))
);
-- one effect per business key: a grant, a lapse, a reversal a period; a draw a usage; numbered corrections
create unique index transfer_once on transfer
    (entitlement_id, period_no, kind, usage_id, corrects, correction_no) nulls not distinct;

create function refuse_rewriting() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: history only grows', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create trigger history_only_grows before update or delete or truncate on transfer
    for each statement execute function refuse_rewriting();
create trigger history_only_grows before update or delete or truncate on entitlement_version
    for each statement execute function refuse_rewriting();

-- What a night reads: who is due, and nothing else. A row lives as long as something is still to come.
create table credit_schedule (
    entitlement_id bigint   primary key references entitlement,
    partner_id     bigint   not null,
    -- the period that starts on next_on; the one before it, if any, is open until then
    next_period_no smallint not null,
    -- null: granted once, ends with its entitlement (bulk credit)
    next_on        date,
    -- what is unspent of the open period: the ledger's balance of it, kept in the same transaction
    open_minor     bigint   not null default 0 check (open_minor >= 0),
    -- why a due grant waits, as code and arguments (D4)
    waits          jsonb
);
create index credit_schedule_due on credit_schedule (next_on, entitlement_id);

-- usage as files state it; the ledger says what it drew
create table credit_usage (
    usage_id       bigint generated always as identity primary key,
    partner_id     bigint  not null references partner,
    entitlement_id bigint  not null references entitlement,
    reference      text    not null,
    used_on        date    not null,
    amount_minor   bigint  not null check (amount_minor > 0),
    currency       char(3) not null,
    file_id        bigint  not null references file,
    line           integer not null,
    settled        boolean not null default false,
    unique (partner_id, reference)
);
create index credit_usage_entitlement on credit_usage (entitlement_id, used_on);
create index credit_usage_unsettled on credit_usage (entitlement_id) where not settled;

-- European Central Bank reference rates: units for one euro, in millionths
create table reference_rate (
    currency       char(3) not null,
    published_on   date    not null,
    per_euro_micro bigint  not null check (per_euro_micro > 0),
    file_id        bigint  not null references file,
    primary key (currency, published_on)
);
