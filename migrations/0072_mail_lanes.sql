-- Mails that are handed to a mail server, by lanes that speak to it whenever something is due.

alter table mail
    -- when it was first due while somebody tried: days are counted from there until it is given up
    add column first_tried_at timestamptz,
    -- not before; null: at once
    add column next_try_at    timestamptz,
    -- the process that hands it to a mail server; null: the chunk of a night
    add column claimed_by     text,
    -- it was unknown, and was handed over once more
    add column resent         boolean not null default false;

comment on column report.mail.last_reply is 'What was last answered, or why it was not sent.';
