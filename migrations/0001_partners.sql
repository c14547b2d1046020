-- Who the programme's partners are, and who works there.

create table file (
    file_id      bigint generated always as identity primary key,
    -- hexadecimal SHA-256 of the bytes; the spool names its copy by it
    sha256       text        not null check (sha256 ~ '^[0-9a-f]{64}$'),
    name         text        not null,
    kind         text        not null,
    dialect      text        not null,
    -- whose folder it was dropped in; null: rows say whose they are
    partner_id   bigint,
    -- columns of the header, in the file's order, canonical names; '' where the column is unknown
    header       text[]      not null,
    received_at  timestamptz not null default now(),
    -- the business date of its arrival (D1), which may be simulated
    received_on  date        not null,
    status       text        not null default 'staging'
                 check (status in ('staging', 'staged', 'done', 'refused')),
    -- requests dated long before their arrival are taken in without waiting for the operator (D1)
    accept_backdated boolean not null default false,
    row_count    integer     not null default 0,
    applied      integer     not null default 0,
    unchanged    integer     not null default 0,
    rejected     integer     not null default 0,
    -- why the whole file was refused
    refusal      text,
    finished_at  timestamptz
);
create index file_sha256 on file (sha256);
create index file_unfinished on file (file_id) where status in ('staging', 'staged');

create table partner (
    partner_id    bigint generated always as identity primary key,
    -- the programme's Partner ID: digits, leading zeros kept
    number        text    not null unique check (number ~ '^[0-9]+$'),
    name          text    not null,
    account_email text    not null,
    country       char(2) not null,
    currency      char(3) not null,
    tenant_id     text,
    language      text,
    -- companies that share caps (D12)
    group_id      text,
    file_id       bigint  not null references file
);
alter table file add foreign key (partner_id) references partner;

create table directory_user (
    user_id             bigint generated always as identity primary key,
    partner_id          bigint  not null references partner,
    object_id           text    not null,
    user_principal_name text    not null,
    display_name        text,
    mail                text,
    user_type           text    not null default 'member' check (user_type in ('member', 'guest')),
    enabled             boolean not null default true,
    roles               text[]  not null default '{}',
    language            text,
    file_id             bigint  not null references file
);
-- whoever a file names is found by object id or user principal name, case-insensitively, never by mail
create unique index directory_user_object_id on directory_user (partner_id, lower(object_id));
create unique index directory_user_upn on directory_user (partner_id, lower(user_principal_name));

-- the marketing contact, one a partner (R8)
create table contact (
    partner_id bigint primary key references partner,
    user_id    bigint not null references directory_user,
    email      text   not null,
    phone      text   not null,
    language   text   not null,
    file_id    bigint not null references file
);
