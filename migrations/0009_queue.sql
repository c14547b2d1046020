-- Work that is retried, held back, called off and given up; who works; what operators did about it.

alter table run_chunk
    -- not to be claimed before: the pause after a failure, or an operator's
    add column ready_at    timestamptz not null default now(),
    -- the higher goes first
    add column priority    smallint    not null default 0,
    -- an operator called it off while a worker had it
    add column cancel_asked_at timestamptz,
    add column finished_at timestamptz,
    drop constraint run_chunk_status_check,
    -- failed: a dead letter, kept until an operator retries or discards it; discarded: never to be done in this run
    add constraint run_chunk_status_check check (status in ('ready', 'claimed', 'done', 'failed', 'discarded')),
    -- claims, renewals and outcomes rewrite the row: leave them room on its page
    set (fillfactor = 70);
comment on column run_chunk.status is
    'ready; claimed under a lease; done; failed for good (a dead letter); discarded by an operator';

-- Where a chunk stands, as operators are told. What a worker let go of, and what it held when its lease lapsed, is
-- ready.
create function chunk_state(status text, ready_at timestamptz, lease_until timestamptz) returns text
language sql stable as $$
    select case when status = 'failed' then 'dead'
                when status = 'claimed' and lease_until >= now() then 'running'
                when status = 'claimed' then 'ready'
                when status = 'ready' and ready_at > now() then 'waiting'
                else status end
$$;

-- the same span is never open twice in a run
create unique index run_chunk_once on run_chunk (run_id, stage, from_on, from_id) where status in ('ready', 'claimed');
-- the next to claim, whatever number there is
create index run_chunk_ready on run_chunk (run_id, priority desc, chunk_no) where status = 'ready';
-- those under way: few, at any time
create index run_chunk_claimed on run_chunk (run_id, chunk_no) where status = 'claimed';
-- what waits for an operator
create index run_chunk_given_up on run_chunk (run_id, chunk_no) where status in ('failed', 'discarded');

alter table attempt
    -- when its chunk could have been claimed: what it waited for a worker
    add column ready_at timestamptz,
    add column outcome  text check (outcome in ('done', 'failed', 'lost', 'handed_back', 'cancelled'));
comment on column attempt.outcome is
    'null while under way; lost: no word from its worker until its lease lapsed; handed_back: not counted as a try';
create index attempt_started on attempt (started_at);

alter table run
    -- host and data directory of the process that coordinates: files and mails of a courier belong there
    add column place text;

-- The one process that runs nights. Its lock is a session's and goes with it; the epoch fences what a process writes
-- that was paused while another took over.
create table coordinator (
    only_one boolean     primary key default true check (only_one),
    epoch    bigint      not null default 0,
    worker   text,
    began_at timestamptz
);
insert into coordinator default values;

-- Processes that work, and when each last gave word.
create table process (
    name       text        primary key,
    -- up or worker: both keep the timetable
    command    text        not null,
    host       text        not null,
    pid        integer     not null,
    version    text        not null,
    -- where its health and metrics are
    listens_on text,
    started_at timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    -- it left in order; without it, silence is an alarm
    ended_at   timestamptz
);

-- What operators did to work, and why. Only added to.
create table operator_action (
    action_id bigint generated always as identity primary key,
    at        timestamptz not null default now(),
    run_id    bigint      not null references run,
    chunk_no  integer     not null,
    action    text        not null check (action in ('retry', 'discard', 'cancel', 'snooze')),
    by        text        not null check (by <> ''),
    why       text        not null check (why <> ''),
    -- what it was before: status, attempts and the last error, as text a person reads
    before    text        not null
);
create index operator_action_chunk on operator_action (run_id, chunk_no);

create trigger history_only_grows before update or delete or truncate on operator_action
    for each statement execute function refuse_rewriting();

-- A tick is for a business date, and is answered once its job has run; after a time without any process some are
-- passed over, as the job's timetable says.
alter table tick
    add column due_on      date,
    add column verdict     text not null default 'due' check (verdict in ('due', 'skipped', 'dropped')),
    add column answered_at timestamptz;
comment on column tick.verdict is
    'due; skipped: a later one stands for it, or it is too late (catch_up); dropped: more were missed than are caught up';
-- those of a timetable that all jobs shared
delete from tick;
create index tick_open on tick (due_on) where verdict = 'due' and answered_at is null;

-- Tries of taking a file in, counted before each: a file that ends its process is not tried for ever.
alter table file add column attempts integer not null default 0;

-- Small tables that change all the time: vacuumed by their dead rows, not by a share of what is there.
alter table run_chunk set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200,
                           autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
alter table attempt   set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
alter table process   set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, fillfactor = 50);
alter table run       set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
do $$
begin
    -- The queue's calls live for seconds. Storage only: nothing of ours hangs on the queue's tables.
    alter table apalis.jobs set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
                                 autovacuum_vacuum_cost_delay = 0);
    alter table apalis.workers set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
exception when undefined_table or invalid_schema_name then
    null; -- a schema without a queue, as the checks of statements use one
end $$;

-- what a scrape of the metrics counts, beside the mails under way
create index mail_failed on mail (mail_id) where status = 'failed';
