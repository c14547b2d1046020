-- Orders and what they bring.

create table membership (
    membership_id  bigint generated always as identity primary key,
    partner_id     bigint  not null references partner,
    -- an order belongs to one partner, so it is unique without the partner
    order_id       text    not null unique,
    -- null while a renewal waits for its entitlements file (D5)
    offer          text check (offer in ('action_pack', 'silver', 'gold', 'isv_cosell_ready')),
    purchased_on   date,
    starts_on      date    not null,
    -- the anniversary date, AD (D5)
    anniversary_on date    not null,
    status         text    not null
                   check (status in ('pending', 'active', 'in_grace', 'renewed', 'expired', 'cancelled')),
    -- last usable day, once it has ended
    ended_on       date,
    -- start and AD come from a renewal and no file changes them (D5)
    renews         bigint references membership,
    check ((ended_on is null) = (status in ('pending', 'active', 'in_grace'))),
    check (anniversary_on > starts_on)
);
create index membership_partner on membership (partner_id);
-- the nightly question: whose status changes, who is to be reminded
create index membership_running on membership (anniversary_on) where ended_on is null;
create index membership_pending on membership (starts_on) where status = 'pending';

create table entitlement (
    entitlement_id  bigint generated always as identity primary key,
    partner_id      bigint not null references partner,
    membership_id   bigint not null references membership,
    -- kind or kind/detail, unique within its order
    benefit         text   not null,
    benefit_type    text   not null check (benefit_type in ('core', 'incremental')),
    -- seats, incidents or hours; null: unlimited
    quantity        integer check (quantity >= 0),
    starts_on       date   not null,
    -- last usable day as the file says it
    expires_on      date   not null check (expires_on >= starts_on),
    -- last usable day as the membership makes it, grace included (D5)
    last_usable_on  date   not null,
    -- per period and unit (D12); minor units
    amount_minor    bigint check (amount_minor >= 0),
    currency        char(3),
    competency      text,
    subscription_id text,
    -- the business date its file arrived: nothing that was over before is mailed (D10)
    known_on        date   not null,
    ended_on        date,
    ended_as        text check (ended_as in ('expired', 'cancelled', 'renewed')),
    unique (membership_id, benefit),
    check ((ended_on is null) = (ended_as is null)),
    check ((amount_minor is null) = (currency is null))
);
create index entitlement_ending on entitlement (last_usable_on) where ended_on is null;

-- What an entitlement was and became: one row a change, the first row being its arrival. Never rewritten.
create table entitlement_version (
    entitlement_id  bigint      not null references entitlement,
    version_no      integer     not null,
    partner_id      bigint      not null,
    -- where it came from: a row of a file, or the run that ended it
    file_id         bigint,
    line            integer,
    run_id          bigint,
    recorded_at     timestamptz not null default now(),
    quantity        integer,
    starts_on       date        not null,
    expires_on      date        not null,
    amount_minor    bigint,
    currency        char(3),
    competency      text,
    subscription_id text,
    benefit_type    text        not null,
    ended_on        date,
    ended_as        text,
    primary key (entitlement_id, version_no),
    check ((file_id is null) <> (run_id is null))
);

create table assignment (
    assignment_id  bigint generated always as identity primary key,
    partner_id     bigint not null references partner,
    entitlement_id bigint not null references entitlement,
    user_id        bigint not null references directory_user,
    assigned_on    date   not null,
    -- the first day on which it no longer is; the day of assignment always counts
    removed_on     date check (removed_on >= assigned_on)
);
create unique index assignment_live on assignment (entitlement_id, user_id) where removed_on is null;
create index assignment_entitlement on assignment (entitlement_id, assigned_on);

-- What was done with a benefit that may block a refund (R9, D7)
create table benefit_use (
    benefit_use_id bigint generated always as identity primary key,
    partner_id     bigint not null references partner,
    entitlement_id bigint not null references entitlement,
    event          text   not null,
    used_on        date   not null,
    used_by        text   not null
);
create index benefit_use_entitlement on benefit_use (entitlement_id);
