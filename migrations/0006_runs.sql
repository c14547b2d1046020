-- What ran, for which business date, with what outcome. The queue only rings; these tables decide.

create table run (
    run_id         bigint generated always as identity primary key,
    job            text        not null,
    due_on         date        not null,
    status         text        not null default 'running'
                   check (status in ('running', 'done', 'failed', 'incomplete')),
    -- how often it was begun; a date already complete is looked at again
    attempts       integer     not null default 1,
    -- the part of the job whose chunks are planned
    stage          smallint    not null default -1,
    started_at     timestamptz not null default now(),
    finished_at    timestamptz,
    done           bigint      not null default 0,
    refused        bigint      not null default 0,
    failed         bigint      not null default 0,
    binary_version text        not null,
    -- SHA-256 of the job's policy file and of the catalogue it ran with
    policy_sha256  text        not null,
    catalogue_sha256 text      not null,
    -- SHA-256 over the identities of every file applied before it
    input_sha256   text        not null,
    -- one effect per business key
    unique (job, due_on)
);

create table run_chunk (
    run_id      bigint      not null references run,
    chunk_no    integer     not null,
    stage       smallint    not null,
    -- the span it covers, half-open, in the order of (date, id)
    from_on     date        not null,
    from_id     bigint      not null,
    until_on    date        not null,
    until_id    bigint      not null,
    status      text        not null default 'ready'
                check (status in ('ready', 'claimed', 'done', 'failed')),
    -- counted in the committed claim, so that crashes count
    attempts    integer     not null default 0,
    -- fences: a worker whose epoch has passed writes nothing
    epoch       integer     not null default 0,
    worker      text,
    lease_until timestamptz,
    done        bigint      not null default 0,
    refused     bigint      not null default 0,
    failed      bigint      not null default 0,
    primary key (run_id, chunk_no)
);
create index run_chunk_open on run_chunk (run_id, chunk_no) where status in ('ready', 'claimed');

create table attempt (
    attempt_id  bigint generated always as identity primary key,
    run_id      bigint      not null references run,
    chunk_no    integer     not null,
    epoch       integer     not null,
    worker      text        not null,
    started_at  timestamptz not null default now(),
    finished_at timestamptz,
    error       text
);
create index attempt_run on attempt (run_id, chunk_no);

-- The business dates that are complete: catch-up starts after the last.
create table night (
    due_on       date primary key,
    completed_at timestamptz not null default now()
);

-- Ticks of the timetable that were rung, once each.
create table tick (
    name    text        not null,
    due_at  timestamptz not null,
    rung_at timestamptz not null default now(),
    primary key (name, due_at)
);
