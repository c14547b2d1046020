-- The pace of mails, and the pauses of the domains that they go to: in the store, so that they hold for all processes together.
-- Of a domain that nothing was said about for a day there is no row.
create table mail_pace (
    -- what stands after the @ of recipients, lower case; '': all mails together
    domain       text        primary key,
    -- the pace lets none go before; null: it has no pace
    next_at      timestamptz,
    -- so many mails in a row were put off there
    put_off      integer     not null default 0,
    put_off_at   timestamptz,
    -- so many pauses in a row: each is twice as long as the one before
    pauses       integer     not null default 0,
    paused_until timestamptz
);
