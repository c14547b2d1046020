-- What contacts are owed word of, and the mails that told them.

create table mail (
    mail_id        bigint generated always as identity primary key,
    partner_id     bigint      not null references partner,
    message_id     text        not null unique,
    -- lower case
    recipient      text        not null,
    recipient_name text,
    language       text        not null,
    -- the run that queued it
    run_id         bigint      not null,
    -- the business date; one digest a recipient and day (D10)
    day            date        not null,
    status         text        not null default 'queued' check (status in ('queued', 'claimed', 'sent', 'unknown', 'failed')),
    attempts       integer     not null default 0,
    epoch          integer     not null default 0,
    lease_until    timestamptz,
    queued_at      timestamptz not null default now(),
    sent_at        timestamptz,
    last_reply     text,
    unique (recipient, day)
);
create index mail_unsent on mail (mail_id) where status in ('queued', 'claimed', 'unknown');

create table notice (
    notice_id    bigint generated always as identity primary key,
    partner_id   bigint not null references partner,
    -- the run that decided it
    run_id       bigint not null,
    subject_kind text   not null check (subject_kind in ('membership', 'entitlement', 'request')),
    subject_id   bigint not null,
    kind         text   not null,
    -- the date that makes it owed, once for ever
    anchor_on    date   not null,
    -- after this day it is no longer true and is not sent; null: it stays true
    true_until   date,
    -- the notice with its arguments; rendered when the mail is written
    content      jsonb  not null,
    status       text   not null default 'owed' check (status in ('owed', 'mailed', 'superseded')),
    mail_id      bigint references mail,
    unique (subject_kind, subject_id, kind, anchor_on),
    check ((status = 'mailed') = (mail_id is not null))
);
create index notice_owed on notice (partner_id, notice_id) where status = 'owed';
create index notice_mail on notice (mail_id) where mail_id is not null;
