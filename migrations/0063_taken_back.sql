-- What a file did can be taken back, as long as nothing was built on it.

alter table operator_action
    drop constraint operator_action_action_check,
    add constraint operator_action_action_check
        check (action in ('retry', 'discard', 'cancel', 'snooze', 'state_unpublished', 'take_back_unpublished',
                          'admit_request', 'refuse_request', 'admit_rate', 'revert_rates', 'revert_file'));

-- How things stood before a file changed them, where they have no versions of their own. A thing without a row here was
-- made by the file that it names.
create table overwritten (
    overwritten_id bigint  generated always as identity primary key,
    file_id        bigint  not null references file,
    partner_id     bigint  not null,
    subject_kind   text    not null check (subject_kind in ('partner', 'partner_currency', 'user', 'agreement', 'key')),
    subject_id     bigint  not null,
    -- the row as it was, with the file that had made or changed it before
    was            jsonb   not null,
    -- it stands so again
    undone         boolean not null default false
);
create index overwritten_file on overwritten (file_id);
create index overwritten_subject on overwritten (subject_kind, subject_id);
create index overwritten_before on overwritten (((was ->> 'file_id')::bigint));
comment on table overwritten is
    'How partners, their currencies, users, agreements and the seats of keys stood before a file changed them.';

alter table file add column keeps_changes boolean not null default false;
comment on column file.keeps_changes is 'What it changes is kept as it was in `overwritten`.';

-- What was taken back with a file: what it had said, and what stands instead.
create table taken_back (
    taken_back_id bigint generated always as identity primary key,
    file_id       bigint      not null references file,
    partner_id    bigint      not null,
    partner       text        not null,
    subject_kind  text        not null,
    subject       text        not null,
    line          integer,
    said          jsonb       not null,
    -- null: it is not there any more
    stands        jsonb,
    business_on   date        not null,
    recorded_at   timestamptz not null default now()
);
create index taken_back_partner on taken_back (partner_id);
create index taken_back_subject on taken_back (subject);
create trigger history_only_grows before update or delete or truncate on taken_back
    for each statement execute function refuse_rewriting();
comment on table taken_back is 'What files had said that were taken back, thing by thing. Never rewritten.';
comment on column taken_back.partner_id is 'Its number, also where the partner itself was taken back.';

-- an entitlement that is taken back goes, and its versions stay
alter table entitlement_version
    drop constraint entitlement_version_entitlement_id_fkey,
    add column restores boolean not null default false;
create index entitlement_version_file on entitlement_version using brin (file_id);
comment on column entitlement_version.restores is 'It takes back what its file said, and says what stood before.';

-- usage that was drawn stays on record when it is taken back, and the next night takes its entries back
alter table credit_usage
    add column withdrawn_at timestamptz,
    drop constraint credit_usage_partner_id_reference_key;
create unique index credit_usage_reference on credit_usage (partner_id, reference) where withdrawn_at is null;
create index credit_usage_file on credit_usage (file_id);
comment on column credit_usage.withdrawn_at is 'When it was taken back with its file: it counts as nothing used.';

comment on column file.reverted_at is 'When what it brought was taken back; null: never.';
