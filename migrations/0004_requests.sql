-- What people asked for, and what was answered.

create table request (
    request_no   bigint generated always as identity primary key,
    partner_id   bigint not null references partner,
    kind         text   not null check (kind in ('assign', 'remove', 'cancel', 'renew')),
    -- the key of its row within its partner (formats.md)
    request_key  text   not null,
    -- the row as it was understood; the same key with other content is a conflict (D16)
    content      jsonb  not null,
    membership_id  bigint not null references membership,
    entitlement_id bigint references entitlement,
    requested_by text   not null,
    -- the UTC date that counts (D1)
    requested_on date   not null,
    file_id      bigint not null references file,
    line         integer not null,
    -- waiting: dated long before its arrival, for the operator; pending: for its night
    status       text   not null check (status in ('waiting', 'pending', 'accepted', 'refused')),
    unique (partner_id, kind, request_key)
);
create index request_undecided on request (requested_on, request_no) where status = 'pending';
create index request_membership on request (membership_id);
create index request_waiting on request (request_no) where status = 'waiting';

-- Each yes and no, with every reason (D13). Never rewritten.
create table decision (
    decision_id  bigint generated always as identity primary key,
    partner_id   bigint      not null references partner,
    request_no   bigint references request,
    subject_kind text        not null,
    subject      text        not null,
    action       text        not null,
    requested_by text        not null,
    outcome      text        not null check (outcome in ('accepted', 'refused')),
    -- codes with their arguments; sentences are made where they are read
    reasons      jsonb       not null default '[]',
    -- null: never, or no date is known
    earliest_on  date,
    decided_on   date        not null,
    decided_at   timestamptz not null default now(),
    run_id       bigint,
    file_id      bigint
);
create index decision_partner on decision (partner_id);
create unique index decision_request on decision (request_no) where request_no is not null;
create trigger history_only_grows before update or delete or truncate on decision
    for each statement execute function refuse_rewriting();
