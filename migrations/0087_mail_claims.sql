-- A lane claims several mails at once and marks each when it begins to hand it over, so that of a process that is gone it is known
-- which one was on its way. Marks are not waited for to reach the disk: a crash of the database can lose the last of them.
alter table mail
    -- it is claimed and on its way: if its process is gone, nobody knows whether it went
    add column begun boolean not null default false,
    -- what mail_mark held when it was claimed
    add column mark  uuid;

-- One row. A crash of the database empties the table, and the row that is put there afterwards has another token: what was claimed
-- under another one may have lost its mark.
create unlogged table mail_mark (
    is_only boolean primary key default true check (is_only),
    token   uuid    not null    default gen_random_uuid()
);
