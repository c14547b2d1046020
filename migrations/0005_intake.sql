-- Files on their way in.

-- Rows as text, cells joined by U+001F, until they are applied. Unlogged: after a crash the spool gives them again.
create unlogged table staged_row (
    file_id bigint  not null,
    -- 1-based number of the record, header not counted
    row_no  integer not null,
    line    integer not null,
    cells   text    not null,
    -- requests only: the date that orders them over all waiting files
    order_on date,
    primary key (file_id, row_no)
);

create index staged_row_requests on staged_row (order_on, file_id, row_no) where order_on is not null;

-- A span of a file's rows and what became of them; commits with its effects.
create table file_chunk (
    file_id   bigint  not null references file,
    chunk_no  integer not null,
    first_row integer not null,
    -- the row after the last
    until_row integer not null,
    applied   integer not null default 0,
    unchanged integer not null default 0,
    rejected  integer not null default 0,
    -- rows that changed nothing, listed; where there are none but these, the span says so by its counts
    unchanged_rows integer[] not null default '{}',
    done      boolean not null default false,
    primary key (file_id, chunk_no)
);

-- Rows that were rejected or are remarkable, kept with every problem.
create table row_answer (
    file_id    bigint  not null references file,
    row_no     integer not null,
    line       integer not null,
    status     text    not null check (status in ('applied', 'unchanged', 'rejected')),
    -- [{column, value, reason: {code, …}}]
    problems   jsonb   not null,
    primary key (file_id, row_no)
);
