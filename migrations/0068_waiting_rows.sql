-- Of a file's rows, those that wait for an operator are counted by themselves, and those that changed what was known are told
-- from new ones.

alter table file
    add column changed integer not null default 0,
    add column waiting integer not null default 0;
comment on column file.changed is 'Of the applied rows, those that changed what was known.';
comment on column file.waiting is 'Rows that wait for an operator.';

alter table file_chunk
    add column changed integer not null default 0,
    add column waiting integer not null default 0,
    -- rows that changed what was known
    add column changed_rows integer[] not null default '{}';

-- what was allowed before is allowed still, so no row need be looked at
alter table row_answer
    drop constraint row_answer_status_check,
    add constraint row_answer_status_check
        check (status in ('applied', 'waiting', 'unchanged', 'rejected')) not valid;

create or replace view report.file as
select name, sha256, kind, received_at, status, row_count, applied, unchanged, rejected, waiting
from public.file;
comment on column report.file.waiting is 'Rows that wait for an operator; `requests` lists what they ask for.';
