-- What came back about mails: each message once, whatever it says and however often it is read (promise 9). A mail that did
-- not get there after all is `bounced`.

create table bounce (
    bounce_id   bigint generated always as identity primary key,
    -- of the whole message, hexadecimal
    sha256      text        not null unique,
    -- its own Message-ID
    report_id   text,
    -- the mail that it is about, known by its token; null: none of ours, or it does not prove which
    mail_id     bigint      references mail,
    partner_id  bigint      references partner,
    class       text        not null check (class in ('hard', 'soft', 'blocked', 'complaint', 'unsubscribed', 'delayed', 'delivered',
                                                      'auto_reply', 'other', 'unreadable')),
    -- enhanced status code, such as 5.1.1
    code        text,
    said        text        not null,
    recorded_at timestamptz not null default now(),
    check ((mail_id is null) = (partner_id is null))
);
-- the same report may be delivered twice
create unique index bounce_once on bounce (mail_id, report_id) where mail_id is not null;

-- the partners behind an address
create index contact_email on contact (lower(email));
create index partner_account_email on partner (lower(account_email));

alter table mail drop constraint mail_status_check;
alter table mail add constraint mail_status_check check
    (status in ('queued', 'claimed', 'unknown', 'sent', 'bounced', 'refused', 'failed', 'withdrawn'));

-- Whoever was told by a mail that bounced was not told: the view stays as it is but for that.
do $$
declare
    told  constant text := 'ARRAY[''failed''::text, ';
    was   constant text := pg_get_viewdef('report.credit_lapse'::regclass);
begin
    if length(was) - length(replace(was, told, '')) <> 2 * length(told) then
        raise exception 'report.credit_lapse does not look at the states of mails as it did';
    end if;
    execute 'create or replace view report.credit_lapse as '
        || replace(was, told, 'ARRAY[''bounced''::text, ''failed''::text, ');
end $$;

comment on column report.mail.status is
    'owed, superseded, queued, claimed, sent, bounced, refused, failed, withdrawn or unknown.';
